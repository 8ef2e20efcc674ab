"""Discovery and hook calls over HTTP (CDS Hooks 2.0.1)."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from cds_service.fhir.search import prefetch_templates
from cds_service.http.body import read_body
from cds_service.http.calls import Calls
from cds_service.http.gate import Gate
from cds_service.protocol.discovery import listing
from cds_service.protocol.response import encode

_JSON = "application/json"


def blueprint(calls: Calls, gate: Gate) -> Blueprint:
    """GET /cds-services, POST /cds-services/{id} and POST /cds-services/{id}/feedback."""
    routes = Blueprint("protocol", __name__)
    knowledge = calls.service.knowledge
    discovery = encode(listing(knowledge, prefetch_templates(knowledge)))

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        gate.discover()
        return Response(discovery, content_type=_JSON)

    @routes.post("/cds-services/<service_id>", strict_slashes=False)
    def call(service_id: str) -> Response:
        answered = calls.hook(service_id, gate.caller, partial(read_body, request))
        return Response(answered.answer.body, content_type=_JSON)

    @routes.post("/cds-services/<service_id>/feedback", strict_slashes=False)
    def feedback(service_id: str) -> Response:
        body, status = calls.feedback(service_id, partial(gate.caller, within="/feedback"), partial(read_body, request))
        return Response(body, status=status, content_type=_JSON)

    return routes
