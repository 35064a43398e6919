"""The processes of an instance as a family: who is whose child, which are alike, and what the whole is when one looks
at it from afar (a master with workers, a virtual machine, an event loop). Pure: process views in, branches of a tree
and words out; how they look is `processtree`'s matter.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from procdeck.core.messages import ProcessView

from .status import Glyphs
from .text import plural

MANY = 8
"""So many alike children are shown one by one; more are folded into one line."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "ksh", "fish"})
_INTERPRETERS = re.compile(r"(python|pypy|ruby|perl)[\d.]*$")
_EVENT_LOOPS = frozenset({"node", "deno", "bun", "uvicorn", "hypercorn", "daphne"})
_PREFORK = frozenset({"gunicorn", "uwsgi", "unicorn", "puma", "celery", "php-fpm"})
"""Servers whose children are workers, also when there is only one."""
_THREADED = 8
"""Threads from which on one process is called threaded."""

Key: TypeAlias = tuple[int, float] | tuple[int, str]
"""A line of the tree, whatever place it has: a process by its pid and its start, alike children by their parent's pid
and their kind."""


@dataclass(frozen=True)
class Relative:
    """A process that can be told from one that gets its pid later."""

    view: ProcessView
    started: float
    """On the clock of whoever looks, as it was first reckoned."""

    @property
    def key(self) -> Key:
        """What it is selected by."""
        return self.view.pid, self.started


@dataclass
class _Node:
    relative: Relative
    children: list["_Node"] = field(default_factory=list)


@dataclass(frozen=True)
class Branch:
    """A line of the tree: a process, or several alike."""

    key: Key
    view: ProcessView
    """The process; of several the first one, with the sums of all."""
    stem: str = ""
    """The lines that lead to it from its parent."""
    count: int = 1
    """So many are in this line."""
    folded: bool = False
    ended: bool = False
    """It is not there any more, and is shown only because it is selected."""


# The tree -------------------------------------------------------------------------------------------------------------


def branches(relatives: Sequence[Relative], unfolded: Collection[Key], signs: Glyphs) -> list[Branch]:
    """The lines of the tree.

    Args:
        relatives: each behind its parent.
        unfolded: the keys of alike children that are to be shown one by one, however many they are.
        signs: of the terminal.
    """
    return [branch for root in _roots(relatives) for branch in _branches(root, "", "", unfolded, signs)]


def group_key(view: ProcessView) -> Key:
    """The key of the line in which a process stands with its like, when there are many."""
    return view.parent, kind(view.command)


def _roots(relatives: Iterable[Relative]) -> list[_Node]:
    roots: list[_Node] = []
    path: list[_Node] = []
    for relative in relatives:
        node = _Node(relative)
        del path[max(0, relative.view.depth) :]
        (path[-1].children if path else roots).append(node)
        path.append(node)
    return roots


def _branches(node: _Node, stem: str, below: str, unfolded: Collection[Key], signs: Glyphs) -> Iterator[Branch]:
    """The lines of a process and all below it.

    Args:
        node: the process.
        stem: what stands before it.
        below: what stands before everything below it.
        unfolded: as for `branches`.
        signs: of the terminal.
    """
    yield Branch(node.relative.key, node.relative.view, stem)
    tee, corner, bar = ("|-", "`-", "| ") if signs.ascii else ("├─", "└─", "│ ")
    groups = _grouped(node)
    for i, group in enumerate(groups):
        last = i == len(groups) - 1
        lead, rest = below + (corner if last else tee), below + ("  " if last else bar)
        if len(group) == 1:
            yield from _branches(group[0], lead, rest, unfolded, signs)
            continue
        key = group_key(group[0].relative.view)
        folded = key not in unfolded
        yield Branch(key, _sum([child.relative.view for child in group]), lead, len(group), folded)
        if not folded:
            for child in group:
                yield from _branches(child, rest + (corner if child is group[-1] else tee), rest, unfolded, signs)


def _grouped(node: _Node) -> list[list[_Node]]:
    """A process's children: together those that are alike and many, at the place of the first; everybody else alone."""
    alike = Counter(_plain_kind(child) for child in node.children)
    groups: list[list[_Node]] = []
    many: dict[str, list[_Node]] = {}
    for child in node.children:
        its = _plain_kind(child)
        if its is not None and its in many:
            many[its].append(child)
            continue
        groups.append([child])
        if its is not None and alike[its] > MANY:
            many[its] = groups[-1]
    return groups


def _plain_kind(node: _Node) -> str | None:
    """The kind of one with which nothing is special; None of all others, which are to be seen on their own."""
    view = node.relative.view
    special = node.children or view.daemonised or view.state in _UNUSUAL
    return None if special else kind(view.command)


