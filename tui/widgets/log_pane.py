"""The log's half of the main view: which log is shown (the selected row's, that of the marked instances, or
everything), the line above it that says so, and what an empty one says.
"""

import time

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from procdeck.core.client import Client
from procdeck.core.state import State

from ..keymap import Keymap
from ..model import CRASHED, Formation, Live, Row
from ..status import Glyphs, exit_word
from ..text import clock, plural, short
from .lines import LogTitle, Note
from .log_view import LogView, Source

_QUIET = 3.0
"""Seconds without output after which the empty pane says so."""


class LogPane(Vertical):
    """A log, and whose it is."""

    def __init__(self, formation: Formation, client: Client, signs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._formation = formation
        self._row: Row | None = None
        self._title = LogTitle(signs)
        self.log_view = LogView(client.logs, client.find, signs)
        self.everything = False
        """The log of all is shown, until the selection moves."""

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.log_view

    # Which log --------------------------------------------------------------------------------------------------------

    def turn_to(self, row: Row | None) -> None:
        """The selection has moved."""
        self._row = row
        self.everything = False
        self.update()

    def update(self) -> None:
        """The formation is another now: an instance that has come belongs into the log of its type."""
        log = self.log_view
        log.type_places = {name: type_.index for name, type_ in self._formation.types.items()}
        log.everybody = self._formation.log_ends
        log.show(self._source())
        self.update_title()

    def toggle_everything(self) -> None:
        """The log of everything, or that of the selected again."""
        self.everything = not self.everything
        self.update()

    def toggle_mark(self, row: Row) -> None:
        """Takes an instance, or all of a type, into the merged log of what is marked; or out of it."""
        marked = self._formation.marked
        names = [row.instance] if row.instance else [live.view.name for live in self._formation.of_type(row.type)]
        marked ^= {name for name in names if name not in marked} if {*names} - {*marked} else {*names}
        self.everything = False
        self.update()

    def back(self) -> bool:
        """Undoes what was done last of selecting, finding and filtering. False: there is nothing."""
        log = self.log_view
        if log.selection is not None:
            log.select(None)
        elif log.search is not None:
            log.end_search()
        elif log.patterns:
            log.clear_patterns()
        elif log.level is not None:
            log.clear_level()
        else:
            return False
        return True

    def back_to_selected(self) -> bool:
        """Shows the selected row's log again. False: it does already."""
        if not self.everything and not self._formation.marked:
            return False
        if not self.everything:
            self._formation.marked.clear()
        self.everything = False
        self.update()
        return True

    def _source(self) -> Source:
        row, marked = self._row, self._formation.marked
        if self.everything or (row is None and not marked):
            return Source("everything", (), merged=True)
        if marked:
            names = tuple(sorted(marked, key=_by_number))
            return Source(" + ".join(names), names, merged=True)
        assert row is not None
        if row.instance is not None:
            return Source(row.instance, (row.instance,))
        # Also those that were scaled away: their last words stay readable.
        known = {name for name in self._formation.log_ends if name.rpartition(".")[0] == row.type}
        known |= {live.view.name for live in self._formation.of_type(row.type)}
        return Source(row.type, tuple(sorted(known, key=_by_number)) or (f"{row.type}.1",), merged=True)

    # The line above ---------------------------------------------------------------------------------------------------

    @on(LogView.Changed)
    def update_title(self) -> None:
        """Says whose the log is, and where in it one stands."""
        log = self.log_view
        notes: list[Note] = []
        if log.search is not None:
            words = log.search.words()
            notes.append(Note(f"/{log.search.pattern} {words}", "crashed" if words == "no match" else "note", 8))
        notes += [Note(f"&{'!' * one.invert}{one.pattern}", "note", 7) for one in log.patterns]
        if log.level is not None:
            notes.append(Note(f"≥ {log.level.name.lower()}", "note", 7))
        live = self._live()
        if live is not None:
            notes += _about(live, self._formation.keymap)
        notes.append(Note(log.position, "dim" if log.following else "note", 9))
        self._title.show(log.source.title, notes)
        log.say_empty(self._empty_words())

    def _live(self) -> Live | None:
        """The instance whose log is shown, when it is one that is there."""
        names = self.log_view.source.names
        return self._formation.live.get(names[0]) if len(names) == 1 and not self.log_view.source.merged else None

    def _empty_words(self) -> str:
        """What an empty log pane says."""
        log, keymap = self.log_view, self._formation.keymap
        if log.filter is not None:
            filter_, level = keymap.shown("filter"), keymap.shown("level")
            how = f"{filter_} and enter shows all" if log.patterns else f"{level} shows others"
            return f"no line passes: {how}" if log.is_empty else "looking for lines that pass …"
        live = self._live()
        if live is None:
            row, more = self._row, keymap.shown("scale_up")
            type_ = self._formation.types.get(row.type) if row is not None else None
            if not self._formation.wanted():
                return f"everything is scaled to 0: press {more} to start one"
            its_log = type_ is not None and (not log.source.merged or log.source.title == type_.name)
            if type_ is not None and not type_.wanted and its_log:
                return f"{type_.name} is scaled to 0: {more} starts one"
            return "no output yet"
        uptime = live.uptime(time.monotonic())
        if uptime is None:
            return "no output yet"
        if uptime < _QUIET:
            return ""
        silent = f"{int(uptime)} s" if uptime < 60 else short(uptime)
        return f"no output for {silent}; started {clock(time.time() - uptime)}"


def _about(live: Live, keymap: Keymap) -> list[Note]:
    view = live.view
    about: list[Note] = []
    if view.prompt:
        about.append(Note(f"waits at {view.prompt}: {keymap.shown('attach')} attaches", "note", 8))
    if view.looping and view.state not in (State.STOPPED, State.EXITED, State.STOPPING):
        about.append(Note("crash loop", "crashed", 6))
    if view.restarts:
        about.append(Note(plural(view.restarts, "restart"), "dim", 3))
    if view.last_exit is not None and not view.last_wanted:
        bad = not view.last_exit.clean and view.state in CRASHED
        about.append(Note(f"last {exit_word(view.last_exit)}", "crashed" if bad else "dim", 4))
    if view.outdated:
        about.append(Note(f"its files changed: {keymap.shown('restart')} restarts", "note", 5))
    if view.note:
        about.append(Note(view.note, "note", 5))
    if view.daemonised:
        about.append(Note(f"{plural(view.daemonised, 'process', 'processes')} daemonised", "note", 5))
    elif view.holder and view.state is not State.STOPPING:
        about.append(Note(f"its output is still held by {view.holder}", "note", 5))
    elif view.left_over and view.state is not State.STOPPING:
        about.append(Note(f"{plural(view.left_over, 'process', 'processes')} left over", "note", 5))
    if view.held:
        about.append(Note("held", "note", 5))
    return about


def _by_number(name: str) -> tuple[str, int]:
    type_, _, number = name.rpartition(".")
    return type_, int(number) if number.isdigit() else 0
