"""Finding the library."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support import SOURCES
from symphony_datafeed import _library


def load(sources: Path, library: str | None) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "DATAFEED_LIBRARY"}
    if library is not None:
        variables["DATAFEED_LIBRARY"] = library
    return subprocess.run(
        [sys.executable, "-c", "from symphony_datafeed import _library; print(_library.lib._name)"],
        env={**variables, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_variable_comes_first_then_the_package_then_the_loader(tmp_path: Path) -> None:
    shutil.copytree(SOURCES, tmp_path / "src", ignore=shutil.ignore_patterns("libdatafeed.*"))
    package = tmp_path / "src" / "symphony_datafeed"
    real = _library.lib._name
    # The loader is asked by name, and knows of none.
    result = load(tmp_path / "src", None)
    assert f"{_library.NAME}: cannot open shared object file" in result.stderr
    bundled = package / _library.NAME
    shutil.copy(real, bundled)
    assert load(tmp_path / "src", None).stdout == f"{bundled}\n"
    assert load(tmp_path / "src", real).stdout == f"{real}\n"


def test_a_missing_library_says_what_to_do() -> None:
    result = load(SOURCES, "/no/such/library.so")
    assert "ImportError: the symphony-datafeed library cannot be loaded: /no/such/library.so" in result.stderr
    assert "set DATAFEED_LIBRARY" in result.stderr


def test_another_library_is_no_substitute() -> None:
    result = load(SOURCES, ctypes.util.find_library("c"))
    assert "ImportError: the symphony-datafeed library cannot be loaded" in result.stderr
    assert "datafeed_create" in result.stderr


def test_the_program_need_not_wait_for_asyncio() -> None:
    program = "import symphony_datafeed, sys; print('asyncio' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "False\n"
