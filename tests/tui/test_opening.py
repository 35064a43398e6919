"""`o` shows what an instance serves in the browser, `e` the place of its crash in the editor; where there is neither,
that is said."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from procdeck.core.messages import InstanceDetail, ProcessView
from procdeck.core.state import Exit
from procdeck.tui.opening import browser, start
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard, shop
from .test_inspector import looping

URL = "http://localhost:5001"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A folder with browsers and what opens them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("firefox", "w3m", "xdg-open", "gio", "wslview", "helper"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("environ", "argv"),
    [
        ({"BROWSER": "firefox"}, ["firefox", URL]),
        ({"BROWSER": "nosuch:firefox"}, ["firefox", URL]),
        ({"BROWSER": "firefox --new-tab %s"}, ["firefox", "--new-tab", URL]),
        ({"BROWSER": "helper", "SSH_CONNECTION": "1 2 3 4"}, ["helper", URL]),
        ({"BROWSER": "w3m", "DISPLAY": ":0"}, ["xdg-open", URL]),
        ({"BROWSER": "firefox 'unended"}, None),
        ({"DISPLAY": ":0"}, ["xdg-open", URL]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ["xdg-open", URL]),
        ({"WSL_DISTRO_NAME": "Debian"}, ["wslview", URL]),
        ({"SSH_CONNECTION": "1 2 3 4"}, None),
        ({}, None),
    ],
)
def test_the_browser_is_the_one_that_the_environment_names(
    environ: dict[str, str], argv: list[str] | None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert browser(URL, {"PATH": path, **environ}) == argv


def test_without_xdg_open_gio_opens(path: str) -> None:
    (Path(path) / "xdg-open").unlink()
    assert browser(URL, {"PATH": path, "DISPLAY": ":0"}) == ["gio", "open", URL]


def test_what_cannot_be_started_is_said() -> None:
    assert start(["/nowhere/firefox"]) == "/nowhere/firefox cannot be started: No such file or directory."


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a browser writes what it was to open; it goes on for long."""
    program, told = tmp_path / "browser", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$1" > {told}.part\nmv {told}.part {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    return told


def listening(engine: FakeEngine, name: str, *ports: int) -> FakeEngine:
    """Lets an instance listen on ports."""
    process = ProcessView(4711, 1, 0, "python", "S", 0.0, 0, 1, 1.0, ports=[*ports])
    engine.details[name] = InstanceDetail(name, "python", "/srv", [process], [], [])
    return engine


async def told(deck: Deck, opened: Path) -> str:
    """What the browser was to open."""
    await deck.until(opened.exists, "the browser")
    return opened.read_text().strip()


class TestTheBrowser:
    @pytest.mark.parametrize(("row", "url"), [("web.2", URL), ("web", "http://localhost:5000")])
    async def test_shows_the_port_of_the_selected_or_of_the_types_first(self, row: str, url: str, opened: Path) -> None:
        async with dashboard(listening(listening(shop(), "web.1", 5000), "web.2", 5001)) as deck:
            await deck.select(row)
            await deck.press("o")
            assert await told(deck, opened) == url
            assert any(f"Opened {url}" in toast for toast in deck.toasts)

    async def test_shows_the_port_on_which_it_listens_when_that_is_another(self, opened: Path) -> None:
        async with dashboard(listening(shop(), "web.2", 5173, 9229)) as deck:
            await deck.select("web.2")
            await deck.press("o")
            assert await told(deck, opened) == "http://localhost:5173"

    async def test_shows_nothing_of_one_that_does_not_listen(self, opened: Path) -> None:
        async with dashboard(listening(shop(), "worker.1")) as deck:
            await deck.select("worker.1")
            await deck.press("o")
            assert deck.toasts == ["worker.1 does not listen on its PORT 5100."]
            assert not opened.exists()

    async def test_shows_nothing_of_one_that_does_not_run(self, opened: Path) -> None:
        engine = shop()
        engine.end_run("clock.1", Exit(code=0), retry_in=None)
        async with dashboard(engine) as deck:
            for row in ("clock.1", "clock"):
                await deck.select(row)
                await deck.press("o")
            assert deck.toasts == ["clock.1 does not run: r starts it.", "clock does not run: r starts it."]
            assert not opened.exists()

    async def test_opens_where_only_its_readiness_says_that_it_answers(self, opened: Path) -> None:
        async with dashboard(listening(shop(), "web.1")) as deck:
            await deck.select("web.1")
            await deck.press("o")
            assert await told(deck, opened) == "http://localhost:5000"

    async def test_where_there_is_none_the_address_is_copied(self) -> None:
        async with dashboard() as deck:
            await deck.select("web.2")
            await deck.press("o")
            assert deck.app.clipboard == URL
            assert deck.toasts == [f"There is no browser here. Copied {URL} instead."]

    async def test_works_in_the_instance_view_and_from_the_palette(self, opened: Path) -> None:
        async with dashboard(listening(shop(), "web.2", 5001)) as deck:
            await deck.select("web.2")
            await deck.press("enter", "o")
            assert await told(deck, opened) == URL
            opened.unlink()
            await deck.press("escape", "colon")
            await deck.enter("browse web.2")
            assert await told(deck, opened) == URL


class TestTheEditor:
    @pytest.fixture
    def code(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The file in which an editor with a window of its own writes its arguments."""
        program, told = tmp_path / "code", tmp_path / "told"
        program.write_text(f'#!/bin/sh\necho "$@" > {told}.part\nmv {told}.part {told}\n')
        program.chmod(0o755)
        monkeypatch.setenv("EDITOR", str(program))
        return told

    @pytest.mark.parametrize("row", ["worker.2", "worker"])
    async def test_opens_at_the_place_of_the_latest_crash(self, row: str, tmp_path: Path, code: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.select(row)
            await deck.press("e")
            assert await told(deck, code) == f"-g {tmp_path}/worker.py:10"

    async def test_opens_from_the_instance_view_too(self, tmp_path: Path, code: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.press("colon")
            await deck.enter("open worker.2")
            await deck.press("e")
            assert await told(deck, code) == f"-g {tmp_path}/worker.py:10"

    @pytest.mark.parametrize(
        ("row", "says"), [("web.1", "web.1 has not crashed."), ("web", "No instance of web has crashed.")]
    )
    async def test_has_nothing_to_open_of_what_has_not_crashed(self, row: str, says: str, code: Path) -> None:
        async with dashboard() as deck:
            await deck.select(row)
            await deck.press("e")
            assert deck.toasts == [says]
            assert not code.exists()

    async def test_that_needs_the_terminal_gets_none_where_there_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EDITOR", "true")
        async with dashboard(looping(tmp_path)) as deck:
            await deck.select("worker.2")
            await deck.press("e")
            assert deck.toasts == ["This screen has no terminal that an editor could be given."]

    async def test_says_what_is_missing(self, tmp_path: Path, code: Path) -> None:
        engine = looping(tmp_path)
        (tmp_path / "worker.py").unlink()
        async with dashboard(engine) as deck:
            await deck.select("worker.2")
            await deck.press("e")
            detail = engine.crash_details["worker.2"][-1]
            report = msgspec.structs.replace(detail.report, traceback=None)
            engine.crash_details["worker.2"][-1] = msgspec.structs.replace(detail, report=report)
            await deck.press("e")
            assert deck.toasts == [
                "worker.py is not there any more.",
                "This crash names no place in the project.",
            ]
