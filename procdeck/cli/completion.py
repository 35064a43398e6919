"""`procdeck completion`: what bash, zsh and fish need to complete procdeck's words, and which words there are: commands
and options as click knows them, types and instances from the engine that runs, else from the Procfile.

Whoever presses TAB must neither wait nor read a complaint: an engine that is slow, and every mistake, is no word.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from procdeck.cli.output import printing, say
from procdeck.core.errors import ProcdeckError

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # which is generic in later versions only

VARIABLE = "_PROCDECK_COMPLETE"
"""Set by the shells' functions when they ask for words."""
_PATIENCE = 0.15
"""Seconds for the engine's answer."""
_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(_SHELLS), required=False)
def completion(shell: str | None) -> int:
    """Print what makes a shell complete procdeck's commands, options, types and instances.

    \b
    Examples:
      eval "$(procdeck completion bash)"    # in ~/.bashrc
      eval "$(procdeck completion zsh)"     # in ~/.zshrc, behind compinit
      procdeck completion fish | source     # in ~/.config/fish/config.fish
    """
    if shell is None:
        shell = Path(os.environ.get("SHELL", "")).name
        if shell not in _SHELLS:
            raise click.UsageError("Say which shell it is for: bash, zsh or fish.")
    return printing(lambda: _print(shell))


def _print(shell: str) -> int:
    _register()
    kind = get_completion_class(shell)
    assert kind is not None
    # Not through the subclass, which for bash would run one to ask for its version.
    say(ShellComplete.source(kind(click.Command("procdeck"), {}, "procdeck", VARIABLE)).strip())
    return 0


# What the shells run ----------------------------------------------------------------------------------------------


class _Bash(BashComplete):
    # `web=` goes on without a space.
    source_template = BashComplete.source_template.replace(
        "    return 0\n",
        "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n    return 0\n",
    )


class _Zsh(ZshComplete):
    source_template = ZshComplete.source_template.replace(
        '        if [[ "$type" == "plain" ]]; then\n',
        '        if [[ "$type" == "plain" && "$key" == *= ]]; then\n'
        "            compadd -U -S '' -- \"$key\"\n"
        '        elif [[ "$type" == "plain" ]]; then\n',
    )


def _register() -> None:
    add_completion_class(_Bash, "bash")
    add_completion_class(_Zsh, "zsh")
    add_completion_class(FishComplete, "fish")


def answer(group: click.Group) -> int:
    """Prints the words for the shell that asks. Returns the exit status."""
    _register()
    # Whatever goes wrong is not for the line on which somebody types.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), contextlib.suppress(Exception):
        return shell_complete(group, {}, "procdeck", VARIABLE, os.environ[VARIABLE])
    return 1


# Which words there are --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What there is to be named."""

    types: dict[str, str]
    """With their commands."""
    instances: dict[str, str]
    """With their states; empty when nothing runs."""


def _known(ctx: click.Context) -> _Known:
    given = {name: ctx.params.get(name) or None for name in ("procfile", "root", "socket")}
    try:
        return _running(**given)
    except ProcdeckError:
        return _written(given["procfile"], given["root"])


def _running(procfile: str | None, root: str | None, socket: str | None) -> _Known:
    from procdeck.cli.engines import find
    from procdeck.core.asking import Asker

    with Asker(find(procfile, root, socket).socket, patience=_PATIENCE) as engine:
        snapshot = engine.snapshot()
    return _Known(
        {type_.name: type_.command for type_ in snapshot.types},
        {view.name: view.state.value for view in snapshot.instances},
    )


def _written(procfile: str | None, root: str | None) -> _Known:
    from procdeck.cli.engines import find
    from procdeck.core.procfile import read_procfile

    folder = find(procfile, root).root
    assert folder is not None
    types = read_procfile(Path(procfile) if procfile else folder / "Procfile")
    return _Known({type_.name: type_.command for type_ in types}, {})


def _targets(ctx: click.Context) -> dict[str, str]:
    known = _known(ctx)
    return {**known.types, **known.instances, "all": "every instance", "crashed": "what is down because it crashed"}


def _types(ctx: click.Context) -> dict[str, str]:
    return _known(ctx).types


def _types_and_instances(ctx: click.Context) -> dict[str, str]:
    known = _known(ctx)
    return {**known.types, **known.instances}


def _quantities(ctx: click.Context) -> dict[str, str]:
    return {f"{name}=": command for name, command in _known(ctx).types.items()}


def _signals(ctx: click.Context) -> dict[str, str]:
    return {one.name.removeprefix("SIG"): "" for one in signal.Signals}


def _levels(ctx: click.Context) -> dict[str, str]:
    return dict.fromkeys(("debug", "info", "warning", "error"), "")


Words = Callable[[click.Context], dict[str, str]]

_WORDS: dict[str, Words] = {
    "targets": _targets,
    "names": _targets,
    "selected": _types,
    "words": _types,
    "quiet": _types,
    "changes": _quantities,
    "formation": _quantities,
    "concurrency": _quantities,
    "level": _levels,
    "signal.name": _signals,
    "env.name": _types_and_instances,
    "start.selected": _types_and_instances,
    "bench.type_": _types,
}
"""By the name of an option or argument; and by the command's before it, where that makes a difference."""
_FILES = dict.fromkeys(
    ("procfile", "env_files", "socket", "json_file", "csv_file", "svg_file", "record"), "file"
) | dict.fromkeys(("root", "detach_or_root", "log_dir", "location", "templates"), "dir")


class _Named(_ParamType):
    """Values of which the words are known."""

    name = "text"

    def __init__(self, words: Words) -> None:
        self._words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        used = ctx.params.get(param.name or "") or ()
        words = self._words(ctx)
        return [
            CompletionItem(word, help=_short(told))
            for word, told in words.items()
            if word.startswith(incomplete) and not (isinstance(used, tuple) and word in used)
        ]


class _Path(_ParamType):
    """Values that are paths, which the shell knows best."""

    name = "path"

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type=self._kind)]


def teach(command: click.Command, name: str) -> None:
    """Tells the parameters of a command which words they take."""
    for param in command.params:
        key = param.name or ""
        words = _WORDS.get(f"{name}.{key}") or _WORDS.get(key)
        if isinstance(param.type, click.Choice) or getattr(param, "is_flag", False):
            continue
        if words is not None:
            param.type = _Named(words)
        elif key in _FILES:
            param.type = _Path(_FILES[key])


def _short(text: str) -> str | None:
    line = " ".join(text.split())
    return f"{line[:59]}…" if len(line) > 60 else line or None


def items(table: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """Commands with what they do, of those that begin so."""
    return [CompletionItem(name, help=told) for name, told in table if name.startswith(incomplete)]
