"""Every fault of a FHIR server against every fullness of the prefetch: the kind of answer, and how long it took."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cds_service.dialects import DIALECTS
from cds_service.ehr.prefetch import hook_request
from cds_service.errors import CDSServiceError
from cds_service.invocation import Service
from cds_service.trust.addresses import address
from cds_service.trust.clients import Client, Clients
from tests.fakes import answer_of
from tests.faults import lies
from tests.faults.servers import Chart, serving
from tests.fixtures_.charts import INSTANCE, KNOWLEDGE, TEMPLATES, TODAY, bundle

PATIENT = "test-sweet-macrocytosis"
MODES = ("full", "partial", "none")
SENT = ("patient", "conditions", "bloodCounts")  # with a partial prefetch
DEADLINE = 0.6  # seconds; short, so that the matrix is quick
EXPECTED: list[dict[str, str]] = yaml.safe_load((Path(__file__).with_name("expected.yaml")).read_text(encoding="utf-8"))
_CALL = hook_request(bundle(PATIENT), TEMPLATES, "patient-view", INSTANCE)
# What this chart lacks wherever it stands.
_MISSING_ANYWAY = ["**Not available** Ferritin"]
_REFUSES, _HONEST = "refuses the connection", "answers as it should"


class Cell(NamedTuple):
    """One answer: what kind it is, the seconds it took, and its text."""

    kind: str
    seconds: float
    text: str


def service_for(base: str, deadline: float = DEADLINE, **members: Any) -> Service:
    """The service with one registered client, whose server is open."""
    client = Client(**{"name": "test", "dialect": DIALECTS["spec"], "server": address(base), "open": True, **members})
    return Service(KNOWLEDGE, "https://cds.example.org", lambda: TODAY, Clients([client]), deadline)


def call_for(base: str, mode: str) -> dict[str, Any]:
    """The call of the patient whose chart stands on a server, with all, some or none of the prefetch."""
    prefetch = {"full": _CALL["prefetch"], "partial": {key: _CALL["prefetch"][key] for key in SENT}, "none": None}[mode]
    call = {**{k: v for k, v in _CALL.items() if k != "prefetch"}, "fhirServer": base}
    return {**call, "prefetch": prefetch} if prefetch else call


@contextmanager
def server_that(fault: str) -> Iterator[str]:
    """The base URL of a server with a fault."""
    chart = Chart(bundle(PATIENT))
    if fault == _REFUSES:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused, and nobody else gets the port
            yield f"http://127.0.0.1:{taken.getsockname()[1]}/r4"
        return
    with serving(chart.honest if fault == _HONEST else lies.behaviour(fault, chart)) as running:
        yield running.base


def asked(service: Service, call: Mapping[str, Any]) -> Cell:
    """One call and what kind of answer it got."""
    started = time.perf_counter()
    try:
        answer = json.loads(answer_of(service, json.dumps(call).encode()).body)
    except CDSServiceError as error:
        return Cell(str(error.status), time.perf_counter() - started, error.public)
    return Cell(_kind(answer), time.perf_counter() - started, json.dumps(answer))


def _kind(answer: Mapping[str, Any]) -> str:
    """The kind of a 200 answer; `empty` is one that must never be: no card, and nothing said."""
    if answer["cards"]:
        missing = [line for card in answer["cards"] for line in card["detail"].splitlines() if line.startswith("**Not available**")]
        return "card" if missing == _MISSING_ANYWAY else "gaps"
    return "none" if answer.get("extension") else "empty"
