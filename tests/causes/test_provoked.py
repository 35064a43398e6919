"""Each named cause, provoked for real and recognised: by the shells, Python, and what else is on the machine."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from procdeck.core.causes import CauseKind, name_cause
from procdeck.core.outofmemory import oom_kills
from tests.support.apps import write

from .support import cause_of, crash, need

K = CauseKind
PYTHON = shlex.quote(sys.executable)


@pytest.fixture
def held() -> Iterator[tuple[int, int]]:
    """A port that another process listens on, and that process's pid."""
    code = (
        "import signal, socket; signal.alarm(60); s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        process.kill()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that nobody listens on, and that nobody else will take meanwhile."""
    with contextlib.closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def script(folder: Path, text: str) -> str:
    """Writes app.py and returns the command that runs it."""
    write(folder / "app.py", text)
    return f"{PYTHON} app.py"


# Ports --------------------------------------------------------------------------------------------------------------

LISTEN = {
    "socket": "import os, socket; socket.create_server(('127.0.0.1', int(os.environ['PORT'])))",
    "http.server": "import os, http.server as h; h.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), None)",
    "asyncio": (
        "import asyncio, os\n"
        "async def main(): await asyncio.start_server(lambda r, w: None, '127.0.0.1', int(os.environ['PORT']))\n"
        "asyncio.run(main())"
    ),
}


@pytest.mark.parametrize("code", LISTEN.values(), ids=LISTEN.keys())
def test_a_port_that_another_process_holds(code: str, held: tuple[int, int], tmp_path: Path) -> None:
    port, pid = held
    facts = replace(crash(script(tmp_path, code), tmp_path, PORT=str(port)), port=port)

    cause = cause_of(facts)
    assert cause is not None and cause.kind is K.PORT_IN_USE
    assert cause.sentence.startswith(f"PORT {port} is in use by ")
    assert str(pid) in cause.sentence
    assert any("ddress already in use" in line for line in cause.evidence)


@pytest.mark.parametrize(
    "listen", ["server.listen({port}, '127.0.0.1')", "server.listen({{port: {port}, host: '127.0.0.1'}})"]
)
def test_a_port_that_node_cannot_have(listen: str, held: tuple[int, int], tmp_path: Path) -> None:
    need("node")
    port, pid = held
    write(tmp_path / "app.js", "const server = require('http').createServer();" + listen.format(port=port))

    cause = cause_of(crash("node app.js", tmp_path))
    assert cause is not None and cause.kind is K.PORT_IN_USE
    assert cause.sentence.startswith(f"Port {port} is in use by ") and str(pid) in cause.sentence
    assert cause.advice.startswith("let it listen on its PORT")


# Commands -----------------------------------------------------------------------------------------------------------

SHELLS = ["sh", "dash", "bash"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_that_is_not_there(shell: str, tmp_path: Path) -> None:
    need(shell)
    for command in (
        "nosuchcommand --port 1",
        "exec nosuchcommand",
        "set -e; nosuchcommand; echo on",
        "env nosuchcommand",
    ):
        facts = crash(f"{shell} -c {shlex.quote(command)}", tmp_path)

        cause = cause_of(facts)
        assert facts.exit.code == 127
        assert cause is not None, facts.words
        assert (cause.kind, cause.sentence) == (K.COMMAND_NOT_FOUND, "The command nosuchcommand was not found.")
        assert cause.evidence == facts.words


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_whose_interpreter_is_not_there(shell: str, tmp_path: Path) -> None:
    need(shell)
    write(tmp_path / "run", "#!/opt/nosuch/interpreter\n")
    write(tmp_path / "run-env", "#!/usr/bin/env nosuchinterpreter\n")
    (tmp_path / "run-dos").write_bytes(b"#!/bin/sh\r\necho hello\r\n")
    (tmp_path / "run-dos").chmod(0o755)

    found = {}
    for name in ("run", "run-env", "run-dos", "run-none"):
        cause = cause_of(crash(f"{shell} -c ./{name}", tmp_path))
        assert cause is not None, name
        found[name] = (cause.kind, cause.sentence)

    assert found == {
        "run": (K.INTERPRETER_NOT_FOUND, "The interpreter /opt/nosuch/interpreter that ./run asks for was not found."),
        "run-env": (K.INTERPRETER_NOT_FOUND, "The interpreter nosuchinterpreter that a script asks for was not found."),
        "run-dos": (
            K.INTERPRETER_NOT_FOUND,
            "The interpreter /bin/sh was not found, because ./run-dos has Windows line ends.",
        ),
        "run-none": (K.COMMAND_NOT_FOUND, "The command ./run-none was not found: there is no such file."),
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_may_not_be_run(shell: str, tmp_path: Path) -> None:
    need(shell)
    write(tmp_path / "run", "#!/bin/sh\n")
    (tmp_path / "run").chmod(0o644)
    facts = crash(f"{shell} -c ./run", tmp_path)

    cause = cause_of(facts)
    assert facts.exit.code == 126
    assert cause is not None and cause.kind is K.PERMISSION
    assert cause.sentence.startswith("./run may not be run") and cause.advice == "chmod +x ./run"


def test_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "server").write_bytes(b"\x7fELF for another machine")
    (tmp_path / "server").chmod(0o755)

    cause = cause_of(crash("./server", tmp_path))
    assert cause is not None
    assert (cause.kind, cause.sentence) == (
        K.INTERPRETER_NOT_FOUND,
        "./server is no program that this machine can run.",
    )


def test_a_command_that_a_program_cannot_run(tmp_path: Path) -> None:
    cause = cause_of(crash(script(tmp_path, "import subprocess; subprocess.run(['nosuchcommand'])"), tmp_path))

    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.COMMAND_NOT_FOUND, "The command nosuchcommand was not found.")


def test_a_command_that_node_cannot_run(tmp_path: Path) -> None:
    need("node")
    for code in (
        "require('child_process').spawn('nosuchcommand')",
        "require('child_process').execSync('nosuchcommand')",
    ):
        write(tmp_path / "app.js", code)
        cause = cause_of(crash("node app.js", tmp_path))
        assert cause is not None, code
        assert (cause.kind, cause.sentence) == (K.COMMAND_NOT_FOUND, "The command nosuchcommand was not found.")


# Modules, files, syntax ---------------------------------------------------------------------------------------------


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    for command in (script(tmp_path, "import nosuchmodule.part"), f"{PYTHON} -m nosuchmodule"):
        cause = cause_of(crash(command, tmp_path))
        assert cause is not None
        assert (cause.kind, cause.sentence) == (K.MODULE_NOT_FOUND, "The module nosuchmodule was not found.")


def test_a_package_that_node_does_not_have(tmp_path: Path) -> None:
    need("node")
    write(tmp_path / "app.js", "require('nosuchpackage')")
    write(tmp_path / "app.mjs", "import 'nosuchpackage'")
    for command in ("node app.js", "node app.mjs"):
        cause = cause_of(crash(command, tmp_path))
        assert cause is not None
        assert (cause.kind, cause.sentence) == (K.MODULE_NOT_FOUND, "The package nosuchpackage was not found.")


def test_programs_that_are_not_there(tmp_path: Path) -> None:
    for tool, name in {PYTHON: "nosuch.py", "node": "nosuch.js"}.items():
        if tool == "node":
            need("node")
        cause = cause_of(crash(f"{tool} {name}", tmp_path))
        assert cause is not None, name
        assert (cause.kind, cause.sentence) == (K.FILE_NOT_FOUND, f"{tmp_path / name} does not exist.")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for command in (script(tmp_path, "open('config.yml')"), "cat config.yml", ". ./config.yml"):
        cause = cause_of(crash(command, tmp_path))
        assert cause is not None, command
        assert cause.kind is K.FILE_NOT_FOUND and "config.yml does not exist." in cause.sentence


def test_a_file_that_does_not_parse(tmp_path: Path) -> None:
    cause = cause_of(crash(script(tmp_path, "x = 1\ndef main(:\n    pass\n"), tmp_path))

    assert cause is not None and cause.kind is K.SYNTAX_ERROR
    assert cause.sentence.startswith(f"{tmp_path / 'app.py'} does not parse: ")
    assert cause.sentence.endswith("(line 2).")


def test_a_file_that_node_cannot_parse(tmp_path: Path) -> None:
    need("node")
    write(tmp_path / "app.js", "const x = 1;\nfunction main( {\n")

    cause = cause_of(crash("node app.js", tmp_path))
    assert cause is not None and cause.kind is K.SYNTAX_ERROR
    assert cause.sentence.startswith(f"{tmp_path / 'app.js'} does not parse: ")


# Permission ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    for command in (script(tmp_path, "open('secret')"), "cat secret", "exec <secret"):
        cause = cause_of(crash(command, tmp_path))
        assert cause is not None, command
        assert (cause.kind, cause.sentence) == (K.PERMISSION, "It may not use secret.")


def test_a_file_that_even_root_may_not_write(tmp_path: Path) -> None:
    if not Path("/sys/kernel/vmcoreinfo").exists():
        pytest.skip("there is no file here that nobody may write")
    cause = cause_of(crash(script(tmp_path, "open('/sys/kernel/vmcoreinfo', 'w')"), tmp_path))

    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.PERMISSION, "It may not use /sys/kernel/vmcoreinfo.")


