"""Taking events one by one."""

from __future__ import annotations

import json
from functools import partial

import pytest

from support import Open, in_thread, next_event, until_reading
from symphony_datafeed import Datafeed, InvalidDeliveryError
from symphony_datafeed.testing import Emulator, message_sent


def test_receives_and_acknowledges_in_order(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    sent = [message_sent(str(number)) for number in range(5)]
    emulator.publish(*sent)
    deliveries = []
    for expected in sent:
        event = next_event(feed)
        assert (event.id, event.type, event.attempt) == (expected["id"], "MESSAGESENT", 1)
        assert event.data == expected
        deliveries.append(event.delivery)
        event.ack()
    assert deliveries == sorted(deliveries)
    assert emulator.wait("acknowledged", 5)["redelivered"] == 0


def test_nack_brings_it_back_with_the_next_attempt(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"), message_sent("b"))
    first = next_event(feed)
    first.nack()
    second = next_event(feed)
    assert second.attempt == 1
    again = next_event(feed)
    assert (again.raw, again.attempt) == (first.raw, 2)
    assert again.delivery > first.delivery
    again.ack()
    second.ack()
    emulator.wait("acknowledged", 2)
    for event in (first, again):
        with pytest.raises(InvalidDeliveryError, match=f"delivery {event.delivery} is not held"):
            event.ack()


def test_a_timeout_is_no_event(feed: Datafeed) -> None:
    for timeout in (0, 0.02):
        assert feed.next_event(timeout) is None
        assert in_thread(partial(feed.next_event, timeout))() is None
    with pytest.raises(ValueError, match="not negative"):
        feed.next_event(-1)


def test_events_keep_coming_while_one_is_held(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    held = next_event(feed)
    waiting = in_thread(lambda: emulator.wait("routed", 2))
    assert feed.next_event(0.02) is None
    emulator.publish(message_sent("b"))
    waiting()
    next_event(feed).ack()
    held.ack()
    emulator.wait("acknowledged", 2)


def test_unicode_and_64_bit_ids_are_unchanged(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    sent = message_sent('Grüße, 世界 🚀 \u2028 "quoted" \\ \u0000')
    sent["initiator"]["user"]["userId"] = 2**63 - 1
    emulator.publish(sent)
    event = next_event(feed)
    assert event.data == sent
    assert "9223372036854775807" in event.raw
    event.ack()
    assert json.loads(event.raw) == sent


def test_implicit_acknowledgement_is_possible(emulator: Emulator, open_feed: Open) -> None:
    feed = open_feed(ack="implicit")
    until_reading(feed)
    emulator.publish(*(message_sent(str(number)) for number in range(3)))
    events = [next_event(feed) for _ in range(3)]
    assert feed.stats()["acknowledged"] == 2
    with pytest.raises(InvalidDeliveryError):
        events[0].ack()
    events[2].ack()
    emulator.wait("acknowledged", 3)


def test_nothing_is_kept_for_the_bot_after_close(emulator: Emulator, feed: Datafeed) -> None:
    """Python has its own copy, so an event that nobody settles costs the library nothing."""
    until_reading(feed)
    emulator.publish(message_sent("a"))
    event = next_event(feed)
    assert feed.stats()["held"] == 1
    feed.close()
    assert feed.stats()["held"] == 0
    assert json.loads(event.raw)["id"] == event.id


def test_an_event_that_python_cannot_keep_comes_again(
    emulator: Emulator, feed: Datafeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_reading(feed)
    emulator.publish(message_sent("a"))
    emulator.wait("handedOut", 1)

    def no_memory(*_: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr("ctypes.string_at", no_memory)
        next_event(feed)
    event = next_event(feed)
    assert event.attempt == 2
    event.ack()
