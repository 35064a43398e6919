"""What `procdeck bench` is to measure, what it has found, and where that goes: the terminal and files. How it reads is
`procdeck.cli.benchfiles`' matter.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from procdeck.cli.output import say
from procdeck.core.errors import ProcdeckError, UsageError

if TYPE_CHECKING:
    from procdeck.cli.benching import Measured

_STDOUT = "-"


@dataclass
class Order:
    """What is to be measured, and where it goes."""

    type: str
    counts: list[int]
    seconds: int
    settle: float
    json: str | None
    csv: str | None
    svg: str | None
    found: "list[Measured]" = field(default_factory=list)
    """What has been measured so far."""

    @property
    def quiet(self) -> bool:
        """Standard output is for a file's content."""
        return _STDOUT in (self.json, self.csv, self.svg)

    def check(self) -> None:
        """Raises ProcdeckError for what cannot be measured, or written: now, and not after a quarter of an hour."""
        if not 1 <= self.seconds <= 3_600:
            raise UsageError(f"--seconds {self.seconds}: give whole seconds from 1 to 3600.")
        if not 0 <= self.settle <= 3_600:
            raise UsageError(f"--settle {self.settle:g}: give seconds from 0 to 3600.")
        files = {"--json": self.json, "--csv": self.csv, "--svg": self.svg}
        if list(files.values()).count(_STDOUT) > 1:
            raise UsageError("Only one of --json, --csv and --svg can go to standard output.")
        for option, name in files.items():
            if name is not None and name != _STDOUT:
                path = Path(name)
                if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
                    raise ProcdeckError(f"{option}: {name} cannot be written.")

    def tell(self, *, complete: bool) -> None:
        """Names the knee, and writes the files.

        Args:
            complete: all was measured.

        Raises:
            ProcdeckError: a file cannot be written.
        """
        from procdeck.cli import benchfiles
        from procdeck.cli.benching import CORES
        from procdeck.cli.objects import as_line
        from procdeck.core.knee import find_knee

        if not self.found:
            return
        knee = find_knee([one.step for one in self.found], CORES)
        if not self.quiet:
            say("")
            say(knee.sentence)
            failures = sum(one.failures for one in self.found)
            if failures:
                say(f"{failures} request{'s' * (failures != 1)} failed.")
        if self.json is not None:
            told = benchfiles.as_object(
                self.type,
                self.found,
                knee,
                cores=CORES,
                seconds=self.seconds,
                settle=self.settle,
                complete=complete,
            )
            _write(self.json, f"{as_line(told)}\n")
        if self.csv is not None:
            _write(self.csv, benchfiles.as_csv(self.found))
        if self.svg is not None:
            _write(self.svg, benchfiles.as_svg(self.type, self.found, knee))


def _write(name: str, text: str) -> None:
    if name == _STDOUT:
        say(text.rstrip("\n"))
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProcdeckError(f"{name} cannot be written: {error.strerror}.") from None
    print(f"wrote {name}", file=sys.stderr)
