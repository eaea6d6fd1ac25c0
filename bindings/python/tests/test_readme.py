"""The page about this package: what it shows passes a type checker, and ends as it says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import ROOT, SOURCES, Script
from symphony_datafeed.testing import Emulator, message_sent

PAGE = (ROOT / "bindings" / "python" / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
BOTS = [snippet for snippet in SNIPPETS if "SIGTERM" in snippet]


def test_every_snippet_is_a_program(tmp_path: Path) -> None:
    assert len(SNIPPETS) > 5
    names = [f"snippet_{number}.py" for number in range(len(SNIPPETS))]
    for name, snippet in zip(names, SNIPPETS):
        (tmp_path / name).write_text(snippet)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", *names],
        env={"MYPYPATH": str(SOURCES), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Success" in checked.stdout, checked.stdout + checked.stderr


@pytest.mark.parametrize("snippet", BOTS, ids=["loop", "threads", "tasks"])
def test_every_graceful_end_is_one(
    emulator: Emulator, run: Callable[..., Script], tmp_path: Path, snippet: str
) -> None:
    config = tmp_path / "config.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(emulator.config))
    bot = run(snippet.replace("config.yaml", str(config)).replace("(event.type)", "(event.type, flush=True)"))
    emulator.wait_for_feed()
    emulator.publish(message_sent("a"))
    assert bot.line() == "MESSAGESENT"
    bot.signal(signal.SIGTERM)
    assert bot.end() == ("", "", 0)
    emulator.wait("acknowledged", 1)


@pytest.mark.parametrize("snippet", BOTS, ids=["loop", "threads", "tasks"])
def test_every_bot_ends_when_the_feed_has_failed(
    emulator: Emulator, run: Callable[..., Script], tmp_path: Path, snippet: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(emulator.config))
    emulator.control("POST", "logins", {"reject": True})
    bot = run(snippet.replace("config.yaml", str(config)))
    _, said, status = bot.end()
    assert "AUTH_REJECTED" in said
    assert status == 1
