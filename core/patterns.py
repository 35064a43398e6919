"""What can be told of a regular expression without matching it: the bytes that every line must hold which it matches,
and how much matching may cost. Which lines match is `core.match`'s matter.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Literal:
    """Bytes that a line's visible text holds."""

    needle: bytes
    ignore_case: bool = False
    """It is small ASCII letters, and large ones do as well."""

    @property
    def variants(self) -> tuple[bytes, ...]:
        """What stands for an ASCII letter when case is ignored, in small letters."""
        return _VARIANTS if self.ignore_case and _HAS_VARIANTS.search(self.needle) else ()


_VARIANTS = tuple(letter.encode() for letter in ("İ", "ı", "ſ", "\N{KELVIN SIGN}"))
_HAS_VARIANTS = re.compile(rb"[iks]")


@dataclass(frozen=True)
class Reading:
    """What can be told of a regular expression without matching it."""

    literal: Literal | None = None
    """What every text holds that it matches."""
    exact: bool = False
    """It matches every text that holds that."""
    choices: int | None = None
    """How many of its parts may match more or less: a search takes at most about as many steps as the text has
    characters, to the power of one more than that. None: there is no saying."""


_QUANTIFIER = re.compile(r"\{\d*,?\d*\}|[*+?]")
_SET = re.compile(r"\[\^?\]?(?:[^\]\[\\]|\\.)*\]", re.DOTALL)
_CLASS = re.compile(r"\\[bBdDwWsSAZ]|[.^$]")
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~ ]")
# What a visible text never holds, or what may stand for bytes that are no text, is not sought in bytes.
_SOUGHT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\ufffd\ud800-\udfff]+")
_SOUGHT_IN_ANY_CASE = re.compile(r"[\t -~]+")


def read(pattern: str, *, ignore_case: bool) -> Reading:
    """Reads a regular expression that compiles, as far as it is a simple one: nothing is told of one that holds
    anything else than characters, sets, groups, alternatives and quantifiers."""
    texts, choices = [""], 0
    depth, place = 0, 0
    whole, timed, alternatives = True, False, False
    last = ""
    while place < len(pattern):
        begin = pattern[place]
        if found := _QUANTIFIER.match(pattern, place):
            if not last:
                return Reading()
            if last == "character" and not depth and begin != "+":
                texts[-1] = texts[-1][:-1]
            timed = timed or last == "group"
            choices += 1
            # `*?` and `*+` differ only in the order of trying.
            place = found.end() + pattern.startswith(("?", "+"), found.end())
            last = ""
        elif begin == "(":
            # What else begins with `(?` or `(*` has a quantifier of nothing, as it looks here.
            place += 3 if pattern.startswith("(?:", place) else 1
            depth, last = depth + 1, ""
        elif begin == ")":
            place += 1
            depth, last = depth - 1, "group"
        elif begin == "|":
            place += 1
            choices, last = choices + 1, ""
            alternatives = alternatives or not depth
        elif found := _CLASS.match(pattern, place) or _SET.match(pattern, place):
            place, last = found.end(), "class"
        elif begin in "[{" or (begin == "\\" and not _ESCAPED.match(pattern, place)):
            return Reading()
        else:
            place += 2 if begin == "\\" else 1
            last = "character"
            if not depth:
                texts[-1] += pattern[place - 1]
                continue
        whole = False
        texts.append("")
    if alternatives:
        texts = []
    sought = _SOUGHT_IN_ANY_CASE if ignore_case else _SOUGHT
    longest = max((part for text in texts for part in sought.findall(text)), key=len, default="")
    if not longest:
        return Reading(choices=None if timed else choices)
    literal = Literal((longest.lower() if ignore_case else longest).encode(), ignore_case)
    return Reading(literal, whole and longest == texts[0], None if timed else choices)
