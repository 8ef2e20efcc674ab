"""How long an answer takes when nothing is sent along and the EHR's server takes its time with each query."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import slow_fhir, workload
from benchmarks.load import drive
from benchmarks.servers import OURS, Server, running
from cds_service.fhir.search import prefetch_templates
from cds_service.knowledge.loader import load

MILLISECONDS = 50
CONNECTIONS = (1, 4, 8)
_CLIENTS = Path(".run/benchmarks/clients.toml")


class Line(NamedTuple):
    """Medians of all runs with so many connections: milliseconds, and calls a second."""

    connections: int
    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float  # milliseconds of the service for each call


def measure(runs: int, seconds: float) -> Iterator[Line]:
    """Drive calls without a prefetch at the service as it is started, with a slow FHIR server beside it."""
    slow = Server("slow FHIR server", [sys.executable, "-m", "benchmarks.slow_fhir", "{port}", str(MILLISECONDS / 1000)], {}, "", b"")
    with running(slow) as server:
        base = f"http://127.0.0.1:{server.port}{slow_fhir.BASE}"
        _CLIENTS.write_text(f'[[client]]\nname = "bench"\nfhir_server = "{base}"\nopen = true\n', encoding="utf-8")
        ours = OURS._replace(environment={"CDS_HOST": "127.0.0.1", "CDS_PORT": "{port}", "CDS_CLIENTS": str(_CLIENTS), "CDS_DATABASE": "sqlite://"})
        context = {"userId": "Practitioner/bench", "patientId": workload.PATIENT_ID}
        call = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "fhirServer": base, "context": context}
        body = json.dumps(call).encode()
        with running(ours) as service:
            for connections in CONNECTIONS:
                found = []
                for _ in range(runs):
                    before = service.cpu_seconds()
                    one = drive(service.port, ours.path, body, ours.card, connections=connections, seconds=seconds)
                    found.append((one.rate, one.p50, one.p95, one.p99, (service.cpu_seconds() - before) / (one.calls + one.warm_up) * 1000))
                yield Line(connections, *(statistics.median(column) for column in zip(*found, strict=True)))


def table(lines: list[Line]) -> Iterator[str]:
    """The lines as a Markdown table, beside what one query after the other would take."""
    queries = len(prefetch_templates(load(None)))
    yield f"{queries} queries of {MILLISECONDS} ms each: one after the other they would take {queries * MILLISECONDS} ms."
    yield ""
    yield "| connections | calls/s | p50 ms | p95 ms | p99 ms | CPU ms/call |"
    yield "|---|---|---|---|---|---|"
    yield from (f"| {x.connections} | {x.rate:,.0f} | {x.p50:.0f} | {x.p95:.0f} | {x.p99:.0f} | {x.cpu:.1f} |" for x in lines)
