"""How grave a log line is, by what it says of itself. Pure; colours are the screen's matter, filtering is
`core.match`'s.

A word counts only where loggers put it: `ERROR:root:no error found` is an error, `GET /error` and `0 errors` are none.
Where it may be either, it is none.
"""

import re

from .level import Level as Level

_LOOKED_AT = 160
"""Characters of a line."""
_LOOKED_AT_JSON = 2048
"""The same for a line that is a JSON object: some loggers write the level last."""
_NEAR = 64
"""Characters in front of which the word of a level begins, unless it is the value of a key."""

_WORDS = {
    Level.DEBUG: "debug debu dbug dbg trace trac trce trc verbose vrb",
    Level.INFO: "information info inf notice",
    Level.WARNING: "warning warn wrn",
    Level.ERROR: "error erro eror err fatal fata ftl critical crit panic pani pnc severe alert emergency emerg fail",
}
_BY_WORD = {word: level for level, words in _WORDS.items() for word in words.split()}
_BY_LETTER = {
    "V": Level.DEBUG,
    "D": Level.DEBUG,
    "I": Level.INFO,
    "W": Level.WARNING,
    "E": Level.ERROR,
    "F": Level.ERROR,
}
_BY_NUMBER = {10: Level.DEBUG, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARNING, 50: Level.ERROR, 60: Level.ERROR}
"""As bunyan and pino count."""
_SYSLOG = (Level.ERROR,) * 4 + (Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)
"""By syslog's severity."""

# Where a level may be ------------------------------------------------------------------------------------------------

# Each branch begins with one certain character that is rare in text, so that most of a line is skipped at once; hence
# words in small letters are found by the colon behind them. Nothing here asks for what must not stand there, so text
# around it never hides a level.
_HINT = "|".join(
    [
        *("ERR|ERO|FAT|FTL|CRIT|PAN|PNC|SEVERE|ALERT|EMERG|FAIL|WARN|WRN|INF|NOTICE|DEBU|DBUG|DBG|TRAC|TRC|VERB|VRB",),
        r":(?:(?<=(?i:rror|atal|ical|anic|vere|fail|crit|ning|warn|info|tice|ebug|dbug|race|trce|tion):)|(?<=(?i:err):))",
        r"\[(?:\w+:)?\s*(?i:err|ero|fat|ftl|cri|pan|pnc|sev|ale|eme|fai|war|wrn|inf|not|deb|dbu|dbg|tra|trc|ver|vrb)",
        r"=(?<=[lLyY]=)",
        r'"(?i:@?level|log[._]?level|level_?name|lvl|severity)"',
        r"Traceback|During handling|The above exception|Error|Exception|Uncaught|Unhandled",
        r"Segmentation|Bus error|Aborted",
        r"\.(?<=exceptions\.)|'(?: \(\d+\))? panicked|\[running|:in [`']|m(?<=npm) |\*\*\* |\]:|TS\d|C\d|CS\d",
        r"<\d{1,3}>",
        *[rf"{letter}(?:, \[\d|[/ ]\S|\d{{4}} \d)" for letter in "VDIWEF"],
    ]
)
_HINT_IN_TEXT = re.compile(_HINT, re.ASCII)

CANDIDATE = re.compile(_HINT.encode())
"""Found in the bytes (without control sequences, UTF-8) of every line of which `level_of` tells a level, and in few
others. Goes through one line or a piece of many."""

_ANY_WORD = "|".join(sorted(_BY_WORD, key=len, reverse=True))

