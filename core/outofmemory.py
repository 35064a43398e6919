"""What the kernel tells about memory on Linux: how often it has killed for want of it, and how much there is at most.

Counts only ever grow, so two of them tell of the time between. Elsewhere, and where nothing may be read, nothing is
known; nothing here raises. What a count means for a crash is `core.causes`' matter.
"""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60
"""Cgroup v1 says "no limit" with a number above this."""


def oom_kills(*, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """How many processes the kernel's OOM killer has ended so far; None when that cannot be read.

    Counted are those of this process's own cgroup, in which what it starts lives too; where cgroups do not tell, those
    of the whole machine. Sources: `oom_kill` in memory.events (cgroup v2), in memory.oom_control (v1, Linux 4.13) and
    in /proc/vmstat (4.13).
    """
    for folder in _folders(proc, cgroups):
        for name in ("memory.events", "memory.oom_control"):
            count = _number_after(folder / name, "oom_kill")
            if count is not None:
                return count
    return _number_after(proc / "vmstat", "oom_kill")


def memory_at_most(*, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that this process and what it starts can hold: the machine's memory, or less when a cgroup limits them;
    None when that cannot be read."""
    sizes = []
    kilobytes = _number_after(proc / "meminfo", "MemTotal:")
    if kilobytes is not None:
        sizes.append(kilobytes * 1024)
    for folder in _folders(proc, cgroups):
        # A limit holds for all that is below it.
        for above in (folder, *folder.parents):
            if not above.is_relative_to(cgroups):
                break
            for name in ("memory.max", "memory.limit_in_bytes"):
                size = _number(_text(above / name).strip())
                if size is not None and size < _NO_LIMIT:
                    sizes.append(size)
    return min(sizes, default=None)


def _folders(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Where a cgroup's files may be, the likeliest first. In a container a path may be one outside, and what is
    mounted is the container's own cgroup."""
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = cgroups / "memory" if controllers else cgroups
        yield from dict.fromkeys((mount / path.lstrip("/"), mount))


def _number_after(path: Path, name: str) -> int | None:
    """The number that stands behind a name on one of a file's lines."""
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name:
            return _number(words[1])
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 25 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return ""
