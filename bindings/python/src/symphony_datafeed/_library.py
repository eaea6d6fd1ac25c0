"""Finds the shared library, loads it, and declares its functions."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, c_char_p, c_int, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

OK, TIMEOUT, INTERRUPTED, CLOSED, FAILED, INVALID_ARGUMENT, FORKED, NOT_STORED = range(8)

VERSION = "0.1"
"""While the version is 0.x, every minor version may change the binary interface."""

VARIABLE = "DATAFEED_LIBRARY"
NAME = f"libdatafeed.{VERSION}.dylib" if sys.platform == "darwin" else f"libdatafeed.so.{VERSION}"

# Strings that the library gets back are c_void_p: ctypes would turn c_char_p into bytes and lose the address.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "datafeed_create": (c_int32, [c_char_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "datafeed_close": (c_int32, [c_void_p]),
    "datafeed_drain": (c_int32, [c_void_p, c_int32]),
    "datafeed_interrupt": (c_int32, [c_void_p]),
    "datafeed_fd": (c_int32, [c_void_p, POINTER(c_int)]),
    "datafeed_next_event": (
        c_int32,
        [c_void_p, c_int32, POINTER(c_uint64), POINTER(c_void_p), POINTER(c_size_t)],
    ),
    "datafeed_ack": (c_int32, [c_void_p, c_uint64]),
    "datafeed_nack": (c_int32, [c_void_p, c_uint64]),
    "datafeed_copied": (c_int32, [c_void_p, c_uint64]),
    "datafeed_attempt": (c_int32, [c_void_p, c_uint64, POINTER(c_uint32)]),
    "datafeed_dead_letters": (c_int32, [c_void_p, c_uint64, POINTER(c_void_p)]),
    "datafeed_resubmit": (c_int32, [c_void_p, c_uint64]),
    "datafeed_discard": (c_int32, [c_void_p, c_uint64]),
    "datafeed_error": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "datafeed_stats": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "datafeed_session": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "datafeed_renew_session": (c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_void_p)]),
    "datafeed_next_log": (c_int32, [c_void_p, c_int32, POINTER(c_void_p)]),
    "datafeed_string_free": (None, [c_void_p]),
    "datafeed_version": (c_char_p, []),
}


def find() -> str:
    """Where the library is: as the environment says, next to this package, or wherever the system's loader looks."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    bundled = Path(__file__).parent / NAME
    return str(bundled) if bundled.exists() else NAME


def load() -> ctypes.CDLL:
    """Load the library and declare its functions."""
    path = find()
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ImportError(
            f"the symphony-datafeed library cannot be loaded: {error}. Install this package with pip, which brings it, "
            f"or the library where the system's loader finds {NAME}, or set {VARIABLE} to the path of the file",
            path=path,
        ) from error
    version: str = library.datafeed_version().decode()
    if not version.startswith(f"{VERSION}."):
        raise ImportError(
            f"the symphony-datafeed library at {path} has version {version}, but this package needs {VERSION}. "
            f"Install a matching one, or set {VARIABLE} to the path of the file",
            path=path,
        )
    return library


lib = load()


def library_version() -> str:
    """Return the version of the loaded library, such as ``0.1.0``."""
    version: bytes = lib.datafeed_version()
    return version.decode()
