"""Decisions on their way to the database. An answer leaves whether or not it can be recorded; what is lost is counted."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, TypeVar

from cds_service.cards.snooze import Snooze
from cds_service.errors import StorageUnavailable
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol.response import Card
from cds_service.reasoning.findings import Assessment
from cds_service.reasoning.truth import Truth
from cds_service.storage import records
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.telemetry import event

T = TypeVar("T")
_SAID = {truth: truth.value for truth in Truth}  # an Enum's own value costs a call each time
_SETTLED = 1.0  # seconds that feedback waits for decisions that are on their way
_WORKERS = 4
_MOST_WAITING = 256  # with more waiting the database is not there


class Call(NamedTuple):
    """Of a call what its record tells: who called by which hook, and whose chart it was."""

    client: str
    hook: str
    hook_instance: str
    patient_id: str


class Outcome(NamedTuple):
    """A card that was made, what it rests on, and why it is withheld, if it is: for a snooze, which one."""

    card: Card
    evidence: tuple[str, ...] = ()
    withheld: str | None = None
    snooze: Snooze | None = None


class Recorder:
    """Writes the decision of each call that led to a card; a call that led to none touches no disk.

    Other threads work with the database. An answer waits for them, so that its record is there when it leaves, but for no
    more seconds than `patience`.
    """

    def __init__(
        self, database: Database, pseudonyms: Pseudonyms, knowledge: Knowledge, now: Callable[[], dt.datetime], patience: float = 0.25
    ) -> None:
        self.lost = 0
        self._database = database
        self._pseudonyms = pseudonyms
        self._knowledge = knowledge
        self._now = now
        self._patience = patience
        self._counting = threading.Lock()
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, knowledge.module.namespace)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="decisions")
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._on_their_way: set[Future[Any]] = set()

    def decide(self, call: Call, assessment: Assessment, judge: Callable[[list[records.Answered]], Mapping[str, Outcome]]) -> Mapping[str, Outcome]:
        """What `judge` makes of the cards, by topic, told what clinicians did with earlier ones; it is recorded.

        If the database does not answer in a moment, nothing counts as answered before; what left is recorded as soon as it does.
        """
        names = self._pseudonyms.every(call.client, call.patient_id)
        deciding = threading.Lock()
        decided: list[Mapping[str, Outcome]] = []  # by the writer, or by the answer that has waited long enough: whoever is first

        def agreed(outcomes: Mapping[str, Outcome]) -> Mapping[str, Outcome]:
            with deciding:
                decided.append(outcomes)
                return decided[0]

        def work(book: records.Records) -> Mapping[str, Outcome]:
            outcomes = agreed(judge(book.answered(call.client, *names)))
            book.record(self._decision(call, names[0], assessment, outcomes.values()))
            return outcomes

        future = self._started(work, call.client)
        if future is None:
            return judge([])
        done, _ = wait([future], timeout=self._patience)
        # A commit may take for ever: what was decided leaves, whether or not it is ever written.
        return (future.result() if done else None) or agreed(judge([]))

    def settle(self) -> None:
        """Wait for the decisions that are on their way, but not for ever: what is said of their cards comes after them."""
        wait(tuple(self._on_their_way), timeout=_SETTLED)

    def database_answers(self) -> bool:
        """Whether a decision could be written now."""
        return self._database.answers()

    def close(self) -> None:
        """Write what waits, and end."""
        self._workers.shutdown()
        self._database.close()

    def _started(self, work: Callable[[records.Records], T], client: str) -> Future[T | None] | None:
        """What will be answered in another thread, None in it if the database was away; None at once if too much waits."""
        if not self._waiting.acquire(blocking=False):
            self._lose(client)
            return None

        def run() -> T | None:
            try:
                return self._database.work(work)
            except StorageUnavailable:
                self._lose(client)
                return None
            finally:
                self._waiting.release()

        future = self._workers.submit(run)
        self._on_their_way.add(future)
        future.add_done_callback(self._on_their_way.discard)
        return future

    def _lose(self, client: str) -> None:
        with self._counting:
            self.lost += 1
        event("decision.lost", client=client)

    def _decision(self, call: Call, patient: str, assessment: Assessment, outcomes: Iterable[Outcome]) -> records.Decision:
        module = self._knowledge.module
        return records.Decision(
            id=str(uuid.uuid5(self._namespace, f"decision|{module.service.id}|{patient}|{call.hook_instance}")),
            at=self._now(),
            client=call.client,
            service=module.service.id,
            hook=call.hook,
            patient=patient,
            day=assessment.today,
            tier=assessment.tier,
            genetics=assessment.genetics.state.value,
            findings={name: _SAID[finding.truth] for name, finding in assessment.findings.items()},
            knowledge=module.id,
            version=module.version,
            digest=self._knowledge.digest,
            cards=tuple(_issued(outcome) for outcome in outcomes),
        )


def _issued(outcome: Outcome) -> records.IssuedCard:
    card = outcome.card
    return records.IssuedCard(
        uuid=card.uuid,
        topic=card.source.topic.code if card.source.topic else "",
        indicator=card.indicator,
        suggestions={s.uuid: s.label for s in card.suggestions or ()},
        evidence=outcome.evidence,
        withheld=outcome.withheld,
    )
