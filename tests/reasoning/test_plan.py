"""What a module asks is arranged once; every answer is what asking each flag of the whole chart would give."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from cds_service.fhir.gather import gather
from cds_service.knowledge.model import Clause, Expression, Organs
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.plan import Plan, Scope
from cds_service.reasoning.truth import Truth, all_of, any_of, at_least, negation, truth_of
from cds_service.record.facts import Condition, PatientRecord, Source
from tests import build
from tests.reasoning import toys
from tests.reasoning.charts import ask

PLAN = Plan(build.KNOWLEDGE)
FLAGS = build.KNOWLEDGE.flags
FIXTURES = sorted(build.FIXTURES.glob("*.json"))


def record_of(path) -> PatientRecord:
    """A fixture's record."""
    request = build.hook_request(json.loads(path.read_text()), build.TEMPLATES, "patient-view", build.CALL)
    prefetch = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in request["prefetch"].items()}
    return gather(build.KNOWLEDGE.requirements, prefetch, request["context"]["patientId"], build.TODAY)


def thinned(record: PatientRecord, seed: int) -> PatientRecord:
    """A record of which some facts and some sources are missing."""
    chance = random.Random(seed)
    fields = ("labs", "conditions", "medications", "procedures", "reports", "allergies", "immunizations")
    facts: dict[str, Any] = {name: tuple(f for f in getattr(record, name) if chance.random() < 0.6) for name in fields}
    sources = {domain: chance.choice([Source.READ, Source.READ, Source.UNAVAILABLE]) for domain in record.sources}
    return msgspec.structs.replace(record, **facts, sources=sources, sex=chance.choice(["male", "female", None]))


RECORDS = [(f"{path.stem} {seed}", thinned(record_of(path), seed)) for path in FIXTURES for seed in range(4)]


def spelt_out(expression: Expression, truths: dict[str, Truth]) -> Truth:
    """The truth of an expression, worked out clause by clause and without a short cut."""
    if isinstance(expression, str):
        return truths[expression]
    if expression.organs is not None:
        return organs(expression.organs, truths)
    parts = [spelt_out(e, truths) for e in (expression.all or expression.any or (expression.at_least.of if expression.at_least else ()))]
    if expression.all is not None:
        return all_of(parts)
    if expression.any is not None:
        return any_of(parts)
    return at_least(expression.at_least.n, parts) if expression.at_least else alone(expression, truths)


def alone(clause: Clause, truths: dict[str, Truth]) -> Truth:
    """The truth of a clause with one part."""
    if clause.not_ is not None:
        return negation(spelt_out(clause.not_, truths))
    if clause.not_found is not None:
        return truth_of(spelt_out(clause.not_found, truths) is not Truth.PRESENT)
    return truth_of(spelt_out(clause.unknown or "", truths) is Truth.UNKNOWN)


def organs(wanted: Organs, truths: dict[str, Truth]) -> Truth:
    """Whether so many organ systems have a finding."""
    systems: dict[str, list[Truth]] = {}
    for name, flag in FLAGS.items():
        if flag.organ and wanted.strength in ("any", flag.organ.strength):
            systems.setdefault(flag.organ.system, []).append(truths[name])
    return at_least(wanted.at_least, map(any_of, systems.values()))


@pytest.mark.parametrize("record", [r for _, r in RECORDS], ids=[name for name, _ in RECORDS])
def test_answers_each_flag_as_the_whole_chart_does(record):
    """A flag whose value sets the chart does not touch is answered from what silence means, and rightly so."""
    scope = Scope(PLAN, Chart(build.KNOWLEDGE, record, build.TODAY))

    found = {name: (scope.finding(name).truth, scope.finding(name).evidence) for name in FLAGS}

    assert {name: tuple(ask(flag.when, Chart(build.KNOWLEDGE, record, build.TODAY))) for name, flag in FLAGS.items()} == found


@pytest.mark.parametrize("record", [r for _, r in RECORDS], ids=[name for name, _ in RECORDS])
def test_answers_each_expression_as_its_clauses_do(record):
    """Terms, rules and criteria are what their clauses say, whichever is asked first."""
    knowledge = build.KNOWLEDGE
    scope = Scope(PLAN, Chart(knowledge, record, build.TODAY))
    truths = {name: scope.finding(name).truth for name in FLAGS} | {name: scope.truth(name) for name in (*knowledge.rules, *knowledge.terms)}
    asked = [(PLAN.terms[t.id], t.when) for t in knowledge.terms.values()]
    asked += [(plan.when, plan.criterion.when) for plan in PLAN.criteria]
    asked += [(plan.when, plan.item.when) for plan in PLAN.advice] + [(plan.when, plan.order.when) for plan in PLAN.orders]

    found = [formula(Scope(PLAN, Chart(knowledge, record, build.TODAY))) for formula, _ in asked]

    assert [spelt_out(expression, truths) for _, expression in asked] == found


def test_touches_no_flag_of_an_empty_chart_but_those_about_the_patient():
    """What is asked of a chart grows with what the chart holds."""
    nothing = PatientRecord(patient_id="p1", sources=dict.fromkeys(("conditions", "blood-counts"), Source.READ))

    asked = PLAN.open_for(Chart(build.KNOWLEDGE, nothing, build.TODAY))

    assert {"male", "deceased", "age-50"} <= asked
    assert not asked & {"macrocytosis", "anemia", "lung", "steroid-dependence"}


def test_counts_organs_in_what_qualifies_a_finding():
    """A qualifier is an expression like any other."""
    flags = toys.part("red_flags")
    flags[0]["qualified"] = [{"when": {"organs": {"at_least": 1}}, "text": "with an organ"}]
    knowledge = toys.toy(red_flags=flags)
    plan = Plan(knowledge)
    tetany = Condition(codes=(knowledge.value_sets["cond-tetany"].concepts[0].code,), status="active", verification="confirmed")

    scope = Scope(plan, Chart(knowledge, PatientRecord(patient_id="p1", conditions=(tetany,)), build.TODAY))

    assert [Truth.PRESENT] == [holds(scope) for holds in plan.qualified["low-potassium"]]
