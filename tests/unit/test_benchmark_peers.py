"""What is measured beside peers: they leave nothing behind, keys are told from repaints, tables say what is missing."""

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.peers import page, screens
from benchmarks.peers.peer import Job, Peer
from benchmarks.peers.run import SLEEP, Run
from benchmarks.peers.tables import Table, cell, in_turns

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what belongs to a peer is told by /proc")


def shell(words: str) -> Peer:
    """A peer that is a shell, and does what it is told here."""
    return Peer("shell", ("/bin/sh",), "1", lambda job: ["-c", words.replace("SCRIPT", str(job.script))])


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(*pids: int) -> bool:
    """Whether all have ended, or do within some seconds."""
    until = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(alive, pids))


def test_a_program_that_left_for_a_session_of_its_own_is_ended_with_its_peer() -> None:
    with Run(shell("setsid SCRIPT & exec sleep 100"), 1, f"exec sleep {SLEEP}") as run:
        run.until_up(1)
        program, own = run.ups[0][1], run.own()
        assert alive(program)
        assert program not in own
        assert len(own) == 1
    assert gone(program, *own)
    assert not run.folder.exists()


def test_a_peer_is_ended_when_the_measurement_fails() -> None:
    run = Run(shell("SCRIPT & exec sleep 100"), 1, f"exec sleep {SLEEP}")
    with pytest.raises(TimeoutError, match="in vain for a miracle"), run:
        run.until(lambda: len(run.ups) > 1, "a miracle", 1.0)
    assert gone(run.ups[0][1])


def test_a_peer_that_ends_by_itself_is_given_up_and_named() -> None:
    def measure(peer: Peer) -> float:
        with Run(peer, 1, "exit") as run:
            return run.until_up(1)

    turns = in_turns(2, [shell("echo; echo sorry; exit 3")], measure)
    assert turns.values == {"shell": []}
    assert turns.faults == ["shell has ended with status 3: sorry"]


def test_each_takes_its_turn_and_another_one_is_first_in_every_round() -> None:
    order: list[str] = []
    peers = [Peer(name, (), "1", lambda job: []) for name in "abc"]
    in_turns(2, peers, lambda peer: order.append(peer.name))
    assert "".join(order) == "abcbca"


def test_a_key_is_answered_when_another_row_is_set_off_and_not_by_a_repaint() -> None:
    peer = Peer("screen", (), "1", lambda job: [], whole=("two", "quit"))
    plain, chosen = b"\x1b[0m", b"\x1b[7m"
    painted = [
        (1.0, chosen + b"\x1b[1;1Hone" + plain + b"\x1b[2;1Htwo"),
        (1.5, b"\x1b[36;1Hquit"),
        (3.1, b"\x1b[2;30H12 %"),
        (3.2, plain + b"\x1b[1;1Hone" + chosen + b"\x1b[2;1Htwo" + plain),
        (4.5, b"\x1b[2;30H13 %"),
    ]
    waits = screens._put_together(peer, 1.0, [3.0, 4.0], painted)
    assert waits.whole == 0.5
    assert waits.keys == [pytest.approx(0.2)]
    assert waits.unanswered == 1


def test_a_screen_that_is_never_whole_is_a_fault() -> None:
    peer = Peer("screen", (), "1", lambda job: [], whole=("quit",))
    with pytest.raises(TimeoutError, match="quit never stood on its screen: hello"):
        screens._put_together(peer, 1.0, [], [(1.0, b"hello")])


def test_the_page_has_the_tables_in_the_place_of_those_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "benchmarks.md"
    docs.write_text("before\n<!-- peers -->\nold\n<!-- end of peers -->\nafter\n")
    monkeypatch.setattr(page, "DOCS", docs)
    table = Table("How fast?", ("rate",), [("procdeck", cell([1, 3, 2], str))], ["honcho: broken"])
    page.write([table], [Peer("honcho", (), "2.0", lambda job: [])], ["goreman"])
    text = docs.read_text()
    assert text.startswith("before\n<!-- peers -->\nMeasured: honcho 2.0.")
    assert text.endswith("<!-- end of peers -->\nafter\n")
    assert "left out: goreman." in text
    assert "| procdeck | 2 (1 – 3) |" in text
    assert "honcho: broken." in text
    assert "old" not in text


def test_a_job_is_one_script_that_can_be_executed() -> None:
    jobs: list[Job] = []
    peer = Peer("peer", (), "1", lambda job: jobs.append(job) or [])  # type: ignore[func-returns-value]
    run = Run(peer, 7, "exit")
    assert jobs[0].count == 7
    assert os.access(jobs[0].script, os.X_OK)
    run.__exit__()
    assert not run.folder.exists()
