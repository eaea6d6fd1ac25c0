"""Graceful ends."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from support import PATIENCE, in_thread, next_event, until, until_reading
from symphony_datafeed import ClosedError, Datafeed
from symphony_datafeed.testing import Emulator, message_sent


def test_workers_finish_what_they_are_at(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    begun: queue.Queue[str] = queue.Queue()
    go_on: queue.Queue[None] = queue.Queue()

    def work() -> None:
        for event in feed:
            begun.put(event.raw)
            go_on.get(timeout=PATIENCE)

    with ThreadPoolExecutor() as pool:
        workers = [pool.submit(work) for _ in range(3)]
        emulator.publish(*(message_sent(str(number)) for number in range(3)))
        for _ in workers:
            begun.get(timeout=PATIENCE)
        draining = in_thread(lambda: feed.drain(PATIENCE))
        # Nothing more is handed out from the moment that it drains.
        until(lambda: is_shut(feed))
        emulator.publish(message_sent("too late"))
        for _ in workers:
            go_on.put(None)
        assert draining() is True
        for worker in workers:
            worker.result(PATIENCE)
    assert begun.empty()
    assert feed.stats()["acknowledged"] == 3
    emulator.wait("acknowledged", 3)


@pytest.mark.parametrize("end", [Datafeed.adrain, Datafeed.aclose])
def test_the_end_needs_no_place_in_a_full_executor(feed: Datafeed, end: Callable[[Datafeed], Awaitable[Any]]) -> None:
    async def main() -> None:
        release = threading.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        full = loop.run_in_executor(None, release.wait, PATIENCE)
        try:
            await asyncio.wait_for(end(feed), PATIENCE / 2)
        finally:
            release.set()
            await full
        assert feed.stats()["state"] == "CLOSED"

    asyncio.run(main())


def is_shut(feed: Datafeed) -> bool:
    try:
        event = feed.next_event(0)
    except ClosedError:
        return True
    if event is not None:
        event.nack()
    return False


def test_what_is_not_settled_in_time_is_told(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    event = next_event(feed)
    assert feed.drain(0.02) is False
    assert feed.stats()["state"] == "CLOSED"
    with pytest.raises(ClosedError):
        event.ack()
    with pytest.raises(ValueError, match="not negative"):
        feed.drain(-1)


def test_a_loop_cannot_drain_what_it_is_at(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    for event in feed:
        with pytest.raises(RuntimeError, match="draining would wait for itself"):
            feed.drain(PATIENCE)
        event.ack()
        assert feed.drain(PATIENCE) is True
    assert feed.stats()["acknowledged"] == 1


def test_closing_ends_a_drain(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    next_event(feed)
    draining = in_thread(feed.drain)
    until(lambda: is_shut(feed))
    feed.close()
    with pytest.raises(ClosedError):
        draining()
