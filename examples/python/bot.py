"""Prints twenty events: each as a line of JSON on stdout, and who wrote what on stderr."""

import html
import json
import re
import signal
import sys

from symphony_datafeed import Datafeed, DatafeedError, Event


def note(event: Event) -> str:
    who = event.data.get("initiator", {}).get("user", {}).get("displayName", "somebody")
    if event.type != "MESSAGESENT":
        return f"{who}: {event.type}"
    message = event.data["payload"]["messageSent"]["message"]["message"]
    return f"{who}: {html.unescape(re.sub('<[^>]*>', '', message))}"


def main(config: str) -> None:
    with Datafeed(config) as feed:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: feed.interrupt())
        # Asking for the next event acknowledges the one before; leaving the block, the last.
        for count, event in enumerate(feed, start=1):
            print(json.dumps(event.data, ensure_ascii=False), flush=True)
            print(note(event), file=sys.stderr)
            if count == 20:
                break


try:
    main("".join(sys.argv[1:]))
except DatafeedError as error:
    sys.exit(f"bot.py: {error}")
