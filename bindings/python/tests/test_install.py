"""The package as its user gets it: in a new environment, from a copy of the sources outside the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from support import PATIENCE, ROOT
from symphony_datafeed.testing import Emulator, find, message_sent

TARGET = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
"""Shared with the repository, so that cargo need not build the dependencies again."""


class Environment:
    """A new virtual environment, and a copy of the sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATAFEED_LIBRARY", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        }
        self.variables.update(CARGO_TARGET_DIR=TARGET, DATAFEED_EMULATOR=find(), NO_PROXY="127.0.0.1")
        self.call(sys.executable, "-m", "venv", folder / "venv")

    def call(self, *command: str | Path, cwd: Path | None = None, **variables: str) -> str:
        """Run it: what it printed. Fails with that when it fails."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={**self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def pip(self, *arguments: str | Path) -> str:
        return self.call(self.python, "-m", "pip", "--disable-pip-version-check", *arguments)

    def where(self) -> str:
        """Where the library is that the package has loaded."""
        program = "from symphony_datafeed import _library; print(_library.lib._name)"
        return self.call(self.python, "-c", program).strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("install"))


@pytest.fixture(scope="module")
def sources(environment: Environment) -> Path:
    """What git has, or would have, of this tree."""
    copy = environment.folder / "sources"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    return copy


@pytest.fixture(scope="module")
def installed(environment: Environment, sources: Path) -> Environment:
    environment.pip("install", sources / "bindings" / "python")
    return environment


@pytest.fixture(scope="module")
def hatchling(environment: Environment) -> None:
    """For builds that do not each get an environment of their own."""
    environment.pip("install", "hatchling")


def echo(environment: Environment, emulator: Emulator, sources: Path) -> None:
    """Have the example bot answer a message."""
    config = environment.folder / "config.json"
    config.write_text(json.dumps(emulator.config))
    bot = subprocess.Popen(
        [environment.python, sources / "examples" / "python" / "echo.py", config],
        env=environment.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        emulator.wait_for_feed()
        emulator.publish(message_sent("hello"))
        (answer,) = emulator.messages(at_least=1)
        assert ">hello</div>" in answer["message"]
        bot.send_signal(signal.SIGTERM)
        assert (bot.communicate(timeout=PATIENCE), bot.returncode) == (("", ""), 0)
        emulator.wait("acknowledged", 1)
    finally:
        bot.kill()
        bot.communicate()


def test_a_bot_runs_with_what_pip_installed(installed: Environment, emulator: Emulator, sources: Path) -> None:
    assert installed.where().startswith(str(installed.folder / "venv"))
    echo(installed, emulator, sources)


def test_the_wheel_is_for_this_platform_and_any_python(installed: Environment) -> None:
    (tags,) = installed.folder.glob("venv/lib/python*/site-packages/symphony_datafeed-*.dist-info/WHEEL")
    assert re.search(r"^Tag: py3-none-(linux|macosx)_\w+$", tags.read_text(), re.MULTILINE)
    assert "Root-Is-Purelib: false" in tags.read_text()
    assert (tags.parent / "licenses" / "LICENSE-MIT").exists()
    library = Path(installed.where())
    built = Path(TARGET, "release", "libdatafeed.dylib" if sys.platform == "darwin" else "libdatafeed.so")
    assert library.stat().st_size < built.stat().st_size, "it is not stripped"


USERS_TEST = """
from symphony_datafeed import Datafeed
from symphony_datafeed.testing import Emulator, message_sent


def test_my_bot(datafeed_emulator: Emulator) -> None:
    with Datafeed(datafeed_emulator.config) as feed:
        datafeed_emulator.wait_for_feed()
        datafeed_emulator.publish(message_sent("hello"))
        for event in feed:
            assert "hello" in event.payload["message"]["message"]
            break
    datafeed_emulator.wait("acknowledged", 1)
"""


def test_the_fixture_is_there_for_the_users_tests(installed: Environment) -> None:
    installed.pip("install", "pytest")
    folder = installed.folder / "bot"
    folder.mkdir()
    (folder / "test_bot.py").write_text(USERS_TEST)
    assert "1 passed" in installed.call(installed.python, "-m", "pytest", "-q", cwd=folder)


@pytest.mark.usefixtures("hatchling")
def test_the_source_distribution_builds_and_runs(installed: Environment, emulator: Emulator, sources: Path) -> None:
    folder = sources / "bindings" / "python"
    out = installed.folder / "sdist"
    installed.call(installed.python, "-m", "hatchling", "build", "--target", "sdist", "--directory", out, cwd=folder)
    (archive,) = out.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        # Without it newer Pythons warn.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(out)
    unpacked = out / archive.name[: -len(".tar.gz")]
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*")}
    assert {"crate/Cargo.toml", "crate/Cargo.lock", "crate/src/lib.rs", "crate/include/datafeed.h"} <= names
    assert {"crate/build.rs", "crate/cbindgen.toml", "hatch_build.py", "LICENSE-MIT"} <= names
    assert not any(name.endswith((".so", ".dylib")) or ".so." in name for name in names)
    # The archive's times are long ago: to cargo nothing would have changed since it built the repository's sources.
    (unpacked / "crate" / "src" / "lib.rs").touch()
    installed.pip("install", "--no-build-isolation", "--no-deps", "--force-reinstall", unpacked)
    echo(installed, emulator, sources)


@pytest.mark.usefixtures("hatchling")
def test_an_editable_install_finds_its_library(installed: Environment, emulator: Emulator, sources: Path) -> None:
    folder = sources / "bindings" / "python"
    installed.pip("install", "--no-build-isolation", "--no-deps", "--force-reinstall", "--editable", folder)
    assert installed.where().startswith(str(folder / "src"))
    echo(installed, emulator, sources)


@pytest.mark.usefixtures("hatchling")
@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (None, "cargo, which builds the library, cannot be run"),
        ("cargo 1.70.0 (abc 2023-01-01)", "cargo 1.70.0, which builds the library, is too old"),
        ("cargo 1.100.0 (abc 2030-01-01)", "the library was not built"),
    ],
)
def test_without_the_right_cargo_it_says_what_to_do(
    environment: Environment, sources: Path, tmp_path: Path, says: str | None, complaint: str
) -> None:
    fake_cargo = tmp_path / "cargo"
    if says is not None:
        fake_cargo.write_text(f"#!/bin/sh\ntest $# = 1 && echo '{says}'\n")
        fake_cargo.chmod(0o755)
    build: list[str | Path] = [environment.python, "-m", "hatchling", "build", "--target", "wheel"]
    with pytest.raises(AssertionError) as failed:
        environment.call(*build, cwd=sources / "bindings" / "python", CARGO=str(fake_cargo))
    assert complaint in str(failed.value)
    assert "Traceback" not in str(failed.value)
    if complaint != "the library was not built":
        assert "https://rustup.rs" in str(failed.value)


def test_licenses_are_those_of_the_project() -> None:
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        # Copies, since a link out of the folder is refused when a source distribution is unpacked.
        assert (ROOT / "bindings" / "python" / name).read_text() == (ROOT / name).read_text()


def test_versions_are_the_same_everywhere() -> None:
    def version(file: str, pattern: str) -> str:
        found = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
        assert found, file
        return found[1]

    crate = version("Cargo.toml", r'^version = "(.*)"')
    assert version("bindings/python/pyproject.toml", r'^version = "(.*)"') == crate
    assert crate.startswith(version("bindings/python/src/symphony_datafeed/_library.py", r'^VERSION = "(.*)"') + ".")
