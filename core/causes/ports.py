"""A port or socket that a program cannot have because somebody has it already; or a file that says so of its whole
work."""

import re

from .facts import Cause, CauseKind, Facts
from .statement import Statement, first_of, says

_IN_USE = re.compile(
    r"\baddress (?:is )?already in use|\bEADDRINUSE\b|\bAddrInUse\b|\[Errno (?:98|48)\]|\(98: "
    r"|\bport (?:\d+ )?(?:is|was) (?:already )?(?:in use|allocated|taken|occupied)\b"
    r"|\bport is already (?:in use|allocated)|Connection in use: \(|Is another \w+ already running on port"
    r"|\bonly one usage of each socket address",
    re.IGNORECASE,
)
_CANNOT_LISTEN = re.compile(r"Can't connect to \('[^']*', \d+\)")
"""What gunicorn says after its last try."""
_SOCKET = re.compile(r"(?:EADDRINUSE: address already in use|listen unix|bind\(\) to unix:|socket:?) (/[^\s:,]+)")
_PORTS = [
    re.compile(r"(?:address already in use|EADDRINUSE)\S* (?:\S*:)(\d{1,5})\b", re.IGNORECASE),
    re.compile(r"\blisten tcp\d? \S*:(\d{1,5})\b"),
    re.compile(r"\('[^']*', (\d{1,5})[,)]"),
    re.compile(r"\bport[ =:]*\(?(\d{1,5})\b", re.IGNORECASE),
    re.compile(r"(?:bind\(\) to|Bind for|bind:?) \S*:(\d{1,5})\b"),
    re.compile(r"(?:\blocalhost|\*|\d+\.\d+\.\d+\.\d+|\[[\da-f:]*\]):(\d{1,5})\b"),
]
_RUNNING = [
    says(r"A server is already running.* [Cc]heck (?P<path>\S+?)\)?\.?$"),
    says(r"lock file §(?P<path>[^\"']+)§ already exists"),
    says(r"[Pp]id ?file:? §?(?P<path>[^\s\"']+)§? (?:already )?exists"),
]
"""Rails, Postgres, celery and others."""


def already_running(statement: Statement, facts: Facts) -> Cause | None:
    """A file that a running server keeps is there."""
    found = first_of(statement, *_RUNNING)
    if found is None:
        return None
    path = found["path"]
    return statement.cause(
        CauseKind.ALREADY_RUNNING,
        f"It runs already, or an end by force left {path} behind.",
        f"end the other one, or remove the file: rm {path}",
        found=found,
    )


def port_in_use(statement: Statement, facts: Facts) -> Cause | None:
    """It could not listen because somebody does already; who, when the port is known."""
    found = statement.search(_IN_USE) or statement.search(_CANNOT_LISTEN)
    if found is None and statement.name not in ("EADDRINUSE", "AddrInUse"):
        return None
    path = statement.search(_SOCKET)
    if path is not None:
        return statement.cause(
            CauseKind.PORT_IN_USE,
            f"The socket {path[1]} is there already.",
            "end who listens on it, or remove the file when nobody does",
            found=found,
        )
    port = _port(statement)
    if port is None and facts.port and facts.holder(facts.port) is not None:
        port = facts.port
    if port is None:
        return statement.cause(
            CauseKind.PORT_IN_USE,
            "The port or address that it listens on is in use already.",
            "find who has it: ss -ltnp",
            found=found,
        )
    name = f"PORT {port}" if port == facts.port else f"Port {port}"
    owner = facts.formation_ports.get(port) if port != facts.port else None
    holder = facts.holder(port)
    if holder is not None:
        sentence = f"{name} is in use by {holder}."
        known = [f"{holder} listens on {port}"]
    else:
        sentence = f"{name} was in use; nobody listens there now."
        known = [f"nobody listens on {port} now"]
    if owner is not None:
        known.append(f"{port} is the PORT of {owner}")
    if port != facts.port and facts.port:
        advice = f"let it listen on its PORT, which is {facts.port}"
    elif holder is not None:
        advice = "end that process, or choose other ports with -p"
    else:
        advice = "try again"
    return statement.cause(CauseKind.PORT_IN_USE, sentence, advice, *known, found=found)


def _port(statement: Statement) -> int | None:
    for text in (statement.text, statement.nearby[-1_000:]):
        for pattern in _PORTS:
            found = pattern.search(text)
            if found is not None and 0 < int(found[1]) < 65536:
                return int(found[1])
        if statement.type:
            break  # what lies around an exception has other numbers
    return None
