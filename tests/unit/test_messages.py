"""The protocol: everything that can be said survives the wire, and nothing else is taken for it."""

import inspect
import types
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import messages, wire
from procdeck.core.causes.facts import CauseKind
from procdeck.core.levels import Level
from procdeck.core.messages import (
    Command,
    Control,
    Event,
    LogLine,
    LogWindow,
    Message,
    Push,
    Reply,
    Request,
    Result,
    Sample,
    Scale,
)
from procdeck.core.state import Exit, State
from procdeck.core.wire import decode_answer, decode_request, encode

text = st.text(st.characters(codec="utf-8"), max_size=8)


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type as it stands in a message."""
    arguments = get_args(hint)
    if isinstance(hint, types.UnionType):
        return st.one_of([any_of(argument) for argument in arguments])
    if get_origin(hint) is list:
        return st.lists(any_of(arguments[0]), max_size=2)
    if get_origin(hint) is dict:
        return st.dictionaries(any_of(arguments[0]), any_of(arguments[1]), max_size=2)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: text,
        int: st.integers(-(2**53), 2**53),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bytes: st.binary(max_size=8),
        type(None): st.none(),
        State: st.sampled_from(State),
        Level: st.sampled_from(Level),
        CauseKind: st.sampled_from(CauseKind),
        Exit: st.one_of(
            st.builds(Exit, code=st.integers(0, 255)),
            st.builds(Exit, signal=st.integers(1, 64), core_dumped=st.booleans()),
            st.builds(Exit, error=text),
        ),
    }
    if hint in plain:
        return plain[hint]
    assert issubclass(hint, msgspec.Struct), hint
    hints = get_type_hints(hint)
    return st.builds(hint, **{field: any_of(hints[field]) for field in hint.__struct_fields__})


# What survives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", get_args(Command), ids=lambda kind: kind.__name__)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_command_survives_the_wire(kind: type[Any], data: st.DataObject) -> None:
    request = Request(id=data.draw(st.integers(0, 2**53)), command=data.draw(any_of(kind)))
    assert decode_request(encode(request)) == request


@pytest.mark.parametrize("kind", get_args(Result), ids=lambda kind: kind.__name__)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_answer_survives_the_wire(kind: type[Any], data: st.DataObject) -> None:
    reply = Reply(id=data.draw(st.integers(0, 2**53)), result=data.draw(any_of(kind)))
    assert decode_answer(encode(reply)) == reply


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_event_survives_the_wire(kind: type[Any], data: st.DataObject) -> None:
    push = Push(data.draw(any_of(kind)))
    assert decode_answer(encode(push)) == push


@given(st.text(st.characters(codec="utf-8")))
def test_a_message_is_one_line_whatever_is_in_it(changes: str) -> None:
    line = encode(Request(id=1, command=Scale(changes)))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@given(st.binary(max_size=50))
def test_a_log_line_keeps_every_byte(data: bytes) -> None:
    line = LogLine(seq=1, name="web.1", offset=0, run=1, at=0.5, data=data, size=len(data))
    reply = Reply(id=1, result=LogWindow(lines=[line], index=0, total=1, dropped=0))
    back = decode_answer(encode(reply))
    assert isinstance(back, Reply)
    assert isinstance(back.result, LogWindow)
    assert back.result.lines[0].data == data


def test_what_is_sent_a_thousand_times_is_small() -> None:
    sample = encode(Push(messages.Sampled([Sample("web.1", cpu=1.5, memory=1, processes=1, threads=1)])))
    assert b'["web.1",1.5,1,1,1]' in sample


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"[]",
        b"{}",
        b'{"is":"Request"}',
        b'{"is":"Request","id":"x","command":{"is":"GetSnapshot"}}',
        b'{"is":"Request","id":1,"command":{"is":"Nonsense"}}',
        b'{"is":"Request","id":1,"command":{"is":"Scale"}}',
        b'{"is":"Request","id":1,"command":{"is":"Scale","changes":3}}',
        b'{"is":"Reply","id":1,"result":{"is":"Done"}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        decode_request(line)


def test_a_field_of_a_later_version_is_overlooked() -> None:
    line = b'{"is":"Request","id":1,"command":{"is":"Scale","changes":"web+1","gently":true}}'
    assert decode_request(line) == Request(id=1, command=Scale("web+1"))


# The whole ----------------------------------------------------------------------------------------------------------


def test_every_message_can_be_told_from_every_other() -> None:
    for kinds in (get_args(Command), get_args(Result), get_args(Event)):
        tags = [kind.__struct_config__.tag for kind in kinds]
        assert len(set(tags)) == len(tags)


def test_no_message_can_be_changed_by_who_gets_it() -> None:
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, Message)]
    assert len(kinds) > 30
    assert all(kind.__struct_config__.frozen for kind in kinds)


async def test_every_command_reaches_the_control_under_its_own_name() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            signature = inspect.signature(getattr(Control, name))

            async def record(*args: Any, **kwargs: Any) -> str:
                bound = signature.bind(self, *args, **kwargs)
                bound.apply_defaults()
                asked.append((name, {key: value for key, value in bound.arguments.items() if key != "self"}))
                return f"what {name} said"

            return record

    recorder: Any = Recorder()
    said: list[tuple[Command, tuple[str, dict[str, Any]]]] = [
        (messages.GetSnapshot(), ("snapshot", {})),
        (messages.Scale("web+1"), ("scale", {"changes": "web+1"})),
        (messages.Start("web"), ("start", {"target": "web"})),
        (messages.Stop("web"), ("stop", {"target": "web"})),
        (messages.Kill("web.1"), ("kill", {"target": "web.1"})),
        (messages.Restart("all"), ("restart", {"target": "all"})),
        (messages.Hold("web.1"), ("hold", {"target": "web.1"})),
        (messages.Signal("web.1", 10), ("signal", {"target": "web.1", "number": 10})),
        (messages.Apply(), ("apply", {})),
        (messages.SetWindowSize(80, 24), ("set_window_size", {"columns": 80, "rows": 24})),
        (messages.Detach(), ("detach", {})),
        (messages.Down(), ("down", {"now": False})),
        (messages.Down(now=True), ("down", {"now": True})),
        (messages.GetCrashes(), ("crashes", {"names": []})),
        (messages.GetCrash("web.1"), ("crash", {"name": "web.1", "run": None})),
        (messages.GetCrash("web.1", 3), ("crash", {"name": "web.1", "run": 3})),
        (messages.GetEnvironment("web.1"), ("environment_of", {"name": "web.1"})),
        (messages.GetInstance("web.1"), ("instance", {"name": "web.1"})),
        (messages.Roll("web"), ("roll", {"target": "web"})),
        (messages.Attach("web.1", 80, 24), ("attach", {"name": "web.1", "columns": 80, "rows": 24})),
        (messages.Leave("web.1"), ("leave", {"name": "web.1"})),
        (messages.Type("web.1", b"c\n"), ("type", {"name": "web.1", "data": b"c\n"})),
        (
            messages.SetTerminalSize("web.1", 80, 24),
            ("set_terminal_size", {"name": "web.1", "columns": 80, "rows": 24}),
        ),
    ]
    answer: Any
    for command, expected in said:
        answer = await wire.perform(recorder, command)
        assert answer == f"what {expected[0]} said"
        assert asked.pop() == expected
    queries: list[tuple[Command, str]] = [
        (messages.LogQuery(before=3), "logs"),
        (messages.FindQuery("x"), "find"),
    ]
    for query, name in queries:
        answer = await wire.perform(recorder, query)
        assert answer == f"what {name} said"
        assert asked.pop() == (name, {"query": query})
    covered = {
        type(command)
        for command in (*(one for one, _ in said), *(query for query, _ in queries), messages.Hello(protocol=1))
    }
    assert covered == set(get_args(Command)), "a command is not tested here"
