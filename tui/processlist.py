"""Which lines the process tree has from look to look, and which of them is selected: a process and never a row, so that
nothing that starts or ends brings another under the cursor. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from procdeck.core.messages import ProcessView

from .family import Branch, Key, Relative, branches, group_key
from .status import Glyphs

_SAME_START = 2.0
"""Seconds by which the start of a process may seem to move from one look to the next."""


class Sightings:
    """Knows processes again from look to look."""

    def __init__(self) -> None:
        self._started: dict[int, float] = {}

    def take(self, processes: Iterable[ProcessView], now: float) -> list[Relative]:
        """Takes what was seen at a moment; the same process has the same key every time."""
        found = []
        for view in processes:
            started = now - view.age
            known = self._started.get(view.pid)
            if known is not None and abs(known - started) < _SAME_START:
                started = known
            found.append(Relative(view, started))
        self._started = {relative.view.pid: relative.started for relative in found}
        return found


class ProcessList:
    """The lines of an instance's tree, with a cursor."""

    def __init__(self, signs: Glyphs) -> None:
        self._signs = signs
        self._sightings = Sightings()
        self._seen: set[Key] = set()
        self._unfolded: set[Key] = set()
        self.relatives: list[Relative] = []
        """The processes that are there."""
        self.branches: list[Branch] = []
        """The lines. Those of processes that have ended stay as long as they are selected, and all of them until there
        are others: what was there can be read, and nothing moves while a crash loop goes on."""
        self.index = 0
        """The place of the selected line."""
        self.selected: Branch | None = None
        """The selected line, as it was last seen; None when there is none."""

    def take(self, processes: Iterable[ProcessView], now: float) -> None:
        """Takes in what was seen at a moment. The selection stays on its process, also when that has ended, unless
        nobody is left of those that were there: then it is the first one."""
        self.relatives = self._sightings.take(processes, now)
        keys = {relative.key for relative in self.relatives}
        if keys and not keys & self._seen:
            self.selected, self.index = None, 0
        self._seen = keys
        self._arrange()

    def all_ended(self) -> None:
        """Hears that none of them is there any more."""
        if self.relatives:
            self.relatives = []
            self._arrange()

    def select(self, index: int) -> None:
        """Selects the line at a place, or the nearest one."""
        if self.branches:
            self.selected = self.branches[max(0, min(index, len(self.branches) - 1))]
            self.index = self.branches.index(self.selected)
            self._arrange()

    def toggle_fold(self) -> None:
        """Shows the alike processes of the selected line one by one, or in one line."""
        if self.selected is not None and self.selected.count > 1:
            self._unfolded ^= {self.selected.key}
            self._arrange()

    def _arrange(self) -> None:
        if not self.relatives:
            self.branches = [replace(branch, ended=True) for branch in self.branches]
        else:
            found = branches(self.relatives, self._unfolded, self._signs)
            if self.selected is not None:
                found, self.index = _with_ended(found, self.selected, self.index)
            self.branches = found
        self.index = max(0, min(self.index, len(self.branches) - 1))
        self.selected = self.branches[self.index] if self.branches else None


def _with_ended(found: list[Branch], selected: Branch, place: int) -> tuple[list[Branch], int]:
    """Finds the selected line again. One that has ended stays where it was, so that no other comes under the cursor.

    Args:
        found: the lines as they are now.
        selected: the one that is sought, as it was.
        place: where it was.

    Returns:
        The lines, with it among them, and its place.
    """
    for i, branch in enumerate(found):
        if branch.key == selected.key:
            return found, i
    if selected.count > 1:
        # They are no longer so many that they are folded: the first of them stands where they stood.
        return found, min(place, max(0, len(found) - 1))
    inside = next((i for i, branch in enumerate(found) if branch.key == group_key(selected.view)), None)
    if inside is not None:
        return found, inside  # it is there, in the line of those that are alike
    ended = replace(selected, ended=True)
    place = min(place, len(found))
    return [*found[:place], ended, *found[place:]], place
