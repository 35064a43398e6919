"""How grave a line is, as a value that travels. How it is found out is `core.levels`' matter, whose patterns take
their time to be made."""

from enum import IntEnum


class Level(IntEnum):
    """Graver is more."""

    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
