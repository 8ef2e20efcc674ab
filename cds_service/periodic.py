"""Work that is done every few seconds in a thread of its own, so that no answer waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from multiprocessing.util import Finalize


class Periodic:
    """Does something every so many seconds from the moment it is begun, and `last` (or the same once more) when the process ends."""

    def __init__(self, work: Callable[[], object], every: float, name: str, last: Callable[[], object] | None = None) -> None:
        self._work = work
        self._last = last or work
        self._every = every
        self._name = name
        self._beginning = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._at_exit: Finalize | None = None

    def begin(self) -> None:
        """Start, if that has not been done: not before there is work, since a process that is forked takes no thread along."""
        if self._thread is not None:
            return
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(target=self._now_and_then, name=self._name, daemon=True)
                self._thread.start()
                self._at_exit = Finalize(None, self.close, exitpriority=0)  # a server's process that was forked runs no atexit functions

    def close(self) -> None:
        """Do the work a last time, and end."""
        if self._at_exit:
            self._at_exit.cancel()
        self._closed.set()
        if self._thread:
            self._thread.join()
            self._last()

    def _now_and_then(self) -> None:
        while not self._closed.wait(self._every):
            self._work()
