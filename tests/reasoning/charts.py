"""Small charts in few words, for the shipped module."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Criterion
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.criteria import Answer, question
from cds_service.record.codes import Code
from cds_service.record.dates import Day, moment
from cds_service.record.facts import (
    Allergy,
    Condition,
    Immunization,
    LabResult,
    Medication,
    Order,
    PatientRecord,
    Procedure,
    Report,
    ReportItem,
    Source,
)
from tests import build

KNOWLEDGE = build.KNOWLEDGE
TODAY = Day(2026, 11, 22)
LOINC = "http://loinc.org"
UBA1_TEST = Code(LOINC, "104268-8")
VARIANT = Code(LOINC, "69548-6")
HGNC_UBA1 = Code("http://www.genenames.org", "HGNC:12469")


def first(value_set: str) -> Code:
    """The first code of a value set."""
    return KNOWLEDGE.value_sets[value_set].concepts[0].code


def back(days: int) -> str:
    """The day so many days before today."""
    return (TODAY - dt.timedelta(days=days)).isoformat()


def lab(value_set: str, value: float, unit: str, on: str | None = "2026-11-01", **members: Any) -> LabResult:
    """A final result."""
    members = {"status": "final", "ref": f"Observation/{value_set}-{on}-{value}", **members}
    return LabResult(codes=(first(value_set),), value=value, unit=unit, when=moment(on) if on else None, **members)


def condition(value_set: str, on: str | None = "2026-01-10", **members: Any) -> Condition:
    """A confirmed, active problem."""
    members = {"status": "active", "verification": "confirmed", "codes": (first(value_set),), "ref": f"Condition/{value_set}-{on}", **members}
    return Condition(when=moment(on) if on else None, **members)


def drug(value_set: str, start: str | None, until: Day | None = None, **members: Any) -> Medication:
    """An order of a drug."""
    members = {
        "status": "completed",
        "intent": "order",
        "codes": (first(value_set),),
        "ref": f"MedicationRequest/{value_set}-{start}-{until}",
        **members,
    }
    return Medication(when=moment(start) if start else None, until=until, **members)


def procedure(value_set: str, on: str) -> Procedure:
    """A procedure that was done."""
    return Procedure(ref=f"Procedure/{value_set}", codes=(first(value_set),), status="completed", when=moment(on))


def report(conclusion: str = "", *, code: Code | None = None, on: str = "2026-10-01", **members: Any) -> Report:
    """A final report."""
    members = {"status": "final", "ref": f"DiagnosticReport/{on}", **members}
    return Report(codes=(code,) if code else (), conclusion=conclusion, when=moment(on), **members)


def order(value_set: str, on: str = "2026-11-10", **members: Any) -> Order:
    """An active request."""
    return Order(**{"ref": f"ServiceRequest/{on}", "codes": (first(value_set),), "status": "active", "when": moment(on), **members})


def item(name: str, *, answer: str = "", text: str = "", number: float | None = None, unit: str = "", codes: tuple[Code, ...] = ()) -> ReportItem:
    """One component of a genomic result: its kind and its value by the names of the module."""
    genetics = KNOWLEDGE.genetics
    value = (Code(LOINC, genetics.answers[answer]),) if answer else codes
    return ReportItem(codes=(Code(LOINC, getattr(genetics.codes, name)),), value_codes=value, value_text=text, number=number, unit=unit)


def record(*facts: Any, birth: str | None = "1956-03-04", sex: str | None = "male", unread: tuple[str, ...] = (), **members: Any) -> PatientRecord:
    """A chart that was read in full, except for the sources that are named as unread."""
    sources = {r.domain: Source.UNAVAILABLE if r.domain in unread else Source.READ for r in KNOWLEDGE.requirements.values()}

    def of(kind: type) -> tuple[Any, ...]:
        return tuple(f for f in facts if type(f) is kind)

    return PatientRecord(
        patient_id="p1",
        birth=moment(birth) if birth else None,
        sex=sex,
        labs=of(LabResult),
        conditions=of(Condition),
        medications=of(Medication),
        procedures=of(Procedure),
        orders=of(Order),
        reports=of(Report),
        allergies=of(Allergy),
        immunizations=of(Immunization),
        sources=sources,
        **members,
    )


def chart(*facts: Any, knowledge: Knowledge = KNOWLEDGE, **members: Any) -> Chart:
    """A chart to put questions to."""
    return Chart(knowledge, record(*facts, **members), TODAY)


def ask(criterion: Criterion, chart: Chart) -> Answer:
    """A criterion's answer in a chart."""
    return question(criterion, chart.knowledge)(chart)
