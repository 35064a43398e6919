"""What a process says right before its end is kept, in the right run, whoever ends it and however fast."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from procdeck.core.state import Exit, State
from tests.engine.support import formation
from tests.support import programs
from tests.support.apps import Apps

_ENDS = {
    "killed": ("kill -9 $$", Exit(signal=signal.SIGKILL)),
    "termed": ("kill -TERM $$", Exit(signal=signal.SIGTERM)),
    "fails": ("exit 3", Exit(code=3)),
    "exits": ("exit 0", Exit(code=0)),
}
_RUNS = 25
_DOWN = {State.EXITED, State.CRASHED}


async def test_two_hundred_runs_keep_their_unfinished_last_line_to_themselves(app_dir: Apps) -> None:
    """Each run counts itself, and so knows what stands in its log; every end, on a terminal and on a pipe."""
    count = 'read n < "count.$PS"; n=$((n + 1)); echo $n > "count.$PS"'
    kinds = {f"{name}{kind}": end for kind in ("", "-pipe") for name, end in _ENDS.items()}
    folder = app_dir(
        {name: f'{count}; printf "first $n\\nlast $n"; {end}' for name, (end, _) in kinds.items()},
        toml="\n".join(f"[types.{n}]\nrestart = 'never'\ntty = {str('pipe' not in n).lower()}" for n in kinds),
        files={f"count.{name}.1": "0\n" for name in kinds},
    )
    async with formation(folder) as seen:
        for run in range(1, _RUNS + 1):
            await seen.until(
                lambda run=run: all(  # type: ignore[misc]
                    v.run == run and v.state in _DOWN for v in seen.instances.values()
                ),
                f"run {run} to end",
            )
            if run < _RUNS:
                await seen.control.restart("all")
        for name, (_, exit_) in kinds.items():
            told = [
                (line.run, line.mark.exit if line.mark else line.data.decode()) for line in await seen.log(f"{name}.1")
            ]
            assert told == [
                (run, what) for run in range(1, _RUNS + 1) for what in (f"first {run}", f"last {run}", exit_)
            ]


@pytest.mark.parametrize("tty", [True, False])
async def test_much_that_is_written_at_once_before_the_end_is_read_whole(
    app_dir: Apps, tmp_path: Path, tty: bool
) -> None:
    command = programs.script(
        tmp_path,
        "much",
        """\
out = os.fdopen(1, "wb", 1 << 16)
for number in range(20_000):
    out.write(b"line %05d\\n" % number)
out.write(b"and the last")
out.flush()
os.kill(os.getpid(), signal.SIGKILL)
""",
    )
    toml = f"[types.web]\nrestart = 'never'\ntty = {str(tty).lower()}"
    async with formation(app_dir({"web": f"exec {command}"}, toml=toml)) as seen:
        await seen.state("web.1", State.CRASHED)
        log = await seen.log("web.1")
        assert [line.data for line in log[:-1]] == [b"line %05d" % n for n in range(20_000)] + [b"and the last"]
        assert log[-1].mark is not None


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_what_is_said_on_being_asked_to_stop_is_kept(app_dir: Apps, through: str) -> None:
    command = "trap 'printf \"good bye from $n\"; exit 0' TERM; n=$PS; echo up; while :; do sleep 0.05; done"
    async with formation(app_dir({"web": command}), through=through) as seen:
        for run in (1, 2):
            await seen.line("web.1", "up", run=run)
            await seen.control.restart("web.1")
        await seen.line("web.1", "up", run=3)
        log = await seen.log("web.1")
        for run in (1, 2):
            texts = [line.data.decode() for line in log if line.run == run]
            # The shell may tell between them that its `sleep` was ended too.
            assert (texts[0], texts[-2:]) == ("up", ["good bye from web.1", ""])
            assert log[-1].run == 3


async def test_what_a_grandchild_says_after_its_parents_end_is_kept_with_the_run(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.script(
        tmp_path,
        "late",
        """\
reader, writer = os.pipe()
if not fork():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.write(writer, b"x")
    while not os.path.exists("go"):
        time.sleep(0.02)
    say("late words")
    time.sleep(30)
os.read(reader, 1)
say("early words")
os._exit(0)
""",
    )
    folder = app_dir({"web": f"exec {command}"})
    async with formation(folder) as seen:
        await seen.state("web.1", State.EXITED, left_over=1)
        (folder / "go").touch()
        await seen.line("web.1", "late words")
        assert [(line.run, line.data) for line in await seen.log("web.1")] == [
            (1, b"early words"),
            (1, b""),  # the mark of the end
            (1, b"late words"),
        ]
