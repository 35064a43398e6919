"""Runs the whole matrix and writes its table into docs/faults.md.

    python -m tests.faults               everything
    python -m tests.faults daemon KILL   only the cells with these words in their names; writes nothing

Ends with 1 when a process was left, or anything else was not as it should be, and with 2 when there is no such cell.
"""

from __future__ import annotations

import multiprocessing
import sys
import textwrap
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.faults.children import CHILDREN, Child
from tests.faults.matrix import REPO, WAYS, Result, Way, cells, run_named

DOCS = REPO / "docs" / "faults.md"
_AT_A_TIME = 2
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def main(words: list[str]) -> int:
    """Runs what has these words in its name, and returns the exit status."""
    chosen = [(w, c) for w, c in cells() if all(word.lower() in f"{w.name} {c.name}".lower() for word in words)]
    if not chosen:
        print(f"No cell has {' and '.join(words)} in its name.", file=sys.stderr)
        return 2
    began = time.monotonic()
    results = run(chosen)
    print(for_the_terminal(results))
    bad = [result for result in results if not result.good]
    for result in bad:
        print(f"\n{result.child} × {result.way}:", *result.left, *result.problems, sep="\n  ")
    left = sum(len(result.left) for result in results)
    print(f"\n{len(results)} runs in {time.monotonic() - began:.0f} s, {left} processes left, {len(bad)} runs bad.")
    if not words:
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(_BEGIN)
        DOCS.write_text(before + _BEGIN + for_the_docs(results) + _END + rest.partition(_END)[2], encoding="utf-8")
    return 1 if bad else 0


def run(chosen: list[tuple[Way, Child]]) -> list[Result]:
    """Runs cells, some at a time."""
    results = []
    ways, children = [way.name for way, _ in chosen], [child.name for _, child in chosen]
    # Processes of their own, so that no cell's emulator delays another's clock.
    with ProcessPoolExecutor(_AT_A_TIME, mp_context=multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(run_named, ways, children):
            results.append(result)
            if sys.stderr.isatty():
                print(f"\r{len(results)}/{len(chosen)}", end="\r", file=sys.stderr, flush=True)
    return results


def for_the_terminal(results: Iterable[Result]) -> str:
    """The table in columns."""
    rows = _rows(results)
    first = max(len(row[0]) for row in rows)
    width = max(9, *(len(word) for head in rows[0][1:] for word in head.split()))
    heads = [textwrap.wrap(head, width) for head in rows[0][1:]]
    height = max(map(len, heads))
    lines = [[""] + [head[i] if i < len(head) else "" for head in heads] for i in range(height)]
    return "\n".join(
        (line[0].ljust(first) + "".join(f"  {cell:{width}}" for cell in line[1:])).rstrip()
        for line in [*lines, *rows[1:]]
    )


def for_the_docs(results: Iterable[Result]) -> str:
    """The table in Markdown."""
    head, *rows = _rows(results)
    lines = ["| ended by → | " + " | ".join(head[1:]) + " |", "|---" * len(head) + "|"]
    # No blank in a cell may be broken at.
    lines += [f"| {row[0]} | " + " | ".join(cell.replace(" ", "\u00a0") for cell in row[1:]) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _rows(results: Iterable[Result]) -> list[list[str]]:
    """Ways in the first row, children in the first column."""
    by_name = {(result.child, result.way): str(result) for result in results}
    children = [child.name for child in CHILDREN if any(child.name == name for name, _ in by_name)]
    ways = [way.name for way in WAYS if any(way.name == name for _, name in by_name)]
    return [["", *ways], *([child, *(by_name.get((child, way), "") for way in ways)] for child in children)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
