"""What clinicians answered about a patient, seen and lifted: for the command and for the page."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import NamedTuple

from cds_service.cards.snooze import Snooze, Snoozer
from cds_service.errors import CDSServiceError
from cds_service.invocation import ours
from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning.findings import Assessment
from cds_service.record.dates import Day
from cds_service.storage import records
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.records import Records
from cds_service.trust.clients import UNKNOWN, Clients


class UnknownClient(CDSServiceError):
    """A client that is not registered: nothing is ever silent for it, so an empty answer would reassure wrongly."""

    code = "unknown-client"
    status = 400
    issue_type = "invalid"


class Snoozes(NamedTuple):
    """The snoozes of every patient of every registered client."""

    database: Database
    pseudonyms: Pseudonyms
    knowledge: Knowledge
    clients: Clients

    def running(self, client: str, patient: str, today: Day) -> list[tuple[str, Snooze]]:
        """Each topic that is silent, by its code. Raises UnknownClient or StorageUnavailable."""
        names = self._names(client, patient)
        answered = self.database.work(lambda book: book.answered(client, *names))
        return list(Snoozer(self.knowledge).running([ours(a, self.knowledge, today) for a in answered], today))

    def told(self, patient: str, assessment: Assessment, client: str | None = None) -> list[tuple[str, str, Snooze, bool]]:
        """What was answered about a patient to each client or to one: client, topic's code, snooze, and whether it keeps the card away.

        Answers through clients that are not registered are told and keep nothing away. Raises StorageUnavailable.
        """
        found = []
        for name in (client,) if client else (*(c.name for c in self.clients.known), UNKNOWN.name):
            names = self.pseudonyms.every(name, patient)
            answers = [ours(a, self.knowledge, assessment.today) for a in self.database.work(partial(_answered, name, names))]
            snoozer = Snoozer(self.knowledge)
            for topic, snooze in snoozer.running(answers, assessment.today):
                new = snoozer.judged(snoozer.topic(topic), assessment, answers) or snooze
                found.append((name, topic, new, name != UNKNOWN.name))
        return found

    def lift(self, client: str, patient: str, now: dt.datetime) -> int:
        """Let what was answered so far silence nothing any more; how many answers that were. Raises as `running`."""
        names = self._names(client, patient)

        def lifted(book: Records) -> int:
            found = book.answered(client, *names)
            for name in names:
                book.lift(client, name, now)
            return len(found)

        return self.database.work(lifted, durable=True)

    def _names(self, client: str, patient: str) -> tuple[str, ...]:
        known = [c.name for c in self.clients.registered]
        if client not in [c.name for c in self.clients.known]:
            raise UnknownClient(f"There is no such client in clients.toml (CDS_CLIENTS). Use one of {', '.join(known) or 'none: it is not set'}.")
        return self.pseudonyms.every(client, patient.strip().removeprefix("Patient/"))


def _answered(client: str, names: tuple[str, ...], book: Records) -> list[records.Answered]:
    return book.answered(client, *names)
