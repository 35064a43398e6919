"""Each way to be ready, with real servers and programs: what makes an instance ready, what does not, what ends it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from procdeck.core import readiness
from procdeck.core.state import State
from tests.engine.support import eventually, free_base
from tests.engine.told import Told, told
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import with_variable

_SERVER = """\
import socket

host, answer = sys.argv[1], sys.argv[2]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
while os.path.exists("closed"):
    time.sleep(0.02)
with socket.create_server((host, int(os.environ["PORT"])), family=family) as server:
    say("open")
    server.settimeout(0.02)
    held = []
    while not os.path.exists("closed"):
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        held.append(client)
        client.settimeout(1)
        try:
            path = client.recv(1 << 16).decode().split()[1]
        except (OSError, IndexError):
            continue
        answered = answer
        if answer == "by file":
            answered = open("status").read() if path == "/health?deep=1" else "404"
        say(f"{path} {answered}")
        if answered != "never":
            client.sendall(f"HTTP/1.1 {answered} Words\\r\\nConnection: close\\r\\n\\r\\nbody".encode())
            client.close()
for client in held:
    client.close()
say("closed")
time.sleep(50)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, hasty: None) -> None:
    """What is not ready is asked again after 0.1 s, what is after 0.2 s, and a request or a command has 1.5 s."""
    monkeypatch.setattr(readiness, "PROBE_INTERVAL", 0.1)
    monkeypatch.setattr(readiness, "CALM_INTERVAL", 0.2)
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT", 1.5)


def server(folder: Path, answer: str, host: str = "127.0.0.1") -> str:
    """Answers with a status, or as the file `status` says, or never. Closes its port when the file `closed` comes."""
    return "exec " + programs.script(folder, "server", _SERVER, host, answer)


def ready(check: str, name: str = "web") -> str:
    return f"[types.{name}]\nready = {check}\n"


async def looks(seen: Told, count: int = 3) -> None:
    """Waits for further samples, with each of which readiness is asked for."""
    so_far = len(seen.samples)
    await seen.until(lambda: len(seen.samples) >= so_far + count, "samples")


# Started ------------------------------------------------------------------------------------------------------------


async def test_started_is_ready_by_running_and_no_longer_than_that(app_dir: Apps, tmp_path: Path) -> None:
    web = f"exec {programs.sleeper(tmp_path)}"
    async with told(
        app_dir({"web": web, "job": "exit 0"}, toml=ready('"started"') + ready('"started"', "job"))
    ) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        await seen.state("job.1", State.EXITED, ready=False)
        await seen.control.stop("web")
        await seen.state("web.1", State.STOPPED, ready=False)


# HTTP ---------------------------------------------------------------------------------------------------------------


