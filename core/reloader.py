"""Keeps what runs and what the files say side by side: has the files watched, reads them anew when they were saved, and
tells the difference. Bringing it about is the engine's matter.
"""

from collections.abc import Callable

from .config import Config
from .errors import ProcdeckError
from .loading import load
from .messages import ConfigChange
from .reload import difference
from .watcher import Watcher


class Reloader:
    """The files of one engine."""

    def __init__(
        self,
        *,
        running: Callable[[], Config],
        pending_changed: Callable[[ConfigChange | None], None],
        type_saved: Callable[[str, str], None],
        failed: Callable[[str], None],
    ) -> None:
        """
        Args:
            running: what runs now.
            pending_changed: hears what applying the files would change; None: nothing any more.
            type_saved: hears that a file of a type was saved, with the type's name and the file's path.
            failed: hears why nothing can be watched.
        """
        self._running = running
        self._pending_changed = pending_changed
        self._type_saved = type_saved
        self._failed = failed
        self._watcher: Watcher | None = None
        self._watched: object = None
        """What the watcher looks out for."""
        self._closed = False
        self.files: Config | None = None
        """What the files say, while they can be applied and differ from what runs."""
        self.pending: ConfigChange | None = None
        """What applying them would change, or why they cannot be."""

    def watch(self) -> None:
        """Watches what is to be watched by now: files may have come to name others (`env_file`), patterns change."""
        running = self._running()
        files = (self.files or running).files
        patterns = {spec.type.name: spec.watch for spec in running.specs if spec.watch}
        if self._closed or self._watched == (files, patterns):
            return
        self._watched = files, patterns
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = Watcher(
            root=running.root,
            files=files,
            patterns=patterns,
            files_changed=self.read,
            type_changed=self._type_saved,
            failed=self._failed,
        )
        self._watcher.start()

    def read(self) -> None:
        """Reads the files anew, and tells when what they would change is another now."""
        running = self._running()
        if running.options is None or self._closed:
            return
        try:
            self.files = load(running.options, running.shell)
            pending = difference(running, self.files)
        except ProcdeckError as error:
            self.files, pending = None, ConfigChange(error=str(error))
        self._now_pending(pending)
        if self._watcher is not None:
            self.watch()

    def applied(self) -> None:
        """What the files say is what runs now."""
        self.files = None
        self._now_pending(None)
        if self._watcher is not None:
            self.watch()

    def close(self) -> None:
        """Watches no more."""
        self._closed = True
        if self._watcher is not None:
            self._watcher.close()

    def _now_pending(self, pending: ConfigChange | None) -> None:
        if pending != self.pending:
            self.pending = pending
            self._pending_changed(pending)