def test_a_server_that_root_may_not_run(tmp_path: Path) -> None:
    need("postgres")
    if os.geteuid() != 0:
        pytest.skip("only root is refused")

    cause = cause_of(crash("postgres -D data", tmp_path))
    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.PERMISSION, "PostgreSQL refuses to run as root.")


# Memory, files ------------------------------------------------------------------------------------------------------


def test_memory_that_python_cannot_get(tmp_path: Path) -> None:
    cause = cause_of(crash(script(tmp_path, "x = bytearray(1 << 60)"), tmp_path))

    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.OUT_OF_MEMORY, "It could not get the memory that it asked for.")


def test_a_heap_that_is_full(tmp_path: Path) -> None:
    need("node")
    write(tmp_path / "app.js", "const all = []; for (;;) all.push(new Array(1000).fill('x' + Math.random()))")

    cause = cause_of(crash("node --max-old-space-size=12 app.js", tmp_path))
    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.OUT_OF_MEMORY, "The JavaScript heap is full.")


def test_a_kill_with_the_kernels_count(tmp_path: Path) -> None:
    """The kill is real, what the kernel counted is made up."""
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    write(proc / "self" / "cgroup", "0::/deck\n")
    events = cgroups / "deck" / "memory.events"
    write(events, "max 4\noom 1\noom_kill 3\n")
    before = oom_kills(proc=proc, cgroups=cgroups)
    facts = crash("kill -9 $$", tmp_path)
    write(events, "max 9\noom 2\noom_kill 4\n")
    after = oom_kills(proc=proc, cgroups=cgroups)
    assert before is not None and after is not None

    counted = replace(facts, oom_kills=after - before, peak_memory=2 * 1024**3)
    cause = name_cause(counted)
    assert cause is not None and cause.kind is K.OUT_OF_MEMORY and cause.certain
    assert cause.sentence == "Killed by the kernel for want of memory: it held 2.0G at the end."
    by_hand = replace(facts, oom_kills=0, peak_memory=2 * 1024**2)
    assert name_cause(by_hand) is None