async def test_http_is_ready_while_it_answers_well(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": server(tmp_path, "by file")}, toml=ready('{ http = "/health?deep=1" }'))
    status = folder / "status"
    for bad, good in (("500", "200"), ("404", "302")):
        status.write_text(bad)
        async with told(folder, port=free_base()) as seen:
            await seen.line("web.1", f"/health?deep=1 {bad}")
            await looks(seen)
            assert not seen.instances["web.1"].ready  # although its port listens
            status.write_text(good)
            await seen.state("web.1", State.RUNNING, ready=True)
            status.write_text(bad)
            await seen.state("web.1", State.RUNNING, ready=False)
            status.write_text(good)
            await seen.state("web.1", State.RUNNING, ready=True)


async def test_http_ends_with_the_port_and_is_asked_anew_in_every_run(
    app_dir: Apps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = app_dir({"web": server(tmp_path, "200")}, toml=ready('{ http = "/" }'))
    async with told(folder, port=free_base()) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        (folder / "closed").touch()
        await seen.line("web.1", "closed")
        await seen.state("web.1", State.RUNNING, ready=False)
        (folder / "closed").unlink()
        # The last run's answer counts for long, and says nothing of the next run.
        monkeypatch.setattr(readiness, "CALM_INTERVAL", 3600.0)
        await seen.control.restart("web")
        await seen.state("web.1", State.RUNNING, run=2, ready=True)
        await looks(seen)  # so it has been asked as one that is ready
        await seen.control.restart("web")
        await seen.state("web.1", State.RUNNING, run=3, ready=True)


async def test_a_server_that_never_answers_is_not_ready_and_holds_up_nobody(
    app_dir: Apps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT", 3600.0)
    folder = app_dir(
        {"mute": server(tmp_path, "never"), "web": server(tmp_path, "200")},
        toml=ready('{ http = "/" }', "mute") + ready('{ http = "/" }'),
    )
    async with told(folder, port=free_base()) as seen:
        await seen.line("mute.1", "/ never")
        await seen.state("web.1", State.RUNNING, ready=True)
        await looks(seen)
        assert not seen.instances["mute.1"].ready
        await seen.control.down()  # nor does the request hold up the end
        await seen.all_down()


async def test_a_request_of_the_last_run_that_hangs_does_not_hold_up_the_next(
    app_dir: Apps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT", 3600.0)
    folder = app_dir({"web": server(tmp_path, "by file")}, toml=ready('{ http = "/health?deep=1" }'))
    (folder / "status").write_text("never")
    async with told(folder, port=free_base()) as seen:
        await seen.line("web.1", "never")
        (folder / "status").write_text("200")
        await seen.control.restart("web")
        await seen.state("web.1", State.RUNNING, run=2, ready=True)


async def test_what_answers_no_http_is_not_ready(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
import socket

with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    for answer in (b"", b"\\xff\\n", b"SSH-2.0-x\\r\\n", b"x" * 200_000, b"HTTP/1.1\\r\\n", b"HTTP/1.1 OK 200\\r\\n"):
        client, _ = server.accept()
        client.recv(1)
        try:
            client.sendall(answer)
        except OSError:
            pass
        client.close()
    say("all of them")
    client, _ = server.accept()
    client.recv(1)
    client.sendall(b"HTTP/1.0 200\\n\\n")
    client.close()
time.sleep(50)
"""
    folder = app_dir({"web": programs.script(tmp_path, "odd", text)}, toml=ready('{ http = "/" }'))
    async with told(folder, port=free_base()) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        await seen.line("web.1", "all of them")


async def test_http_on_ipv6_alone(app_dir: Apps, tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    folder = app_dir({"web": server(tmp_path, "200", "::1")}, toml=ready('{ http = "/" }'))
    async with told(folder, port=free_base()) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        (folder / "closed").touch()
        await seen.state("web.1", State.RUNNING, ready=False)


# A line of the log --------------------------------------------------------------------------------------------------


async def test_a_line_is_matched_as_it_is_seen_when_it_is_whole(app_dir: Apps, tmp_path: Path) -> None:
    r"""It comes in pieces, with colours: `\x1b[1mListening\x1b[0m on po` … `rt 5000`."""
    text = """\
def wait(name):
    while not os.path.exists(name):
        time.sleep(0.02)

say("not listening on port 1")
os.write(1, b"\\x1b[1mListe\\x1b[32mning\\x1b[0m on po")
wait("go on")
os.write(1, b"rt 5")
time.sleep(50)
"""
    folder = app_dir(
        {"web": programs.script(tmp_path, "splits", text)}, toml=ready("{ log = '^Listening on port \\d+$' }")
    )
    async with told(folder) as seen:
        await seen.line("web.1", "on po")
        await looks(seen)
        assert not seen.instances["web.1"].ready
        (folder / "go on").touch()
        await seen.state("web.1", State.RUNNING, ready=True)
        await looks(seen)
        assert seen.instances["web.1"].ready


async def test_the_line_of_an_earlier_run_does_not_count(app_dir: Apps) -> None:
    web = "test -e quiet || printf 'ready, no newline'; while [ ! -e loud ]; do sleep 0.05; done; echo ready; read x"
    folder = app_dir({"web": web}, toml=ready("{ log = 'ready' }"))
    async with told(folder) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        (folder / "quiet").touch()
        await seen.control.restart("web")
        await seen.state("web.1", State.RUNNING, run=2)
        await looks(seen)
        assert not seen.instances["web.1"].ready
        (folder / "loud").touch()
        await seen.state("web.1", State.RUNNING, run=2, ready=True)


async def test_a_line_among_a_flood_is_found(app_dir: Apps, tmp_path: Path) -> None:
    """Also one that is long past when the log is looked at, and while an instance beside it says nothing."""
    text = """\
import itertools

for n in itertools.count():
    os.write(1, b"line %d\\n" % n * 50)
    if n == 2000:
        say("serving now")
        break
for n in range(20_000):
    os.write(1, b"later %d\\n" % n)
say("end")
time.sleep(50)
"""
    folder = app_dir(
        {"web": programs.script(tmp_path, "talks", text), "other": "exec sleep 50"},
        toml=ready("{ log = 'serving now' }") + ready("{ log = '.' }", "other"),
    )
    async with told(folder) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        assert not seen.instances["other.1"].ready


async def test_a_pattern_that_takes_too_long_on_a_line_does_not_keep_others_from_being_ready(app_dir: Apps) -> None:
    evil = f"echo {'a' * 60}!; exec sleep 50"
    folder = app_dir(
        {"evil": evil, "web": "exec sleep 50"},
        toml=ready("{ log = '(?:a|aa)+$' }", "evil") + ready('"started"'),
    )
    async with told(folder) as seen:
        await seen.line("evil.1", "aaa")
        await seen.state("web.1", State.RUNNING, ready=True)
        await looks(seen, 5)
        assert seen.instances["evil.1"].state is State.RUNNING
        assert not seen.instances["evil.1"].ready


# A command ----------------------------------------------------------------------------------------------------------


async def test_a_command_is_asked_in_the_instances_environment_and_folder(app_dir: Apps) -> None:
    """What it prints goes nowhere: neither a closed nor a full pipe is in its way."""
    check = (
        'pwd && head -c 300000 /dev/zero && echo told "$PORT $PS $FROM_DOTENV $OWN" >> asked && '
        "test -e good && env | grep PROCDECK_RUN"
    )
    folder = app_dir(
        {"web": "exec sleep 50"},
        env="FROM_DOTENV=1",
        toml=f"[types.web]\nready.command = '{check}'\ncwd = 'below'\nenv.OWN = '2'",
        files={"below/file": ""},
    )
    base = free_base()
    async with told(folder, port=base, formation="web=2") as seen:
        asked = folder / "below" / "asked"
        for n in (1, 2):
            line = f"told {base + n - 1} web.{n} 1 2\n"
            await eventually(lambda line=line: asked.exists() and line in asked.read_text())  # type: ignore[misc]
        await looks(seen)
        assert not any(view.ready for view in seen.instances.values())
        (folder / "below" / "good").touch()
        for n in (1, 2):
            await seen.state(f"web.{n}", State.RUNNING, ready=True)
        (folder / "below" / "good").unlink()
        for n in (1, 2):
            await seen.state(f"web.{n}", State.RUNNING, ready=False)
        assert [line.data for line in await seen.log("web.1")] == []


async def test_a_command_that_hangs_is_killed_whole_and_there_is_never_more_than_one(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT", 0.5)
    check = "echo begun $$ >> asked; trap '' TERM HUP; sleep 49 & sleep 49"
    folder = app_dir({"web": "exec sleep 50"}, toml=f'[types.web]\nready.command = "{check}"')
    asked = folder / "asked"

    def processes() -> list[str]:
        return [proc.command for proc in with_variable("PS", "web.1") if proc.command == "sleep 49"]

    async with told(folder) as seen:
        most = 0
        for count in (1, 2, 3):  # it is asked again, after each has been killed
            await eventually(lambda count=count: asked.exists() and asked.read_text().count("begun") == count)  # type: ignore[misc]
            most = max(most, len(processes()))
        assert most <= 2  # of one command
        assert not seen.instances["web.1"].ready
        await seen.control.stop("web")
        await seen.state("web.1", State.STOPPED)
        await eventually(lambda: processes() == [], "nothing left of the commands")


async def test_a_command_leaves_nothing_in_the_background(app_dir: Apps) -> None:
    folder = app_dir({"web": "exec sleep 50"}, toml="[types.web]\nready.command = 'sleep 48 & echo >> asked'")
    async with told(folder) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        await eventually(lambda: (folder / "asked").read_text().count("\n") >= 4)
        await eventually(lambda: [p for p in with_variable("PS", "web.1") if p.command == "sleep 48"] == [])


async def test_a_command_is_no_process_of_its_instance(app_dir: Apps) -> None:
    """Neither counted, nor sampled, nor taken for a daemon; and going down does not wait for it."""
    check = "echo >> asked; sleep 47"
    folder = app_dir({"web": "exec sleep 50"}, toml=f"[types.web]\nready.command = '{check}'")
    async with told(folder) as seen:
        await eventually((folder / "asked").exists)
        await looks(seen, 4)
        assert {sample["web.1"].processes for sample in seen.samples if "web.1" in sample} == {1}
        assert seen.instances["web.1"].daemonised == 0
        assert (await seen.control.snapshot()).instances[0].daemonised == 0
        pid = seen.instances["web.1"].pid
        await seen.control.stop("web")
        view = await seen.state("web.1", State.STOPPED)
        assert pid is not None
        assert view.last_wanted
        await seen.control.down()
        await seen.all_down()
    await eventually(lambda: [p for p in with_variable("PS", "web.1") if p.command == "sleep 47"] == [])


async def test_a_command_that_cannot_be_is_not_ready(app_dir: Apps) -> None:
    folder = app_dir({"web": "exec sleep 50"}, toml="[types.web]\nready.command = 'exec /nonexistent/check'")
    async with told(folder) as seen:
        await seen.running("web.1")
        await looks(seen, 4)
        assert not seen.instances["web.1"].ready


# The port -----------------------------------------------------------------------------------------------------------


_CONNECTS = "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))"


@pytest.mark.parametrize(
    "check", ['"port"', '{ http = "/" }', f"""{{ command = '''{sys.executable} -SEc "{_CONNECTS}"''' }}"""]
)
async def test_ready_goes_when_the_port_closes_and_comes_back_with_it(
    app_dir: Apps, tmp_path: Path, check: str
) -> None:
    text = """\
import socket

for n in range(2):
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
        server.settimeout(0.02)
        while not os.path.exists(f"close {n}"):
            try:
                client, _ = server.accept()
                client.recv(1)
                client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
                client.close()
            except OSError:
                pass
    while not os.path.exists(f"open {n + 1}"):
        time.sleep(0.02)
"""
    folder = app_dir({"web": programs.script(tmp_path, "opens_twice", text)}, toml=ready(check))
    async with told(folder, port=free_base()) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        (folder / "close 0").touch()
        await seen.state("web.1", State.RUNNING, ready=False)
        (folder / "open 1").touch()
        await seen.state("web.1", State.RUNNING, ready=True)
