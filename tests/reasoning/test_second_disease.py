"""The engine knows no disease: a folder of YAML is enough for another one."""

import json
from pathlib import Path

import pytest

from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from cds_service.record.dates import Day
from tests.fakes import ask

TOY = load(Path(__file__).parent / "toy")
SERVICE = Service(TOY, "https://cds.example.org", lambda: Day(2026, 11, 22))
ME = {"reference": "Patient/p1"}


def potassium(value, unit="mmol/L"):
    """A potassium result."""
    code = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
    return {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "code": code,
        "subject": ME,
        "effectiveDateTime": "2026-10-01",
        "valueQuantity": {"value": value, "unit": unit},
    }


def tetany(text="Carpopedal spasms"):
    """Tetany by its words."""
    return {"resourceType": "Condition", "id": "t", "code": {"text": text}, "subject": ME, "recordedDate": "2026-09-01"}


def gene(conclusion):
    """A report of the toy's gene."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "g",
        "status": "final",
        "code": {"text": "SLC12A3 analysis"},
        "subject": ME,
        "effectiveDateTime": "2026-10-01",
        "conclusion": conclusion,
    }


def cards(*resources):
    """The cards for a patient with these resources."""
    prefetch = {"patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1990-01-01", "gender": "female"}}
    prefetch["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}
    prefetch["labs"] = None
    body = {
        "hook": "patient-view",
        "hookInstance": "c0a80101-0000-4000-8000-000000000001",
        "context": {"userId": "Practitioner/x", "patientId": "p1"},
        "prefetch": prefetch,
    }
    return ask(SERVICE, body)["cards"]


@pytest.mark.parametrize(
    ("resources", "topics"),
    [
        ((), []),
        ((potassium(3.5),), []),
        ((potassium(3.4),), ["toy-consider"]),
        ((potassium(3.4, "mEq/L"), tetany()), ["toy-test"]),
        ((potassium(3.4, "furlong"), tetany()), ["toy-consider"]),
        ((tetany("No carpopedal spasms"),), []),
        ((tetany(), gene("SLC12A3 c.2221G>A detected.")), ["toy-confirmed"]),
        ((tetany(), gene("SLC12A3 c.2221G>A detected, VAF 4%.")), ["toy-uncertain"]),
        ((potassium(3.0), tetany(), gene("SLC12A3 not detected, all coding exons.")), []),
        ((potassium(3.0), tetany(), gene("SLC12A3 not detected.")), ["toy-negative"]),
    ],
)
def test_fires_for_a_second_disease_without_python(resources, topics):
    """Red flags, a rule, tiers and a gene of another disease lead to its own cards."""
    found = [card["source"]["topic"]["code"] for card in cards(*resources)]

    assert topics == found


def test_speaks_only_of_its_own_disease():
    """No word of the shipped disease reaches a card of another one."""
    card = cards(potassium(3.4), tetany())[0]

    said = json.dumps(card).lower()
    assert [] == [word for word in ("vexas", "uba1", "macrocyt", "chondritis", "haemat", "malignancy") if word in said]
    assert "Low potassium + tetany: consider the toy test" == card["summary"]
