"""Starts the emulator, and speaks to it."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from types import TracebackType
from typing import Any

VARIABLE = "DATAFEED_EMULATOR"
# No proxy of the environment stands between a test and the loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator:
    """An emulator in a process of its own, which ends with this object or with the test."""

    def __init__(self, *options: str, poll_ms: int = 200) -> None:
        program = os.environ.get(VARIABLE)
        if not program:
            raise RuntimeError(f"{VARIABLE} is not set: the path of the datafeed-emulator program")
        self._process = subprocess.Popen(
            # An acknowledgement travels with the next read, so reads without events are short.
            [program, "--port", "0", "--until-stdin-closes", "--poll-ms", str(poll_ms), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{program} has printed no configuration; {VARIABLE} must name the datafeed-emulator")
        self.config: dict[str, Any] = json.loads(line)
        self._url = f"http://127.0.0.1:{self.config['port']}/emulator/"

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(10)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with _opener.open(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def publish(self, *events: dict[str, Any]) -> None:
        self.call("POST", "events", list(events))

    def chat(self, count: int) -> None:
        self.call("POST", "chat", {"count": count})

    def wait(self, book: str, at_least: int) -> dict[str, Any]:
        """Wait until a count of the books has come to a value. 408 raises."""
        query = urllib.parse.urlencode({"books": book, "atLeast": at_least, "timeoutMillis": 20_000})
        books: dict[str, Any] = self.call("GET", f"wait?{query}")
        return books

    def books(self) -> dict[str, Any]:
        books: dict[str, Any] = self.call("GET", "books")
        return books

    def fault(self, endpoint: str, action: Any, times: int = 1) -> None:
        self.call("POST", "faults", {"endpoint": endpoint, "action": action, "times": times})

    def logins(self) -> int:
        """Count what the service was asked for a session token."""
        return sum(request["endpoint"] == "sessionLogin" for request in self.call("GET", "requests"))

    def ask_agent(self, session: dict[str, Any]) -> int:
        """Make a request of the bot's own with a session's tokens. The status."""
        headers = {"keyManagerToken": session["keyManagerToken"]}
        if session["authorizationToken"]:
            headers["Authorization"] = session["authorizationToken"]
        else:
            headers["sessionToken"] = session["sessionToken"]
        request = urllib.request.Request(session["agentUrl"] + "/agent/v5/datafeeds", headers=headers)
        try:
            with _opener.open(request, timeout=30) as response:
                status: int = response.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        return status


def message(number: int, text: str = "hello") -> dict[str, Any]:
    """Make a MESSAGESENT event as the service sends it."""
    user = {"userId": 349026222342101, "displayName": "Amara Okafor", "username": "amara.okafor"}
    return {
        "id": f"event-{number}",
        "messageId": f"message-{number}",
        "timestamp": 1_709_537_400_000 + number,
        "type": "MESSAGESENT",
        "initiator": {"user": user},
        "payload": {"messageSent": {"message": {"messageId": f"message-{number}", "message": text, "user": user}}},
    }
