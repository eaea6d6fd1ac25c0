"""An event in the bot's hands."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from ._handle import Delivery, Handle

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Event:
    """An event in the bot's hands, until `ack` or `nack`. Any thread may use it, also after the feed is closed."""

    __slots__ = ("_data", "_handle", "attempt", "delivery", "raw")

    raw: str
    """The JSON text exactly as the agent sent it. It is a copy, and stays valid."""
    delivery: int
    """The number of this delivery. Numbers count up and are never used again."""
    attempt: int
    """How often this feed has handed out the event, this time included; with ``maxAttempts`` those before it, too."""

    def __init__(self, handle: Handle, delivery: Delivery) -> None:
        self._handle = handle
        self._data: dict[str, Any] | None = None
        self.delivery, self.attempt, self.raw = delivery

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
    def payload(self) -> Any:
        """What is special to the event's type: for ``MESSAGESENT`` the value of ``payload.messageSent``.

        For a type that is not known yet, it is the value of the one member of ``payload``. Empty when there is none.
        `symphony_datafeed.payloads` has a type for each: ``sent: MessageSent = event.payload``.
        """
        members = self.data.get("payload")
        if not isinstance(members, dict):
            return {}
        kind = self.type
        for name, value in members.items():
            if name.upper() == kind and value is not None:
                return value
        # The service may send the members of other types too, as null.
        values = [value for value in members.values() if value is not None]
        return values[0] if len(values) == 1 else {}

    @property
    def id(self) -> str | None:
        """The event's id. Some events have none, and two events may share one."""
        return self.data.get("id")

    @property
    def timestamp(self) -> datetime | None:
        """When it happened, in UTC, to the millisecond; `None` when the event does not say."""
        milliseconds = self.data.get("timestamp")
        if not isinstance(milliseconds, int):
            return None
        try:
            return EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError:
            return None

    def ack(self) -> bool:
        """Say that the bot is done with the event: this process never gets it again, nor with ``stateDir`` a later one.

        Returns `False` when ``stateDir`` could not store it yet, as when its disk is full. It is acknowledged all the
        same, and will be stored: there is nothing to be done, but a crash before could bring the event again.

        Raises `InvalidDeliveryError` when it was acknowledged or refused before, `ClosedError` when the feed is closed:
        the event is then delivered again to the next reader.
        """
        return self._handle.ack(self.delivery)

    def nack(self) -> bool:
        """Say that the bot is not done: this event alone comes again after ``nackDelay``, with the next `attempt`.

        The delay doubles with each attempt. With ``maxAttempts`` the event is set aside in the end, see
        `Datafeed.dead_letters`. Returns and raises as `ack` does.
        """
        return self._handle.nack(self.delivery)

    def __repr__(self) -> str:
        return f"<Event delivery={self.delivery} attempt={self.attempt} characters={len(self.raw)}>"
