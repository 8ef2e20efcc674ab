"""What became of one resource: read into a fact or not, of use to the medicine or not, and why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from cds_service.fhir.gather import gather
from cds_service.reasoning.chart import Chart
from cds_service.record.codes import SYSTEMS, code
from cds_service.record.facts import Condition, Fact, LabResult, Medication, PatientRecord
from tests import build
from tests.integration.calls import Call
from tests.integration.resources import Charts

READ_ISSUES = {
    "could not be read": "not as FHIR R4 has it",
    "modifierExtension": "has a modifierExtension",
    "belongs to another patient": "has another focus or subject",
    "names no patient": "names no patient",
}
# What may count, as the definition of the tiers has it; written here once more, so that the service is not its own witness.
RESULT = frozenset({"final", "amended", "corrected", "appended", "unknown", None})
DRUG = frozenset({"active", "completed", "stopped", "on-hold"})
CONFIRMED = frozenset({"confirmed", None})
_FIGURES = re.compile(r" of \d{4}-\d\d-\d\d| and was not used")


class Fate(NamedTuple):
    """How far a resource came and, if it is of no use, why."""

    read: bool
    of_use: bool
    why: str = ""


def fate_of(call: Call, resource: dict[str, Any]) -> Fate:
    """What became of the one resource of a call."""
    record = read_record(call)
    found = list(facts(record))
    if not found:
        return Fate(read=False, of_use=False, why=unread(record, resource))
    named = {fact: value_sets(fact) for fact in found}
    if not any(named.values()):
        return Fate(read=True, of_use=False, why=unnamed(found))
    chart = Chart(build.KNOWLEDGE, record, call.day)
    whys = [unusable(chart, fact, sets) for fact, sets in named.items() if sets]
    return Fate(read=True, of_use="" in whys, why="" if "" in whys else whys[0])


def of_patients_fate(calls: Iterable[Call]) -> Iterator[tuple[str, Fate]]:
    """What became of each Patient; without a date of birth no tier can be reached but by unknown age."""
    for call in calls:
        if call.patient is None:
            yield "Patient", Fate(read=False, of_use=False, why="has no id")
            continue
        known = read_record(call).birth is not None
        yield "Patient", Fate(read=True, of_use=known, why="" if known else "no date of birth, or one that cannot be right")


def of_drugs_fate(held: Charts) -> Iterator[tuple[str, Fate]]:
    """What became of each Medication: it is read only where an order names it."""
    orders = held.of("MedicationRequest", "MedicationStatement")
    names = {(order.resource.get("medicationReference") or {}).get("reference") for order in orders} - {None}
    for drug in held.of("Medication"):
        name = drug.resource.get("id")
        parts = [p.get("itemCodeableConcept") for p in drug.resource.get("ingredient", ()) if p.get("isActive", True)]
        concepts = list(filter(None, [drug.resource.get("code")] if drug.resource.get("code") else parts))
        codes = [code(c["system"], c["code"]) for one in concepts for c in one.get("coding", ()) if c.get("system") and c.get("code")]
        fact = Medication(codes=tuple(codes), text=" / ".join(map(words, concepts)))
        if not names & {f"Medication/{name}", f"#{name}", drug.full_url}:
            yield "Medication", Fate(read=False, of_use=False, why="named by no order")
        elif not concepts:
            ingredients = "only ingredients that are not named in it" if drug.resource.get("ingredient") else "nothing"
            yield "Medication", Fate(read=False, of_use=False, why=f"has {ingredients} and no code of its own")
        else:
            named = bool(value_sets(fact))
            yield "Medication", Fate(read=True, of_use=named, why="" if named else unnamed([fact]))


def words(concept: dict[str, Any]) -> str:
    """The words of a raw concept."""
    return " / ".join(filter(None, [concept.get("text"), *(c.get("display") for c in concept.get("coding", ()))]))


def read_record(call: Call) -> PatientRecord:
    """The record that the service reads from a call."""
    raw = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in call.prefetch.items()}
    return gather(build.KNOWLEDGE.requirements, raw, call.patient_id, call.day)


def facts(record: PatientRecord) -> Iterator[Fact]:
    """Every fact of a record."""
    for several in (
        record.labs,
        record.conditions,
        record.medications,
        record.procedures,
        record.immunizations,
        record.orders,
        record.reports,
        record.allergies,
    ):
        yield from several


def value_sets(fact: Fact) -> frozenset[str]:
    """The value sets that a fact belongs to by code or words."""
    told = {match.value_set for match in build.KNOWLEDGE.matcher.matches(fact.text)}
    return frozenset(told.union(*(build.KNOWLEDGE.sets_of(one) for one in fact.codes)))


def unread(record: PatientRecord, resource: dict[str, Any]) -> str:
    """Why a resource gave no fact: the record's issue, else what can be seen in the resource."""
    for issue in record.issues:
        for words, why in READ_ISSUES.items():
            if words in issue.what:
                return why
    if "entered-in-error" in str(resource.get("verificationStatus")):
        return "verification status entered-in-error"
    if resource.get("doNotPerform"):
        return "asks that something be not done"
    holders = [resource, *(resource.get("component") or ())]
    values = sorted({name for holder in holders for name in holder if name.startswith("value")})
    if values:
        return f"holds only {', '.join(values)}"
    return "has no value" if resource["resourceType"] == "Observation" else "no reason known"


def unnamed(found: Iterable[Fact]) -> str:
    """Why facts belong to no value set."""
    codes = [one for fact in found for one in fact.codes]
    if not codes and any(isinstance(fact, LabResult) for fact in found):
        return "a number without a code"
    if not codes and any(isinstance(fact, Medication) and not fact.text for fact in found):
        return "no drug that can be found"
    if not codes:
        return "no code, and words that name nothing of ours" if any(fact.text for fact in found) else "no code and no words"
    return "code in no value set" if any(one.system in SYSTEMS for one in codes) else "no code of a system that we know"


def unusable(chart: Chart, fact: Fact, sets: frozenset[str]) -> str:
    """Why a fact of one of our value sets does not count; empty if it does."""
    if isinstance(fact, Condition):
        return "" if fact.verification in CONFIRMED else f"verification status {fact.verification}"
    if isinstance(fact, Medication):
        if fact.intent in ("proposal", "plan"):
            return f"intent {fact.intent}"
        return "" if fact.status in DRUG else f"status {fact.status}"
    if isinstance(fact, LabResult):
        if fact.status not in RESULT:
            return f"status {fact.status}"
        measured = [name for name in sets if name in build.KNOWLEDGE.measurements]
        if measured and not any(value.fact == fact for name in measured for value in chart.since(name)):
            return next((_FIGURES.sub("", issue.what) for issue in chart.issues if "not used" in issue.what), "not usable")
    return ""
