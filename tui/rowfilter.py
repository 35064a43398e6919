"""A filter of the table's rows: which words a row can be found by, and whether it has those that are asked for. Pure.

Plain words and no patterns: all of them must be somewhere in the row's name, its state, its PORT or its pid. With small
letters only, case does not matter.
"""

from dataclasses import dataclass
from functools import cached_property

from procdeck.core.messages import InstanceView
from procdeck.core.state import State

from .model import Formation, standing
from .status import exit_word, type_status


@dataclass(frozen=True)
class RowFilter:
    """What somebody typed to see fewer rows."""

    text: str = ""

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self._words)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(self.text.split())

    @cached_property
    def _any_case(self) -> bool:
        return self.text == self.text.lower()

    def passes(self, words: str) -> bool:
        """Whether a row that has these words is asked for."""
        if self._any_case:
            words = words.lower()
        return all(word in words for word in self._words)


def instance_words(view: InstanceView) -> str:
    """What an instance can be found by."""
    words = [view.name, standing(view), str(view.port)]
    if view.pid is not None:
        words.append(str(view.pid))
    if view.state in (State.CRASHED, State.BACKOFF, State.EXITED):
        # A crash is a crash while the next try is waited for, and then it is in backoff too.
        words += [view.state.value] + ([exit_word(view.last_exit)] if view.last_exit is not None else [])
    if standing(view) == "looping":
        words.append("crash loop crashed")
    words += [word for word, said in _FLAGS.items() if getattr(view, said)]
    return "\n".join(words)


_FLAGS = {"held": "held", "old": "outdated", "daemon": "daemonised", "prompt": "prompt"}
"""Words that are told beside the state, and the field that says so."""


def type_words(formation: Formation, name: str) -> str:
    """What a type can be found by, all of its instances with it."""
    return name if formation.of_type(name) else f"{name}\n{type_status(formation, name).word}"
