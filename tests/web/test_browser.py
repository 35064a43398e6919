"""`procdeck serve` in a real browser: what is seen, what keys do, and what pages from elsewhere can not."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.support import running
from tests.engine.support import free_base
from tests.support.apps import Apps
from tests.support.processes import wait_until, with_variable
from tests.web.chromium import chromium

COUNTS = "i=0; while :; do i=$((i+1)); echo count $i; sleep 0.2; done"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]


@pytest.fixture
def folder(app_dir: Apps) -> Path:
    return app_dir({"web": COUNTS, "worker": "exec sleep 100"}, toml=f"port = {free_base()}\n", name="shop").resolve()


def viewers() -> int:
    """How many windows have a viewer behind them."""
    mine = with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"])
    return sum("procdeck.web.viewer" in one.command for one in mine)


async def until_viewers(wanted: int) -> None:
    await asyncio.to_thread(wait_until, lambda: viewers() == wanted, what=lambda: f"{wanted} viewers: {viewers()}")


async def test_the_dashboard_is_seen_and_steered_in_a_browser(folder: Path, tmp_path: Path) -> None:
    async with chromium() as browser:
        with running("serve", "--json", "--port", "0", cwd=folder) as deck:
            told = json.loads(await asyncio.to_thread(deck.wait_line, "url"))
            here = f"http://127.0.0.1:{told['port']}"
            tab = await browser.tab(told["url"])
            shown = await tab.until_shown("shop/Procfile", "web.1", "worker.1", "2/2 up", "q quit")
            assert re.search(r"web +1/1 ● 1 running", shown), shown
            await tab.until_shown("count 3")
            # The token is nowhere where a page, a look over the shoulder or the history could find it.
            assert await tab.run("location.href") == f"{here}/"
            assert await tab.run("document.cookie + document.referrer") == ""
            assert await tab.run("document.title") == "shop/Procfile · procdeck"
            # Nothing is from the network, and the font is ours.
            assert {url.split("/")[2] for url in tab.asked if not url.startswith("data:")} == {here.split("/")[2]}
            assert await tab.run(
                "[...document.fonts].some(f => f.family.includes('Roboto Mono') && f.status == 'loaded')"
            )
            assert tab.complaints == []
            await tab.press("+")
            shown = await tab.until_shown("web.2", "3/3 up")
            assert re.search(r"web +2/2 ● 2 running", shown), shown
            await tab.picture(tmp_path / "dashboard.png")
            assert (tmp_path / "dashboard.png").stat().st_size > 10_000
            # It follows the window's size.
            columns = await tab.run("deck.terminal.cols")
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=900, height=600, deviceScaleFactor=1, mobile=False
            )
            await tab.until(f"deck.terminal.cols < {columns}")
            await tab.until_shown("web.2", "q quit")
            assert await tab.run("deck.terminal.cols") == await tab.run("deck.size.width")
            # There is no terminal that a program could be given.
            await tab.press("j")
            await tab.press("a")
            await tab.until_shown("no terminal")
            # What is copied is the browser's.
            await tab.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
            await tab.press("y")
            await tab.until("navigator.clipboard.readText().then(text => text.startsWith('count '))")
            # Another window is another viewer of the same; closing one ends its viewer only.
            other = await browser.tab(here)
            await other.until_shown("web.2", "3/3 up")
            await until_viewers(2)
            await tab.close()
            await until_viewers(1)
            # Leaving stops nothing, and there is a way back.
            await other.press("d")
            await other.until("document.getElementById('said')?.textContent", "This window's dashboard was closed.")
            await other.until("document.querySelector('.closed')?.offsetHeight > 0")
            await until_viewers(0)
            await other.run("document.getElementById('again')?.click()")
            # Not before it is another page: what the old one shows stays there as long.
            await other.until("document.body?.classList.contains('-closed')", False)
            await other.until_shown("web.2", "3/3 up")
            # `q` stops everything, as it does on a terminal.
            await other.press("q")
            await other.until("document.getElementById('said')?.textContent", "The formation is down.")
            assert await other.run("document.getElementById('again')?.offsetHeight") == 0
            assert await asyncio.to_thread(deck.wait) == 0, deck.err
            await until_viewers(0)


async def test_pages_from_elsewhere_get_nothing_though_the_browser_has_the_cookie(folder: Path) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!DOCTYPE html><title>elsewhere</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    elsewhere = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with chromium() as browser:
            with running("serve", "--json", "--port", "0", cwd=folder) as deck:
                told = json.loads(await asyncio.to_thread(deck.wait_line, "url"))
                here = f"127.0.0.1:{told['port']}"
                own = await browser.tab(told["url"])
                await own.until_shown("2/2 up")
                # Cookies know no ports: this page's requests carry ours.
                foreign = await browser.tab(elsewhere)
                await foreign.until("document.title", "elsewhere")
                socket = (
                    "new Promise(done => {{ const it = new WebSocket('ws://{}/ws');"
                    " it.onopen = () => done('open'); it.onerror = () => done('refused'); }})"
                )
                assert await own.run(socket.format(here)) == "open"
                for name in (here, here.replace("127.0.0.1", "localhost")):
                    assert await foreign.run(socket.format(name)) == "refused"
                fetched = "fetch('http://{}/', {{credentials: 'include'}}).then(a => a.text(), () => 'refused')"
                assert await foreign.run(fetched.format(here)) == "refused"
                await foreign.run(
                    f"new Promise(done => {{ const it = document.createElement('iframe'); it.src = 'http://{here}/';"
                    " it.onload = done; document.body.append(it); }).then(() => 0)"
                )
                await foreign.until("document.querySelector('iframe').contentDocument", None)
                assert any("frame-ancestors" in one for one in foreign.complaints), foreign.complaints
                # A name that was made to mean this machine.
                rebound = await browser.tab(f"http://rebound.test:{told['port']}/?{told['url'].split('?')[1]}")
                await rebound.until("document.body && document.body.innerText.startsWith('procdeck answers only to')")
    finally:
        await runner.cleanup()
