"""What changed in a project between two moments: as git tells it, without git, and on days when neither goes well."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core import filewalk, gitfiles, sources
from procdeck.core.changes import Change, Changes
from procdeck.core.sources import changed_files, changed_variables

from .support import eventually

LONG_AGO = 1_600_000_000.0
SINCE, UNTIL = LONG_AGO + 1_000, LONG_AGO + 2_000
AT = LONG_AGO + 1_500


def write(path: Path, text: str = "one\ntwo\n", *, at: float = LONG_AGO) -> Path:
    """A file that was saved at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))
    return path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=20)


def commit(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "all")


async def changes_in(root: Path, since: float = SINCE, until: float = UNTIL, *extra: Path) -> Changes:
    return await changed_files(root, since, until, extra=extra, limit=20)


def notes(changes: Changes) -> dict[str, str]:
    return {change.path: change.note for change in changes.changes}


# With git -----------------------------------------------------------------------------------------------------------


async def test_files_saved_in_between_are_told_newest_first_with_their_lines(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "a\nb\nc\n")
    write(tmp_path / "lib" / "queue.py", "a\n")
    write(tmp_path / "old.py")
    commit(tmp_path)
    write(tmp_path / "app.py", "a\nB\nc\nd\n", at=AT)
    write(tmp_path / "lib" / "queue.py", "", at=AT + 1)

    changes = await changes_in(tmp_path)

    assert changes.changes == [
        Change("lib/queue.py", AT + 1, added=0, removed=1),
        Change("app.py", AT, added=2, removed=1),
    ]
    assert (changes.total, changes.complete, changes.git) == (2, True, True)


async def test_only_the_time_between_counts(tmp_path: Path) -> None:
    write(tmp_path / "before.py", at=SINCE - 1)
    write(tmp_path / "at_the_start.py", at=SINCE)
    write(tmp_path / "at_the_end.py", at=UNTIL)
    write(tmp_path / "after.py", at=UNTIL + 1)
    commit(tmp_path)

    assert list(notes(await changes_in(tmp_path))) == ["at_the_end.py", "at_the_start.py"]


async def test_new_and_deleted_files_are_told_as_such(tmp_path: Path) -> None:
    write(tmp_path / "gone.py", "a\nb\n")
    write(tmp_path / "kept.py")
    commit(tmp_path)
    (tmp_path / "gone.py").unlink()
    os.utime(tmp_path, (AT, AT))
    write(tmp_path / "src" / "added.py", "a\n", at=AT)
    git(tmp_path, "add", "src")
    os.utime(tmp_path, (AT, AT))
    write(tmp_path / "src" / "fresh.py", "a\nb\nc", at=AT)

    changes = await changes_in(tmp_path)

    assert {change.path: change for change in changes.changes} == {
        "gone.py": Change("gone.py", AT, added=0, removed=2, note="deleted"),
        "src/added.py": Change("src/added.py", AT, added=1, removed=0, note="new file"),
        "src/fresh.py": Change("src/fresh.py", AT, added=3, note="untracked"),
    }


async def test_what_was_deleted_before_is_not_told(tmp_path: Path) -> None:
    write(tmp_path / "gone.py")
    commit(tmp_path)
    (tmp_path / "gone.py").unlink()
    os.utime(tmp_path, (LONG_AGO, LONG_AGO))

    assert (await changes_in(tmp_path)).changes == []


async def test_what_a_checkout_wrote_is_told_though_it_is_as_committed(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "a\n")
    write(tmp_path / "same.py")
    commit(tmp_path)
    git(tmp_path, "switch", "-q", "-c", "other")
    write(tmp_path / "app.py", "a\nb\n", at=AT)
    git(tmp_path, "commit", "-q", "-a", "-m", "other")
    began = time.time()
    git(tmp_path, "switch", "-q", "-")

    assert (await changes_in(tmp_path, began, time.time())).changes[0].note == "as in the last commit"


async def test_a_mode_that_was_taken_away_is_a_change(tmp_path: Path) -> None:
    script = write(tmp_path / "run.sh")
    script.chmod(0o755)
    commit(tmp_path)
    await asyncio.sleep(0.05)  # so that the commit is not in the lag that is allowed for
    began = time.time()
    script.chmod(0o644)

    assert notes(await changes_in(tmp_path, began, time.time() + 1)) == {"run.sh": "moved here, or its mode changed"}


