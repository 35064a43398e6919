"""Where the tables are written: docs/benchmarks.md, in the section that is beside the other one's table."""

from collections.abc import Sequence

from ..page import DOCS, machine
from .peer import Peer
from .tables import Table

_BEGIN, _END = "<!-- peers -->\n", "<!-- end of peers -->\n"


def write(tables: Sequence[Table], peers: Sequence[Peer], missing: Sequence[str]) -> None:
    """Puts the tables into the page, in the place of those from before.

    Raises:
        LookupError: the page has no place for them.
    """
    before, begin, rest = DOCS.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise LookupError(f"{DOCS} has no place for what was measured beside peers")
    written = "\n".join(table.markdown() for table in tables)
    DOCS.write_text(f"{before}{_BEGIN}{about(peers, missing)}\n\n{written}{_END}{after}", encoding="utf-8")


def about(peers: Sequence[Peer], missing: Sequence[str]) -> str:
    """Who was there, who was not, and on what."""
    versions = dict.fromkeys(f"{peer.name.split()[0]} {peer.version}" for peer in peers)
    lines = [f"Measured: {', '.join(versions)}."]
    if missing:
        lines.append(f"Not here, and left out: {', '.join(missing)}.")
    return "\n".join([*lines, machine()])
