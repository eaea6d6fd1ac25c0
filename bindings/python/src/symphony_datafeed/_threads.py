"""The wrapper's own threads, which wait in the library.

They are daemons, so that none keeps a program from ending. But the interpreter stops a daemon wherever it is; so before
it comes to that, at the exit, feeds that are open are closed, and the threads have a moment to end by themselves.
"""

from __future__ import annotations

import atexit
import threading
from typing import Callable

from ._handle import Handle

_LAST_SECONDS = 1.0
_running: dict[threading.Thread, Handle] = {}


def start(name: str, handle: Handle, run: Callable[[], None]) -> None:
    """Start a thread that comes to its end when the feed is closed. It does not keep the feed alive.

    Raises `RuntimeError` when the process has no thread left, or ends.
    """

    def run_and_leave() -> None:
        # Here, where Ctrl-C cannot come between this and the start.
        thread = threading.current_thread()
        _running[thread] = handle
        try:
            run()
        finally:
            del _running[thread]

    threading.Thread(target=run_and_leave, name=name, daemon=True).start()


@atexit.register
def _end() -> None:
    for thread, handle in list(_running.items()):
        handle.close()
        # In a forked child, which has none of the parent's threads, it does not wait.
        thread.join(_LAST_SECONDS)
