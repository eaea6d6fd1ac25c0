"""How the cost of a consumer in Python is measured: what measure.h says, with the same settings and the same output."""

import os
import resource
import sys
import time


def setting(name, default=""):
    """What the environment says."""
    return os.environ.get("BENCH_" + name, default)


class Snapshot:
    """The use of the whole process so far: all its threads."""

    def __init__(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.wall = time.monotonic()
        self.user = usage.ru_utime * 1e6
        self.system = usage.ru_stime * 1e6
        self.switches = usage.ru_nvcsw + usage.ru_nivcsw


def peak():
    """The most memory so far, in kilobytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


class Measurement:
    """Counts events, and takes the figures at the first that is measured and the first that is not."""

    def __init__(self):
        self.started = time.monotonic()
        self.warm_up = int(setting("WARM_UP"))
        self.events = int(setting("EVENTS"))
        self.batch = int(setting("BATCH"))
        self.marks = {self.warm_up, self.warm_up + self.events}
        self.latencies = [] if setting("LATENCY") else None
        self.received = 0
        self.bytes = 0
        self.first = None
        self.last = ""
        self.snapshots = []

    def count(self, identity, length, text=None):
        """Counts one event, by the digits of its id; answers whether more are wanted.

        `text` is any part of it that holds when it was emitted, for the latency.
        """
        number = self.received
        if self.latencies is not None and number >= self.warm_up:
            at = text.index("desk.clock")
            at = text.index("0", at)
            self.latencies.append(time.monotonic() * 1e6 - int(text[at : at + 20]) / 1e3)
        # Greater than the one before, and the right one at each mark: so each event came once.
        if identity <= self.last:
            sys.exit(f"the event {identity} came after {self.last}")
        self.last = identity
        self.received = number + 1
        if number == 0:
            self.first = time.monotonic()
        if number in self.marks:
            self.snapshots.append(Snapshot())
            expected = f"{number // self.batch + 1:08x}{number % self.batch:04d}"
            if identity != expected:
                sys.exit(f"the event {identity} came where {expected} was due")
            if number > self.warm_up:
                return False
            self.bytes = 0
        self.bytes += length
        return True

    def print(self):
        """One line of names and numbers."""
        begin, end = self.snapshots
        events = self.events
        line = (
            f"events={events} bytes={self.bytes / events:.1f} seconds={end.wall - begin.wall:.6f} "
            f"user={(end.user - begin.user) / events:.4f} system={(end.system - begin.system) / events:.4f} "
            f"switches={(end.switches - begin.switches) / events:.4f} "
            f"first={(self.first - self.started) * 1e3:.3f} peak={peak()}"
        )
        process_started = float(setting("STARTED", "0"))
        if process_started:
            line += f" process={self.first * 1e3 - process_started / 1e3:.3f}"
        if self.latencies is not None:
            ordered = sorted(self.latencies[:events])
            p50, p99 = ordered[(events * 50 + 99) // 100 - 1], ordered[(events * 99 + 99) // 100 - 1]
            line += f" p50={p50:.1f} p99={p99:.1f} max={ordered[-1]:.1f}"
        print(line)
