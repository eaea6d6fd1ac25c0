"""As echo.py, but sixteen messages are answered at a time, in asyncio. Usage: echo_async.py config.yaml"""

import asyncio
import re
import signal
import sys
import uuid
from urllib import parse, request

from symphony_datafeed import Datafeed, DatafeedError


def reply(session, message):
    stream = parse.quote(message["stream"]["streamId"], safe="")
    url, part = f"{session['agentUrl']}/agent/v4/stream/{stream}/message/create", uuid.uuid4().hex
    text = f"<messageML>{re.sub('<[^>]*>', '', message['message'])}</messageML>"
    form = f'--{part}\r\nContent-Disposition: form-data; name="message"\r\n\r\n{text}\r\n--{part}--\r\n'
    headers = {name: session[name] or "" for name in ("sessionToken", "keyManagerToken")}
    headers["Content-Type"] = f"multipart/form-data; boundary={part}"
    request.urlopen(request.Request(url, form.encode(), headers), timeout=30).close()


async def answer(feed):
    async for event in feed:  # each event goes to one of the loops
        try:
            if event.type == "MESSAGESENT":
                await asyncio.to_thread(reply, feed.session(), event.payload["message"])
        except OSError as failure:
            print(f"echo_async.py: {failure}", file=sys.stderr)
            event.nack()  # it comes again


async def main(config):
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Datafeed(config) as feed:
        loops = [asyncio.ensure_future(answer(feed)) for _ in range(16)]
        await asyncio.wait([*loops, asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await feed.adrain(timeout=30)  # the loops end when they have answered what they are at
        await asyncio.gather(*loops)


try:
    asyncio.run(main(sys.argv[1]))
except DatafeedError as failure:
    sys.exit(f"echo_async.py: {failure}")
