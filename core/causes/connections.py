"""A connection that was refused: nobody listens where the program needs somebody."""

import re

from .facts import Cause, CauseKind, Facts
from .statement import Statement, says

_REFUSED = re.compile(
    r"\bECONNREFUSED\b|\[?Errno (?:111|61)\b|\bError (?:111|61) connecting\b|\bos error (?:111|61)\b"
    r"|\bkind: ConnectionRefused\b|\bconnect: connection refused\b|\bConnect call failed\b"
    r"|\bConnection refused - connect\(2\)|Cannot connect to the Docker daemon|\bConnection to \S+:\d+ refused\b"
    r"|Can't reach database server at|Couldn't connect to server"
    r"|Can't connect to .{0,20}server (?:on|through) .{0,60}\((?:111|61|2|115)\b"
    r"|\bSQLSTATE\[HY000\] \[2002\]|\bserver on socket \S+ failed: (?:No such file|Connection refused)",
)
"""What the system itself says, or a library in its own words."""
_SAID = re.compile(r"\bconnection refused\b", re.IGNORECASE)
_OF_A_CONNECTION = re.compile(
    r"Conn|Socket|Operational|Network|URLError|Request|Redis|Unreachable|Broker|Transport|IOError|OSError|IOException"
    r"|PDO|SQL"
)
_NOT_FATAL = re.compile(r"while connecting to upstream")
"""What a proxy says about a request, and goes on."""
_SOCKET = re.compile(r"(?:ECONNREFUSED|unix://|dial unix|through socket|on socket) ?['\"]?(/[^\s:,)'\"]*[^\s:,)'\".])")
_HOST = r"(?P<host>\[[\da-fA-F:.]+\]|[\w.-]+)"
_ENDPOINTS = [
    re.compile(r"ECONNREFUSED (?P<host>[\da-fA-F:.]*[\da-fA-F]|[\w.-]+):(?P<port>\d{1,5})\b"),
    re.compile(r"\('(?P<host>[^']*)', (?P<port>\d{1,5})[,)]"),
    re.compile(r"host='(?P<host>[^']*)', port=(?P<port>\d{1,5})"),
    re.compile(r"(?:server at|host) \"(?P<host>[^\"]*)\".{0,80}?\bport (?P<port>\d{1,5})\b", re.DOTALL),
    re.compile(rf"\b(?:to|for) \"?{_HOST}\"? port (?P<port>\d{{1,5}})\b"),
    re.compile(
        r"\b(?:dial tcp\d?|connecting to|connect to host|Connect to|Connection to|connect\(2\) for) "
        rf"{_HOST}:(?P<port>\d{{1,5}})\b"
    ),
    re.compile(rf"\w+://(?:[^\s/@]*@)?{_HOST}:(?P<port>\d{{1,5}})\b"),
    re.compile(r"(?P<host>\blocalhost|\b\d+\.\d+\.\d+\.\d+|\[[\da-fA-F:]+\]):(?P<port>\d{1,5})\b"),
    re.compile(rf"\b{_HOST}:(?P<port>\d{{2,5}})\b"),
]
_LOCAL = re.compile(r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1?\]?|")
_CODE = says(r"^ +File \".*\n +(\S.*)$")
"""The line of source that stands beside a frame: mere lines of a log, and paths, have numbers of their own."""
_NUMBER = re.compile(r"(?<![\w.])(\d{2,5})(?![\w.])")


def connection_refused(statement: Statement, facts: Facts) -> Cause | None:
    """It could not connect because nobody listens; who of the formation should, when one is meant."""
    found = statement.search(_REFUSED) or _said(statement)
    if (found is None and not _is_by_type(statement)) or statement.search(_NOT_FATAL):
        return None
    path = statement.search(_SOCKET)
    if path is not None:
        return statement.cause(
            CauseKind.CONNECTION_REFUSED,
            f"Nobody listens on the socket {path[1]}.",
            "start what serves it",
            found=found,
        )
    endpoint = _endpoint(statement)
    if endpoint is not None:
        host, port = endpoint
        if _LOCAL.fullmatch(host) and port in facts.formation_ports and port != facts.port:
            return _of_the_formation(statement, facts, port, found)
        return _elsewhere(statement, facts, host, port, found)
    hint = _hinted(statement, facts)
    if hint is not None:
        return _of_the_formation(statement, facts, hint, found)
    silent = [port for port in facts.formation_ports if port != facts.port and facts.holder(port) is None]
    if len(silent) == 1:
        return _of_the_formation(statement, facts, silent[0], found, certain=False)
    return statement.cause(
        CauseKind.CONNECTION_REFUSED,
        "A connection that it needs was refused: nobody listens there.",
        "start what it connects to, or look at the address",
        found=found,
    )


def _is_by_type(statement: Statement) -> bool:
    """Whether the type alone says it: Ruby's does, and Java's HTTP client has no message."""
    silent = not statement.text.partition("\n")[0]
    return statement.name == "ECONNREFUSED" or (silent and statement.type == "java.net.ConnectException")


def _said(statement: Statement) -> re.Match[str] | None:
    """That a connection was refused, in words that anybody may use: it counts when it is about a connection."""
    found = statement.search(_SAID)
    if found is None:
        return None
    sure = _OF_A_CONNECTION.search(statement.name) or _endpoint(statement) or not statement.type
    return found if sure else None


def _endpoint(statement: Statement) -> tuple[str, int] | None:
    for pattern in _ENDPOINTS:
        for found in pattern.finditer(statement.text):
            if 0 < int(found["port"]) < 65536:
                return found["host"], int(found["port"])
    return None


def _hinted(statement: Statement, facts: Facts) -> int | None:
    """A port of another instance that stands in the code which the traceback shows."""
    numbers = {int(found[1]) for code in _CODE.findall(statement.nearby) for found in _NUMBER.finditer(code)}
    ports = [port for port in facts.formation_ports if port in numbers and port != facts.port]
    return ports[0] if len(ports) == 1 else None


def _of_the_formation(
    statement: Statement, facts: Facts, port: int, found: re.Match[str] | None, *, certain: bool = True
) -> Cause:
    name = facts.formation_ports[port]
    holder = facts.holder(port)
    kind = name.rpartition(".")[0] or name
    if holder is None:
        sentence = f"{name} of this formation should serve {port} and does not."
        advice, known = f"look at {name}", f"nobody listens on {port} now"
    else:
        sentence = f"{name} of this formation did not serve {port} yet."
        advice, known = f'let it start after {kind}: after = ["{kind}"]', f"{holder} listens on {port} now"
    if not certain:
        sentence = f"A connection was refused; probably {sentence}"
        known += ", the only port of the formation of which that is so"
    return statement.cause(CauseKind.CONNECTION_REFUSED, sentence, advice, known, found=found, certain=certain)


def _elsewhere(statement: Statement, facts: Facts, host: str, port: int, found: re.Match[str] | None) -> Cause:
    where = f"{host or 'localhost'}:{port}"
    holder = facts.holder(port) if _LOCAL.fullmatch(host) else None
    if holder is not None:
        sentence = f"The connection to {where} was refused; {holder} listens there now."
        advice = "try again"
    elif _LOCAL.fullmatch(host):
        sentence = f"The connection to {where} was refused: nobody listens there."
        advice = "start what serves it, or look at the address"
    else:
        sentence = f"The connection to {where} was refused."
        advice = "look whether it runs there, and at the address"
    return statement.cause(CauseKind.CONNECTION_REFUSED, sentence, advice, found=found)
