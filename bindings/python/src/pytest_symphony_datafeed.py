"""The pytest plugin of symphony-datafeed.

Beside the package and not in it: pytest imports plugins in every project, and a library that cannot be loaded must fail
the tests that use it only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from symphony_datafeed.testing import Emulator


@pytest.fixture
def datafeed_emulator() -> Iterator[Emulator]:
    """Start an emulated Symphony, a `symphony_datafeed.testing.Emulator`, for the time of the test."""
    from symphony_datafeed.testing import Emulator

    with Emulator() as emulator:
        yield emulator
