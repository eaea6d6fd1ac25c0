"""The example bots, each as its user runs it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from support import PATIENCE, ROOT, Script, until
from symphony_datafeed.testing import Emulator, message_sent

EXAMPLES = ROOT / "examples" / "python"
ECHOES = ["echo.py", "echo_async.py"]

Run = Callable[..., Script]


def start(run: Run, emulator: Emulator, name: str, **settings: Any) -> Script:
    # Refused events come again soon.
    bot = run(EXAMPLES / name, {**emulator.config, "nackDelay": 10, **settings})
    emulator.wait_for_feed()
    return bot


def texts(emulator: Emulator, count: int) -> list[tuple[str, str]]:
    """What was said, and where."""
    messages = emulator.messages(at_least=count, timeout=PATIENCE)
    return [(unquote(message["stream"]["streamId"]), inner(message["message"])) for message in messages]


def inner(presentation: str) -> str:
    return presentation[presentation.index(">") + 1 : presentation.rindex("</div>")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ECHOES)
def test_an_echo_bot_answers_and_ends_well(emulator: Emulator, run: Run, name: str, number: int) -> None:
    bot = start(run, emulator, name)
    sent = message_sent("3 &lt; 5 &amp; <b>Grüße</b> 🚀")
    # As the service writes it in some places: not for a URL.
    sent["payload"]["messageSent"]["message"]["stream"]["streamId"] = "a+b/c=="
    emulator.publish(sent)
    assert texts(emulator, 1) == [("a+b/c==", "3 &lt; 5 &amp; Grüße 🚀")]
    # The bot hears itself, but leaves that out.
    emulator.wait("acknowledged", 2)
    bot.signal(number)
    assert bot.end() == ("", "", 0)
    assert emulator.books()["leased"] == emulator.books()["queued"] == 0
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize("name", ECHOES)
def test_a_reply_that_fails_is_tried_again(emulator: Emulator, run: Run, name: str) -> None:
    bot = start(run, emulator, name)
    emulator.fault("createMessage", {"status": {"status": 503}})
    emulator.publish(message_sent("hello"))
    assert [text for _, text in texts(emulator, 1)] == ["hello"]
    emulator.wait("acknowledged", 2)
    bot.signal(signal.SIGTERM)
    output, errors, status = bot.end()
    assert (output, status) == ("", 0)
    assert errors == f"{name}: HTTP Error 503: Service Unavailable\n"


def test_a_refused_session_is_renewed(emulator: Emulator, run: Run) -> None:
    emulator.set(pollMillis=600_000)
    bot = start(run, emulator, "echo.py")
    until(lambda: any(request["endpoint"] == "read" for request in emulator.requests()))
    emulator.expire_sessions()
    emulator.publish(message_sent("hello"))
    assert [text for _, text in texts(emulator, 1)] == ["hello"]
    bot.signal(signal.SIGTERM)
    assert bot.end() == ("", "", 0)


@pytest.mark.parametrize("name", ECHOES)
def test_a_feed_that_failed_is_told(emulator: Emulator, run: Run, name: str) -> None:
    emulator.reject_logins()
    output, errors, status = run(EXAMPLES / name).end()
    assert (output, status) == ("", 1)
    assert errors.startswith(f"{name}: AUTH_REJECTED: ")
    assert "Traceback" not in errors


def test_the_minimal_bot_prints_events(emulator: Emulator, run: Run) -> None:
    bot = start(run, emulator, "minimal.py")
    sent = message_sent("hello")
    emulator.publish(sent)
    emulator.wait("acknowledged", 1)
    bot.signal(signal.SIGINT)
    output, _, _ = bot.end()
    assert [json.loads(line) for line in output.splitlines()] == [sent]


def test_an_echo_bot_is_short() -> None:
    assert len(Path(EXAMPLES, "echo.py").read_text().splitlines()) < 40
