"""The bot that uses the vendor's Python SDK: a listener, which is called with each message."""

import asyncio
import logging

from measure import Measurement, setting
from symphony.bdk.core.config.loader import BdkConfigLoader
from symphony.bdk.core.service.datafeed.real_time_event_listener import RealTimeEventListener
from symphony.bdk.core.symphony_bdk import SymphonyBdk


class Listener(RealTimeEventListener):
    """Counts what it is called with. The SDK does not say how long an event's text was."""

    def __init__(self, measurement):
        self.measurement = measurement
        self.done = asyncio.Event()

    async def on_message_sent(self, initiator, event):
        """Is called for each event of a batch, in a task of its own."""
        if self.done.is_set():
            return
        message = event.message
        # The digits of the event's id are in the message's, the other way round.
        identity = message.message_id[12:20] + message.message_id[8:12]
        if not self.measurement.count(identity, 0, message.data):
            self.done.set()


async def receive(measurement):
    """Runs the bot until it has received enough."""
    config = BdkConfigLoader.load_from_content(setting("CONFIG"))
    async with SymphonyBdk(config) as bdk:
        listener = Listener(measurement)
        loop = bdk.datafeed()
        loop.subscribe(listener)
        running = asyncio.create_task(loop.start())
        waiting = asyncio.create_task(listener.done.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def main():
    """Receives, and prints."""
    logging.basicConfig(level=logging.WARNING)
    measurement = Measurement()
    asyncio.run(receive(measurement))
    measurement.print()


if __name__ == "__main__":
    main()
