"""Puts the library into the wheel, and its sources into the source distribution."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "symphony_datafeed"


class BuildHook(BuildHookInterface[Any]):
    """Called by hatchling for each wheel and each source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add to what is packed."""
        # In a source distribution the library's sources are beside this file, in the repository above it.
        packed = Path(self.root, "crate")
        crate = packed if packed.exists() else Path(self.root).parents[1]
        manifest = crate / "Cargo.toml"
        if not manifest.exists():
            self.app.abort(f"there are no sources of the library: {manifest} is missing. Update pip, which copies the "
                           "folder elsewhere when it is older than 21.3")  # fmt: skip
        text = manifest.read_text()
        found = re.search(r'^version = "(.*)"', text, re.MULTILINE)
        if not found or found[1] != self.metadata.version:
            self.app.abort(f"this package is {self.metadata.version}, but the library in {manifest} is not: "
                           "write its version into pyproject.toml")  # fmt: skip
        self.need_cargo(text)
        self.work = Path(tempfile.mkdtemp())
        if self.target_name == "sdist":
            build_data["force_include"][str(self.pack(crate))] = "crate"
            return
        library = self.build(crate)
        name = library_name(self.metadata.version)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform()}"
        if version == "editable":
            # The package is used from where its sources are.
            shutil.copy(library, Path(self.root, "src", PACKAGE, name))
        else:
            build_data["force_include"][str(library)] = f"{PACKAGE}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Tidy up."""
        shutil.rmtree(self.work)

    def need_cargo(self, manifest: str) -> None:
        """Stop with what to do when there is no cargo, or an old one."""
        least = re.search(r'^rust-version = "(.*)"', manifest, re.MULTILINE)
        advice = f"install Rust {least[1] if least else ''} or later (https://rustup.rs)"
        try:
            said = subprocess.run([cargo(), "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.abort(f"cargo, which builds the library, cannot be run: {error}. Either {advice}, or install a "
                           "wheel that somebody has built for this platform")  # fmt: skip
        found = said.split()[1]
        if least and numbers(found) < numbers(least[1]):
            self.app.abort(f"cargo {found}, which builds the library, is too old: {advice}, or `rustup update`")

    def build(self, crate: Path) -> Path:
        """Build the library. Where a stripped copy is."""
        command = ["build", "--release", "--locked", "--package", "symphony-datafeed"]
        done = subprocess.run(
            [cargo(), *command, "--message-format", "json-render-diagnostics"], cwd=crate, stdout=subprocess.PIPE
        )
        if done.returncode != 0:
            self.app.abort("the library was not built; cargo has said why above")
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
        files = [
            Path(file)
            for message in messages
            if message["reason"] == "compiler-artifact" and message["target"]["name"] == "datafeed"
            for file in message["filenames"]
        ]
        (built,) = [file for file in files if file.suffix in (".so", ".dylib")]
        library = self.work / built.name
        shutil.copy(built, library)
        try:
            subprocess.run(["strip", "-x" if sys.platform == "darwin" else "--strip-unneeded", library], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"the library stays larger than it need be: {error}")
        return library

    def pack(self, crate: Path) -> Path:
        """Have cargo choose what the crate consists of, without the workspace around it. Where that is."""
        command = ["package", "--package", "symphony-datafeed", "--locked", "--allow-dirty", "--no-verify", "--quiet"]
        done = subprocess.run([cargo(), *command, "--target-dir", self.work], cwd=crate)
        if done.returncode != 0:
            self.app.abort("the library's sources were not packed; cargo has said why above")
        (archive,) = self.work.glob("package/*.crate")
        with tarfile.open(archive) as packed:
            # Without it newer Pythons warn.
            packed.extraction_filter = getattr(tarfile, "data_filter", None)
            packed.extractall(self.work)
        return self.work / archive.stem


def cargo() -> str:
    """Return what to call cargo by."""
    return os.environ.get("CARGO", "cargo")


def numbers(version: str) -> tuple[int, ...]:
    """Make versions comparable: 1.9 is before 1.10."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def library_name(version: str) -> str:
    """Return the name by which the package looks for the library."""
    minor = ".".join(version.split(".")[:2])
    return f"libdatafeed.{minor}.dylib" if sys.platform == "darwin" else f"libdatafeed.so.{minor}"


def platform() -> str:
    """Return the tag of this machine: that of a local build, which promises nothing about older systems."""
    tag = sysconfig.get_platform()
    # cargo builds for one kind of processor, whatever Python was built for.
    return re.sub(r"[-.]", "_", tag.replace("universal2", os.uname().machine))
