"""Writes fixtures/requests and fixtures/cards from the fixture patients: what an EHR sends, and what it gets.

A golden file changes only in a commit whose message says what clinicians will see differently.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from cds_service.ehr.prefetch import hook_request
from cds_service.fhir.search import prefetch_templates
from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from tests.fakes import ask

FIXTURES = Path(__file__).parent.parent / "fixtures"
TODAY = dt.date(2026, 11, 22)
BASE_URL = "http://127.0.0.1:8080"
# One request per topic is kept as a file to read and to paste; the others are built from the Bundles when they are needed.
KEPT_REQUESTS = (
    "test-sweet-macrocytosis",
    "consider-polychondritis-normal-mcv",
    "confirmed-variant-observation",
    "uncertain-low-vaf",
    "negative-limited-assay",
    "lookalike-alcohol",
    "messy-chart",
)


def names() -> list[str]:
    """The fixture patients."""
    return sorted(path.stem for path in (FIXTURES / "fhir").glob("*.json"))


def service() -> Service:
    """The service as the golden files see it."""
    return Service(load(), BASE_URL, lambda: TODAY)


def request_for(running: Service, name: str) -> dict[str, Any]:
    """The hook request of one fixture patient."""
    bundle = json.loads((FIXTURES / "fhir" / f"{name}.json").read_text(encoding="utf-8"))
    knowledge = running.knowledge
    return hook_request(bundle, prefetch_templates(knowledge), knowledge.module.service.hooks[0], str(uuid.uuid5(uuid.NAMESPACE_URL, name)))


def pretty(value: Any) -> str:
    """JSON as the golden files are written."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def answer_for(running: Service, name: str) -> Any:
    """The response to one fixture patient."""
    return ask(running, request_for(running, name))


def main() -> None:
    """Write every golden file, and say which changed."""
    running = service()
    for folder, wanted, make in (("requests", KEPT_REQUESTS, request_for), ("cards", names(), answer_for)):
        (FIXTURES / folder).mkdir(exist_ok=True)
        for name in wanted:
            path = FIXTURES / folder / f"{name}.json"
            text = pretty(make(running, name))
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                print(f"changed {path.relative_to(FIXTURES.parent)}")


if __name__ == "__main__":
    sys.exit(main())
