"""Which rows the table has, and in which order: the formation's, folded, filtered and sorted. Pure, given the time.

Sorting by what changes all the time would move rows under the cursor. So their places are worked out anew only every
`RESORT` seconds, not while somebody walks along them, and what has come since then stands behind the others of its
type.
"""

from procdeck.core.messages import InstanceView

from .model import Formation, Row
from .rowfilter import RowFilter, instance_words, type_words
from .sorting import Order, arranged

RESORT = 2.0
"""Seconds between two changes of the order that come from samples."""


class RowList:
    """The rows, and what is asked of them."""

    def __init__(self, formation: Formation) -> None:
        self._formation = formation
        self.filter = RowFilter()
        self._passed: dict[str, tuple[InstanceView, bool]] = {}
        """By instance: what it was when the filter was asked last, and the answer."""
        self.order: Order | None = None
        self._places: dict[str, int] = {}
        """By the name of a type or an instance: where it stood when it was sorted last."""
        self._resort_at = 0.0
        self._made: dict[str, Row] = {}
        self._kept: tuple[object, list[Row]] | None = None
        """The rows without a filter, and what they were made from."""

    @property
    def in_all(self) -> int:
        """How many rows there would be without a filter."""
        return len(self._unfiltered())

    def show_only(self, text: str) -> None:
        """Rows with all of these words; an empty text: all."""
        self.filter = RowFilter(text.strip())
        self._passed = {}

    def sort_by(self, order: Order | None) -> None:
        """Another order, at once; None: the Procfile's."""
        self.order = order
        self._places = {}
        self._resort_at = 0.0
        self._kept = None

    def rest(self, now: float) -> None:
        """Somebody is aiming at a row: all stay where they are for a while."""
        self._resort_at = max(self._resort_at, now + RESORT)

    def rows(self, now: float) -> list[Row]:
        """The rows from above. The same list as the last time when nothing has changed."""
        if self.order is not None and now >= self._resort_at:
            self._sort(self.order, now)
        rows = self._unfiltered()
        return self._filtered(rows) if self.filter else rows

    def _passes(self, view: InstanceView) -> bool:
        # A view that has not been told anew is what it was.
        known = self._passed.get(view.name)
        if known is None or known[0] is not view:
            known = self._passed[view.name] = view, self.filter.passes(instance_words(view))
        return known[1]

    def _sort(self, order: Order, now: float) -> None:
        types, members = arranged(self._formation, order, now)
        names = [name for type_ in types for name in (type_, *members[type_])]
        places = {name: i for i, name in enumerate(names)}
        if places != self._places:
            self._places = places
            self._kept = None
        self._resort_at = now + RESORT

    def _unfiltered(self) -> list[Row]:
        formation = self._formation
        made_from = formation.shape, frozenset(formation.folded)
        if self._kept is not None and self._kept[0] == made_from:
            return self._kept[1]
        rows: list[Row] = []
        for type_ in self._placed(list(formation.types)):
            rows.append(self._row(type_, None))
            if type_ not in formation.folded:
                names = [live.view.name for live in formation.of_type(type_)]
                rows += [self._row(type_, name) for name in self._placed(names)]
        self._made = {row.name: row for row in rows}
        self._kept = made_from, rows
        return rows

    def _placed(self, names: list[str]) -> list[str]:
        if not self._places:
            return names
        last = len(self._places)
        return sorted(names, key=lambda name: self._places.get(name, last))

    def _row(self, type_: str, instance: str | None) -> Row:
        # The same object again: a list of them is then compared at once with the one before.
        return self._made.get(instance or type_) or Row(type_, instance)

    def _filtered(self, rows: list[Row]) -> list[Row]:
        formation, filter_ = self._formation, self.filter
        whole = {name for name in formation.types if filter_.passes(type_words(formation, name))}
        found = {
            live.view.name
            for name in formation.types
            if name not in whole
            for live in formation.of_type(name)
            if self._passes(live.view)
        }
        types = whole | {formation.live[name].view.type for name in found}

        def shown(row: Row) -> bool:
            return row.type in whole or (row.instance in found if row.instance else row.type in types)

        return [row for row in rows if shown(row)]