async def test_what_git_ignores_is_left_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", ".env\n*.log\ncache/\n")
    commit(tmp_path)
    for name in (".env", "web.log", "cache/page.html"):
        write(tmp_path / name, at=AT)

    assert (await changes_in(tmp_path)).changes == []
    changes = await changes_in(tmp_path, SINCE, UNTIL, tmp_path / ".env", tmp_path / "procdeck.toml")
    assert changes.changes == [Change(".env", AT)]


async def test_the_environment_file_names_the_variables_that_changed(tmp_path: Path) -> None:
    env = write(tmp_path / ".env", "A=secret\n", at=AT)
    procfile = write(tmp_path / "Procfile", at=LONG_AGO)

    changes = await changed_files(
        tmp_path, SINCE, UNTIL, extra=[env, procfile], notes={env: "- QUEUE_URL", procfile: "± web"}
    )

    assert notes(changes) == {".env": "- QUEUE_URL"}


async def test_an_environment_file_that_is_gone_is_a_change_when_its_variables_are(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    os.utime(tmp_path, (AT, AT))

    changes = await changed_files(tmp_path, SINCE, UNTIL, extra=[env], notes={env: "- QUEUE_URL"})

    assert changes.changes == [Change(".env", AT, note="deleted, - QUEUE_URL")]


async def test_a_file_outside_of_the_project_is_told_with_its_whole_path(tmp_path: Path) -> None:
    shared = write(tmp_path / "shared.env", at=AT)
    root = tmp_path / "app"
    root.mkdir()

    assert list(notes(await changes_in(root, SINCE, UNTIL, shared, Path("../shared.env")))) == [str(shared)]


async def test_a_project_in_a_folder_of_a_repository_sees_its_own_files_only(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere.py")
    write(tmp_path / "api" / "app.py")
    commit(tmp_path)
    write(tmp_path / "elsewhere.py", "", at=AT)
    write(tmp_path / "api" / "app.py", "one\n", at=AT)

    assert (await changes_in(tmp_path / "api")).changes == [Change("app.py", AT, added=0, removed=1)]


async def test_a_project_reached_by_a_link_is_looked_at(tmp_path: Path) -> None:
    real = tmp_path / "real"
    write(real / "app.py")
    commit(real)
    write(real / "app.py", "one\n", at=AT)
    (tmp_path / "link").symlink_to(real)

    assert list(notes(await changes_in(tmp_path / "link", SINCE, UNTIL, real / "app.py"))) == ["app.py"]


async def test_the_newest_are_kept_and_the_rest_counted(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / f"{number}.py", at=AT + number)
    commit(tmp_path)

    changes = await changed_files(tmp_path, SINCE, UNTIL, most=3)

    assert list(notes(changes)) == ["19.py", "18.py", "17.py"]
    assert changes.total == 20


async def test_a_repository_without_a_commit_knows_no_lines(tmp_path: Path) -> None:
    write(tmp_path / "app.py", at=AT)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "app.py")

    changes = await changes_in(tmp_path)

    assert changes.changes == [Change("app.py", AT)]
    assert changes.git


async def test_a_binary_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\0\1")
    commit(tmp_path)
    for name in ("logo.png", "new.png"):
        (tmp_path / name).write_bytes(b"\0\1\n\2")
        os.utime(tmp_path / name, (AT, AT))

    assert (await changes_in(tmp_path)).changes == [Change("logo.png", AT), Change("new.png", AT, note="untracked")]


async def test_names_that_no_screen_can_show_are_escaped(tmp_path: Path) -> None:
    write(tmp_path / "keep.py")
    commit(tmp_path)
    for name in (b"caf\xe9.py", b"two\nlines.py", b"\x1b[2Jclear.py", "grün.py".encode(), b" -- :(top)*.py"):
        write(tmp_path / os.fsdecode(name), "a\n", at=AT)
    git(tmp_path, "add", "-A")

    changes = await changes_in(tmp_path)

    assert sorted(notes(changes)) == [
        " -- :(top)*.py",
        "\\x1b[2Jclear.py",
        "caf\\xe9.py",
        "grün.py",
        "two\\nlines.py",
    ]
    assert [change.added for change in changes.changes] == [1] * 5
    assert msgspec.json.decode(msgspec.json.encode(changes), type=Changes) == changes


async def test_a_variable_that_points_git_elsewhere_does_not_lead_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mine" / "app.py")
    commit(tmp_path / "mine")
    write(tmp_path / "mine" / "app.py", "one\n", at=AT)
    write(tmp_path / "other" / "x.py")
    commit(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))

    assert (await changes_in(tmp_path / "mine")).changes == [Change("app.py", AT, added=0, removed=1)]


