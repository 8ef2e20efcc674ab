"""Discovery and hook calls over HTTP (CDS Hooks 2.0.1)."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, request

from cds_service.counting import Counts
from cds_service.errors import CDSServiceError
from cds_service.feedback import Desk, Taken
from cds_service.fhir.search import prefetch_templates
from cds_service.http.body import read_body
from cds_service.http.gate import Gate
from cds_service.http.slots import Slots
from cds_service.invocation import Service
from cds_service.protocol.discovery import listing
from cds_service.protocol.response import encode, joined, operation_outcome
from cds_service.telemetry import event
from cds_service.trust.clients import UNKNOWN


def blueprint(service: Service, desk: Desk, counts: Counts, gate: Gate, slots: Slots) -> Blueprint:
    """GET /cds-services, POST /cds-services/{id} and POST /cds-services/{id}/feedback."""
    routes = Blueprint("protocol", __name__)
    discovery = encode(listing(service.knowledge, prefetch_templates(service.knowledge)))
    module = service.knowledge.module
    decided_by = {"knowledge": module.id, "version": module.version, "digest": service.knowledge.digest[:12]}

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        gate.discover()
        return Response(discovery, content_type="application/json")

    @routes.post("/cds-services/<service_id>", strict_slashes=False)
    def call(service_id: str) -> Response:
        started, caller = time.perf_counter(), None
        try:
            caller = gate.caller()
            body = read_body(request)
            with slots.taken() as waited:
                answer = service.call(service_id, body, caller, waited)
        except CDSServiceError as error:
            counts.refuse(error.code, (caller or UNKNOWN).name)
            raise
        spent = round((time.perf_counter() - started) * 1000, 2)
        counts.add(answer.visit, spent)
        event(
            "hook.answered",
            service=module.service.id,
            **decided_by,
            client=answer.visit.client,
            trigger=answer.trigger or None,
            cards=len(answer.topics),
            topics=",".join(answer.topics),
            issues=answer.issues,
            ms=spent,
        )
        return Response(answer.body, content_type="application/json")

    @routes.post("/cds-services/<service_id>/feedback", strict_slashes=False)
    def feedback(service_id: str) -> Response:
        caller = gate.caller(within="/feedback")
        body = read_body(request)
        with slots.taken():
            taken = desk.take(service_id, body, caller.name if caller else None)
        counts.take(taken.stored, taken.known, len(taken.refused))
        client = caller.name if caller else None
        event("feedback.taken", service=module.service.id, client=client, stored=taken.stored, known=taken.known, refused=len(taken.refused))
        return Response(encode(_told(taken)), status=400 if taken.refused else 200, content_type="application/json")

    return routes


def _told(taken: Taken) -> dict[str, Any]:
    """What became of each entry: those that were refused with their place, the others by their number."""
    count = taken.stored + taken.known
    stored = f"{count} {'entry is' if count == 1 else 'entries are'} stored{f', {taken.known} of them since before' if taken.known else ''}."
    refused = [operation_outcome(e.code, e.issue_type, e.public, e.place) for e in taken.refused]
    return joined([*refused, operation_outcome("feedback-stored", "informational", stored, severity="information")])
