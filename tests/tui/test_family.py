"""A family of processes is seen for what it is, and every process keeps its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import ProcessView
from procdeck.tui.family import (
    MANY,
    Relative,
    branches,
    described,
    lineage,
    program,
    shown_command,
)
from procdeck.tui.processlist import Sightings
from procdeck.tui.status import ASCII, Glyphs


def process(pid: int, command: str, depth: int = 0, **fields: object) -> ProcessView:
    known: dict[str, object] = {"parent": 1, "state": "S", "cpu": 0.0, "memory": 1 << 20, "threads": 1, "age": 60.0}
    return ProcessView(pid=pid, depth=depth, command=command, **known | fields)  # type: ignore[arg-type]


def family(*views: ProcessView) -> list[Relative]:
    return Sightings().take(views, 1000.0)


def prefork(workers: int = 4) -> list[ProcessView]:
    command = "/usr/bin/python3 /venv/bin/gunicorn -w 4 app:app"
    children = [process(11 + i, command, 2, parent=10) for i in range(workers)]
    return [process(9, "/bin/sh -c gunicorn -w 4 app:app"), process(10, command, 1, parent=9, threads=5), *children]


CLUSTER = [
    process(1, "/bin/sh -c npm start"),
    process(2, "npm start", 1, threads=11),
    process(3, "sh -c node cluster.js", 2),
    process(4, "node cluster.js", 3, threads=7),
    *(process(5 + i, "/usr/bin/node /srv/shop/cluster.js", 4, threads=7) for i in range(4)),
]
NGINX = [
    process(1, "nginx: master process nginx -g daemon off;"),
    *(process(2 + i, "nginx: worker process", 1) for i in range(2)),
    process(4, "nginx: cache manager process", 1),
]
PUMA = [
    process(1, "puma 6.4.0 (tcp://0.0.0.0:5000) [shop]"),
    *(process(2 + i, f"puma: cluster worker {i}: 1 [shop]", 1, threads=9) for i in range(3)),
]
UVICORN = [
    process(1, "/venv/bin/python /venv/bin/uvicorn app:app --workers 2"),
    process(2, "/venv/bin/python -c from multiprocessing.resource_tracker import main;main(3)", 1),
    *(
        process(3 + i, f"/venv/bin/python -c from multiprocessing.spawn import spawn_main; spawn_main({i})", 1)
        for i in range(2)
    ),
]


class TestWhatItIs:
    @pytest.mark.parametrize(
        ("views", "words"),
        [
            (prefork(), "1 master, 4 workers · 6 processes, 10 threads"),
            (prefork(1), "1 master, 1 worker · 3 processes, 7 threads"),
            (CLUSTER, "1 master, 4 workers · 8 processes, 48 threads"),
            (NGINX, "1 master, 2 workers · 4 processes, 4 threads"),
            (PUMA, "1 master, 3 workers · 4 processes, 28 threads"),
            (UVICORN, "1 master, 2 workers · 4 processes, 4 threads"),
            ([process(1, "/usr/lib/jvm/bin/java -jar a.jar", threads=40)], "JVM · 1 process, 40 threads"),
            ([process(1, "node server.js", threads=11)], "event loop · 1 process, 11 threads"),
            ([process(1, "./serve", threads=12)], "threaded · 1 process, 12 threads"),
            ([process(1, "python worker.py")], "1 process, 1 thread"),
        ],
    )
    def test_servers_are_seen_for_what_they_are(self, views: list[ProcessView], words: str) -> None:
        assert described(family(*views)) == words

    def test_a_shell_is_nobodys_master(self) -> None:
        views = [process(1, "sh jobs.sh"), *(process(2 + i, "sh jobs.sh", 1) for i in range(3))]
        assert described(family(*views)) == "4 processes, 4 threads"

    def test_one_that_starts_itself_anew_is_no_master(self) -> None:
        views = [process(1, "python manage.py runserver"), process(2, "python manage.py runserver", 1)]
        assert described(family(*views)) == "2 processes, 2 threads"

    def test_two_masters_are_two(self) -> None:
        command = "python3 /venv/bin/celery -A shop worker"
        one = [process(2, command, 1), process(3, command, 2), process(4, command, 2)]
        other = [process(5, command, 1), process(6, command, 2), process(7, command, 2)]
        assert described(family(process(1, "sh run.sh"), *one, *other)).startswith("2 masters, 4 workers")

    def test_zombies_are_not_counted(self) -> None:
        views = [*prefork(2), process(20, "[gunicorn]", 2, state="Z")]
        assert described(family(*views)) == "1 master, 2 workers · 4 processes, 8 threads"

    def test_the_way_down_is_told(self) -> None:
        assert lineage(family(*CLUSTER)) == "sh → npm → sh → node → 4 × node"
        assert lineage(family(process(1, "node server.js"))) == ""


class TestNames:
    @pytest.mark.parametrize(
        ("command", "name"),
        [
            ("/usr/bin/python3.11 /venv/bin/gunicorn -w 4", "gunicorn"),
            ("python -m http.server 5000", "http"),
            ("python3 -c import os", "python3"),
            ("ruby bin/rails server", "rails"),
            ("nginx: worker process", "nginx"),
            ("-bash", "bash"),
            ("[kworker]", "kworker"),
            ("/usr/bin/node /srv/app.js", "node"),
            ("", "?"),
        ],
    )
    def test_a_program_has_a_name(self, command: str, name: str) -> None:
        assert program(command) == name

    @given(st.text())
    def test_every_command_has_one(self, command: str) -> None:
        assert program(command)
        shown_command(command, "/srv/shop")

    @pytest.mark.parametrize(
        ("command", "shown"),
        [
            ("/usr/bin/python3 /venv/bin/gunicorn -w 4", "gunicorn -w 4"),
            ("/usr/bin/node /srv/shop/cluster.js --x", "node cluster.js --x"),
            ("/srv/shopping/run", "run"),
            ("node /srv/shopping/cluster.js", "node /srv/shopping/cluster.js"),
            ("python3 -m flask run", "python3 -m flask run"),
        ],
    )
    def test_what_is_long_and_known_is_left_out(self, command: str, shown: str) -> None:
        assert shown_command(command, "/srv/shop") == shown


class TestTree:
    def test_children_stand_under_their_parent(self) -> None:
        views = [
            process(1, "a"),
            process(2, "b", 1),
            process(3, "c", 2),
            process(4, "d", 1),
            process(5, "adrift", daemonised=True),
        ]
        shown = [(branch.stem, branch.view.pid) for branch in branches(family(*views), set(), Glyphs())]
        assert shown == [("", 1), ("├─", 2), ("│ └─", 3), ("└─", 4), ("", 5)]
        assert [branch.stem for branch in branches(family(*views), set(), ASCII)] == ["", "|-", "| `-", "`-", ""]

    def test_as_many_as_can_be_read_stand_one_by_one(self) -> None:
        assert [branch.count for branch in branches(family(*prefork(MANY)), set(), Glyphs())] == [1] * (2 + MANY)

    def test_more_alike_are_one_line_with_their_sums(self) -> None:
        found = branches(family(*prefork(MANY + 1)), set(), Glyphs())
        assert [(branch.count, branch.folded) for branch in found] == [(1, False), (1, False), (MANY + 1, True)]
        assert found[-1].view.memory == (MANY + 1) << 20
        assert found[-1].view.threads == MANY + 1

    def test_they_unfold(self) -> None:
        relatives = family(*prefork(12))
        group = branches(relatives, set(), Glyphs())[-1]
        found = branches(relatives, {group.key}, Glyphs())
        assert [branch.count for branch in found] == [1, 1, 12, *[1] * 12]
        assert {branch.stem for branch in found[3:]} == {"    ├─", "    └─"}

    def test_numbers_make_no_difference_between_them(self) -> None:
        views = [process(1, "puma"), *(process(2 + i, f"puma: worker {i}", 1, parent=1) for i in range(20))]
        assert [branch.count for branch in branches(family(*views), set(), Glyphs())] == [1, 20]

    @pytest.mark.parametrize("special", [{"state": "Z"}, {"state": "T"}, {"daemonised": True}])
    def test_one_with_which_something_is_wrong_is_seen_on_its_own(self, special: dict[str, object]) -> None:
        views = prefork(12)
        views[5] = process(99, views[5].command, 2, parent=10, **special)
        found = branches(family(*views), set(), Glyphs())
        assert [(branch.view.pid, branch.count) for branch in found[2:]] == [(11, 11), (99, 1)]

    @given(st.lists(st.integers(0, 6), max_size=40))
    def test_every_process_is_in_one_line(self, depths: list[int]) -> None:
        views = [process(i + 1, "x" if i % 3 else "y", depth) for i, depth in enumerate(depths)]
        found = branches(family(*views), set(), Glyphs())
        assert sum(branch.count for branch in found) == len(views)
        assert len({branch.key for branch in found}) == len(found)
