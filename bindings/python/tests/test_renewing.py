"""Sessions for the bot's own requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support import PATIENCE, Open, ask_agent, in_thread, logins, next_event, until
from symphony_datafeed import ClosedError, Datafeed, FeedFailedError, TimedOutError
from symphony_datafeed.testing import Emulator, message_sent

Expired = Callable[[], tuple[Datafeed, dict[str, Any]]]


@pytest.fixture
def expired(emulator: Emulator, open_feed: Open) -> Expired:
    """A feed in a long poll, so that it does not renew its session by itself, and the session that has expired."""

    def make() -> tuple[Datafeed, dict[str, Any]]:
        emulator.set(pollMillis=600_000)
        feed = open_feed()
        until(lambda: any(request["endpoint"] == "read" for request in emulator.requests()))
        session = feed.session()
        assert ask_agent(session) == 200
        emulator.expire_sessions()
        assert ask_agent(session) == 401
        return feed, session

    return make


def test_a_refused_token_is_renewed(emulator: Emulator, expired: Expired) -> None:
    feed, session = expired()
    renewed = feed.renew_session(session["sessionToken"], PATIENCE)
    assert renewed["sessionToken"] != session["sessionToken"]
    assert (renewed.keys(), renewed["userId"]) == (session.keys(), session["userId"])
    assert isinstance(renewed["userId"], int)
    assert ask_agent(renewed) == 200
    assert feed.session() == renewed
    # It is another one than that of the old token already.
    assert feed.renew_session(session["keyManagerToken"], 0) == renewed
    emulator.publish(message_sent("a"))
    next_event(feed).ack()
    assert feed.stats()["logins"] == 2


def test_a_refused_common_jwt_is_renewed(emulator: Emulator, open_feed: Open) -> None:
    emulator.set(commonJwt=True, pollMillis=600_000)
    feed = open_feed(commonJwt={"enabled": True})
    until(lambda: any(request["endpoint"] == "read" for request in emulator.requests()))
    session = feed.session()
    emulator.expire_sessions()
    renewed = in_thread(lambda: feed.renew_session(session["authorizationToken"]))()
    assert renewed["authorizationToken"].startswith("Bearer ")
    assert renewed["authorizationToken"] != session["authorizationToken"]
    assert ask_agent(renewed) == 200


def test_two_threads_renew_once(emulator: Emulator, expired: Expired) -> None:
    feed, session = expired()
    emulator.fault("sessionLogin", {"delayMillis": 300})
    renewing = [in_thread(lambda: feed.renew_session(session["sessionToken"])) for _ in range(2)]
    renewed = feed.renew_session(session["sessionToken"])
    for result in renewing:
        assert result() == renewed
    assert feed.stats()["logins"] == 2


def test_a_login_may_take_longer_than_any_slice_of_a_wait(emulator: Emulator, expired: Expired) -> None:
    feed, session = expired()
    emulator.fault("sessionLogin", {"delayMillis": 2500})
    renewed = feed.renew_session(session["sessionToken"])
    assert ask_agent(renewed) == 200
    assert logins(emulator) == 2


def test_the_time_is_over(emulator: Emulator, expired: Expired) -> None:
    feed, session = expired()
    emulator.reject_logins()
    for renew in (feed.renew_session, lambda *call: in_thread(lambda: feed.renew_session(*call))()):
        for timeout in (0, 0.3):
            with pytest.raises(TimedOutError) as caught:
                renew(session["sessionToken"], timeout)
            assert (caught.value.code, caught.value.retryable) == ("TIMEOUT", True)
    assert "AUTH_REJECTED" in str(caught.value)
    emulator.reject_logins(False)
    assert ask_agent(feed.renew_session(session["sessionToken"])) == 200


def test_close_ends_it(emulator: Emulator, expired: Expired) -> None:
    feed, session = expired()
    emulator.fault("sessionLogin", "hang", 1000)
    blocked = in_thread(lambda: feed.renew_session(session["sessionToken"]))

    def close_when_blocked() -> None:
        until(lambda: logins(emulator) == 2)
        feed.close()

    closing = in_thread(close_when_blocked)
    with pytest.raises(ClosedError):
        feed.renew_session(session["sessionToken"])
    with pytest.raises(ClosedError):
        blocked()
    closing()
    with pytest.raises(ClosedError):
        feed.renew_session("not in use", 0)


def test_a_failed_feed_raises_the_final_error(emulator: Emulator, open_feed: Open) -> None:
    emulator.reject_logins()
    feed = open_feed()
    for _ in range(2):
        with pytest.raises(FeedFailedError) as caught:
            feed.renew_session("none yet")
        assert (caught.value.code, caught.value.retryable) == ("AUTH_REJECTED", False)


def test_bad_arguments(feed: Datafeed) -> None:
    for token, timeout in (("a\0b", None), ("a", -1)):
        with pytest.raises(ValueError, match=r"NUL|not negative"):
            feed.renew_session(token, timeout)