@pytest.mark.parametrize("how", ["signal", "shell"])
def test_a_limit_that_procdeck_kept(how: str, tmp_path: Path) -> None:
    """What the run held is made up, its end is real."""
    facts = crash("kill $$" if how == "signal" else "sh -c 'kill $$'; exit $?", tmp_path)
    facts = replace(
        facts,
        exit=replace(facts.exit, cause="memory limit of 300M passed (412M)"),
        memory_limit=300 * 1024**2,
        peak_memory=412 * 1024**2,
    )

    cause = cause_of(facts)
    assert cause is not None
    assert cause.sentence == "Ended because it passed its memory limit of 300M: it held 412M."


def test_more_files_than_it_may_have(tmp_path: Path) -> None:
    code = "import socket\nkept = [open(__file__) for _ in range(1000)]"

    cause = cause_of(crash(script(tmp_path, code), tmp_path, files=40))
    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.FILE_LIMIT, "It had as many files open as one process may have: 40.")


def test_more_files_than_node_may_have(tmp_path: Path) -> None:
    need("node")
    write(tmp_path / "app.js", "const fs = require('fs'); for (;;) fs.openSync('app.js')")

    cause = cause_of(crash("node app.js", tmp_path, files=60))
    assert cause is not None and cause.kind is K.FILE_LIMIT


