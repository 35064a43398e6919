"""In terminals of all sizes the log keeps its room, and nothing sticks out."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from procdeck.core.messages import Strays
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, Deck, dashboard, shop

SIZES = [(40, 10), (60, 20), (80, 24), (120, 36), (159, 40), (160, 40), (180, 45), (240, 70)]


def crowd() -> FakeEngine:
    """More rows than any of these terminals has."""
    engine = FakeEngine(title="a/folder/with/quite/a/long/name/Procfile.development")
    engine.add_type("web", 60, ready=True)
    engine.add_type("a-type-with-quite-a-long-name", 20)
    for i in range(40):
        engine.write("web.1", f"line {i} " + "x" * 200)
    engine.end_run("web.7", looping=True)
    return engine


def check(deck: Deck) -> None:
    """What holds for every size."""
    width, height = deck.app.size
    lines = deck.lines
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in lines)
    log = deck.region("LogView")
    assert log.height >= 4
    assert log.right <= width
    assert log.bottom <= height - 1
    assert deck.region("FormationTable").height >= 3
    assert deck.selected
    assert deck.region("Footer").y == height - 1
    assert deck.footer.endswith("? help  q quit")


@pytest.mark.parametrize("make", [shop, crowd], ids=["few rows", "many rows"])
async def test_every_size_has_room_for_the_log(make: object) -> None:
    engine = shop() if make is shop else crowd()
    async with dashboard(engine, size=SIZES[0]) as deck:
        for size in [*SIZES, *reversed(SIZES)]:
            await deck.resize(*size)
            check(deck)
            await deck.press("G")
            check(deck)
            await deck.press("g")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (180, 45)])
async def test_starting_in_every_size(size: tuple[int, int]) -> None:
    async with dashboard(crowd(), size=size) as deck:
        check(deck)
        assert deck.selected == "web"


async def test_on_a_narrow_screen_the_log_is_below_the_table_and_on_a_wide_one_beside_it() -> None:
    async with dashboard(size=(159, 40)) as deck:
        table, log = deck.region("FormationTable"), deck.region("LogView")
        assert (table.width, log.width) == (159, 159)
        assert log.y > table.y
        await deck.resize(160, 40)
        table, log = deck.region("FormationTable"), deck.region("LogView")
        assert log.x >= table.right
        assert log.height > 30


async def test_a_small_formation_leaves_the_rest_to_the_log() -> None:
    async with dashboard(size=(80, 40)) as deck:
        assert deck.region("FormationTable").height == len(SHOP) + 1
        # Header, table, title, footer.
        assert deck.region("LogView").height == 40 - 1 - (len(SHOP) + 1) - 1 - 1


async def test_scaling_up_moves_the_log_down_and_back() -> None:
    async with dashboard(size=(80, 40)) as deck:
        before = deck.region("LogView")
        await deck.press("+", "+")
        assert deck.region("LogView").y == before.y + 2
        await deck.press("-", "-")
        assert deck.region("LogView") == before


async def test_the_header_goes_under_16_rows() -> None:
    async with dashboard(size=(80, 16)) as deck:
        assert "procdeck" in deck.text
        await deck.resize(80, 15)
        assert "procdeck" not in deck.text


async def test_a_column_goes_below_its_width() -> None:
    async with dashboard() as deck:
        for title, width in (("PID", 78), ("PORT", 72), ("8s", 64), ("UP", 54)):
            await deck.resize(width, 24)
            assert f" {title}" in deck.lines[1]
            await deck.resize(width - 1, 24)
            assert f" {title}" not in deck.lines[1]


class TestTooSmall:
    async def test_one_page_says_the_size_and_the_need(self) -> None:
        async with dashboard(size=(30, 8)) as deck:
            for size in ((30, 8), (39, 24), (80, 9), (10, 3)):
                await deck.resize(*size)
                text = " ".join(deck.text.split())
                assert "NAME" not in text
                if size != (10, 3):
                    assert f"{size[0]}×{size[1]} is too small" in text
                    assert "40×10" in text

    async def test_growing_brings_the_dashboard_back_and_shrinking_takes_it_away(self) -> None:
        async with dashboard(size=(30, 8)) as deck:
            await deck.resize(80, 24)
            assert list(deck.rows) == SHOP
            await deck.press("j")
            await deck.resize(39, 9)
            assert "39×9 is too small" in deck.text
            await deck.resize(35, 9)
            assert "35×9 is too small" in deck.text
            await deck.resize(80, 24)
            assert deck.selected == "web.1"

    async def test_keys_do_nothing_there_but_quit(self) -> None:
        async with dashboard(shop(slow=True), size=(30, 8)) as deck:
            await deck.press("j", "+", "x", "X", "s", "5", "enter", "escape")
            assert deck.engine.commands == []
            await deck.press("q")
            assert deck.engine.commands
            deck.engine.finish()
            assert await deck.ended() == 0

    async def test_what_is_open_survives_it(self) -> None:
        async with dashboard() as deck:
            await deck.press("?")
            await deck.resize(30, 8)
            assert "30×8 is too small" in deck.text
            await deck.resize(80, 24)
            assert "esc close" in deck.text
            await deck.press("escape")
            assert list(deck.rows) == SHOP

    async def test_while_quitting(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("q")
            await deck.resize(30, 8)
            assert "too small" not in deck.text
            assert [line.strip() for line in deck.lines if line.strip()] == ["stopping 6 · KILL in 5.0s · c…"]
            await deck.resize(80, 24)
            await deck.shows("stopping 6 processes", "web.1", "KILL in 5.0s")
            deck.engine.finish()
            assert await deck.ended() == 0

    async def test_quitting_from_there_shows_itself(self) -> None:
        async with dashboard(shop(slow=True), size=(39, 9)) as deck:
            assert "too small" in deck.text
            await deck.press("q")
            await deck.shows("stopping 6 · KILL in 5.0s · ctrl+c: now")
            assert "too small" not in deck.text
            await deck.press("ctrl+c")
            await deck.shows("KILL sent")
            await deck.resize(80, 24)
            await deck.shows("stopping 6 processes")
            assert "too small" not in deck.text
            deck.engine.finish()
            assert await deck.ended() == 0

    @pytest.mark.parametrize("size", [(80, 24), (60, 9)])
    async def test_what_belongs_to_no_instance_is_waited_for_in_plain_sight(self, size: tuple[int, int]) -> None:
        async with dashboard(shop(slow=True), size=size) as deck:
            await deck.press("q")
            deck.engine.push(Strays(1))
            await deck.settle()
            assert "belongs to no instance" not in deck.text
            for name in [*deck.engine.instances]:
                deck.engine._stopped(name)
            await deck.shows("1 process that belongs to no instance")
            assert "stopped" in deck.text or size[1] < 10
            deck.engine.push(Strays(0))
            await deck.until(lambda: "belongs" not in deck.text)
            deck.engine.finish()
            assert await deck.ended() == 0


class TestWhatIsOpenInEverySize:
    async def test_the_prompt(self) -> None:
        async with dashboard() as deck:
            await deck.press("s", "7")
            for size in SIZES:
                await deck.resize(*size)
                assert deck.lines[-1].startswith(" scale web to: 7")
            await deck.press("escape")
            check(deck)

    async def test_the_help(self) -> None:
        async with dashboard() as deck:
            await deck.press("?")
            for size in SIZES:
                await deck.resize(*size)
                assert "next row" in deck.text
                assert deck.region("#help").right <= size[0]
                assert deck.region("#help").bottom <= size[1]

    async def test_the_zoom(self) -> None:
        async with dashboard(crowd()) as deck:
            await deck.press("z")
            for size in SIZES:
                await deck.resize(*size)
                assert deck.region("LogView").width == size[0]
                assert deck.region("LogView").height == size[1] - 2

    async def test_quitting(self) -> None:
        engine = crowd()
        engine.slow = True
        async with dashboard(engine) as deck:
            await deck.press("q")
            for size in SIZES:
                await deck.resize(*size)
                await deck.until(lambda size=size: self.is_whole(deck, size))  # type: ignore[misc]

    def is_whole(self, deck: Deck, size: tuple[int, int]) -> bool:
        box, rows = deck.region("#quitting"), deck.part("#quitting")
        return (
            "stopping 79 processes" in rows[0]
            and all("◌ stopping  KILL in 5.0s" in row for row in rows[1:-2])
            and " more" in rows[-2]
            and box.height == size[1] * 9 // 10
            and box.right <= size[0]
        )


class TestTheCard:
    """Beside the log of a wide terminal, under the table: what is selected, in words."""

    async def test_tells_of_an_instance_and_of_a_type(self) -> None:
        engine = shop()
        async with dashboard(engine, size=(180, 45)) as deck:
            engine.measure(web_1=(1.0, 20), web_2=(1.0, 30))
            await deck.settle()
            card = "\n".join(deck.part("Card"))
            assert "web" in card
            assert "python -m web" in card
            assert "3, of which 3 run" in card
            assert "2 processes, 2 threads, 50M" in card
            await deck.press("j")
            card = "\n".join(deck.part("Card"))
            assert "web.1" in card
            assert "pid 48213" in card
            assert "5000" in card

    async def test_is_not_there_on_a_narrow_one(self) -> None:
        async with dashboard(size=(120, 36)) as deck:
            assert "command" not in deck.text

    async def test_does_not_push_the_table_away(self) -> None:
        async with dashboard(crowd(), size=(160, 20)) as deck:
            assert deck.region("FormationTable").height >= 3
            await deck.press("G")
            assert deck.selected.startswith("a-type")


async def test_without_utf8_no_sign_is_drawn_that_is_not_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCDECK_ASCII", "1")
    engine = shop()
    engine.end_run("web.1")
    async with dashboard(engine) as deck:
        engine.measure(web_2=(50.0, 20))
        await deck.settle()
        table = "\n".join(deck.part("FormationTable"))
        assert table.isascii()
        assert "x 1 crashed" in table
        assert "v web" in table
