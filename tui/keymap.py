"""Other keys for the dashboard's actions: what `[keys]` of the settings may say, and what then stands in tables, help
and footer. Pure, and loads no part of Textual: the command line checks settings with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import nearest

from .keys import VIEWS, Key

_CHARACTERS = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Where Textual's name of a character is not Unicode's."""
_SHOWN = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
}
_SPECIAL = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"}
    | {"enter", "tab", "escape", "space"}
    | {f"f{number}" for number in range(1, 25)}
)
_ALIASES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown"}
_SAME_FOR_TERMINALS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+[": "escape"}
_TERMINALS_OWN = frozenset({"ctrl+q", "ctrl+s", "ctrl+z"})
_MODIFIERS = ("ctrl", "alt", "shift")


def key_name(text: str) -> str:
    """A key as Textual names it, from what a person writes: `R`, `ctrl+r`, `/`, `esc`, `shift+f5`.

    Raises:
        ValueError: there is no such key, or no terminal sends it; says what to write.
    """
    if len(text) == 1:
        return _character_name(text)
    lowered = text.lower()
    if lowered in _SAME_FOR_TERMINALS:
        raise ValueError(f"for terminals it is the same as {_SAME_FOR_TERMINALS[lowered]}: write that")
    if lowered in _TERMINALS_OWN:
        raise ValueError("it belongs to the terminal: choose another")
    *modifiers, last = re.split(r"\+(?=.)", lowered)
    name = _ALIASES.get(last, last)
    if len(last) == 1:
        if modifiers and modifiers[-1] == "shift" and last.isalpha():
            raise ValueError(f"with shift a letter is a capital: write {'+'.join([*modifiers[:-1], last.upper()])}")
        name = _character_name(text[-1] if modifiers == ["alt"] else last)
    elif name not in _SPECIAL and name not in _named_characters():
        guess = nearest(name, [*_SPECIAL, *_named_characters()])
        hint = f"did you mean {'+'.join([*modifiers, guess])}?" if guess else "write r, R, ctrl+r, f5, enter, / …"
        raise ValueError(f"there is no such key: {hint}")
    order = [modifier for modifier in ("alt", "ctrl", "shift") if modifier in modifiers]
    if len(order) != len(modifiers):
        raise ValueError(f"there is no such key: what may stand before a + is {', '.join(_MODIFIERS)}")
    return "+".join([*order, name])


def _character_name(character: str) -> str:
    if character.isalnum():
        return character
    try:
        name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    except ValueError:
        raise ValueError("there is no such key: write r, R, ctrl+r, f5, enter, / …") from None
    return _CHARACTERS.get(name, name)


def _named_characters() -> dict[str, str]:
    """The signs of a keyboard, by their names."""
    return {_character_name(chr(code)): chr(code) for code in range(33, 127) if not chr(code).isalnum()}


def key_shown(name: str) -> str:
    """A key as people write it, from Textual's name: `?` for `question_mark`."""
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, _SHOWN.get(last) or _named_characters().get(last, last)])


class Keymap:
    """The tables with the keys of the settings in them."""

    def __init__(self, chosen: Mapping[str, Sequence[str]] | None = None) -> None:
        """
        Args:
            chosen: keys by the name of an action, as `[keys]` has them.

        Raises:
            ProcdeckError: with a sentence, on a line of its own, for everything that is wrong with them.
        """
        self._chosen: dict[str, list[str]] = {}
        problems = list(self._read(chosen or {})) or list(self._clashes())
        if problems:
            raise ProcdeckError("\n".join(problems))

    @property
    def overrides(self) -> dict[str, str]:
        """For `textual.app.App.set_keymap`."""
        return {name: ",".join(keys) for name, keys in self._chosen.items()}

    def apply(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        """A table with those keys that it has now."""
        return tuple(self._applied(key) for key in keys)

    def _applied(self, key: Key) -> Key:
        chosen = self._chosen.get(key.name)
        if chosen is None:
            return key
        return replace(key, keys=",".join(chosen), shown=" ".join(map(key_shown, chosen)))

    def shown(self, name: str) -> str:
        """The first key of an action, as people write it; empty when there is no such action."""
        found = _keys().get(name)
        return self._applied(found).shown.split(" ")[0] if found is not None else ""

    def hint(self, shown: str, keys: Iterable[Key]) -> str:
        """What stands in the place of a key, or of two (`+/-`), in the footer of a view.

        Args:
            shown: the key as it is without settings.
            keys: the view's table.
        """
        if not self._chosen:
            return shown
        names = {word: key for key in keys for word in key.shown.split(" ")}
        parts = [shown] if shown in names else shown.split("/")
        return "/".join(
            self._applied(names[part]).shown.split(" ")[0]
            if part in names and names[part].name in self._chosen
            else part
            for part in parts
        )

    def _read(self, chosen: Mapping[str, Sequence[str]]) -> Iterable[str]:
        known = names()
        for name, keys in chosen.items():
            if name not in known:
                guess = nearest(name, known)
                hint = f"did you mean keys.{guess}?" if guess else "the palette (:) has them all, with spaces for _."
                yield f"The setting keys.{name}: there is no such action: {hint}"
                continue
            read: list[str] = []
            for key in keys:
                try:
                    read.append(key_name(key))
                except ValueError as error:
                    yield f"The setting keys.{name}: {key!r}: {error}{'' if str(error).endswith(('?', '…')) else '.'}"
            self._chosen[name] = list(dict.fromkeys(read))

    def _clashes(self) -> Iterable[str]:
        told: set[tuple[str, frozenset[str]]] = set()
        for view, table in VIEWS.items():
            taken: dict[str, str] = {}
            for key in self.apply(table):
                for each in key.keys.split(","):
                    other = taken.setdefault(each, key.name)
                    both = frozenset({other, key.name})
                    if other != key.name and both & self._chosen.keys() and (each, both) not in told:
                        told.add((each, both))
                        at_fault = key.name if key.name in self._chosen else other
                        yield (
                            f"The setting keys.{at_fault}: in the {view} view {key_shown(each)} is "
                            f"{key.name if at_fault == other else other} already: give one of them another key."
                        )


def names() -> list[str]:
    """The names of all actions that can be given other keys."""
    return list(_keys())


@cache
def _keys() -> dict[str, Key]:
    """By the name of an action: its key in the first view that has it. Asked for in every row that is drawn."""
    found: dict[str, Key] = {}
    for key in chain.from_iterable(VIEWS.values()):
        found.setdefault(key.name, key)
    return found
