"""Decisions on their way to the database. An answer leaves whether or not it can be recorded; what is lost is counted."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

from cds_service.errors import StorageUnavailable
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol.response import Card
from cds_service.reasoning.findings import Assessment
from cds_service.storage import records
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.telemetry import event

_PATIENCE = 0.25  # seconds that an answer waits for its record
_MOST_WAITING = 256  # decisions; more are lost, since the database is not there


class Call(NamedTuple):
    """Of a call what its record tells: who called by which hook, and whose chart it was."""

    client: str
    hook: str
    hook_instance: str
    patient_id: str


class Recorder:
    """Writes the decision of each call that led to a card; a call that led to none touches no disk.

    One thread writes. An answer waits for it, so that its record is there when it leaves, but only for a moment.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms, knowledge: Knowledge, now: Callable[[], dt.datetime]) -> None:
        self.lost = 0
        self._database = database
        self._pseudonyms = pseudonyms
        self._knowledge = knowledge
        self._now = now
        self._counting = threading.Lock()
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, knowledge.module.namespace)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="decisions")
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def record(self, call: Call, assessment: Assessment, cards: tuple[Card, ...]) -> None:
        """Write a decision with its cards. Never raises for a database that is away, and never waits for it long."""
        decision = self._decision(call, assessment, cards)
        if self._waiting.acquire(blocking=False):
            wait([self._writer.submit(self._write, decision)], timeout=_PATIENCE)
        else:
            self._lose(decision)

    def close(self) -> None:
        """Write what waits, and end."""
        self._writer.shutdown()
        self._database.close()

    def _write(self, decision: records.Decision) -> None:
        try:
            self._database.work(lambda book: book.record(decision))
        except StorageUnavailable:
            self._lose(decision)
        finally:
            self._waiting.release()

    def _lose(self, decision: records.Decision) -> None:
        with self._counting:
            self.lost += 1
        event("decision.lost", client=decision.client)

    def database_answers(self) -> bool:
        """Whether a decision could be written now."""
        return self._database.answers()

    def _decision(self, call: Call, assessment: Assessment, cards: tuple[Card, ...]) -> records.Decision:
        module = self._knowledge.module
        return records.Decision(
            id=str(uuid.uuid5(self._namespace, f"decision|{module.service.id}|{call.client}|{call.hook_instance}")),
            at=self._now(),
            client=call.client,
            service=module.service.id,
            hook=call.hook,
            patient=self._pseudonyms.of(call.client, call.patient_id),
            day=assessment.today,
            tier=assessment.tier,
            genetics=assessment.genetics.state.value,
            findings={name: finding.truth.value for name, finding in sorted(assessment.findings.items())},
            knowledge=module.id,
            version=module.version,
            digest=self._knowledge.digest,
            cards=tuple(_shown(card) for card in cards),
        )


def _shown(card: Card) -> records.ShownCard:
    topic = card.source.topic
    return records.ShownCard(
        uuid=card.uuid,
        topic=topic.code if topic else "",
        indicator=card.indicator,
        suggestions={s.uuid: s.label for s in card.suggestions or ()},
    )
