"""The dashboard as the stage of a tour: what its player asks for (`touring.Stage`), brought about on the app's own
views. Loaded with a tour only.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .keys import Key
from .screens.deck import DeckScreen
from .touring import Caption
from .widgets.caption import CaptionBox

if TYPE_CHECKING:
    from .app import ProcdeckApp


class DashboardStage:
    """A dashboard, for a tour. What the methods are for, `touring.Stage` says."""

    def __init__(self, app: "ProcdeckApp") -> None:
        self._app = app
        self.formation = app.formation

    @property
    def plays_in(self) -> str:
        app = self._app
        view = app.screen_stack[-1] if app.screen_stack else None
        free = isinstance(view, DeckScreen) and not view.typing and not app.keys_held and not app.quitting
        return type(view).__name__ if free else ""

    def keys_of_view(self) -> Sequence[Key]:
        view = self._app.screen
        return view.KEYS if isinstance(view, DeckScreen) else ()

    async def perform(self, action: str) -> None:
        await self._app.screen.run_action(action)

    def go_to_main(self) -> None:
        self._app.action_show_main()

    def go_to(self, name: str) -> None:
        self._app.action_go_to(name)

    def scale_to(self, changes: str) -> None:
        self._app.post_message(DeckScreen.Ask("scale", changes))

    def show_caption(self, caption: Caption | None) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, DeckScreen) and (screen is self._app.screen or caption is None):
                _show_in(screen, caption)


def _show_in(screen: DeckScreen, caption: Caption | None) -> None:
    box = next(iter(screen.query(CaptionBox)), None)
    if caption is None:
        if box is not None:
            box.remove()
            _take_rows(screen, 0)
        return
    if box is None:
        box = CaptionBox()
        screen.mount(box)
    _take_rows(screen, box.rows)
    box.show(caption)


def _take_rows(screen: DeckScreen, rows: int) -> None:
    if rows != screen.rows_taken:
        screen.rows_taken = rows
        screen.update()