# What a line begins with.
_HEAD = re.compile(
    # The colon behind a word: `error: `, `Warning: `, `error[E0382]: `, `PHP Fatal error: `.
    r"(?:PHP )?(?:Fatal )?(?P<word>(?i:" + _ANY_WORD + r"))(?:\[\w+\])?:(?=\s|$)"
    # Heads of tracebacks and other crashes.
    r"|(?P<error>"
    r"\s*(?:\+ Exception Group )?Traceback \(most recent call last\)"
    r"|(?:The above exception was|During handling of the above exception,)"
    r"|(?:[A-Za-z_$][\w$]*(?:\.|::|\\))*(?:[A-Z][\w$]*(?=Error|Exception))?(?:Error|Exception)"
    r"(?:(?= \[\w+\]:)|(?=:(?:\s|$)))"
    r"|(?:[A-Za-z_][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception)(?=\s*$)"
    r"|(?:[A-Za-z_]\w*\.)+exceptions\.[A-Z]\w*(?=:(?:\s|$))"
    r"|Exception in thread(?= )|Un(?:caught|handled)(?= |:)|panic(?=: )|fatal error(?=: )|goroutine(?= \d+ \[running)"
    r"|thread '[^']*' (?:\(\d+\) )?panicked(?= at)|Segmentation fault|Bus error|Aborted \(core dumped\)"
    r"|npm (?:ERR!|error(?= ))|g?make(?:\[\d+\])?: \*\*\*"
    r")"
    r"|(?:[\w./-]+:\d+: |\(node:\d+\) (?:\[\w+\] )?)?"
    r"(?P<warning>npm (?:WARN|warn)(?= )|(?:\w+\.)*[A-Z]\w*Warning(?=: ))"
    # What compilers and commands say: `main.c:3:5: error: `, `src/a.ts(3,5): error TS2304: `, `git: fatal: `.
    r"|(?:\d[\d-]*[ T])?\S+(?<=[:)\dZ\]])(?: -)? (?P<said>fatal error|fatal|error|warning)(?=:(?:\s|$)| (?:TS|CS?)\d+:)"
    # Android's, Ruby's and Google's letters; a crash in Ruby; the severity that journals read.
    r"|(?:[\d-]+ [\d:.]+ )?(?P<letter>[VDIWEF])(?:/[\w.-]+ *(?:\( *\d+\))?: |, \[\d{4}-|\d{4} \d\d:\d\d:\d\d)"
    r"|\d\d-\d\d \d\d:\d\d:\d\d\.\d+ +\d+ +\d+ (?P<tag>[VDIWEF]) "
    r"|\S+:\d+:in [`'].*\((?P<ruby>(?:\w+::)*[A-Z]\w*)\)\s*$"
    r"|<(?P<syslog>\d{1,3})>",
    re.ASCII,
)


def _capitals() -> str:
    """The words in capitals, one branch for each letter that they begin with."""
    rests: dict[str, list[str]] = {}
    for word in sorted(_BY_WORD, key=len, reverse=True):
        rests.setdefault(word[0].upper(), []).append(word[1:].upper())
    behind = r"(?=$|[\s\]:)|,>\[]|/[\w-]+\])(?!\s*=)"
    return "|".join(f"{letter}(?:{'|'.join(rest)}){behind}" for letter, rest in rests.items())


_OBJECT_KEY = re.compile(
    r'"(?i:@?level|log[._]?level|level_?name|lvl|severity)"\s*:\s*(?:"(?P<json>\w+)\s*"|(?P<number>[1-6]0)(?![\d.]))',
    re.ASCII,
)

# What stands further inside. Here, too, each branch begins with one certain character.
_INSIDE = re.compile(
    rf"{_capitals()}|\[(?:\w+:)?\s*(?P<boxed>(?i:{_ANY_WORD}))\s*\]"
    r'|=(?:(?<=(?i:\blevel)=)|(?<=(?i:\blvl)=)|(?<=(?i:\bseverity)=))"?(?P<value>\w+)(?![.\-/])'
    rf"|{_OBJECT_KEY.pattern}",
    re.ASCII,
)

_OBJECT = re.compile(r'\s*\{\s*"')
_TIME = re.compile(r"\d:\d\d(?::\d\d)?(?:[.,]\d+)?Z?|\d{4}[-/]\d\d[-/]\d\d", re.ASCII)
_BOX = re.compile(r"\[[^\]\[]*\]|\([^()]*\)")
_SEPARATED = re.compile(r"(?:[|:>]|\s-{1,3})\s*$")
_FOLLOWED = re.compile(r"[:\]]|\s*\||\s+-{1,3}\s", re.ASCII)
_NONE_OF_IT = re.compile(r"\b(?:0|no|any|not|without)\s*$", re.IGNORECASE)


