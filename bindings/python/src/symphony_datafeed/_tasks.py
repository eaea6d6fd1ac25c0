"""How the tasks of event loops wait for events: by the library's descriptor, without a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Callable, TypeVar

from . import _threads
from ._errors import ClosedError
from ._event import Event
from ._handle import Delivery, Handle
from ._library import INTERRUPTED, TIMEOUT
from ._waiting import Interruptions

if TYPE_CHECKING:
    from ._feed import Datafeed


T = TypeVar("T")


class Tasks:
    """The tasks that wait for a feed's events, in whatever loops they run."""

    def __init__(self, handle: Handle, interruptions: Interruptions) -> None:
        self._handle = handle
        self._interruptions = interruptions
        self._loops: tuple[Loop, ...] = ()
        self._adding = threading.Lock()

    async def next_event(self, timeout: float | None) -> tuple[int, Delivery | None]:
        """Do as `Handle.next_event` does, but let other tasks run meanwhile."""
        return await self._of(asyncio.get_running_loop()).next_event(timeout)

    def _of(self, loop: asyncio.AbstractEventLoop) -> Loop:
        for known in self._loops:
            if known.loop is loop:
                return known
        with self._adding:
            for ended in [known for known in self._loops if known.loop.is_closed()]:
                self._interruptions.remove(ended.wake)
            new = Loop(loop, self._handle, self._interruptions)
            self._loops = (*(known for known in self._loops if not known.loop.is_closed()), new)
        return new


class Loop:
    """The tasks of one event loop, first come, first served.

    The loop watches the descriptor while one of them waits. It is readable until nothing is left to take, so to wake
    one task at a time is enough: if that leaves something behind, or was cancelled, the next one is woken.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: Handle, interruptions: Interruptions) -> None:
        self.loop = loop
        self._handle = handle
        self._interruptions = interruptions
        self._waiting: deque[asyncio.Future[None]] = deque()
        # Always the same object, so that it can be removed.
        self.wake = self._wake_from_anywhere
        interruptions.add(self.wake)

    async def next_event(self, timeout: float | None) -> tuple[int, Delivery | None]:
        """Take an event for the task that runs."""
        begun = self._interruptions.latest
        deadline = None if timeout is None else self.loop.time() + timeout
        while True:
            # Nothing is awaited between taking an event and giving it to the task, so that none is lost to a
            # cancellation.
            status, delivery = self._handle.next_event(0)
            if status not in (TIMEOUT, INTERRUPTED):
                return status, delivery
            if self._interruptions.end(begun, status):
                return INTERRUPTED, None
            if status == INTERRUPTED:
                continue
            if deadline is not None and self.loop.time() >= deadline:
                return TIMEOUT, None
            await self._readable(deadline)

    async def _readable(self, deadline: float | None) -> None:
        """Wait until there may be something to take, or the time is over."""
        descriptor = self._handle.fileno()
        woken = self.loop.create_future()
        if not self._waiting:
            self.loop.add_reader(descriptor, self._wake_first)
        self._waiting.append(woken)
        timer = None if deadline is None else self.loop.call_at(deadline, _wake, woken)
        try:
            await woken
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting.remove(woken)
            # A loop that was closed while this task waited watches nothing any more.
            if not self._waiting and not self.loop.is_closed():
                self.loop.remove_reader(descriptor)

    def _wake_first(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
                return

    def _wake_all(self) -> None:
        for waiting in self._waiting:
            _wake(waiting)

    def _wake_from_anywhere(self) -> None:
        # The loop may have been closed.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._wake_all)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def call(handle: Handle, function: Callable[[], T]) -> T:
    """Call something that waits in the library for this feed, while other tasks run.

    In a thread of its own: the loop's executor may be full of calls that only the end of the feed ends. A cancellation
    leaves the wait, and the call goes on.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(outcome: T) -> None:
        if not done.done():
            done.set_result(outcome)

    def run() -> None:
        outcome = function()
        # The loop may have been closed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, outcome)

    try:
        _threads.start("datafeed-call", handle, run)
    except RuntimeError:
        return function()
    return await done


class Events:
    """The events of an ``async for`` loop, acknowledged as it goes on."""

    def __init__(self, feed: Datafeed) -> None:
        self._feed = feed
        # The loop's own task, also where each step is made by another, as `asyncio.wait_for` does in older Pythons.
        self._task = asyncio.current_task()
        self._hand = feed._hands.of_thread() if self._task is None else feed._hands.of_task(self._task)
        self._hand.nack()
        self._at: Event | None = None

    def __aiter__(self) -> Events:
        """Go on with this loop; another task gets a loop of its own."""
        return self if asyncio.current_task() is self._task else Events(self._feed)

    async def __anext__(self) -> Event:
        self._hand.leave(self._at)
        self._at = None
        try:
            event = await self._feed.anext_event()
        except ClosedError:
            event = None
        if event is None:
            raise StopAsyncIteration
        self._hand.take(event)
        self._at = event
        return event
