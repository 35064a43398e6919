"""Patterns of files, as people write them for watchers: `src/**/*.py`. Pure; the standard library has this from 3.13
on."""

import fnmatch
import re
from collections.abc import Iterable

_BRACKET = re.compile(r"\[!?\]?[^\]/]*\]")


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str]:
    """A pattern that fully matches the relative paths (with slashes) which one of the globs means.

    `*` and `?` stay within a folder, `**` goes through folders, `[a-c]` is one of these, `[!a-c]` any other. A pattern
    without a slash means files of that name in any folder, as in .gitignore.
    """
    return re.compile("|".join(f"(?:{_translate(pattern)})" for pattern in patterns) or r"(?!)", re.DOTALL)


def _translate(pattern: str) -> str:
    pattern = pattern.removeprefix("./")
    if "/" not in pattern.rstrip("/"):
        pattern = f"**/{pattern}"
    if pattern.endswith("/"):
        pattern += "**"
    out = ""
    i = 0
    while i < len(pattern):
        if pattern.startswith("**/", i) and (i == 0 or pattern[i - 1] == "/"):
            out += "(?:[^/]+/)*"
            i += 3
        elif pattern.startswith("**", i):
            out += ".*"
            i += 2
        elif pattern[i] == "*":
            out += "[^/]*"
            i += 1
        elif pattern[i] == "?":
            out += "[^/]"
            i += 1
        elif bracket := _BRACKET.match(pattern, i):
            # A set that leaves something out must not take in the slash.
            out += "(?!/)" + re.sub(r"\\[zZ]$", "", fnmatch.translate(bracket[0]))
            i = bracket.end()
        else:
            out += re.escape(pattern[i])
            i += 1
    return out