async def test_git_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "app.py")
    commit(tmp_path)
    write(tmp_path / "app.py", "one\n", at=AT)  # the index does not know its new time, and would be refreshed
    index = (tmp_path / ".git" / "index").read_bytes()

    await changes_in(tmp_path)

    assert (tmp_path / ".git" / "index").read_bytes() == index


async def test_what_a_sparse_checkout_leaves_out_was_not_deleted(tmp_path: Path) -> None:
    write(tmp_path / "here" / "a.py")
    write(tmp_path / "there" / "b.py")
    commit(tmp_path)
    git(tmp_path, "sparse-checkout", "set", "here")
    for folder in (tmp_path, tmp_path / "here"):
        os.utime(folder, (AT, AT))

    assert (await changes_in(tmp_path)).changes == []


# Without git --------------------------------------------------------------------------------------------------------


async def test_without_git_the_tree_is_gone_through_but_for_the_folders_of_tools(tmp_path: Path) -> None:
    for name in (
        *("app.py", "src/deep/down.js"),
        *("node_modules/x/index.js", ".venv/lib/a.py", "my-env/lib/b.py", "target/debug/x", "web.log", "data.sqlite3"),
        *("a/__pycache__/b.pyc", ".app.py.swp"),
    ):
        write(tmp_path / name, at=AT)
    write(tmp_path / "my-env" / "pyvenv.cfg", at=AT)

    changes = await changes_in(tmp_path)

    assert sorted(notes(changes)) == ["app.py", "src/deep/down.js"]
    assert (changes.git, changes.complete) == (False, True)
    assert changes.changes[0] == Change("app.py", AT)


