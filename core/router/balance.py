"""Which of some instances gets the next connection. Pure."""

from collections.abc import Collection, Mapping, Sequence

from .control import Balance


class Balancer:
    """Chooses among names."""

    def __init__(self, balance: Balance = Balance.LEAST_CONNECTIONS) -> None:
        self._balance = balance
        self._last = ""

    def choose(self, ready: Sequence[str], connections: Mapping[str, int], avoid: Collection[str] = ()) -> str | None:
        """The one that is next; None when there is none.

        Args:
            ready: those that may be chosen, in their order.
            connections: how many each has.
            avoid: those that have just failed; they are chosen only after all others.
        """
        candidates = [name for name in self._in_turn(ready) if name not in avoid]
        if not candidates:
            return None
        if self._balance is Balance.LEAST_CONNECTIONS:
            self._last = min(candidates, key=lambda name: connections.get(name, 0))
        else:
            self._last = candidates[0]
        return self._last

    def _in_turn(self, ready: Sequence[str]) -> Sequence[str]:
        # Among equals it goes round, or one that answers at once would get all there is.
        first = ready.index(self._last) + 1 if self._last in ready else 0
        return [*ready[first:], *ready[:first]]
