"""Whether the process lives, and what it can do at this moment."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.auditing import Accesses
from cds_service.protocol.response import encode
from cds_service.recording import Recorder


def blueprint(recorder: Recorder, accesses: Accesses) -> Blueprint:
    """GET /livez and /readyz.

    Cards leave without a database, so one that is away takes no process out of service; it is said, with what was lost.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def live() -> Response:
        return Response(b'{"status":"alive"}', content_type="application/json")

    @routes.get("/readyz")
    def ready() -> Response:
        answers = "answers" if recorder.database_answers() else "away"
        state = {"status": "ready", "database": answers, "decisionsLost": recorder.lost, "accessesLost": accesses.lost}
        return Response(encode(state), content_type="application/json")

    return routes
