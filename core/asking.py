"""Questions to an engine without an event loop, for commands of which every millisecond is felt. What goes on longer
than an answer is `core.client`'s matter.
"""

import itertools
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from .errors import ProcdeckError
from .messages import PROTOCOL, Command, Fault, GetSnapshot, Hello, Reply, Request, Result, Snapshot
from .peers import EngineGone, EngineSilent, connect
from .wire import MAX_LINE, decode_answer, encode


class Asker:
    """A connection over which one question is asked after the other. Closed at the end of its `with` block."""

    def __init__(self, path: Path, *, patience: float) -> None:
        """Connects to the engine whose socket is at `path`.

        Args:
            path: where it listens.
            patience: seconds to wait for all answers together.

        Raises:
            ProcdeckError: nobody is there, it is somebody else's, it does not answer, or it speaks another version of
            the protocol.
        """
        self._deadline = time.monotonic() + patience
        self._ids = itertools.count(1)
        self._rest = b""
        self._sock = connect(path)
        try:
            self.ask(Hello(PROTOCOL))
        except BaseException:
            self._sock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sock.close()

    def snapshot(self) -> Snapshot:
        """All there is.

        Raises:
            ProcdeckError: as `ask`.
        """
        result = self.ask(GetSnapshot())
        assert isinstance(result, Snapshot)
        return result

    def ask(self, command: Command) -> Result:
        """What the engine answers.

        Raises:
            EngineSilent: it does not, in time.
            EngineGone: it ended meanwhile.
            ProcdeckError: it refuses, or cannot be understood.
        """
        number = next(self._ids)
        try:
            self._sock.settimeout(self._left())
            self._sock.sendall(encode(Request(number, command)))
            while True:
                answer = decode_answer(self._line())
                if isinstance(answer, Reply) and answer.id == number:
                    break
        except TimeoutError:
            raise EngineSilent(self._sock) from None
        except OSError:
            raise EngineGone("The engine has ended.") from None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ProcdeckError("What answers there is no engine of this version of procdeck.") from None
        if isinstance(answer.result, Fault):
            raise ProcdeckError(answer.result.message, status=answer.result.status)
        return answer.result

    def _line(self) -> bytes:
        parts = [self._rest]
        size = 0
        while b"\n" not in parts[-1]:
            self._sock.settimeout(self._left())
            data = self._sock.recv(1 << 18)
            size += len(data)
            if not data or size > MAX_LINE:
                raise EngineGone("The engine has ended.")
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
