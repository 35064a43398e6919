"""`procdeck serve`: the dashboard in a browser on this machine. Here is which engine it shows, and when it ends; the
web server is `procdeck.web`'s matter."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from procdeck.cli.common import env_option, json_option
from procdeck.cli.engines import Place, ask, conversation, engine_options, find, running
from procdeck.cli.options import check_keys, quantities, routes
from procdeck.cli.output import complain, printing, say
from procdeck.cli.owning import adopted, owned
from procdeck.cli.resuming import resume_option, resumed
from procdeck.core.config import Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.launch import Launched

if TYPE_CHECKING:
    from procdeck.core.client import Client
    from procdeck.web.gate import Gate

MISSING = "procdeck serve needs textual-serve, which is not installed here: pip install 'procdeck[serve]' adds it."


@click.command()
@engine_options
@click.option(
    "-p",
    "--port",
    metavar="N",
    help="The browser's port (default: 8000, or the next one that is free; 0: any free one).",
)
@click.option(
    "--open/--no-open", "opens", default=False, help="Open it in the browser (default: print its address only)."
)
@env_option
@click.option("--base-port", metavar="N", help="The first PORT of the formation, as -p of up.")
@quantities
@click.option("--reload", is_flag=True, help="Apply changes of Procfile, .env and settings at once.")
@click.option("--log-dir", metavar="FOLDER", help="Write each instance's log to a file there, too.")
@routes
@resume_option
@json_option
@click.argument("selected", nargs=-1, metavar="[TYPE|COMMAND]...")
def serve(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    port: str | None,
    opens: bool,
    env_files: str | None,
    base_port: str | None,
    formation: str | None,
    reload: bool,
    log_dir: str | None,
    routes: tuple[str, ...],
    resume: bool,
    as_json: bool,
    selected: tuple[str, ...],
) -> int:
    """Show the dashboard in a browser on this machine.

    It shows the formation that is running in this folder, which goes on when this ends. When none is running it starts
    one as `procdeck up` does, and Ctrl-C stops it.

    What is printed is the address to open. It has a token in it, without which nobody is let in, and leads nowhere from
    another machine.

    \b
    Examples:
      procdeck serve
      procdeck serve --open -c web=2     open the browser, too
      procdeck serve --port 9000
    """
    wanted = _port(port)
    if find_spec("textual_serve") is None or find_spec("aiohttp") is None:
        raise ProcdeckError(MISSING)
    place = find(procfile, root, socket)
    start: dict[str, object] = {
        "-e": env_files,
        "--base-port": base_port,
        "-c": formation,
        "--reload": reload,
        "--log-dir": log_dir,
        "--route": routes,
        "--resume": resume,
    }
    for_start = [name for name, given in start.items() if given] + list(selected[:1])
    if socket is not None or running(place):
        if for_start:
            raise UsageError(
                f"The formation is running already, and {for_start[0]} is for one that is to be started: "
                f"leave it out, or stop the formation with procdeck down{place.arguments}."
            )
        with ask(place) as engine:
            engine.snapshot()
        return printing(lambda: asyncio.run(_Serving(None, place, wanted, opens, as_json).run()))
    _check_free(wanted)
    options = Options(
        procfile=procfile,
        root=root,
        env_files=env_files,
        port=base_port,
        formation=formation,
        selected=selected,
        reload=reload,
        log_dir=log_dir,
        routes=routes,
    )
    config = resumed(options, resume=resume)
    check_keys(config.keys)
    with owned(config) as launched:
        launched.wait_for_first_starts()
        place = Place(launched.path, config.root)
        return printing(lambda: asyncio.run(_Serving(launched, place, wanted, opens, as_json).run()))


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise UsageError(f"--port {text}: give a number from 1 to 65535, or 0 for any port that is free.")
    return int(text)


def _check_free(port: int | None) -> None:
    """Raises ProcdeckError when the port cannot be had: before anything is started."""
    from procdeck.web.listening import listen

    for one in listen(port):
        # Not kept: the engine is a fork of this process, and would have it too.
        one.close()


@dataclass
class _Serving:
    """The web server, for as long as there is something to show."""

    launched: Launched | None
    """What was started for it; None: it shows what was running."""
    place: Place
    port: int | None
    opens: bool
    as_json: bool
    ended: str | None = None
    """Why there is nothing to show any more."""
    told: signal.Signals | None = None
    """With which it was told to end."""

    async def run(self) -> int:
        """Serves until a signal comes or the formation is down. Returns the exit status."""
        async with conversation(self.place) if self.launched is None else adopted(self.launched) as client:
            return await self._serve(client)

    async def _serve(self, client: "Client") -> int:
        over = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._end, client, over, number)
        # While these are loaded, the first processes start.
        from aiohttp import web

        from procdeck.web.gate import Gate
        from procdeck.web.listening import listen
        from procdeck.web.server import DeckServer, quiet
        from procdeck.web.window import viewer_command

        snapshot = await client.snapshot()
        quiet()
        sockets = listen(self.port)
        gate = Gate(sockets[0].getsockname()[1])
        command = viewer_command(self.place.socket, str(self.place.root or ""), snapshot.theme)
        server = DeckServer(gate, command, snapshot.title, lambda: self.ended)
        runner = web.AppRunner(await server.make_app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        following = asyncio.create_task(self._follow(client, over))
        try:
            for one in sockets:
                await web.SockSite(runner, one).start()
            self._tell(gate, snapshot.notices)
            # What a viewer complained of textual-serve prints. Standard output is for the address alone.
            with contextlib.redirect_stdout(sys.stderr):
                await over.wait()
                self.ended = self.ended or "procdeck serve has ended."
                await server.farewell()
                await runner.cleanup()
                if self.launched is not None:
                    # Until the engine says that all is down.
                    await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await runner.cleanup()
        if not client.said_bye and (self.launched is not None or self.told is None):
            raise ProcdeckError("The engine died. Everything that it had started has been ended.")
        return 128 + self.told if self.told is not None else 0

    def _tell(self, gate: "Gate", notices: list[str]) -> None:
        if self.as_json:
            from procdeck.cli.objects import as_line

            say(
                as_line(
                    {"command": "serve", "url": gate.address, "port": gate.port, "started": self.launched is not None}
                )
            )
        else:
            say(gate.address)
        for notice in notices:
            complain(notice)
        if sys.stderr.isatty():
            complain(f"Ctrl-C ends this{', and the formation' if self.launched else '; the formation goes on'}.")
        if self.opens:
            _open(gate.ticket_address())

    async def _follow(self, client: "Client", over: asyncio.Event) -> None:
        from procdeck.core.messages import Bye, Notice, Stopping

        try:
            async for event in client.events():
                match event:
                    case Notice(text=text):
                        complain(text)
                    case Stopping():
                        complain("stopping all processes")
                    case Bye():
                        self.ended = "The formation is down."
                        return
                    case _:
                        pass
            self.ended = "The engine died, and everything that it had started has been ended."
        finally:
            over.set()

    def _end(self, client: "Client", over: asyncio.Event, number: signal.Signals) -> None:
        if self.launched is not None:
            # The second time: now. Windows stay open meanwhile: they show who is still there.
            task: asyncio.Task[object] = asyncio.create_task(_quietly(client, now=self.told is not None))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            over.set()
        self.told = self.told or number


async def _quietly(client: "Client", *, now: bool) -> None:
    with contextlib.suppress(ProcdeckError):  # it has ended already, which is what was asked
        await client.down(now=now)


def _open(address: str) -> None:
    """Opens the browser, without waiting for it."""
    import webbrowser

    desktop = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    if not desktop:
        complain("There is no desktop here: open the address yourself.")
        return

    def work() -> None:
        if not webbrowser.open(address):
            complain("No browser could be opened: open the address yourself.")

    threading.Thread(target=work, daemon=True).start()
