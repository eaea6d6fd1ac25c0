"""The consumer that uses the wrapper for Python: a loop, which acknowledges each event when it asks for the next.

    datafeed.py raw|data PORT WARM_UP EVENTS KEY

With `data` it also parses each event.
"""

import json
import resource
import sys
import time

from symphony_datafeed import Datafeed


class Snapshot:
    """The use of the whole process so far: all its threads."""

    def __init__(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.wall = time.monotonic()
        self.user = usage.ru_utime * 1e6
        self.system = usage.ru_stime * 1e6
        self.switches = usage.ru_nvcsw + usage.ru_nivcsw


def main(wanted, port, warm_up, events, key):
    """Receives, and prints what the others print: see measure.h."""
    if wanted not in ("raw", "data"):
        sys.exit("usage: datafeed.py raw|data PORT WARM_UP EVENTS KEY")
    started = time.monotonic()
    warm_up, events, parse = int(warm_up), int(events), wanted == "data"
    bot = {"username": "bench", "privateKey": {"path": key}}
    config = {"scheme": "http", "host": "127.0.0.1", "port": int(port), "bot": bot}
    # The first event that is measured, and the first that is not.
    marks = {warm_up, warm_up + events}
    number, size, first, snapshots = 0, 0, None, []
    with Datafeed(json.dumps(config)) as feed:
        for event in feed:
            raw = event.raw
            if parse and event.data["type"] != "MESSAGESENT":
                sys.exit(f"what was received is no message: {raw[:80]}")
            if raw[0] != "{" or raw[-1] != "}":
                sys.exit(f"what was received is no event: {raw[:80]}")
            if number in marks:
                snapshots.append(Snapshot())
                if len(snapshots) == 2:
                    break
                size = 0
            elif number == 0:
                first = time.monotonic()
            size += len(raw)
            number += 1
    begin, end = snapshots
    print(
        f"{events} {size / events:.1f} {end.wall - begin.wall:.6f} {(end.user - begin.user) / events:.4f} "
        f"{(end.system - begin.system) / events:.4f} {(end.switches - begin.switches) / events:.4f} "
        f"{(first - started) * 1e3:.3f}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
