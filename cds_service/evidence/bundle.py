"""A whole chart in one Bundle, read as a record."""

from __future__ import annotations

from typing import Any

import msgspec

from cds_service.ehr.prefetch import PATIENT_ID, whole_chart
from cds_service.errors import InvalidRequest
from cds_service.fhir.gather import gather
from cds_service.knowledge.loader import Knowledge
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord


def entries(chart: Any, name: str) -> dict[str, Any]:
    """A Bundle whose entries are objects. Raises InvalidRequest, which says what to do with `name`."""
    if not isinstance(chart, dict) or chart.get("resourceType") != "Bundle" or not isinstance(chart.get("entry"), list):
        raise InvalidRequest(f"{name}: no FHIR Bundle with entries. Give a Bundle that holds the Patient and the chart.", place="/entry")
    return {**chart, "entry": [e for e in chart["entry"] if isinstance(e, dict)]}


def patient_id(chart: dict[str, Any], name: str) -> str:
    """The id of the one patient of a Bundle. Raises InvalidRequest."""
    resources = [e["resource"] for e in chart["entry"] if isinstance(e.get("resource"), dict)]
    ids = [r.get("id") for r in resources if r.get("resourceType") == "Patient"]
    usable = [i for i in ids if isinstance(i, str) and PATIENT_ID.fullmatch(i)]
    found = set(usable)
    if len(found) != 1 or len(usable) != len(ids):
        text = f"{len(ids)} Patients with {len(found)} usable ids. Give a Bundle of one patient, with an id without blanks, / ? or #."
        raise InvalidRequest(f"{name}: {text}", place="/entry")
    return found.pop()


def record_of(chart: Any, knowledge: Knowledge, today: Day, name: str) -> PatientRecord:
    """The record of the one patient of a Bundle. Raises CDSServiceError."""
    bundle = entries(chart, name)
    kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
    prefetch = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in whole_chart(bundle, kinds).items()}
    return gather(knowledge.requirements, prefetch, patient_id(bundle, name), today, paged=False)
