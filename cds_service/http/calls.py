"""The way of every call through the service, whoever brings it: it takes its turn, is answered, counted and logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from cds_service.counting import Counts
from cds_service.errors import CDSServiceError
from cds_service.feedback import Desk, Taken
from cds_service.http.slots import Slots
from cds_service.invocation import Answer, Service
from cds_service.protocol.response import encode, joined, operation_outcome
from cds_service.telemetry import event
from cds_service.trust.clients import UNKNOWN, Client


class Answered(NamedTuple):
    """An answer, and the milliseconds that it took."""

    answer: Answer
    spent: float


class Calls:
    """Hook calls and feedback of one service."""

    def __init__(self, service: Service, desk: Desk, counts: Counts, slots: Slots) -> None:
        self.service = service
        self._desk = desk
        self._counts = counts
        self._slots = slots
        module = service.knowledge.module
        self._of = {"service": module.service.id}
        self._decided_by = {**self._of, "knowledge": module.id, "version": module.version, "digest": service.knowledge.digest[:12]}

    def hook(self, service_id: str, who: Callable[[], Client | None], what: Callable[[], bytes]) -> Answered:
        """The answer to a hook call: `who` says whose it is before `what` brings its body. Raises CDSServiceError."""
        started, caller = time.perf_counter(), None
        try:
            caller = who()
            body = what()
            with self._slots.taken() as waited:
                answer = self.service.call(service_id, body, caller, waited)
        except CDSServiceError as error:
            self._counts.refuse(error.code, (caller or UNKNOWN).name)
            raise
        spent = round((time.perf_counter() - started) * 1000, 2)
        self._counts.add(answer.visit, spent)
        event(
            "hook.answered",
            **self._decided_by,
            client=answer.visit.client,
            trigger=answer.trigger or None,
            cards=len(answer.topics),
            topics=",".join(answer.topics),
            issues=answer.issues,
            ms=spent,
        )
        return Answered(answer, spent)

    def feedback(self, service_id: str, who: Callable[[], Client | None], what: Callable[[], bytes]) -> tuple[bytes, int]:
        """The answer to feedback, and its status. Raises CDSServiceError where nothing of it was read."""
        caller = who()
        body = what()
        client = caller.name if caller else None
        with self._slots.taken():
            taken = self._desk.take(service_id, body, client)
        self._counts.take(taken.stored, taken.known, len(taken.refused))
        event("feedback.taken", **self._of, client=client, stored=taken.stored, known=taken.known, refused=len(taken.refused))
        return encode(_told(taken)), 400 if taken.refused else 200


def _told(taken: Taken) -> dict[str, Any]:
    """What became of each entry: those that were refused with their place, the others by their number."""
    count = taken.stored + taken.known
    stored = f"{count} {'entry is' if count == 1 else 'entries are'} stored{f', {taken.known} of them since before' if taken.known else ''}."
    refused = [operation_outcome(e.code, e.issue_type, e.public, e.place) for e in taken.refused]
    return joined([*refused, operation_outcome("feedback-stored", "informational", stored, severity="information")])
