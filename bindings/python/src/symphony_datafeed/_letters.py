"""Events that were set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ._event import EPOCH


@dataclass(frozen=True)
class DeadLetter:
    """An event that the bot refused ``maxAttempts`` times, and that is set aside in ``stateDir``."""

    id: int
    """What `Datafeed.resubmit` and `Datafeed.discard` take. Ids count up and are never used again."""
    at: datetime
    """When it was set aside, in UTC."""
    attempts: int
    """How often it had been handed out."""
    data: dict[str, Any]
    """The event as a dictionary."""

    @classmethod
    def from_json(cls, letter: dict[str, Any]) -> DeadLetter:
        """Make one of what the library tells."""
        at = EPOCH + timedelta(milliseconds=letter["at"])
        return cls(id=letter["id"], at=at, attempts=letter["attempts"], data=letter["event"])
