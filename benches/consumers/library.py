"""The consumer that uses the wrapper for Python: a loop, which acknowledges each event when it asks for the next.

With BENCH_PARSE it also parses each event.
"""

import sys

from measure import Measurement, setting

from symphony_datafeed import Datafeed


def main():
    """Receives, and prints."""
    measurement, parse = Measurement(), bool(setting("PARSE"))
    with Datafeed(setting("CONFIG")) as feed:
        for event in feed:
            raw = event.raw
            if parse and event.data["type"] != "MESSAGESENT":
                sys.exit(f"what was received is no message: {raw[:80]}")
            if raw[:8] != '{"id":"q' or raw[-1] != "}":
                sys.exit(f"what was received is no event: {raw[:80]}")
            if not measurement.count(raw[8:20], len(raw), raw):
                break
    measurement.print()


if __name__ == "__main__":
    main()
