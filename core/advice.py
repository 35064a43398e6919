"""What a command does that factor VIII forbids (https://12factor.net/concurrency): it puts itself into the background,
or writes a PID file. Then nobody sees it, reads it, or knows when it has ended.

Pure, and by what is known of programs: `-d` means something else to most of them, so a flag says nothing without its
program. What a program's configuration file says is asked of the caller.
"""

import re
from collections.abc import Callable, Iterable

from .daemons import ANYWHERE, DOCKER_SWITCHES, DOCKER_VALUED, LEAVERS, PROGRAMS, Program
from .shellwords import SimpleCommand, Word, simple_commands

Reader = Callable[[str], str | None]
"""Gives the text of a file that a command names; None when there is none to be read."""

_OFF = frozenset({"no", "off", "false", "0"})
_NOWHERE = frozenset({"", "/dev/null"})
_DEEPEST = 5
"""Shells within shells that are looked into."""


_SUBCOMMANDS = {
    "bundle": ("exec",),
    "poetry": ("run",),
    "pipenv": ("run",),
    "pdm": ("run",),
    "hatch": ("run",),
    "uv": ("run",),
    "rbenv": ("exec",),
    "asdf": ("exec",),
    "mise": ("exec", "x"),
    "foreman": ("run",),
    "honcho": ("run",),
    "procdeck": ("run",),
    "yarn": ("run", "exec"),
    "pnpm": ("run", "exec"),
}
"""Runners of another command, by the word behind which it stands."""
_WRAPPERS: dict[str, tuple[int, frozenset[str]]] = {
    "exec": (0, frozenset({"-a"})),
    "command": (0, frozenset()),
    "env": (0, frozenset({"-u", "--unset", "-C", "--chdir"})),
    "nice": (0, frozenset({"-n"})),
    "ionice": (0, frozenset({"-c", "-n"})),
    "nohup": (0, frozenset()),
    "setsid": (0, frozenset()),
    "sudo": (0, frozenset({"-u", "-g", "-C", "-D", "-h", "-p"})),
    "timeout": (1, frozenset({"-s", "-k", "--signal", "--kill-after"})),
    "stdbuf": (0, frozenset({"-i", "-o", "-e"})),
    "tini": (0, frozenset({"-p"})),
    "dumb-init": (0, frozenset()),
    "gosu": (1, frozenset()),
    "su-exec": (1, frozenset()),
    "npx": (0, frozenset({"-p", "--package"})),
    "xvfb-run": (0, frozenset({"-n", "-s", "-f", "-e", "-p", "-w"})),
}
"""Programs that run another: words of their own before it, and flags that take a value."""
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")


def advise(command: str, read: Reader = lambda _: None) -> list[str]:
    """What is to be said against a command: a sentence each; nothing when there is nothing.

    Args:
        command: a shell command line.
        read: gives the text of a configuration file that it names.
    """
    return list(dict.fromkeys(_advise(command, read, _DEEPEST)))


def _advise(line: str, read: Reader, depth: int) -> Iterable[str]:
    commands = simple_commands(line)
    for place, command in enumerate(commands):
        if command.background and place == len(commands) - 1:
            yield "A trailing & leaves the program in the background, and the shell ends at once: leave it out."
        yield from _of_command(command, read, depth)


def _of_command(command: SimpleCommand, read: Reader, depth: int) -> Iterable[str]:
    for assignment in command.assignments:
        name, _, value = assignment.partition("=")
        if name == "BACKGROUND" and value.lower() in ("yes", "1", "true"):
            yield f"{assignment} puts the worker into the background: leave it out."
        elif name == "PIDFILE" and value not in _NOWHERE:
            yield f"{assignment} asks for a PID file, which procdeck does not need: leave it out."
    while command.words:
        name = re.sub(r"\.(?:sh|exe|js|rb|py)$", "", command.name)
        if name in LEAVERS:
            yield f"{name} {LEAVERS[name]}: run the program itself."
        if name in _SHELLS:
            script = _after_flag(command.texts, "c")
            if script is not None and depth:
                yield from _advise(script, read, depth - 1)
            return
        inner = _inner(command, name)
        if inner is None:
            yield from _of_program(name, command, read)
            return
        command = inner


def _inner(command: SimpleCommand, name: str) -> SimpleCommand | None:
    """The command that a command runs, when it is there for that alone."""
    words = list(command.words[1:])
    if _PYTHON.fullmatch(name) and len(words) > 1 and words[0].text == "-m":
        return _made(words[1:])
    if name == "ruby" and words and not words[0].text.startswith("-"):
        return _made(words)
    if name in _SUBCOMMANDS:
        place = next((n for n, word in enumerate(words) if word.text in _SUBCOMMANDS[name]), None)
        return None if place is None else _made(_behind_flags(words[place + 1 :], frozenset()))
    if name in _WRAPPERS:
        own, valued = _WRAPPERS[name]
        words = _behind_flags(words, valued)
        return _made(words[own:])
    return None


