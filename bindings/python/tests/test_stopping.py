"""Ending waits: by an interruption, and by closing."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from support import PATIENCE, in_thread, next_event, until_reading, when_reading
from symphony_datafeed import ClosedError, Datafeed, _waiting
from symphony_datafeed.testing import Emulator, message_sent


def test_interrupt_ends_every_wait_at_once(feed: Datafeed) -> None:
    blocked = [in_thread(feed.next_event) for _ in range(3)]
    stop = threading.Event()

    def interrupt_until_stopped() -> None:
        while not stop.wait(0.01):
            feed.interrupt()

    interrupting = in_thread(interrupt_until_stopped)
    for result in blocked:
        assert result() is None
    # The main thread waits in another way.
    assert feed.next_event() is None
    assert list(feed) == []
    stop.set()
    interrupting()


def test_an_interruption_is_remembered_once(feed: Datafeed) -> None:
    feed.interrupt()
    started = time.monotonic()
    assert feed.next_event(PATIENCE) is None
    assert time.monotonic() - started < PATIENCE
    started = time.monotonic()
    assert feed.next_event(0.05) is None
    assert time.monotonic() - started >= 0.05


def test_the_librarys_word_may_be_ahead_of_the_wrappers(feed: Datafeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption ends one wait, also where the main thread hears of it before `interrupt` has gone on."""
    feed.interrupt()
    assert feed.next_event(PATIENCE) is None
    goes_on = feed._interruptions.interrupt
    with monkeypatch.context() as patch:
        patch.setattr(feed._interruptions, "interrupt", lambda: None)
        feed.interrupt()
        # The second half of the call comes while the main thread waits, and is what ends its wait.
        going_on = when_reading(feed, goes_on)
        started = time.monotonic()
        assert feed.next_event(PATIENCE) is None
        assert time.monotonic() - started < PATIENCE
        going_on()
    assert feed._interruptions.latest is feed._interruptions._told
    started = time.monotonic()
    assert feed.next_event(0.05) is None
    assert time.monotonic() - started >= 0.05


@pytest.fixture
def on_usr1() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("on_usr1")
def test_a_signal_handler_may_interrupt(feed: Datafeed) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: feed.interrupt())
    sending = when_reading(feed, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    started = time.monotonic()
    assert feed.next_event(PATIENCE) is None
    assert time.monotonic() - started < PATIENCE
    sending()


def test_a_signal_just_before_the_wait_ends_it_all_the_same(feed: Datafeed, monkeypatch: pytest.MonkeyPatch) -> None:
    real_poll = select.poll

    class PollAfterASignal:
        """As a signal's handler leaves it that ran after the last look, and before there was a wait to end."""

        def __init__(self) -> None:
            self.inner = real_poll()
            self.register = self.inner.register

        def poll(self, left: int | None) -> list[tuple[int, int]]:
            feed._interruptions.latest = object()
            return self.inner.poll(left)

    monkeypatch.setattr(select, "poll", PollAfterASignal)
    started = time.monotonic()
    assert feed.next_event(PATIENCE) is None
    assert time.monotonic() - started < PATIENCE


def test_the_main_thread_is_woken_though_others_were_told(feed: Datafeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tells the threads that wait in it, and shows nothing to who watches the descriptor then."""
    real_poll = select.poll

    class PollAfterAnInterruption:
        def __init__(self) -> None:
            self.inner = real_poll()
            self.register = self.inner.register

        def poll(self, left: int | None) -> list[tuple[int, int]]:
            feed._interruptions.interrupt()
            return self.inner.poll(left)

    monkeypatch.setattr(_waiting, "SLICE_MILLIS", PATIENCE * 2000)
    monkeypatch.setattr(select, "poll", PollAfterAnInterruption)
    started = time.monotonic()
    assert feed.next_event(PATIENCE) is None
    assert time.monotonic() - started < PATIENCE


def test_closing_ends_every_wait(feed: Datafeed) -> None:
    blocked = [in_thread(feed.next_event) for _ in range(3)]
    closing = when_reading(feed, feed.close)
    with pytest.raises(ClosedError):
        feed.next_event()
    closing()
    for result in blocked:
        with pytest.raises(ClosedError):
            result()


def test_use_after_close_is_an_error(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    sent = message_sent("a")
    emulator.publish(sent)
    event = next_event(feed)
    feed.close()
    for call in (feed.next_event, feed.session, event.ack, event.nack, feed.drain):
        with pytest.raises(ClosedError):
            call()
    feed.interrupt()
    assert feed.stats()["state"] == "CLOSED"
    assert feed.error() is None
    assert event.data == sent
    assert emulator.books()["acknowledged"] == 0


def test_double_close_is_harmless(feed: Datafeed) -> None:
    with feed:
        feed.close()
        feed.close()
    feed.close()
