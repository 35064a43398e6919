"""Which lines of a piece of log match: the same ones, however fast it is found out, as if each were looked at alone."""

import time
from collections.abc import Iterator

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import levels, match
from procdeck.core.errors import UsageError
from procdeck.core.escapes import strip
from procdeck.core.levels import Level
from procdeck.core.match import LOOK_BACK, check_pattern, matcher, visible
from procdeck.core.messages import LinePattern, LogFilter, RunMark
from procdeck.core.state import Exit

from .support import refused

COSTLY = "(?:x|xx)+$"
"""Takes about twice as long with each two further x, some ms at 20, and does not match them when something follows."""


def matching(
    data: bytes,
    filter: LogFilter | None = None,
    pattern: str = "",
    *,
    ignore_case: bool = False,
    backward: bool = False,
) -> list[bytes]:
    """The lines that match."""
    places, _ = matcher(filter, pattern, ignore_case=ignore_case).scan(
        data, 0, len(data), late=lambda: False, backward=backward
    )
    return [data[place:].split(b"\n", 1)[0] for place in places]


def matches(pattern: str, line: bytes, *, ignore_case: bool = False) -> bool:
    return matching(line, pattern=pattern, ignore_case=ignore_case) == [line]


# A line at a time ---------------------------------------------------------------------------------------------------


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    """Each line, and where it begins."""
    lines: list[tuple[int, bytes]] = []
    place = 0
    for line in data.split(b"\n"):
        if place < len(data):
            lines.append((place, line))
        place += len(line) + 1
    return lines


def level_by_hand(texts: list[str], number: int) -> Level:
    for distance in range(LOOK_BACK + 1):
        if number < distance:
            break
        text = texts[number - distance]
        level = levels.level_of(text)
        if level is not None:
            return level
        if not levels.belongs_to_line_before(text):
            break
    return Level.INFO


def places_by_hand(data: bytes, filter: LogFilter, start: int = 0, stop: int = 1 << 40) -> list[int]:
    """Where lines begin that pass, by looking at one after the other."""
    lines = lines_of(data)
    texts = [strip(line).decode(errors="replace") for _, line in lines]
    patterns = [
        (regex.compile(one.pattern, regex.IGNORECASE if one.ignore_case else 0), one.invert) for one in filter.patterns
    ]
    return [
        place
        for number, (place, _) in enumerate(lines)
        if start <= place < stop
        and all((pattern.search(texts[number]) is not None) is not invert for pattern, invert in patterns)
        and (filter.level is None or level_by_hand(texts, number) >= filter.level)
    ]


fragments = st.sampled_from(
    [
        *[b"\n"] * 6,
        *[b"error", b"Err", b"rare", b"a", b"k", b"S", b"i", b".", b" ", b"\t", b"x" * 30],
        *[b"\nERROR boom", b"\nWARNING: hm", b"\nDEBUG looks", b"\n  at foo.py", b"\nINFO hello"],
        *["é".encode(), "É".encode(), "日本".encode(), "\N{KELVIN SIGN}".encode(), "ſı".encode(), "\ufffd".encode()],
        *[b"\x1b[31m", b"\x1b[0m", b"\x1b[2K", b"\x1b]0;title", b"\x1b\\", b"\x07", b"\x1b", b"\r", b"\x00"],
        *[b"\xc2", b"\x85", b"\xc2\xa9", b"\xff", b"\xe6\x97", b"\xa5"],
    ]
)
texts = st.one_of(st.lists(fragments, max_size=40).map(b"".join), st.binary(max_size=30))
patterns = st.one_of(
    st.sampled_from(["error", "rr", "k", "is", "é", "É", "日本", "\ufffd", "İ", "\t", " at ", "\x07", "a\nb"]),
    st.sampled_from(["a.a", "e?rr", "ra+re", "rare|error", "^E", "r$", "^$", "x{9}", "x{0}a", "(?:a|k)", "(s)i"]),
    st.sampled_from([r"\.", r"\bk", "[ks]i", "err.*rare", "(?i)ERR", "k[.]", "(?:e|E)rr+o"]),
    st.text("aekrxés日.+*?|()[]^$\\", max_size=4),
)


def compiles(asked: LinePattern) -> bool:
    try:
        regex.compile(asked.pattern)
    except regex.error:
        return False
    return True


line_patterns = st.builds(LinePattern, patterns, st.booleans(), st.booleans()).filter(compiles)
filters = st.builds(
    LogFilter, st.lists(line_patterns, max_size=2), st.one_of(st.none(), st.none(), st.sampled_from(Level))
)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "_SMALLEST", 8)
    monkeypatch.setattr(match, "_LARGEST", 64)
    monkeypatch.setattr(match, "_LARGEST_SLOW", 32)
    monkeypatch.setattr(match, "_WORTH_SKIPPING", 20)


