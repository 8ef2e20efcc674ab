"""Which charts were read where: every query of an EHR's FHIR server, in memory first and soon in the database."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from cds_service.errors import StorageUnavailable
from cds_service.fhir.audit import Observer, audit_event
from cds_service.fhir.fallback import Query
from cds_service.periodic import Periodic
from cds_service.storage import reading
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.records import Access
from cds_service.telemetry import event

SUCCESS = "success"
EVERY = 2.0  # seconds between two writes
_MOST_WAITING = 50_000  # accesses that are kept while the database is away
_AT_ONCE = 1000  # in one transaction, so that decisions need not wait long for theirs


class Accesses:
    """Keeps a record of each query, and writes it from a thread of its own, so that no answer waits for it.

    While the database is away accesses wait; those for which there is no room are lost and counted, and so are those that
    a process cannot write when it ends. A killed process loses what it has not written.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms, now: Callable[[], dt.datetime], every: float = EVERY) -> None:
        self.lost = 0
        self._database = database
        self._pseudonyms = pseudonyms
        self._now = now
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: deque[Access] = deque()
        self._told = 0  # losses that the log knows of
        self._written = Periodic(self.write, every, "accesses", last=self._finish)

    def add(self, client: str, hook: str, patient_id: str, query: Query) -> None:
        """Note a query that has ended, for a patient of a client's hook call; what is kept names the patient by pseudonym."""
        patient = self._pseudonyms.of(client, patient_id)
        outcome = query.reason or SUCCESS
        access = Access(query.id, self._now(), client, hook, patient, query.key, query.page, query.server, query.search, outcome)
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                self.lost += 1
            else:
                self._waiting.append(access)
        self._written.begin()

    def write(self) -> bool:
        """Write what waits; False if the database is away, and then it is kept."""
        with self._writing:
            self._tell()
            while batch := self._first():
                try:
                    self._database.work(lambda book, batch=batch: book.access(batch), durable=True)  # type: ignore[misc]
                except StorageUnavailable:
                    return False
                with self._lock:
                    for _ in batch:
                        self._waiting.popleft()
            return True

    def close(self) -> None:
        """Write what waits, and end."""
        self._written.close()

    def _first(self) -> list[Access]:
        with self._lock:
            return list(islice(self._waiting, _AT_ONCE))

    def _finish(self) -> None:
        """Write what waits; what cannot be written now never is."""
        self.write()
        with self._lock:
            self.lost += len(self._waiting)
            self._waiting.clear()
        self._tell()

    def _tell(self) -> None:
        """Log losses, each once."""
        if self.lost > self._told:
            event("accesses.lost", lost=self.lost - self._told)
            self._told = self.lost


def export(database: Database, which: reading.Accessed, us: Observer, say: Callable[[bytes], object]) -> int:
    """Say each access as a FHIR AuditEvent, in one line of JSON; how many there are. Raises StorageUnavailable."""

    def said(accesses: Iterable[Access]) -> int:
        count = 0
        for count, access in enumerate(accesses, 1):  # noqa: B007 - how far it came is the answer
            say(msgspec.json.encode(audit_event(access, us)))
        return count

    return database.read(lambda connection: said(reading.accesses(connection, which)))
