"""What is lost of programs that crash, and what is left of those whose manager is ended: both are to be nothing.

The ways to end and the hard children are those of `make faults`, which tries all of them with each other; here it is a
part of them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from procdeck.core.messages import LogQuery
from procdeck.core.state import State

from .amounts import Amounts
from .figures import Finding
from .formation import Formation, formation, scratch, write_app

_AT_A_TIME = 50
"""Instances that crash together, by a pty and as many by a pipe."""
_ENDS = ("exit 3", "kill -9 $$", "kill -SEGV $$", "exit 5")
WAYS = ("terminal closed", "KILL: dashboard, engine", "Ctrl-C")
"""The terminal is what is closed most often, and the others are the hardest and the most usual."""

# Each run counts itself, and so says words that are its own. They have no newline.
_RUN = """\
ulimit -c 0
read n < "count.$PS"; echo $((n + 1)) > "count.$PS"
printf 'one line\\nlast words %s' "$n"
case $((n % 4)) in
{cases}
esac
"""


def lastwords(amounts: Amounts) -> list[Finding]:
    """Counts both."""
    return [*_last_words(amounts.last_words), _left(amounts.ends)]


@dataclass
class Kept:
    """Of how many crashes the last words are there."""

    crashes: int = 0
    in_log: int = 0
    in_report: int = 0


def _last_words(count: int) -> list[Finding]:
    kept = asyncio.run(crash_often(max(1, count // (2 * _AT_A_TIME))))
    goal = f"{kept.crashes:,}"
    return [
        Finding(what, goal, f"{there:,} of {kept.crashes:,}", there == kept.crashes, must=True)
        for what, there in (
            (f"Last words without a newline, of {kept.crashes:,} crashes: in the log", kept.in_log),
            ("… in the crash's report", kept.in_report),
        )
    ]


async def crash_often(rounds: int) -> Kept:
    """Lets all instances crash at once, so many times, and looks for what each of them said last."""
    kept = Kept()
    with scratch() as folder:
        names = [f"{kind}.{number}" for kind in ("pty", "pipe") for number in range(1, _AT_A_TIME + 1)]
        async with formation(folder, {}, app=_app(folder, names)) as running:
            for run in range(1, rounds + 1):
                if run > 1:
                    await running.client.start("all")
                await running.until(_all_crashed(running, names, run), f"all to crash for the {run}. time")
                for name in names:
                    await _look(running, name, run, kept)
    return kept


def _app(folder: Path, names: list[str]) -> Path:
    app = write_app(folder, {kind: "exec sh run.sh" for kind in ("pty", "pipe")}, tty=True, quantity={})
    cases = "\n".join(f"{number}) {end} ;;" for number, end in enumerate(_ENDS))
    (app / "run.sh").write_text(_RUN.format(cases=cases))
    (app / "procdeck.toml").write_text(
        "".join(
            f"[types.{kind}]\ntty = {tty}\nquantity = {_AT_A_TIME}\nrestart = 'never'\n"
            for kind, tty in (("pty", "true"), ("pipe", "false"))
        )
    )
    for name in names:
        (app / f"count.{name}").write_text("1\n")
    return app


def _all_crashed(running: Formation, names: list[str], run: int) -> Callable[[], bool]:
    def holds() -> bool:
        views = [running.view(name) for name in names]
        return all(view.run == run and view.state is State.CRASHED for view in views)

    return holds


async def _look(running: Formation, name: str, run: int, kept: Kept) -> None:
    words = f"last words {run}"
    lines = (await running.client.logs(LogQuery([name], before=4))).lines
    said = [line.data for line in lines if line.run == run and line.written]
    report = (await running.client.crash(name, run)).report
    kept.crashes += 1
    kept.in_log += said[-1:] == [words.encode()]
    kept.in_report += report.run == run and report.words[-1:] == [words]


def _left(ways: int) -> Finding:
    # With what only the tests need, which is there for contributors alone.
    from tests.faults.__main__ import run
    from tests.faults.matrix import cells

    chosen = [cell for cell in cells() if cell[0].name in WAYS[:ways]]
    results = run(chosen)
    left = [process for result in results for process in result.left]
    children, tried = len({result.child for result in results}), len({result.way for result in results})
    slowest = max(result.seconds for result in results)
    return Finding(
        f"Processes left when procdeck has ended: {children} hard kinds × {tried} ways to end (docs/faults.md has all)",
        "0",
        f"{len(left)}" if left else f"0 of {len(results)} formations; the last process gone after {slowest:.1f} s",
        not left,
        must=True,
    )
