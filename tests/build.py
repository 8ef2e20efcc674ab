"""Small FHIR resources and hook requests, each with only what a test is about."""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

from cds_service.app import preload
from cds_service.counting import Visit
from cds_service.ehr.prefetch import hook_request
from cds_service.fhir.search import prefetch_templates
from cds_service.reasoning.findings import GeneticState, GeneticStatus
from cds_service.record.facts import Source

UNHURRIED = 16.0  # seconds of a deadline with which a slow disk keeps no record from its answer
TODAY = dt.date(2026, 11, 22)
CALL = "2f6b8a4c-51d7-4c11-9d3a-0f0f6a1e7b11"
OTHER_CALL = "b7d1c9e2-3a64-4f0e-8a57-6c2d1e9f4a22"
SERVICE = "/cds-services/vexas"
PATIENT_ID = "p1"
FIXTURES = Path(__file__).parent.parent / "fixtures" / "fhir"
KNOWLEDGE = preload(None)  # every application that the tests make shares it
TEMPLATES = prefetch_templates(KNOWLEDGE)
KEYS = tuple(key for key in TEMPLATES if key != "patient")
LOINC = "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"


def patient(**members: Any) -> dict[str, Any]:
    """A man of 70 years."""
    return {"resourceType": "Patient", "id": PATIENT_ID, "gender": "male", "birthDate": "1956-03-14", **members}


def subject(patient_id: str = PATIENT_ID) -> dict[str, str]:
    """A reference to a patient."""
    return {"reference": f"Patient/{patient_id}"}


def lab(loinc: str, value: Any, unit: str, on: str = "2026-11-01", **members: Any) -> dict[str, Any]:
    """A final laboratory result."""
    resource = {
        "resourceType": "Observation",
        "id": f"lab-{loinc}-{on}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": subject(),
        "effectiveDateTime": on,
        "valueQuantity": {"value": value, "unit": unit},
    }
    return {**resource, **members}


def mcv(value: float = 108, unit: str = "fL", on: str = "2026-11-01", **members: Any) -> dict[str, Any]:
    """A mean corpuscular volume."""
    return lab("787-2", value, unit, on, **members)


def platelets(value: float = 120, unit: str = "10*9/L", on: str = "2026-11-01", **members: Any) -> dict[str, Any]:
    """A platelet count."""
    return lab("777-3", value, unit, on, **members)


def crp(value: float = 60, unit: str = "mg/L", on: str = "2026-11-01", **members: Any) -> dict[str, Any]:
    """A C-reactive protein."""
    return lab("1988-5", value, unit, on, **members)


def condition(icd: str = "M94.1", on: str = "2024-05-02", **members: Any) -> dict[str, Any]:
    """An active, confirmed diagnosis; relapsing polychondritis unless told otherwise."""
    resource = {
        "resourceType": "Condition",
        "id": f"cond-{icd}",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"coding": [{"system": ICD_10_CM, "code": icd}]},
        "subject": subject(),
        "onsetDateTime": on,
    }
    return {**resource, **members}


def medication(text: str = "prednisone 10 mg tablet", on: str = "2026-01-10", **members: Any) -> dict[str, Any]:
    """An active drug order in words."""
    resource = {
        "resourceType": "MedicationRequest",
        "id": "med-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "subject": subject(),
        "authoredOn": on,
    }
    return {**resource, **members}


def report(conclusion: str, on: str = "2026-10-01", **members: Any) -> dict[str, Any]:
    """A final bone marrow report."""
    resource = {
        "resourceType": "DiagnosticReport",
        "id": "report-1",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "33721-2"}]},
        "subject": subject(),
        "effectiveDateTime": on,
        "conclusion": conclusion,
    }
    return {**resource, **members}


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    """A searchset of resources."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources], **members}


def outcome(severity: str = "error") -> dict[str, Any]:
    """What a server says of a search."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def healthy() -> dict[str, Any]:
    """A prefetch with every key sent and nothing in the chart."""
    return {"patient": patient(), **{key: bundle() for key in KEYS}}


def suspect() -> dict[str, Any]:
    """A prefetch with every key sent: relapsing polychondritis, a high MCV and low platelets."""
    return {**healthy(), "conditions": bundle(condition()), "bloodCounts": bundle(mcv(), platelets())}


def confirmed() -> dict[str, Any]:
    """A prefetch with every key sent: the disease stands on the problem list."""
    named = condition(id="cond-named", code={"text": "VEXAS syndrome"})
    return {**healthy(), "conditions": bundle(named, condition()), "bloodCounts": bundle(mcv(), platelets())}


def request(prefetch: Any = None, **members: Any) -> dict[str, Any]:
    """A patient-view request; a member given as None is left out."""
    whole = {
        "hook": "patient-view",
        "hookInstance": CALL,
        "context": {"userId": "Practitioner/example", "patientId": PATIENT_ID},
        "prefetch": prefetch,
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def visit(**members: Any) -> Visit:
    """A call that showed a card, of a chart that was read in full."""
    usual: dict[str, Any] = {
        "day": TODAY,
        "client": "open",
        "hook": "patient-view",
        "patient_id": PATIENT_ID,
        "outcome": "shown",
        "sources": dict.fromkeys(KEYS, Source.READ),
        "genetics": GeneticStatus(state=GeneticState.NONE),
    }
    return Visit(**{**usual, **members})


def fixture_names() -> list[str]:
    """The shipped fixture patients."""
    return sorted(path.stem for path in FIXTURES.glob("*.json"))


def fixture_request(name: str) -> dict[str, Any]:
    """The request that an EHR would send for a fixture patient; each time another object."""
    request: dict[str, Any] = json.loads(_fixture_body(name))
    return request


@functools.cache
def _fixture_body(name: str) -> bytes:
    chart = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return body_of(hook_request(chart, TEMPLATES, "patient-view", CALL))


def body_of(value: Any) -> bytes:
    """A value as JSON bytes."""
    return json.dumps(value).encode()
