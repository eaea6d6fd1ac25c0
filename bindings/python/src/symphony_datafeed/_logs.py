"""The library's log, handed on to Python's `logging`."""

from __future__ import annotations

import functools
import logging
import traceback
from typing import Any

from . import _threads
from ._handle import Handle, json_object

LOGGER = logging.getLogger("symphony_datafeed")
# So that nothing is printed unless the program wants it. That is the convention for libraries.
LOGGER.addHandler(logging.NullHandler())

_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO}


def forward(handle: Handle) -> None:
    """Log each line of a feed from now on, until it is closed, in a thread."""
    _threads.start("datafeed-log", handle, functools.partial(_forward, handle))


def _forward(handle: Handle) -> None:
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
