"""What the tests have in common: waiting for something, and doing it elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import symphony_datafeed
from symphony_datafeed import Datafeed, Event
from symphony_datafeed.testing import Emulator

PATIENCE = 20.0
"""Seconds, for what must happen."""

ROOT = Path(__file__).resolve().parents[3]
SOURCES = Path(symphony_datafeed.__file__).parent.parent


class Open(Protocol):
    """Opens a feed, with settings on top of the emulator's."""

    def __call__(self, other: Emulator | None = None, **settings: Any) -> Datafeed: ...


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def until_reading(feed: Datafeed) -> None:
    """Events that are published before there is a feed reach nobody."""
    until(lambda: feed.stats()["state"] == "READING")


def next_event(feed: Datafeed) -> Event:
    event = feed.next_event(PATIENCE)
    assert event is not None, "no event came in time"
    return event


def in_thread(body: Callable[[], Any]) -> Callable[[], Any]:
    """Run it in a thread; the returned function waits for its result, or raises what it raised."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((body(), None))
        except Exception as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(PATIENCE)
        assert outcome, "the thread still waits"
        value, error = outcome[0]
        if error is not None:
            raise error
        return value

    return result


def when_reading(feed: Datafeed, action: Callable[[], Any]) -> Callable[[], Any]:
    """Do it in a thread, as soon as the feed reads."""

    def run() -> None:
        until_reading(feed)
        action()

    return in_thread(run)


class Script:
    """A Python program of its own, which gets the configuration as its argument."""

    def __init__(self, source: str | Path, config: dict[str, Any]) -> None:
        program = [str(source)] if isinstance(source, Path) else ["-c", source]
        self.process = subprocess.Popen(
            # Python 3.12 warns of a fork beside any thread.
            [sys.executable, "-W", "ignore::DeprecationWarning", *program, json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCES), "NO_PROXY": "127.0.0.1"},
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[str, str, int]:
        """Wait for its end: what else it printed, what on stderr, and how it ended."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return output, errors, self.process.returncode


def logins(emulator: Emulator) -> int:
    """Count what the service was asked for a session token."""
    return sum(request["endpoint"] == "sessionLogin" for request in emulator.requests())


def ask_agent(session: dict[str, Any]) -> int:
    """Make a request of the bot's own with a session's tokens. The status."""
    headers = {"keyManagerToken": session["keyManagerToken"]}
    if session["authorizationToken"]:
        headers["Authorization"] = session["authorizationToken"]
    else:
        headers["sessionToken"] = session["sessionToken"]
    request = urllib.request.Request(session["agentUrl"] + "/agent/v5/datafeeds", headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
