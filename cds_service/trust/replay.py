"""Each token is used once: its jti is remembered for as long as it could come again, as a hash.

In memory where one process answers, in the database where several may.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from cds_service.errors import SettingsError, StorageUnavailable, TokensUnchecked
from cds_service.storage.database import RETRY_AFTER, Database

_PATIENCE = 2.0  # seconds for a turn at the database
_AT_ONCE = 8
SWEPT_EVERY = 600.0  # seconds between two removals of what has expired


class UsedTokens(Protocol):
    """The tokens that were used."""

    def use(self, client: str, jti: str, until: float, now: float) -> bool:
        """Remember a token until a moment; False if it was used before. Raises TokensUnchecked."""
        ...


def used_tokens(database: Database, workers: int) -> UsedTokens:
    """In the database if another process may answer the next call. Raises SettingsError where these share none."""
    if database.in_memory and workers > 1:
        raise SettingsError(
            "CDS_DATABASE is in memory, so each of the CDS_WORKERS would take a token once. Name a file or a PostgreSQL server, or use one worker."
        )
    alone = workers == 1 and (database.in_memory or database.file is not None)
    return InMemory() if alone else InDatabase(database)


def named(client: str, jti: str) -> str:
    """A token's name, from which its jti cannot be read."""
    return hashlib.sha256(f"{client}\0{jti}".encode("utf-8", "surrogatepass")).hexdigest()


class InMemory:
    """For one process, and until it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[str] = set()
        self._ends: list[tuple[float, str]] = []

    def use(self, client: str, jti: str, until: float, now: float) -> bool:
        """Remember a token until a moment; False if it was used before."""
        name = named(client, jti)
        with self._lock:
            while self._ends and self._ends[0][0] < now:
                self._used.discard(heapq.heappop(self._ends)[1])
            if name in self._used:
                return False
            self._used.add(name)
            heapq.heappush(self._ends, (until, name))
            return True


class InDatabase:
    """For every process that shares a database. If it does not answer, nobody is let in."""

    def __init__(self, database: Database, start: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._database = database
        self._start = start or _in_background
        # SQLite has one writer at a time, and lets those who wait try again and again: a queue is fairer than that.
        self._turns = threading.BoundedSemaphore(1 if database.file else _AT_ONCE)
        self._lock = threading.Lock()
        self._swept: float | None = None

    def use(self, client: str, jti: str, until: float, now: float) -> bool:
        """Remember a token until a moment; False if it was used before. Raises TokensUnchecked."""
        if not self._turns.acquire(timeout=_PATIENCE):
            raise TokensUnchecked(RETRY_AFTER)
        try:
            first = self._database.soon(lambda book: book.use_token(client, named(client, jti), _moment(until), _moment(now)))
        except StorageUnavailable as error:
            raise TokensUnchecked(error.retry_after) from None
        finally:
            self._turns.release()
        if self._is_due(now):
            self._start(lambda: self._sweep(now))
        return first

    def _is_due(self, now: float) -> bool:
        with self._lock:
            due = self._swept is None or not 0 <= now - self._swept < SWEPT_EVERY
            if due:
                self._swept = now
            return due

    def _sweep(self, now: float) -> None:
        with suppress(StorageUnavailable):  # it is tried again the next time
            self._database.work(lambda book: book.forget_tokens(_moment(now)))


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _in_background(what: Callable[[], None]) -> None:
    threading.Thread(target=what, name="used-tokens", daemon=True).start()
