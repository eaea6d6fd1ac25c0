"""Ctrl-C, whatever the main thread waits for; each in a program of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from support import PATIENCE, Script, logins, until
from symphony_datafeed.testing import Emulator, message_sent

Run = Callable[..., Script]

BEGIN = """
import sys, time
from symphony_datafeed import Datafeed
def until_reading(feed):
    while feed.stats()["state"] != "READING":
        time.sleep(0.005)
    print("reading", flush=True)
"""


def test_in_the_loop_it_raises_keyboard_interrupt(emulator: Emulator, run: Run) -> None:
    script = run(
        BEGIN
        + """
with Datafeed(sys.argv[1]) as feed:
    try:
        for event in feed:
            print("waiting", flush=True)
        print("the loop ended")
    except KeyboardInterrupt:
        print("KeyboardInterrupt", feed.stats()["state"])
"""
    )
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"))
    assert script.line() == "waiting"
    # It was acknowledged, so the loop has asked for the next one.
    emulator.wait("acknowledged", 1)
    script.signal(signal.SIGINT)
    assert script.end() == ("KeyboardInterrupt READING\n", "", 0)


WAITS = {
    "drain": ("event = feed.next_event()", "feed.drain()"),
    "renew_session": ("token = feed.session()['sessionToken']", "feed.renew_session(token)"),
}


@pytest.mark.parametrize("call", WAITS)
def test_in_other_waits_too(emulator: Emulator, run: Run, call: str) -> None:
    """The wait would last for ever otherwise."""
    emulator.set(pollMillis=600_000)
    prepare, wait = WAITS[call]
    script = run(
        BEGIN
        + f"""
with Datafeed(sys.argv[1]) as feed:
    until_reading(feed)
    sys.stdin.readline()
    {prepare}
    try:
        print("begins", flush=True)
        {wait}
    except KeyboardInterrupt:
        print("KeyboardInterrupt", feed.stats()["state"], flush=True)
# Not held up by the call that goes on.
"""
    )
    assert script.line() == "reading"
    emulator.fault("sessionLogin", "hang", 1000)
    emulator.publish(message_sent("a"))
    script.say()
    assert script.line() == "begins"
    if call == "renew_session":
        until(lambda: logins(emulator) == 2)
    started = time.monotonic()
    script.signal(signal.SIGINT)
    output, errors, status = script.end()
    assert (output.split()[0], errors, status) == ("KeyboardInterrupt", "", 0)
    # A slice of the wait, and what the machine needs on top.
    assert time.monotonic() - started < PATIENCE / 2


def test_in_close(emulator: Emulator, run: Run) -> None:
    """Which waits for an acknowledgement to be written; here it waits in the library for ever."""
    script = run(
        BEGIN
        + """
from symphony_datafeed._handle import Handle
feed = Datafeed(sys.argv[1])
until_reading(feed)
close, Handle.close = Handle.close, lambda handle: handle.next_event(-1)[0]
try:
    print("closing", flush=True)
    feed.close()
except KeyboardInterrupt:
    print("KeyboardInterrupt", feed.stats()["state"], flush=True)
Handle.close = close
"""
    )
    assert script.line() == "reading"
    assert script.line() == "closing"
    script.signal(signal.SIGINT)
    assert script.end() == ("KeyboardInterrupt READING\n", "", 0)


def test_a_quiet_end_on_sigterm(emulator: Emulator, run: Run) -> None:
    script = run(
        BEGIN
        + """
import signal
with Datafeed(sys.argv[1]) as feed:
    signal.signal(signal.SIGTERM, lambda *_: feed.interrupt())
    for event in feed:
        print("at it", flush=True)
        sys.stdin.readline()
        print("done", flush=True)
"""
    )
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"), message_sent("b"))
    assert script.line() == "at it"
    script.signal(signal.SIGTERM)
    script.say()
    # The event that it was at is finished and acknowledged, the other one is left.
    assert script.end() == ("done\n", "", 0)
    emulator.wait("handedOut", 2)
