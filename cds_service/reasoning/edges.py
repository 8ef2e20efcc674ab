"""Whether cases prove each look-back: a fact on the oldest day that counts is found, one a day older is not.

A case proves an edge only if the fact on that day decides: the same chart with the fact one day off answers otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Coded, Criterion, Drug, Lab, ReportText, Resulted
from cds_service.knowledge.references import leaves, value_sets_of
from cds_service.reasoning.casebook import Outcome, home_of
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.criteria import Question, question
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day, moment, period, start_of
from cds_service.record.facts import Condition, Fact, Medication, PatientRecord, Source

_DAY = dt.timedelta(days=1)


class Leaf(NamedTuple):
    """A criterion with a look-back, its flag, and both as functions of a chart."""

    flag: str
    criterion: Criterion
    within: str
    asks: Question
    flag_asks: Question


class Placed(NamedTuple):
    """A fact in a record, and the days that it covers."""

    kind: str
    position: int
    start: Day
    end: Day


def unproved_look_backs(knowledge: Knowledge, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Each look-back without a case on the oldest day that counts, or on the day before it, with a case to write."""
    for name, flag in knowledge.flags.items():
        mine = [o for o in outcomes if name in o.case.expect and o.record is not None]
        flag_asks = question(flag.when, knowledge)
        for criterion in leaves(flag.when):
            within = _look_back(criterion)
            if within is None:
                continue
            leaf = Leaf(name, criterion, within, question(criterion, knowledge), flag_asks)
            if not any(_counts_at_the_edge(knowledge, leaf, o) for o in mine):
                yield _missing(knowledge, outcomes, leaf, within, "the oldest day that counts", "present")
            if not any(_fails_past_the_edge(knowledge, leaf, o) for o in mine):
                yield _missing(knowledge, outcomes, leaf, _one_day_more(within), "the first day that is too old", _without(knowledge, leaf))


def _look_back(criterion: Criterion) -> str | None:
    """A criterion's look-back; what is given now has none that could matter."""
    if isinstance(criterion, Drug) and criterion.current:
        return None
    return criterion.within if isinstance(criterion, Lab | Resulted | Coded | Drug | ReportText) else None


def _counts_at_the_edge(knowledge: Knowledge, leaf: Leaf, outcome: Outcome) -> bool:
    if outcome.case.expect[leaf.flag] != "present" or outcome.record is None:
        return False
    today = Day.fromisoformat(outcome.case.today)
    edge = start_of(leaf.within, today)
    return any(
        _asked(knowledge, leaf.asks, outcome.record, today) and not _asked(knowledge, leaf.flag_asks, _moved(outcome.record, fact, -_DAY), today)
        for fact in _facts(knowledge, leaf.criterion, outcome.record, today)
        if _touches(leaf.criterion, fact, edge, edge)
    )


def _fails_past_the_edge(knowledge: Knowledge, leaf: Leaf, outcome: Outcome) -> bool:
    if outcome.case.expect[leaf.flag] == "present" or outcome.record is None:
        return False
    today = Day.fromisoformat(outcome.case.today)
    edge = start_of(leaf.within, today)
    return any(
        _asked(knowledge, leaf.asks, _moved(outcome.record, fact, _DAY), today)
        for fact in _facts(knowledge, leaf.criterion, outcome.record, today)
        if _touches(leaf.criterion, fact, edge - _DAY, edge)
    )


def _touches(criterion: Criterion, fact: Placed, day: Day, edge: Day) -> bool:
    """Whether a fact ends on a day; where days are counted, also one that covers the edge."""
    return fact.end == day or (isinstance(criterion, Drug) and criterion.covered is not None and fact.start <= edge <= fact.end)


def _asked(knowledge: Knowledge, asks: Question, record: PatientRecord, today: Day) -> bool:
    return asks(Chart(knowledge, record, today)).truth is Truth.PRESENT


def _facts(knowledge: Knowledge, criterion: Criterion, record: PatientRecord, today: Day) -> Iterator[Placed]:
    """The dated facts that a criterion reads."""
    wanted = frozenset(value_sets_of(criterion))
    for kind in _kinds(criterion):
        for index, fact in enumerate(getattr(record, kind)):
            told = knowledge.reading(fact.text).value_sets if fact.text else frozenset()
            if fact.on and not wanted.isdisjoint(told | knowledge.sets_of_all(fact.codes)):
                yield Placed(kind, index, fact.on, _end(fact, today))


def _kinds(criterion: Criterion) -> tuple[str, ...]:
    """The lists in which a criterion may find its facts; one that it does not read decides nothing."""
    if isinstance(criterion, Coded):
        return ("conditions", "procedures") if criterion.procedures else ("conditions",)
    if isinstance(criterion, Drug):
        return ("medications",)
    return ("labs", "reports")


def _end(fact: Fact, today: Day) -> Day:
    if isinstance(fact, Medication):
        return fact.until or (today if fact.status == "active" else fact.on or today)
    return fact.on or today


