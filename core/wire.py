"""Messages as lines of JSON, and which Control method each command is. Both ends use it; neither a socket nor an
engine lives here."""

from typing import assert_never

import msgspec

from .messages import (
    Apply,
    Attach,
    Command,
    Control,
    Detach,
    Down,
    FindQuery,
    GetCrash,
    GetCrashes,
    GetEnvironment,
    GetInstance,
    GetSnapshot,
    Hello,
    Hold,
    Kill,
    Leave,
    LogQuery,
    Push,
    Reply,
    Request,
    Restart,
    Result,
    Roll,
    Scale,
    SetTerminalSize,
    SetWindowSize,
    Signal,
    Start,
    Stop,
    Type,
)

MAX_LINE = 64 * 1024 * 1024
"""Bytes of the longest message; a window of log lines is by far the largest."""

_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_answers: "msgspec.json.Decoder[Reply | Push]" = msgspec.json.Decoder(Reply | Push)


def encode(message: Request | Reply | Push) -> bytes:
    """One line, with its newline."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """What a viewer sent.

    Raises:
        msgspec.MsgspecError: it is not a request of this protocol.
    """
    return _requests.decode(line)


def decode_answer(line: bytes) -> Reply | Push:
    """What the engine sent.

    Raises:
        msgspec.MsgspecError: it is not an answer of this protocol.
    """
    return _answers.decode(line)


async def perform(control: Control, command: Command) -> Result:
    """Does what a command asks. Hello is not for here: it is between the two ends of the wire.

    Raises:
        ProcdeckError: it was refused.
    """
    match command:
        case GetSnapshot():
            return await control.snapshot()
        case Scale(changes=changes):
            return await control.scale(changes)
        case Start(target=target):
            return await control.start(target)
        case Stop(target=target):
            return await control.stop(target)
        case Kill(target=target):
            return await control.kill(target)
        case Restart(target=target):
            return await control.restart(target)
        case Hold(target=target):
            return await control.hold(target)
        case Signal(target=target, number=number):
            return await control.signal(target, number)
        case Apply():
            return await control.apply()
        case SetWindowSize(columns=columns, rows=rows):
            return await control.set_window_size(columns, rows)
        case Detach():
            return await control.detach()
        case Down(now=now):
            return await control.down(now=now)
        case LogQuery():
            return await control.logs(command)
        case FindQuery():
            return await control.find(command)
        case GetCrashes(names=names):
            return await control.crashes(names)
        case GetCrash(name=name, run=run):
            return await control.crash(name, run)
        case GetEnvironment(name=name):
            return await control.environment_of(name)
        case GetInstance(name=name):
            return await control.instance(name)
        case Roll(target=target):
            return await control.roll(target)
        case Attach(name=name, columns=columns, rows=rows):
            return await control.attach(name, columns, rows)
        case Leave(name=name):
            return await control.leave(name)
        case Type(name=name, data=data):
            return await control.type(name, data)
        case SetTerminalSize(name=name, columns=columns, rows=rows):
            return await control.set_terminal_size(name, columns, rows)
        case Hello():
            raise AssertionError("Hello is answered by the server")
        case _:
            assert_never(command)
