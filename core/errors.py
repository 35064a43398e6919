"""The one exception that a person may see: a clear sentence that says what happened and what to do. Nothing else
lives here."""


class ProcdeckError(Exception):
    """A mistake or a condition that its message explains in full; shown without a traceback.

    Attributes:
        status: the exit status that a command which meets it ends with: 2 for wrong usage, 1 otherwise.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class UsageError(ProcdeckError):
    """What was asked for does not make sense (an unknown type, `web=abc`)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=2)
