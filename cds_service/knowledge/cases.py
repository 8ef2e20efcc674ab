"""Cases as clinicians write them, turned into patient records."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Case, CaseFact
from cds_service.record.codes import Code, code
from cds_service.record.dates import Day, Moment, moment, period
from cds_service.record.facts import Allergy, Condition, Immunization, LabResult, Medication, Order, PatientRecord, Procedure, Report, Source

_DEFAULT_DATE = "2026-11-01"


def record_of(knowledge: Knowledge, case: Case) -> PatientRecord:
    """The chart of a case. Raises KnowledgeError when its shorthand names nothing."""
    chart = case.record
    today = Day.fromisoformat(case.today)
    patient = chart.patient
    birth = moment(patient.birth) if patient and patient.birth else None
    if patient and patient.age is not None:
        birth = moment((_years_before(today, patient.age) - dt.timedelta(days=1)).isoformat())
    sources = {r.domain: Source.READ for r in knowledge.requirements.values()}
    for name in chart.unavailable:
        if name not in sources:
            raise KnowledgeError(f"there is no source '{name}'. Use one of {sorted(sources)}.")
        sources[name] = Source.UNAVAILABLE
    return PatientRecord(
        patient_id="case",
        birth=birth,
        sex=patient.sex if patient else None,
        deceased=bool(patient and patient.deceased),
        labs=tuple(_lab(knowledge, case, f, i) for i, f in enumerate(chart.labs)),
        conditions=tuple(
            Condition(
                **_coded(knowledge, case, f, f"Condition/c{i}", "active"),
                verification=f.verification or "confirmed",
                recorded=_when(case, f.date),
            )
            for i, f in enumerate(chart.conditions)
        ),
        medications=tuple(
            Medication(
                **_coded(knowledge, case, f, f"MedicationRequest/m{i}", "active"),
                intent="order",
                until=_day(case, f.until),
            )
            for i, f in enumerate(chart.medications)
        ),
        procedures=tuple(Procedure(**_coded(knowledge, case, f, f"Procedure/p{i}", "completed")) for i, f in enumerate(chart.procedures)),
        immunizations=tuple(Immunization(**_coded(knowledge, case, f, f"Immunization/i{i}", "completed")) for i, f in enumerate(chart.immunizations)),
        orders=tuple(Order(**_coded(knowledge, case, f, f"ServiceRequest/s{i}", "active")) for i, f in enumerate(chart.orders)),
        reports=tuple(
            Report(
                **_coded(knowledge, case, f, f"DiagnosticReport/r{i}", "final"),
                conclusion=f.conclusion or "",
            )
            for i, f in enumerate(chart.reports)
        )
        + tuple(Report(**_coded(knowledge, case, f, f"DocumentReference/d{i}", "final"), attached=True) for i, f in enumerate(chart.documents)),
        allergies=tuple(
            Allergy(**_coded(knowledge, case, f, f"AllergyIntolerance/a{i}", "active"), verification=f.verification or "confirmed")
            for i, f in enumerate(chart.allergies)
        ),
        sources=sources,
    )


def _coded(knowledge: Knowledge, case: Case, fact: CaseFact, ref: str, status: str) -> dict[str, Any]:
    """What every coded fact of a case has; a fact without a date is of the default day, `none` is undated."""
    codes = _codes(knowledge, fact)
    return {"ref": ref, "codes": codes, "text": fact.text or "", "status": fact.status or status, "when": _when(case, fact.date)}


def _when(case: Case, date: str | None) -> Moment | None:
    """When a fact is of: `2026-11-01`, `2026-11`, `2026`, or a period such as P24M, which is that long before today."""
    text = date or _DEFAULT_DATE
    if text == "none":
        return None
    found = moment(_ago(case, text))
    if found is None:
        raise KnowledgeError(f"'{text}' is no date. Write for example 2026-11-01, P24M (24 months before today) or none.")
    return found


def _day(case: Case, date: str | None) -> Day | None:
    found = _when(case, date) if date else None
    return found.day if found else None


def _ago(case: Case, text: str) -> str:
    try:
        return period(text).before(Day.fromisoformat(case.today)).isoformat() if text.startswith("P") else text
    except ValueError as error:
        raise KnowledgeError(f"{error}") from None


def _years_before(day: Day, years: int) -> Day:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def _lab(knowledge: Knowledge, case: Case, fact: CaseFact, index: int) -> LabResult:
    if fact.value is None:
        raise KnowledgeError("a lab has no value. Add value and unit.")
    return LabResult(
        **_coded(knowledge, case, fact, f"Observation/l{index}", "final"),
        value=fact.value,
        unit=fact.unit or "",
        upper_limit=fact.upper_limit,
        remark=fact.remark or "",
    )


def _codes(knowledge: Knowledge, fact: CaseFact) -> tuple[Code, ...]:
    if fact.code is None:
        return ()
    if fact.system:
        return (code(fact.system, fact.code),)
    value_set = knowledge.value_sets.get(fact.code)
    if value_set is None:
        raise KnowledgeError(f"there is no value set '{fact.code}'. Name one, or give system and code.")
    return (value_set.concepts[0].code,)
