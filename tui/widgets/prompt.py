"""The line at the bottom where something is typed: a label, an input, and at the right what would come of it."""

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class Prompt(Horizontal):
    """Asks for a line of text. Enter submits, Escape cancels."""

    class Submitted(Message):
        """Something was entered."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Cancelled(Message):
        """Escape was pressed."""

    def __init__(self) -> None:
        super().__init__()
        self._preview: Callable[[str], tuple[str, bool]] = lambda _: ("", True)

    def compose(self) -> ComposeResult:
        yield Label("", id="prompt-label", markup=False)
        yield Input(id="prompt-input", compact=True, select_on_focus=False)
        yield Label("", id="prompt-note", markup=False)

    def ask(self, label: str, preview: Callable[[str], tuple[str, bool]], *, value: str = "") -> None:
        """Opens the prompt.

        Args:
            label: what stands before the input.
            preview: from what is typed, the words at the right and whether it may be entered.
            value: what stands in the input at first.
        """
        self._preview = preview
        self.query_one("#prompt-label", Label).update(f" {label} ")
        self.display = True
        field = self.query_one(Input)
        field.value = value
        field.cursor_position = len(value)
        # At once and not by way of the message queue: keys typed right after the one that opened it belong to it.
        self.screen.set_focus(field)
        self._show_preview(value)

    def close(self) -> None:
        """Puts the prompt away."""
        self.display = False

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show_preview(event.value)

    def _show_preview(self, value: str) -> None:
        words, good = self._preview(value)
        note = self.query_one("#prompt-note", Label)
        note.update(f"{words} ")
        note.set_class(not good, "-error")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value or self._preview(event.value)[1]:
            self.post_message(self.Submitted(event.value))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("escape", "ctrl+c"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Cancelled())
