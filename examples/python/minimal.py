import sys

from symphony_datafeed import Datafeed

with Datafeed(sys.argv[1]) as feed:
    for event in feed:  # asking for the next event acknowledges the one before
        print(event.raw)
