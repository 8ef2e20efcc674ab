"""How often each client calls: an even flow, a sixth of a minute's calls at once. Of one process; it remembers a moment for each client."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic

_AT_ONCE = 10.0  # so many seconds' worth of calls may come together


class Rates:
    """Says of each call whether it is one too many, by the generic cell rate algorithm."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}  # when the next call of a client would be due, did they come evenly
        self._lock = threading.Lock()

    def wait(self, client: str, per_minute: int) -> int:
        """The seconds that a client has to wait before it may call; 0 if it may now, and then this call is counted."""
        now, apart = self._clock(), 60 / per_minute
        with self._lock:
            due = max(self._next.get(client, now), now)
            early = due - now - max(0.0, _AT_ONCE - apart)
            if early > 0:
                return math.ceil(early)
            self._next[client] = due + apart
            return 0
