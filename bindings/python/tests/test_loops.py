"""The `for` loop, and what it does for its bot."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from support import in_thread, next_event, until, until_reading, when_reading
from symphony_datafeed import Datafeed
from symphony_datafeed.testing import Emulator, message_sent


def test_the_loop_acknowledges_when_it_asks_for_the_next(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(*(message_sent("a", id=str(number)) for number in range(3)))
    seen: list[Any] = []
    for event in feed:
        assert feed.stats()["acknowledged"] == len(seen)
        seen.append(event.id)
        if len(seen) == 3:
            break
    assert seen == ["0", "1", "2"]
    assert feed.stats()["held"] == 1


def test_a_second_loop_in_a_thread_refuses_what_the_first_is_at(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(*(message_sent("a", id=str(number)) for number in range(2)))
    first, second = iter(feed), iter(feed)
    assert next(first).id == "0"
    assert next(second).id == "1"
    assert feed.stats()["nacked"] == 1
    # Going on with the first loop does not acknowledge what the second is at.
    again = next(first)
    assert (again.id, again.attempt) == ("0", 2)
    assert feed.stats()["acknowledged"] == 0


def test_the_loop_leaves_alone_what_the_bot_settled(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a", id="1"), message_sent("b", id="2"))
    seen = []
    for event in feed:
        seen.append((event.id, event.attempt))
        if event.attempt == 1:
            event.nack() if event.id == "1" else event.ack()
        else:
            break
    assert seen == [("1", 1), ("2", 1), ("1", 2)]


def test_a_new_loop_refuses_what_the_one_before_left(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    attempts = []
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            for event in feed:
                attempts.append(event.attempt)
                raise ZeroDivisionError
    assert attempts == [1, 2]


def test_leaving_the_block_acknowledges_the_last_event(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    with feed:
        for event in feed:
            assert event.attempt == 1
            break
    assert (feed.stats()["acknowledged"], feed.stats()["state"]) == (1, "CLOSED")
    emulator.wait("acknowledged", 1)


def test_leaving_the_block_by_an_exception_refuses_it(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    with pytest.raises(ZeroDivisionError), feed:
        for _ in feed:
            raise ZeroDivisionError
    assert (feed.stats()["acknowledged"], feed.stats()["nacked"]) == (0, 1)
    assert emulator.books()["acknowledged"] == 0


def test_the_loop_ends_when_the_feed_is_closed(feed: Datafeed) -> None:
    closing = when_reading(feed, feed.close)
    assert list(feed) == []
    closing()
    assert list(feed) == []


def test_many_threads_share_a_feed(open_many: Datafeed, emulator: Emulator) -> None:
    feed = open_many
    until_reading(feed)
    seen: list[str] = []

    def consume() -> None:
        for event in feed:
            seen.append(event.raw)

    threads = [in_thread(consume) for _ in range(8)]
    emulator.chat(500)
    emulator.wait("acknowledged", 500)
    assert feed.drain(0)
    for finished in threads:
        finished()
    assert (len(seen), len(set(seen))) == (500, 500)


@pytest.fixture
def open_many(emulator: Emulator, feed: Datafeed) -> Datafeed:
    """A feed whose batches are small, so that threads meet at their borders."""
    emulator.set(batchMax=7)
    return feed


def test_a_thread_that_dies_refuses_what_it_was_at(
    emulator: Emulator, feed: Datafeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    until_reading(feed)
    emulator.publish(message_sent("a"))

    def consume() -> None:
        for _ in feed:
            raise ZeroDivisionError

    worker = threading.Thread(target=consume)
    worker.start()
    worker.join()
    event = next_event(feed)
    assert event.attempt == 2
    event.ack()
    until(lambda: feed.stats()["held"] == 0)
