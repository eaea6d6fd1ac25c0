"""Sends every message back to where it came from. Usage: echo.py config.yaml"""

import re
import signal
import sys
import uuid
from urllib import error, parse, request

from symphony_datafeed import Datafeed, DatafeedError, TimedOutError


def reply(feed, session, message, again=True):
    stream = parse.quote(message["stream"]["streamId"], safe="")
    url, part = f"{session['agentUrl']}/agent/v4/stream/{stream}/message/create", uuid.uuid4().hex
    text = f"<messageML>{re.sub('<[^>]*>', '', message['message'])}</messageML>"
    form = f'--{part}\r\nContent-Disposition: form-data; name="message"\r\n\r\n{text}\r\n--{part}--\r\n'
    headers = {name: session[name] or "" for name in ("sessionToken", "keyManagerToken")}
    headers["Content-Type"] = f"multipart/form-data; boundary={part}"
    try:
        request.urlopen(request.Request(url, form.encode(), headers), timeout=10).close()
    except error.HTTPError as refused:
        if refused.code != 401 or not again:
            raise
        reply(feed, feed.renew_session(session["sessionToken"], 10), message, again=False)


try:
    with Datafeed(sys.argv[1]) as feed:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: feed.interrupt())
        for event in feed:
            try:
                if event.type == "MESSAGESENT":
                    reply(feed, feed.session(), event.payload["message"])
            except (OSError, TimedOutError) as failure:
                print(f"echo.py: {failure}", file=sys.stderr)
                event.nack()  # it comes again
except DatafeedError as failure:
    sys.exit(f"echo.py: {failure}")