@pytest.mark.usefixtures("small_pieces")
@settings(max_examples=200, deadline=None)
@given(texts, filters, st.booleans(), st.one_of(st.none(), st.integers(1, 4)), st.data())
def test_what_matches_is_what_would_a_line_at_a_time(
    data: bytes, filter: LogFilter, backward: bool, most: int | None, draw: st.DataObject
) -> None:
    """From line to line, either way, however often time is up, and however many are asked for at once."""
    beginnings = [place for place, _ in lines_of(data)] + [len(data)]
    start = draw.draw(st.sampled_from(beginnings))
    stop = draw.draw(st.sampled_from([place for place in beginnings if place >= start]))
    lateness = draw.draw(st.lists(st.booleans(), min_size=1, max_size=5))
    told = 0

    def late() -> bool:
        nonlocal told
        told += 1
        return lateness[told % len(lateness)]

    found: list[int] = []
    low, high = start, stop
    while low < high:
        places, got = matcher(filter).scan(data, low, high, late=late, backward=backward, most=most)
        assert most is None or len(places) <= most
        assert low <= got < high if backward else low < got <= high, "it comes further each time"
        assert got in beginnings
        assert all(place >= got if backward else place < got for place in places)
        found += places
        low, high = (low, got) if backward else (got, high)
    expected = places_by_hand(data, filter, start, stop)
    assert found == (expected[::-1] if backward else expected)


BOTH = (False, True)
SIFTED = [
    ["ab", "ab?", "ab?c", "ab*c", "ab+c", "a.b", "a|b", "ab|c", "a(?:b|c)d", "a(b)?c", "(?i)ab", "(?!b)a", "(?=ab)a"],
    ["ab{2}", "ab{0}c", "a{2,}b", "ab{,1}c", "(?:ab){e<=1}", "a{b", "[ab]c", "[^]a]b", "[]a]b", r"[\]a]b", "a[b]?c"],
    [r"a\.b", r"a\+", r"\x61b", r"a\b", r"\Aab", r"(a)\1", r"a\tb", "a\tb", "^ab", "ab$", "a\nb", "a\x1bb", "a\x07?b"],
    ["é", "aé", "ab\ufffd", "\ufffd", "k", "is", "ſ", "K", "2", "A2", "a2?b", "a??b", "a*+b", "(a|b)c+d", "a(?#b)c"],
]
SIFTED_LINES = (
    "ab a b c abc ac abbc abcd acd aBd AB Ab a.b a+ aab aaab abb acc ]b bb xab abx [a aa é aé Aé É AÉ a{b a#b aqb"
    " a2b a2 2 k K \N{KELVIN SIGN} is iſ Is İs ıs ſ S bcd accd 1a2 aXb a\tb"
)
SIFTED_DATA = (
    SIFTED_LINES.replace(" ", "\n").encode()
    + b"\n\na b\na\xffb\nab\xff\na\x1b[1mb\nA\x1b[m2\r\na\x07b\n\xc2\x9bab\n\x1b]0;ab\x07c"
)


@pytest.mark.parametrize("patterns", SIFTED, ids=["groups", "counts and sets", "escapes", "letters"])
def test_what_a_pattern_is_sifted_by_loses_no_line(patterns: list[str]) -> None:
    """Among others, and alone: what stands in other lines tells nothing of one."""
    lines = SIFTED_DATA.split(b"\n")
    for asked in [LinePattern(pattern, case, invert) for pattern in patterns for case in BOTH for invert in BOTH]:
        filter = LogFilter([asked])
        expected = {SIFTED_DATA[place:].split(b"\n")[0] for place in places_by_hand(SIFTED_DATA, filter)}
        assert set(matching(SIFTED_DATA, filter)) == expected, asked
        assert {line for line in lines if line and matching(line, filter)} == expected - {b""}, asked


