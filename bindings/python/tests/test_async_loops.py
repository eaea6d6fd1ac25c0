"""The `async for` loop, and what it does for its bot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support import PATIENCE, until, until_reading
from symphony_datafeed import Datafeed, FeedFailedError
from symphony_datafeed.testing import Emulator, message_sent
from test_tasks import next_event, run


def publish(emulator: Emulator, feed: Datafeed, count: int) -> None:
    until_reading(feed)
    emulator.publish(*(message_sent("a", id=str(number)) for number in range(count)))


def test_the_loop_acknowledges_when_it_asks_for_the_next(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 3)

    async def main() -> list[Any]:
        seen: list[Any] = []
        async for event in feed:
            assert feed.stats()["acknowledged"] == len(seen)
            seen.append(event.id)
            if len(seen) == 3:
                break
        assert feed.stats()["held"] == 1
        return seen

    assert run(main()) == ["0", "1", "2"]
    # Its task has ended at the last one.
    assert (feed.stats()["held"], feed.stats()["nacked"]) == (0, 1)


def test_the_loop_leaves_alone_what_the_bot_settled(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 2)

    async def main() -> list[Any]:
        seen = []
        async for event in feed:
            seen.append((event.id, event.attempt))
            if event.attempt == 2:
                break
            event.nack() if event.id == "0" else event.ack()
        return seen

    assert run(main()) == [("0", 1), ("1", 1), ("0", 2)]


def test_leaving_the_block_acknowledges_the_last_event(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def main() -> None:
        async with feed:
            async for event in feed:
                assert event.attempt == 1
                break
        assert (feed.stats()["acknowledged"], feed.stats()["state"]) == (1, "CLOSED")

    run(main())
    emulator.wait("acknowledged", 1)


def test_leaving_the_block_by_an_exception_refuses_it(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with feed:
                async for _ in feed:
                    raise ZeroDivisionError

    run(main())
    assert (feed.stats()["acknowledged"], feed.stats()["nacked"]) == (0, 1)


def test_a_cancellation_within_the_block_refuses_it(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def bot(at_it: asyncio.Event) -> None:
        async with feed:
            async for _ in feed:
                at_it.set()
                await asyncio.Event().wait()

    async def main() -> None:
        at_it = asyncio.Event()
        task = asyncio.ensure_future(bot(at_it))
        await at_it.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (feed.stats()["nacked"], feed.stats()["state"]) == (1, "CLOSED")

    run(main())


def test_a_cancellation_while_it_waits_ends_the_block(feed: Datafeed) -> None:
    until_reading(feed)

    async def bot() -> None:
        async with feed:
            async for _ in feed:
                pass

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bot(), 0.05)
        assert feed.stats()["state"] == "CLOSED"

    run(main())


def test_a_plain_block_settles_the_event_of_an_async_loop_too(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def main() -> None:
        with feed:
            async for _ in feed:
                break

    run(main())
    assert feed.stats()["acknowledged"] == 1


def test_a_task_that_dies_refuses_what_it_was_at(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def worker() -> None:
        async for _ in feed:
            raise ZeroDivisionError

    async def main() -> None:
        # Kept, so that it is the task's end that counts, and not that it is forgotten.
        task = asyncio.ensure_future(worker())
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, ZeroDivisionError)
        event = await next_event(feed)
        assert event.attempt == 2
        event.ack()
        del task

    run(main())


def test_tasks_do_not_settle_the_events_of_each_other(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 6)

    async def main() -> None:
        started: asyncio.Queue[Any] = asyncio.Queue()
        go_on = asyncio.Event()

        async def worker() -> None:
            async for event in feed:
                started.put_nowait(event.id)
                await go_on.wait()

        workers = [asyncio.ensure_future(worker()) for _ in range(3)]
        for _ in workers:
            await started.get()
        # A loop of another task begins, and ends, beside them.
        async for event in feed:
            event.ack()
            break
        assert feed.stats()["held"] == 3
        go_on.set()
        assert await feed.adrain(PATIENCE)
        await asyncio.gather(*workers)

    run(main())
    assert feed.stats()["nacked"] == 0


def test_steps_may_be_made_by_other_tasks(emulator: Emulator, feed: Datafeed) -> None:
    """As `asyncio.wait_for` does: an event is not settled when a task ends that only fetched it."""
    publish(emulator, feed, 2)

    async def main() -> None:
        events = feed.__aiter__()
        for count in range(2):
            event = await asyncio.ensure_future(events.__anext__())
            await asyncio.sleep(0)
            assert (feed.stats()["held"], feed.stats()["acknowledged"]) == (1, count)
        assert events.__aiter__() is events
        event.ack()

    run(main())
    assert feed.stats()["nacked"] == 0


def test_a_new_loop_refuses_what_the_one_before_left(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 1)

    async def main() -> list[int]:
        attempts = []
        for _ in range(2):
            async for event in feed:
                attempts.append(event.attempt)
                break
        return attempts

    assert run(main()) == [1, 2]


def test_an_iterator_serves_each_task_with_a_loop_of_its_own(emulator: Emulator, feed: Datafeed) -> None:
    publish(emulator, feed, 2)

    async def main() -> None:
        events = feed.__aiter__()
        begun: asyncio.Queue[Any] = asyncio.Queue()
        go_on = asyncio.Event()

        async def worker() -> None:
            async for event in events:
                begun.put_nowait(event.id)
                await go_on.wait()

        workers = [asyncio.ensure_future(worker()) for _ in range(2)]
        assert {await begun.get(), await begun.get()} == {"0", "1"}
        assert feed.stats()["held"] == 2
        go_on.set()
        assert await feed.adrain(PATIENCE)
        await asyncio.gather(*workers)

    run(main())
    assert (feed.stats()["acknowledged"], feed.stats()["nacked"]) == (2, 0)


def test_the_loop_ends_when_the_feed_ends(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)

    async def consume(until_then: Any) -> None:
        ending = asyncio.get_running_loop().run_in_executor(None, until_then)
        async for _ in feed:
            pytest.fail("there is no event")
        await ending

    for end in (feed.interrupt, feed.drain, feed.close):
        run(consume(end))
    until(lambda: feed.stats()["state"] == "CLOSED")


def test_the_loop_raises_why_the_feed_failed(emulator: Emulator) -> None:
    emulator.reject_logins()

    async def main() -> None:
        async with Datafeed(emulator.config) as feed:
            with pytest.raises(FeedFailedError, match="AUTH_REJECTED"):
                async for _ in feed:
                    pytest.fail("there is no event")

    run(main())
