"""What goes wrong meanwhile, and when: processes are killed, the database and the server of a client's keys go away and come back."""

from __future__ import annotations

import asyncio
import random
import subprocess
import threading
import time
from collections.abc import Callable

import psutil

from tests.faults.servers import Asked, answered
from tests.storage.postgresql import Server
from tests.trust.minting import EC, key_set

# In parts of the whole time.
KILLS = (0.15, 0.33, 0.46, 0.55, 0.67)
DATABASE_AWAY = ((0.33, 0.36), (0.75, 0.78))  # one of the kills is just before, so that a process begins without a database
KEYS_AWAY = (0.52, 0.58)  # one of the kills is then, so that a process begins without keys
_AROUND = 3.0  # seconds
_KEYS_PAUSE = 65.0  # seconds until a process asks again for keys that it could not have, and a little more


class KeyServer:
    """The server of a client's keys, which may hang."""

    def __init__(self) -> None:
        self.away = False

    async def behave(self, _asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer with the keys, or never."""
        if self.away:
            await asyncio.sleep(30)
            return False
        writer.write(answered(key_set(EC)))
        await writer.drain()
        return True


class Disasters:
    """Plays the schedule; remembers each window, so that what happens in one is not held against the service."""

    def __init__(self, seconds: float, service: subprocess.Popen[bytes], database: Server, keys: KeyServer) -> None:
        self._service = psutil.Process(service.pid)
        self._database = database
        self._keys = keys
        self._chance = random.Random(7)
        self.kills: list[float] = []
        self.database_away: list[tuple[float, float]] = []
        self.keys_away: list[tuple[float, float]] = []
        self._schedule = self._planned(seconds)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play, name="disasters")

    def begin(self) -> None:
        """Let it begin."""
        self._thread.start()

    def end(self) -> None:
        """Wait until everything is back."""
        self._over.set()
        self._thread.join()

    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return [child for child in self._service.children() if child.status() != psutil.STATUS_ZOMBIE]

    def breaks(self, moment: float) -> bool:
        """Whether a connection may have been broken by a kill."""
        return any(-_AROUND <= moment - kill <= _AROUND for kill in self.kills)

    def forgets(self, moment: float) -> bool:
        """Whether what was shown then may not have been recorded."""
        return self.breaks(moment) or any(start - _AROUND <= moment <= end + _AROUND for start, end in self.database_away)

    def locks_out(self, moment: float) -> bool:
        """Whether the client whose keys are fetched may have been refused."""
        return any(start <= moment <= end + _KEYS_PAUSE for start, end in self.keys_away)

    def _planned(self, seconds: float) -> list[tuple[float, Callable[[], None]]]:
        planned: list[tuple[float, Callable[[], None]]] = [(part * seconds, self._kill) for part in KILLS]
        for start, end in DATABASE_AWAY:
            planned += [(start * seconds, self._take_database), (end * seconds, self._bring_database)]
        planned += [(KEYS_AWAY[0] * seconds, self._take_keys), (KEYS_AWAY[1] * seconds, self._bring_keys)]
        return sorted(planned, key=lambda one: one[0])

    def _play(self) -> None:
        began = time.monotonic()
        for at, happen in self._schedule:
            self._over.wait(max(0.0, began + at - time.monotonic()))
            happen()

    def _kill(self) -> None:
        self.kills.append(time.monotonic())
        self._chance.choice(self.workers()).kill()

    def _take_database(self) -> None:
        self.database_away.append((time.monotonic(), float("inf")))
        self._database.stop()

    def _bring_database(self) -> None:
        self._database.start()
        self.database_away[-1] = (self.database_away[-1][0], time.monotonic() + 5)  # it is asked once in five seconds

    def _take_keys(self) -> None:
        self.keys_away.append((time.monotonic(), float("inf")))
        self._keys.away = True

    def _bring_keys(self) -> None:
        self._keys.away = False
        self.keys_away[-1] = (self.keys_away[-1][0], time.monotonic())
