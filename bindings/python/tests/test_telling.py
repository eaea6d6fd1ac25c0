"""What a feed tells about itself, and its errors."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import symphony_datafeed
from support import Open, in_thread, until_reading
from symphony_datafeed import ConfigError, Datafeed, DatafeedError, FeedFailedError
from symphony_datafeed.testing import Emulator


def test_a_bad_configuration_is_an_error_with_code_and_field() -> None:
    with pytest.raises(ConfigError, match=r"bot\.username") as caught:
        Datafeed({"host": "localhost", "bot": {"username": 1}})
    error = caught.value
    assert (error.code, error.field, error.retryable) == ("CONFIG_INVALID", "bot.username", False)
    assert error.http_status is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(ConfigError) as caught:
        Datafeed(Path("no-such-file.json"))
    assert (caught.value.code, caught.value.file) == ("FILE_INVALID", "no-such-file.json")
    with pytest.raises(ValueError, match="NUL"):
        Datafeed("config.json\0")


def test_every_error_is_a_datafeed_error() -> None:
    errors = [getattr(symphony_datafeed, name) for name in symphony_datafeed.__all__ if name.endswith("Error")]
    assert len(errors) == 8
    for error in errors:
        assert issubclass(error, DatafeedError)
        assert {"code", "message", "http_status", "retryable"} <= set(vars(error("CODE", "words")))


def test_a_refused_login_raises_the_final_error(emulator: Emulator, open_feed: Open) -> None:
    emulator.reject_logins()
    feed = open_feed()
    for call in (feed.next_event, lambda: list(feed), in_thread(feed.next_event)):
        with pytest.raises(FeedFailedError) as caught:
            call()
        error = caught.value
        assert (error.code, error.http_status, error.retryable) == ("AUTH_REJECTED", 401, False)
    assert feed.stats()["state"] == "FAILED"
    told = feed.error()
    assert isinstance(told, FeedFailedError)
    assert str(told) == str(error)


def test_stats_and_session(emulator: Emulator, feed: Datafeed) -> None:
    until_reading(feed)
    stats = feed.stats()
    assert (stats["state"], stats["logins"], stats["stream"]) == ("READING", 1, "datafeed")
    assert stats["version"] == symphony_datafeed.library_version()
    session = feed.session()
    assert session["username"] == emulator.config["bot"]["username"]
    assert session["sessionToken"]
    assert session["authorizationToken"] is None
