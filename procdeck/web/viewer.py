"""The process behind one window of a browser: the dashboard of a running engine, with a browser for a terminal. It is
not the formation's owner: when it ends, nothing else does.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import ClassVar

from textual.driver import Driver

from procdeck.core.client import Client
from procdeck.tui import app as dashboard
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.remember import ViewMemory
from procdeck.web.driver import BrowserDriver


class BrowserApp(ProcdeckApp):
    """The dashboard in a browser."""

    # Textual looks for it beside the class's own module.
    CSS_PATH: ClassVar[str] = str(Path(dashboard.__file__).with_name("app.tcss"))

    def get_driver_class(self) -> type[Driver]:
        return BrowserDriver

    async def action_detach(self) -> None:
        """Leaves. The formation is none of this window's: it goes on, and ends with whoever started it."""
        self.exit(0)


def main(socket: Path, root: Path | None, theme: str) -> int:
    """Shows the dashboard of an engine until the window is closed.

    Args:
        socket: the engine's.
        root: the app's folder, for which is remembered how it was looked at; None: nothing is remembered.
        theme: that of the settings; empty: none.

    Returns:
        The exit status.
    """
    # Ctrl-C in the terminal of `procdeck serve` is for that alone, which then ends this.
    with contextlib.suppress(OSError):
        os.setsid()
    remembered = ViewMemory(root)
    app = BrowserApp(lambda: Client.connect(socket), remembered=remembered, theme=theme)
    try:
        status = app.run()
    finally:
        app.remember()
        remembered.flush()
    if status == 1 and app.said is not None:
        print(f"procdeck: {app.said}", file=sys.stderr)
    return app.return_code or 0 if status is None else status


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, engine, folder, wanted = sys.argv
    sys.exit(main(Path(engine), Path(folder) if folder else None, wanted))
