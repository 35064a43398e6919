"""Which PORT an instance gets. Pure arithmetic: foreman's base + 100·index + (N−1), but never twice.

foreman and honcho give the 101st instance of a type the first port of the next type. Here such an instance takes a port
from above all blocks. Whether a port is free on the machine is not known here.
"""

from .errors import UsageError

BLOCK = 100
DEFAULT_BASE = 5000
MAX_PORT = 65535


def parse_base(text: str, *, source: str) -> int:
    """The base port from `-p`, .env or the shell.

    Raises:
        UsageError: not a number from 1 to 65535.
    """
    value = text.strip()
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 0 < int(value) <= MAX_PORT):
        raise UsageError(f"{source} is {text!r}, which is not a port: give a number from 1 to {MAX_PORT}.")
    return int(value)


def port_for(base: int, index: int, number: int, types: int) -> int:
    """The PORT of instance `number` (from 1) of the type at `index` among `types` types.

    Unique for every (index, number) of one formation. The overflow area above all blocks holds the instances beyond a
    block's 100; each type has its own rows there, interleaved.

    Raises:
        UsageError: the formation has outgrown the 65535 ports.
    """
    if number <= BLOCK:
        port = base + BLOCK * index + number - 1
    else:
        port = base + BLOCK * types + (number - BLOCK - 1) * types + index
    if port > MAX_PORT:
        raise UsageError(
            f"Instance {number} of type {index + 1} would need PORT {port}, and ports end at {MAX_PORT}: "
            f"choose a base below {base} with -p."
        )
    return port
