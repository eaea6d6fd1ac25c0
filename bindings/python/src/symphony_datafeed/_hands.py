"""What a loop does for its bot: which event each thread or task is at, and when it is acknowledged or refused."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ._errors import DatafeedError
from ._event import Event

if TYPE_CHECKING:
    import asyncio


class Hand:
    """The event that the loop of one thread, or of one task, is at."""

    # Not set when it is made: Ctrl-C might come before that, and `__del__` would miss it.
    _event: Event | None = None

    def take(self, event: Event) -> None:
        """Be at this event from now on. One that another loop of the same thread or task is at is refused."""
        self.nack()
        self._event = event

    def leave(self, event: Event | None) -> None:
        """Acknowledge the event that a loop was at, unless another loop has taken its place."""
        if self._event is event:
            self.ack()

    def ack(self) -> None:
        """Acknowledge the event, unless the bot has settled it itself."""
        event, self._event = self._event, None
        if event is not None:
            # Settled already, or the feed has ended and there is nobody to tell.
            with contextlib.suppress(DatafeedError):
                event.ack()

    def nack(self) -> None:
        """Refuse the event, unless the bot has settled it itself."""
        event, self._event = self._event, None
        if event is not None:
            with contextlib.suppress(DatafeedError):
                event.nack()

    def settle(self, well: bool) -> None:
        """Acknowledge the event, or refuse it when something went wrong."""
        if well:
            self.ack()
        else:
            self.nack()

    def is_full(self) -> bool:
        """Tell whether there is an event that is neither acknowledged nor refused."""
        return self._event is not None and self._event._handle.holds(self._event.delivery)

    def __del__(self) -> None:
        # A thread has ended at an event, as an exception in a loop makes it: nobody else will settle that.
        self.nack()


class Hands:
    """The hands of all threads and tasks."""

    def __init__(self) -> None:
        self._threads = threading.local()
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], Hand] = WeakKeyDictionary()

    def of_thread(self) -> Hand:
        """Return the hand of this thread."""
        hand: Hand | None = getattr(self._threads, "hand", None)
        if hand is None:
            hand = self._threads.hand = Hand()
        return hand

    def of_task(self, task: asyncio.Task[Any]) -> Hand:
        """Return the hand of a task. An event that the task is at when it ends is refused, as with a thread."""
        hand = self._tasks.get(task)
        if hand is None:
            ours = hand = self._tasks[task] = Hand()
            # To look how it ended would keep asyncio from telling of an exception that nobody else has looked at.
            task.add_done_callback(lambda _: ours.nack())
        return hand

    def mine(self) -> list[Hand]:
        """Return the hands of whoever calls: of the thread, and of the task that runs in it."""
        hands = [self.of_thread()]
        # Who has not imported asyncio has no task, and need not wait for the import.
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and len(self._tasks) > 0:
            with contextlib.suppress(RuntimeError):
                task = asyncio.current_task()
                if task in self._tasks:
                    hands.append(self._tasks[task])
        return hands
