"""What is selected is a process: whatever starts or ends, the cursor stays on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import ProcessView
from procdeck.tui.family import MANY
from procdeck.tui.processlist import ProcessList, Sightings
from procdeck.tui.status import Glyphs

from .test_family import prefork, process


class TestSightings:
    def test_a_process_keeps_its_key_from_look_to_look(self) -> None:
        sightings = Sightings()
        keys = {
            sightings.take([process(7, "a", age=60.0 + look + wobble)], 1000.0 + look)[0].key
            for look, wobble in enumerate([0.0, 0.4, -0.5, 0.9, 0.0])
        }
        assert len(keys) == 1

    def test_another_with_the_same_pid_has_another(self) -> None:
        sightings = Sightings()
        (before,) = sightings.take([process(7, "a", age=60.0)], 1000.0)
        (after,) = sightings.take([process(7, "a", age=0.2)], 1001.0)
        assert before.key != after.key


def seen(views: list[ProcessView], select: int = 0) -> ProcessList:
    found = ProcessList(Glyphs())
    found.take(views, 1000.0)
    found.select(select)
    return found


def pids(found: ProcessList) -> list[int]:
    return [branch.view.pid for branch in found.branches]


def cursor(found: ProcessList) -> tuple[int, int, bool]:
    """Place and pid of the selected line, and whether that process has ended."""
    assert found.selected is found.branches[found.index]
    return found.index, found.selected.view.pid, found.selected.ended


class TestSelection:
    def test_stays_on_its_process_wherever_that_goes(self) -> None:
        views = prefork()
        found = seen(views, 4)
        found.take([*views[:2], *views[3:]], 1001.0)
        assert cursor(found) == (3, 13, False)

    def test_one_that_has_ended_stays_under_the_cursor(self) -> None:
        views = prefork()
        found = seen(views, 3)
        found.take([*views[:3], *views[4:]], 1001.0)
        assert cursor(found) == (3, 12, True)
        assert pids(found) == [view.pid for view in views]

    def test_and_goes_when_the_cursor_does(self) -> None:
        views = prefork()
        found = seen(views, 3)
        found.take([*views[:3], *views[4:]], 1001.0)
        found.select(4)
        assert cursor(found) == (3, 13, False)
        assert pids(found) == [9, 10, 11, 13, 14]

    def test_one_that_is_now_among_many_is_in_their_line(self) -> None:
        found = seen(prefork(MANY), 5)
        found.take(prefork(MANY + 1), 1001.0)
        assert found.selected is not None
        assert (found.index, found.selected.count) == (2, MANY + 1)

    def test_the_line_of_many_that_are_no_longer_so_many_is_the_first_of_them(self) -> None:
        found = seen(prefork(MANY + 1), 2)
        found.take(prefork(MANY), 1001.0)
        assert cursor(found) == (2, 11, False)

    def test_when_nobody_is_left_it_is_on_the_first_of_the_others(self) -> None:
        found = seen(prefork(), 4)
        found.take([process(70, "sh", age=0.1), process(71, "x", 1, age=0.1)], 1010.0)
        assert cursor(found) == (0, 70, False)
        assert pids(found) == [70, 71]

    def test_all_that_have_ended_stay_to_be_read_until_there_are_others(self) -> None:
        found = seen(prefork(), 4)
        found.take([], 1001.0)
        assert cursor(found) == (4, 13, True)
        assert all(branch.ended for branch in found.branches)
        found.take([process(70, "sh", age=0.1)], 1010.0)
        assert pids(found) == [70]

    def test_that_all_have_ended_may_be_known_before_the_next_look(self) -> None:
        found = seen(prefork(), 1)
        found.all_ended()
        assert not found.relatives
        assert cursor(found) == (1, 10, True)

    @given(st.lists(st.sets(st.integers(1, 8)), min_size=2, max_size=8), st.integers(0, 9))
    def test_no_other_process_comes_under_it_while_one_is_left(self, looks: list[set[int]], place: int) -> None:
        found = ProcessList(Glyphs())
        for i, there in enumerate(looks):
            before = found.selected.view.pid if found.selected is not None else None
            left = {relative.view.pid for relative in found.relatives} & there
            found.take([process(pid, f"job {pid}", age=60.0 + i) for pid in sorted(there)], 1000.0 + i)
            if before is not None and left:
                assert found.selected is not None
                assert found.selected.view.pid == before
            if i == 0:
                found.select(place)
