"""Discovery and hook calls over HTTP (CDS Hooks 2.0.1)."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from cds_service.fhir.search import prefetch_templates
from cds_service.http.body import read_body
from cds_service.invocation import Service
from cds_service.protocol.discovery import listing
from cds_service.protocol.response import encode
from cds_service.telemetry import event


def blueprint(service: Service) -> Blueprint:
    """GET /cds-services and POST /cds-services/{id}."""
    routes = Blueprint("protocol", __name__)
    discovery = encode(listing(service.knowledge, prefetch_templates(service.knowledge)))
    module = service.knowledge.module
    decided_by = {"knowledge": module.id, "version": module.version, "digest": service.knowledge.digest[:12]}

    @routes.get("/cds-services", strict_slashes=False)
    def discover() -> Response:
        return Response(discovery, content_type="application/json")

    @routes.post("/cds-services/<service_id>", strict_slashes=False)
    def call(service_id: str) -> Response:
        started = time.perf_counter()
        answer = service.call(service_id, read_body(request))
        spent = round((time.perf_counter() - started) * 1000, 2)
        event(
            "hook.answered",
            service=module.service.id,
            **decided_by,
            client=answer.client,
            trigger=answer.trigger or None,
            cards=len(answer.topics),
            topics=",".join(answer.topics),
            issues=answer.issues,
            ms=spent,
        )
        return Response(answer.body, content_type="application/json")

    return routes
