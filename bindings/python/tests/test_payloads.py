"""The types of payloads, against what the emulator knows and publishes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from support import PATIENCE, ROOT, SOURCES, Open, next_event, until_reading
from symphony_datafeed import Datafeed, payloads
from symphony_datafeed.testing import Emulator


def documented_types() -> dict[str, str]:
    """The types of events, and the member of `payload` that each has, as the emulator lists them."""
    source = (ROOT / "tests/emulator/src/event_types.rs").read_text()
    return dict(re.findall(r'\("([A-Z]+)", "(\w+)"\)', source))


def type_of(kind: str) -> Any:
    member = documented_types()[kind]
    return getattr(payloads, member[0].upper() + member[1:])


def test_there_is_a_type_for_each_event() -> None:
    kinds = documented_types()
    assert len(kinds) == 17
    known = re.findall(r'"([A-Z]+)"', (ROOT / "src/config/event_types.rs").read_text().split("];")[0])
    assert set(known) == set(kinds)
    for kind in kinds:
        kept = type_of(kind)
        assert kind in (kept.__doc__ or "")
        assert not kept.__required_keys__


#: Where the emulator's events differ from the documented names of Symphony's agent API.
NOT_YET = {"RoomUpdated": {"roomProperties"}, "ConnectionAccepted": {"toUser"}}


def unknown(value: Any, kind: Any, path: str) -> list[str]:
    """List the members of a value that its type has not, or of which the types differ."""
    if getattr(kind, "__origin__", None) is list:
        assert isinstance(value, list), path
        (of,) = kind.__args__
        return [name for item in value for name in unknown(item, of, path + "[]")]
    if not hasattr(kind, "__total__"):
        expected = getattr(kind, "__origin__", kind)
        return [] if isinstance(value, expected) else [f"{path} is a {type(value).__name__}"]
    hints = get_type_hints(kind)
    found = []
    for name, member in value.items():
        if name in NOT_YET.get(kind.__name__, ()):
            continue
        if name not in hints:
            found.append(f"{path}.{name}")
        else:
            found += unknown(member, hints[name], f"{path}.{name}")
    return found


def test_generated_events_are_of_these_types(emulator: Emulator, feed: Datafeed) -> None:
    emulator.wait_for_feed()
    emulator.chat(400)
    seen = set()
    for _ in range(400):
        event = feed.next_event(PATIENCE)
        assert event is not None
        seen.add(event.type)
        assert event.payload
        assert unknown(event.payload, type_of(event.type), event.type) == []
        event.ack()
    assert len(seen) > 8


def test_a_gap_is_of_its_type(emulator: Emulator, open_feed: Open, tmp_path: Path) -> None:
    feed = open_feed(datafeed={"version": "v1", "idFilePath": f"{tmp_path}/"})
    until_reading(feed)
    emulator.fault("v1Read", {"status": {"status": 503}})
    event = next_event(feed)
    gap: payloads.DatafeedGap = event.payload
    assert event.type in (payloads.DatafeedGap.__doc__ or "")
    assert set(gap) == set(get_type_hints(payloads.DatafeedGap))
    assert unknown({"to": gap["to"], "feedId": gap["feedId"]}, payloads.DatafeedGap, event.type) == []
    assert isinstance(gap["from"], int)
    assert gap["reason"] in get_args(get_type_hints(payloads.DatafeedGap)["reason"])
    event.ack()


BOT = """
from symphony_datafeed import Datafeed, Event
from symphony_datafeed.payloads import MessageSent, UserJoinedRoom


def text(event: Event) -> str:
    sent: MessageSent = event.payload
    return sent["message"]["message"]


with Datafeed("config.yaml") as feed:
    for event in feed:
        if event.type == "USERJOINEDROOM":
            joined: UserJoinedRoom = event.payload
            print(joined["affectedUser"].get("displayName", "somebody"))
        else:
            print(text(event), event.timestamp)
"""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("", None), ('    sent["mesage"]\n', 'TypedDict "MessageSent" has no key "mesage"')],
)
def test_a_bot_is_type_checked(tmp_path: Path, line: str, complaint: str | None) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(BOT.replace("    return sent[", line + "    return sent["))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", str(bot)],
        env={"MYPYPATH": str(SOURCES), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (complaint or "Success") in checked.stdout, checked.stdout + checked.stderr
