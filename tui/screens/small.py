"""The page for a terminal that is too small for anything else: it says the size and the need."""

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from .steady import SteadyScreen

MIN_WIDTH, MIN_HEIGHT = 40, 10


class SmallScreen(SteadyScreen[None], ModalScreen[None]):
    """Stands in front of everything while the terminal is too small. The formation goes on behind it."""

    # With priority: a key that comes while the terminal grows again would go to a page that is taken down.
    BINDINGS = [Binding("q,ctrl+c", "app.quit_formation", "quit", show=False, priority=True)]

    def compose(self) -> ComposeResult:
        yield Static(id="small")

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#small", Static).update(
            f"{event.size.width}×{event.size.height} is too small:\n"
            f"procdeck needs {MIN_WIDTH}×{MIN_HEIGHT}.\nEverything goes on. q quits."
        )
