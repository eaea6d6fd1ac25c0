"""What an event tells, without a feed."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from symphony_datafeed import Event
from symphony_datafeed._handle import Delivery, Handle


def event(data: dict[str, Any]) -> Event:
    return Event(cast(Handle, None), Delivery(7, 1, json.dumps(data)))


@pytest.mark.parametrize(
    ("payload", "kind", "inner"),
    [
        ({"messageSent": {"a": 1}}, "MESSAGESENT", {"a": 1}),
        # A type that is not known yet.
        ({"somethingNew": {"a": 1}}, "SOMETHINGNEW", {"a": 1}),
        ({"ofAnotherName": {"a": 1}}, "SOMETHINGNEW", {"a": 1}),
        ({"somethingNew": {"a": 1}}, None, {"a": 1}),
        ({"somethingNew": "text"}, "SOMETHINGNEW", "text"),
        # Members of other types beside it.
        ({"roomCreated": None, "messageSent": {"a": 1}, "roomUpdated": None}, "MESSAGESENT", {"a": 1}),
        ({"roomCreated": {"b": 2}, "messageSent": {"a": 1}}, "MESSAGESENT", {"a": 1}),
        # Nothing, or nothing that can be told apart.
        ({"x": {"b": 2}, "y": {"a": 1}}, "Z", {}),
        ({"messageSent": None}, "MESSAGESENT", {}),
        ({}, "MESSAGESENT", {}),
        (None, "MESSAGESENT", {}),
        ("text", "MESSAGESENT", {}),
    ],
)
def test_the_payload_is_that_of_the_type(payload: Any, kind: str | None, inner: Any) -> None:
    assert event({"type": kind, "payload": payload}).payload == inner


def test_an_event_without_anything_is_an_event() -> None:
    empty = event({})
    assert (empty.type, empty.payload, empty.id, empty.timestamp) == ("", {}, None, None)
    assert repr(empty) == "<Event delivery=7 attempt=1 characters=2>"


def test_the_timestamp_is_exact_and_in_utc() -> None:
    assert event({"timestamp": 1_709_537_400_123}).timestamp == datetime(2024, 3, 4, 7, 30, 0, 123_000, timezone.utc)
    assert event({"timestamp": -1}).timestamp == datetime(1969, 12, 31, 23, 59, 59, 999_000, timezone.utc)
    for none in (None, "yesterday", 2**63):
        assert event({"timestamp": none}).timestamp is None