# Variables ----------------------------------------------------------------------------------------------------------

VARIABLES = {
    "sh": "sh -uc 'echo $QUEUE_URL'",
    "sh with words": "sh -c ': ${QUEUE_URL:?say where the queue is}'",
    "bash": "bash -uc 'echo $QUEUE_URL'",
    "bash with words": "bash -c ': ${QUEUE_URL:?say where the queue is}'",
    "python": f"{PYTHON} -c 'import os; os.environ[\"QUEUE_URL\"]'",
    "python that says it": f"{PYTHON} -c 'raise SystemExit(\"QUEUE_URL is not set\")'",
    "python from it": (
        f'{PYTHON} -c \'import os\ntry: os.environ["QUEUE_URL"]\n'
        'except KeyError as e: raise RuntimeError("environment variable QUEUE_URL is missing") from e\''
    ),
}


@pytest.mark.parametrize("command", VARIABLES.values(), ids=VARIABLES.keys())
def test_a_variable_that_is_not_set(command: str, tmp_path: Path) -> None:
    need(command.split()[0].strip("'"))

    cause = cause_of(crash(command, tmp_path))
    assert cause is not None
    assert (cause.kind, cause.sentence) == (K.MISSING_VARIABLE, "The environment variable QUEUE_URL is not set.")


# Connections --------------------------------------------------------------------------------------------------------

CONNECT = {
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
    "asyncio": "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', {port}))",
    "urllib": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}/')",
}


