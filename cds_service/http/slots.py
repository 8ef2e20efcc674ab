"""How many calls are answered at once: a few more wait their turn for a moment, and all others are told at once to come back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from cds_service.errors import Overloaded


class Slots:
    """Places for calls: `at_once` are answered, `waiting` may wait `patience` seconds for a place, whoever came first."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        self._free = at_once
        self._waiting = waiting
        self._patience = patience
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[float]:
        """A place, with the seconds that the call waited for it. Raises Overloaded."""
        began = monotonic()
        turn = self._asked()
        if turn and not turn.wait(self._patience) and self._left(turn):
            raise Overloaded
        try:
            yield monotonic() - began
        finally:
            self._release()

    def _asked(self) -> threading.Event | None:
        """None for a place, else what tells that one was handed over. Raises Overloaded."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            if len(self._queue) >= self._waiting:
                raise Overloaded
            self._queue.append(turn := threading.Event())
            return turn

    def _left(self, turn: threading.Event) -> bool:
        """Leave the queue; False if a place was handed over meanwhile."""
        with self._lock:
            if turn.is_set():
                return False
            self._queue.remove(turn)
            return True

    def _release(self) -> None:
        """Hand the place to the first who waits."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1
