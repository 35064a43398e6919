"""Which of all that a program said is about its end: the traceback that ended it, or else its last words. What was
said long before, what was handled (a retry, a warning) and what a test expected is about something else.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from ..reports import Raised, Traceback
from .remarks import belongs, is_a_verdict, is_an_error, says_how_it_went, tells_only_the_end, was_handled
from .statement import Statement

_AFTER_TRACEBACK = 2
"""Lines that may stand behind the traceback of what nobody caught, although they neither tell of an end nor belong to
anything: another thread goes on for a moment. Behind one that was logged the program goes on."""
_AFTER_WORDS = 1
"""The same behind a line that says itself that it is an error."""
_LONGEST_LINE = 2_000
"""Characters of a line that are looked at."""
_AROUND = 6
"""Lines before a statement that may say more about it."""

_WENT_ON = re.compile(r"Exception in thread (?!\"main\")|Task exception was never retrieved|future: <Task")
"""Stands before the traceback of a thread or a task: the program need not end because of it."""
_ASIDE = re.compile(
    r"Exception ignored in|Error in (?:sys|atexit)|Exception in thread|Task exception was never|Fatal Python error"
    r"|Traceback \(most recent"
)
"""What is printed of other threads and tasks while the program ends; `core.tracebacks` has taken it into account."""
_BY_CHANCE = "During handling of the above exception"
_ON_PURPOSE = "The above exception was the direct cause"


def statements(words: Sequence[str], traceback: Traceback | None) -> Iterator[Statement]:
    """What a program said about its end, what counts most first.

    Args:
        words: what is visible of its last lines.
        traceback: the one among them that ended it.
    """
    words = [word[:_LONGEST_LINE].rstrip() for word in words]
    # Of what breaks off before it names anything only the lines are left.
    if traceback is not None and (traceback.raised.type or traceback.raised.message):
        rest = words[_end_of(traceback) + 1 :]
        if any(map(is_a_verdict, rest)):
            return
        if _nothing_else_ended_it(rest, 0 if _went_on(traceback, words) else _AFTER_TRACEBACK):
            yield from _exceptions(traceback, words[max(0, traceback.first - _AROUND) : traceback.last + 1])
            return
        words = rest
    yield from _last_words(words)


# A traceback ----------------------------------------------------------------------------------------------------------


def _exceptions(traceback: Traceback, lines: Sequence[str]) -> Iterator[Statement]:
    """The exception that ended it, and those from which it was raised on purpose."""
    around = "\n".join(lines)
    for raised in (traceback.raised, *_reasons(traceback, lines)):
        statement = Statement.of_exception(raised.type, raised.message, _frames(raised), around)
        if statement.is_from_a_test:
            return
        yield statement


def _reasons(traceback: Traceback, lines: Sequence[str]) -> Sequence[Raised]:
    """The causes that the program named itself. What happened while another exception was handled has it as a cause
    by chance: the program had an answer to it, and that went wrong. Ruby does not tell one from the other."""
    if traceback.language == "ruby":
        return ()
    if traceback.language != "python" or traceback.raised.type.endswith("ExceptionGroup"):
        return traceback.causes
    links = [line for line in lines if _BY_CHANCE in line or _ON_PURPOSE in line]
    meant = len([*takewhile(lambda link: _ON_PURPOSE in link, reversed(links))])
    return traceback.causes[:meant]


def _frames(raised: Raised) -> str:
    """The frames of one exception as Python writes them, whatever its language."""
    lines = []
    for frame in raised.frames:
        lines.append(f'  File "{frame.file}", line {frame.line}' + (f", in {frame.function}" if frame.function else ""))
        if frame.code:
            lines.append(f"    {frame.code}")
    return "\n".join(lines)


def _end_of(traceback: Traceback) -> int:
    """The last line that surely belongs to it. In Python the message comes last, and what was printed after it looks
    like more of it."""
    return traceback.last - (traceback.raised.message.count("\n") if traceback.language == "python" else 0)


def _went_on(traceback: Traceback, words: Sequence[str]) -> bool:
    """Whether it was printed as by a program that goes on: a logger did it, or it is a thread's."""
    first = traceback.first
    if any(_WENT_ON.search(line) for line in words[max(0, first - 2) : first + 1]):
        return True
    return first > 0 and is_an_error(words[first - 1])


def _nothing_else_ended_it(rest: Sequence[str], left: int) -> bool:
    """Whether all that was said after a traceback is about the end that it brought, but for `left` lines."""
    for line in takewhile(lambda line: _ASIDE.match(line) is None, rest):
        text = line.strip()
        if not text or belongs(line) or tells_only_the_end(text):
            continue
        if left == 0 or says_how_it_went(text):
            return False
        left -= 1
    return True


# Last words -----------------------------------------------------------------------------------------------------------


def _last_words(words: Sequence[str]) -> Iterator[Statement]:
    left = _AFTER_WORDS
    for start, stop in _blocks(words):
        head = words[start].strip()
        if is_a_verdict(head):
            return
        handled = was_handled(head)
        if not handled and (left == _AFTER_WORDS or is_an_error(head)):
            statement = Statement.of_lines(words[start:stop], words[max(0, start - _AROUND) : start])
            if statement.is_from_a_test:
                return
            yield statement
        if tells_only_the_end(head):
            continue
        # What went wrong has no name; or all went well.
        if left == 0 or (not handled and says_how_it_went(head)):
            return
        left -= 1


def _blocks(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Lines with those that belong to them, the last first: the place of the first one, and that behind the last."""
    stop = len(words)
    for start in reversed(range(len(words))):
        if not words[start].strip():
            if stop == start + 1:
                stop = start
        elif start == 0 or not belongs(words[start]):
            yield start, stop
            stop = start