@pytest.mark.parametrize("pattern", ["needle", "NEEDLE", "n..dle", "needle 7$", "quick"])
@pytest.mark.parametrize("ignore_case", [False, True])
def test_a_needle_is_found_in_any_hay(pattern: str, ignore_case: bool) -> None:
    """Between plain lines, lines in colour, and lines in which nothing is as it should be."""
    hay = (
        [b"2026-11-24 a plain line of text"] * 300
        + [b"\x1b[32mgreen\x1b[0m \xc3\xbc\r"] * 300
        + [b"\xff\xc2\x00"] * 300
    )
    lines = hay * 4
    for i, place in enumerate([0, 1, 1_000, 1_500, 3_000, len(lines)]):
        lines.insert(place, b"a nee\x1b[1mdle\x1b[m %d" % i if i % 2 else b"a needle %d" % i)
    lines += [b"A QUICK NEEDLE", b"needle 7"]
    data = b"\n".join(lines)
    expected = [line for line in lines if regex.search(pattern, visible(line), flags=regex.I if ignore_case else 0)]
    assert matching(data, pattern=pattern, ignore_case=ignore_case) == expected
    assert matching(data, pattern=pattern, ignore_case=ignore_case, backward=True) == expected[::-1]
    kept = matching(data, LogFilter([LinePattern(pattern, ignore_case, invert=True)]))
    assert len(kept) + len(expected) == len(lines)


# What matches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "line", "plain", "ignoring"),
    [
        ("error", "ERROR", False, True),
        ("ÄRGER", "ärger", False, True),
        ("жар", "ПОЖАР", False, True),
        ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", False, True),
        ("σ", "ς", False, True),
        ("[á-é]", "É", False, True),
        (r"\w+é\b", "café", True, True),
        (r"\bжар\b", "жар-птица", True, True),
        ("İ", "i", False, None),  # the Turkish i: either is good
        ("kelvin", "\N{KELVIN SIGN}elvin", False, True),
        ("list", "liſt", False, True),
        ("a.c", "a🦊c", True, True),
        ("^a.$", "aé", True, True),
        ("日本", "日本語", True, True),
    ],
)
def test_case_is_ignored_in_every_script(pattern: str, line: str, plain: bool, ignoring: bool | None) -> None:
    assert matches(pattern, line.encode()) is plain
    if ignoring is not None:
        assert matches(pattern, line.encode(), ignore_case=True) is ignoring


def test_no_character_but_these_stands_for_a_letter_of_ascii_when_case_is_ignored() -> None:
    """What is sought in bytes relies on it."""
    every = "".join(chr(code) for code in [*range(0x80, 0xD800), *range(0xE000, 0x30000)])
    found = {
        letter: set(regex.findall(regex.escape(letter), every, regex.IGNORECASE)) for letter in map(chr, range(128))
    }
    kelvin = {"\N{KELVIN SIGN}"}
    expected = {"i": {"İ"}, "I": {"ı"}, "k": kelvin, "K": kelvin, "s": {"ſ"}, "S": {"ſ"}}
    assert {letter: others for letter, others in found.items() if others} == expected


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (b"plain", "plain"),
        (b"\x1b[1;31mre\x1b[0md", "red"),
        (b"\x1b[38;2;1;2;3mred\x1b[m", "red"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1bPsecret\x1b\\text", "text"),
        (b"tab\there", "tab\there"),
        (b"10%\r100%\r", "10%100%"),
        (b"be\x07ll\x00", "bell"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("é\x1b[1m日".encode(), "é日"),
    ],
)
def test_what_is_searched_is_what_is_seen(line: bytes, seen: str) -> None:
    assert visible(line) == seen
    assert matches(regex.escape(seen), line)
    assert matches(f"^{regex.escape(seen)}$", line)
    if visible(line).encode() != line and b"\x1b" in line:
        assert not matches("\\[", line), "the bytes of a sequence are not text"


@pytest.mark.parametrize("written", [b"a\nb", b"a\nb\n", b"\n", b"\n\n", b"a\n\x1b[m"])
def test_every_line_passes_where_nothing_is_asked(written: bytes) -> None:
    expected = [line for _, line in lines_of(written)]
    assert (
        matching(written)
        == matching(written, LogFilter())
        == matching(written, LogFilter(level=Level.DEBUG))
        == expected
    )


def test_all_that_is_asked_must_hold() -> None:
    data = b"get /a 200\nget /b 500\nput /a 500\nGET /a 500 slow"
    get, bad = LinePattern("get", ignore_case=True), LinePattern("5..")
    assert matching(data, LogFilter([get, bad])) == [b"get /b 500", b"GET /a 500 slow"]
    assert matching(data, LogFilter([get, LinePattern("slow", invert=True)]), "500") == [b"get /b 500"]
    assert matching(data, LogFilter([LinePattern("get|put", invert=True)])) == [b"GET /a 500 slow"]


# Levels -------------------------------------------------------------------------------------------------------------

