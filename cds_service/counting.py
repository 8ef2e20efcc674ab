"""What is counted of every answer: in memory, and now and then in the database, so that an answer never waits for it."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from cds_service.errors import StorageUnavailable
from cds_service.knowledge.loader import Knowledge
from cds_service.periodic import Periodic
from cds_service.reasoning.findings import GeneticState, GeneticStatus
from cds_service.record.dates import Day
from cds_service.record.facts import Source
from cds_service.siblings import Numbers, Siblings
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.records import GeneResult, Tally, Visitor
from cds_service.trust.clients import UNKNOWN

EVERY = 10.0  # seconds between two writes
# Upper bounds in milliseconds; what takes longer than the last stands under the name that follows them.
BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2000)
LONGER = "longer"
_MOST = 100_000  # patients and results kept while the database is away
_RESULT = frozenset({GeneticState.CONFIRMED, GeneticState.UNCERTAIN, GeneticState.NEGATIVE})


class Visit(NamedTuple):
    """Of an answered call what is counted.

    `outcome` is shown (a card left), withheld (cards were made and none left) or nothing.
    """

    day: Day
    client: str
    hook: str
    patient_id: str
    outcome: str
    sources: Mapping[str, Source]
    genetics: GeneticStatus


class Counts:
    """Counts visits, and adds them to the database's counts from a thread of its own.

    What a killed process has not written yet is lost. If the database is away, it is tried again the next time.
    """

    def __init__(
        self,
        database: Database,
        pseudonyms: Pseudonyms,
        knowledge: Knowledge,
        today: Callable[[], Day],
        every: float = EVERY,
        siblings: Siblings | None = None,
    ) -> None:
        module = knowledge.module
        self.losses: dict[str, Callable[[], int]] = {}  # what could not be kept, by kind, as others count it
        self._spent: dict[str, float] = defaultdict(float)  # milliseconds by client
        self._since_start: Counter[tuple[str, str, str]] = Counter()  # by client, what and which
        self._siblings = siblings
        self._database = database
        self._pseudonyms = pseudonyms
        self._by = (module.service.id, knowledge.digest[:12], module.version)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._tallies: Counter[Tally] = Counter()
        self._visitors: set[Visitor] = set()
        self._results: dict[tuple[str, str], GeneResult] = {}  # the first of each client's patient
        self._today = today
        self._written = Periodic(self._write, every, "counts")

    def add(self, visit: Visit, milliseconds: float) -> None:
        """Count an answered call and how long it took."""
        service, digest, _ = self._by
        found = [("call", visit.outcome), ("hook", visit.hook), ("ms", _bucket(milliseconds))]
        found += [(source.value, key) for key, source in visit.sources.items() if source is not Source.READ]
        who = Visitor(visit.day, visit.client, service, digest, self._pseudonyms.to_count(visit.client, visit.patient_id))
        result = self._result(visit) if visit.genetics.state in _RESULT else None
        with self._lock:
            self._count(visit.day, visit.client, found)
            self._spent[visit.client] += milliseconds
            if len(self._visitors) < _MOST:
                self._visitors.add(who)
            if result and len(self._results) < _MOST:
                self._results.setdefault((result.client, result.patient), result)

    def refuse(self, code: str, client: str = UNKNOWN.name) -> None:
        """Count a call that was refused, by the error's code; whose it was only a token tells."""
        with self._lock:
            self._count(self._today(), client, [("refused", code)])

    def refuse_token(self, reason: str) -> None:
        """Count a token that was not accepted, by the reason."""
        with self._lock:
            self._count(self._today(), UNKNOWN.name, [("token", reason)])

    def take(self, stored: int, known: int, refused: int) -> None:
        """Count entries of feedback; they stand in the database themselves."""
        with self._lock:
            for result, number in (("stored", stored), ("known", known), ("refused", refused)):
                self._since_start[UNKNOWN.name, "feedback", result] += number

    def so_far(self) -> Numbers:
        """Everything since the service started, in all its processes; of those that are not asked it is ten seconds old at most."""
        return self._siblings.together(self._mine()) if self._siblings else self._mine()

    def _mine(self) -> Numbers:
        lost = {(UNKNOWN.name, "lost", kind): count() for kind, count in self.losses.items()}
        with self._lock:
            return {**self._since_start, **{(client, "spent", "ms"): spent for client, spent in self._spent.items()}, **lost}

    def write(self) -> bool:
        """Add what was counted to the database; False if it is away, and then it is kept."""
        with self._writing:
            with self._lock:
                tallies, visitors, results = self._tallies, self._visitors, self._results
                self._tallies, self._visitors, self._results = Counter(), set(), {}
            if not tallies:
                return True
            try:
                self._database.work(lambda book: book.count(tallies, visitors, results.values()))
            except StorageUnavailable:
                with self._lock:
                    self._tallies.update(tallies)
                    self._visitors |= visitors
                    self._results |= results  # which are older
                return False
            return True

    def close(self) -> None:
        """Write what waits, and end."""
        self._written.close()

    def _count(self, day: Day, client: str, found: Iterable[tuple[str, str]]) -> None:
        service, digest, version = self._by
        for what, which in found:
            self._tallies[Tally(day, client, service, digest, version, what, which)] += 1
            self._since_start[client, what, which] += 1
        self._written.begin()

    def _write(self) -> None:
        self.write()
        if self._siblings:
            self._siblings.keep(self._mine())

    def _result(self, visit: Visit) -> GeneResult:
        patient = self._pseudonyms.of(visit.client, visit.patient_id)
        return GeneResult(visit.client, self._by[0], patient, visit.genetics.state.value, visit.genetics.on, visit.day)


def _bucket(milliseconds: float) -> str:
    place = bisect_left(BOUNDS, milliseconds)
    return str(BOUNDS[place]) if place < len(BOUNDS) else LONGER
