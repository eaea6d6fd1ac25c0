"""The feed and its events."""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import select
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from ctypes import byref, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import partial
from types import TracebackType
from typing import Any, Callable

from . import _errors
from ._errors import ConfigError, DatafeedError, FeedFailedError, InvalidDeliveryError
from ._library import (
    CLOSED,
    FAILED,
    FORKED,
    INTERRUPTED,
    INVALID_ARGUMENT,
    OK,
    TIMEOUT,
    lib,
    take_string,
)

_LONGEST_WAIT = 2**31 - 1
_LOG_SLICE = 100


class Event:
    """An event in the bot's hands, until `ack` or `nack`."""

    __slots__ = ("_data", "_feed", "_settled", "attempt", "delivery", "raw")

    raw: str
    """The JSON text exactly as the agent sent it. It is a copy, and stays valid."""
    delivery: int
    """The number of this delivery. Numbers count up and are never used again."""
    attempt: int
    """How often this feed has handed out the event, this time included."""

    def __init__(self, feed: Datafeed, delivery: int, attempt: int, raw: str) -> None:
        self._feed = feed
        self._data: dict[str, Any] | None = None
        self._settled = False
        self.raw = raw
        self.delivery = delivery
        self.attempt = attempt

    @property
    def data(self) -> dict[str, Any]:
        """The event as a dictionary, parsed when it is first asked for."""
        if self._data is None:
            self._data = json.loads(self.raw)
        return self._data

    @property
    def type(self) -> str:
        """The type, such as ``MESSAGESENT``; empty when the event has none. New types may come at any time."""
        return str(self.data.get("type") or "")

    @property
    def id(self) -> str | None:
        """The event's id. Some events have none, and two events may share one."""
        return self.data.get("id")

    def ack(self) -> None:
        """Say that the bot is done with the event: this process never gets it again.

        Raises `InvalidDeliveryError` when that was said before, `ClosedError` when the feed is closed: the event is
        then delivered again to the next reader.
        """
        self._settle(lib.datafeed_ack)

    def nack(self) -> None:
        """Say that the bot is not done: this event alone comes again after ``nackDelay``, with the next `attempt`.

        Raises what `ack` raises.
        """
        self._settle(lib.datafeed_nack)

    def _settle(self, function: Callable[[c_void_p, int], int]) -> None:
        settled_before, self._settled = self._settled, True
        self._feed._held.discard(self.delivery)
        status = function(self._feed._handle, self.delivery)
        if status == INVALID_ARGUMENT and self._feed._closing and not settled_before:
            # Closing the feed has given it back.
            raise _errors.closed()
        if status == INVALID_ARGUMENT:
            raise InvalidDeliveryError(
                "INVALID_DELIVERY", f"delivery {self.delivery} is not held: it was acknowledged or refused already"
            )
        _check(status)

    def _settle_unless_done(self, function: Callable[[c_void_p, int], int]) -> None:
        """Do for the user what the user has not done. Once the feed has ended there is nobody to tell."""
        if not self._settled:
            with contextlib.suppress(DatafeedError):
                self._settle(function)

    def __repr__(self) -> str:
        return f"<Event delivery={self.delivery} attempt={self.attempt} characters={len(self.raw)}>"


#: A signal that comes between Python's last look for one and the beginning of the wait does not end the wait: then it
#: is seen after so long at the latest.
SLICE_MILLIS = 1000


