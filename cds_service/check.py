"""Checks everything that ships with a knowledge module: its files, value sets, cases, and fixtures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cds_service.errors import CDSServiceError
from cds_service.fhir import strict
from cds_service.knowledge.loader import Knowledge, load
from cds_service.protocol import schema
from cds_service.reasoning import casebook
from cds_service.reasoning.coverage import uncovered


class Report(NamedTuple):
    """What was checked, and what is wrong with it (place, fault and remedy in each sentence)."""

    counts: dict[str, int]
    faults: tuple[str, ...]


def check(folder: Path | None, fixtures: Path | None) -> Report:
    """Check a module and, if a folder is given, the fixtures that go with it. Raises KnowledgeError if it cannot be loaded."""
    knowledge = load(folder)
    outcomes = list(casebook.run(knowledge))
    found = [f"{o.place}: {o.case.name}: {fault}." for o in outcomes for fault in o.faults]
    found += uncovered(knowledge)
    counts = {
        "red flags": len(knowledge.red_flags),
        "alternatives": len(knowledge.alternatives),
        "rules": len(knowledge.rules),
        "recommendations": len(knowledge.recommendations),
        "value sets": len(knowledge.value_sets),
        "codes": len(knowledge.concepts),
        "unverified codes": _unverified(knowledge),
        "citations": len(knowledge.citations),
        "cases": len(outcomes),
    }
    if fixtures is not None:
        bundles = sorted((fixtures / "fhir").glob("*.json"))
        counts["fixtures"] = len(bundles)
        found += [fault for path in bundles for fault in _bundle_faults(path)]
        for kind, name in (("requests", "hook-request.patient-view.schema.json"), ("cards", "service-response.schema.json")):
            paths = sorted((fixtures / kind).glob("*.json"))
            counts[kind] = len(paths)
            found += [f"{path.name}: {fault}" for path in paths for fault in schema.faults(name, _json(path))]
        found += [fault for path in sorted((fixtures / "cards").glob("*.json")) for fault in _draft_faults(path)]
    return Report(counts, tuple(found))


def _unverified(knowledge: Knowledge) -> int:
    return sum(c.verification == "unverified-high" for v in knowledge.value_sets.values() for c in v.concepts)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CDSServiceError(f"{path}: not JSON ({error}). Correct or remove it.") from None


def _bundle_faults(path: Path) -> Iterator[str]:
    bundle = _json(path)
    yield from (f"{path.name}: {fault}. Correct the resource." for fault in strict.faults(bundle))


def _draft_faults(path: Path) -> Iterator[str]:
    """Every resource that a golden response would create must be valid FHIR R4B."""
    for card in _json(path).get("cards", []):
        for action in (a for s in card.get("suggestions", []) for a in s.get("actions", [])):
            yield from (f"{path.name}: {fault}" for fault in strict.faults(action["resource"]))
