"""The main view: the formation above, the log of what is selected below (beside it on a wide terminal), and what the
keys do to them."""

import time
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import format_formation, parse_changes
from procdeck.core.state import State

from ..keys import MAIN
from ..model import CRASHED, Formation, Live
from ..status import Glyphs, exit_word
from ..text import clock, plural, short
from ..widgets.card import Card
from ..widgets.formation_table import FormationTable
from ..widgets.header import Header
from ..widgets.lines import Banner, Footer, Hint, LogTitle
from ..widgets.log_view import LogView, Source
from ..widgets.prompt import Prompt

WIDE = 160
"""From this width on the log stands beside the table."""
_HINTS = {key.action: Hint(key.shown.split(" ")[0], key.hint, key.action) for key in MAIN if key.hint}
"""For the footer, by action."""
_QUIET = 3.0
"""Seconds without output after which the empty pane says so."""


class MainScreen(Screen[None]):
    """Shows and steers the formation. What is asked of the engine goes through the app."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in MAIN]
    AUTO_FOCUS = "FormationTable"

    class Ask(Message):
        """Something is asked of the engine."""

        def __init__(self, command: str, target: str) -> None:
            super().__init__()
            self.command = command
            self.target = target

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._signs = signs
        self._header = Header(formation, signs)
        self._table = FormationTable(formation, signs)
        self._card = Card(formation, signs)
        self._title = LogTitle(signs)
        self._log = LogView(client.logs, client.find, signs)
        self._banner = Banner()
        self._footer = Footer()
        self._prompt = Prompt()
        # Kept: a last frame can come when the screen is being taken down, and finds nothing by its name any more.
        self._body, self._left, self._right = Vertical(id="body"), Vertical(id="left"), Vertical(id="right")
        self._everything = False
        """The log of all is shown, until the selection moves."""
        self._zoomed = False

    def compose(self) -> ComposeResult:
        yield self._header
        with self._body:
            with self._left:
                yield self._table
                yield self._card
            with self._right:
                yield self._title
                yield self._log
        yield self._banner
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self._prompt.display = False
        self.update()

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now."""
        if not self.is_mounted:
            return
        self._header.update()
        self._table.update_rows()
        self._lay_out()
        self._card.show(self._table.selected)
        self._banner.show(self._formation.pending)
        self._log.type_places = {name: type_.index for name, type_ in self._formation.types.items()}
        # Not its title only: an instance that has come belongs into the log of its type.
        self._show_log()
        self._show_footer()

    def logs_grew(self, new: dict[str, int]) -> None:
        """Hears of new lines: how many, by instance."""
        lines = sum(count for name, count in new.items() if self._log.concerns(name))
        if lines > 0:
            self._log.grew(lines)

    def restyle(self) -> None:
        """Takes colours anew."""
        self._log.restyle()

    # Layout -----------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        self.call_after_refresh(self.update)

    def _lay_out(self) -> None:
        width, height = self.size.width, self.size.height
        wide = width >= WIDE and not self._zoomed
        self._header.display = height >= 16 and not self._zoomed
        left, right, body = self._left, self._right, self._body
        body.styles.layout = "horizontal" if wide else "vertical"
        left.display = not self._zoomed
        self._card.display = wide
        if wide:
            left.styles.width, left.styles.height = "1fr", "1fr"
            right.styles.width, right.styles.height = "1fr", "1fr"
            self._table.styles.height = max(3, min(self._table.rows_needed, height - 13))
            return
        self._table.styles.height = "1fr"
        # The table gets what it needs and at most some three fifths: the log is what a table row makes one want to see.
        room = height - 1 - int(self._header.display)
        left.styles.width, left.styles.height = "1fr", max(3, min(self._table.rows_needed, room * 3 // 5, room - 5))
        right.styles.width, right.styles.height = "1fr", "1fr"

    @property
    def log_size(self) -> tuple[int, int]:
        """Columns and rows that a program's line has on the screen."""
        # The time before each line takes ten cells.
        return max(20, self._log.size.width - 10), max(5, self._log.size.height)

    # The log pane -----------------------------------------------------------------------------------------------------

    @on(FormationTable.Selected)
    def _selected(self) -> None:
        self._everything = False
        self._show_log()
        self._card.show(self._table.selected)
        self._show_footer()

    def _source(self) -> Source:
        row = self._table.selected
        if self._everything or row is None:
            return Source("everything", (), merged=True)
        if row.instance is not None:
            return Source(row.instance, (row.instance,))
        # Also those that were scaled away: their last words stay readable.
        names = [name for name in self._formation.log_ends if name.rpartition(".")[0] == row.type]
        names += [live.view.name for live in self._formation.of_type(row.type) if live.view.name not in names]
        return Source(row.type, tuple(sorted(names, key=_by_number)) or (f"{row.type}.1",), merged=True)

    def _show_log(self) -> None:
        self._log.show(self._source())
        self._show_title()

    @on(LogView.Changed)
    def _log_changed(self) -> None:
        self._show_title()
        self._show_footer()

    def _show_title(self) -> None:
        log = self._log
        note: list[tuple[str, str]] = []
        search = log.search
        if search is not None:
            count = f"{search.at + 1}/{len(search.hits)}" if search.hits else "no match"
            note.append((f"/{search.pattern} {count}", "note" if search.hits else "crashed"))
        live = self._selected_live()
        if live is not None and not self._everything:
            note += _about(live)
        note.append((log.position, "dim" if log.following else "note"))
        self._title.show(log.source.title, note)
        empty = self._silence()
        if empty != log.empty_text:
            log.empty_text = empty
            log.refresh()

    def _silence(self) -> str:
        """What an empty log pane says."""
        row = self._table.selected
        live = self._selected_live()
        if live is None:
            type_ = self._formation.types.get(row.type) if row is not None else None
            if not self._formation.wanted():
                return "everything is scaled to 0: press + to start one"
            return (
                f"{type_.name} is scaled to 0: + starts one"
                if type_ is not None and not type_.wanted
                else "no output yet"
            )
        uptime = live.uptime(time.monotonic())
        if uptime is None:
            return "no output yet"
        if uptime < _QUIET:
            return ""
        silent = f"{int(uptime)} s" if uptime < 60 else short(uptime)
        return f"no output for {silent}; started {clock(time.time() - uptime)}"

    @on(LogView.Failed)
    def _log_failed(self, event: LogView.Failed) -> None:
        self.notify(event.text, severity="warning", markup=False)

    # The footer -------------------------------------------------------------------------------------------------------

    def _show_footer(self) -> None:
        hints = [Hint("+/-", "scale", "scale_by(1)")]
        if self._log.search is not None:
            hints = [Hint("n/N", "next match", "next_match"), Hint("esc", "end search", "back")]
        live = self._selected_live()
        down = live is not None and live.view.state not in (State.RUNNING, State.STARTING, State.STOPPING)
        if live is not None and live.view.state is State.STOPPING:
            hints += [_HINTS["kill"], _HINTS["restart"]]
        elif live is not None and live.view.state in CRASHED:
            held = live.view.held
            hints += [Hint("r", "retry now", "restart"), Hint("h", "let go" if held else "hold", "hold")]
        elif down:
            hints += [Hint("r", "start", "restart")]
        else:
            hints += [_HINTS["restart"], _HINTS["stop"]]
        if self._formation.crashed():
            hints += [_HINTS["restart_crashed"], _HINTS["next_crashed"]]
        hints += [_HINTS["scale"], _HINTS["find"], _HINTS["follow"], _HINTS["zoom"], _HINTS["app.detach"]]
        self._footer.show(hints, [_HINTS["app.help"], _HINTS["app.quit_formation"]])

    @on(Footer.Clicked)
    async def _clicked(self, event: Footer.Clicked) -> None:
        await self.run_action(event.action)

    def _selected_live(self) -> Live | None:
        row = self._table.selected
        return self._formation.live.get(row.instance) if row is not None and row.instance is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is being typed, no key of the main view acts."""
        return not self._prompt.display

    # Moving -----------------------------------------------------------------------------------------------------------

    @property
    def _in_log(self) -> bool:
        return self._log.has_focus

    def action_move(self, by: int) -> None:
        """Another row, or another line."""
        if self._in_log:
            self._log.move(by)
        else:
            self._table.move(by)

    def action_move_page(self, by: int) -> None:
        """Half a page."""
        if self._in_log:
            self._log.move(by * self._log.half_page)
        else:
            self._table.move(by * self._table.page())

    def action_move_first(self) -> None:
        """To the beginning."""
        if self._in_log:
            self._log.move_to_start()
        else:
            self._table.move(-100_000)

    def action_move_last(self) -> None:
        """To the end."""
        if self._in_log:
            self._log.follow()
        else:
            self._table.move(100_000)

    def action_swap_pane(self) -> None:
        """Between table and log."""
        if self._in_log and not self._zoomed:
            self.set_focus(self._table)
        else:
            self.set_focus(self._log)

    def action_fold(self) -> None:
        """Folds, or scrolls the log to the left."""
        row = self._table.selected
        if self._in_log:
            self._log.shift(-8)
        elif row is not None and row.type not in self._formation.folded:
            self._table.toggle_fold(row)

    def action_unfold(self) -> None:
        """Unfolds, or scrolls the log to the right."""
        row = self._table.selected
        if self._in_log:
            self._log.shift(8)
        elif row is not None and row.type in self._formation.folded:
            self._table.toggle_fold(row)

    def action_toggle_fold(self) -> None:
        """Folds or unfolds."""
        row = self._table.selected
        if row is not None:
            self._table.toggle_fold(row)

    def action_next_crashed(self) -> None:
        """The next instance, from the selected one on, that is down because it crashed."""
        crashed = {live.view.name for live in self._formation.crashed()}
        self._formation.folded -= {live.view.type for live in self._formation.crashed()}
        self._table.update_rows()
        rows = list(self._formation.rows())
        here = rows.index(self._table.selected) if self._table.selected in rows else -1
        for row in (*rows[here + 1 :], *rows[: here + 1]):
            if row.instance in crashed:
                self._table.select(row)
                return
        self.notify("Nothing has crashed.")

    def action_back(self) -> None:
        """One level back."""
        if self._log.search is not None:
            self._log.end_search()
        elif self._zoomed:
            self.action_zoom()
        elif self._everything:
            self._everything = False
            self._show_log()
        elif self._in_log:
            self.set_focus(self._table)
        elif not self._log.following:
            self._log.follow()

    # Scaling and processes --------------------------------------------------------------------------------------------

    def action_scale_by(self, by: int) -> None:
        """One more or one fewer."""
        row = self._table.selected
        if row is not None:
            self.post_message(self.Ask("scale", f"{row.type}{by:+d}"))

    def action_scale(self) -> None:
        """Asks for a count, or a whole formation."""
        row = self._table.selected
        if row is None:
            return
        wanted = {name: type_.wanted for name, type_ in self._formation.types.items()}

        def preview(text: str) -> tuple[str, bool]:
            if not text.strip():
                return f"(now {wanted.get(row.type, 0)})  or web=5 worker+1  enter · esc".replace(
                    "web", next(iter(wanted)), 1
                ), True
            try:
                changed = parse_changes(_changes(row.type, text), wanted)
            except ProcdeckError as error:
                return str(error), False
            return (
                f"→ {format_formation(changed)}  (now {format_formation({name: wanted[name] for name in changed})})",
                True,
            )

        self._prompt.ask(f"scale {row.type}", f"scale {row.type} to:", preview)
        self._footer.display = False

    def _ask_for_selected(self, command: str) -> None:
        row = self._table.selected
        if row is not None:
            self.post_message(self.Ask(command, row.name))

    def action_restart(self) -> None:
        """Restarts the selected instance or type."""
        self._ask_for_selected("restart")

    def action_restart_crashed(self) -> None:
        """Restarts all that crashed."""
        if self._formation.crashed():
            self.post_message(self.Ask("restart", "crashed"))
        else:
            self.notify("Nothing has crashed.")

    def action_stop(self) -> None:
        """Stops the selected."""
        self._ask_for_selected("stop")

    def action_kill(self) -> None:
        """Kills the selected."""
        self._ask_for_selected("kill")

    def action_hold(self) -> None:
        """Holds the selected, or lets it go."""
        self._ask_for_selected("hold")

    @on(Banner.Clicked)
    def action_apply(self) -> None:
        """Applies what was changed in the files."""
        if self._formation.pending is None:
            self.notify("The files say what runs: there is nothing to apply.")
        else:
            self.post_message(self.Ask("apply", ""))

    # The log's keys ---------------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Asks what to find."""
        self._prompt.ask("find", "/", _preview_pattern, value=self._log.search.pattern if self._log.search else "")
        self._footer.display = False

    def action_next_match(self) -> None:
        """The next match."""
        self._log.next_match(1)

    def action_previous_match(self) -> None:
        """The previous match."""
        self._log.next_match(-1)

    def action_follow(self) -> None:
        """Follows, or stays."""
        if self._log.following:
            self._log.pause()
        else:
            self._log.follow()

    def action_merged(self) -> None:
        """The log of everything."""
        self._everything = not self._everything
        self._show_log()

    def action_zoom(self) -> None:
        """The log on the whole screen."""
        self._zoomed = not self._zoomed
        self.set_focus(self._log if self._zoomed else self._table)
        self._lay_out()

    @on(Prompt.Submitted)
    def _entered(self, event: Prompt.Submitted) -> None:
        self._close_prompt()
        purpose, _, type_ = event.purpose.partition(" ")
        if purpose == "scale" and event.value.strip():
            self.post_message(self.Ask("scale", _changes(type_, event.value)))
        elif purpose == "find":
            if event.value:
                self._log.find(event.value)
            else:
                self._log.end_search()

    @on(Prompt.Cancelled)
    def _close_prompt(self) -> None:
        self._prompt.close()
        self._footer.display = True
        self.set_focus(self._log if self._zoomed else self._table)


def _changes(type_: str, text: str) -> str:
    """What was typed at `scale to`: a bare count is the selected type's, `+2` and `-1` too; else Heroku's grammar."""
    text = text.strip()
    if text.isdigit():
        return f"{type_}={text}"
    return f"{type_}{text}" if text[:1] in "+-" and text[1:].isdigit() else text


def _preview_pattern(text: str) -> tuple[str, bool]:
    import regex

    try:
        regex.compile(text)
    except regex.error as error:
        return f"{error}", False
    return "enter · esc", True


def _about(live: Live) -> list[tuple[str, str]]:
    view = live.view
    about: list[tuple[str, str]] = []
    if view.looping and view.state not in (State.STOPPED, State.EXITED, State.STOPPING):
        about.append(("crash loop", "crashed"))
    if view.restarts:
        about.append((plural(view.restarts, "restart"), "dim"))
    if view.last_exit is not None and not view.last_wanted:
        bad = not view.last_exit.clean and view.state in CRASHED
        about.append((f"last {exit_word(view.last_exit)}", "crashed" if bad else "dim"))
    if view.outdated:
        about.append(("its files changed: r restarts", "note"))
    if view.note:
        about.append((view.note, "note"))
    if view.daemonised:
        about.append((f"{plural(view.daemonised, 'process', 'processes')} daemonised", "note"))
    elif view.left_over and view.state is not State.STOPPING:
        about.append((f"{plural(view.left_over, 'process', 'processes')} left over", "note"))
    if view.held:
        about.append(("held", "note"))
    return about


def _by_number(name: str) -> tuple[str, int]:
    type_, _, number = name.rpartition(".")
    return type_, int(number) if number.isdigit() else 0
