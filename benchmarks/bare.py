"""The yardstick: an endpoint that decodes the whole body and answers with one constant card."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

from cds_service.app import spare_the_collector

CARD = {
    "uuid": "a95a467f-cc29-5d5e-8d5b-c185d9e880b4",
    "summary": "A constant card",
    "indicator": "info",
    "source": {"label": "Bare endpoint"},
}


def spared_app() -> Flask:
    """The same with the collector as the service has it, which spares it thousands of dicts and lists at each decode."""
    app = bare_app()
    spare_the_collector()
    return app


def bare_app() -> Flask:
    """Flask and orjson, nothing else."""
    app = Flask(__name__)

    @app.post("/cds-services/vexas")
    def call() -> Response:
        body = orjson.loads(request.environ["wsgi.input"].read())
        cards = [CARD] if body["context"]["patientId"] else []
        return Response(orjson.dumps({"cards": cards}), content_type="application/json")

    return app
