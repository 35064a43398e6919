"""What one rule looks at: one thing that a program said at its end, an exception or a few lines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .facts import Cause, CauseKind, Facts

_TYPE = re.compile(
    r"(?:Exception in thread \S+ |Uncaught |Unhandled \w+ |Caused by: |\S+ Fatal error: +Uncaught )*"
    r"(?P<type>(?:[A-Za-z_$][\w$]*(?:\.|::|\\))*[A-Z][\w$]*(?:Error|Exception|Exit|Interrupt|Refused|NotFound)\w*"
    r"|(?:[A-Za-z_]\w*\.)+[A-Z]\w*|Errno::\w+|Error)(?: \[(?P<code>\w+)\])?(?:: ?|$)",
    re.MULTILINE,
)
_RUBY = re.compile(r"\S+:\d+:in [`'].*?': (?P<text>.*) \((?P<type>(?:\w+::)*[A-Z]\w*)\)$", re.MULTILINE)
_FRAME = re.compile(r"\s+(?:at |File \"|from |\.\.\. \d|\d+: |#\d+ )|#\d+ |created by ")
"""Names of files and numbers of lines look like hosts and ports."""
_LONGEST_EVIDENCE = 240
_MOST_TEXT = 4_000
"""Characters that patterns are let loose on."""
_MOST_NEARBY = 20_000


@dataclass(frozen=True)
class Statement:
    """One thing that a program said."""

    text: str
    """The message of an exception, or the lines."""
    type: str = ""
    """The type of an exception, as its language names it; empty for lines that name none."""
    nearby: str = ""
    """What was said with it: the frames of an exception, as Python writes them, or the lines before."""
    around: str = ""
    """All that stands there in the log: the whole traceback with its causes, or the lines before."""
    heading: str = ""
    """What stands before the text in the log: `KeyError: `."""
    tail: str = ""
    """What stands behind it: ` (Errno::ENOENT)`."""

    @classmethod
    def of_lines(cls, lines: Sequence[str], before: Sequence[str]) -> "Statement":
        """What some lines say; an exception when they begin as one does."""
        text = "\n".join(line for line in lines if not _FRAME.match(line))[:_MOST_TEXT]
        nearby = "\n".join([*before, *lines])[-_MOST_NEARBY:]
        found = _RUBY.match(text)
        if found is not None:
            start, stop = found.span("text")
            return cls(found["text"], found["type"], nearby, nearby, text[:start], text[stop : found.end()])
        found = _TYPE.match(text)
        if found is None:
            return cls(text, nearby=nearby, around=nearby)
        kind = found["type"] + (f" [{found['code']}]" if found["code"] else "")
        return cls(text[found.end() :], kind, nearby, nearby, heading=found[0])

    @classmethod
    def of_exception(cls, kind: str, message: str, frames: str, around: str) -> "Statement":
        """What an exception says."""
        heading = f"{kind}: " if kind and message else kind
        return cls(message[:_MOST_TEXT], kind, frames[-_MOST_NEARBY:], around[-_MOST_NEARBY:], heading)

    @cached_property
    def name(self) -> str:
        """The type's own name: `ConnectException` for `java.net.ConnectException`, `EADDRINUSE` for
        `Errno::EADDRINUSE`."""
        return re.split(r"\.|::|\\", self.type.partition(" ")[0])[-1]

    @cached_property
    def is_from_a_test(self) -> bool:
        """It says what somebody expected, not what happened."""
        return self.name.endswith(
            ("AssertionError", "AssertionFailedError", "AssertionException", "ExpectationNotMetError")
        )

    def search(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first place in the text that a pattern finds."""
        return pattern.search(self.text)

    def line_of(self, found: re.Match[str] | None) -> str:
        """The line of the log in which a pattern found something."""
        text, place = (self.text, 0) if found is None else (found.string, found.start())
        start = text.rfind("\n", 0, place) + 1
        line = text[start:].partition("\n")[0]
        if start == 0 and text is self.text:
            line = self.heading + line + self.tail
        line = line.strip()
        return line if len(line) <= _LONGEST_EVIDENCE else line[: _LONGEST_EVIDENCE - 1] + "…"

    def cause(
        self,
        kind: CauseKind,
        sentence: str,
        advice: str = "",
        *facts: str,
        found: re.Match[str] | None = None,
        certain: bool = True,
    ) -> Cause:
        """A cause that rests on what is said here, and on further facts."""
        return Cause(kind, sentence, advice, [line for line in (self.line_of(found), *facts) if line], certain)


Rule = Callable[[Statement, Facts], Cause | None]
"""Tells the cause when a statement names it, and None in every other case."""


def first_of(statement: Statement, *patterns: re.Pattern[str]) -> re.Match[str] | None:
    """What the first pattern finds that finds something."""
    for pattern in patterns:
        found = statement.search(pattern)
        if found is not None:
            return found
    return None


def says(pattern: str) -> re.Pattern[str]:
    """A pattern, with `§` for a quotation mark of any kind; `^` and `$` are the ends of lines."""
    return re.compile(pattern.replace("§", "[\"'`‘’“”]"), re.MULTILINE)
