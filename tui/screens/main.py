"""The main view: the formation above, the log of what is selected below (beside it on a wide terminal), and what the
keys do to them."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import format_formation, parse_changes
from procdeck.core.messages import ignores_case
from procdeck.core.state import State

from .. import clipboard, logcopy
from ..keys import MAIN
from ..loglines import Times
from ..logsearch import compile_pattern
from ..model import CRASHED, Formation, Live
from ..status import Glyphs
from ..text import elide
from ..widgets.card import Card
from ..widgets.formation_table import FormationTable
from ..widgets.header import Header
from ..widgets.lines import Banner, Footer, Hint
from ..widgets.log_pane import LogPane
from ..widgets.log_view import LogView
from ..widgets.prompt import Prompt

WIDE = 160
"""From this width on the log stands beside the table."""
_HINTS = {key.action: Hint(key.shown.split(" ")[0], key.hint, key.action) for key in MAIN if key.hint}
"""For the footer, by action."""
_ALWAYS = [_HINTS["app.help"], _HINTS["app.quit_formation"]]


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

    class Attach(Message):
        """The terminal is to be attached to what is selected."""

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._signs = signs
        self._header = Header(formation, signs)
        self._table = FormationTable(formation, signs)
        self._card = Card(formation, signs)
        self._client = client
        self._pane = LogPane(formation, client, signs, id="right")
        self._log = self._pane.log_view
        self._banner = Banner()
        self._footer = Footer()
        self._prompt = Prompt()
        # Kept: a last frame can come when the screen is being taken down, and finds nothing by its name any more.
        self._body, self._left = Vertical(id="body"), Vertical(id="left")
        self._zoomed = False
        self._asked_in_log = False
        """The prompt was opened from the log, where the focus goes back to."""

    def compose(self) -> ComposeResult:
        yield self._header
        with self._body:
            with self._left:
                yield self._table
                yield self._card
            yield self._pane
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
        self._pane.update()
        self._show_footer()

    def logs_grew(self, new: dict[str, int]) -> None:
        """Hears of new lines: how many, by instance; 0 when more has come of an unfinished one."""
        shown = [count for name, count in new.items() if self._log.concerns(name)]
        if shown:
            self._log.grew(sum(shown))

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
        left, right, body = self._left, self._pane, self._body
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

    @on(FormationTable.Selected)
    def _selected(self) -> None:
        self._pane.turn_to(self._table.selected)
        self._card.show(self._table.selected)
        self._show_footer()

    @on(LogView.Changed)
    def _log_changed(self) -> None:
        self._show_footer()

    @on(LogView.Failed)
    def _log_failed(self, event: LogView.Failed) -> None:
        self.notify(event.text, severity="warning", markup=False)

    # The footer -------------------------------------------------------------------------------------------------------

    def _show_footer(self) -> None:
        self._footer.show(self._log_hints() if self._in_log else self._table_hints(), _ALWAYS)

    def _log_hints(self) -> list[Hint]:
        log = self._log
        if log.selection is not None:
            return [Hint("y", "copy", "copy"), Hint("esc", "select nothing", "back")]
        hints = []
        if log.search is not None:
            hints = [Hint("n/N", "next match", "next_match"), Hint("esc", "end search", "back")]
        elif log.filter is not None:
            hints = [Hint("esc", "show all", "back")]
        names = ["find", "filter", "level", "follow", "times", "wrap", "open_json", "move_to_run(-1)", "copy", "save"]
        return [*self._attach_hint(), *hints, *(_HINTS[name] for name in names), _HINTS["zoom"]]

    def _attach_hint(self) -> list[Hint]:
        found = self.to_attach()
        return [_HINTS["attach"]] if isinstance(found, Live) and found.view.prompt else []

    def _table_hints(self) -> list[Hint]:
        hints = [Hint("+/-", "scale", "scale_by(1)")]
        if self._log.search is not None:
            hints = [Hint("n/N", "next match", "next_match"), Hint("esc", "end search", "back")]
        hints = [*self._attach_hint(), *hints]
        live = self._selected_live()
        down = live is not None and live.view.state not in (State.RUNNING, State.STARTING, State.STOPPING)
        if live is not None and live.view.state is State.STOPPING:
            hints += [_HINTS["kill"], _HINTS["restart"]]
        elif live is not None and live.view.state in CRASHED:
            held = live.view.held
            hints += [_HINTS["inspect"]]
            hints += [Hint("r", "retry now", "restart"), Hint("h", "let go" if held else "hold", "hold")]
        elif down:
            hints += [Hint("r", "start", "restart")]
        else:
            hints += [_HINTS["restart"], _HINTS["stop"]]
        if self._formation.crashed():
            hints += [_HINTS["restart_crashed"], _HINTS["next_crashed"]]
        names = ["scale", "find", "filter", "follow", "mark", "zoom", "app.detach"]
        return [*hints, *(_HINTS[name] for name in names)]

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
        # Not `has_focus`, which the widget itself only knows when it has heard of it.
        return self.focused is self._log

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

    def action_attach(self) -> None:
        """Attaches the terminal to the selected instance, or to the selected type's when it is clear which."""
        # What was typed before may still be on its way through the widget that has the focus. This takes the same way,
        # so that the instance is the one that is selected then; what is typed from now on is meant for it.
        if self.app.hold_keys():  # type: ignore[attr-defined]
            (self.focused or self).post_message(self.Attach())

    def to_attach(self) -> Live | str:
        """The instance that the terminal would be attached to; or, in a sentence, why to none."""
        row = self._table.selected
        if row is None:
            return "There is no instance to attach to."
        live = self._selected_live()
        if live is None:
            up = [live for live in self._formation.of_type(row.type) if live.view.pid is not None]
            waiting = [live for live in up if live.view.prompt]
            if not up:
                return f"No instance of {row.type} runs."
            if len(waiting or up) > 1:
                which = "wait at a prompt" if waiting else "run"
                return f"{len(waiting or up)} instances of {row.type} {which}: select one of them."
            live = (waiting or up)[0]
        if not live.view.tty:
            return f"{live.view.name} runs on a pipe: without tty = false in its settings it can be typed at."
        return live if live.view.pid is not None else f"{live.view.name} does not run: r starts it."

    def action_inspect(self) -> None:
        """Inspects the latest crash of the selected instance, or of the selected type's."""
        row = self._table.selected
        if row is None:
            return
        name = row.instance
        if name is None:
            crashed = [live.view.name for live in self._formation.of_type(row.type) if live.view.crashes]
            down = [live.view.name for live in self._formation.crashed() if live.view.type == row.type]
            name = next(iter([*down, *crashed]), None)
        if name is None:
            self.notify(f"No instance of {row.type} has crashed.", markup=False)
        else:
            self.app.action_inspect(name)  # type: ignore[attr-defined]

    def action_open(self) -> None:
        """Inspects a crashed instance; of any other goes to its log."""
        live = self._selected_live()
        if live is not None and live in self._formation.crashed() and not self._in_log:
            self.action_inspect()
        else:
            self.set_focus(self._log)

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
        if self._pane.back():
            pass
        elif self._zoomed:
            self.action_zoom()
        elif self._pane.back_to_selected():
            self._table.update_rows()
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

        self._ask(f"scale {row.type}", f"scale {row.type} to:", preview)

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
        search = self._log.search

        def preview(text: str) -> tuple[str, bool]:
            words, good = _judged(text, "finds")
            self._log.preview(text if good else None)
            return words, good

        self._ask("find", "/", preview, value=search.pattern if search else "")

    def action_filter(self) -> None:
        """Asks which lines to show."""

        def preview(text: str) -> tuple[str, bool]:
            if not text:
                return "shows all lines" if self._log.patterns else "! first hides what matches", True
            return _judged(text.removeprefix("!"), "hides" if text.startswith("!") else "shows only")

        self._ask("filter", "&", preview)

    def action_level(self) -> None:
        """Shows only lines of a level and graver ones; the next one each time, then all again."""
        self._log.next_level()

    def action_next_match(self) -> None:
        """The next match."""
        self._log.next_match(1)

    def action_previous_match(self) -> None:
        """The previous match."""
        self._log.next_match(-1)

    def action_move_to_run(self, by: int) -> None:
        """To the beginning of the next run, or of this one and then the one before it."""
        self._log.move_to_run(by)

    def action_follow(self) -> None:
        """Follows, or stays."""
        if self._log.following:
            self._log.pause()
        else:
            self._log.follow()

    def action_times(self) -> None:
        """Another kind of time before each line."""
        self._log.next_times()

    def action_wrap(self) -> None:
        """Long lines go on in the next row, or are cut."""
        self._log.toggle_wrap()

    def action_open_json(self) -> None:
        """JSON lines as key=value, or as they are."""
        self._log.toggle_json()

    def action_merged(self) -> None:
        """The log of everything."""
        self._pane.toggle_everything()

    def action_mark(self) -> None:
        """Takes the selected into the merged log, or out of it."""
        row = self._table.selected
        if row is not None:
            self._pane.toggle_mark(row)
            self._table.update_rows()

    def action_zoom(self) -> None:
        """The log on the whole screen."""
        self._zoomed = not self._zoomed
        self.set_focus(self._log if self._zoomed else self._table)
        self._lay_out()

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        """Copies what is selected, else a line."""
        try:
            text = await self._log.selected_text()
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if not text:
            self.notify("There is nothing to copy.")
            return
        self.app.copy_to_clipboard(text)
        words = clipboard.command()
        if words is not None:
            await clipboard.give_to_desktop(text, words)
        lines = text.count("\n") + 1
        self._log.select(None)
        self.notify(f"Copied: {elide(text.strip(), 60)}" if lines == 1 else f"Copied {lines:,} lines.", markup=False)

    async def action_copy_or_quit(self) -> None:
        """Copies what is selected; when nothing is: quits."""
        if self._log.selection is not None:
            self.action_copy()
        else:
            await self.run_action("app.quit_formation")

    def action_save(self) -> None:
        """Asks for the file to write the log to."""

        def preview(text: str) -> tuple[str, bool]:
            if not text.strip():
                return "name a file", True
            try:
                return logcopy.path_words(logcopy.path_of(text)), True
            except UsageError as error:
                return str(error), False

        name = re.sub(r"[^\w.+-]+", "", self._log.source.title)[:40]
        now = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time()))
        self._ask("save", "save the log to:", preview, value=f"{name}-{now}.log")

    @work(exclusive=True, group="save")
    async def _save(self, path: Path) -> None:
        log = self._log
        try:
            count = await logcopy.save(
                self._client.logs,
                log.source.names,
                log.filter,
                path,
                times=log.look.times is not Times.OFF,
                named=log.source.merged,
                json=log.look.json,
            )
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"Wrote {count:,} {'line' if count == 1 else 'lines'} to {path}", markup=False)

    def _ask(self, purpose: str, label: str, preview: Callable[[str], tuple[str, bool]], *, value: str = "") -> None:
        self._asked_in_log = self._in_log
        self._prompt.ask(purpose, label, preview, value=value)
        self._footer.display = False

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
        elif purpose == "filter":
            pattern = event.value.removeprefix("!")
            if pattern:
                self._log.add_pattern(pattern, invert=event.value.startswith("!"))
            else:
                self._log.clear_patterns()
        elif purpose == "save" and event.value.strip():
            self._save(logcopy.path_of(event.value))

    @on(Prompt.Cancelled)
    def _close_prompt(self) -> None:
        self._prompt.close()
        self._log.preview(None)
        self._footer.display = True
        self.set_focus(self._log if self._zoomed or self._asked_in_log else self._table)


def _judged(pattern: str, does: str) -> tuple[str, bool]:
    """What is to be said of a regular expression while it is typed, and whether it is one."""
    if not pattern:
        return "a regular expression", True
    try:
        compile_pattern(pattern)
    except UsageError as error:
        return str(error), False
    return f"{does} {'lines in any case' if ignores_case(pattern) else 'lines exactly'} · enter · esc", True


def _changes(type_: str, text: str) -> str:
    """What was typed at `scale to`: a bare count is the selected type's, `+2` and `-1` too; else Heroku's grammar."""
    text = text.strip()
    if text.isdigit():
        return f"{type_}={text}"
    return f"{type_}{text}" if text[:1] in "+-" and text[1:].isdigit() else text
