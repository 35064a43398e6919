"""A thousand crashes (a hundred in `make test`), some at a time: the last words of each are kept, with their run and
its end."""

from __future__ import annotations

import os
import shlex
import signal
import sys

import pytest

from procdeck.core import policy
from procdeck.core.state import Exit, State
from tests.engine.support import formation
from tests.support.apps import Apps

INSTANCES, RUNS = (8, 125) if os.environ.get("FAULTS") else (4, 25)
"""At a time, and of each."""
_BURST_EVERY = 10
_BURST = [b"burst %04d %s" % (number, b"x" * 69) for number in range(2500)]
"""200 KB."""
_ENDS = (Exit(code=3), Exit(signal=signal.SIGKILL), Exit(signal=signal.SIGSEGV), Exit(code=5))

_EXITS = 'import os, sys; os.write(1, b"last " + sys.argv[1].encode()); os._exit(5)'

# Each run counts itself, and so knows what has to stand in its log. Its last words have no newline.
_RUN = f"""\
ulimit -c 0
read n < "count.$PS"; n=$((n + 1)); echo $n > "count.$PS"
[ $n -gt {RUNS} ] && exec sleep 50
printf 'first %s\\n' $n
[ $((n % {_BURST_EVERY})) -eq 0 ] && cat burst
case $(((n + n / {_BURST_EVERY}) % 4)) in
0) printf 'last %s' $n; exit 3 ;;
1) printf 'last %s' $n; kill -9 $$ ;;
2) printf 'last %s' $n; kill -SEGV $$ ;;
3) exec {shlex.quote(sys.executable)} -SE -c '{_EXITS}' $n ;;
esac
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["pty", "pipe"])
async def test_the_last_words_of_every_run_are_kept_with_it(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(policy, "FIRST_DELAY", 0.0)
    folder = app_dir(
        {"web": "exec sh run.sh"},
        toml=f"[types.web]\nrestart = 'always'\ntty = {str(kind == 'pty').lower()}\nquantity = {INSTANCES}",
        files={
            "run.sh": _RUN,
            "burst": b"\n".join([*_BURST, b""]).decode(),
            **{f"count.web.{number}": "0\n" for number in range(1, INSTANCES + 1)},
        },
    )
    names = [f"web.{number}" for number in range(1, INSTANCES + 1)]
    async with formation(folder) as seen:
        await seen.until(
            lambda: all(
                seen.instances[name].run > RUNS and seen.instances[name].state is State.RUNNING for name in names
            ),
            "all runs to end",
            patience=240,
        )
        for name in names:
            told: dict[int, list[bytes | Exit]] = {run: [] for run in range(1, RUNS + 1)}
            for line in await seen.log(name):
                told[line.run].append(line.mark.exit if line.mark else line.data)
            for run, what in told.items():
                burst = _BURST if run % _BURST_EVERY == 0 else []
                end = _ENDS[(run + run // _BURST_EVERY) % 4]
                assert (len(what), what[-2:]) == (len(burst) + 3, [b"last %d" % run, end]), (name, run)
                assert what[:-2] == [b"first %d" % run, *burst], (name, run)
