"""An emulated Symphony, for the tests of a bot.

With pytest there is the fixture ``datafeed_emulator``, an `Emulator` of each test's own::

    from symphony_datafeed import Datafeed
    from symphony_datafeed.testing import message_sent

    def test_my_bot(datafeed_emulator):
        with Datafeed(datafeed_emulator.config) as feed:
            datafeed_emulator.wait_for_feed()
            datafeed_emulator.publish(message_sent("hello"))
            ...
            datafeed_emulator.wait("acknowledged", 1)

The emulator is a program of the symphony-datafeed project. It is found by the environment variable
``DATAFEED_EMULATOR``, else as ``datafeed-emulator`` on the ``PATH``, else where ``make emulator`` leaves it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

VARIABLE = "DATAFEED_EMULATOR"
PROGRAM = "datafeed-emulator"

_numbers = itertools.count(1)


class Emulator:
    """An emulated agent, pod and key manager, in a process of its own on a free port of the loopback.

    It runs from the beginning, until `stop`, the end of the ``with`` block or of the test's process. ``options`` are
    those of the program (``--tls``, ``--common-jwt``, ``--stream datahose``...), ``poll_seconds`` is how long a read
    without events waits: an acknowledgement travels with the next read, so for tests it is short.

    Raises `FileNotFoundError` when there is no such program, `RuntimeError` when it does not start.
    """

    config: dict[str, Any]
    """What a bot connects with, with a key of its own."""

    def __init__(self, *options: str, poll_seconds: float = 0.2) -> None:
        self._process, self.config = _start(find(), [*options, "--poll-ms", str(int(poll_seconds * 1000))])
        self._url = f"{self.config['scheme']}://127.0.0.1:{self.config['port']}/emulator/"
        self._opener = _opener(self.config)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the emulator. Bots see a service that is gone. A second time is harmless."""
        try:
            self._process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            # A process that the test has forked holds the pipe open.
            self._process.terminate()
            self._process.communicate()

    def publish(self, *events: dict[str, Any] | str) -> None:
        """Put events into every feed that there is: whoever has none yet does not get them (see `wait_for_feed`).

        An event is a dictionary, or a text in JSON, which is handed out byte for byte.
        """
        texts = (event if isinstance(event, str) else json.dumps(event) for event in events)
        self._send("POST", "events", f"[{','.join(texts)}]")

    def chat(self, count: int) -> None:
        """Publish so many events as a trading desk would cause them: messages, rooms, forms."""
        self.control("POST", "chat", {"count": count})

    def books(self) -> dict[str, int]:
        """Return the counts of events: ``published``, ``handedOut``, ``acknowledged``, ``redelivered`` and more."""
        books: dict[str, int] = self.control("GET", "books")
        return books

    def wait(self, book: str, at_least: int, timeout: float = 20) -> dict[str, int]:
        """Wait until a count of the books has come to a value, and return the books.

        Raises `TimeoutError` when it has not in so many seconds.
        """
        query = {"books": book, "atLeast": at_least, "timeoutMillis": int(timeout * 1000)}
        books: dict[str, int] = self._wait(f"{book} of the books", "wait", query, timeout)
        return books

    def wait_for_feed(self, timeout: float = 20) -> None:
        """Wait until there is a feed, as a bot makes one when it has logged in. What is published then reaches it.

        Raises `TimeoutError` when there is none in so many seconds.
        """
        deadline = time.monotonic() + timeout
        while not (self.control("GET", "feeds") or self.control("GET", "feeds/v1")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no bot has made a feed in {timeout} seconds")
            time.sleep(0.005)

    def messages(self, at_least: int = 0, timeout: float = 20) -> list[dict[str, Any]]:
        """Return what bots have sent, oldest first, as the service answered: ``message``, ``stream`` and more.

        With ``at_least`` it waits until there are so many, and raises `TimeoutError` when that takes too long.
        """
        query = {"atLeast": at_least, "timeoutMillis": int(timeout * 1000)}
        messages: list[dict[str, Any]] = self._wait("the count of messages", "messages", query, timeout)
        return messages

    def requests(self) -> list[dict[str, Any]]:
        """Return the log of requests to the service: ``endpoint``, ``path``, ``status``, ``outcome`` and more."""
        requests: list[dict[str, Any]] = self.control("GET", "requests")
        return requests

    def fault(self, endpoint: str, action: Any, times: int = 1) -> None:
        """Let something go wrong with the next requests to an endpoint.

        ``fault("read", {"status": {"status": 503}})``, ``fault("createMessage", "hang")``. The emulator's own page has
        all endpoints and actions.
        """
        self.control("POST", "faults", {"endpoint": endpoint, "action": action, "times": times})

    def expire_sessions(self) -> None:
        """Make every token invalid that was given out so far."""
        self.control("POST", "sessions/expire")

    def reject_logins(self, reject: bool = True) -> None:
        """Answer logins 401 from now on, or no more."""
        self.control("POST", "logins", {"reject": reject})

    def set(self, **settings: Any) -> None:
        """Change settings, by their names in the emulator: ``set(visibilityTimeoutMillis=300)``."""
        self.control("POST", "settings", settings)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Make any request of the control interface: the path is what follows ``/emulator/``. The answer's JSON.

        Raises `urllib.error.HTTPError` for an answer that is no success.
        """
        return self._send(method, path, None if body is None else json.dumps(body))

    def _send(self, method: str, path: str, body: str | None, timeout: float = 60) -> Any:
        data = None if body is None else body.encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with self._opener.open(request, timeout=timeout) as response:
            text = response.read()
        return json.loads(text) if text else None

    def _wait(self, what: str, path: str, query: dict[str, Any], timeout: float) -> Any:
        try:
            return self._send("GET", f"{path}?{urllib.parse.urlencode(query)}", None, timeout + 40)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 408:
                    raise ValueError(json.loads(error.read())["message"]) from None
                state = error.read().decode()
        raise TimeoutError(f"{what} did not come to {query['atLeast']} in {timeout} seconds: {state}")


def find() -> str:
    """Return where the emulator's program is. Raises `FileNotFoundError` with what to do."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    installed = shutil.which(PROGRAM)
    if installed:
        return installed
    # Of a source checkout, whether this package is on its path or installed with `pip install -e`.
    folders = Path(__file__).resolve().parents
    built = folders[4] / "target" / "release" / PROGRAM if len(folders) > 4 else None
    if built is not None and built.exists():
        return str(built)
    raise FileNotFoundError(
        f"there is no {PROGRAM}: in the symphony-datafeed project run `make emulator`, which leaves it in "
        f"target/release, or `cargo install --path tests/emulator`, which puts it on the PATH; or set {VARIABLE} to "
        "the path of the program"
    )


def _start(program: str, options: list[str]) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    # A file: a pipe that nobody reads would fill.
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [program, *options, "--port", "0", "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if line.startswith("{"):
            return process, json.loads(line)
        process.kill()
        process.communicate()
        errors.seek(0)
        raise RuntimeError(f"{program} has not started as an emulator: {errors.read().strip() or line.strip()}")


def _opener(config: dict[str, Any]) -> urllib.request.OpenerDirector:
    """Make requests to the loopback, between which and a test no proxy of the environment stands."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if config["scheme"] == "https":
        trusted = ssl.create_default_context(cafile=config["ssl"]["trustStore"]["path"])
        handlers.append(urllib.request.HTTPSHandler(context=trusted))
    return urllib.request.build_opener(*handlers)


def message_sent(text: str, **members: Any) -> dict[str, Any]:
    """Make a ``MESSAGESENT`` event as the service sends it, each time another one.

    ``text`` is PresentationML, so plain text if it has no ``<`` and ``&``. ``members`` take the place of members of the
    event: ``message_sent("hello", id="1")``.
    """
    number = next(_numbers)
    user = {
        "userId": 349026222342101,
        "firstName": "Amara",
        "lastName": "Okafor",
        "displayName": "Amara Okafor",
        "email": "amara.okafor@example.com",
        "username": "amara.okafor",
    }
    message = {
        "messageId": f"message-{number}",
        "timestamp": 1_709_537_400_000 + number,
        "message": f'<div data-format="PresentationML" data-version="2.0" class="wysiwyg"><p>{text}</p></div>',
        "data": "{}",
        "user": user,
        "stream": {"streamId": "Jq3Vb0yT9m1aWc7dLkEeBn___oy8RzQmdA", "streamType": "ROOM"},
        "externalRecipients": False,
        "originalFormat": "com.symphony.messageml.v2",
    }
    event = {
        "id": f"event-{number}",
        "messageId": message["messageId"],
        "timestamp": message["timestamp"],
        "type": "MESSAGESENT",
        "initiator": {"user": user},
        "payload": {"messageSent": {"message": message}},
    }
    return {**event, **members}
