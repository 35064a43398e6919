"""Whether the terminal's background is light: what it says of itself in the environment, and what it answers when it is
asked. To ask, and to read what is typed, is the driver's matter.
"""

import re
from collections.abc import Mapping

QUESTION = "\x1b]11;?\x07"
"""Asks a terminal for the colour of its background.

Source: xterm, ctlseqs, OSC 11. Vim and Neovim ask so at their start.
"""
_ANSWER = re.compile("\x1b\\]11;([^\x07\x1b]{0,60})(?:\x07|\x1b\\\\)")
_BEGUN = re.compile("\x1b(\\](1(1(;[^\x07\x1b]{0,60}\x1b?)?)?)?)?\\Z")
_COLOUR = re.compile("rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_DEAF = ("dumb", "linux", "eterm", "cons25", "sun")
"""Terminals that know no such questions; some of them show them."""


def can_be_asked(environ: Mapping[str, str]) -> bool:
    """Whether the terminal knows the question, or at least what to pass over."""
    term = environ.get("TERM", "")
    # GNU screen passes it on to nobody, and answers nothing; tmux calls itself so too, and does.
    screen = term.startswith("screen") and "TMUX" not in environ
    return bool(term) and not term.startswith(_DEAF) and not screen


def light_by_environment(colorfgbg: str | None) -> bool:
    """What a terminal says of its background in COLORFGBG: `0;15`, the numbers of two of its colours.

    Source: rxvt, which set it first; Konsole, iTerm2 and others do as well.
    """
    number = (colorfgbg or "").rpartition(";")[2]
    return number in ("7", "15")


def light_by_answer(answer: str) -> bool | None:
    """What an answer says: `rgb:ffff/ffff/ffff`, one to four hexadecimal digits each.

    Returns:
        Whether the colour is nearer to white than to black, by how bright it looks (ITU-R BT.601); None: it is none.
    """
    found = _COLOUR.match(answer)
    if not found:
        return None
    red, green, blue = (int(digits, 16) / float(16 ** len(digits) - 1) for digits in found.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


class Answers:
    """Takes what the terminal answers out of what is typed, however it is cut into pieces. What is left in by mistake
    would be keys: `r` in an answer restarts something."""

    def __init__(self) -> None:
        self._held = ""

    def sift(self, text: str, *, awaited: bool) -> tuple[str, list[str]]:
        """Goes through what was read.

        Args:
            text: what was read.
            awaited: an answer is to come, so that an escape byte at the end may be its first.

        Returns:
            What was typed, and the answers in it. The beginning of an answer is held back.
        """
        text = self._held + text
        answers = _ANSWER.findall(text)
        text = _ANSWER.sub("", text)
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun and (len(begun[0]) > 1 or awaited) else ""
        return text[: len(text) - len(self._held)], answers

    def release(self) -> str:
        """What was held back, when nothing has come behind it for a while: it was typed."""
        held, self._held = self._held, ""
        return held
