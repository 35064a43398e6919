"""The scaling view: what one more process buys. Here is which type is selected, and how far back the plots go; what
stands on the page is `scalingpage`'s matter, what follows from the figures `scalingcurve`'s.
"""

from typing import ClassVar

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType

from procdeck.core.client import Client

from ..keys import SCALING
from ..model import Formation, Row
from ..scalingcurve import gain, knee, measuring, plateaus
from ..scalingfacts import Facts, TypeLine
from ..scalingpage import Page, page, styles_of
from ..scalingwords import no_route
from ..status import Glyphs, type_status
from ..text import plural, short
from ..widgets.header import Header
from ..widgets.lines import Banner, Hint, LogTitle, Note
from ..widgets.scaling_page import ScalingPage
from .acting import ActingScreen
from .deck import hints

_HINTS = hints(SCALING)
_ALWAYS = [_HINTS["app.help"], _HINTS["app.quit_formation"]]


class ScalingScreen(ActingScreen):
    """Shows types over time, and scales them."""

    KEYS = SCALING
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in SCALING]
    AUTO_FOCUS = "ScalingPage"

    def __init__(self, formation: Formation, client: Client, signs: Glyphs, came_from: Row | None = None) -> None:
        """
        Args:
            came_from: what was selected in the view before: its type is selected here.
        """
        super().__init__(formation, client, signs)
        self._header = Header(formation, signs)
        self._title = LogTitle(signs)
        self._page = ScalingPage(self._make)
        self._banner = Banner()
        self._came_from = came_from
        self._type = came_from.type if came_from is not None else ""
        self._came_to = self._type
        self._styles: dict[str, Style] = {}
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._title
        yield self._page
        yield self._banner
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self.restyle()

    @property
    def chosen(self) -> Row | None:
        names = list(self._formation.types)
        if self._type not in names:
            # It is not in the Procfile any more.
            self._type = names[0] if names else ""
        return Row(self._type) if names else None

    @property
    def _route(self) -> int | None:
        """Of the selected type."""
        type_ = self._formation.types.get(self._type)
        return type_.route if type_ is not None else None

    def select(self, row: Row) -> None:
        if row.type in self._formation.types:
            self._type = row.type
            self.update()

    @property
    def leaves_selected(self) -> Row | None:
        """The type that is selected here; who has only looked comes back to what he came from."""
        return self._came_from if self._type == self._came_to else self.chosen

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now."""
        if not self.is_mounted:
            return
        self._header.update()
        self._banner.show(self._formation.pending, self._formation.keymap.shown("apply"))
        row = self.chosen
        history = self._formation.scaling
        notes = [Note(f"last {_span(history.span)}", "dim", 5)]
        type_ = self._formation.types.get(self._type)
        if self._route is not None:
            notes.insert(0, Note(f"route {self._route}", "dim", 3))
        traffic = self._formation.traffic(self._type)
        if traffic is not None:
            notes.insert(-1, Note(plural(traffic.connections, "connection"), "dim", 2))
            if traffic.failures:
                notes.insert(0, Note(f"{traffic.failures} failed in the last second", "crashed", 8))
            else:
                notes.insert(-1, Note("0 failed", "dim", 4))
        waiting = self._formation.waiting.get(self._type, 0)
        if waiting:
            notes.insert(0, Note(f"{waiting} waiting for an instance", "note", 7))
        self._title.show(row.name if row is not None else "no process types", notes)
        shown = (history.version, history.span, history.shows_route, row, self._types(), type_)
        if shown != self._shown:
            self._shown = shown
            self._page.update()
        routed = ["charts"] if self._route is not None else []
        names = ("look(1)", *routed, "scale", "restart", "roll", "app.show_main", "app.show_grid")
        more = [_HINTS[name] for name in names]
        self._footer.show([Hint("+/-", "scale", "scale_by(1)"), Hint("j/k", "type", "move(1)"), *more], _ALWAYS)

    def restyle(self) -> None:
        """Takes colours anew."""
        self._styles = styles_of(self.app.get_css_variables())
        if self.app.no_color:
            self._styles["cursor"] = Style(bold=True, reverse=True)
        self._shown = ()
        self.update()

    def on_resize(self, event: events.Resize) -> None:
        self._header.display = event.size.height >= 16
        self.call_after_refresh(self.update)

    def _types(self) -> tuple[TypeLine, ...]:
        formation = self._formation
        return tuple(
            TypeLine(name, formation.up(name), type_.wanted, type_status(formation, name))
            for name, type_ in formation.types.items()
        )

    def _make(self, width: int, height: int) -> Page:
        formation, history, name = self._formation, self._formation.scaling, self._type
        seconds = list(history.of(name))
        changes = list(history.changes)
        known = plateaus(seconds, changes)
        cores = formation.machine.cores if formation.machine is not None else 1
        facts = Facts(
            types=self._types(),
            type=name,
            seconds=seconds,
            changes=changes,
            span=history.span,
            shows_route=history.shows_route,
            route=self._route,
            plateaus=known,
            measuring=measuring(seconds, changes),
            gain=gain(known, name, changes),
            knee=knee(known, cores),
            cores=cores,
            adds=formation.keymap.shown("scale_up"),
        )
        return page(facts, width, height, self._styles, self._signs)

    # Moving -----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """The next type, or the one before; round the ends."""
        names = list(self._formation.types)
        if self.chosen is not None:
            self.select(Row(names[(names.index(self._type) + by) % len(names)]))

    def action_move_first(self) -> None:
        """To the first type."""
        self._to_end(0)

    def action_move_last(self) -> None:
        """To the last type."""
        self._to_end(-1)

    def _to_end(self, place: int) -> None:
        names = list(self._formation.types)
        if names:
            self.select(Row(names[place]))

    @on(ScalingPage.Clicked)
    def _clicked(self, event: ScalingPage.Clicked) -> None:
        self.select(Row(event.type))

    def action_look(self, by: int) -> None:
        """More time in the plots, or less."""
        self._formation.scaling.look(by)
        self.update()

    def action_charts(self) -> None:
        """Plots of what goes through the route instead of those of what becomes of it; and back."""
        why_not = self.why_not("charts")
        if why_not:
            self.notify(f"{why_not}: {no_route(self._type)}", severity="warning", markup=False)
            return
        self._formation.scaling.shows_route ^= True
        self.update()

    def why_not(self, name: str) -> str:
        if name == "charts" and self._route is None:
            return f"{self._type or 'nothing'} has no route"
        return super().why_not(name)

    def action_open(self) -> None:
        """The selected type in the main view."""
        if self.chosen is not None:
            self.app.action_go_to(self._type)  # type: ignore[attr-defined]

    def action_back(self) -> None:
        """Back to the main view."""
        self.app.action_show_main()  # type: ignore[attr-defined]

    def close_prompt(self) -> None:
        super().close_prompt()
        self.set_focus(self._page)


def _span(seconds: int) -> str:
    return short(seconds).removesuffix("00s")
