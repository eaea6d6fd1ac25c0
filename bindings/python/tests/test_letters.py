"""Events that are set aside, and what is taken but could not be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from support import Open, Script, next_event, until_reading
from symphony_datafeed import ClosedError, UnknownLetterError
from symphony_datafeed.testing import Emulator, message_sent


def test_every_letter_is_listed_and_can_be_taken_out_on_the_way(
    emulator: Emulator, open_feed: Open, tmp_path: Path
) -> None:
    feed = open_feed(stateDir=str(tmp_path), maxAttempts=1)
    until_reading(feed)
    assert list(feed.dead_letters()) == []
    # More than the library lists at once.
    events = [message_sent(str(number)) for number in range(220)]
    emulator.publish(*events)
    for _ in events:
        assert next_event(feed).nack()
    now = datetime.now(timezone.utc)
    letters = list(feed.dead_letters())
    assert [letter.data for letter in letters] == events
    assert all(letter.attempts == 1 and abs(letter.at - now) < timedelta(hours=1) for letter in letters)
    for letter in feed.dead_letters():
        assert feed.discard(letter.id) if letter.id % 2 else feed.resubmit(letter.id)
    assert [next_event(feed).data for _ in range(110)] == events[1::2]
    for call in (feed.resubmit, feed.discard):
        with pytest.raises(UnknownLetterError) as caught:
            call(letters[0].id)
        assert caught.value.code == "UNKNOWN_LETTER"
    feed.close()
    with pytest.raises(ClosedError):
        list(feed.dead_letters())


def test_without_a_state_there_are_none(open_feed: Open) -> None:
    feed = open_feed()
    assert list(feed.dead_letters()) == []
    with pytest.raises(UnknownLetterError):
        feed.discard(1)


BOT = """
import json, resource, sys
from symphony_datafeed import Datafeed, DatafeedError

with Datafeed(json.loads(sys.argv[1])) as feed:
    first, second = feed.next_event(), feed.next_event()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file of this process grows any more, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    print(first.ack(), second.nack())
    # It comes again, and the loop acknowledges it by going on.
    for event in feed:
        print(event.attempt, feed.error().code)
        feed.interrupt()
    print(feed.stats()["acknowledged"], flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    sys.stdin.readline()
"""


def test_what_is_not_stored_is_no_error(emulator: Emulator, run: Callable[..., Script], tmp_path: Path) -> None:
    bot = run(BOT, {**emulator.config, "nackDelay": 10, "stateDir": str(tmp_path)})
    emulator.wait_for_feed()
    emulator.publish(message_sent("first"), message_sent("second"))
    assert [bot.line() for _ in range(3)] == ["False True", "2 STATE_UNAVAILABLE", "2"]
    # The disk has room again, and the service is told at last.
    emulator.wait("acknowledged", 2)
    bot.say()
    assert bot.end() == ("", "", 0)
