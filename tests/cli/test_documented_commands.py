"""What README.md and docs/ say can be typed: it is typed here."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from procdeck.cli import _COMMANDS, _procdeck
from tests.cli.documents import DOCUMENTS, REPO, Step, blocks, calls, examples, matches, steps
from tests.cli.support import environment, procdeck
from tests.engine.support import free_base
from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminals

SCREENS = ("up", "demo", "attach")
"""Commands that open a screen and stay."""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `procdeck` is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "procdeck").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m procdeck "$@"\n')
    (folder / "procdeck").chmod(0o755)
    (folder / "python3").symlink_to(sys.executable)
    return f"{folder}:{os.environ['PATH']}"


def typed(line: str, folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell to its end."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment({"PATH": path}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


def prepare(args: str, folder: Path, path: str) -> None:
    """Brings a formation up or down, if it is not so already."""
    procdeck(*args.split(), cwd=folder, env={"PATH": path}, timeout=60)


# They run ---------------------------------------------------------------------------------------------------------

SESSIONS = [document for document in DOCUMENTS if any(block.kind == "console" for block in blocks(document))]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("document", SESSIONS, ids=lambda document: document.name)
def test_a_session_prints_what_stands_there(document: Path, app_dir: Apps, path: str) -> None:
    base = str(free_base())
    folder = app_dir(next((block.text for block in blocks(document) if block.kind == "procfile"), None))
    try:
        for block in blocks(document):
            for step in steps(block) if block.kind == "console" else ():
                done = typed(step.typed.replace("7650", base), folder, path)
                wanted = [line.replace("7650", base) for line in step.printed]
                where = f"{document.name}:{step.line}: $ {step.typed}"
                assert matches(wanted, done.stdout.splitlines()), f"{where}\n{done.stdout}"
                assert "Traceback" not in done.stdout, where
                assert (done.returncode != 0) is _is_refusal(step), f"{where}: status {done.returncode}"
    finally:
        typed("procdeck down --now", folder, path)


def _is_refusal(step: Step) -> bool:
    return any(line.startswith("procdeck: ") for line in step.printed)


WITH_EXAMPLES = [document for document in DOCUMENTS if any(examples(document))]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda document: document.name)
def test_every_example_does_something(
    document: Path, app_dir: Apps, tmp_path: Path, path: str, terminal: Terminals
) -> None:
    folder = app_dir(
        {
            "web": f"exec {programs.listener(tmp_path, 60)}",
            "worker": "while :; do echo tick; sleep 0.2; done",
            "clock": "exec sleep 60",
        },
        toml=f"port = {free_base()}\n",
    )
    try:
        for line, number in examples(document):
            _try(line, f"{document.name}:{number}: {line}", folder, path, terminal)
    finally:
        typed("procdeck down --now", folder, path)


def _try(line: str, where: str, folder: Path, path: str, terminal: Terminals) -> None:
    (first, *_) = called = calls(line)
    program = line.split("#")[0]
    if any(shutil.which(word) is None for word in re.findall(r"\|\s*(\w+)", program)):
        return  # it goes on into a program that is not installed here
    command = first[0] if first[:1] and first[0] in _COMMANDS else "up"
    background = {"-d", "--detach"} & set(first)
    if command in SCREENS and not background:
        prepare("up --detach" if command == "attach" else "down", folder, path)
        screen = terminal(["sh", "-c", f"exec {program}"], cwd=folder, size=(110, 30), env={"PATH": path})
        screen.wait_for("q quit", timeout=30)
        screen.press("d" if command == "attach" else "q")
        assert screen.wait_exit(30) in (0, 130), where
        return
    if command in ("start", "up", "serve"):
        prepare("down", folder, path)
    elif command not in ("run", "check", "export", "completion"):
        prepare("up --detach", folder, path)
    follows = {"-f", "--follow", "-w", "--watch"} & {word for words in called for word in words}
    if (follows and "|" not in program) or (command == "start" and len(first) < 2) or command == "serve":
        _follow(program, where, folder, path)
        return
    done = typed(line, folder, path)
    assert "Traceback" not in done.stdout, where
    assert not re.search(r"^procdeck: (No such|There is no|Got unexpected)", done.stdout, re.MULTILINE), (
        f"{where}\n{done.stdout}"
    )


def _follow(program: str, where: str, folder: Path, path: str) -> None:
    """Of what goes on until Ctrl-C: until it has printed something."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {program}"],
        cwd=folder,
        env=environment({"PATH": path}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), where
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode in (0, 130), where


