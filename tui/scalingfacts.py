"""All that the page of the scaling view shows, as one value: what its parts are made from. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .scaling import Change, Second
from .scalingcurve import Gain, Knee, Plateau
from .status import Status


@dataclass(frozen=True)
class TypeLine:
    """A type in the list."""

    name: str
    up: int
    wanted: int
    status: Status


@dataclass(frozen=True)
class Facts:
    """All that the page shows."""

    types: Sequence[TypeLine]
    type: str
    """The selected one."""
    seconds: Sequence[Second]
    """Of the selected type."""
    changes: Sequence[Change]
    span: int
    shows_route: bool
    """The plots are to show what goes through the route."""
    route: int | None
    plateaus: Sequence[Plateau]
    measuring: int | None
    """A count of instances of which too little is known yet."""
    gain: Gain | None
    knee: Knee | None
    cores: int
    adds: str = "+"
    """The key that adds an instance."""
