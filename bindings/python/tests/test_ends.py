"""Ends that nobody prepared: forgotten feeds, interpreters that exit, forks."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable

import pytest

import symphony_datafeed
from support import Open, Script, until
from symphony_datafeed import Datafeed, ForkedError
from symphony_datafeed.testing import Emulator, message_sent

Run = Callable[..., Script]

TIMES = range(5)
"""What goes wrong at an interpreter's exit may do so once in a while only."""


def feeds_and_threads() -> tuple[int, int]:
    if sys.platform == "linux":
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    return 0, 0


def test_a_forgotten_feed_is_closed(emulator: Emulator) -> None:
    # The library keeps open some descriptors of the first one.
    Datafeed(emulator.config).close()
    gc.collect()
    until(lambda: feeds_and_threads()[1] <= 2)
    before = feeds_and_threads()
    for _ in range(5):
        Datafeed(emulator.config)
    gc.collect()
    # Nothing that it left goes on: neither the library's thread nor that of the log.
    until(lambda: feeds_and_threads() == before)


def test_an_event_does_not_keep_its_feed_alive(emulator: Emulator, open_feed: Open) -> None:
    feed = Datafeed(emulator.config)
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"))
    event = feed.next_event()
    assert event is not None
    del feed
    gc.collect()
    with pytest.raises(symphony_datafeed.ClosedError):
        event.ack()


IMPORTS = """
import contextlib, logging, sys, threading
from symphony_datafeed import ClosedError, Datafeed
"""
EXITS = {
    "a forgotten close": """
feed = Datafeed(sys.argv[1])
print(feed.next_event().type, flush=True)
""",
    "a daemon thread that waits": """
feed = Datafeed(sys.argv[1])
print(feed.next_event().type, flush=True)
def wait():
    with contextlib.suppress(ClosedError):
        feed.next_event()
threading.Thread(target=wait, daemon=True).start()
threading.Thread(target=lambda: list(feed), daemon=True).start()
""",
    "an exception in a loop": """
feed = Datafeed(sys.argv[1])
try:
    for event in feed:
        print(event.type, flush=True)
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
""",
    "a handler of the log that does not return": """
class Stuck(logging.Handler):
    def handle(self, record):
        threading.Event().wait()
logging.getLogger().addHandler(Stuck())
logging.getLogger().setLevel(logging.INFO)
feed = Datafeed(sys.argv[1])
print(feed.next_event().type, flush=True)
""",
    "sys.exit in a loop": """
with Datafeed(sys.argv[1]) as feed:
    for event in feed:
        print(event.type, flush=True)
        sys.exit(0)
""",
    "a task that waits": """
import asyncio
async def main():
    feed = Datafeed(sys.argv[1])
    print((await feed.anext_event()).type, flush=True)
    asyncio.ensure_future(feed.anext_event())
    await asyncio.sleep(0)
asyncio.run(main())
""",
}


@pytest.mark.parametrize("what", EXITS)
def test_an_exit_is_harmless(emulator: Emulator, run: Run, what: str) -> None:
    # A process that has gone leaves a read behind, which must not keep the next one's event.
    emulator.set(abandonedReadsTake=False)
    for _ in TIMES:
        script = run(IMPORTS + EXITS[what])
        emulator.wait_for_feed()
        emulator.publish(message_sent("a"))
        assert script.end() == ("MESSAGESENT\n", "", 0)
        emulator.control("DELETE", "feeds")


def test_the_last_lines_of_the_log_are_not_lost(emulator: Emulator, run: Run) -> None:
    for _ in TIMES:
        script = run(
            """
import logging, sys
from symphony_datafeed import Datafeed
logging.basicConfig(level=logging.INFO, format="%(message)s")
feed = Datafeed(sys.argv[1])
"""
        )
        assert script.end()[1].splitlines()[-1] == "the feed is closed"


FORK = """
import os, sys, logging
from symphony_datafeed import Datafeed, ForkedError
logging.basicConfig(level=logging.ERROR)
feed = Datafeed(sys.argv[1])
child = os.fork()
if child == 0:
    renew = lambda: feed.renew_session("token")
    calls = [feed.next_event, feed.interrupt, feed.stats, feed.session, feed.error, feed.drain, feed.fileno, renew]
    clean = 0
    with feed:
        for call in calls:
            try:
                call()
            except ForkedError:
                clean += 1
        with Datafeed(sys.argv[1]) as own:
            own.next_event(0)
    feed = None
    sys.exit(clean - len(calls))
_, status = os.waitpid(child, 0)
event = feed.next_event(20)
event.ack()
feed.close()
print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else status, event.id)
"""


def test_a_forked_child_gets_a_clean_error(emulator: Emulator, run: Run) -> None:
    # The child's own feed may take the event, and keep it.
    emulator.set(abandonedReadsTake=False, visibilityTimeoutMillis=300)
    for _ in TIMES:
        script = run(FORK)
        emulator.wait_for_feed()
        emulator.publish(message_sent("a", id="after the fork"))
        assert script.end() == ("0 after the fork\n", "", 0)
        emulator.control("DELETE", "feeds")
    assert issubclass(ForkedError, symphony_datafeed.DatafeedError)


def test_a_thread_that_waits_keeps_the_program_running_until_it_is_told(emulator: Emulator, run: Run) -> None:
    script = run(
        """
import signal, sys, threading
from symphony_datafeed import Datafeed
feed = Datafeed(sys.argv[1])
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker = threading.Thread(target=lambda: print([event.type for event in feed]))
worker.start()
print("ready", flush=True)
stop.wait()
print(feed.drain(20))
"""
    )
    assert script.line() == "ready"
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"))
    emulator.wait("acknowledged", 1)
    script.signal(signal.SIGTERM)
    assert sorted(script.end()[0].splitlines()) == ["True", "['MESSAGESENT']"]