# They are right ---------------------------------------------------------------------------------------------------


def _parsed(args: list[str]) -> None:
    """Raises click.UsageError when there is no such command, option or number of arguments."""
    with click.Context(_procdeck, info_name="procdeck") as ctx:
        name = args[0] if args and args[0] in _COMMANDS else "up"
        command = _procdeck.get_command(ctx, name)
        assert command is not None
        command.make_context(name, args[1:] if args[:1] == [name] else args, parent=ctx)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_command_that_is_shown_exists_with_its_options(document: Path) -> None:
    lines = [*examples(document)]
    lines += [(step.typed, step.line) for block in blocks(document) if block.kind == "console" for step in steps(block)]
    for line, number in lines:
        found = calls(line)
        assert found, f"{document.name}:{number}: {line}"
        for args in found:
            try:
                _parsed(args)
            except click.exceptions.Exit:
                pass  # --help, --version
            except click.UsageError as error:
                pytest.fail(f"{document.name}:{number}: {line}: {error.format_message()}")


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_help_of_every_command_has_examples_that_are_right(name: str) -> None:
    done = procdeck(name, "--help", cwd=REPO)
    assert (done.status, done.err) == (0, "")
    lines = re.findall(r"^ +((?:kill .*|eval .*|VAR=\w+ )?.*\bprocdeck(?: .*)?)$", done.out, re.MULTILINE)
    shown = [args for line in lines for args in calls(line.split("   ")[0]) if "…" not in line]
    assert any(args[:1] == [name] for args in shown) or name == "up", f"{name} has no example:\n{done.out}"
    for args in shown:
        try:
            _parsed(args)
        except click.UsageError as error:
            pytest.fail(f"{name} --help: {args}: {error.format_message()}")


def test_help_is_short_enough_for_a_terminal() -> None:
    for name in _COMMANDS:
        out = procdeck(name, "--help", cwd=REPO, env={"COLUMNS": "100"}).out
        assert max(map(len, out.splitlines())) <= 110, name


# They are all there -----------------------------------------------------------------------------------------------


def _options(name: str) -> set[str]:
    with click.Context(_procdeck, info_name="procdeck") as ctx:
        command = _procdeck.get_command(ctx, name)
    assert command is not None
    return {
        next((word for word in param.opts if word.startswith("--")), param.opts[0])
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden
    }


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_documents_name_every_command_and_every_option(name: str) -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert re.search(rf"`(?:procdeck )?{name}\b|procdeck {name}\b", text), name
    missing = [option for option in sorted(_options(name)) if not re.search(rf"{re.escape(option)}\b", text)]
    assert missing == [], f"procdeck {name}"


def test_the_man_page_is_what_the_commands_say_of_themselves() -> None:
    made = runpy.run_path(str(REPO / "docs" / "manpage.py"))["man_page"]()
    assert made == (REPO / "docs" / "procdeck.1").read_text(encoding="ascii"), "make man writes it anew"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed here")
def test_the_man_page_is_one() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "docs/procdeck.1"], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(r".\x08|\x1b\[[\d;]*m", "", done.stdout)
    for name in _COMMANDS:
        assert re.search(rf"^ +procdeck {name} ", text, re.MULTILINE), name


# The reading of documents ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("procdeck   # the Procfile here", [[]]),
        ("procdeck up 'npm run dev' api='python app.py'", [["up", "npm run dev", "api=python app.py"]]),
        ("procdeck logs --grep 'timeout|refused'", [["logs", "--grep", "timeout|refused"]]),
        ("procdeck logs -f web | grep -m1 x  # ends", [["logs", "-f", "web"]]),
        ("procdeck scale $(procdeck ps --formation)", [["scale"], ["ps", "--formation"]]),
        ("procdeck apply && procdeck restart web", [["apply"], ["restart", "web"]]),
        ("procdeck logs web.1 --raw > web.log", [["logs", "web.1", "--raw"]]),
        ('eval "$(procdeck completion bash)"', [["completion", "bash"]]),
        ("cat procdeck", []),
    ],
)
def test_calls_are_found_in_lines_of_shell(line: str, found: list[list[str]]) -> None:
    assert calls(line) == found


def test_what_is_printed_is_held_against_a_pattern() -> None:
    assert matches(["a … c"], ["a   b  c"])
    assert matches(["a … c", "d"], ["a b c", "d"])
    assert not matches(["a … c"], ["a b c", "d"])
    assert not matches(["a…"], ["b"])
    assert not matches(["a.c"], ["abc"])
