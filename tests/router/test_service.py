"""One address in front of many: who gets whom, and that nobody is left without an answer when instances come and go."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import msgspec
import pytest

from procdeck.core.doors import listen
from procdeck.core.router import service as module
from procdeck.core.router.control import Backend, Balance
from tests.router.world import World, free_port, world


async def test_connections_are_spread_over_all_that_are_ready() -> None:
    async with world() as routed:
        for _ in range(3):
            await routed.server()
        assert Counter([await routed.ask() for _ in range(9)]) == {"web.1": 3, "web.2": 3, "web.3": 3}


async def test_the_one_with_the_fewest_connections_is_next() -> None:
    async with world() as routed:
        one, two = await routed.server(), await routed.server()
        routed.ready(one)
        async with routed.client() as first, routed.client() as second:
            assert [await first.ask(), await second.ask()] == ["web.1", "web.1"]
            routed.ready(one, two)
            async with routed.client() as third, routed.client() as fourth:
                assert [await third.ask(), await fourth.ask()] == ["web.2", "web.2"]


async def test_round_robin_goes_round_whatever_is_open() -> None:
    async with world(Balance.ROUND_ROBIN) as routed:
        one, two = await routed.server(), await routed.server()
        routed.ready(one)
        async with routed.client() as first, routed.client() as second:
            assert [await first.ask(), await second.ask()] == ["web.1", "web.1"]
            routed.ready(one, two)
            assert [await routed.ask() for _ in range(4)] == ["web.2", "web.1", "web.2", "web.1"]


async def test_a_visitor_waits_until_there_is_one() -> None:
    async with world() as routed:
        server = await routed.server(ready=False)
        async with routed.client() as client:
            client.send()
            await routed.until(lambda: routed.report().waiting == {"web": 1})
            routed.ready(server)
            assert await client.answer() == "web.1"
        assert routed.report().waiting == {}


async def test_who_has_waited_long_enough_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.2)
    async with world() as routed, routed.client() as client:
        assert await client.ask() == "HTTP/1.1 503 Service Unavailable"


async def test_where_one_cannot_be_reached_another_answers() -> None:
    async with world() as routed:
        dead, alive = await routed.server(), await routed.server()
        await dead.stop()
        assert {await routed.ask() for _ in range(4)} == {"web.2"}
        failures = {traffic.name: traffic.failures for traffic in routed.report().traffic}
        assert failures["web.1"] >= 1
        assert failures["web.2"] == 0
        assert alive.asked == 4


async def test_one_that_is_drained_gets_nothing_new_and_finishes_what_it_has() -> None:
    async with world() as routed:
        one, two = await routed.server(), await routed.server()
        one.may_answer.clear()
        routed.ready(one)
        async with routed.client() as client:
            client.send()
            await one.was_asked.wait()
            routed.ready(one, two)
            routed.service.drain("web.1")
            assert {await routed.ask() for _ in range(3)} == {"web.2"}
            assert not routed.said, "it is not drained as long as it owes an answer"
            one.may_answer.set()
            assert await client.answer() == "web.1"
            await routed.drained(one)


async def test_an_idle_one_is_drained_at_once() -> None:
    async with world() as routed:
        one = await routed.server()
        routed.service.drain("web.1")
        await routed.drained(one)


async def test_a_visitor_who_keeps_the_connection_gets_the_next_answer_from_another_one() -> None:
    async with world() as routed:
        one = await routed.server()
        async with routed.client() as client:
            assert await client.ask() == "web.1"
            two = await routed.server()
            routed.ready(two)
            routed.service.drain("web.1")
            await routed.drained(one)
            await one.stop()
            assert [await client.ask() for _ in range(3)] == ["web.2"] * 3
        assert sum(traffic.failures for traffic in routed.report().traffic) == 0


async def test_a_visitor_who_keeps_the_connection_waits_for_the_restart_of_the_only_one() -> None:
    async with world() as routed:
        one = await routed.server()
        async with routed.client() as client:
            assert await client.ask() == "web.1"
            routed.ready()
            await one.stop()
            client.send()
            await routed.until(lambda: routed.report().waiting)
            await one.start()
            routed.ready(one)
            assert await client.answer() == "web.1"


async def test_what_is_no_http_any_more_stays_where_it_is() -> None:
    async with world() as routed:
        one = await routed.server()
        async with routed.client() as client:
            client.send("Upgrade: websocket\r\n")
            assert await client.answer() == "HTTP/1.1 101 Switching Protocols"
            two = await routed.server()
            routed.ready(two)
            client.writer.write(b"still there?\n")
            assert await client.reader.readline() == b"web.1 heard still there?\n"
            await one.stop()
            assert await client.reader.read() == b""


async def test_each_side_may_end_what_it_says_before_the_other_one() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    async with world() as routed:
        port = free_port()
        server = await asyncio.start_server(shout, "127.0.0.1", port)
        routed.service.set_ready("web", [Backend("web.1", port)])
        async with server, routed.client() as client:
            client.writer.write(b"no http, ")
            client.writer.write(b"and then the end")
            client.writer.write_eof()
            assert await client.reader.read() == b"NO HTTP, AND THEN THE END"


async def test_much_is_carried_whole_and_without_being_gathered() -> None:
    size = 30_000_000
    got = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        await reader.readline()
        while got < size:
            got += len(await reader.read(1 << 16))
        block = bytes(range(250)) * 400
        for _ in range(size // len(block)):
            writer.write(block)
            await writer.drain()
        writer.close()

    async with world() as routed:
        port = free_port()
        server = await asyncio.start_server(pour, "127.0.0.1", port)
        routed.service.set_ready("web", [Backend("web.1", port)])
        async with server, routed.client() as client:
            client.writer.write(b"here it comes\n")
            for _ in range(size // 100_000):
                client.writer.write(bytes(100_000))
                await client.writer.drain()
            back = await client.reader.readexactly(size)
            assert back == bytes(range(250)) * (size // 250)
            assert await client.reader.read() == b""
        assert got == size


async def test_who_hangs_up_while_waiting_is_forgotten() -> None:
    async with world() as routed:
        async with routed.client() as client:
            client.send()
            await routed.until(lambda: routed.report().waiting)
        await routed.until(lambda: not routed.report().waiting)
        server = await routed.server()
        assert await routed.ask() == "web.1"
        assert server.asked == 1


async def test_the_traffic_is_told_by_instance() -> None:
    async with world() as routed:
        await routed.server()
        async with routed.client() as client:
            for _ in range(5):
                await client.ask()
            whole, traffic = routed.report().traffic
            assert traffic.name == "web.1"
            assert whole == msgspec.structs.replace(traffic, name="web"), "of one instance it is that of the type"
            assert traffic.connections == 1
            assert traffic.opened > 0
            assert traffic.requests > traffic.opened
            assert traffic.received > 0
            assert traffic.sent > 0
            assert traffic.failures == 0
            assert traffic.first_byte_p50 is not None and traffic.first_byte_p95 is not None
            assert 0 < traffic.first_byte_p50 <= traffic.first_byte_p95 < 5
            _, traffic = routed.report().traffic
            assert (traffic.requests, traffic.first_byte_p95) == (0, None), "each second begins anew"
        await routed.until(lambda: routed.report().traffic[0].connections == 0)


async def test_the_traffic_of_a_type_is_that_of_its_instances_together() -> None:
    async with world() as routed:
        await routed.server()
        await routed.server()
        for _ in range(6):
            await routed.ask()
        whole, one, two = routed.report().traffic
        assert (whole.name, one.name, two.name) == ("web", "web.1", "web.2")
        assert whole.requests == pytest.approx(one.requests + two.requests)
        assert whole.first_byte_p95 == max(one.first_byte_p95 or 0, two.first_byte_p95 or 0)


async def test_where_nobody_is_to_be_let_in_any_more_he_is_refused() -> None:
    async with world() as routed:
        server = await routed.server(ready=False)
        async with routed.client() as waiting:
            waiting.send()
            await routed.until(lambda: any(visitor.unanswered for visitor in routed.service._visitors))
            routed.service.unlisten("web")
            assert await waiting.answer() == "HTTP/1.1 503 Service Unavailable"
        with pytest.raises(ConnectionRefusedError):
            await routed.ask()
        assert server.asked == 0


async def test_what_was_asked_is_answered_when_nobody_is_let_in_any_more() -> None:
    async with world() as routed:
        server = await routed.server()
        server.may_answer.clear()
        async with routed.client() as client:
            client.send()
            await server.was_asked.wait()
            routed.service.unlisten("web")
            server.may_answer.set()
            assert await client.answer() == "web.1"
            await server.stop()
            assert await client.reader.read() == b"", "there is nobody else for it"


async def test_a_visitor_who_has_said_nothing_yet_loses_nothing_with_the_instance() -> None:
    async with world() as routed:
        one = await routed.server()
        async with routed.client() as client:
            await routed.until(lambda: one.connections)
            two = await routed.server()
            routed.ready(two)
            await one.stop()
            assert await client.ask() == "web.2"


async def test_another_port_takes_the_place_of_the_first_and_who_is_there_stays() -> None:
    async with world() as routed:
        await routed.server()
        async with routed.client() as client:
            assert await client.ask() == "web.1"
            before, routed.port = routed.port, free_port()
            await routed.service.listen("web", Balance.ROUND_ROBIN, listen(routed.port))
            assert [await client.ask(), await routed.ask()] == ["web.1", "web.1"]
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", before)


async def test_an_answer_that_never_came_is_a_failure() -> None:
    async with world() as routed:
        server = await routed.server()
        server.may_answer.clear()
        async with routed.client() as client:
            client.send()
            await server.was_asked.wait()
            await server.stop()
            assert await client.reader.read() == b""
        assert routed.report().traffic[0].failures == 1


async def test_nobody_is_failed_while_instances_come_and_go() -> None:
    answered = Counter[str]()

    async def visitor(routed: World, keep: bool, stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with routed.client() as client:
                for _ in range(20 if keep else 1):
                    answered[await client.ask()] += 1

    async with world() as routed:

        async def more(count: int) -> None:
            enough = answered.total() + count
            await routed.until(lambda: answered.total() > enough)

        await routed.server()
        stop = asyncio.Event()
        visitors = [asyncio.create_task(visitor(routed, i % 2 == 0, stop)) for i in range(8)]
        for _ in range(3):
            await routed.server()
        for server in routed.servers:
            routed.ready(*(other for other in routed.servers if other is not server))
            routed.service.drain(server.name)
            await routed.drained(server)
            await server.stop()
            await server.start()
            routed.said.clear()
            routed.ready(*routed.servers)
            await more(50)
        stop.set()
        await asyncio.gather(*visitors)
        assert sum(traffic.failures for traffic in routed.report().traffic) == 0
    assert answered.total() > 200
    assert len(answered) == 4


async def test_a_crowd_is_spread_by_who_is_on_the_way_too() -> None:
    async with world() as routed:
        one, two = await routed.server(), await routed.server()
        routed.ready(one)
        async with contextlib.AsyncExitStack() as stack:
            first = [await stack.enter_async_context(routed.client()) for _ in range(2)]
            assert [await client.ask() for client in first] == ["web.1"] * 2
            routed.ready(one, two)
            crowd = await asyncio.gather(*(stack.enter_async_context(routed.client()) for _ in range(6)))
            await routed.until(lambda: one.connections + two.connections == 8)
            assert (one.connections, two.connections) == (4, 4)
            assert len({await client.ask() for client in crowd}) == 2


async def test_where_the_only_one_cannot_be_reached_one_is_told_so_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.3)
    async with world() as routed:
        dead = await routed.server()
        await dead.stop()
        async with routed.client() as client:
            assert await client.ask() == "HTTP/1.1 503 Service Unavailable"
        assert routed.report().waiting == {}


async def test_one_is_not_drained_while_an_answer_is_on_its_way() -> None:
    async with world() as routed:
        one = await routed.server()
        async with routed.client() as client:
            assert await client.ask() == "web.1"
            routed.service.drain("web.1")
            assert not routed.said, "more of the answer may come"
            await routed.drained(one)


async def test_who_has_got_one_waits_no_more_also_when_that_one_goes() -> None:
    async with world() as routed:
        server = await routed.server(ready=False)
        async with routed.client() as client:
            client.send()
            await routed.until(lambda: routed.report().waiting == {"web": 1})
            routed.ready(server)
            assert await client.answer() == "web.1"
            routed.ready()
            await server.stop()
            await routed.until(lambda: not any(visitor.name for visitor in routed.service._visitors))
            assert routed.report().waiting == {}, "it has asked nothing since"
