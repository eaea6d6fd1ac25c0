"""Symphony's real-time events for Python bots.

A loop is a bot::

    from symphony_datafeed import Datafeed

    with Datafeed("config.json") as feed:
        for event in feed:
            print(event.type, event.data)

An event is acknowledged when the loop asks for the next one. Reconnecting, logging in again, acknowledging to the
service and filtering what comes twice is the library's business, in a thread of its own. ``async for`` works as well.

`symphony_datafeed.payloads` has the types of what events carry, `symphony_datafeed.testing` an emulated Symphony.
"""

from ._errors import (
    ClosedError,
    ConfigError,
    DatafeedError,
    FeedFailedError,
    ForkedError,
    InvalidDeliveryError,
    TimedOutError,
    UnknownLetterError,
)
from ._event import Event
from ._feed import Datafeed
from ._letters import DeadLetter
from ._library import library_version

__all__ = [
    "ClosedError",
    "ConfigError",
    "Datafeed",
    "DatafeedError",
    "DeadLetter",
    "Event",
    "FeedFailedError",
    "ForkedError",
    "InvalidDeliveryError",
    "TimedOutError",
    "UnknownLetterError",
    "library_version",
]
