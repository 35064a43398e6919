"""What was changed in the files, in words for one line. Pure."""

from procdeck.core.messages import ConfigChange

Piece = tuple[str, str]
"""Text, and a tone: `plain`, `up` for what comes, `changing` for what becomes different, `crashed` for what goes."""


def change_words(change: ConfigChange) -> list[Piece]:
    """A change that waits: `Files changed: + mailer  ~ web (command)  - clock  ~ QUEUE_URL`."""
    if change.error is not None:
        first = change.error.splitlines()[0]
        return [("Files changed, but: ", "plain"), (first, "crashed")]
    pieces: list[Piece] = [("Files changed: ", "plain")]
    pieces += [(f"+ {name}  ", "up") for name in change.added]
    pieces += [(f"~ {name} ({', '.join(parts)})  ", "changing") for name, parts in change.changed.items()]
    pieces += [(f"- {name}  ", "crashed") for name in change.removed]
    if change.variables:
        more = f" and {len(change.variables) - 3} more" if len(change.variables) > 3 else ""
        pieces.append((f"~ {', '.join(change.variables[:3])}{more}", "changing"))
    return pieces
