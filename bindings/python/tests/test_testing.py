"""What users test their bots with: the emulator's class, and the plugin of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from support import SOURCES, next_event, until_reading
from symphony_datafeed import Datafeed, testing
from symphony_datafeed.testing import Emulator, find, message_sent


def test_it_waits_for_what_must_happen(emulator: Emulator, feed: Datafeed) -> None:
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"), '{"id" : "as it is"}')
    for _ in range(2):
        next_event(feed).ack()
    assert emulator.wait("acknowledged", 2)["published"] == 2
    assert emulator.messages() == []
    assert any(request["endpoint"] == "read" for request in emulator.requests())


def test_what_does_not_happen_is_a_timeout(emulator: Emulator) -> None:
    with pytest.raises(TimeoutError, match="no bot has made a feed"):
        emulator.wait_for_feed(timeout=0.02)
    with pytest.raises(TimeoutError, match=r"acknowledged of the books did not come to 1 in 0\.02 seconds: {"):
        emulator.wait("acknowledged", 1, timeout=0.02)
    with pytest.raises(TimeoutError, match="the count of messages"):
        emulator.messages(at_least=1, timeout=0.02)
    with pytest.raises(ValueError, match="there is no acknowleged in the books"):
        emulator.wait("acknowleged", 1)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        emulator.set(noSuchSetting=1)


def test_it_serves_tls() -> None:
    with Emulator("--tls") as emulator, Datafeed(emulator.config) as feed:
        until_reading(feed)
        emulator.publish(message_sent("a"))
        next_event(feed).ack()
        emulator.wait("acknowledged", 1)


def test_each_message_is_another_event() -> None:
    first, second = message_sent("a"), message_sent("a")
    assert first["id"] != second["id"]
    assert first["payload"]["messageSent"]["message"]["messageId"] == first["messageId"] != second["messageId"]
    assert message_sent("a", id="1", initiator=None)["id"] == "1"


def test_it_can_be_stopped_twice() -> None:
    emulator = Emulator()
    with emulator:
        emulator.stop()
    with pytest.raises(urllib.error.URLError):
        emulator.books()


def test_it_is_found_by_the_environment_the_path_and_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "datafeed-emulator"
    shutil.copy(sys.executable, program)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DATAFEED_EMULATOR", "/somewhere/else")
    assert find() == "/somewhere/else"
    monkeypatch.delenv("DATAFEED_EMULATOR")
    assert find() == str(program)
    program.unlink()
    # A checkout with an emulator that was built, and one without.
    package = tmp_path / "bindings" / "python" / "src" / "symphony_datafeed"
    monkeypatch.setattr(testing, "__file__", str(package / "testing.py"))
    with pytest.raises(FileNotFoundError, match=r"`make emulator`.*`cargo install --path tests/emulator`"):
        find()
    built = tmp_path / "target" / "release" / "datafeed-emulator"
    built.parent.mkdir(parents=True)
    built.touch()
    assert find() == str(built)


def test_a_program_that_is_no_emulator_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFEED_EMULATOR", sys.executable)
    with pytest.raises(RuntimeError, match=r"has not started as an emulator: .*unknown option"):
        Emulator()
    with pytest.raises(RuntimeError, match="--no-such-option"):
        monkeypatch.undo()
        Emulator("--no-such-option")


def test_the_plugin_needs_the_library_in_tests_that_use_it_only(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other() -> None: ...\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_symphony_datafeed", "-q", "test_other.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "DATAFEED_LIBRARY": "/no/such/library.so"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in result.stdout, result.stdout + result.stderr
