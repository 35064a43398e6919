"""Opens a file at a line in a person's editor: which command that is, and whether it needs the terminal. The inspector
runs it.
"""

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_COLON = frozenset({"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"})
"""`-g FILE:LINE`."""
_SUFFIX = frozenset({"subl", "sublime_text", "zed", "zeditor", "hx", "helix", "lapce"})
"""`FILE:LINE`."""
_LINE = frozenset({"idea", "pycharm", "webstorm", "goland", "rubymine", "phpstorm", "clion", "fleet", "charm"})
"""`--line LINE FILE`."""
_MATE = frozenset({"mate", "kate"})
"""`-l LINE FILE`."""
_WINDOWS = _COLON | _LINE | _MATE | {"subl", "sublime_text", "zed", "zeditor", "lapce", "gvim", "mvim", "gedit", "xed"}
"""Those that open a window of their own and leave the terminal alone."""
_FALLBACKS = ("nvim", "vim", "vi", "nano")


@dataclass(frozen=True)
class Editing:
    """A command that opens an editor."""

    argv: list[str]
    terminal: bool
    """It takes the terminal."""


def editing(file: Path, line: int | None, environ: Mapping[str, str] | None = None) -> Editing | None:
    """How to open a file, at a line when it is known: with $VISUAL, else $EDITOR, else what is there of nvim, vim, vi
    and nano. None when there is nothing, or what is named is not there."""
    environ = os.environ if environ is None else environ
    named = environ.get("VISUAL") or environ.get("EDITOR")
    path = environ.get("PATH")
    if named:
        try:
            words = shlex.split(named)
        except ValueError:
            return None
    else:
        found = next((name for name in _FALLBACKS if shutil.which(name, path=path)), None)
        words = [found] if found else []
    if not words or shutil.which(words[0], path=path) is None:
        return None
    name = Path(words[0]).name.removesuffix(".exe")
    return Editing([*words, *_arguments(name, file, line)], name not in _WINDOWS and "--wait" not in words)


def _arguments(name: str, file: Path, line: int | None) -> list[str]:
    if line is None:
        return [str(file)]
    if name in _COLON:
        return ["-g", f"{file}:{line}"]
    if name in _SUFFIX:
        return [f"{file}:{line}"]
    if name in _LINE:
        return ["--line", str(line), str(file)]
    if name in _MATE:
        return ["-l", str(line), str(file)]
    # vi's way, which nano, emacs, micro, kakoune, joe, gedit and most others have taken over.
    return [f"+{line}", str(file)]
