"""Checks everything that ships with a knowledge module: its files, value sets, cases, and fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cds_service.ehr.files import read_json
from cds_service.fhir import strict
from cds_service.knowledge.loader import Knowledge, load
from cds_service.protocol import schema
from cds_service.reasoning import casebook
from cds_service.reasoning.account import account_of
from cds_service.reasoning.coverage import uncited, uncovered


class Report(NamedTuple):
    """What was checked, and what is wrong with it (place, fault and remedy in each sentence)."""

    counts: dict[str, int]
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()  # worth knowing, and no fault
    accounts: tuple[str, ...] = ()  # failing cases with their charts


def check(folder: Path | None, fixtures: Path | None) -> Report:
    """Check a module and, if a folder is given, the fixtures that go with it. Raises KnowledgeError if it cannot be loaded."""
    knowledge = load(folder)
    outcomes = list(casebook.run(knowledge))
    found = [f"{o.place}: {o.case.name}: {fault}." for o in outcomes for fault in o.faults]
    found += uncovered(knowledge, outcomes)
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
        if not bundles:
            found.append(f"{fixtures}: no FHIR Bundles in fhir/. Name a folder whose fhir/ holds Bundles as *.json.")
        found += [fault for path in bundles for fault in _bundle_faults(path)]
        for kind, name in (("requests", "hook-request.patient-view.schema.json"), ("cards", "service-response.schema.json")):
            paths = sorted((fixtures / kind).glob("*.json"))
            counts[kind] = len(paths)
            found += [f"{path.name}: {fault}" for path in paths for fault in schema.faults(name, read_json(path))]
        found += [fault for path in sorted((fixtures / "cards").glob("*.json")) for fault in _draft_faults(path)]
    idle = sorted(uncited(knowledge))
    notes = (f"citations.yaml: nothing cites {', '.join(idle)}.",) if idle else ()
    return Report(counts, tuple(found), notes, tuple(account_of(knowledge, o) for o in outcomes if o.faults))


def _unverified(knowledge: Knowledge) -> int:
    return sum(c.verification == "unverified-high" for v in knowledge.value_sets.values() for c in v.concepts)


def _bundle_faults(path: Path) -> Iterator[str]:
    bundle = read_json(path)
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        yield f"{path.name}: no FHIR Bundle. Correct or remove it."
        return
    yield from (f"{path.name}: {fault}. Correct the resource." for fault in strict.faults(bundle))


def _draft_faults(path: Path) -> Iterator[str]:
    """Every resource that a golden response would create must be valid FHIR R4B."""
    for card in read_json(path).get("cards", []):
        for action in (a for s in card.get("suggestions", []) for a in s.get("actions", [])):
            yield from (f"{path.name}: {fault}" for fault in strict.faults(action["resource"]))
