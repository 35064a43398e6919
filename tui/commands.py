"""What can be said in the command palette, and which of it is meant by what has been typed so far. Pure; how it is
shown, and what comes of it, is `screens.palette`'s and the app's matter.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import MAX_QUANTITY, format_formation, parse_changes
from procdeck.core.state import State

from .keymap import Keymap
from .keys import MAIN, Key
from .model import CRASHED, Formation

_LAST = ("Move",)
"""Groups of keys that nobody types the names of: they stand behind the others."""
_UP = frozenset({State.STARTING, State.RUNNING})


@dataclass(frozen=True)
class Command:
    """Something that can be done."""

    title: str
    """As it is typed: `restart web.2`."""
    action: str
    """For Textual, on the view that is open."""
    about: str = ""
    """What it does."""
    key: str = ""
    """The keys that do the same."""
    why_not: str = ""
    """Why it cannot be done now; empty: it can."""


@dataclass(frozen=True)
class Found:
    """A command that may be meant."""

    command: Command
    marks: frozenset[int]
    """The letters of its title that were typed."""


def of_view(keys: Iterable[Key], keymap: Keymap, why_not: Callable[[str], str] = lambda name: "") -> list[Command]:
    """The actions of a view.

    Args:
        keys: its table.
        keymap: the keys that they have now.
        why_not: from an action's name, why it cannot be done now.
    """
    sorted_ = sorted(keymap.apply(keys), key=lambda key: key.group in _LAST)
    return [
        Command(key.name.replace("_", " "), key.action, key.help, key.shown, why_not(key.name))
        for key in sorted_
        if key.name != "palette"
    ]


def of_formation(formation: Formation) -> list[Command]:
    """What can be done to each type and each instance, by its name."""
    commands: list[Command] = []
    for name, type_ in formation.types.items():
        wanted = type_.wanted
        for count in dict.fromkeys((wanted + 1, max(0, wanted - 1), 0)):
            if count != wanted and count <= MAX_QUANTITY:
                commands.append(_asking("scale", f"{name}={count}", f"now {wanted}"))
        lives = formation.of_type(name)
        nothing = "" if lives else f"{name} is scaled to 0"
        up = [live for live in lives if live.view.state in _UP]
        commands += [
            _asking("restart", name, "all its instances", nothing),
            _asking("roll", name, "restart one instance after the other", nothing),
            _asking("stop", name, "all its instances", nothing or ("" if up else f"{name} does not run")),
            _asking("kill", name, "all its instances, now", nothing or ("" if up else f"{name} does not run")),
            Command(f"logs {name}", f"app.logs({name!r})", "the log of all its instances"),
            Command(f"go to {name}", f"app.go_to({name!r})", "select it"),
        ]
    for name, live in formation.live.items():
        view = live.view
        runs = view.state in (*_UP, State.STOPPING)
        down = "" if runs else f"{name} does not run"
        restart = "retry now" if view.state in CRASHED else "" if runs else "start it"
        commands += [
            _asking("restart", name, restart),
            _asking("stop", name, "", down if view.state is not State.BACKOFF else ""),
            _asking("kill", name, "KILL now", down),
            _asking("hold", name, "let it go" if view.held else "no more tries"),
            Command(f"logs {name}", f"app.logs({name!r})", "its log"),
            Command(f"go to {name}", f"app.go_to({name!r})", "select it"),
            Command(f"open {name}", f"app.show_instance({name!r})", "its processes, settings, runs"),
            Command(f"attach {name}", f"app.attach_to({name!r})", "the terminal", "", down),
            Command(f"browse {name}", f"browse({name!r})", f"http://localhost:{view.port}", "", down),
        ]
        if view.crashes:
            commands += [
                Command(f"inspect {name}", f"app.inspect({name!r})", "its latest crash"),
                Command(f"edit {name}", f"edit({name!r})", "at the place of its latest crash"),
            ]
    return commands


_EVERYWHERE = {
    "restart_crashed": "tell('restart', 'crashed')",
    "apply": "tell('apply', '')",
    "detach": "app.detach",
    "quit": "app.quit_formation",
    "help": "app.help",
    "theme": "app.theme",
}
"""Actions that can be done in every view, also where no key does them."""


def of_everywhere(keys: Iterable[Key], why_not: Callable[[str], str] = lambda name: "") -> list[Command]:
    """Those of the actions that every view has for which this one has no key. Arguments as for `of_view`."""
    there = {key.name for key in keys}
    told = {key.name: key for key in MAIN}
    return [
        Command(name.replace("_", " "), action, told[name].help, "", why_not(name))
        for name, action in _EVERYWHERE.items()
        if name not in there
    ]


def of_dashboard(themes: Iterable[str]) -> list[Command]:
    """What has no key of its own: other views by their names, and themes."""
    return [
        Command("go to main", "app.show_main", "the main view"),
        Command("go to grid", "app.show_grid", "a cell for each instance"),
        *(Command(f"theme {name}", f"app.take_theme({name!r})", "colours") for name in themes),
    ]


def scaling(typed: str, formation: Formation) -> Command | None:
    """What was typed in Heroku's words (`web=3 worker+1`, with `scale` before it or not); None when it is not that.

    What begins so and is not right, or not yet, is a command that cannot be done, and says why.
    """
    words = typed.lstrip().removeprefix("scale ").strip()
    said = typed.lstrip().startswith("scale ") and words != ""
    if said:
        # As those write it who come from docker and k9s.
        words = re.sub(r"^([\w-]+)\s+(\d+)$", r"\1=\2", words)
    wanted = {name: type_.wanted for name, type_ in formation.types.items()}
    try:
        changed = parse_changes(words, wanted)
    except ProcdeckError as error:
        begun = said or any(words.startswith(f"{name}{sign}") for name in wanted for sign in "=+")
        return Command(f"scale {words}", "", why_not=str(error)) if begun else None
    before = format_formation({name: wanted[name] for name in changed})
    return _asking("scale", format_formation(changed), f"now {before}")


def find(
    typed: str, own: Sequence[Command], everything: Sequence[Command], formation: Formation, recent: Sequence[str] = ()
) -> list[Found]:
    """What is meant by what has been typed, the likeliest first.

    Args:
        typed: empty: what the view itself has.
        own: the commands of the view.
        everything: all that there are, these too.
        formation: for counts that are typed.
        recent: as for `rank`.
    """
    found = rank(typed, everything if typed.strip() else own, recent)
    scaled = scaling(typed, formation)
    if scaled is None:
        return found
    first = Found(scaled, frozenset())
    return [*found, first] if scaled.why_not else [first, *found]


def rank(typed: str, commands: Sequence[Command], recent: Sequence[str] = ()) -> list[Found]:
    """The commands that are meant, the likeliest first.

    Every word that was typed has to be found in the title, in any order: at the beginning of a word at best, with
    letters between at worst; else, at the beginning of a word, in what is said about it. Of equals the one that was
    used last comes first, then the shorter one, then the one that stands first.

    Args:
        typed: empty: all, those that were used lately first.
        commands: of which.
        recent: titles of those that were used, the latest first.
    """
    age = {title: len(recent) - place for place, title in reversed([*enumerate(recent)])}
    words = typed.lower().split()
    found: list[tuple[tuple[float, ...], Found]] = []
    for place, command in enumerate(commands):
        score, marks = _score(words, command)
        if score > 0 or not words:
            order = (
                -score,
                -age.get(command.title, 0),
                bool(command.why_not),
                len(command.title) if words else 0,
                place,
            )
            found.append((order, Found(command, frozenset(marks))))
    found.sort(key=lambda each: each[0])
    return [each for _, each in found]


def _asking(command: str, target: str, about: str, why_not: str = "") -> Command:
    return Command(f"{command} {target}", f"tell({command!r}, {target!r})", about, "", why_not)


_WHOLE, _BEGINNING, _WITHIN, _ABOUT, _SCATTERED = 8.0, 6.0, 3.0, 1.0, 2.0


def _score(words: Sequence[str], command: Command) -> tuple[float, set[int]]:
    """How well words fit, and the letters of the title that they are; 0: not at all."""
    title = command.title.lower()
    total, marks = 0.0, set[int]()
    for word in words:
        score, letters = _fit(word, title)
        if not score:
            if re.search(rf"\b{re.escape(word)}", command.about.lower()) is None:
                return 0.0, set()
            score = _ABOUT
        total += score
        marks |= letters
    # Words in the order of the title are meant so.
    return total + (0.5 if title.startswith(" ".join(words)) else 0.0), marks


def _fit(word: str, title: str) -> tuple[float, set[int]]:
    at = title.find(word)
    best = 0.0, set[int]()
    while at >= 0:
        end = at + len(word)
        begins = at == 0 or not title[at - 1].isalnum()
        ends = end == len(title) or not title[end].isalnum()
        score = (_WHOLE if ends else _BEGINNING) if begins else _WITHIN
        if score > best[0]:
            best = score, set(range(at, end))
        at = title.find(word, at + 1)
    if best[0]:
        return best
    letters: set[int] = set()
    at, beginnings = -1, 0
    for letter in word:
        there = title.find(letter, at + 1)
        if there < 0:
            return 0.0, set()
        # The beginning of a word before anything between: `rw2` is restart web.2.
        starts = (i for i in range(there, len(title)) if title[i] == letter and (not i or not title[i - 1].isalnum()))
        start = next(starts, -1)
        beginnings += start >= 0
        at = start if start >= 0 else there
        letters.add(at)
    return _SCATTERED * (1 + beginnings / len(word)) / 2, letters
