"""Memory: a process killed for want of it, an allocation that failed, a runtime's own heap that is full."""

import re

from .facts import Cause, CauseKind, Facts, amount
from .statement import Statement, first_of

_LARGE = 64 * 1024**2
"""Bytes; less is held by nobody whom the kernel kills for memory, or hardly."""
_VERY_LARGE = 1024**3
"""The same where it is not known how much there is."""
_SHARE = 0.2
"""Of all memory: who held that much and was killed was probably killed for it."""
_SHARE_UNSEEN = 0.5
"""The same when the kernel says that it killed nobody: there are services that do it in its place."""

_JAVA_HEAP = re.compile(r"^(?:Java heap space|GC overhead limit exceeded|Requested array size exceeds)", re.MULTILINE)
_JAVA_METASPACE = re.compile(r"^(?:Metaspace|Compressed class space)", re.MULTILINE)
_JAVA_LINE = re.compile(
    r"java\.lang\.OutOfMemoryError(?:: (?P<what>[^\n]+))?|Terminating due to java\.lang\.OutOfMemoryError"
)
_NODE_HEAP = re.compile(r"JavaScript heap out of memory|Reached heap limit Allocation failed")
_PHP_LIMIT = re.compile(r"Allowed memory size of (?P<size>\d+) bytes exhausted")
_FAILED = [
    re.compile(
        r"^fatal error: (?:runtime: )?(?:cannot allocate memory|out of memory)|^runtime: out of memory", re.MULTILINE
    ),
    re.compile(r"memory allocation of \d+ bytes failed"),
    re.compile(r"\bstd::bad_alloc\b"),
    re.compile(r"\[Errno 12\] Cannot allocate memory|\bENOMEM\b|os error 12\b"),
    re.compile(r"failed to allocate memory"),
    re.compile(r"There is insufficient memory for the Java Runtime Environment"),
    re.compile(r"\bOut Of Memory allocating \d+ bytes"),
    re.compile(r"\b(?:fork|mmap|malloc|x?realloc|vmalloc)\b.{0,60}: (?:Cannot allocate memory|retry: Resource)"),
    re.compile(r"could not map anonymous shared memory: Cannot allocate memory"),
    re.compile(r"^(?:fatal: |virtual )?(?:memory exhausted|out of memory)\b", re.MULTILINE | re.IGNORECASE),
]
_LIMIT = re.compile(r"limit of (?P<limit>\S+) passed \((?P<held>\S+)\)")
_NATIVE_THREAD = re.compile(r"unable to create (?:new )?native thread")


def killed_for_memory(facts: Facts) -> Cause | None:
    """Why a run ended by SIGKILL, when memory is the reason: by what the kernel counted, or by what it held."""
    peak = facts.peak_memory
    held = "" if peak is None else f": it held {amount(peak)} at the end"
    how = str(facts.exit) if facts.exit.signal is not None else f"{facts.exit}, which is SIGKILL in a shell's words"
    evidence = [how] if peak is None else [how, f"it held {amount(peak)} at most"]
    if facts.oom_kills:
        times = "once" if facts.oom_kills == 1 else f"{facts.oom_kills} times"
        evidence.append(f"the kernel killed {times} for want of memory during the run")
        if peak is None or peak >= _LARGE:
            return _out_of_memory(f"Killed by the kernel for want of memory{held}.", evidence)
        return _out_of_memory(f"Probably killed for want of memory{held}.", evidence, certain=False)
    if peak is None or peak < _enough(facts):
        return None
    if facts.machine_memory is not None:
        evidence.append(f"there are {amount(facts.machine_memory)} in all")
    return _out_of_memory(f"Probably killed for want of memory{held}.", evidence, certain=False)


def _enough(facts: Facts) -> float:
    if facts.machine_memory is None:
        return _VERY_LARGE
    share = _SHARE if facts.oom_kills is None else _SHARE_UNSEEN
    return max(_LARGE, share * facts.machine_memory)


def _out_of_memory(sentence: str, evidence: list[str], *, certain: bool = True) -> Cause:
    return Cause(
        CauseKind.OUT_OF_MEMORY, sentence, "let it hold less, run fewer instances, or give them more", evidence, certain
    )


def limit_passed(facts: Facts) -> Cause | None:
    """Why procdeck itself ended the run: it held more than its type may."""
    if facts.exit.cause is None or "memory limit" not in facts.exit.cause:
        return None
    # What procdeck measured is the whole tree; the peak that is known is that of the largest process in it.
    said = _LIMIT.search(facts.exit.cause)
    if said is not None:
        passed = f" of {said['limit']}: it held {said['held']}"
    else:
        passed = "" if facts.memory_limit is None else f" of {amount(facts.memory_limit)}"
    return Cause(
        CauseKind.MEMORY_LIMIT,
        f"Ended because it passed its memory limit{passed}.",
        "raise memory_limit, or look what it holds",
        [facts.exit.cause],
    )


def out_of_memory(statement: Statement, facts: Facts) -> Cause | None:
    """A program that could not get memory and said so."""
    return _heap(statement) or _refused(statement, facts)


def _heap(statement: Statement) -> Cause | None:
    java = statement.name == "OutOfMemoryError"
    found = statement.search(_JAVA_LINE)
    if java or found is not None:
        thread = statement.search(_NATIVE_THREAD)
        if thread is not None:
            return statement.cause(
                CauseKind.OUT_OF_MEMORY,
                "The JVM could not get another thread: the limit of processes or memory is reached.",
                "look at ulimit -u, and at how many threads it starts",
                found=thread,
            )
        if statement.search(_JAVA_METASPACE) or (found is not None and found["what"] == "Metaspace"):
            return statement.cause(
                CauseKind.OUT_OF_MEMORY,
                "The JVM's space for classes (metaspace) is full.",
                "raise it: -XX:MaxMetaspaceSize=512m",
                found=found,
            )
        return statement.cause(
            CauseKind.OUT_OF_MEMORY,
            "The Java heap is full.",
            "raise it (-Xmx1g, or JAVA_TOOL_OPTIONS in .env), or look what it holds",
            found=statement.search(_JAVA_HEAP) or found,
        )
    found = statement.search(_NODE_HEAP)
    if found is not None:
        return statement.cause(
            CauseKind.OUT_OF_MEMORY,
            "The JavaScript heap is full.",
            "raise it (NODE_OPTIONS=--max-old-space-size=4096 in .env), or look what it holds",
            found=found,
        )
    found = statement.search(_PHP_LIMIT)
    if found is not None:
        return statement.cause(
            CauseKind.OUT_OF_MEMORY,
            f"PHP's memory_limit of {amount(int(found['size']))} is reached.",
            "raise memory_limit in php.ini, or look what it holds",
            found=found,
        )
    return None


def _refused(statement: Statement, facts: Facts) -> Cause | None:
    found = first_of(statement, *_FAILED)
    if found is None and statement.name not in ("MemoryError", "NoMemoryError", "bad_alloc"):
        return None
    held = "" if facts.peak_memory is None else f": it held {amount(facts.peak_memory)} at the end"
    return statement.cause(
        CauseKind.OUT_OF_MEMORY,
        f"It could not get the memory that it asked for{held}.",
        "look how much it asks for, and at ulimit -v",
        found=found,
    )
