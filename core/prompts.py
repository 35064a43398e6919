"""Recognises that a program waits for a person at a debugger's prompt, by the unfinished line with which its log ends.
What is done about it is not known here.
"""

import re
import time

from .escapes import strip
from .logstore import LogStore

QUIET = 0.2
"""Seconds without output after which a line that is not finished is taken for a prompt: the rest of it is not on its
way."""
_TAIL = 4096
"""Bytes that are looked at. Line editors redraw a prompt in place, with sequences around each part of it."""
_LONGEST = 200
"""Visible bytes of a line that may be a prompt, with what is typed at it."""

_DEBUGGER = (
    rb"\(+(?:[Pp]db(?:\+\+)?|[Ii]pdb|[Bb]pdb|rdbg(?:[:@][^()\s]+)?|byebug|dlv|gdb|lldb|rr|trepan\w*)\)+"
    rb"|ipdb>|bpdb>|debug>"
    # pry, whose name for the program can be set, and what it is in: `[1] pry(main)>`, `[2] shop(#<Cart>):1>`.
    rb"|\[\d+\] [\w-]+\(.{0,80}?\)(?::\d+)?[>*]|pry\(\d+\)>"
    # irb and a Rails console: `irb(main):001:0>`, `shop(dev)>`.
    rb"|(?:irb\(.{0,80}?\)|[\w-]+\((?:main|dev|test|prod)\))(?::\d+)*[>*\"'`]"
    rb"|(?:ba|z|k)shdb<+\d+>+"
)
_AT_END = re.compile(rb"(?P<prompt>" + _DEBUGGER + rb") ?$")
_TYPED_AT = re.compile(rb"(?P<prompt>" + _DEBUGGER + rb") ")
# What could stand in any log is one only when there is nothing else in the line; it may have been drawn again there.
_ALONE = re.compile(rb"(?: {0,2}(?P<prompt>>>>|In \[\d+\]:|DB<+\d+>+|iex\(\d+\)>) ?)+$")
_JDB = re.compile(rb"(?P<prompt>(?P<thread>[\w.$-]+)\[\d+\]) $")
_REDRAWN = re.compile(rb"\x1b\[\d*A")
_RUBY_ASKS = b"\xe2\x96\xbd\x1b[6n"
"""Ruby's line editor wants to know how wide that triangle is before it shows a prompt, and waits until a terminal tells
it."""


def prompt_of(store: LogStore, at: float | None = None) -> str:
    """The debugger's prompt with which a log ends: `(Pdb)`; empty when it ends in another way.

    Args:
        store: the log.
        at: the Unix time that it is now; None: the clock's.
    """
    if store.open_seq is None or 0 <= (time.time() if at is None else at) - store.last_at < QUIET:
        return ""
    return prompt_at_end(store.tail(_TAIL))


def prompt_at_end(output: bytes) -> str:
    """The debugger's prompt with which some output ends; empty when it ends in another way."""
    before, _, line = output.rpartition(b"\n")
    if line.endswith(_RUBY_ASKS):
        return "(ruby)"
    shown = _visible(line)
    if not shown.strip() and _REDRAWN.search(line):
        # IPython keeps lines below its prompt free, and goes back up.
        before, _, line = strip(before).rstrip().rpartition(b"\n")
        shown = _visible(line)
    if not shown or len(shown) > _LONGEST:
        return ""
    found = _AT_END.search(shown) or _TYPED_AT.match(shown) or _ALONE.match(shown)
    if found is None:
        found = _JDB.match(shown)
        if found is None or b'"thread=' + found["thread"] + b'"' not in before:
            return ""
    return found["prompt"].decode(errors="replace")


def _visible(line: bytes) -> bytes:
    """A line without control sequences, and without what was overwritten from its beginning on."""
    return strip(line.rstrip(b"\r").rpartition(b"\r")[2])