async def test_no_git_on_the_machine_is_like_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "app.py", at=AT)
    commit(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    changes = await changes_in(tmp_path)

    assert (list(notes(changes)), changes.git) == (["app.py"], False)


async def test_a_project_that_an_outer_repository_ignores_is_gone_through(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "*\n")
    commit(tmp_path)
    write(tmp_path / "work" / "app.py", at=AT)

    changes = await changes_in(tmp_path / "work")

    assert (list(notes(changes)), changes.git) == (["app.py"], False)


@pytest.mark.parametrize("with_git", [True, False])
async def test_links_are_not_followed_out_of_the_project(tmp_path: Path, with_git: bool) -> None:
    root = tmp_path / "app"
    write(root / "inside" / "a.py")
    write(root / "b.py")
    if with_git:
        commit(root)
    outside = tmp_path / "outside"
    write(outside / "a.py", "changed\n", at=AT)
    (root / "inside" / "a.py").unlink()
    (root / "inside").rmdir()
    (root / "inside").symlink_to(outside)
    (root / "loop").symlink_to(root)
    for folder in (root, outside):
        os.utime(folder, (LONG_AGO, LONG_AGO))

    assert (await changes_in(root)).changes == []


async def test_what_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    write(tmp_path / "app.py", at=AT)
    (tmp_path / "shut").mkdir()
    write(tmp_path / "shut" / "secret.py", at=AT)
    os.mkfifo(tmp_path / "pipe")
    os.utime(tmp_path / "pipe", (AT, AT))
    (tmp_path / "shut").chmod(0)
    try:
        seen = notes(await changes_in(tmp_path))
    finally:
        (tmp_path / "shut").chmod(0o755)

    assert "app.py" in seen and "pipe" not in seen
    assert os.geteuid() == 0 or list(seen) == ["app.py"]


async def test_a_folder_that_is_gone_has_no_changes(tmp_path: Path) -> None:
    assert (await changes_in(tmp_path / "gone", SINCE, UNTIL, Path("Procfile"))).changes == []


# Bounds -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that says one file and hangs, with a child that hangs too."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "git"
    script.write_text("#!/bin/sh\nprintf 'H app.py\\0H half'\nsleep 30 &\nsleep 30\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return tools


def hanging() -> list[int]:
    """What of the slow git is there still."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and {"30", "ls-files"} & set(child.cmdline()):
                found.append(child.pid)
    return found


async def test_a_git_that_hangs_is_ended_and_what_it_said_is_used(tmp_path: Path, slow_git: Path) -> None:
    root = tmp_path / "app"
    write(root / "app.py", at=AT)
    claimed: list[int] = []

    @contextlib.contextmanager
    def claim(pid: int) -> Iterator[None]:
        claimed.append(pid)
        yield
        claimed.remove(pid)

    changes = await changed_files(root, SINCE, UNTIL, limit=1.0, claim=claim)

    assert changes.changes == [Change("app.py", AT)]
    assert (changes.complete, changes.git) == (False, True)
    assert claimed == []
    eventually(lambda: not hanging())


async def test_a_look_that_is_given_up_ends_its_git(tmp_path: Path, slow_git: Path) -> None:
    look = asyncio.create_task(changed_files(tmp_path, SINCE, UNTIL, limit=30.0))
    await asyncio.to_thread(eventually, hanging)
    look.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await look
    await asyncio.to_thread(eventually, lambda: not hanging())


@pytest.mark.parametrize("with_git", [True, False])
async def test_a_huge_tree_is_given_up_in_time_with_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_git: bool
) -> None:
    for number in range(300):
        write(tmp_path / f"{number}.py", at=AT)
    if with_git:
        commit(tmp_path)
    looked = 0
    look = sources._look

    def counted(root: Path, path: str, rules: sources._Rules) -> Change | None:
        nonlocal looked
        looked += 1
        return look(root, path, rules)

    monkeypatch.setattr(sources, "_look", counted)
    monkeypatch.setattr(sources, "_BATCH", 50)

    changes = await changed_files(tmp_path, SINCE, UNTIL, limit=20.0, clock=lambda: 0.0 if looked < 120 else 19.0)

    assert not changes.complete
    assert 100 < changes.total < 200
    assert looked < 200


async def test_no_more_than_so_many_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filewalk, "MOST_FILES", 10)
    for number in range(8):
        write(tmp_path / f"{number}.py", at=AT)
    assert (await changes_in(tmp_path)).complete

    for number in range(8):
        write(tmp_path / "deep" / f"{number}.py", at=AT)
    changes = await changes_in(tmp_path)

    assert not changes.complete
    assert 8 <= changes.total <= 10


async def test_a_listing_that_is_too_long_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        write(tmp_path / f"{number:03}.py", at=AT)
    commit(tmp_path)
    monkeypatch.setattr(gitfiles, "MOST_BYTES", 200)
    read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: read(fd, min(size, 100)))

    changes = await changed_files(tmp_path, SINCE, UNTIL, limit=2.0)

    assert not changes.complete
    assert 0 < changes.total < 100


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    for number in range(3_000):
        (tmp_path / f"{number}.py").touch()
    commit(tmp_path)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await changes_in(tmp_path)
    turning.cancel()
    assert turns > 20


# Variables ----------------------------------------------------------------------------------------------------------


def test_variables_are_told_by_name_and_never_by_value() -> None:
    before = {"SAME": "s3cret", "GONE": "s3cret", "CHANGED": "s3cret-1"}
    after = {"SAME": "s3cret", "NEW": "s3cret", "CHANGED": "s3cret-2"}

    assert changed_variables(before, after) == ["± CHANGED", "- GONE", "+ NEW"]


names = st.dictionaries(st.text("ABC_", min_size=1, max_size=3), st.text(max_size=2))


@given(names, names)
def test_each_difference_is_told_once_and_turns_round_with_the_direction(
    before: dict[str, str], after: dict[str, str]
) -> None:
    told = changed_variables(before, after)
    turned = {"+": "-", "-": "+", "±": "±"}

    assert [line[2:] for line in told] == sorted({*before, *after} - (dict_items := _same(before, after)))
    assert changed_variables(after, before) == [turned[line[0]] + line[1:] for line in told]
    assert changed_variables(after, after) == [] and dict_items <= before.keys()


def _same(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name, value in before.items() if name in after and after[name] == value}
