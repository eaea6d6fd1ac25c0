"""The library's log, handed on to Python's `logging`."""

from __future__ import annotations

import atexit
import logging
import threading
import traceback
from typing import Any

from ._handle import Handle, json_object

LOGGER = logging.getLogger("symphony_datafeed")
# So that nothing is printed unless the program wants it. That is the convention for libraries.
LOGGER.addHandler(logging.NullHandler())

_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO}

_LAST_LINES_SECONDS = 1.0
_forwarding: dict[threading.Thread, Handle] = {}


def forward(handle: Handle) -> None:
    """Start a thread that logs each line, until the feed is closed. It does not keep the feed alive."""
    thread = threading.Thread(target=_forward, args=(handle,), name="datafeed-log", daemon=True)
    _forwarding[thread] = handle
    try:
        thread.start()
    except BaseException:
        del _forwarding[thread]
        raise


def _forward(handle: Handle) -> None:
    try:
        while True:
            line = handle.next_log()
            if line is None:
                return
            try:
                _log(json_object(line))
            except Exception:
                # A filter or a handler of the program. As `logging` does, which then goes on as well.
                if logging.raiseExceptions:
                    traceback.print_exc()
    finally:
        _forwarding.pop(threading.current_thread(), None)


def _log(line: dict[str, Any]) -> None:
    level = _LEVELS.get(line.pop("level"), logging.INFO)
    message, milliseconds = line.pop("message"), line.pop("timestamp")
    if not LOGGER.isEnabledFor(level):
        return
    record = LOGGER.makeRecord(LOGGER.name, level, __file__, 0, message, (), None, extra={"datafeed": line})
    # When it happened, not when this thread came to it.
    late = record.created - milliseconds / 1000
    record.created -= late
    record.relativeCreated -= late * 1000
    record.msecs = float(milliseconds % 1000)
    LOGGER.handle(record)


@atexit.register
def _log_the_last_lines() -> None:
    """Close what is open at the interpreter's exit. Afterwards a daemon thread is stopped wherever it is."""
    for thread, handle in list(_forwarding.items()):
        handle.close()
        thread.join(_LAST_LINES_SECONDS)