def _behind_flags(words: list[Word], valued: frozenset[str]) -> list[Word]:
    while words and (words[0].text.startswith("-") or re.match(r"[A-Za-z_]\w*=", words[0].text)):
        if words[0].text == "--":
            return words[1:]
        words = words[2 if words[0].text in valued else 1 :]
    return words


def _made(words: list[Word]) -> SimpleCommand | None:
    return SimpleCommand((), tuple(words), background=False) if words else None


def _of_program(name: str, command: SimpleCommand, read: Reader) -> Iterable[str]:
    arguments = command.texts[1:]
    if name in ("docker", "podman", "nerdctl", "docker-compose", "podman-compose"):
        yield from _of_containers(name, arguments)
        return
    if command.words[0].text.startswith("/etc/init.d/") and arguments[:1] in (["start"], ["restart"]):
        yield f"{name} {arguments[0]} leaves a process in the background: run the program itself."
        return
    program = PROGRAMS.get("php-fpm" if name.startswith("php-fpm") else name)
    if program is not None:
        yield from _known(name, program, arguments, read)
    yield from _flags(name, ANYWHERE, arguments, but=program)


def _known(name: str, program: Program, arguments: list[str], read: Reader) -> Iterable[str]:
    if any(argument in program.asks for argument in arguments):
        return
    if program.only and not any(argument in program.only for argument in arguments):
        return
    stays = any(_is_flag(flag, argument) for flag in program.unless for argument in arguments)
    subcommand = next((argument for argument in arguments if argument in program.words), None)
    config = _config(program, arguments, read)
    if subcommand is not None and not stays:
        yield f"{name} {subcommand} leaves a process in the background: {program.instead}."
    elif program.stay and not stays and not (config and program.config_stays and program.config_stays.search(config)):
        yield f"{name} puts itself into the background: add {program.stay}."
    if config and program.config_leaves and program.config_leaves.search(config):
        yield f"{name} puts itself into the background, as its configuration says: change that."
    yield from _flags(name, program, arguments)


def _is_flag(flag: str, argument: str) -> bool:
    return argument == flag if flag.startswith("-") or flag.isupper() else flag in re.sub(r"\s+", " ", argument)


def _config(program: Program, arguments: list[str], read: Reader) -> str | None:
    for flag in program.config:
        if flag:
            path = _value(arguments, flag)
        else:
            path = next((argument for argument in arguments[:1] if not argument.startswith("-")), None)
        if path:
            return read(path)
    return None


def _flags(name: str, program: Program, arguments: list[str], but: Program | None = None) -> Iterable[str]:
    known = set() if but is None else {*but.background, *but.pid, *but.on, *but.unless}
    for flag in program.background:
        value = _value(arguments, flag)
        if flag not in known and value is not None and value.lower() not in _OFF:
            yield f"{name} puts itself into the background with {flag}: leave it out."
    for flag, values in program.on.items():
        if (_value(arguments, flag) or "").lower() in values:
            yield f"{name} puts itself into the background with {flag}: leave it out."
    for flag in program.pid:
        value = _value(arguments, flag)
        if flag not in known and value is not None and value not in _NOWHERE:
            yield f"{name} writes a PID file with {flag}, which procdeck does not need: leave it out."


def _value(arguments: list[str], flag: str) -> str | None:
    """What is given with a flag, if it is there: `--flag value`, `--flag=value`, `-fvalue`; `+` when nothing is."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            return None
        if argument == flag:
            following = arguments[place + 1 : place + 2]
            return following[0] if following and not following[0].startswith("-") else "+"
        if flag.startswith("--") and argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
    return None


def _of_containers(name: str, arguments: list[str]) -> Iterable[str]:
    words = [argument for argument in arguments if not argument.startswith("-")]
    if not words:
        return
    if words[0] == "compose" or name.endswith("-compose"):
        if "up" in words and any(argument in ("-d", "--detach") for argument in arguments):
            yield f"{name} up -d leaves its containers in the background: leave out -d."
    elif words[0] == "run" and _detached(arguments[arguments.index("run") + 1 :]):
        yield f"{name} run -d leaves its container in the background: leave out -d."
    elif words[0] == "start" and not any(argument in ("-a", "--attach", "-ai", "-ia") for argument in arguments):
        yield f"{name} start leaves its container in the background: add -a."


def _detached(arguments: list[str]) -> bool:
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        argument = arguments[place]
        place += 1
        if argument in ("--detach", "--detach=true"):
            return True
        if argument.startswith("--"):
            place += "=" not in argument and argument not in DOCKER_SWITCHES
            continue
        for number, letter in enumerate(argument[1:], 1):
            if letter == "d":
                return True
            if letter in DOCKER_VALUED:
                # Its value follows at once, or is the next word.
                place += number == len(argument) - 1
                break
    return False


def _after_flag(texts: list[str], letter: str) -> str | None:
    """What stands behind the flag with this letter, alone or among others (`-lc`)."""
    for place, text in enumerate(texts[1:], 1):
        if not text.startswith("-"):
            return None
        if not text.startswith("--") and letter in text:
            return texts[place + 1] if place + 1 < len(texts) else None
    return None
