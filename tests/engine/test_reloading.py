"""Files that change while it runs: what is told, what `apply` brings about, and what saving restarts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import ConfigChange
from procdeck.core.state import State
from tests.engine.support import eventually, free_base
from tests.engine.told import Told, told
from tests.support.apps import Apps

RUNS = "exec sleep 50"
SLOW = "trap 'while [ ! -e go ]; do sleep 0.02; done; exit' TERM; echo up; while :; do sleep 0.02; done"
"""Stops once the file `go` is there."""


def save(path: Path, text: str) -> None:
    """Writes a file as an editor does: beside it, and then in its place."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def procfile(folder: Path, **commands: str) -> None:
    save(folder / "Procfile", "".join(f"{name}: {command}\n" for name, command in commands.items()))


async def watches(seen: Told, folder: Path) -> None:
    """Waits until files are watched for sure, by a change of the settings and back."""
    toml = folder / "procdeck.toml"
    before = toml.read_text() if toml.exists() else None
    toml.write_text((before or "") + "\n[types.web.env]\nIS_WATCHED = '1'\n")
    await seen.pending(ConfigChange(changed={"web": ["env"]}))
    if before is None:
        toml.unlink()
    else:
        toml.write_text(before)
    await seen.pending(None)


def outdated(seen: Told) -> dict[str, bool]:
    return {name: view.outdated for name, view in sorted(seen.instances.items())}


def runs(seen: Told) -> dict[str, int]:
    return {name: view.run for name, view in sorted(seen.instances.items())}


# What is told -------------------------------------------------------------------------------------------------------


