"""What a command line says, as a shell would read it: its simple commands, each with its words. Nothing is run or
expanded; what only a shell could know is left as it stands.

For advice about commands, where a wrong guess costs a remark too many or too few; nothing else may rest on it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_REDIRECTION = re.compile(r"&>>?|\d*(?:<<<|<<-?|>>|<&|>&|<>|>\||<|>)")
_CONTROL = re.compile(r"&&|\|\||;;|\|&|[;&|()\n]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_OPENERS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "{", "!", "time"})
"""Words behind which a command begins."""
_CLOSERS = frozenset({"fi", "done", "esac", "}", "for", "case", "select", "function", "[[", "in"})
"""Words that begin no command, or one that is not followed here."""

BUILTINS = frozenset(
    {
        *("", ".", ":", "[", "alias", "bg", "break", "builtin", "cd", "command", "continue", "declare", "dirs", "echo"),
        *("eval", "exec", "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "popd"),
        *("printf", "pushd", "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source", "test", "times"),
        *("trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait", "disown", "logout"),
    }
)
"""What a shell does itself."""


@dataclass(frozen=True)
class Word:
    """A word without its quotes."""

    text: str
    expands: bool = False
    """A variable or a command in it is put in by the shell."""


@dataclass(frozen=True)
class SimpleCommand:
    """A program and its arguments."""

    assignments: tuple[str, ...]
    """`NAME=value` in front of it."""
    words: tuple[Word, ...]
    background: bool
    """It is followed by `&`."""

    @property
    def texts(self) -> list[str]:
        """The words as plain text."""
        return [word.text for word in self.words]

    @property
    def name(self) -> str:
        """The program's name without its folders; empty when there is none, or only the shell knows it."""
        return PurePosixPath(self.words[0].text).name if self.words and not self.words[0].expands else ""


def simple_commands(line: str) -> list[SimpleCommand]:
    """The simple commands of a command line, in its order."""
    commands: list[SimpleCommand] = []
    words: list[Word] = []
    for token in [*_tokens(line), ";"]:
        if isinstance(token, Word):
            words.append(token)
            continue
        if words:
            commands += _command(words, background=token == "&")
            words = []
    return commands


def _command(words: list[Word], *, background: bool) -> list[SimpleCommand]:
    while words and words[0].text in _OPENERS and not words[0].expands:
        words = words[1:]
    if not words or words[0].text in _CLOSERS:
        return []
    count = 0
    while count < len(words) and _ASSIGNMENT.match(words[count].text):
        count += 1
    return [SimpleCommand(tuple(word.text for word in words[:count]), tuple(words[count:]), background)]


def _tokens(line: str) -> Iterator[Word | str]:
    """Words and control operators; redirections and comments are passed over."""
    place, skip_word = 0, False
    while place < len(line):
        char = line[place]
        if char in " \t\r":
            place += 1
        elif char == "#":
            end = line.find("\n", place)
            place = len(line) if end < 0 else end
        elif redirection := _REDIRECTION.match(line, place):
            place, skip_word = redirection.end(), True
        elif control := _CONTROL.match(line, place):
            place, skip_word = control.end(), False
            yield ";" if control[0] == "\n" else control[0]
        else:
            word, place = _word(line, place)
            if not skip_word:
                yield word
            skip_word = False


def _word(line: str, place: int) -> tuple[Word, int]:
    text: list[str] = []
    expands = False
    while place < len(line):
        char = line[place]
        if char in " \t\r\n;&|()<>":
            break
        if char == "\\":
            text.append(line[place + 1 : place + 2].replace("\n", ""))
            place += 2
        elif char == "'":
            end = line.find("'", place + 1)
            end = len(line) if end < 0 else end
            text.append(line[place + 1 : end])
            place = end + 1
        elif char == '"':
            part, inner, place = _double_quoted(line, place + 1)
            text.append(part)
            expands = expands or inner
        else:
            end = _expansion_end(line, place)
            expands = expands or end > place + 1
            text.append(line[place:end])
            place = end
    return Word("".join(text), expands), place


def _double_quoted(line: str, place: int) -> tuple[str, bool, int]:
    """What stands between double quotes, whether the shell puts something in, and the place behind them."""
    text: list[str] = []
    expands = False
    while place < len(line) and line[place] != '"':
        if line[place] == "\\" and line[place + 1 : place + 2] in ("$", "`", '"', "\\", "\n"):
            text.append(line[place + 1].replace("\n", ""))
            place += 2
            continue
        end = _expansion_end(line, place)
        expands = expands or end > place + 1
        text.append(line[place:end])
        place = end
    return "".join(text), expands, place + 1


def _expansion_end(line: str, place: int) -> int:
    """The place behind an expansion that begins here; behind the one character when none does."""
    if line[place] == "`":
        end = line.find("`", place + 1)
        return len(line) if end < 0 else end + 1
    if line[place] != "$":
        return place + 1
    opening = line[place + 1 : place + 2]
    if opening in ("(", "{"):
        return _matching(line, place + 1, opening, ")" if opening == "(" else "}")
    name = re.compile(r"\w+|[@*#?$!-]").match(line, place + 1)
    return name.end() if name else place + 1


def _matching(line: str, place: int, opening: str, closing: str) -> int:
    depth = 0
    while place < len(line):
        if line[place] == "\\":
            place += 1
        elif line[place] == "'":
            end = line.find("'", place + 1)
            place = len(line) if end < 0 else end
        elif line[place] == opening:
            depth += 1
        elif line[place] == closing:
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return len(line)
