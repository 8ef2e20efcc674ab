"""A patient's resources in, the record out."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cds_service.fhir.gather import gather
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord
from tests import build

KNOWLEDGE = build.KNOWLEDGE
TODAY = Day(2026, 11, 22)
ME = {"reference": "Patient/p1"}
MCV = {"coding": [{"system": "http://loinc.org", "code": "787-2", "display": "MCV"}]}
CRP = {"coding": [{"system": "http://loinc.org", "code": "1988-5"}]}
UBA1 = {"coding": [{"system": "http://loinc.org", "code": "104268-8"}]}


def resource(kind: str, **members: Any) -> dict[str, Any]:
    """A resource of this patient."""
    return {"resourceType": kind, "id": "r1", "subject": ME, **members}


def observation(**members: Any) -> dict[str, Any]:
    """A final observation."""
    return resource("Observation", **{"status": "final", "code": MCV, "effectiveDateTime": "2026-11-01", **members})


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    """A searchset; what is already an entry stays one."""
    entries = [r if "resource" in r else {"resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


def gathered(*resources: Any, **patient: Any) -> PatientRecord:
    """The record of a patient with these resources."""
    who = {"resourceType": "Patient", "id": "p1", "birthDate": "1956-03-04", "gender": "male", **patient}
    kinds = {(r.get("resource", r)).get("resourceType") for r in resources}
    keys = {r.resource: key for key, r in KNOWLEDGE.requirements.items()}
    companions = ("Medication", "Patient")
    prefetch: dict[str, Any] = {"patient": who, "conditions": bundle()}
    for kind in kinds - set(companions):
        mine = [r for r in resources if (r.get("resource", r)).get("resourceType") in (kind, *companions)]
        prefetch[keys.get(kind, "conditions")] = bundle(*mine)
    return gathered_from(prefetch)


def gathered_from(prefetch: dict[str, Any]) -> PatientRecord:
    """The record of a whole prefetch."""
    raw = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in prefetch.items()}
    return gather(KNOWLEDGE.requirements, raw, "p1", TODAY)