async def test_what_changed_is_told_and_nothing_happens_until_it_is_applied(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": RUNS, "db": RUNS})
    async with told(folder, watch=True, formation="web=2") as seen:
        before = {view.name: view.pid for view in await seen.running("web.1", "web.2", "old.1", "db.1")}
        procfile(folder, web="exec sleep 49", db=RUNS, mailer=RUNS)
        change = ConfigChange(added=["mailer"], removed=["old"], changed={"web": ["command"]})
        await seen.pending(change)
        save(folder / "procdeck.toml", "[types.db]\nstop_timeout = 1\ntty = false\n[types.mailer]\nquantity = 2\n")
        change = ConfigChange(
            added=["mailer"], removed=["old"], changed={"web": ["command"], "db": ["stop_timeout", "tty"]}
        )
        await seen.pending(change)
        assert {view.name: view.pid for view in (await seen.control.snapshot()).instances} == before
        assert outdated(seen) == dict.fromkeys(["db.1", "old.1", "web.1", "web.2"], False)
        async with Told(seen.engine) as later:  # a viewer that comes now
            assert (await later.control.snapshot()).pending == change
        assert await seen.control.apply() is not None
        await seen.running("mailer.1", "mailer.2")
        await seen.gone("old.1")
        await seen.pending(None)
        assert {name: seen.instances[name].pid for name in ("web.1", "web.2", "db.1")} == {
            name: before[name] for name in ("web.1", "web.2", "db.1")
        }
        await seen.until(lambda: seen.removed == ["old"], "old to be forgotten")
        assert list(seen.wanted) == ["web", "db", "mailer"]
        assert [type_.name for type_ in (await seen.control.snapshot()).types] == ["web", "db", "mailer"]
        await seen.state("web.1", State.RUNNING, outdated=True)
        await seen.control.restart("web.1")
        await seen.state("web.1", State.RUNNING, run=2, outdated=False)
        assert seen.types["web"].command == "exec sleep 49"
        assert seen.instances["web.2"].outdated
        with pytest.raises(ProcdeckError, match="There is no process type old"):
            await seen.control.stop("old")


async def test_apply_names_what_it_is_about_and_a_second_one_nothing(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": RUNS})
    async with told(folder, watch=True) as seen:
        assert (await seen.control.apply()).names == []
        procfile(folder, web="exec sleep 49", new=RUNS)
        await seen.pending_with(lambda change: change.added)
        assert sorted((await seen.control.apply()).names) == ["new", "old", "web"]
        assert (await seen.control.apply()).names == []
        await seen.pending(None)


async def test_a_change_that_is_taken_back_is_none(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS})
    async with told(folder, watch=True) as seen:
        procfile(folder, web="exec sleep 49")
        await seen.pending(ConfigChange(changed={"web": ["command"]}))
        procfile(folder, web=RUNS)
        await seen.pending(None)
        assert (await seen.control.apply()).names == []


async def test_another_environment_makes_all_outdated(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo A=$A B=$B; exec sleep 50", "db": RUNS, "down": RUNS}, env="A=1\n")
    async with told(folder, watch=True) as seen:
        await seen.line("web.1", "A=1 B=")
        await seen.running("db.1", "down.1")
        await seen.control.stop("down")
        await seen.state("down.1", State.STOPPED)
        save(folder / ".env", "A=2\nB=3\n")
        await seen.pending(ConfigChange(variables=["A", "B"]))
        await seen.control.apply()
        await seen.state("web.1", State.RUNNING, outdated=True)
        await seen.state("db.1", State.RUNNING, outdated=True)
        assert not seen.instances["down.1"].outdated  # its next start is right anyway
        await seen.control.restart("all")
        await seen.line("web.1", "A=2 B=3", run=2)
        await seen.state("db.1", State.RUNNING, run=2, outdated=False)
        await seen.control.scale("web=2")
        await seen.line("web.2", "A=2 B=3")


async def test_a_mistake_in_the_files_is_told_and_changes_nothing(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": RUNS}, env="A=1\n")
    async with told(folder, watch=True) as seen:
        await seen.running("web.1", "db.1")
        for name, text, says in (
            ("Procfile", "web: exec sleep 50\nnonsense\n", "nonsense"),
            ("Procfile", "", "Procfile"),
            ("procdeck.toml", "[types.web]\nstop_timout = 1", "did you mean types.web.stop_timeout?"),
            ("procdeck.toml", "[types.web]\nafter = ['db']\n[types.db]\nafter = ['web']", "wait for each other"),
            (".env", "A=1\nnonsense\n", ".env:2"),
            ("app.json", "{", "app.json is not valid JSON"),
        ):
            path = folder / name
            before = path.read_text() if path.exists() else None
            save(path, text)
            change = await seen.pending_with(lambda change: change.error)
            assert says in (change.error or "")
            assert change == ConfigChange(error=change.error)
            with pytest.raises(ProcdeckError) as caught:
                await seen.control.apply()
            assert str(caught.value) == change.error
            assert (await seen.control.snapshot()).pending == change
            if before is None:
                path.unlink()
            else:
                save(path, before)
            await seen.pending(None)
        assert runs(seen) == {"web.1": 1, "db.1": 1}
        assert outdated(seen) == {"web.1": False, "db.1": False}
        # Mended and changed at once.
        save(folder / "Procfile", "nonsense")
        await seen.pending_with(lambda change: change.error)
        procfile(folder, web=RUNS, db=RUNS, new=RUNS)
        await seen.pending(ConfigChange(added=["new"]))
        await seen.control.apply()
        await seen.running("new.1")


async def test_a_file_that_the_settings_name_too_early_can_be_mended_by_asking(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo A=$A; exec sleep 50"})
    async with told(folder, watch=True) as seen:
        save(folder / "procdeck.toml", 'env_file = "dev.env"')
        change = await seen.pending_with(lambda change: change.error)
        assert "dev.env" in (change.error or "")
        save(folder / "dev.env", "A=1")
        await seen.control.apply()
        await seen.pending(None)
        await seen.state("web.1", State.RUNNING, outdated=True)
        save(folder / "dev.env", "A=2")  # and from now on it is watched
        await seen.pending(ConfigChange(variables=["A"]))


# How files are written ----------------------------------------------------------------------------------------------


async def test_files_are_seen_however_they_are_written(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS}, env="A=0\n")
    path = folder / ".env"
    async with told(folder, watch=True) as seen:

        def in_place(text: str) -> None:
            path.write_text(text)

        def by_rename(text: str) -> None:
            save(path, text)

        def with_backup(text: str) -> None:  # vim: the old one is moved away, a new one written
            path.replace(folder / ".env~")
            path.write_text(text)

        def anew(text: str) -> None:
            path.unlink()
            path.write_text(text)

        def from_elsewhere(text: str) -> None:  # git, and `mv` over file systems
            (folder / "other").mkdir(exist_ok=True)
            (folder / "other" / "env").write_text(text)
            (folder / "other" / "env").rename(path)

        def by_link(text: str) -> None:
            (folder / "linked").write_text(text)
            (folder / ".env.new").symlink_to("linked")
            (folder / ".env.new").replace(path)

        for number, way in enumerate((in_place, by_rename, with_backup, anew, from_elsewhere, by_link), 1):
            for value in (f"{number}a", f"{number}b"):  # the second time, the file is a new one
                way(f"A={value}\n")
                await seen.pending_with(lambda change: change.variables == ["A"])
                await seen.control.apply()
                await seen.pending(None)
                assert seen.engine.config.env["A"] == value


async def test_files_that_come_and_go(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS})
    async with told(folder, watch=True) as seen:
        (folder / ".env").write_text("A=1\n")
        await seen.pending(ConfigChange(variables=["A"]))
        (folder / "pyproject.toml").write_text("[tool.procdeck.types.web]\ntty = false\n")
        await seen.pending(ConfigChange(changed={"web": ["tty"]}, variables=["A"]))
        (folder / "procdeck.toml").write_text("[types.web]\nrestart = 'never'\n")  # which counts alone
        await seen.pending(ConfigChange(changed={"web": ["restart"]}, variables=["A"]))
        (folder / ".env").unlink()
        await seen.pending(ConfigChange(changed={"web": ["restart"]}))
        (folder / "procdeck.toml").unlink()
        await seen.pending(ConfigChange(changed={"web": ["tty"]}))
        (folder / "pyproject.toml").unlink()
        await seen.pending(None)
        (folder / "Procfile").unlink()
        assert "Procfile" in ((await seen.pending_with(lambda change: change.error)).error or "")
        procfile(folder, web=RUNS)
        await seen.pending(None)


async def test_files_beside_them_and_what_differs_in_nothing_are_not_told(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": RUNS}, env="A=1\n")
    async with told(folder, watch=True) as seen:
        await watches(seen, folder)
        so_far = len(seen.changes)
        (folder / "README.md").write_text("x")
        (folder / "Procfile.swp").write_text("x")
        (folder / "deep").mkdir()
        (folder / "deep" / "Procfile").write_text("deep: run\n")
        save(folder / ".env", "# a remark\n\nA='1'\n")
        procfile(folder, db=RUNS, web=RUNS)
        save(folder / "procdeck.toml", "[types.web]\nquantity = 5\n")
        save(folder / ".env", "A=1\nEND=1\n")
        await seen.pending(ConfigChange(variables=["END"]))
        assert len(seen.changes) == so_far + 1


@pytest.mark.parametrize("selected", [["web=exec sleep 50", "exec sleep 49"], ["true"]])
async def test_types_of_the_command_line_stay_what_they_are(app_dir: Apps, selected: list[str]) -> None:
    folder = app_dir(toml="[types.other]\ntty = false\n")
    async with told(folder, watch=True, selected=selected) as seen:
        (folder / ".env").write_text("A=1\n")
        await seen.pending(ConfigChange(variables=["A"]))
        assert seen.changes == [ConfigChange(variables=["A"])]
        await seen.control.apply()
        await seen.pending(None)


async def test_what_is_changed_before_the_watch_begins_is_seen(app_dir: Apps) -> None:
    """The formation's start comes first; a second later files are watched."""
    folder = app_dir({"web": RUNS})
    async with told(folder, watch=True) as seen:
        procfile(folder, web=RUNS, new=RUNS)  # no turn of the loop has passed since it was started
        await seen.pending(ConfigChange(added=["new"]))


@pytest.mark.parametrize("way", ["link", "dots", "elsewhere", "named"])
async def test_files_are_found_by_whatever_way_they_were_named(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    folder = app_dir({"web": RUNS}, files={"Procfile.dev": f"web: {RUNS}\n", "dev.env": "A=1"})
    other = app_dir(name="other")
    (other / "link").symlink_to(folder)
    monkeypatch.chdir(other)
    root, options = {
        "link": (other / "link", {}),
        "dots": (None, {"procfile": "../app/Procfile", "env_files": "../app/dev.env"}),
        "elsewhere": (None, {"procfile": "link/Procfile.dev", "env_files": "link/dev.env"}),
        "named": (folder, {"procfile": str(folder / "Procfile.dev"), "env_files": "link/../dev.env,../app/dev.env"}),
    }[way]
    if way == "named":
        (folder.parent / "dev.env").write_text("A=0")  # where the link's `..` leads
    name = Path(str(options.get("procfile", "Procfile"))).name
    async with told(root, watch=True, **options) as seen:  # type: ignore[arg-type]
        save(folder / name, "web: exec sleep 49\n")
        await seen.pending(ConfigChange(changed={"web": ["command"]}))
        if "env_files" in options:
            save(folder / "dev.env", "A=2\n")
            await seen.pending(ConfigChange(changed={"web": ["command"]}, variables=["A"]))


# Types that go and come ---------------------------------------------------------------------------------------------


async def test_what_was_removed_stops_in_its_time_and_is_forgotten_then(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": SLOW}, toml="[types.old]\nstop_timeout = 600")
    async with told(folder, watch=True, formation="old=2") as seen:
        for n in (1, 2):
            await seen.line(f"old.{n}", "up")
        save(folder / "procdeck.toml", "")
        procfile(folder, web=RUNS)
        await seen.pending(ConfigChange(removed=["old"]))
        await seen.control.apply()
        for n in (1, 2):
            await seen.state(f"old.{n}", State.STOPPING, removing=True)
        await seen.until(lambda: seen.wanted.get("old") == 0, "old to be wanted no more")
        await seen.control.restart("all")  # what is on its way out is not called back
        await seen.control.start("old")
        await seen.state("web.1", State.RUNNING, run=2)
        assert seen.instances["old.1"].removing
        assert seen.removed == []
        (folder / "go").touch()
        await seen.gone("old.1")
        await seen.gone("old.2")
        await seen.until(lambda: seen.removed == ["old"], "old to be forgotten")
        assert (await seen.log("old.1"))[0].data == b"up"  # its log stays readable
        assert runs(seen) == {"web.1": 2}


async def test_a_type_without_instances_is_forgotten_at_once(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": RUNS})
    async with told(folder, watch=True, formation="old=0") as seen:
        procfile(folder, web=RUNS)
        await seen.pending(ConfigChange(removed=["old"]))
        await seen.control.apply()
        await seen.until(lambda: seen.removed == ["old"], "old to be forgotten")


async def test_what_the_command_line_says_of_removed_types_is_passed_over(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": RUNS, "db": RUNS})
    async with told(folder, watch=True, formation="web=2 old=2", selected=["web", "old"]) as seen:
        await seen.running("web.2", "old.2")
        procfile(folder, web=RUNS, db=RUNS, new=RUNS)
        await seen.pending(ConfigChange(added=["new"], removed=["old"]))
        await seen.control.apply()
        await seen.gone("old.1")
        await seen.gone("old.2")
        await seen.until(lambda: "new" in seen.wanted, "new")
        assert seen.wanted == {"web": 2, "db": 0, "new": 0}  # those that were asked for, and no others


async def test_a_type_that_comes_back_while_it_is_leaving_stays(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "old": SLOW, "db": RUNS}, toml="stop_timeout = 600")
    base = free_base()
    async with told(folder, watch=True, port=base, formation="old=3") as seen:
        for n in (1, 2, 3):
            await seen.line(f"old.{n}", "up")
        procfile(folder, web=RUNS, db=RUNS)
        await seen.pending(ConfigChange(removed=["old"]))
        await seen.control.apply()
        await seen.state("old.1", State.STOPPING, removing=True)
        save(folder / "procdeck.toml", "stop_timeout = 600\n[types.old]\nquantity = 2")
        procfile(folder, web=RUNS, db=RUNS, old="echo anew; exec sleep 50")
        await seen.pending_with(lambda change: change.added == ["old"])
        await seen.control.apply()
        wanted = await seen.until(lambda: seen.wanted.get("old"), "old to be wanted")
        assert wanted == 3  # the command line's word counts more than the settings'
        await seen.state("old.1", State.STOPPING, removing=False)
        (folder / "go").touch()
        for n in (1, 2, 3):
            await seen.line(f"old.{n}", "anew", run=2)  # by its new command
            view = await seen.state(f"old.{n}", State.RUNNING, run=2, outdated=False)
            assert view.port == base + 100 + n - 1
        await seen.control.scale("old=0")
        for n in (1, 2, 3):
            await seen.gone(f"old.{n}")
        assert seen.removed == []
        await seen.control.scale("old=1")
        await seen.running("old.1")


async def test_a_type_that_comes_back_after_it_has_left(app_dir: Apps) -> None:
    base = free_base()
    folder = app_dir({"web": "echo one; exec sleep 50", "db": RUNS})
    async with told(folder, watch=True, port=base) as seen:
        await seen.line("web.1", "one")
        procfile(folder, www="echo two; exec sleep 50", db=RUNS)
        await seen.pending(ConfigChange(added=["www"], removed=["web"]))
        await seen.control.apply()
        await seen.line("www.1", "two")
        assert seen.instances["www.1"].port == base + 200
        await seen.until(lambda: seen.removed == ["web"], "web to be forgotten")
        procfile(folder, web="echo three; exec sleep 50", db=RUNS)
        await seen.pending(ConfigChange(added=["web"], removed=["www"]))
        await seen.control.apply()
        await seen.line("web.1", "three")
        assert seen.instances["web.1"].port == base  # as at the start: its place was free
        await seen.until(lambda: seen.removed == ["web", "www"], "www to be forgotten")
        assert [line.data for line in await seen.log("web.1")] == [b"one", b"", b"three"]
        assert seen.instances["db.1"].run == 1


async def test_ports_stay_unique_and_running_instances_keep_theirs(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": RUNS})
    base = free_base()
    async with told(folder, watch=True, port=base, formation="web=2,db=2") as seen:
        await seen.running("web.2", "db.2")
        before = {name: view.port for name, view in seen.instances.items()}
        # In the file, every place is another's now.
        for names in (["a", "db", "b", "web"], ["c", "web", "d", "b", "db"], ["db", "e", "web", "a"]):
            procfile(folder, **dict.fromkeys(names, RUNS))
            await seen.pending_with(lambda change: change.added)
            await seen.control.apply()
            await seen.until(lambda names=names: sorted(seen.wanted) == sorted(names), f"{names}")  # type: ignore[misc]
            await seen.control.scale(" ".join(f"{name}=2" for name in names))
            for name in names:
                await seen.running(f"{name}.1", f"{name}.2")
            ports = {name: view.port for name, view in seen.instances.items()}
            assert len(set(ports.values())) == 2 * len(names), ports
            assert {name: ports[name] for name in before} == before
            assert {view.run for view in seen.instances.values()} == {1}
            assert min(ports.values()) >= base
        order = [type_.name for type_ in (await seen.control.snapshot()).types]
        assert sorted(order) == sorted(["db", "e", "web", "a"])


async def test_order_follows_the_files(app_dir: Apps) -> None:
    """A dependency that is added counts from the next start on."""
    folder = app_dir({"web": RUNS, "db": RUNS})
    async with told(folder, watch=True) as seen:
        await seen.running("web.1", "db.1")
        save(folder / "procdeck.toml", "[types.web]\nafter = ['cache']\n[types.cache]\nready = { log = 'up' }\n")
        procfile(folder, web=RUNS, db=RUNS, cache="while [ ! -e up ]; do sleep 0.02; done; echo up; exec sleep 50")
        await seen.pending_with(lambda change: change.added == ["cache"] and change.changed == {"web": ["after"]})
        await seen.control.apply()
        await seen.running("cache.1")
        await seen.control.scale("web=2")
        await seen.state("web.2", State.STARTING, note="waits for cache")
        assert seen.instances["web.1"].state is State.RUNNING
        save(folder / "procdeck.toml", "")
        procfile(folder, web=RUNS, db=RUNS)
        await seen.pending_with(lambda change: change.removed == ["cache"])
        await seen.control.apply()
        await seen.running("web.2")
        await seen.until(lambda: seen.removed == ["cache"], "cache to be forgotten")


# At once ------------------------------------------------------------------------------------------------------------


async def test_with_reload_a_change_is_applied_at_once(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo one $A; exec sleep 50", "db": RUNS, "old": SLOW, "off": RUNS}, env="A=1\n")
    async with told(folder, watch=True, reload=True) as seen:
        await seen.line("web.1", "one 1")
        await seen.line("old.1", "up")
        await seen.control.stop("off")
        await seen.state("off.1", State.STOPPED)
        procfile(folder, web="echo two $A; exec sleep 50", db=RUNS, old=SLOW, off=RUNS)
        await seen.line("web.1", "two 1", run=2)
        assert runs(seen) == {"db.1": 1, "off.1": 1, "old.1": 1, "web.1": 2}
        # Everything at once: what was removed goes although the environment has changed too.
        save(folder / ".env", "A=2\n")
        procfile(folder, web="echo three $A; exec sleep 50", db=RUNS, new=RUNS, off=RUNS)
        await seen.line("web.1", "three 2", run=3)
        await seen.running("new.1")
        await seen.state("db.1", State.RUNNING, run=2)
        (folder / "go").touch()
        await seen.gone("old.1")
        assert seen.instances["off.1"].state is State.STOPPED
        assert (await seen.control.snapshot()).pending is None


async def test_with_reload_a_mistake_changes_nothing_until_it_is_mended(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS})
    async with told(folder, watch=True, reload=True) as seen:
        await seen.running("web.1")
        save(folder / "Procfile", "web exec sleep\n")
        await seen.pending_with(lambda change: change.error)
        assert runs(seen) == {"web.1": 1}
        procfile(folder, web="exec sleep 49")
        await seen.state("web.1", State.RUNNING, run=2)
        await seen.pending(None)


# Files of a type ----------------------------------------------------------------------------------------------------

WATCH = "[types.web]\nwatch = ['src/**/*.py', '*.html']\n[types.api]\nwatch = ['src/[!.]*']\n[types.db]\n"


async def test_saving_a_file_restarts_the_types_that_watch_it(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": RUNS, "api": RUNS, "db": RUNS}, toml=WATCH, files={"src/a.py": "1", "page.html": "1", "src/b/c.py": "1"}
    )
    async with told(folder, watch=True, formation="web=2") as seen:
        await seen.running("web.1", "web.2", "api.1", "db.1")
        await watches(seen, folder)
        save(folder / "src" / "a.py", "2")
        for name in ("web.1", "web.2", "api.1"):
            await seen.state(name, State.RUNNING, run=2)
        await seen.notice("src/a.py was saved: web restarts.")
        await seen.notice("src/a.py was saved: api restarts.")
        (folder / "templates" / "deep").mkdir(parents=True)
        save(folder / "templates" / "deep" / "new.html", "1")  # a new file in a new folder
        await seen.state("web.1", State.RUNNING, run=3)
        (folder / "src" / "b" / "c.py").unlink()
        await seen.state("web.1", State.RUNNING, run=4)
        save(folder / "src" / "a.txt", "1")
        await seen.notice("src/a.txt was saved: api restarts.")
        await seen.state("api.1", State.RUNNING, run=3)
        assert runs(seen) == {"api.1": 3, "db.1": 1, "web.1": 4, "web.2": 4}
        assert all(view.crashes == 0 for view in seen.instances.values())


async def test_what_tools_write_is_passed_over(app_dir: Apps) -> None:
    patterns = ["**/*.py", "**/*.pyc", "**/*~", "**/.*.swp"]
    folder = app_dir({"web": RUNS}, toml=f"[types.web]\nwatch = {patterns}\n", files={"src/a.py": "1"})
    ignored = [".git", "node_modules", "__pycache__", ".venv", ".mypy_cache", "src/__pycache__", "src/node_modules/x"]
    for name in ignored:
        (folder / name).mkdir(parents=True)
    async with told(folder, watch=True) as seen:
        await watches(seen, folder)
        for name in ignored:
            save(folder / name / "file.py", "1")
        (folder / "src" / "a.pyc").write_text("1")
        (folder / "src" / ".a.py.swp").write_text("1")
        (folder / "src" / "a.py~").write_text("1")
        shutil.copy(folder / "src" / "a.py", folder / "src" / "b.py")
        notice = await seen.notice("src/b.py was saved")
        await seen.state("web.1", State.RUNNING, run=2)
        assert seen.notices == [notice]


async def test_many_files_saved_at_once_are_one_restart(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS}, toml="[types.web]\nwatch = ['src/']\n", files={"src/a": "1"})
    async with told(folder, watch=True) as seen:
        await watches(seen, folder)
        for n in range(200):
            (folder / "src" / f"{n}.py").write_text("1")
        await seen.state("web.1", State.RUNNING, run=2)
        await seen.state("web.1", State.RUNNING)
        assert seen.instances["web.1"].run <= len(seen.notices) + 1 < 20  # 200 files take a moment to write


@pytest.mark.usefixtures("hasty")
async def test_saving_starts_what_crashed_or_ended_and_not_what_is_down_or_held(app_dir: Apps) -> None:
    names = ["stopped", "crashed", "ended", "held", "leaving"]
    folder = app_dir(
        {
            "stopped": RUNS,
            "crashed": "test -e mended || exit 3; exec sleep 50",
            "ended": "exit 0",
            "held": "exit 3",
            "leaving": SLOW,
            "web": RUNS,
        },
        toml="stop_timeout = 600\n" + "".join(f"[types.{name}]\nwatch = ['src/*']\n" for name in names),
        files={"src/a": "1"},
    )
    async with told(folder, watch=True) as seen:
        await watches(seen, folder)
        await seen.line("leaving.1", "up")
        await seen.control.scale("leaving=0")
        await seen.state("leaving.1", State.STOPPING)
        await seen.control.stop("stopped")
        await seen.state("stopped.1", State.STOPPED)
        await seen.state("held.1", State.BACKOFF)
        await seen.control.hold("held")
        held = await seen.state("held.1", State.CRASHED, held=True)
        await seen.state("ended.1", State.EXITED)
        crashed = await seen.state("crashed.1", State.BACKOFF)
        (folder / "mended").touch()
        save(folder / "src" / "a", "2")
        await seen.notice("ended restarts")
        await seen.state("ended.1", State.EXITED, run=2)
        await seen.state("crashed.1", State.RUNNING, run=crashed.run)
        (folder / "go").touch()
        await seen.gone("leaving.1")
        assert runs(seen)["stopped.1"] == runs(seen)["web.1"] == 1
        assert (seen.instances["held.1"].run, seen.instances["held.1"].held) == (held.run, True)
        told_of = {notice.text for notice in seen.notices}
        assert {text.split(": ")[1] for text in told_of if "saved" in text} <= {"ended restarts.", "crashed restarts."}


async def test_patterns_follow_the_settings(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS}, toml="", files={"src/a.py": "1", "lib/a.py": "1"})
    async with told(folder, watch=True) as seen:
        await seen.running("web.1")
        for pattern, saved, run in (("src/*", "src/a.py", 2), ("lib/*", "lib/a.py", 3)):
            save(folder / "procdeck.toml", f"[types.web]\nwatch = ['{pattern}']\n")
            await seen.pending(ConfigChange(changed={"web": ["watch"]}))
            await seen.control.apply()
            await watches(seen, folder)
            save(folder / saved, str(run))
            await seen.state("web.1", State.RUNNING, run=run)
        save(folder / "procdeck.toml", "")
        await seen.pending(ConfigChange(changed={"web": ["watch"]}))
        await seen.control.apply()
        await watches(seen, folder)
        for name in ("src/a.py", "lib/a.py"):
            save(folder / name, "4")
        await watches(seen, folder)
        assert runs(seen) == {"web.1": 3}


async def test_nothing_is_watched_unless_it_is_asked_for_and_nothing_after_the_end(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS}, toml="[types.web]\nwatch = ['*.py']\n")
    async with told(folder) as seen:
        procfile(folder, web="exec sleep 49")
        save(folder / "a.py", "1")
        await seen.until(lambda: len(seen.samples) > 0, "a sample")
        assert seen.changes == []
        assert (await seen.control.apply()).names == []
        assert runs(seen) == {"web.1": 1}
    async with told(folder, watch=True) as seen:
        await watches(seen, folder)
        await seen.control.down()
        await seen.all_down()
        with pytest.raises(ProcdeckError, match="being stopped"):
            await seen.control.apply()
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "an end of the watching")


async def test_what_holds_for_a_running_instance_too_makes_it_not_outdated(app_dir: Apps) -> None:
    folder = app_dir({"web": "trap '' TERM; while :; do sleep 0.05; done"})
    async with told(folder, watch=True) as seen:
        await seen.running("web.1")
        save(folder / "procdeck.toml", "[types.web]\nstop_timeout = 0.1\n")
        await seen.pending(ConfigChange(changed={"web": ["stop_timeout"]}))
        await seen.control.apply()
        await seen.pending(None)
        assert outdated(seen) == {"web.1": False}
        await seen.control.stop("web.1")
        view = await seen.state("web.1", State.STOPPED)
        assert view.last_uptime is not None
        assert view.stop_timeout == 0.1
