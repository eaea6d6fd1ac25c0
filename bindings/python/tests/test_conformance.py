"""What a bot may rely on in every language: tests/conformance/cases.txt."""

from __future__ import annotations

import pytest

from conformance import Runner, TaskRunner, read_cases
from symphony_datafeed.testing import Emulator

CASES = read_cases()


@pytest.mark.parametrize("case", CASES)
def test_calls(emulator: Emulator, case: str) -> None:
    Runner(emulator).run(CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_tasks(emulator: Emulator, case: str) -> None:
    TaskRunner(emulator).run(CASES[case])


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["open", "dance"], "there is no such step"),
        (["open", "reading", "nothing 0 closed"], "step 3"),
        (["open", "reading", "stats received 1"], "step 3"),
        (["refused CONFIG_INVALID nackDelay {}"], "it was opened"),
        (["open", "reading", "publish a b", "next b"], "step 4"),
        (["open", "reading", "publish a", "next a", "ack a invalid"], "step 5"),
        (["open", "drain 0 timeout"], "step 2"),
    ],
)
def test_what_is_not_so_fails(emulator: Emulator, steps: list[str], words: str) -> None:
    """The runner itself."""
    with pytest.raises(AssertionError, match=words):
        Runner(emulator).run(steps)


def test_there_are_cases() -> None:
    assert len(CASES) > 20
    assert all(CASES.values())
