"""A hook call of any size: one constructed patient under four specialties, whose chart fires a card."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

PATIENT_ID = "bench-1"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"  # each call gets one of its own in its place
_SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
_BASE = "https://ehr.example.org/api/FHIR/R4"
_DAYS_BETWEEN_VISITS = 60
_LOINC = "http://loinc.org"
# What one visit measures: prefetch key, LOINC code, name, value, unit, reference range.
_VISIT = (
    ("bloodCounts", "787-2", "MCV", 107.0, "fL", (80, 100)),
    ("bloodCounts", "718-7", "Hemoglobin", 10.4, "g/dL", (13.5, 17.5)),
    ("bloodCounts", "777-3", "Platelets", 128.0, "10*3/uL", (150, 400)),
    ("bloodCounts", "751-8", "Neutrophils", 3.4, "10*3/uL", (1.8, 7.5)),
    ("differential", "6690-2", "Leukocytes", 4.9, "10*3/uL", (4.0, 11.0)),
    ("differential", "731-0", "Lymphocytes", 0.9, "10*3/uL", (1.0, 4.0)),
    ("differential", "742-7", "Monocytes", 0.3, "10*3/uL", (0.2, 1.0)),
    ("inflammation", "1988-5", "C reactive protein", 41.0, "mg/L", (0, 5)),
    ("inflammation", "30341-2", "Erythrocyte sedimentation rate", 62.0, "mm/h", (0, 20)),
    ("chemistry", "3016-3", "Thyrotropin", 2.1, "m[IU]/L", (0.4, 4.0)),
)
_CONDITIONS = (
    ("L98.2", "Febrile neutrophilic dermatosis (Sweet)", 560),
    ("J84.9", "Interstitial pulmonary disease, unspecified", 420),
    ("I10", "Essential hypertension", 3100),
    ("E78.5", "Hyperlipidemia, unspecified", 2900),
)
_DRUGS = (("8640", "prednisone", 300), ("6809", "metformin", 2000), ("83367", "atorvastatin", 1500))


def body(labs: int, today: dt.date, days_between_visits: int = _DAYS_BETWEEN_VISITS) -> bytes:
    """A `patient-view` request as compact JSON with so many laboratory results, ten a visit, the newest of the day before."""
    results: dict[str, list[dict[str, Any]]] = {key: [] for key, *_ in _VISIT}
    for number in range(labs):
        visit, test = divmod(number, len(_VISIT))
        results[_VISIT[test][0]].append(_observation(number, _VISIT[test], today - dt.timedelta(days=1 + visit * days_between_visits)))
    prefetch: dict[str, Any] = {
        "patient": {"resourceType": "Patient", "id": PATIENT_ID, "meta": _meta("1"), "gender": "male", "birthDate": "1954-05-14"},
        "conditions": _searchset(_condition(i, *c, today) for i, c in enumerate(_CONDITIONS)),
        **{key: _searchset(found) for key, found in results.items()},
        **{key: _searchset(()) for key in ("genetics", "vitals", "medicationStatements", "reports", "procedures")},
        "medicationRequests": _searchset(_order(i, *d, today) for i, d in enumerate(_DRUGS)),
        "serviceRequests": None,
        "immunizations": None,
        "allergies": _searchset(()),
        "documents": _searchset(()),
    }
    call = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "fhirServer": _BASE,
        "context": {"userId": "Practitioner/bench", "patientId": PATIENT_ID},
        "prefetch": prefetch,
    }
    return json.dumps(call, separators=(",", ":")).encode()


def _searchset(resources: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"{_BASE}/{r['resourceType']}/{r['id']}", "resource": r, "search": {"mode": "match"}} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "link": [{"relation": "self", "url": _BASE}], "entry": entries}


def _meta(version: str) -> dict[str, Any]:
    return {"versionId": version, "lastUpdated": "2026-10-02T08:15:30Z", "source": "#bench"}


def _concept(*codings: tuple[str, str, str], text: str) -> dict[str, Any]:
    return {"coding": [{"system": s, "code": c, "display": d} for s, c, d in codings], "text": text}


def _observation(number: int, test: tuple[Any, ...], day: dt.date) -> dict[str, Any]:
    """A result as EHRs send it: two codings, category, performers, issued, range and interpretation."""
    _key, loinc, name, value, unit, (low, high) = test
    shown = round(value * (1 + (number * 7 % 11 - 5) / 400), 2)  # values move a little, as they do
    flag = ("H", "High") if shown > high else ("L", "Low") if shown < low else ("N", "Normal")
    at = f"{day.isoformat()}T07:{number % 60:02d}:00Z"
    return {
        "resourceType": "Observation",
        "id": f"lab-{number}",
        "meta": _meta("2"),
        "identifier": [{"use": "official", "system": f"{_BASE}/results", "value": f"R{number:08d}"}],
        "basedOn": [{"reference": f"ServiceRequest/order-{number // 10}", "display": f"{name} and others"}],
        "status": "final",
        "category": [_concept(("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory"), text="Laboratory")],
        "code": _concept((_LOINC, loinc, name), ("urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.0", f"L{loinc}", name.upper()), text=name),
        "subject": {**_SUBJECT, "type": "Patient"},
        "encounter": {"reference": f"Encounter/visit-{number // 10}", "display": "Outpatient visit"},
        "effectiveDateTime": at,
        "issued": at,
        "performer": [{"reference": "Organization/lab", "display": "Central laboratory"}],
        "valueQuantity": {"value": shown, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "interpretation": [_concept(("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", *flag), text=flag[1])],
        "specimen": {"reference": f"Specimen/tube-{number // 10}", "display": "Blood"},
        "referenceRange": [
            {
                "low": {"value": low, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
                "high": {"value": high, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
                "text": f"{low} - {high} {unit}",
            }
        ],
    }


def _condition(number: int, code: str, name: str, days: int, today: dt.date) -> dict[str, Any]:
    day = (today - dt.timedelta(days=days)).isoformat()
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"problem-{number}",
        "meta": _meta("1"),
        "clinicalStatus": _concept((f"{system}clinical", "active", "Active"), text="Active"),
        "verificationStatus": _concept((f"{system}ver-status", "confirmed", "Confirmed"), text="Confirmed"),
        "category": [_concept((f"{system}category", "problem-list-item", "Problem List Item"), text="Problem List Item")],
        "code": _concept(("http://hl7.org/fhir/sid/icd-10-cm", code, name), text=name),
        "subject": _SUBJECT,
        "onsetDateTime": day,
        "recordedDate": day,
    }


def _order(number: int, code: str, name: str, days: int, today: dt.date) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"order-{number}",
        "meta": _meta("1"),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept(("http://www.nlm.nih.gov/research/umls/rxnorm", code, name), text=name),
        "subject": _SUBJECT,
        "authoredOn": (today - dt.timedelta(days=days)).isoformat(),
        "requester": {"reference": "Practitioner/bench", "display": "Rheumatology"},
        "dosageInstruction": [{"text": "1 tablet daily", "route": _concept(("http://snomed.info/sct", "26643006", "Oral"), text="Oral")}],
    }


def sizes(today: dt.date) -> Mapping[str, bytes]:
    """The two bodies that are compared: about 40 kB with 20 results, about 320 kB with 200."""
    return {"40 kB": body(20, today), "320 kB": body(200, today)}


def growing(today: dt.date) -> Iterator[tuple[int, bytes]]:
    """Bodies of growing size, to see that the cost grows with them and no faster."""
    for labs in (0, 20, 200, 1000, 5000):
        yield labs, body(labs, today)
