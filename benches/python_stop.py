#!/usr/bin/env python3
"""How long Ctrl-C takes in Python: from the signal to the exception that leaves the wait, in microseconds.

Usage: python_stop.py [SAMPLES], with 50 where nothing is said. The library is that of target/stage, the emulator that
of target/release, unless DATAFEED_LIBRARY and DATAFEED_EMULATOR name others. Linux only.

A second process watches this one and sends the signal when the main thread sleeps; both read the same clock. In the
columns: the median, the 99th percentile, and the longest.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))
os.environ.setdefault("DATAFEED_LIBRARY", str(ROOT / "target" / "stage" / "lib" / "libdatafeed.so"))

from symphony_datafeed import Datafeed  # noqa: E402
from symphony_datafeed.testing import Emulator, message_sent  # noqa: E402

WATCH = """
import os, signal, sys, time
main = int(sys.argv[1])
def sleeps():
    with open(f"/proc/{main}/task/{main}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"
for _ in sys.stdin:
    # Long enough for a wait, and not only for the pipe to this process.
    since = time.monotonic_ns()
    while time.monotonic_ns() - since < 5_000_000:
        if not sleeps():
            since = time.monotonic_ns()
    sent = time.monotonic_ns()
    os.kill(main, signal.SIGINT)
    print(sent, flush=True)
"""


class Watcher:
    """Sends this process SIGINT."""

    def __init__(self):
        command = [sys.executable, "-c", WATCH, str(os.getpid())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def time(self, wait):
        """Call what waits. The nanoseconds from the signal to the exception; `None` when the wait was over before."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        waits = True
        try:
            wait()
            waits = False
            signal.pause()
        except KeyboardInterrupt:
            came = time.monotonic_ns()
        sent = int(self.process.stdout.readline())
        return came - sent if waits else None


def until_reading(feed):
    while feed.stats()["state"] != "READING":
        time.sleep(0.001)


def in_for_loop(emulator, feed):
    return lambda: list(feed)


def in_async_for(emulator, feed):
    async def consume():
        async for _ in feed:
            pass

    return lambda: asyncio.run(consume())


def in_drain(emulator, feed):
    emulator.publish(message_sent("held"))
    event = feed.next_event(20)
    assert event is not None
    return feed.drain


def in_renew_session(emulator, feed):
    emulator.fault("sessionLogin", "hang")
    token = feed.session()["sessionToken"]
    return lambda: feed.renew_session(token)


def in_close(emulator, feed):
    # Close waits until the acknowledgement is written, which the agent takes and does not answer.
    emulator.publish(message_sent("acknowledged"))
    event = feed.next_event(20)
    emulator.set(pollMillis=600_000)
    emulator.fault("read", "hang")
    event.ack()
    return feed.close


def measure(watcher, wait, samples):
    times = []
    while len(times) < samples:
        with Emulator() as emulator, contextlib.closing(Datafeed({**emulator.config, "closeTimeout": 60_000})) as feed:
            until_reading(feed)
            taken = watcher.time(wait(emulator, feed))
            # Close waits for 50 ms only, which may be over before the other process has its turn.
            if taken is not None:
                times.append(taken / 1000)
    return sorted(times)


def main(samples):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher = Watcher()
    print(f"Python {sys.version.split()[0]}, {samples} samples, microseconds\n")
    print("| | p50 | p99 | max |\n|---|---|---|---|")
    for wait in (in_for_loop, in_async_for, in_drain, in_renew_session, in_close):
        times = measure(watcher, wait, samples)
        p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        print(f"| {wait.__name__[3:]} | {p50:.0f} | {p99:.0f} | {times[-1]:.0f} |", flush=True)
    watcher.process.stdin.close()
    watcher.process.wait()


main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