@pytest.mark.parametrize("code", CONNECT.values(), ids=CONNECT.keys())
def test_a_connection_to_one_of_the_formation_that_does_not_listen(code: str, silent: int, tmp_path: Path) -> None:
    facts = crash(script(tmp_path, code.format(port=silent)), tmp_path)
    facts = replace(facts, formation_ports={silent: "db.1", 62: "mail.1"})

    cause = name_cause(facts)
    assert cause is not None
    assert (cause.kind, cause.sentence, cause.certain) == (
        K.CONNECTION_REFUSED,
        f"db.1 of this formation should serve {silent} and does not.",
        True,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_connection_that_is_refused_to_node(host: str, silent: int, tmp_path: Path) -> None:
    need("node")
    write(tmp_path / "app.js", f"require('net').connect({silent}, '{host}')")
    write(tmp_path / "fetch.js", f"fetch('http://{host}:{silent}/')")
    for name in ("app.js", "fetch.js"):
        facts = crash(f"node {name}", tmp_path)

        ours = cause_of(replace(facts, formation_ports={silent: "db.1"}))
        assert ours is not None, facts.words
        assert ours.sentence == f"db.1 of this formation should serve {silent} and does not."
        other = cause_of(facts)
        assert other is not None and other.kind is K.CONNECTION_REFUSED
        assert other.sentence.endswith(f":{silent} was refused: nobody listens there.")


# Java, Rust ---------------------------------------------------------------------------------------------------------

JAVA = """
    import java.net.*; import java.util.*;
    public class App {
        public static void main(String[] args) throws Exception {
            switch (args[0]) {
                case "port": new ServerSocket(Integer.parseInt(args[1]), 1, InetAddress.getByName("127.0.0.1")); break;
                case "refused": new Socket("127.0.0.1", Integer.parseInt(args[1])); break;
                case "command": new ProcessBuilder("nosuchcommand").start(); break;
                case "class": Class.forName("com.shop.NoSuch"); break;
                case "file": new java.io.FileInputStream("config.yml"); break;
                case "heap": List<byte[]> all = new ArrayList<>(); for (;;) all.add(new byte[1 << 20]);
                default: throw new IllegalArgumentException("permission denied for you");
            }
        }
    }
"""


def test_what_java_says(held: tuple[int, int], silent: int, tmp_path: Path) -> None:
    need("java", "javac")
    write(tmp_path / "App.java", JAVA)
    built = crash("javac App.java", tmp_path)
    if built.exit.code != 0:
        pytest.skip("this Java builds nothing: " + " ".join(built.words)[:200])

    found = {}
    for what in (f"port {held[0]}", f"refused {silent}", "command", "class", "file", "heap", "other"):
        facts = crash(f"java -Xshare:auto -XX:TieredStopAtLevel=1 -Xmx16m App {what}", tmp_path)
        cause = cause_of(facts)
        found[what.split()[0]] = cause and (cause.kind, cause.sentence)

    assert found == {
        "port": (K.PORT_IN_USE, "The port or address that it listens on is in use already."),
        "refused": (K.CONNECTION_REFUSED, "A connection that it needs was refused: nobody listens there."),
        "command": (K.COMMAND_NOT_FOUND, "The command nosuchcommand was not found."),
        "class": (K.MODULE_NOT_FOUND, "The class com.shop.NoSuch was not found."),
        "file": (K.FILE_NOT_FOUND, "config.yml does not exist."),
        "heap": (K.OUT_OF_MEMORY, "The Java heap is full."),
        "other": None,
    }


RUST = """
    use std::{env, fs, net};
    fn main() -> Result<(), Box<dyn std::error::Error>> {
        let args: Vec<String> = env::args().collect();
        match args[1].as_str() {
            "port" => { net::TcpListener::bind(&args[2]).unwrap(); }
            "refused" => { net::TcpStream::connect(&args[2])?; }
            "variable" => { env::var("QUEUE_URL").expect("QUEUE_URL must be set"); }
            "nameless" => { env::var("QUEUE_URL").unwrap(); }
            "file" => { fs::read("config.yml").unwrap(); }
            "memory" => { println!("{}", Vec::<u8>::with_capacity(1 << 46).capacity()); }
            _ => panic!("the port is in trouble"),
        }
        Ok(())
    }
"""


def test_what_rust_says(held: tuple[int, int], silent: int, tmp_path: Path) -> None:
    need("rustc", "cc")
    write(tmp_path / "app.rs", RUST)
    built = crash("rustc -C debuginfo=0 app.rs", tmp_path)
    if built.exit.code != 0:
        pytest.skip("this Rust builds nothing: " + " ".join(built.words)[:200])

    found = {}
    for what in (
        f"port 127.0.0.1:{held[0]}",
        f"refused 127.0.0.1:{silent}",
        "variable",
        "nameless",
        "file",
        "memory",
        "x",
    ):
        cause = cause_of(crash(f"./app {what}", tmp_path))
        found[what.split()[0]] = cause and (cause.kind, cause.sentence)

    assert found == {
        "port": (K.PORT_IN_USE, "The port or address that it listens on is in use already."),
        "refused": (K.CONNECTION_REFUSED, "A connection that it needs was refused: nobody listens there."),
        "variable": (K.MISSING_VARIABLE, "The environment variable QUEUE_URL is not set."),
        "nameless": (K.MISSING_VARIABLE, "An environment variable that it needs is not set."),
        "file": (K.FILE_NOT_FOUND, "A file or command that it needs does not exist."),
        "memory": (K.OUT_OF_MEMORY, "It could not get the memory that it asked for."),
        "x": None,
    }
