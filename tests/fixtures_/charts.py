"""The fixture patients, what they must lead to, and the service that answers them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cds_service.ehr.prefetch import hook_request
from cds_service.fhir.search import prefetch_templates
from cds_service.invocation import Service
from cds_service.record.dates import Day
from tests import build
from tests.fakes import ask

FOLDER = Path(__file__).parents[2] / "fixtures"
NAMES = sorted(path.stem for path in (FOLDER / "fhir").glob("*.json"))
EXPECTED = {e["fixture"]: e for e in yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))}
TODAY = Day(2026, 11, 22)
KNOWLEDGE = build.KNOWLEDGE
SERVICE = Service(KNOWLEDGE, "https://cds.example.org", lambda: TODAY)
TEMPLATES = prefetch_templates(KNOWLEDGE)
INSTANCE = "c0a80101-0000-4000-8000-000000000001"


@cache
def bundle(name: str) -> dict[str, Any]:
    """A fixture's Bundle."""
    return json.loads((FOLDER / "fhir" / f"{name}.json").read_text(encoding="utf-8"))


@cache
def answer(name: str) -> dict[str, Any]:
    """What the service answers for a fixture."""
    return answer_to(bundle(name))


def answer_to(patient: dict[str, Any]) -> dict[str, Any]:
    """What the service answers for a Bundle."""
    return ask(SERVICE, hook_request(patient, TEMPLATES, "patient-view", INSTANCE))