class Datafeed:
    """A feed of events, polled by a thread of the library.

    ``config`` is a dictionary, a text in JSON, which starts with ``{``, or in YAML, which has more than one line, or
    the path of a file in either. Opening checks it and does not wait for the network; a configuration that cannot be
    used raises `ConfigError`.

    In a ``for`` loop an event is acknowledged when the loop asks for the next one, unless `Event.ack` or `Event.nack`
    was called on it. The loop ends when the feed is closed or interrupted, and raises `FeedFailedError` when the feed
    has stopped for good. Leaving the ``with`` block acknowledges the loop's last event, leaving it by an exception
    refuses it; then the feed is closed. A loop that begins anew refuses the event at which the one before was left.

    Every method may be called from any thread. Each event goes to one of the threads that wait.
    """

    def __init__(self, config: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        text = json.dumps(dict(config)).encode() if isinstance(config, Mapping) else os.fsencode(config)
        if b"\0" in text:
            raise ValueError("the configuration holds a NUL character")
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self._handle, error = c_void_p(), c_void_p()
        self._held: set[int] = set()
        self._latest = 0
        status = lib.datafeed_create(text, byref(self._handle), byref(error))
        # Also for a feed that nobody closed; in a forked child it closes the child's copies of the descriptors only.
        self._finalizer = weakref.finalize(
            self, _finalize, self._handle, self._held, self._wake_reader, self._wake_writer
        )
        if status != OK:
            self._finalizer()
            raise _errors.from_json(ConfigError if status == INVALID_ARGUMENT else DatafeedError, take_string(error))
        self._closing = False
        self._loop = threading.local()
        # Replaced by each interruption; seen by the main thread up to this one.
        self._interruption = self._interruption_seen = object()

    def __iter__(self) -> Iterator[Event]:
        self._settle_loop(lib.datafeed_nack)
        return self._events()

    def _events(self) -> Iterator[Event]:
        while True:
            try:
                event = self.next_event()
            except _errors.ClosedError:
                return
            if event is None:
                return
            self._loop.event = event
            yield event
            self._settle_loop(lib.datafeed_ack)

    def _settle_loop(self, function: Callable[[c_void_p, int], int]) -> None:
        """Settle the event that this thread's loop is at."""
        event: Event | None = getattr(self._loop, "event", None)
        self._loop.event = None
        if event is not None:
            event._settle_unless_done(function)

    def __enter__(self) -> Datafeed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._settle_loop(lib.datafeed_ack if kind is None else lib.datafeed_nack)
        self.close()

    def next_event(self, timeout: float | None = None) -> Event | None:
        """Wait for the next event, for at most so many seconds; without a timeout for ever, with 0 not at all.

        Returns `None` when the time is over or `interrupt` was called. Raises `FeedFailedError` when the feed has
        stopped for good, `ClosedError` when it is closed. The caller acknowledges the event.
        """
        milliseconds = _milliseconds(timeout)
        delivery, text, length = c_uint64(), c_void_p(), c_size_t()

        def attempt(milliseconds: int) -> int:
            status: int = lib.datafeed_next_event(
                self._handle, milliseconds, byref(delivery), byref(text), byref(length)
            )
            return status

        if threading.current_thread() is threading.main_thread():
            status = self._wait_in_main_thread(attempt, milliseconds)
        else:
            status = attempt(milliseconds)
        if status in (TIMEOUT, INTERRUPTED):
            return None
        if status == FAILED:
            raise _errors.from_json(FeedFailedError, self._get_json(lib.datafeed_error))
        if status == INVALID_ARGUMENT:
            raise DatafeedError(
                "INVALID_ARGUMENT", 'another thread is waiting; with "ack": "implicit" only one thread may'
            )
        _check(status)
        count = c_uint32()
        lib.datafeed_attempt(self._handle, delivery, byref(count))
        raw = ctypes.string_at(text.value or 0, length.value).decode()
        self._hold(delivery.value)
        return Event(self, delivery.value, count.value, raw)

    def _hold(self, delivery: int) -> None:
        """Note what `close` has to give back: the library keeps its copies of held events until then."""
        latest, self._latest = self._latest, delivery
        # With "ack": "implicit" the library has acknowledged the event before by itself.
        if latest in self._held and lib.datafeed_attempt(self._handle, latest, byref(c_uint32())) != OK:
            self._held.discard(latest)
        self._held.add(delivery)
        if self._closing:
            _give_back(self._handle, self._held)

    def _wait_in_main_thread(self, attempt: Callable[[int], int], milliseconds: int) -> int:
        """Wait so that Python's signal handlers run at once, which they do in the main thread between its steps.

        A call into the library would hold them up. So the library's descriptor is waited for, and then asked without
        waiting. An interruption shows on that descriptor too, but another consumer may take it first, hence the pipe.
        """
        poll: select.poll | None = None
        deadline = time.monotonic() + milliseconds / 1000
        while True:
            if self._interruption_seen is not self._interruption:
                self._interruption_seen = self._interruption
                return INTERRUPTED
            status = attempt(0)
            # An interruption is told by the comparison above; the library's own word for it may be an old one.
            if status == INTERRUPTED:
                continue
            if status != TIMEOUT or milliseconds == 0:
                return status
            if poll is None:
                poll = select.poll()
                poll.register(self.fileno(), select.POLLIN)
                poll.register(self._wake_reader, select.POLLIN)
                continue
            left = SLICE_MILLIS
            if milliseconds > 0:
                left = min(left, math.ceil((deadline - time.monotonic()) * 1000))
                if left <= 0:
                    return TIMEOUT
            if any(fd == self._wake_reader for fd, _ in poll.poll(left)):
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 4096)

    def interrupt(self) -> None:
        """End every wait in `next_event` and every ``for`` loop that waits; if none does, the next one.

        Any thread may call it, and a signal handler of Python's `signal` module.
        """
        _check(lib.datafeed_interrupt(self._handle))
        self._interruption = object()
        # A full pipe wakes as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_writer, b"\0")

    def close(self) -> None:
        """Stop the feed. Threads that wait get `ClosedError`; ``for`` loops end.

        Acknowledgements that were not sent yet are written first, for at most ``closeTimeout``. Closing twice is
        harmless, and so is closing the parent's feed in a forked child.
        """
        self._closing = True
        lib.datafeed_close(self._handle)
        _give_back(self._handle, self._held)

    def fileno(self) -> int:
        """Return a descriptor that is readable while an event or the end of the feed is waiting.

        For `select` and asyncio's ``loop.add_reader``: when it is readable call ``next_event(0)`` until it returns
        `None`. It may be readable once too often. Do not read, write or close it.
        """
        fd = c_int(-1)
        status = lib.datafeed_fd(self._handle, byref(fd))
        if status == FAILED:
            raise OSError("this process has no descriptor left")
        _check(status)
        return fd.value

    def stats(self) -> dict[str, Any]:
        """Return what the feed is doing and has done: ``state``, ``feedId``, ``received``, ``acknowledged`` and more.

        Also after `close`.
        """
        return self._get_object(lib.datafeed_stats)

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
        return self._get_object(lib.datafeed_session)

    def renew_session(self, refused_token: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until the session is another one than that of the refused token, and return it as `session` does.

        For a bot whose own request was answered 401. Any token of that session will do, with or without ``Bearer``. The
        call logs in, unless another thread does already or has done, so a token that is refused to many threads at once
        is renewed once. Events go on meanwhile.

        Failures are retried for at most so many seconds, without a timeout for ever; `error` has the latest. Raises
        `TimedOutError` when the time is over, `FeedFailedError` when the feed has stopped for good, `ClosedError` when
        it is closed. `interrupt` does not end the wait. Ctrl-C does, and a login that is under way goes on without it.
        """
        token = refused_token.encode()
        if b"\0" in token:
            raise ValueError("the token holds a NUL character")
        renew = partial(_renew, self._handle, token, _milliseconds(timeout))
        status, text = _in_thread(renew) if threading.current_thread() is threading.main_thread() else renew()
        if status == TIMEOUT:
            raise _errors.timed_out(self.error())
        if status == FAILED:
            raise _errors.from_json(FeedFailedError, self._get_json(lib.datafeed_error))
        _check(status)
        return _object(text)

    def error(self) -> DatafeedError | None:
        """Return why the feed has stopped for good, or else the latest trouble, or `None` if there never was any.

        Also after `close`. The final error is a `FeedFailedError`; trouble is ``retryable``.
        """
        text = self._get_json(lib.datafeed_error)
        if text is None:
            return None
        failed = not json.loads(text)["retryable"]
        return _errors.from_json(FeedFailedError if failed else DatafeedError, text)

    def next_log(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Wait for the next line of the feed's log, for at most so many seconds; without a timeout for ever.

        Returns `None` when the time is over, else ``timestamp``, ``level`` (``error``, ``warn`` or ``info``),
        ``message`` and details. Raises `ClosedError` when the feed is closed and every line was fetched.
        """
        milliseconds = _milliseconds(timeout)
        text = c_void_p()
        if threading.current_thread() is not threading.main_thread():
            status = lib.datafeed_next_log(self._handle, milliseconds, byref(text))
        else:
            # In slices, so that Python's signal handlers get their turn.
            deadline = time.monotonic() + milliseconds / 1000
            left = milliseconds
            while True:
                part = _LOG_SLICE if left < 0 else min(left, _LOG_SLICE)
                status = lib.datafeed_next_log(self._handle, part, byref(text))
                if milliseconds >= 0:
                    left = max(0, math.ceil((deadline - time.monotonic()) * 1000))
                if status != TIMEOUT or left == 0:
                    break
        if status == TIMEOUT:
            return None
        _check(status)
        return _object(take_string(text))

    def logs(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the feed's log until it is closed, as `next_log` returns them."""
        while True:
            try:
                line = self.next_log()
            except _errors.ClosedError:
                return
            if line is not None:
                yield line

    def _get_json(self, function: Callable[..., int]) -> str | None:
        text = c_void_p()
        _check(function(self._handle, byref(text)))
        return take_string(text)

    def _get_object(self, function: Callable[..., int]) -> dict[str, Any]:
        return _object(self._get_json(function))


def _give_back(handle: c_void_p, held: set[int]) -> None:
    """Free the library's copies of events that the bot held when the feed was closed. It says nothing to anybody."""
    with contextlib.suppress(KeyError):
        while True:
            lib.datafeed_nack(handle, held.pop())


def _finalize(handle: c_void_p, held: set[int], *descriptors: int) -> None:
    lib.datafeed_close(handle)
    _give_back(handle, held)
    for descriptor in descriptors:
        os.close(descriptor)


def _renew(handle: c_void_p, token: bytes, milliseconds: int) -> tuple[int, str | None]:
    text = c_void_p()
    status: int = lib.datafeed_renew_session(handle, token, milliseconds, byref(text))
    return status, take_string(text)


def _in_thread(call: Callable[[], tuple[int, str | None]]) -> tuple[int, str | None]:
    """Call it in another thread, and wait so that Python's signal handlers run at once.

    In slices, as `Datafeed.next_log` does it, it would not come to an end: each would begin a login anew, and a login
    may take longer than a slice.
    """
    outcome: list[tuple[int, str | None]] = []
    done = threading.Event()

    def run() -> None:
        try:
            outcome.append(call())
        finally:
            done.set()

    threading.Thread(target=run, name="datafeed-renewal", daemon=True).start()
    while not done.wait(SLICE_MILLIS / 1000):
        pass
    return outcome[0]


def _object(text: str | None) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text or "{}")
    return value


def _milliseconds(timeout: float | None) -> int:
    if timeout is None:
        return -1
    if timeout < 0:
        raise ValueError("a timeout is not negative; without one the wait is for ever")
    return math.ceil(min(timeout * 1000, _LONGEST_WAIT))


def _check(status: int) -> None:
    if status == OK:
        return
    if status == CLOSED:
        raise _errors.closed()
    if status == FORKED:
        raise _errors.forked()
    raise DatafeedError("INTERNAL", f"the library answered with status {status}")
