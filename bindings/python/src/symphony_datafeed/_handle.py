"""The functions of the C interface, as methods of the handle that they take.

Whatever must not keep a feed alive, or may outlive it, has the handle and not the feed: handles are never freed.
"""

from __future__ import annotations

import ctypes
import json
from ctypes import byref, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, NamedTuple

from . import _errors
from ._errors import ConfigError, DatafeedError, FeedFailedError, InvalidDeliveryError, UnknownLetterError
from ._library import CLOSED, FAILED, FORKED, INVALID_ARGUMENT, NOT_STORED, OK, lib


class Delivery(NamedTuple):
    """An event that was handed out."""

    number: int
    attempt: int
    raw: str


class Handle:
    """A feed of the library."""

    __slots__ = ("_as_parameter_",)

    def __init__(self, config: bytes) -> None:
        pointer, error = c_void_p(), c_void_p()
        status = lib.datafeed_create(config, byref(pointer), byref(error))
        if status != OK:
            raise _errors.from_json(ConfigError if status == INVALID_ARGUMENT else DatafeedError, _take_string(error))
        # What ctypes passes for this object.
        self._as_parameter_ = pointer

    def next_event(self, milliseconds: int) -> tuple[int, Delivery | None]:
        """Take an event: a status, and with `OK` the event, of which nothing is left in the library but its number."""
        number, text, length = c_uint64(), c_void_p(), c_size_t()
        try:
            status = lib.datafeed_next_event(self, milliseconds, byref(number), byref(text), byref(length))
            if status != OK:
                return status, None
            attempt = c_uint32()
            lib.datafeed_attempt(self, number, byref(attempt))
            delivery = Delivery(number.value, attempt.value, ctypes.string_at(text.value or 0, length.value).decode())
            lib.datafeed_copied(self, number)
        except BaseException:
            # Ctrl-C after the event was handed out, or no memory for it: nobody will acknowledge it.
            if number.value:
                lib.datafeed_nack(self, number)
            raise
        return OK, delivery

    def ack(self, number: int) -> bool:
        """Acknowledge a delivery. Whether that is stored."""
        return _is_settled(lib.datafeed_ack(self, number), number)

    def nack(self, number: int) -> bool:
        """Refuse a delivery. Whether that is stored."""
        return _is_settled(lib.datafeed_nack(self, number), number)

    def holds(self, number: int) -> bool:
        """Tell whether the bot has neither acknowledged nor refused a delivery."""
        status: int = lib.datafeed_attempt(self, number, byref(c_uint32()))
        return status == OK

    def dead_letters(self, after: int) -> list[dict[str, Any]]:
        """Return the next events that were set aside, at most a hundred."""
        text = c_void_p()
        status = lib.datafeed_dead_letters(self, after, byref(text))
        if status == NOT_STORED:
            raise _errors.from_json(DatafeedError, self._text(lib.datafeed_error))
        check(status)
        letters: list[dict[str, Any]] = json.loads(_take_string(text) or "[]")
        return letters

    def resubmit(self, letter: int) -> bool:
        """Hand out an event again that was set aside. Whether that is stored."""
        return _is_taken_out(lib.datafeed_resubmit(self, letter), letter)

    def discard(self, letter: int) -> bool:
        """Throw away an event that was set aside. Whether that is stored."""
        return _is_taken_out(lib.datafeed_discard(self, letter), letter)

    def interrupt(self) -> None:
        """End the waits of other threads in the library."""
        check(lib.datafeed_interrupt(self))

    def close(self) -> int:
        """Close the feed. The status."""
        status: int = lib.datafeed_close(self)
        return status

    def drain(self, milliseconds: int) -> int:
        """Drain the feed. The status."""
        status: int = lib.datafeed_drain(self, milliseconds)
        return status

    def fileno(self) -> int:
        """Return the descriptor that shows whether something is waiting."""
        fd = c_int(-1)
        status = lib.datafeed_fd(self, byref(fd))
        if status == FAILED:
            raise OSError("this process has no descriptor left")
        check(status)
        return fd.value

    def renew_session(self, token: bytes, milliseconds: int) -> tuple[int, str | None]:
        """Wait for another session: a status, and with `OK` the session."""
        text = c_void_p()
        status: int = lib.datafeed_renew_session(self, token, milliseconds, byref(text))
        return status, _take_string(text)

    def next_log(self) -> str | None:
        """Wait for a line of the log. `None` when there will be none."""
        text = c_void_p()
        status = lib.datafeed_next_log(self, -1, byref(text))
        return _take_string(text) if status == OK else None

    def session(self) -> dict[str, Any]:
        """Return URLs and tokens."""
        return json_object(self._text(lib.datafeed_session))

    def stats(self) -> dict[str, Any]:
        """Return the statistics."""
        return json_object(self._text(lib.datafeed_stats))

    def error(self) -> DatafeedError | None:
        """Return the final error or the latest trouble."""
        text = self._text(lib.datafeed_error)
        if text is None:
            return None
        failed = not json.loads(text)["retryable"]
        return _errors.from_json(FeedFailedError if failed else DatafeedError, text)

    def failure(self) -> FeedFailedError:
        """Return why the feed has stopped for good."""
        return _errors.from_json(FeedFailedError, self._text(lib.datafeed_error))

    def _text(self, function: Callable[..., int]) -> str | None:
        text = c_void_p()
        check(function(self, byref(text)))
        return _take_string(text)


def check(status: int) -> None:
    """Raise what a status means to a caller who can do nothing about it."""
    if status == OK:
        return
    if status == CLOSED:
        raise _errors.closed()
    if status == FORKED:
        raise _errors.forked()
    raise DatafeedError("INTERNAL", f"the library answered with status {status}")


def json_object(text: str | None) -> dict[str, Any]:
    """Parse what is known to be an object."""
    value: dict[str, Any] = json.loads(text or "{}")
    return value


def _is_settled(status: int, number: int) -> bool:
    if status == INVALID_ARGUMENT:
        raise InvalidDeliveryError(
            "INVALID_DELIVERY", f"delivery {number} is not held: it was acknowledged or refused already"
        )
    return _is_stored(status)


def _is_taken_out(status: int, letter: int) -> bool:
    if status == INVALID_ARGUMENT:
        raise UnknownLetterError(
            "UNKNOWN_LETTER", f"no dead letter has the id {letter}: it was handed out again or thrown away already"
        )
    return _is_stored(status)


def _is_stored(status: int) -> bool:
    if status == NOT_STORED:
        return False
    check(status)
    return True


def _take_string(pointer: c_void_p) -> str | None:
    """Copy a string that the library gave away, and give it back to be freed."""
    if not pointer.value:
        return None
    try:
        return ctypes.string_at(pointer.value).decode()
    finally:
        lib.datafeed_string_free(pointer)
