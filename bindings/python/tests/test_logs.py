"""The library's log in Python's `logging`."""

from __future__ import annotations

import logging
import threading

import pytest

from support import Open, until, until_reading
from symphony_datafeed import Datafeed
from symphony_datafeed.testing import Emulator

LOGGER = logging.getLogger("symphony_datafeed")


def test_lines_arrive_with_level_time_and_details(
    emulator: Emulator, open_feed: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    emulator.fault("list", {"status": {"status": 503}})
    feed = open_feed(oddSetting=1)
    until_reading(feed)
    feed.close()
    until(lambda: "the feed is closed" in caplog.messages)
    # Another test's feed may have something to say still.
    records = [record for record in caplog.records if record.name == "symphony_datafeed"]
    (odd,) = [record for record in records if "oddSetting" in record.getMessage()]
    assert (odd.levelno, odd.levelname) == (logging.WARNING, "WARNING")
    (trouble,) = [record for record in records if details(record).get("code")]
    assert trouble.levelno == logging.WARNING
    assert details(trouble)["httpStatus"] == 503
    assert details(trouble)["traceId"]
    (login,) = [record for record in records if record.getMessage() == "logged in"]
    assert login.levelno == logging.INFO
    assert not {"level", "message", "timestamp"} & set(details(login))
    # They have the time of the line.
    assert records == sorted(records, key=lambda record: record.created)
    assert all(0 <= record.msecs < 1000 for record in records)


def details(record: logging.LogRecord) -> dict[str, object]:
    attribute: dict[str, object] = record.__dict__["datafeed"]
    return attribute


def test_a_line_keeps_the_time_when_it_happened(open_feed: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    go_on = threading.Event()

    class Slow(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            go_on.wait()
            return True

    slow = Slow()
    LOGGER.addFilter(slow)
    try:
        feed = open_feed()
        until_reading(feed)
        read_at = feed.stats()["lastReadAt"] or 0
        until(lambda: (feed.stats()["lastReadAt"] or 0) > read_at)
        later = feed.stats()["lastReadAt"] / 1000
        go_on.set()
        until(lambda: "created a feed" in caplog.messages)
    finally:
        go_on.set()
        LOGGER.removeFilter(slow)
    # The first line was a record already when it was held up; the second was made only afterwards.
    (created,) = [record for record in caplog.records if record.getMessage() == "created a feed"]
    assert created.created < later


def test_what_the_level_leaves_out_is_not_made(feed: Datafeed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    until_reading(feed)
    feed.close()
    until(lambda: all(thread.name != "datafeed-log" for thread in threading.enumerate()))
    assert "logged in" not in caplog.messages
    caplog.clear()


def test_a_handler_that_raises_does_not_end_the_log(
    open_feed: Open, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)

    class Raise(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.getMessage() == "logged in":
                raise ZeroDivisionError("in a filter")
            return True

    raising = Raise()
    LOGGER.addFilter(raising)
    try:
        feed = open_feed()
        until_reading(feed)
        feed.close()
        until(lambda: "the feed is closed" in caplog.messages)
    finally:
        LOGGER.removeFilter(raising)
    assert "in a filter" in capsys.readouterr().err


def test_nothing_is_printed_unless_it_is_wanted() -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in LOGGER.handlers)
    assert LOGGER.level == logging.NOTSET
    assert LOGGER.propagate
