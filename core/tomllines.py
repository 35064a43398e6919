"""On which line of a TOML file a key stands, which Python's reader does not tell. Pure, and a guess: for people who
look for a mistake, not for programs.
"""

import re

_HEADER = re.compile(r"\s*\[\[?\s*(?P<path>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*(?P<path>[\w\"'.\- ]+?)\s*=")
_PART = re.compile(r"\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[\w-]+)")


def line_of(text: str, path: str) -> int | None:
    """The number of the line, from 1, on which a key is set, or its nearest table that stands there; None when neither
    does.

    Args:
        text: of the file.
        path: the key with its tables: `types.web.restart`.
    """
    wanted = path.split(".")
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            here = table = _parts(header["path"])
        elif key := _KEY.match(line):
            here = [*table, *_parts(key["path"])]
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = len(here), number
    return None if best is None else best[1]


def _parts(path: str) -> list[str]:
    return [part["double"] or part["single"] or part["bare"] or "" for part in _PART.finditer(path)]
