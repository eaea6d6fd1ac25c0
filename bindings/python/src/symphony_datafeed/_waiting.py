"""How the main thread waits: so that Python's signal handlers run at once, Ctrl-C among them.

Python runs them in the main thread, between its steps. A call into the library would hold them up, so the main thread
makes none that waits: for events it watches the library's descriptor, for the rest another thread makes the call.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import threading
import time
from typing import Callable, TypeVar

from . import _threads
from ._handle import Delivery, Handle
from ._library import INTERRUPTED, TIMEOUT

T = TypeVar("T")

SLICE_MILLIS = 1000
"""A signal that comes between Python's last look for one and the beginning of a wait does not end the wait. It is then
seen after so long at the latest. (What would close the gap, `signal.set_wakeup_fd`, belongs to the program.)"""

_LONGEST_WAIT = 2**31 - 1


class Interruptions:
    """The interruptions of a feed, for those who watch its descriptor: the main thread and event loops.

    The library tells of an interruption every thread that waits in a call, or else the next call. Who watches makes
    calls that do not wait, so only one of them would be told. Hence each watcher has a way to be woken, and then
    compares the latest interruption with that of the time when its wait began.
    """

    def __init__(self) -> None:
        self.latest = object()
        self._told = self.latest
        self._wakers: tuple[Callable[[], None], ...] = ()
        self._adding = threading.Lock()

    def add(self, waker: Callable[[], None]) -> None:
        """Have a function called by each interruption, on the thread that interrupts."""
        with self._adding:
            self._wakers = (*self._wakers, waker)

    def remove(self, waker: Callable[[], None]) -> None:
        """Have it called no more."""
        with self._adding:
            self._wakers = tuple(other for other in self._wakers if other is not waker)

    def end(self, begun: object, status: int) -> bool:
        """Decide whether a wait ends: that began when `begun` was the latest, and got this status without an event."""
        # The library's word counts for an interruption that found nobody waiting. It may come before `interrupt` below
        # has gone on; then the comparison is about to tell.
        ends = begun is not self.latest or (status == INTERRUPTED and self._told is not self.latest)
        if ends:
            self.tell()
        return ends

    def tell(self) -> None:
        """Note that somebody has been told of the latest one."""
        self._told = self.latest

    def interrupt(self) -> None:
        """Wake everyone, after the library has. It takes no lock, which a thread that a signal stopped might hold."""
        self.latest = object()
        for waker in self._wakers:
            waker()


class MainThread:
    """The main thread as a consumer of events."""

    def __init__(self, interruptions: Interruptions) -> None:
        self._interruptions = interruptions
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        interruptions.add(self._wake)

    def close(self) -> None:
        """Give back the descriptors; in a forked child, its copies."""
        os.close(self._reader)
        os.close(self._writer)

    def next_event(self, handle: Handle, milliseconds: int) -> tuple[int, Delivery | None]:
        """Do as `Handle.next_event` does, but run signal handlers meanwhile."""
        poll: select.poll | None = None
        deadline = time.monotonic() + milliseconds / 1000
        begun = self._interruptions.latest
        while True:
            status, delivery = handle.next_event(0)
            if status not in (TIMEOUT, INTERRUPTED):
                return status, delivery
            if self._interruptions.end(begun, status):
                return INTERRUPTED, None
            if status == INTERRUPTED:
                continue
            if milliseconds == 0:
                return TIMEOUT, None
            if poll is None:
                poll = select.poll()
                poll.register(handle.fileno(), select.POLLIN)
                poll.register(self._reader, select.POLLIN)
                continue
            left = SLICE_MILLIS
            if milliseconds > 0:
                left = min(left, math.ceil((deadline - time.monotonic()) * 1000))
                if left <= 0:
                    return TIMEOUT, None
            if any(descriptor == self._reader for descriptor, _ in poll.poll(left)):
                with contextlib.suppress(BlockingIOError):
                    os.read(self._reader, 4096)

    def _wake(self) -> None:
        # A full pipe wakes as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"\0")


def in_main_thread() -> bool:
    """Tell whether this is the thread that runs signal handlers."""
    return threading.current_thread() is threading.main_thread()


def call(handle: Handle, function: Callable[[], T]) -> T:
    """Call something that waits in the library for this feed; in the main thread so that signal handlers run at once.

    An exception from one leaves the wait, and the call goes on without anybody.
    """
    if not in_main_thread():
        return function()
    outcome: list[T] = []
    waiting = threading.Lock()
    waiting.acquire()

    def run() -> None:
        try:
            outcome.append(function())
        finally:
            waiting.release()

    try:
        _threads.start("datafeed-call", handle, run)
    except RuntimeError:
        return function()
    while not waiting.acquire(timeout=SLICE_MILLIS / 1000):
        pass
    return outcome[0]


def to_milliseconds(timeout: float | None) -> int:
    """Convert seconds; no timeout is a negative number."""
    if timeout is None:
        return -1
    if timeout < 0:
        raise ValueError("a timeout is not negative; without one the wait is for ever")
    return math.ceil(min(timeout * 1000, _LONGEST_WAIT))