def _sum(views: Sequence[ProcessView]) -> ProcessView:
    files = [view.files for view in views if view.files is not None]
    first = views[0]
    return ProcessView(
        pid=first.pid,
        parent=first.parent,
        depth=first.depth,
        command=first.command,
        state="R" if any(view.state == "R" for view in views) else first.state,
        cpu=round(sum(view.cpu for view in views), 1),
        memory=sum(view.memory for view in views),
        threads=sum(view.threads for view in views),
        age=max(view.age for view in views),
        files=sum(files) if files else None,
        ports=sorted({port for view in views for port in view.ports}),
    )


# What a process is ----------------------------------------------------------------------------------------------------

_UNUSUAL = frozenset("TtZX")


def kind(command: str) -> str:
    """What is the same in the command lines of alike processes: all but the numbers."""
    return re.sub(r"\d+", "#", command)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def program(command: str) -> str:
    """The name of what runs, in a word: `node`; of an interpreter the script's: `gunicorn`."""
    words = command.split()
    if not words:
        return "?"
    # Many servers write titles in the place of their command lines: `nginx: worker process`, `[kworker]`.
    name = _name(words[0].rstrip(":")).removeprefix("-").strip("[]") or words[0]
    if len(words) > 2 and _INTERPRETERS.match(name) and words[1] == "-m":
        return words[2].partition(".")[0]
    return _script(words) or name


def _script(words: Sequence[str]) -> str:
    """The name of the script that an interpreter runs; empty when there is none."""
    if len(words) < 2 or not _INTERPRETERS.match(_name(words[0])) or words[1].startswith("-"):
        return ""
    return _name(words[1])


def shown_command(command: str, folder: str = "") -> str:
    """A command line without what is long and the same for all: the folder of its program, the folder in which it runs,
    and the interpreter of a script."""
    if folder not in ("", "/"):
        command = command.replace(f" {folder}/", " ")
    if script := _script(command.split()):
        return " ".join([script, *command.split()[2:]])
    first, gap, rest = command.partition(" ")
    return f"{_name(first)}{gap}{rest}" if first.startswith("/") and not first.endswith("/") else command


# What the family is ---------------------------------------------------------------------------------------------------


def described(relatives: Sequence[Relative]) -> str:
    """What the processes are together: `1 master, 4 workers · 6 processes, 9 threads`."""
    views = [relative.view for relative in relatives if relative.view.state not in "ZX"]
    counts = f"{plural(len(views), 'process', 'processes')}, {plural(sum(view.threads for view in views), 'thread')}"
    shape = _shape(relatives)
    return f"{shape} · {counts}" if shape else counts


def lineage(relatives: Sequence[Relative]) -> str:
    """The way from the instance's own process down to where it divides: `sh → npm → node → 4 × node`; empty when there
    is only one process."""
    roots = _roots(relatives)
    names = []
    while len(roots) == 1:
        names.append(program(roots[0].relative.view.command))
        roots = roots[0].children
    if roots:
        counts = Counter(program(root.relative.view.command) for root in roots)
        names.append(", ".join(f"{count} × {name}" if count > 1 else name for name, count in counts.most_common(3)))
    return " → ".join(names) if len(names) > 1 else ""


def _shape(relatives: Sequence[Relative]) -> str:
    masters = _masters(_roots(relatives))
    if masters:
        workers = sum(masters)
        return f"{plural(len(masters), 'master')}, {plural(workers, 'worker')}"
    views = [relative.view for relative in relatives if relative.view.state not in "ZX"]
    names = {program(view.command) for view in views}
    if any(_name(view.command.partition(" ")[0]) == "java" for view in views):
        return "JVM"
    if names & _EVENT_LOOPS:
        return "event loop"
    if any(view.threads >= _THREADED for view in views):
        return "threaded"
    return ""


def _masters(nodes: Iterable[_Node]) -> list[int]:
    """The numbers of workers of all that have some."""
    found = []
    for node in nodes:
        workers = _workers(node)
        if workers:
            found.append(workers)
        else:
            found += _masters(node.children)
    return found


def _workers(node: _Node) -> int:
    """How many of a process's children are its workers: those of the same program that are alike, or that say so."""
    command = node.relative.view.command
    name = program(command)
    if name in SHELLS:
        return 0
    own = [
        child.relative.view.command
        for child in node.children
        if child.relative.view.state not in "ZX"
        and (program(child.relative.view.command) == name or _interpreter(child) == _interpreter(node) != "")
    ]
    said = sum(1 for other in own if "worker" in other.lower() and "worker" not in command.lower())
    if said:
        return said
    # Of others two are needed: many programs have one child of their own kind, such as one that starts them anew when
    # a file was saved.
    most = max(Counter(kind(other) for other in own).values(), default=0)
    return most if most > 1 or name in _PREFORK else 0


def _interpreter(node: _Node) -> str:
    """The interpreter of a script without its version; empty for other programs."""
    name = _name(node.relative.view.command.partition(" ")[0])
    found = _INTERPRETERS.match(name)
    return found[1] if found else ""
