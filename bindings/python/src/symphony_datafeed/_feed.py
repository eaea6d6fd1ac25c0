"""The feed."""

from __future__ import annotations

import functools
import json
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _errors, _logs
from ._errors import ClosedError, DatafeedError
from ._event import Event
from ._handle import Delivery, Handle, check, json_object
from ._hands import Hands
from ._letters import DeadLetter
from ._library import FAILED, INTERRUPTED, INVALID_ARGUMENT, TIMEOUT
from ._waiting import Interruptions, MainThread, call, in_main_thread, to_milliseconds

if TYPE_CHECKING:
    from ._tasks import Events, Tasks


class Datafeed:
    """A feed of events, polled by a thread of the library.

    ``config`` is a dictionary, a text in JSON, which starts with ``{``, or in YAML, which has more than one line, or
    the path of a file in either. Opening checks it and does not wait for the network; a configuration that cannot be
    used raises `ConfigError`.

    A ``for`` loop, and an ``async for`` loop, acknowledges an event when it asks for the next one, unless `Event.ack`
    or `Event.nack` was called on it. The loop ends when the feed is drained, closed or interrupted, and raises
    `FeedFailedError` when the feed has stopped for good. Leaving the ``with`` or ``async with`` block acknowledges the
    loop's last event, leaving it by an exception refuses it; then the feed is closed. What a loop was at is refused
    when it begins anew, or when its thread or task ends.

    Any thread may call any method, and the coroutines run in any event loop, or several. Each event goes to one of the
    threads and tasks that wait. A feed that is forgotten is closed. What the library logs goes to the logger
    ``symphony_datafeed``.
    """

    def __init__(self, config: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        text = json.dumps(dict(config)).encode() if isinstance(config, Mapping) else os.fsencode(config)
        if b"\0" in text:
            raise ValueError("the configuration holds a NUL character")
        self._hands = Hands()
        self._interruptions = Interruptions()
        self._tasks: Tasks | None = None
        self._making_tasks = threading.Lock()
        self._main_thread = MainThread(self._interruptions)
        weakref.finalize(self, self._main_thread.close)
        self._handle = Handle(text)
        weakref.finalize(self, self._handle.close)
        _logs.forward(self._handle)

    def __iter__(self) -> Iterator[Event]:
        self._hands.of_thread().nack()
        return self._events()

    def _events(self) -> Iterator[Event]:
        hand = self._hands.of_thread()
        while True:
            try:
                event = self.next_event()
            except ClosedError:
                return
            if event is None:
                return
            hand.take(event)
            yield event
            hand.leave(event)

    def __aiter__(self) -> Events:
        from ._tasks import Events

        return Events(self)

    def __enter__(self) -> Datafeed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._settle_mine(well=kind is None)
        self.close()

    async def __aenter__(self) -> Datafeed:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._settle_mine(well=kind is None)
        await self.aclose()

    def _settle_mine(self, well: bool) -> None:
        for hand in self._hands.mine():
            hand.settle(well)

    def next_event(self, timeout: float | None = None) -> Event | None:
        """Wait for the next event, for at most so many seconds; without a timeout for ever, with 0 not at all.

        Returns `None` when the time is over or `interrupt` was called. Raises `FeedFailedError` when the feed has
        stopped for good, `ClosedError` when it is closed or being drained. The caller acknowledges the event.
        """
        milliseconds = to_milliseconds(timeout)
        if in_main_thread():
            return self._event(*self._main_thread.next_event(self._handle, milliseconds))
        status, delivery = self._handle.next_event(milliseconds)
        if status == INTERRUPTED:
            self._interruptions.tell()
        return self._event(status, delivery)

    async def anext_event(self, timeout: float | None = None) -> Event | None:
        """Wait as `next_event` does, while other tasks run. The loop watches the descriptor; no thread is used.

        Any number of tasks may wait, in any number of loops. A cancelled task takes no event.
        """
        to_milliseconds(timeout)
        # Here, so that programs without asyncio need not wait for its import.
        from ._tasks import Tasks

        with self._making_tasks:
            if self._tasks is None:
                self._tasks = Tasks(self._handle, self._interruptions)
        return self._event(*await self._tasks.next_event(timeout))

    def _event(self, status: int, delivery: Delivery | None) -> Event | None:
        if delivery is not None:
            return Event(self._handle, delivery)
        if status in (TIMEOUT, INTERRUPTED):
            return None
        if status == FAILED:
            raise self._handle.failure()
        if status == INVALID_ARGUMENT:
            raise DatafeedError(
                "INVALID_ARGUMENT", 'another thread is waiting; with "ack": "implicit" only one thread may'
            )
        check(status)
        raise AssertionError("a status other than OK is an error")

    def interrupt(self) -> None:
        """End every wait for an event and every loop that waits; if none does, the next one.

        Any thread may call it, and a signal handler. A loop that is not waiting ends when it asks for the next event,
        if it is the only one: several are ended by `drain` or `close`.
        """
        self._handle.interrupt()
        self._interruptions.interrupt()

    def drain(self, timeout: float | None = None) -> bool:
        """End gracefully: hand out nothing more, wait until the bot has settled what it holds, and close.

        Loops that wait end at once, the others when they ask for the next event, which acknowledges the one before.
        When every event in the bot's hands is acknowledged or refused, or after so many seconds, the feed is closed.

        Returns whether everything was settled; if not, it is delivered again to the next reader. Raises `ClosedError`
        when the feed was closed before, or meanwhile, and `RuntimeError` when the calling thread's own loop is at an
        event, for which it would wait in vain: such a loop is ended by `interrupt`.
        """
        milliseconds = self._before_drain(timeout)
        return _drained(call(self._handle, functools.partial(self._handle.drain, milliseconds)))

    async def adrain(self, timeout: float | None = None) -> bool:
        """Drain as `drain` does, while other tasks run. A cancellation does not end the draining."""
        from . import _tasks

        milliseconds = self._before_drain(timeout)
        return _drained(await _tasks.call(self._handle, functools.partial(self._handle.drain, milliseconds)))

    def _before_drain(self, timeout: float | None) -> int:
        if any(hand.is_full() for hand in self._hands.mine()):
            raise RuntimeError(
                "this loop is at an event that is neither acknowledged nor refused, so draining would wait for itself: "
                "settle the event first, or end the loop by interrupt()"
            )
        return to_milliseconds(timeout)

    def close(self) -> None:
        """Stop the feed. Threads and tasks that wait get `ClosedError`; loops end.

        Acknowledgements that were not sent yet are written first, for at most ``closeTimeout``. What is not
        acknowledged is delivered again to the next reader. Closing twice is harmless, and so is closing the parent's
        feed in a forked child.
        """
        call(self._handle, self._handle.close)

    async def aclose(self) -> None:
        """Close as `close` does, while other tasks run."""
        from . import _tasks

        await _tasks.call(self._handle, self._handle.close)

    def fileno(self) -> int:
        """Return a descriptor that is readable while an event or the end of the feed is waiting.

        For `select` and the event loops of other frameworks: when it is readable call ``next_event(0)`` until it
        returns `None`. It may be readable once too often. Do not read, write or close it.
        """
        return self._handle.fileno()

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Go through the events that were set aside, because the bot refused each ``maxAttempts`` times, oldest first.

        Without ``stateDir`` there are none. `resubmit` and `discard` take them out, also while the loop goes on. Raises
        `ClosedError` when the feed is closed, `DatafeedError` with the code ``STATE_UNAVAILABLE`` when ``stateDir``
        cannot be read.
        """
        after = 0
        while True:
            page = [DeadLetter.from_json(letter) for letter in self._handle.dead_letters(after)]
            if not page:
                return
            yield from page
            after = page[-1].id

    def resubmit(self, letter: int) -> bool:
        """Hand out an event again that was set aside, by the `DeadLetter.id`: as if it were new, with attempt 1.

        Returns `False` when nothing was done, since ``stateDir`` takes nothing at the moment: try again later. Raises
        `UnknownLetterError` when there is none of this id, `ClosedError` when the feed is closed.
        """
        return self._handle.resubmit(letter)

    def discard(self, letter: int) -> bool:
        """Throw away an event that was set aside, by the `DeadLetter.id`. Returns and raises as `resubmit` does."""
        return self._handle.discard(letter)

    def stats(self) -> dict[str, Any]:
        """Return what the feed is doing and has done: ``state``, ``feedId``, ``received``, ``acknowledged`` and more.

        Also after `close`.
        """
        return self._handle.stats()

    def session(self) -> dict[str, Any]:
        """Return what it takes to call Symphony's other endpoints, for instance to answer a message.

        ``podUrl``, ``agentUrl``, ``keyManagerUrl``, ``username``, ``userId`` (the bot's own, `None` while it is not
        known), ``sessionToken``, ``keyManagerToken`` and ``authorizationToken`` (``Bearer ...``, for the header
        ``Authorization``). The tokens are `None` until the login succeeded; ``keyManagerToken`` stays so where the
        agent delivers keys to the session alone, ``authorizationToken`` without ``commonJwt.enabled``. They are
        secrets.

        Where a request with them is answered 401, `renew_session` gets others. Raises `ClosedError` when the feed is
        closed.
        """
        return self._handle.session()

    def renew_session(self, refused_token: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until the session is another one than that of the refused token, and return it as `session` does.

        For a bot whose own request was answered 401. Any token of that session will do, with or without ``Bearer``. The
        call logs in, unless another thread does already or has done, so a token that is refused to many threads at once
        is renewed once. Events go on meanwhile. In asyncio: ``await asyncio.to_thread(feed.renew_session, token)``.

        Failures are retried for at most so many seconds, without a timeout for ever; `error` has the latest. Raises
        `TimedOutError` when the time is over, `FeedFailedError` when the feed has stopped for good, `ClosedError` when
        it is closed. `interrupt` does not end the wait. Ctrl-C does, and a login that is under way goes on without it.
        """
        token = refused_token.encode()
        if b"\0" in token:
            raise ValueError("the token holds a NUL character")
        renew = functools.partial(self._handle.renew_session, token, to_milliseconds(timeout))
        status, text = call(self._handle, renew)
        if status == TIMEOUT:
            raise _errors.timed_out(self.error())
        if status == FAILED:
            raise self._handle.failure()
        check(status)
        return json_object(text)

    def error(self) -> DatafeedError | None:
        """Return why the feed has stopped for good, or else the latest trouble, or `None` if there never was any.

        Also after `close`. The final error is a `FeedFailedError`; trouble is ``retryable``.
        """
        return self._handle.error()


def _drained(status: int) -> bool:
    if status == TIMEOUT:
        return False
    check(status)
    return True