def _moved(record: PatientRecord, place: Placed, by: dt.timedelta) -> PatientRecord:
    """The record with one fact moved in time."""
    facts = list(getattr(record, place.kind))
    fact = facts[place.position]
    changes: dict[str, Any] = {"when": moment((place.start + by).isoformat())}
    if isinstance(fact, Condition) and fact.recorded:
        changes["recorded"] = moment((fact.recorded.day + by).isoformat())
    if isinstance(fact, Medication) and fact.until:
        changes["until"] = fact.until + by
    facts[place.position] = structs.replace(fact, **changes)
    return structs.replace(record, **{place.kind: tuple(facts)})


def _one_day_more(within: str) -> str:
    """A period one day longer, as it is written in a case."""
    months, days = period(within)
    return f"P{f'{months}M' if months else ''}{days + 1}D"


def _longer(ago: str) -> str:
    """A period one month longer: when a drug began that ended so long ago."""
    months, days = period(ago)
    return f"P{months + 1}M{f'{days}D' if days else ''}"


def _missing(knowledge: Knowledge, outcomes: Sequence[Outcome], leaf: Leaf, ago: str, which: str, truth: str) -> str:
    kind, facts = _example(knowledge, leaf.criterion, ago)
    fact = f"{kind.removesuffix('s')} ({' or '.join(value_sets_of(leaf.criterion))})"
    return (
        f"{home_of(outcomes, leaf.flag)}: {leaf.flag} looks back {leaf.within}: no case decides it by a {fact} on {which}. "
        f'Add for example: - {{name: "...", record: {{{kind}: [{", ".join(facts)}]}}, expect: {{{leaf.flag}: {truth}}}}}.'
    )


def _example(knowledge: Knowledge, criterion: Criterion, ago: str) -> tuple[str, list[str]]:
    """Facts to write in a case, with their list: the one on the edge, and those that it takes besides."""
    value_set = next(value_sets_of(criterion))
    if isinstance(criterion, Drug):
        newer = [f"{{code: {value_set}, date: P{2 * i}M, until: P{2 * i - 1}M, status: completed}}" for i in range(1, criterion.courses or 1)]
        return "medications", [f"{{code: {value_set}, date: {_longer(ago)}, until: {ago}, status: completed}}", *newer]
    if isinstance(criterion, Coded):
        over = "remission" if criterion.not_resolved else "resolved"
        status = f", status: {over}" if criterion.or_active else ""
        if criterion.code_needs_text_of:
            status += f', text: "{knowledge.phrases[criterion.code_needs_text_of][-1].rstrip("*")}"'
        if criterion.close_to:
            return "conditions", [f"{{code: {s}, date: {ago}}}" for s in (value_set, *criterion.close_to.value_sets[:1])]
        newer = [f"{{code: {value_set}}}"] * (criterion.entries.results - 1 if criterion.entries else 0)
        return "conditions", [f"{{code: {value_set}, date: {ago}{status}}}", *newer]
    if value_set in knowledge.source_of_set or value_set in knowledge.measurements:
        result = f"{{code: {value_set}, date: {ago}, {_value(knowledge, criterion, value_set)}}}"
        persists = criterion.persists if isinstance(criterion, Lab) else None
        return "labs", [result, *([result.replace(f"date: {ago}, ", "")] * (persists.results - 1 if persists else 0))]
    return "reports", [f'{{code: {value_set}, date: {ago}, conclusion: "..."}}']


def _value(knowledge: Knowledge, criterion: Criterion, value_set: str) -> str:
    """A value that meets a criterion, in men and in women, with its unit."""
    measurement = knowledge.measurements.get(value_set)
    quantity = knowledge.quantities[measurement.quantity] if measurement else None
    unit = quantity.unit if quantity else "1"
    if not isinstance(criterion, Lab):
        return f'value: {quantity.plausible.low + 1 if quantity else 1:g}, unit: "{unit}"'
    if criterion.above_upper_limit is not None:
        return f'value: {criterion.above_upper_limit + 1:g}, upper_limit: 1, unit: "{unit}"'
    limits = ((criterion.above, 1.1, max), (criterion.below, 0.9, min), (criterion.at_least, 1.0, max), (criterion.at_most, 1.0, min))
    for limit, share, stricter in limits:
        if limit is not None:
            return f'value: {stricter(limit.values(None)) * share:g}, unit: "{limit.unit}"'
    return f'value: 1, unit: "{unit}"'


def _without(knowledge: Knowledge, leaf: Leaf) -> str:
    """What a flag is where the fact that would decide it is too old."""
    if isinstance(leaf.criterion, Lab) and leaf.criterion.persists:
        return "absent"  # the newer result is there all the same
    nothing = PatientRecord(patient_id="", sources={r.domain: Source.READ for r in knowledge.requirements.values()})
    return leaf.flag_asks(Chart(knowledge, nothing, Day.fromisoformat(knowledge.module.date))).truth.value