LOG = [
    b"INFO started",
    b"\x1b[31mERROR\x1b[0m cannot read",
    b"  File x.py, line 3",
    b"  File y.py, line 4",
    b"DEBUG about to retry",
    b"  with these values",
    b"plain words",
    b"  and more of them",
    b"WARNING: slow",
    b"  by 3 s",
]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (Level.ERROR, LOG[1:4]),
        (Level.WARNING, LOG[1:4] + LOG[8:]),
        (Level.INFO, LOG[:4] + LOG[6:]),
        (Level.DEBUG, LOG),
    ],
)
def test_a_level_keeps_lines_of_it_and_graver_ones_with_what_belongs_to_them(level: Level, shown: list[bytes]) -> None:
    assert matching(b"\n".join(LOG), LogFilter(level=level)) == shown
    assert matching(b"\n".join(LOG), LogFilter(level=level), backward=True) == shown[::-1]


def test_what_a_line_belongs_to_may_stand_before_those_that_are_looked_at() -> None:
    head = b"ERROR boom\n"
    data = head + b"  frame\n" * 3 + b"plain\n"
    passes = matcher(LogFilter(level=Level.ERROR))
    assert passes.scan(data, len(head) + 8, len(data), late=lambda: False)[0] == [len(head) + 8, len(head) + 16]


def test_what_stands_far_behind_a_line_does_not_belong_to_it() -> None:
    data = b"ERROR boom\n" + b"  frame\n" * 1000
    assert len(matching(data, LogFilter(level=Level.ERROR))) == 1 + LOOK_BACK


@pytest.mark.parametrize(
    ("filter", "crash", "other"),
    [
        (LogFilter(), True, True),
        (LogFilter(level=Level.ERROR), True, False),
        (LogFilter(level=Level.INFO), True, True),
        (LogFilter([LinePattern("^$")]), False, False),
        (LogFilter([LinePattern("x", invert=True)]), True, True),
        (LogFilter([LinePattern("x", invert=True)], Level.ERROR), True, False),
    ],
)
def test_a_rule_is_seen_unless_a_pattern_must_match_or_only_crashes_are_grave_enough(
    filter: LogFilter, crash: bool, other: bool
) -> None:
    passes = matcher(filter)
    assert passes.takes_mark(RunMark(1, Exit(code=1), 2.0)) is crash
    assert passes.takes_mark(RunMark(1, Exit(code=1), 2.0, wanted=True)) is other
    assert passes.takes_mark(None) is other


# The time -----------------------------------------------------------------------------------------------------------


def test_what_takes_too_long_is_refused_with_the_line_that_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "LINE_LIMIT", 0.01)
    data = b"x" * 5 + b"!\n" + b"\x1b[1m" + b"x" * 59 + b"!\n" + b"x!\n"
    with refused(2, f"{COSTLY!r} takes too long on a line of 64 bytes: make it simpler."):
        matching(data, pattern=COSTLY)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("a*a*a*a*a*a*a*b", b"a" * 400),
        ("a?" * 24 + "b", b"a" * 24),
        (".*.*.*x", b"a" * 3_000),
        (r"\w+\d", b"a" * 20_000),
        ("(a|aa)+b", b"a" * 60),
        ("[ab]*a{,9}[ab]*a{2,}c", b"ab" * 1_000),
    ],
    ids=["stars", "maybes", "dots", "words", "alternatives", "counts"],
)
def test_no_line_takes_much_longer_than_it_may(pattern: str, line: bytes) -> None:
    """A tenth of a second, also when the pattern looks harmless; asserted is some more, by the CPU time."""
    began = time.process_time()
    try:
        found = matching(line, pattern=pattern)
    except UsageError:
        pass
    else:
        assert found == []
    assert time.process_time() - began < 0.4


def lates(after: int) -> Iterator[bool]:
    for _ in range(after):
        yield False
    while True:
        yield True


def test_a_costly_pattern_is_asked_about_the_time_at_each_line() -> None:
    told = lates(after=3)
    data = b"x\n" * 1000
    places, got = matcher(None, COSTLY).scan(data, 0, len(data), late=lambda: next(told))
    assert places == [0, 2, 4, 6]
    assert got == 8


# What is no pattern -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("[", "'[' is not a regular expression: unterminated character set at position 1."),
        ("(", "'(' is not a regular expression: missing )"),
        ("*", "'*' is not a regular expression: nothing to repeat"),
        ("\\", "is not a regular expression: bad escape"),
        ("a{99999999999}", "is not a regular expression: repeat count too big"),
        ("(?P<a>x)(?P=b)", "is not a regular expression: unknown group"),
        (r"\p{nosuch}", "is not a regular expression: unknown property"),
        pytest.param(
            "(" * 5000 + ")" * 5000, "The regular expression is nested too deeply: make it simpler.", id="deep"
        ),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, says: str) -> None:
    with refused(2, says):
        check_pattern(pattern)
    with refused(2, says):
        matcher(LogFilter([LinePattern("x"), LinePattern(pattern, invert=True)]))
