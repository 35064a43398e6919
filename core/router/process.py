"""The router as a program: `python -m procdeck.core.router.process FD FD`, with the engine at the other end of both: of
the first one for words, of the second one for sockets. It ends with the engine, however that ends.
"""

import asyncio
import contextlib
import resource
import signal
import socket
import sys

import msgspec

from .control import Backends, Drain, FromRouter, Listen, ToRouter, Unlisten
from .service import REPORT_INTERVAL, Service

_MOST_FILES = 65_536
_decoder: "msgspec.json.Decoder[ToRouter]" = msgspec.json.Decoder(ToRouter)


async def serve(sock: socket.socket, lent: socket.socket) -> None:
    """Routes until the other end of a connected socket is closed.

    Args:
        sock: for words.
        lent: over this one come the sockets on which is listened.
    """
    reader, writer = await asyncio.open_unix_connection(sock=sock, limit=1 << 24)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Who ends the formation sees to the engine; this goes with it, when all has been drained.
        loop.add_signal_handler(number, lambda: None)

    def tell(word: FromRouter) -> None:
        with contextlib.suppress(RuntimeError):
            writer.write(msgspec.json.encode(word) + b"\n")

    service = Service(tell)
    reporting = loop.create_task(_report(service))
    try:
        while line := await reader.readline():
            match _decoder.decode(line):
                case Listen(type=type_, sockets=count, balance=balance):
                    await service.listen(type_, balance, _received(lent, count))
                case Unlisten(type=type_):
                    service.unlisten(type_)
                case Backends(type=type_, ready=ready):
                    service.set_ready(type_, ready)
                case Drain(name=name):
                    service.drain(name)
    except OSError:
        pass  # the engine is gone
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await service.close()


def _received(lent: socket.socket, count: int) -> list[socket.socket]:
    if not count:
        return []
    _, fds, _, _ = socket.recv_fds(lent, 1, count)  # they are there: they were sent before the word
    return [socket.socket(fileno=fd) for fd in fds]


async def _report(service: Service) -> None:
    while True:
        await asyncio.sleep(REPORT_INTERVAL)
        service.report()


def _allow_many_files() -> None:
    """Each visitor takes two, and the usual limit of 1024 is one for programs that use `select`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES if most < 0 else min(most, _MOST_FILES), most))


def main() -> None:
    """Runs on the fastest event loop that there is."""
    _allow_many_files()
    sock, lent = (socket.socket(fileno=int(word)) for word in sys.argv[1:3])
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(sock, lent))
    else:
        uvloop.run(serve(sock, lent))


if __name__ == "__main__":
    main()
