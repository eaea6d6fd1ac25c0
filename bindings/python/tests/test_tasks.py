"""Waiting in asyncio: who gets what, and how waits end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from support import PATIENCE, Open, in_thread, until, until_reading, when_reading
from symphony_datafeed import ClosedError, Datafeed, DatafeedError, Event, FeedFailedError
from symphony_datafeed.testing import Emulator, message_sent

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(main, PATIENCE))


async def next_event(feed: Datafeed) -> Event:
    event = await feed.anext_event(PATIENCE)
    assert event is not None
    return event


def begin(feed: Datafeed, count: int = 1) -> list[asyncio.Task[Event | None]]:
    return [asyncio.ensure_future(feed.anext_event()) for _ in range(count)]


async def until_watched(feed: Datafeed) -> None:
    """Let the tasks come to their waits."""
    loop = asyncio.get_running_loop()
    while not watches(loop, feed):
        await asyncio.sleep(0)


def watches(loop: asyncio.AbstractEventLoop, feed: Datafeed) -> bool:
    selector = loop._selector  # type: ignore[attr-defined]
    return feed.fileno() in selector.get_map()


async def in_executor(call: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)


def test_waits_without_a_thread(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> None:
        (waiting,) = begin(feed)
        await until_watched(feed)
        before = threading.active_count()
        assert not waiting.done()
        assert threading.active_count() == before
        loop = asyncio.get_running_loop()
        await in_executor(emulator.publish, message_sent("a", id="1"))
        event = await waiting
        assert event is not None and event.id == "1"
        event.ack()
        # The loop watches nothing when nobody waits.
        assert not watches(loop, feed)

    run(main())
    emulator.wait("acknowledged", 1)


def test_a_timeout_is_no_event(feed: Datafeed) -> None:
    async def main() -> None:
        started = time.monotonic()
        for timeout in (0, 0.05):
            assert await feed.anext_event(timeout) is None
        assert time.monotonic() - started >= 0.05
        assert not watches(asyncio.get_running_loop(), feed)
        with pytest.raises(ValueError, match="not negative"):
            await feed.anext_event(-1)

    run(main())


def test_each_event_goes_to_one_task(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> list[str]:
        tasks = begin(feed, 20)
        await until_watched(feed)
        await in_executor(emulator.chat, 20)
        events = await asyncio.gather(*tasks)
        for event in events:
            assert event is not None
            event.ack()
        return [event.raw for event in events if event is not None]

    assert len(set(run(main()))) == 20
    emulator.wait("acknowledged", 20)


def test_several_loops_and_threads_share_a_feed(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    seen: list[str] = []

    async def consume() -> None:
        async for event in feed:
            seen.append(event.raw)
            await asyncio.sleep(0)

    async def consume_in_tasks() -> None:
        await asyncio.gather(*(consume() for _ in range(4)))

    def consume_in_thread() -> None:
        for event in feed:
            seen.append(event.raw)

    consumers = [in_thread(lambda: asyncio.run(consume_in_tasks())) for _ in range(3)]
    consumers += [in_thread(consume_in_thread) for _ in range(2)]
    emulator.chat(1000)
    emulator.wait("acknowledged", 1000)
    assert feed.drain(PATIENCE)
    for finished in consumers:
        finished()
    assert (len(seen), len(set(seen))) == (1000, 1000)


def test_a_cancelled_task_takes_no_event(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> None:
        for _ in range(20):
            first, second = begin(feed, 2)
            await until_watched(feed)
            await in_executor(emulator.publish, message_sent("a"))
            while not feed.stats()["queued"] and not (first.done() or second.done()):
                await asyncio.sleep(0)
            # Woken for the event, perhaps, but not run yet.
            first.cancel()
            outcome = (await asyncio.gather(first, return_exceptions=True))[0]
            if isinstance(outcome, Event):
                outcome.ack()
                second.cancel()
                await asyncio.gather(second, return_exceptions=True)
            else:
                assert isinstance(outcome, asyncio.CancelledError)
                event = await second
                assert event is not None and event.attempt == 1
                event.ack()

    run(main())
    assert (feed.stats()["held"], feed.stats()["acknowledged"]) == (0, 20)


def test_a_loop_may_end_while_a_task_waits(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def leave_waiting() -> None:
        begin(feed, 3)
        await until_watched(feed)

    for _ in range(3):
        # Closed with the tasks cancelled, and closed with the tasks left as they are.
        asyncio.run(leave_waiting())
        loop = asyncio.new_event_loop()
        # Python tells it of tasks that were left so.
        loop.set_exception_handler(lambda *_: None)
        waiting = loop.create_task(leave_waiting())
        loop.run_until_complete(waiting)
        assert watches(loop, feed)
        loop.close()
    feed.interrupt()
    emulator.publish(message_sent("a"))

    async def receive() -> int:
        # The interruption found nobody waiting.
        assert await feed.anext_event() is None
        return (await next_event(feed)).attempt

    assert run(receive()) == 1


def test_interrupt_ends_every_wait(feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> None:
        for interrupt in (feed.interrupt, None):
            tasks = begin(feed, 5)
            await until_watched(feed)
            await in_executor(feed.interrupt) if interrupt is None else interrupt()
            assert await asyncio.gather(*tasks) == [None] * 5
        # It is over with that.
        assert await feed.anext_event(0.05) is None

    started = time.monotonic()
    run(main())
    assert time.monotonic() - started >= 0.05


def test_closing_ends_every_wait(feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> list[Any]:
        tasks = begin(feed, 3)
        await until_watched(feed)
        await in_executor(feed.close)
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(outcome) for outcome in run(main())] == [ClosedError] * 3


def test_a_failure_ends_every_wait(emulator: Emulator, open_feed: Open) -> None:
    emulator.reject_logins()
    feed = open_feed()

    async def main() -> list[Any]:
        return await asyncio.gather(*begin(feed, 3), return_exceptions=True)

    for outcome in run(main()):
        assert isinstance(outcome, FeedFailedError)
        assert outcome.code == "AUTH_REJECTED"


def test_a_second_wait_with_implicit_acknowledgement_acknowledges_too(emulator: Emulator, open_feed: Open) -> None:
    feed = open_feed(ack="implicit")
    until_reading(feed)
    emulator.publish(message_sent("a"), message_sent("b"))

    async def main() -> None:
        await next_event(feed)
        await next_event(feed)
        assert feed.stats()["acknowledged"] == 1

    run(main())


def test_draining_in_asyncio(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"), message_sent("b"))

    async def main() -> None:
        begun: asyncio.Queue[Event] = asyncio.Queue()
        go_on = asyncio.Event()

        async def work() -> None:
            async for event in feed:
                begun.put_nowait(event)
                await go_on.wait()

        workers = [asyncio.ensure_future(work()) for _ in range(3)]
        for _ in range(2):
            await begun.get()
        draining = asyncio.ensure_future(feed.adrain(PATIENCE))
        # The one that waits ends at once, the others when they are done.
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        assert not draining.done()
        go_on.set()
        assert await draining is True
        await asyncio.gather(*workers)
        with pytest.raises(ClosedError):
            await feed.adrain()

    run(main())
    emulator.wait("acknowledged", 2)


def test_a_task_cannot_drain_what_it_is_at(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))

    async def main() -> None:
        async for event in feed:
            with pytest.raises(RuntimeError, match="draining would wait for itself"):
                await feed.adrain(PATIENCE)
            event.ack()
            assert await feed.adrain(PATIENCE) is True

    run(main())


def test_the_descriptor_serves_other_frameworks(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def main() -> str | None:
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(feed.fileno(), readable.set)
        await in_executor(emulator.publish, message_sent("a", id="1"))
        try:
            while True:
                await readable.wait()
                event = feed.next_event(0)
                if event is not None:
                    event.ack()
                    return event.id
                readable.clear()
        finally:
            loop.remove_reader(feed.fileno())

    assert run(main()) == "1"


def test_a_forked_or_closed_feed_is_an_error(feed: Datafeed) -> None:
    closing = when_reading(feed, feed.close)

    async def main() -> None:
        with pytest.raises(DatafeedError):
            await feed.anext_event()

    run(main())
    closing()
    until(lambda: feed.stats()["state"] == "CLOSED")
    run(main())
