"""The fixtures of the tests. That of the users' tests, `datafeed_emulator`, is one of them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from support import Open, Script
from symphony_datafeed import Datafeed
from symphony_datafeed.testing import Emulator

pytest_plugins = ["pytest_symphony_datafeed"]

# What a shell starts in the background ignores Ctrl-C, and so would the programs that the tests stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def emulator(datafeed_emulator: Emulator) -> Emulator:
    return datafeed_emulator


@pytest.fixture
def open_feed(emulator: Emulator) -> Iterator[Open]:
    """Open feeds that are closed after the test."""
    with ExitStack() as stack:

        def open_it(other: Emulator | None = None, **settings: Any) -> Datafeed:
            feed = Datafeed({**(other or emulator).config, "nackDelay": 10, **settings})
            stack.callback(feed.close)
            return feed

        yield open_it


@pytest.fixture
def feed(open_feed: Open) -> Datafeed:
    return open_feed()


@pytest.fixture
def run(emulator: Emulator) -> Iterator[Callable[..., Script]]:
    """Run programs, which end with the test."""
    scripts: list[Script] = []

    def run_it(source: Any, config: dict[str, Any] | None = None) -> Script:
        scripts.append(Script(source, config or emulator.config))
        return scripts[-1]

    yield run_it
    for script in scripts:
        script.process.kill()
        script.process.communicate()
