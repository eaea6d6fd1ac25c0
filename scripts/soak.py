#!/usr/bin/env python3
"""Runs a bot against an emulator that chats and lets requests go wrong at random, and gives a verdict on the bot.

The bot prints each event on a line and acknowledges it at once, as examples/c/bot.c does. It passes if it got every
event exactly once, acknowledged it to the service, and needs no more memory, threads or descriptors than at the start.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any, NamedTuple

# Short, so that much happens, and that a lost answer does not hold up the end.
POLL_MS = 2000
VISIBILITY_MS = 5000
LONGEST_BACK_OFF_MS = 2000

# Seconds until what is still missing counts as lost, and until a bot that was told to end counts as hanging.
PATIENCE = 60
PATIENCE_AT_THE_END = 10

MIB = 1 << 20

# The library remembers what was acknowledged, for so many seconds and so many events at most. That is no leak.
REMEMBERED_SECONDS = 900
REMEMBERED_EVENTS = 100_000
REMEMBERED_BYTES_EACH = 160

# No proxy of the environment stands between this and the loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sample(NamedTuple):
    """What a process holds at one moment."""

    memory: int
    threads: int
    descriptors: int


class Emulator:
    """The emulated service. It ends when this program does: its standard input closes then."""

    def __init__(self, program: str, *options: str) -> None:
        self._process = subprocess.Popen(
            [
                *(program, "--until-stdin-closes", *options),
                *("--poll-ms", str(POLL_MS), "--visibility-timeout-ms", str(VISIBILITY_MS)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        config = self._process.stdout.readline()
        where = self._process.stderr.readline()
        if not config:
            sys.exit(where.rstrip())
        self.config: dict[str, Any] = json.loads(config)
        self._url = where.split(" controlled at ")[1].rstrip()

    def call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"})
        with _opener.open(request, timeout=2 * PATIENCE) as response:
            return json.load(response)

    def wait_until_all_is_acknowledged(self) -> None:
        routed = self.call("books")["routed"]
        try:
            self.call(f"wait?books=acknowledged&atLeast={routed}&timeoutMillis={PATIENCE * 1000}")
        except urllib.error.HTTPError as error:
            if error.code != 408:
                raise

    def logins(self) -> int:
        """Among the last hundred thousand requests: of older ones there is no log."""
        requests = self.call("requests")
        return sum(each["endpoint"] == "sessionLogin" and each.get("status") == 200 for each in requests)


class Bot:
    """The bot in a process of its own, and how often it printed each event."""

    def __init__(self, command: list[str], config: dict[str, Any], log: str) -> None:
        with open(log, "w") as stderr:
            self._process = subprocess.Popen(
                [*command, json.dumps(config)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={"DATAFEED_LOG": "info", **os.environ},
            )
        self.events: Counter[str] = Counter()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events[json.loads(line)["id"]] += 1

    def __enter__(self) -> Bot:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def look(self) -> Sample | None:
        """What it holds now, or None when it has ended."""
        folder = f"/proc/{self._process.pid}"
        with open(f"{folder}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        if "VmRSS" not in fields:
            return None
        return Sample(
            memory=int(fields["VmRSS"].split()[0]) * 1024,
            threads=int(fields["Threads"]),
            descriptors=len(os.listdir(f"{folder}/fd")),
        )

    def end(self) -> str:
        """Ends it as a service manager would, and tells how it ended."""
        self._process.send_signal(signal.SIGTERM)
        try:
            status = str(self._process.wait(PATIENCE_AT_THE_END))
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = "did not end"
        self._reader.join()
        return status


def stir(service: Emulator, bot: Bot, seconds: float, rate: float) -> list[Sample]:
    """Publishes so many events a second, and looks at the bot meanwhile."""
    interval = min(seconds / 100, 5)
    samples: list[Sample] = []
    published = 0
    begin = time.monotonic()
    while (elapsed := time.monotonic() - begin) < seconds:
        if (due := int(elapsed * rate)) > published:
            service.call("chat", {"count": due - published})
            published = due
        if elapsed >= interval * len(samples):
            sample = bot.look()
            if sample is None:
                break
            samples.append(sample)
        time.sleep(min(interval, 1 / rate))
    return samples


def remembered(seconds: float, rate: float) -> float:
    """How much memory the events may take that are remembered after so many seconds."""
    return REMEMBERED_BYTES_EACH * min(REMEMBERED_EVENTS, rate * min(seconds, REMEMBERED_SECONDS))


def delivery_faults(books: dict[str, int], events: Counter[str], status: str) -> list[str]:
    """What is wrong with what the bot got and acknowledged, and with how it ended."""
    wrong = []
    if books["routed"] == 0:
        wrong.append("nothing was routed")
    if books["acknowledged"] != books["routed"]:
        wrong.append(f"{books['routed'] - books['acknowledged']} events were not acknowledged")
    if books["removedUnacknowledged"] > 0:
        wrong.append(f"{books['removedUnacknowledged']} events went unacknowledged with their feed")
    if len(events) != books["routed"]:
        wrong.append(f"the bot got {len(events)} events of {books['routed']}")
    if repeated := [each for each, count in events.items() if count > 1]:
        wrong.append(f"the bot got {len(repeated)} events more than once: {' '.join(repeated[:10])}")
    if status != "0":
        wrong.append(f"the bot's exit status: {status}")
    return wrong


def leaks(warm: list[Sample], end: Sample | None, seconds: float, rate: float) -> list[str]:
    """What the bot needs more of at the end than after its start."""
    if len(warm) < 3 or end is None:
        return ["the bot ended too early to measure it"]
    wrong = []
    third = len(warm) // 3
    first, last = (statistics.median(each.memory for each in part) for part in (warm[:third], warm[-third:]))
    # The middles of the first third and the last, after a tenth for the start.
    grown = last - first - (remembered(0.85 * seconds, rate) - remembered(0.25 * seconds, rate))
    if grown > first / 10 and grown > 2 * MIB:
        wrong.append(f"memory grew from {first / MIB:.1f} to {last / MIB:.1f} MiB")
    # A request may be under way at any moment, and have its connection.
    for name in ("threads", "descriptors"):
        usual = max(getattr(each, name) for each in warm[:third])
        if getattr(end, name) > usual:
            wrong.append(f"{name} grew from {usual} to {getattr(end, name)}")
    return wrong


def report(rows: dict[str, Any]) -> None:
    for name, value in rows.items():
        print(f"{name:<24} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("emulator", help="the program datafeed-emulator")
    parser.add_argument("bot", nargs="+", help="the bot's command; the configuration is added to it")
    parser.add_argument("--seconds", type=float, default=60, help="how long events are published (60)")
    parser.add_argument("--rate", type=float, default=20, help="events published a second (20)")
    parser.add_argument("--faults", type=float, default=10, help="requests of a hundred that go wrong (10)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the faults (1)")
    parser.add_argument("--tls", action="store_true", help="serve over HTTPS")
    parser.add_argument("--log", default="soak.log", help="the file for what the bot says on stderr (soak.log)")
    options = parser.parse_args()

    tls = ["--tls"] if options.tls else []
    service = Emulator(options.emulator, *tls, "--chaos", str(options.faults), "--seed", str(options.seed))
    config = {
        **service.config,
        "visibilityTimeout": VISIBILITY_MS,
        "retry": {"maxIntervalMillis": LONGEST_BACK_OFF_MS},
    }
    with Bot(options.bot, config, options.log) as bot:
        samples = stir(service, bot, options.seconds, options.rate)
        service.call("settings", {"chaos": 0})
        if bot.look() is not None:
            service.wait_until_all_is_acknowledged()
        end = bot.look()
        status = bot.end()

    books, chaos = service.call("books"), service.call("chaos")
    report(
        {
            "published": books["published"],
            "unrouted, without a feed": books["unrouted"],
            "routed": books["routed"],
            "handed out": books["handedOut"],
            "redelivered": books["redelivered"],
            "acknowledged": books["acknowledged"],
            "removed unacknowledged": books["removedUnacknowledged"],
            "left over": books["queued"] + books["leased"],
            "requests": chaos["requests"],
            "requests gone wrong": chaos["hit"],
            **{f"  {kind}": count for kind, count in chaos["kinds"].items()},
            "logins": service.logins(),
            "bot: distinct events": len(bot.events),
            "bot: repeated events": sum(count > 1 for count in bot.events.values()),
            "bot: exit status": status,
        }
    )
    # What a start needs is no leak.
    warm = samples[len(samples) // 10 :]
    if warm and end is not None:
        highest = max(each.memory for each in [*warm, end])
        memory = (f"{each / MIB:.1f}" for each in (warm[0].memory, end.memory, highest))
        report(
            {
                "memory, MiB": "first {}, last {}, highest {}".format(*memory),
                "threads": f"first {warm[0].threads}, last {end.threads}",
                "descriptors": f"first {warm[0].descriptors}, last {end.descriptors}",
            }
        )
    wrong = delivery_faults(books, bot.events, status) + leaks(warm, end, options.seconds, options.rate)
    for each in wrong:
        print(f"FAIL: {each}")
    if wrong:
        sys.exit(f"The bot's log is {options.log}; the seed of the faults was {options.seed}.")
    print("PASS")


if __name__ == "__main__":
    main()
