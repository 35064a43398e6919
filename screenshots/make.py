"""Makes the pictures beside this file: `python screenshots/make.py`, or only those that are named.

Each is the real dashboard (`scenes` has what is done there) in a window, as Rich draws it. The same code makes the same
bytes, and `tests/tui/test_screenshots.py` fails when a picture is not what the dashboard looks like now.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from screenshots.look import Look, drawn
from screenshots.scenes import LARGE, MIDDLE, SMALL, WALKS, looks

FOLDER = Path(__file__).resolve().parent

PICTURES: dict[str, tuple[str, tuple[int, int]]] = {
    **{name: (name, MIDDLE) for walk in WALKS for name in walk.stops if MIDDLE in walk.sizes},
    "main-80x24": ("calm", SMALL),
    "main-200x50": ("crash-loop", LARGE),
}
"""By their names: what is seen, and how large."""
for _left_out in ("calm", "grid-8", "grid-300"):
    del PICTURES[_left_out]

Walked = Callable[[int, tuple[int, int]], dict[str, Look]]
"""What one sees on one of the walks, by its place, at a size."""


def pictures(names: Iterable[str], walked: Walked = lambda place, size: looks(WALKS[place], size)) -> dict[str, str]:
    """Pictures by name, the same wherever they are made."""
    made: dict[str, str] = {}
    wanted = {PICTURES[name]: name for name in names}
    for place, walk in enumerate(WALKS):
        for size in walk.sizes:
            scenes = {stop: wanted[stop, size] for stop in walk.stops if (stop, size) in wanted}
            if scenes:
                seen = walked(place, size)
                made |= {name: drawn(seen[stop], name) for stop, name in scenes.items()}
    return made


def main() -> None:
    """Writes them."""
    unknown = [name for name in sys.argv[1:] if name not in PICTURES]
    if unknown:
        sys.exit(f"There is no picture {', '.join(unknown)}: there are {', '.join(PICTURES)}.")
    for name, svg in pictures(sys.argv[1:] or PICTURES).items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"{name}.svg  {len(svg) // 1024} KiB")
    for path in set(FOLDER.glob("*.svg")) - {FOLDER / f"{name}.svg" for name in PICTURES}:
        print(f"{path.name} is no picture any more: removed")
        path.unlink()


if __name__ == "__main__":
    main()
