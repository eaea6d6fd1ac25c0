"""Runs the steps of tests/conformance/cases.txt, which says what each of them means."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from support import PATIENCE, ROOT, ask_agent, in_thread, until, until_reading
from symphony_datafeed import (
    ClosedError,
    ConfigError,
    Datafeed,
    DatafeedError,
    Event,
    FeedFailedError,
    InvalidDeliveryError,
    UnknownLetterError,
)
from symphony_datafeed.payloads import DatafeedGap
from symphony_datafeed.testing import Emulator

T = TypeVar("T")

FOLDER = ROOT / "tests" / "conformance"
TEMPLATE = (FOLDER / "event.json").read_text().strip()


def read_cases() -> dict[str, list[str]]:
    """The steps of each case, by its name."""
    cases: dict[str, list[str]] = {}
    steps: list[str] = []
    for line in (FOLDER / "cases.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "case":
            assert rest not in cases, f"there are two cases {rest!r}"
            steps = cases[rest] = []
        else:
            steps.append(line)
    return cases


class Lines(logging.Handler):
    """The messages of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class Runner:
    """A case, by the calls that wait in the library."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.folder = ""
        self.feeds: list[Datafeed] = []
        self.published: dict[str, str] = {}
        self.taken: dict[str, Event] = {}
        self.letters: dict[str, int] = {}
        self.waiting: Callable[[], Any] | None = None
        self.draining: Callable[[], Any] | None = None
        self.lines = Lines()

    @property
    def feed(self) -> Datafeed:
        return self.feeds[-1]

    def run(self, steps: list[str]) -> None:
        with tempfile.TemporaryDirectory() as self.folder:
            self.run_in_folder(steps)

    def run_in_folder(self, steps: list[str]) -> None:
        logger = logging.getLogger("symphony_datafeed")
        logger.addHandler(self.lines)
        logger.setLevel(logging.INFO)
        try:
            for number, step in enumerate(steps, start=1):
                try:
                    self.step(step)
                except Exception as error:
                    raise AssertionError(f"step {number}, {step!r}: {error!r}") from error
        finally:
            logger.removeHandler(self.lines)
            logger.setLevel(logging.NOTSET)
            for feed in self.feeds:
                feed.close()

    def step(self, step: str) -> None:
        word, _, rest = step.partition(" ")
        method: Callable[[str], None] | None = getattr(self, "do_" + word.replace("-", "_"), None)
        assert method is not None, "there is no such step"
        method(rest)

    # What asyncio does in another way.

    def take(self, seconds: float | None) -> Event | None:
        return self.feed.next_event(seconds)

    def drain(self, seconds: float) -> bool:
        return self.feed.drain(seconds)

    def close(self) -> None:
        self.feed.close()

    # Opening.

    def settings(self, more: str) -> dict[str, Any]:
        return {**self.emulator.config, "nackDelay": 10, **json.loads(more.replace("@FOLDER@", self.folder) or "{}")}

    def do_open(self, more: str) -> None:
        self.feeds.append(Datafeed(self.settings(more)))

    def do_refused(self, words: str) -> None:
        code, field, more = words.split(" ", 2)
        try:
            self.feeds.append(Datafeed(self.settings(more)))
        except ConfigError as error:
            assert (error.code, error.field) == (code, field)
        else:
            raise AssertionError("it was opened")

    def do_reading(self, _: str) -> None:
        until_reading(self.feed)

    # Publishing.

    def publish(self, name: str, text: str = "hello", user: str = "1") -> None:
        event = TEMPLATE.replace("@NAME@", name).replace("@USER@", user).replace("@TEXT@", text)
        self.published[name] = event
        self.emulator.publish(event)

    def do_publish(self, names: str) -> None:
        events = {name: TEMPLATE.replace("@NAME@", name).replace("@USER@", "1") for name in names.split(" ")}
        events = {name: event.replace("@TEXT@", "hello") for name, event in events.items()}
        self.published.update(events)
        self.emulator.publish(*events.values())

    def do_publish_text(self, words: str) -> None:
        name, text = words.split(" ", 1)
        self.publish(name, text=text)

    def do_publish_user(self, words: str) -> None:
        name, user = words.split(" ")
        self.publish(name, user=user)

    def do_publish_large(self, words: str) -> None:
        name, size = words.split(" ")
        self.publish(name, text="x" * int(size))

    # Taking.

    def got(self, event: Event, name: str) -> None:
        expected = json.loads(self.published[name])
        # Not compared in an assertion, which would print ten megabytes.
        same = event.raw == self.published[name]
        assert same, f"it is {event.raw[:300]}"
        same = event.data == expected and event.payload == expected["payload"]["messageSent"]
        assert same, "it was not parsed as it is"
        assert (event.type, event.id) == (expected["type"], expected["id"])
        assert event.timestamp is not None
        assert event.timestamp.timestamp() * 1000 == expected["timestamp"]
        self.taken[name] = event

    def do_next(self, words: str) -> None:
        name, _, attempt = words.partition(" ")
        event = self.take(PATIENCE)
        assert event is not None, "none came in time"
        self.got(event, name)
        assert event.attempt == int(attempt or 1)

    def do_gap(self, reason: str) -> None:
        event = self.take(PATIENCE)
        assert event is not None, "none came in time"
        gap: DatafeedGap = event.payload
        assert event.type == "DATAFEEDGAP"
        assert gap["reason"] == reason
        assert gap["from"] is not None
        assert gap["from"] <= gap["to"]
        assert event.timestamp is not None
        assert event.timestamp.timestamp() * 1000 == gap["to"]
        assert gap["feedId"] == self.feed.stats()["feedId"]
        self.taken["gap"] = event

    def outcome(self, take: Callable[[], Event | None], nothing: str) -> Event | str:
        try:
            return take() or nothing
        except ClosedError:
            return "closed"
        except FeedFailedError:
            return "failed"

    def do_nothing(self, words: str) -> None:
        millis, expected = words.split(" ")
        begun = time.monotonic()
        assert self.outcome(lambda: self.take(int(millis) / 1000), "timeout") == expected
        assert expected != "timeout" or time.monotonic() - begun > (int(millis) - 1) / 1000

    def do_wait(self, _: str) -> None:
        # The wait has begun, or does soon; each outcome is the same.
        self.waiting = in_thread(lambda: self.take(None))

    def do_waiter(self, expected: str) -> None:
        assert self.waiting is not None
        outcome = self.outcome(self.waiting, "interrupted")
        if isinstance(outcome, Event):
            self.got(outcome, expected)
        else:
            assert outcome == expected

    def do_interrupt(self, _: str) -> None:
        self.feed.interrupt()

    # Settling.

    def settle(self, call: Callable[[], bool], expected: str) -> None:
        try:
            outcome = "" if call() else "not stored"
        except (InvalidDeliveryError, UnknownLetterError):
            outcome = "invalid"
        except ClosedError:
            outcome = "closed"
        assert outcome == expected

    def do_ack(self, words: str) -> None:
        name, _, expected = words.partition(" ")
        self.settle(self.taken[name].ack, expected)

    def do_nack(self, words: str) -> None:
        name, _, expected = words.partition(" ")
        self.settle(self.taken[name].nack, expected)

    # What is set aside.

    def do_letters(self, words: str) -> None:
        names = words.split()
        letters = list(self.feed.dead_letters())
        assert [letter.data for letter in letters] == [json.loads(self.published[name]) for name in names]
        assert [letter.attempts for letter in letters] == [self.taken[name].attempt for name in names]
        self.letters.update(zip(names, (letter.id for letter in letters)))

    def do_resubmit(self, words: str) -> None:
        name, _, expected = words.partition(" ")
        self.settle(lambda: self.feed.resubmit(self.letters[name]), expected)

    def do_discard(self, words: str) -> None:
        name, _, expected = words.partition(" ")
        self.settle(lambda: self.feed.discard(self.letters[name]), expected)

    # Ending.

    def drain_outcome(self, drain: Callable[[], bool]) -> str:
        try:
            return "done" if drain() else "timeout"
        except ClosedError:
            return "closed"

    def do_drain(self, words: str) -> None:
        millis, expected = words.split(" ")
        assert self.drain_outcome(lambda: self.drain(int(millis) / 1000)) == expected

    def do_drain_begin(self, millis: str) -> None:
        self.draining = in_thread(lambda: self.drain(int(millis) / 1000))

    def do_drained(self, expected: str) -> None:
        assert self.draining is not None
        assert self.drain_outcome(self.draining) == expected

    def do_close(self, _: str) -> None:
        self.close()

    # The service, and what the feed tells.

    def do_service(self, settings: str) -> None:
        self.emulator.set(**json.loads(settings))

    def do_fault(self, words: str) -> None:
        endpoint, status, times = words.split(" ")
        self.emulator.fault(endpoint, {"status": {"status": int(status)}}, int(times))

    def do_error(self, words: str) -> None:
        code, status = words.split(" ")
        error = self.feed.error()
        assert isinstance(error, DatafeedError)
        assert (error.code, error.http_status) == (code, int(status))

    def do_log(self, words: str) -> None:
        until(lambda: any(words in message for message in self.lines.messages))

    def do_stats(self, words: str) -> None:
        name, number = words.split(" ")
        assert self.feed.stats()[name] == int(number)

    def do_session(self, _: str) -> None:
        assert ask_agent(self.feed.session()) == 200

    def do_renew(self, _: str) -> None:
        old = self.feed.session()["sessionToken"]
        session = self.feed.renew_session(old, PATIENCE)
        assert session["sessionToken"] != old
        assert ask_agent(session) == 200

    def do_books(self, words: str) -> None:
        name, number = words.split(" ")
        self.emulator.wait(name, int(number), PATIENCE)


class TaskRunner(Runner):
    """A case, by the coroutines, each in an event loop of its own."""

    def take(self, seconds: float | None) -> Event | None:
        return run(self.feed.anext_event(seconds))

    def drain(self, seconds: float) -> bool:
        return run(self.feed.adrain(seconds))

    def close(self) -> None:
        run(self.feed.aclose())


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)
