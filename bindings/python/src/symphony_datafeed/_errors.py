"""What can go wrong, as exceptions."""

from __future__ import annotations

import json
from typing import TypeVar


class DatafeedError(Exception):
    """Something went wrong. The subclasses say what the program can do about it."""

    code: str
    """The kind of the error, such as ``AUTH_REJECTED`` or ``CONFIG_INVALID``. The names never change."""
    message: str
    """What happened and what to do, for a person to read."""
    http_status: int | None
    """The status of the HTTP response that told of the error."""
    retryable: bool
    """Whether the feed is still trying. A final error is not retryable."""
    field: str | None
    """The setting at fault, as a path in the configuration: ``bot.privateKey.path``."""
    file: str | None
    """The file at fault."""
    trace_id: str | None
    """The ``X-Trace-Id`` of the request, for Symphony's support."""

    def __init__(
        self,
        code: str,
        message: str,
        http_status: int | None = None,
        retryable: bool = False,
        field: str | None = None,
        file: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        # All of them, so that the exception can be pickled.
        super().__init__(code, message, http_status, retryable, field, file, trace_id)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.retryable = retryable
        self.field = field
        self.file = file
        self.trace_id = trace_id

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


E = TypeVar("E", bound=DatafeedError)


class ConfigError(DatafeedError):
    """The configuration cannot be used; `field` and `file` name the place."""


class FeedFailedError(DatafeedError):
    """The feed has stopped for good, for the reason that `code` and `message` give."""


class ClosedError(DatafeedError):
    """The feed is closed. An event that was not acknowledged before is delivered again to the next reader."""


class TimedOutError(DatafeedError):
    """The session was not renewed in time. The feed goes on, and another call may work."""


class InvalidDeliveryError(DatafeedError):
    """The event is not held: it was acknowledged or refused already."""


class UnknownLetterError(DatafeedError):
    """No dead letter has this id: it was handed out again or thrown away already."""


class ForkedError(DatafeedError):
    """The feed belongs to the parent process. A forked child must open its own."""


def closed() -> ClosedError:
    """Make the exception for a closed feed."""
    return ClosedError("CLOSED", "the feed is closed")


def forked() -> ForkedError:
    """Make the exception for a feed of the parent process."""
    return ForkedError("FORKED", "the feed belongs to the parent process; a forked child must open its own")


def timed_out(latest: DatafeedError | None) -> TimedOutError:
    """Make the exception for a session that was not renewed in time, with the feed's latest trouble."""
    more = f"; the feed's latest trouble is {latest}" if latest else ""
    return TimedOutError("TIMEOUT", f"the session was not renewed in time{more}", retryable=True)


def from_json(kind: type[E], text: str | None) -> E:
    """Make an exception of the library's error object."""
    error = json.loads(text) if text else {}
    return kind(
        code=error.get("code", "INTERNAL"),
        message=error.get("message", "the library gave no reason"),
        http_status=error.get("httpStatus"),
        retryable=error.get("retryable", False),
        field=error.get("field"),
        file=error.get("file"),
        trace_id=error.get("traceId"),
    )
