"""What a type may say of readiness, order, memory and files to watch, and how a mistake in it is told."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from procdeck.core.config import Config, Options, Ready, ReadyKind, TypeSpec
from procdeck.core.errors import ProcdeckError
from procdeck.core.loading import load
from procdeck.core.settings import ReadyCheck, TypeSettings, parse_memory, read_settings

from .support import attempt, refused

M = 1024**2


def with_toml(folder: Path, text: str) -> Path:
    (folder / "procdeck.toml").write_text(text, encoding="utf-8")
    return folder


def web(folder: Path, text: str) -> TypeSettings:
    """What `[types.web]` with this text is read as."""
    return read_settings(with_toml(folder, f"[types.web]\n{text}")).types["web"]


def loaded(folder: Path, toml: str, procfile: str = "web: w\ndb: d\ncache: c\n") -> Config:
    (folder / "Procfile").write_text(procfile, encoding="utf-8")
    return load(Options(root=str(with_toml(folder, toml))), {})


def spec(config: Config, name: str = "web") -> TypeSpec:
    return next(spec for spec in config.specs if spec.type.name == name)


# What is read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "settings", "ready"),
    [
        ("", None, Ready(ReadyKind.PORT)),
        ('ready = "port"', "port", Ready(ReadyKind.PORT)),
        ('ready = "started"', "started", Ready(ReadyKind.STARTED)),
        ('ready = { http = "/" }', ReadyCheck(http="/"), Ready(ReadyKind.HTTP, "/")),
        ('ready.http = "/h?deep=1&x=%20#a"', ReadyCheck(http="/h?deep=1&x=%20#a"), None),
        ("ready = { log = 'port \\d+$' }", ReadyCheck(log=r"port \d+$"), Ready(ReadyKind.LOG, r"port \d+$")),
        ("ready = { log = '(?<name>a+)++\\p{Lu}' }", ReadyCheck(log=r"(?<name>a+)++\p{Lu}"), None),
        ('ready = { command = "pg_isready -q" }', ReadyCheck(command="pg_isready -q"), None),
    ],
)
def test_every_way_to_be_ready_is_read(
    tmp_path: Path, text: str, settings: str | ReadyCheck | None, ready: Ready | None
) -> None:
    assert web(tmp_path, text).ready == settings
    if ready is not None:
        assert spec(loaded(tmp_path, f"[types.web]\n{text}")).ready == ready


def test_a_spec_holds_all_of_it(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """
        [types.web]
        after = ["db", "cache"]
        memory_limit = "1.5G"
        watch = ["src/**/*.py", "./*.toml", "templates/"]
        stop_signal = "QUIT"
        [types.cache]
        after = ["db"]
        """,
    )
    web = spec(config)
    assert web.after == ("db", "cache")
    assert web.memory_limit == 1536 * M
    assert web.watch == ("src/**/*.py", "./*.toml", "templates/")
    assert web.stop_signal is signal.SIGQUIT
    assert spec(config, "cache").after == ("db",)
    db = spec(config, "db")
    assert (db.after, db.memory_limit, db.watch, db.ready) == ((), None, (), Ready())


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (1, 1),
        (300_000_000, 300_000_000),
        ("4096", 4096),
        ("1k", 1024),
        ("300M", 300 * M),
        ("300m", 300 * M),
        ("300 MB", 300 * M),
        ("300MiB", 300 * M),
        (" 1.5 GiB ", 1536 * M),
        ("0.5G", 512 * M),
        ("2T", 2 * 1024**2 * M),
    ],
)
def test_memory_is_written_as_people_do(value: str | int, size: int) -> None:
    assert parse_memory(value, "here") == size


# What is refused ----------------------------------------------------------------------------------------------------

MEMORY = "write an amount of memory such as 300M or 1.5G."
PATTERNS = "write patterns of files below the app's folder, such as src/**/*.py."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # ready
        ('ready = "prot"', "ready is 'prot': write port, started, or a check such as { http = \"/health\" }."),
        ('ready = ""', "ready is '': write port, started, or a check"),
        ('ready = "/health"', "ready is '/health': write port, started, or a check"),
        ("ready = 5", "ready: expected `str | table`, got `int`."),
        ("ready = true", "ready: expected `str | table`, got `bool`."),
        ('ready = ["port"]', "ready: expected `str | table`, got `array`."),
        ("ready = {}", "ready needs exactly one of http, log and command."),
        ('ready = { http = "/", log = "x" }', "ready needs exactly one of http, log and command."),
        ('ready = { htpp = "/" }', "types.web.ready.htpp is not a setting: did you mean types.web.ready.http?"),
        ('ready = { zzz = "/" }', "types.web.ready.zzz is not a setting: there are http, log, command."),
        ("ready = { http = 80 }", "ready.http: expected `str`, got `int`."),
        ('ready = { http = "" }', "ready.http is '': write a path that begins with a slash, such as /health."),
        ('ready = { http = "health" }', "ready.http is 'health': write a path that begins with a slash"),
        ('ready = { http = "http://localhost/" }', "write a path that begins with a slash"),
        ('ready = { http = "/a b" }', "ready.http is '/a b': write a path"),
        ('ready = { http = "/\\r\\nX: y" }', "write a path that begins with a slash"),
        ('ready = { http = "/é" }', "ready.http is '/é': write a path"),
        ("ready = { log = '[' }", "ready.log: '[' is not a regular expression: unterminated character set"),
        ("ready = { log = '(?P<a' }", "ready.log: '(?P<a' is not a regular expression: "),
        ('ready = { log = "" }', "ready.log is '': write what a line of its output holds, such as listening on."),
        pytest.param(
            "ready = { log = '" + "(" * 5000 + "' }",
            "ready.log: The regular expression is nested too deeply",
            id="deep",
        ),
        ('ready = { command = "" }', "ready.command is '': write a command, such as pg_isready."),
        ('ready = { command = "  " }', "ready.command is '  ': write a command, such as pg_isready."),
        ('ready = { command = "a\\u0000b" }', "ready.command is 'a\\x00b': write a command"),
        # memory_limit
        ("memory_limit = 0", f"memory_limit is 0: {MEMORY}"),
        ("memory_limit = -1", f"memory_limit is -1: {MEMORY}"),
        ("memory_limit = 1.5", "memory_limit: expected `int | str`, got `float`."),
        ("memory_limit = true", "memory_limit: expected `int | str`, got `bool`."),
        ("memory_limit = []", "memory_limit: expected `int | str`, got `array`."),
        *(
            (f'memory_limit = "{value}"', f"memory_limit is '{value}': {MEMORY}")
            for value in ("", "M", "lots", "300X", "0", "0G", "-1M", "1e3M", "nan", "inf", "0.0001K", "1,5G", "1 2M")
        ),
        pytest.param(f'memory_limit = "{"9" * 400}"', MEMORY, id="a text of 400 digits"),
        pytest.param(f'memory_limit = "{"9" * 5000}T"', MEMORY, id="a text of 5000 digits"),
        pytest.param(f"memory_limit = {'9' * 5000}", "procdeck.toml is not valid TOML: ", id="5000 digits"),
        # after
        ('after = "db"', "after: expected `array`, got `str`."),
        ("after = [1]", "after[0]: expected `str`, got `int`."),
        ("after = {}", "after: expected `array`, got `table`."),
        # watch
        ('watch = "*.py"', "watch: expected `array`, got `str`."),
        ('watch = ["a", 1]', "watch[1]: expected `str`, got `int`."),
        ('watch = [""]', f"watch has '': {PATTERNS}"),
        ('watch = ["src/*", " "]', f"watch has ' ': {PATTERNS}"),
        ('watch = ["/etc/*"]', f"watch has '/etc/*': {PATTERNS}"),
        ('watch = ["../lib/*.py"]', f"watch has '../lib/*.py': {PATTERNS}"),
        ('watch = ["lib/../*.py"]', f"watch has 'lib/../*.py': {PATTERNS}"),
        # names
        ("memory_limti = 1", "types.web.memory_limti is not a setting: did you mean types.web.memory_limit?"),
        ("wach = []", "types.web.wach is not a setting: did you mean types.web.watch?"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with refused(1, "procdeck.toml", says):
        web(tmp_path, text)


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ('web = ["dbb"]', "types.web.after: There is no process type dbb in the Procfile: did you mean db?"),
        ('web = ["zzz"]', "types.web.after: There is no process type zzz in the Procfile: it has web, db, cache."),
        ('web = ["web.1"]', "types.web.after: There is no process type web.1 in the Procfile: did you mean web?"),
        ('web = ["web"]', "These types wait for each other: web after web. Take one `after` away."),
        ('web = ["db"]\ndb = ["web"]', "These types wait for each other: web after db after web."),
        (
            'cache = ["db"]\ndb = ["web"]\nweb = ["cache"]',
            "These types wait for each other: web after cache after db after web.",
        ),
    ],
)
def test_an_order_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path, after: str, says: str) -> None:
    toml = "\n".join(f"types.{line.replace(' =', '.after =')}" for line in after.splitlines())
    with refused(2, says):
        loaded(tmp_path, toml)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    key=st.sampled_from(["ready", "ready.http", "ready.log", "ready.command", "memory_limit", "watch"]),
    value=st.one_of(
        st.text("/*.[]()!?aM1\\\t ", max_size=8).map(lambda text: text.replace("'", "").join("''")),
        st.integers(-3, 10**30).map(str),
        st.sampled_from(["true", "[]", "{}", "['a', '[!']", "1.5", "nan", "[['a']]", "1979-05-27", "{ log = '(' }"]),
    ),
)
def test_whatever_a_type_says_it_is_read_or_refused(tmp_path: Path, key: str, value: str) -> None:
    result = attempt(lambda: loaded(tmp_path, f"[types.web]\n{key} = {value}"))
    if isinstance(result, ProcdeckError):
        assert "procdeck.toml" in str(result)
        assert "\n" not in str(result)
