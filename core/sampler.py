"""CPU and memory of each instance's whole process tree, from two looks at the process table. Reads nothing itself.

The CPU time of a tree is what its living processes used, and what those used that lived and died between two looks: a
parent's `children_cpu` tells of them, so that a shell loop of short commands is seen too.
"""

from collections.abc import Mapping, Sequence

from .messages import Sample
from .proctable import Process
from .trees import Trees

_Seen = Mapping[tuple[int, float], Process]


class Sampler:
    """Turns looks into samples."""

    def __init__(self) -> None:
        self._before: dict[str, dict[tuple[int, float], Process]] = {}
        self._at: float | None = None
        self._earlier = self._before
        """What `_before` was, `_elapsed` seconds before that."""
        self._elapsed = 0.0

    def sample(self, trees: Trees, now: float, dead: Trees | None = None) -> list[Sample]:
        """The samples for a look taken at monotonic time `now`; CPU is 0 in an instance's first one.

        Args:
            trees: the living.
            now: when they were looked at.
            dead: those that were not reaped yet (`TreeFinder.dead`). Their CPU time counts when they use it; without
                them it would come all at once, on the day their parent waits for them.
        """
        elapsed = now - self._at if self._at is not None else 0.0
        dead = dead or {}
        counted = {name: [*members, *dead.get(name, ())] for name, members in trees.items()}
        samples = [
            Sample(
                name=name,
                cpu=self._cpu(name, counted[name], elapsed),
                memory=sum(process.memory for process in members),
                processes=len(members),
                threads=sum(process.threads for process in members),
            )
            for name, members in trees.items()
        ]
        self._earlier, self._elapsed = self._before, elapsed
        self._before = {name: {process.key: process for process in members} for name, members in counted.items()}
        self._at = now
        return samples

    def shares_of(self, name: str) -> dict[tuple[int, float], float]:
        """Percent of one core that each single process of an instance used between the two latest samples."""
        earlier, elapsed = self._earlier.get(name), self._elapsed
        if earlier is None or elapsed <= 0:
            return {}
        return {
            key: round(100.0 * max(0.0, process.cpu - earlier[key].cpu) / elapsed, 1)
            for key, process in self._before.get(name, {}).items()
            if key in earlier
        }

    def _cpu(self, name: str, members: Sequence[Process], elapsed: float) -> float:
        before = self._before.get(name)
        if before is None or elapsed <= 0:
            return 0.0
        return round(100.0 * cpu_seconds(before, members) / elapsed, 1)


def cpu_seconds(before: _Seen, members: Sequence[Process]) -> float:
    """CPU seconds that a tree used since `before`.

    A process that died since is found again in its parent's `children_cpu`, where its whole life was added at once;
    what it had used before is subtracted. When the parent did not wait for it that sum is too small, and what the
    living ones used is the answer.
    """
    living = 0.0
    whole = 0.0
    alive = set()
    for process in members:
        alive.add(process.key)
        old = before.get(process.key)
        own = process.cpu - (old.cpu if old else 0.0)
        living += own
        whole += own + process.children_cpu - (old.children_cpu if old else 0.0)
    whole -= sum(old.cpu + old.children_cpu for key, old in before.items() if key not in alive)
    return max(living, whole, 0.0)
