"""An app that lends its terminal to a program: from the key with which that is asked for until the terminal comes back.
To which program, the app decides that is built on it; how terminal and program are joined is `tui.attach`'s matter.
"""

import asyncio
from typing import Any

from textual import events, work
from textual.app import App

from procdeck.core.errors import ProcdeckError

from .attach import Attachment


class LendingApp(App[int]):
    """An app whose terminal is a program's at times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.attachment: Attachment | None = None
        """What has the terminal now in the place of this app, or is about to get it."""
        self._ahead: bytearray | None = None
        """What was typed for the program that is to be attached, before it is known which that is."""
        self._given_back = asyncio.Event()

    def hold_keys(self) -> bool:
        """What is typed from now on is meant for a program, until `lend` or `lend_to_nobody`. False: it is already."""
        if self._ahead is not None or self.attachment is not None:
            return False
        self._ahead = bytearray()
        return True

    @property
    def keys_held(self) -> bool:
        """What is typed is meant for a program."""
        return self._ahead is not None or self.attachment is not None

    def lend_to_nobody(self, why: str) -> None:
        """There is none to attach: says why. What was typed for it is forgotten, as it was not meant for this app."""
        self._ahead = None
        self.notify(why, severity="warning", markup=False)

    def lend(self, attachment: Attachment) -> None:
        """Gives the terminal to an attachment, until that is over."""
        if self._driver is None or not self._driver.can_suspend:
            self.lend_to_nobody("This screen has no terminal that could be attached.")
            return
        ahead, self._ahead = self._ahead, None
        self.attachment = attachment
        self._given_back.clear()
        if ahead:
            attachment.typed(bytes(ahead))
        self._lend(attachment)

    async def take_back(self) -> None:
        """Ends what has the terminal, and waits until it is this app's again."""
        if self.attachment is not None:
            self.attachment.end()
            await self._given_back.wait()

    @work(group="lend")
    async def _lend(self, attachment: Attachment) -> None:
        try:
            await attachment.ask()
            # The app goes on; only nothing of it can be shown.
            with self.batch_update(), self.suspend():
                await attachment.hold()
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
        finally:
            self.attachment = None
            self._given_back.set()
        self.given_back()

    def given_back(self) -> None:
        """The terminal is this app's again."""

    async def on_event(self, event: events.Event) -> None:
        """What is typed while the terminal is a program's, or about to become so, goes there. What was typed before
        that, and has been on its way through the widgets, does not."""
        if not self.keys_held or event.is_forwarded or not isinstance(event, events.InputEvent | events.Paste):
            await super().on_event(event)
        elif self.attachment is not None:
            self.attachment.typed(_typed(event))
        elif self._ahead is not None:
            self._ahead += _typed(event)


def _typed(event: events.InputEvent | events.Paste) -> bytes:
    """What a terminal would have sent for it, as far as that can be told; nothing for the mouse."""
    match event:
        case events.Paste(text=text):
            return text.encode()
        case events.Key(character=str(character)):
            return character.encode()
        case _:
            return b""