def level_of(text: str) -> Level | None:
    """The level that a line states itself; None when it states none.

    Args:
        text: what is visible of the line.
    """
    span = level_span(text)
    return None if span is None else span[2]


def level_span(text: str) -> tuple[int, int, Level] | None:
    """The level that a line states itself, and where the word stands that says so: its first character and the one
    behind it."""
    head = text[:_LOOKED_AT]
    if _OBJECT.match(head):
        return _of_object(text[:_LOOKED_AT_JSON])
    hint = _HINT_IN_TEXT.search(head)
    if hint is None:
        return None
    found = _HEAD.match(head)
    if found is not None and (level := _of_head(found)) is not None:
        return (*found.span(found.lastgroup or 0), level)
    for found in _INSIDE.finditer(head, hint.start()):
        kind = found.lastgroup or 0
        start, stop = found.span(kind)
        level = _of_value(found)
        if level is None or (kind == "boxed" and start >= _NEAR):
            continue
        if kind == 0 and not (start < _NEAR and _is_loggers(head[:start], head[stop:])):
            continue
        return start, stop, level
    return None


def level_named(value: str | int) -> Level | None:
    """The level of that name, in any case, or (bunyan's and pino's) of that number."""
    return _BY_NUMBER.get(value) if isinstance(value, int) else _BY_WORD.get(value.strip().lower())


_BELONGS = re.compile(
    r"\s+\S"
    r"|Caused by: |Suppressed: |at (?:async )?\S+ ?\(|at \S+:\d+|\.\.\. \d+ (?:more|common frames)"
    r"|The above exception |During handling of |--- End of |stack backtrace:|note: run with "
    r"|[}\])][}\]),;]*\s*$|[~^]+\s*$"
    # Go's frames.
    r"|created by \S|(?:[\w.~-]+/)*[\w~-]+\.[\w.$*()\[\]]+\([^ ]*(?:, [^ ]*)*\)$",
    re.ASCII,
)


def belongs_to_line_before(text: str) -> bool:
    """Whether a line goes on with what the line before it began (the frames of a traceback, what is indented), and so
    has its level, unless it states one itself.

    Args:
        text: what is visible of the line.
    """
    return _BELONGS.match(text[:_LOOKED_AT]) is not None


def _of_head(found: re.Match[str]) -> Level | None:
    kind = found.lastgroup or ""
    text = found[kind]
    match kind:
        case "error" | "ruby":
            return Level.ERROR
        case "warning":
            return Level.WARNING
        case "letter" | "tag":
            return _BY_LETTER[text]
        case "syslog":
            return _SYSLOG[int(text) % 8] if int(text) < 192 else None
        case _:
            return _BY_WORD[text.lower().removesuffix(" error")]


def _of_object(text: str) -> tuple[int, int, Level] | None:
    """What the object itself says, not what lies inside it."""
    for found in _OBJECT_KEY.finditer(text):
        if text.count("{", 0, found.start()) - text.count("}", 0, found.start()) != 1:
            continue
        level = _of_value(found)
        return None if level is None else (*found.span(found.lastgroup or 0), level)
    return None


def _of_value(found: re.Match[str]) -> Level | None:
    text = found[found.lastgroup or 0]
    return _BY_NUMBER[int(text)] if found.lastgroup == "number" else _BY_WORD.get(text.lower())


def _is_loggers(before: str, after: str) -> bool:
    """Whether a word in capitals is where a logger puts one, and not in a sentence."""
    if before and before[-1] not in " \t[(<|:*>#":
        return False
    if not re.search(r"[^\W_]", before):
        return '"' not in before and "'" not in before
    if _NONE_OF_IT.search(before):
        return False
    if _FOLLOWED.match(after) or _SEPARATED.search(before):
        return True
    times = [*_TIME.finditer(before)]
    rest = before[times[-1].end() :] if times else before
    words, names = 0, 0
    for token in _BOX.sub(" [] ", rest).split():
        if token.isalpha():
            # A time zone is no word.
            words += not (token.isupper() and len(token) <= 5)
        elif not token.isdecimal():
            names += 1
    return words <= 1 if times else words == 0 and names > 0
