"""Events on their way to a viewer: none that matters is lost, and none piles up."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.mailbox import GREW_INTERVAL, Mailbox, Outbox
from procdeck.core.messages import (
    Bye,
    Event,
    InstanceChanged,
    InstanceRemoved,
    InstanceView,
    LogsGrew,
    Notice,
    Routed,
    Sample,
    Sampled,
    Stopping,
    Strays,
    TypeChanged,
    TypeView,
)
from procdeck.core.state import State


def changed(name: str, state: State = State.RUNNING, run: int = 1) -> InstanceChanged:
    type_, number = name.split(".")
    return InstanceChanged(InstanceView(name=name, type=type_, number=int(number), state=state, port=5000, run=run))


def type_changed(name: str, wanted: int) -> TypeChanged:
    return TypeChanged(TypeView(name=name, command="a", index=0, wanted=wanted))


def sampled(cpu: float) -> Sampled:
    return Sampled([Sample("web.1", cpu=cpu, memory=1, processes=1, threads=1)])


async def read(mailbox: Mailbox) -> list[Event]:
    """All that waits, to the end."""
    mailbox.close()
    return [event async for event in mailbox.events()]


async def after(*events: Event) -> list[Event]:
    mailbox = Mailbox()
    for event in events:
        mailbox.put(event)
    return await read(mailbox)


# One mailbox --------------------------------------------------------------------------------------------------------


async def test_events_come_out_in_order() -> None:
    events: list[Event] = [
        changed("web.1"),
        Notice("a"),
        type_changed("web", 2),
        sampled(1.0),
        Stopping(),
        Strays(1),
        Bye("down"),
    ]
    assert await after(*events) == events


async def test_of_one_instance_only_the_latest_state_waits() -> None:
    last = changed("web.1", State.CRASHED)
    assert await after(changed("web.1", State.STARTING), changed("web.2"), changed("web.1"), last) == [
        changed("web.2"),
        last,
    ]


async def test_a_removal_takes_the_place_of_what_led_to_it_and_comes_after_it() -> None:
    events = await after(changed("web.2", State.STOPPING), type_changed("web", 1), InstanceRemoved("web.2"))
    assert events == [type_changed("web", 1), InstanceRemoved("web.2")]


async def test_an_instance_that_came_back_is_not_removed_afterwards() -> None:
    assert await after(InstanceRemoved("web.2"), changed("web.2", run=2)) == [changed("web.2", run=2)]


async def test_of_samples_and_wanted_counts_only_the_latest_waits() -> None:
    assert await after(sampled(1.0), type_changed("web", 1), sampled(2.0), type_changed("web", 2)) == [
        sampled(2.0),
        type_changed("web", 2),
    ]


async def test_growing_logs_are_summed_up() -> None:
    events = await after(LogsGrew({"web.1": 3, "web.2": 1}), LogsGrew({"web.1": 7}), LogsGrew({"worker.1": 1}))
    assert events == [LogsGrew({"web.1": 7, "web.2": 1, "worker.1": 1})]


async def test_notices_are_not_replaced_by_one_another() -> None:
    notices: list[Event] = [Notice(f"notice {i}") for i in range(50)]
    assert await after(*notices) == notices


async def test_a_flood_of_notices_leaves_the_latest_in_order() -> None:
    notices: list[Event] = [Notice(f"notice {i}") for i in range(1000)]
    kept = await after(*notices)
    assert 50 <= len(kept) <= 200
    assert kept == notices[-len(kept) :]


async def test_nothing_comes_after_bye() -> None:
    mailbox = Mailbox()
    for event in (changed("web.1"), Bye("down"), Notice("too late")):
        mailbox.put(event)
    assert [event async for event in mailbox.events()] == [changed("web.1"), Bye("down")]


async def test_a_closed_mailbox_is_read_to_its_end() -> None:
    assert await after(changed("web.1")) == [changed("web.1")]
    assert await after() == []


async def test_a_reader_waits_for_what_comes() -> None:
    mailbox = Mailbox()
    got: list[Event] = []

    async def read() -> None:
        async for event in mailbox.events():
            got.append(event)

    reader = asyncio.create_task(read())
    for i in range(3):
        await asyncio.sleep(0)
        mailbox.put(Notice(str(i)))
        await asyncio.sleep(0.001)
        assert len(got) == i + 1
    mailbox.close()
    await asyncio.wait_for(reader, 1)


some_events = st.one_of(
    st.builds(changed, st.sampled_from(["web.1", "web.2"]), st.sampled_from(State), st.integers(1, 9)),
    st.sampled_from(["web.1", "web.2"]).map(InstanceRemoved),
    st.builds(type_changed, st.sampled_from(["web", "worker"]), st.integers(0, 9)),
    st.floats(0, 9).map(sampled),
    st.dictionaries(st.sampled_from(["web.1", "web.2"]), st.integers(0, 99), min_size=1).map(LogsGrew),
)


def seen_by_a_viewer(events: list[Event]) -> dict[str, object]:
    """What a viewer knows after some events."""
    known: dict[str, object] = {}
    for event in events:
        match event:
            case InstanceChanged(instance=instance):
                known[instance.name] = instance
            case InstanceRemoved(name=name):
                known[name] = None
            case TypeChanged(type=type_):
                known[type_.name] = type_
            case Sampled(samples=samples):
                known["samples"] = samples
            case LogsGrew(ends=ends):
                known |= {f"log of {name}": end for name, end in ends.items()}
            case _:
                raise AssertionError(event)
    return known


@given(st.lists(some_events, max_size=40))
def test_a_slow_viewer_ends_up_knowing_the_same(events: list[Event]) -> None:
    kept = asyncio.run(after(*events))
    assert seen_by_a_viewer(kept) == seen_by_a_viewer(events)
    assert len(kept) <= 6, "what waits is bounded by the size of the formation"


# Many mailboxes -----------------------------------------------------------------------------------------------------


async def test_everybody_is_told_everything() -> None:
    outbox = Outbox()
    viewers = [outbox.subscribe() for _ in range(3)]
    outbox.tell(Notice("a"))
    for viewer in viewers:
        assert await read(viewer) == [Notice("a")]


async def test_who_has_left_is_told_no_more_and_comes_to_an_end() -> None:
    outbox = Outbox()
    left, stays = outbox.subscribe(), outbox.subscribe()
    outbox.tell(Notice("a"))
    outbox.unsubscribe(left)
    outbox.unsubscribe(left)
    outbox.tell(Notice("b"))
    assert [event async for event in left.events()] == [Notice("a")]
    assert await read(stays) == [Notice("a"), Notice("b")]


async def test_a_flood_of_lines_is_few_messages() -> None:
    outbox = Outbox()
    viewer = outbox.subscribe()
    got: list[Event] = []

    async def read() -> None:
        async for event in viewer.events():
            got.append(event)

    reader = asyncio.create_task(read())
    began = time.monotonic()
    end = 0
    while time.monotonic() - began < 0.25:
        end += 1
        outbox.grew("web.1", end)
        await asyncio.sleep(0)
    took = time.monotonic() - began
    outbox.flush()
    viewer.close()
    await reader
    assert 1 <= len(got) <= took / GREW_INTERVAL + 2
    assert got[-1] == LogsGrew({"web.1": end})


async def test_growth_is_told_without_being_asked_for() -> None:
    outbox = Outbox()
    viewer = outbox.subscribe()
    outbox.grew("web.1", 1)
    outbox.grew("web.2", 5)
    outbox.grew("web.1", 2)
    event = await asyncio.wait_for(anext(viewer.events()), 2)
    assert event == LogsGrew({"web.1": 2, "web.2": 5})


async def test_flushing_twice_tells_once() -> None:
    outbox = Outbox()
    viewer = outbox.subscribe()
    outbox.grew("web.1", 1)
    outbox.flush()
    outbox.flush()
    await asyncio.sleep(2 * GREW_INTERVAL)
    assert await read(viewer) == [LogsGrew({"web.1": 1})]


async def test_growth_that_nobody_watched_does_not_stop_later_messages() -> None:
    outbox = Outbox()
    outbox.grew("web.1", 1)
    viewer = outbox.subscribe()
    outbox.grew("web.1", 2)
    event = await asyncio.wait_for(anext(viewer.events()), 2)
    assert event == LogsGrew({"web.1": 2})


@pytest.mark.parametrize("count", [2, 5])
async def test_growth_told_to_one_viewer_is_not_changed_by_anothers(count: int) -> None:
    outbox = Outbox()
    viewers = [outbox.subscribe() for _ in range(count)]
    for end in (1, 2, 3):
        outbox.grew("web.1", end)
        outbox.flush()
    for viewer in viewers:
        assert await read(viewer) == [LogsGrew({"web.1": 3})]


async def test_of_the_routers_news_the_latest_waits() -> None:
    old, new = Routed([], {"web": 1}), Routed([], {"web": 2})
    assert await after(old, sampled(1.0), new) == [new, sampled(1.0)]
