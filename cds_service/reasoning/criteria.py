"""Each kind of criterion, asked of a chart: record in, truth and evidence out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import (
    Age,
    Allergic,
    AnyOf,
    CloseTo,
    Coded,
    Criterion,
    Deceased,
    Drug,
    GeneTested,
    Lab,
    Persistence,
    ReportText,
    Resulted,
    Sex,
    Vaccinated,
)
from cds_service.reasoning.chart import Chart, Given, days_covered, is_resolved
from cds_service.reasoning.findings import Answer, Evidence
from cds_service.reasoning.gene_links import FINAL
from cds_service.reasoning.genetics import GeneReader
from cds_service.reasoning.limits import Judge, beyond, beyond_milder
from cds_service.reasoning.report_words import report_text
from cds_service.reasoning.results import Value
from cds_service.reasoning.truth import Truth, any_of, truth_of
from cds_service.record.dates import Day, age_on, last_day, period
from cds_service.record.facts import Allergy, Condition, Fact, Procedure

F = TypeVar("F")


Question = Callable[[Chart], Answer]
_NOT_KNOWN = Answer(Truth.UNKNOWN)
_NOTHING_SHARED: Mapping[Criterion, Question] = {}


def question(criterion: Criterion, knowledge: Knowledge, shared: Mapping[Criterion, Question] = _NOTHING_SHARED) -> Question:
    """A criterion as a function of a chart, built once for a module; `shared` holds those that are built already."""
    if criterion in shared:
        return shared[criterion]
    if isinstance(criterion, AnyOf):
        return _any_of([question(inner, knowledge, shared) for inner in criterion.of])
    if isinstance(criterion, Lab):
        return _lab(criterion, knowledge)
    if isinstance(criterion, GeneTested):
        return partial(_gene_tested, criterion, GeneReader(knowledge))
    return partial(_KINDS[type(criterion)], criterion)


def _any_of(questions: Sequence[Question]) -> Question:
    def ask_each(chart: Chart) -> Answer:
        answers = [inner(chart) for inner in questions]
        truth = any_of([a.truth for a in answers])
        wanted = [a for a in answers if a.truth is truth] if truth is Truth.PRESENT else answers
        evidence = [e for a in wanted for e in a.evidence]
        if len(evidence) > 1:
            seen: dict[tuple[str | None, str, str | None], Evidence] = {}
            for one in evidence:
                seen.setdefault((one.ref, one.what, one.value), one)
            evidence = list(seen.values())
        return Answer(truth, tuple(evidence))

    return ask_each


# --- the patient ---


def _age(criterion: Age, chart: Chart) -> Answer:
    birth = chart.record.birth
    if birth is None:
        return _NOT_KNOWN
    age = age_on(last_day(birth) if criterion.youngest else birth.day, chart.today)
    holds = (criterion.at_least is None or age >= criterion.at_least) and (criterion.below is None or age < criterion.below)
    remarks = () if birth.precision == "day" else ("date of birth incomplete",)
    return Answer(truth_of(holds), (Evidence(what="Age", value=f"{age} years", remarks=remarks),))


def _sex(criterion: Sex, chart: Chart) -> Answer:
    sex = chart.record.sex
    if sex not in ("male", "female"):
        return _NOT_KNOWN
    return Answer(truth_of(sex == criterion.equals), (Evidence(what="Administrative gender", value=sex),))


def _deceased(_criterion: Deceased, chart: Chart) -> Answer:
    return Answer(truth_of(chart.record.deceased))


# --- laboratory results ---


def _lab(criterion: Lab, knowledge: Knowledge) -> Question:
    judges = {sex: beyond(criterion, knowledge, sex) for sex in ("male", "female", None)}
    value_set, within, persists = criterion.value_set, criterion.within, criterion.persists
    if persists:
        later = {sex: beyond_milder(criterion, persists, knowledge, sex) for sex in judges}
        return lambda chart: _persistent(persists, chart.since(value_set, chart.window(within)), judges[chart.sex], later[chart.sex])

    def ask_latest(chart: Chart) -> Answer:
        start, judge = chart.window(within), judges[chart.sex]
        value = chart.latest(value_set, start)
        if value is None:
            return _NOT_KNOWN
        truth = judge(value)
        if value.rivals and any(judge(other) is not truth for other in value.rivals):
            chart.note(f"{value.label} of {value.day}: results of the same time contradict each other", "Send results with their time.")
            return Answer(Truth.UNKNOWN, (value.evidence,))
        return Answer(truth, (value.evidence,)) if truth is not Truth.UNKNOWN else _first(chart.since(value_set, start), judge)

    if criterion.take == "latest":
        return ask_latest
    return lambda chart: _any_result(chart.since(value_set, chart.window(within)), judges[chart.sex])


def _first(values: Iterable[Value], judge: Judge) -> Answer:
    """The latest result that can be judged: one that only says "below 5", or has no limit of its own, leaves the question open."""
    seen: Value | None = None
    for value in values:
        seen = seen or value
        truth = judge(value)
        if truth is not Truth.UNKNOWN:
            return Answer(truth, (value.evidence,))
    return Answer(Truth.UNKNOWN, (seen.evidence,)) if seen else _NOT_KNOWN


def _any_result(values: Iterable[Value], judge: Judge) -> Answer:
    """Any result that lies beyond the limit."""
    newest: Value | None = None
    for value in values:
        truth = judge(value)
        if truth is Truth.PRESENT:
            return Answer(truth, (value.evidence,))
        if truth is Truth.ABSENT and newest is None:
            newest = value
    return Answer(Truth.ABSENT, (newest.evidence,)) if newest else _NOT_KNOWN


def _persistent(persists: Persistence, values: Iterable[Value], judge: Judge, milder: Judge | None) -> Answer:
    """Enough results beyond the limit, each far enough from the one before; taken from the newest backwards."""
    after = period(persists.apart).after
    latest: Value | None = None
    judged: Value | None = None
    held: list[Value] = []
    for value in values:
        latest = latest or value
        truth = judge(value)
        if truth is Truth.UNKNOWN:
            continue
        judged = judged or value
        if truth is Truth.PRESENT and value.precise and value.day and (not held or after(value.day) <= (held[-1].day or value.day)):
            held.append(value)
            if len(held) == persists.results:
                break
    if judged is None or latest is None:
        return _NOT_KNOWN
    # The latest result must still lie beyond the milder limit of a persistent finding.
    enough = len(held) == persists.results and (milder is None or milder(latest) is Truth.PRESENT)
    return Answer(truth_of(enough), tuple([v.evidence for v in (held if enough else [judged])]))


def _resulted(criterion: Resulted, chart: Chart) -> Answer:
    start = chart.window(criterion.within)
    if criterion.usable:
        value = next((v for s in criterion.value_sets if (v := chart.latest(s, start))), None)
        return Answer(Truth.PRESENT, (value.evidence,)) if value else _NOT_KNOWN
    facts: list[Fact] = []
    for value_set in criterion.value_sets:
        facts += chart.results(value_set)
        facts += [r for r in chart.reports(value_set) if r.status not in ("entered-in-error", "cancelled")]
    recent = [f for f in facts if f.on and start <= f.on <= chart.today]
    if recent:
        newest = max(recent, key=lambda f: f.order)
        return Answer(
            Truth.PRESENT, (Evidence(what=_label(chart, criterion.value_sets[0]), ref=newest.ref, on=newest.on, precision=newest.precision),)
        )
    sources = {chart.knowledge.source_of_set.get(s, "reports") for s in criterion.value_sets}
    if not chart.knowledge.guards.in_documents.keys().isdisjoint(criterion.value_sets):
        sources |= chart.knowledge.domains_of_documents
    if any(f.on is None for f in facts) or not all(chart.record.knows(s) for s in sources):
        return _NOT_KNOWN
    return Answer(Truth.ABSENT)


def _label(chart: Chart, value_set: str) -> str:
    measurement = chart.knowledge.measurements.get(value_set)
    return measurement.label if measurement else chart.knowledge.value_sets[value_set].title.rpartition(": ")[2]


# --- conditions and procedures ---


def _coded(criterion: Coded, chart: Chart) -> Answer:
    found: dict[tuple[Any, ...], Fact] = {}
    for value_set in criterion.value_sets:
        for condition in chart.conditions(value_set):
            if _counts_for(criterion, chart, condition, value_set):
                found[condition.ref, condition.codes, condition.text, condition.when] = condition
        if criterion.procedures:
            for procedure in chart.procedures(value_set):
                if _in_window(criterion.within, chart, procedure.on):
                    found[procedure.ref, procedure.codes, procedure.text, procedure.when] = procedure
    facts = sorted(found.values(), key=lambda f: f.order, reverse=True)
    if criterion.entries:
        precise = [f for f in facts if f.when and f.when.precision == "day"]
        facts = _spaced(precise, criterion.entries.results, lambda f: f.on, period(criterion.entries.apart).after)
    if facts:
        return Answer(Truth.PRESENT, tuple(condition_evidence(chart, f, criterion.value_sets) for f in facts))
    beside = criterion.procedures or (criterion.close_to is not None and criterion.close_to.procedures)
    known = chart.record.knows("conditions") and (not beside or chart.record.knows("procedures"))
    return Answer(Truth.ABSENT if known and criterion.absent_means == "absent" else Truth.UNKNOWN)


def _counts_for(criterion: Coded, chart: Chart, condition: Condition, value_set: str) -> bool:
    text_sets = chart.knowledge.reading(condition.text).value_sets if condition.text else frozenset()
    by_text = value_set in text_sets
    if criterion.code_needs_text_of and criterion.code_needs_text_of not in text_sets:
        return False
    if criterion.unless_text_of and criterion.unless_text_of in text_sets and not by_text:
        return False
    if criterion.not_resolved and is_resolved(condition):
        return False
    in_window = _in_window(criterion.within, chart, condition.on)
    if criterion.or_active:
        recorded = condition.recorded.day if condition.recorded else None
        active = condition.status in ("active", "recurrence", "relapse")
        recent = condition.on is not None and in_window
        in_window = recent or active or (recorded is not None and _in_window(criterion.within, chart, recorded))
    if not in_window:
        return False
    near = criterion.unless_near
    if near and condition.on and chart.near_condition(condition.on, near.value_set, near.within):
        return False
    return criterion.close_to is None or _close(criterion.close_to, chart, condition)


def _close(criterion: CloseTo, chart: Chart, condition: Condition) -> bool:
    """Whether something that may have provoked a condition is so close to it; of an undated one it may be."""
    day = condition.on
    if day is None or not (condition.when and condition.when.precision == "day"):
        return True
    if any(chart.near_condition(day, value_set, criterion.within) for value_set in criterion.value_sets):
        return True
    return criterion.procedures and chart.near_procedure(day, criterion.within)


def _in_window(within: str | None, chart: Chart, day: Day | None) -> bool:
    if day is None:
        return True
    return day <= chart.today and (within is None or day >= chart.window(within))


def condition_evidence(chart: Chart, fact: Fact, value_sets: tuple[str, ...]) -> Evidence:
    """A condition as evidence: the concept's name in our words, its code, its day."""
    code = next((c for c in fact.codes if not chart.knowledge.sets_of(c).isdisjoint(value_sets)), None)
    remarks = [] if code else ["by its text"]
    if fact.when is None:
        remarks.append("undated")
    if isinstance(fact, Condition) and fact.verification is None:
        remarks.append("verification status not given")
    what = "Procedure" if isinstance(fact, Procedure) else "Condition"
    recorded = fact.recorded.day if isinstance(fact, Condition) and fact.recorded else fact.on
    quote = None if code else fact.text
    return Evidence(what=what, ref=fact.ref, code=code, on=fact.on, precision=fact.precision, recorded=recorded, remarks=tuple(remarks), quote=quote)


def _spaced(facts: list[F], wanted: int, day_of: Callable[[F], Day | None], after: Callable[[Day], Day]) -> list[F]:
    """As many facts as wanted, each far enough from the one before; newest first. Empty if there are too few."""
    dated = sorted(((day, i, f) for i, f in enumerate(facts) if (day := day_of(f)) is not None), key=lambda x: (x[0], -x[1]))
    if not dated:
        return []
    # Greedy from the newest backwards keeps the latest result as evidence and finds as many as any other choice.
    chosen = [dated[-1]]
    for entry in reversed(dated[:-1]):
        if after(entry[0]) <= chosen[-1][0]:
            chosen.append(entry)
    return [f for _, _, f in chosen[:wanted]] if len(chosen) >= wanted else []


# --- medications ---


def _drug(criterion: Drug, chart: Chart) -> Answer:
    given = _given(criterion, chart)
    known = chart.record.knows("medications")
    if criterion.before_result:
        return _before_result(criterion, chart, given, known=known)
    if criterion.covered or criterion.courses:
        return _covering(criterion, chart, given, known=known)
    if criterion.distinct:
        by_ingredient = {g.ingredient: g for g in reversed(given)}
        truth = truth_of(len(by_ingredient) >= criterion.distinct)
        if truth is Truth.ABSENT and not known:
            truth = Truth.UNKNOWN
        return Answer(truth, tuple(map(drug_evidence, by_ingredient.values())))
    if given:
        return Answer(Truth.PRESENT, tuple(map(drug_evidence, given[:2])))
    return Answer(Truth.ABSENT if known and criterion.none_means == "absent" else Truth.UNKNOWN)


def _given(criterion: Drug, chart: Chart) -> list[Given]:
    """The drugs that a criterion may count, newest first, each order once."""
    start = chart.window(criterion.within) if criterion.within else None
    found: dict[tuple[str | None, str, str], Given] = {}
    for value_set in criterion.value_sets:
        for one in chart.drugs(value_set):
            if criterion.current and (one.fact.status != "active" or (one.fact.until and one.fact.until < chart.today)):
                continue
            if (one.start and one.start > chart.today) or (start and one.end and one.end < start):
                continue
            if criterion.ingredients and one.ingredient not in criterion.ingredients:
                continue
            if criterion.begun and not (one.start and one.start >= chart.window(criterion.begun)):
                continue
            found[(one.fact.ref, one.ingredient, one.fact.text)] = one
    return sorted(found.values(), key=lambda g: g.fact.order, reverse=True)


def _covering(criterion: Drug, chart: Chart, given: list[Given], *, known: bool) -> Answer:
    """Days covered, or courses, in the window; what does not suffice is unknown where the module says so."""
    start = chart.window(criterion.within) if criterion.within else dt.date.min
    spans = [(max(g.start, start), g.end) for g in given if g.start and g.end and g.end >= start]
    evidence = tuple(map(drug_evidence, given[:3]))
    if criterion.covered:
        wanted = (period(criterion.covered).after(chart.today) - chart.today).days
        if days_covered(spans) >= wanted:
            return Answer(Truth.PRESENT, evidence)
    if criterion.courses and _courses(spans) >= criterion.courses:
        return Answer(Truth.PRESENT, evidence)
    if not given:
        return Answer(Truth.ABSENT if known and criterion.none_means == "absent" else Truth.UNKNOWN)
    return Answer(Truth.ABSENT if known and criterion.absent_means == "absent" else Truth.UNKNOWN, evidence)


def _courses(spans: Iterable[tuple[Day, Day]]) -> int:
    """Separate courses: spans that touch or overlap are one."""
    count = 0
    last: Day | None = None
    for start, end in sorted(spans):
        if last is None or start > last + dt.timedelta(days=1):
            count += 1
        last = end if last is None else max(last, end)
    return count


def _before_result(criterion: Drug, chart: Chart, given: list[Given], *, known: bool) -> Answer:
    before = criterion.before_result
    latest = next((v.day for v in chart.since(before.value_set) if v.day), None) if before else None
    if before is None or latest is None:
        return _NOT_KNOWN
    start = period(before.within).before(latest)
    hits = [g for g in given if g.start and g.end and g.start <= latest and g.end >= start]
    undated = [g for g in given if g.start is None and g.fact.status == "active"]
    if hits or undated:
        return Answer(Truth.PRESENT, tuple(map(drug_evidence, (hits or undated)[:2])))
    perhaps = [g for g in given if g.open_ended and g.start and g.start <= latest]
    return Answer(Truth.ABSENT if known and not perhaps else Truth.UNKNOWN, tuple(map(drug_evidence, perhaps[:2])))


def drug_evidence(given: Given) -> Evidence:
    """A drug as evidence: its ingredient in our words, status and start."""
    code = given.fact.codes[0] if given.fact.codes else None
    remarks = () if given.start else ("start not given",)
    status = given.fact.status or "status not given"
    return Evidence(
        what=given.ingredient, ref=given.fact.ref, code=code, value=status, on=given.start, precision=given.fact.precision, remarks=remarks
    )


# --- the gene ---


def _gene_tested(criterion: GeneTested, reader: GeneReader, chart: Chart) -> Answer:
    """A finished result of the gene in the window, whatever it says."""
    start = chart.window(criterion.within)
    done = [r for r in chart.record.reports if r.status in FINAL and r.on and start <= r.on <= chart.today and reader.about_gene(r)]
    if done:
        newest = max(done, key=lambda r: r.order)
        return Answer(Truth.PRESENT, (Evidence(what=reader.rules.gene, ref=newest.ref, on=newest.on, precision=newest.precision),))
    known = chart.record.knows("genetics") and chart.record.knows("reports")
    return Answer(Truth.ABSENT if known else Truth.UNKNOWN)


# --- allergies and vaccines ---


def _allergic(criterion: Allergic, chart: Chart) -> Answer:
    found = {(a.ref, a.codes, a.text): a for value_set in criterion.value_sets for a in chart.allergies(value_set)}
    if found:
        newest = sorted(found.values(), key=lambda a: a.order, reverse=True)[:2]
        return Answer(Truth.PRESENT, tuple(_allergy_evidence(chart, a, criterion.value_sets) for a in newest))
    return Answer(Truth.ABSENT if chart.record.knows("allergies") else Truth.UNKNOWN)


def _allergy_evidence(chart: Chart, allergy: Allergy, value_sets: tuple[str, ...]) -> Evidence:
    code = next((c for c in allergy.codes if not chart.knowledge.sets_of(c).isdisjoint(value_sets)), None)
    remarks = () if allergy.verification in ("confirmed", None) else (allergy.verification,)
    return Evidence(
        what="Allergy", ref=allergy.ref, code=code, on=allergy.on, precision=allergy.precision, remarks=remarks, quote=None if code else allergy.text
    )


def _vaccinated(criterion: Vaccinated, chart: Chart) -> Answer:
    """So many doses on different days; what a list that was read in full does not hold is absent."""
    start = chart.window(criterion.within) if criterion.within else None
    given = {v.ref: v for value_set in criterion.value_sets for v in chart.immunizations(value_set)}
    counted = [v for v in given.values() if start is None or (v.on and v.on >= start)]
    days = {v.on: v for v in sorted(counted, key=lambda v: v.order)}
    evidence = tuple(
        Evidence(what="Vaccination", ref=v.ref, code=v.codes[0] if v.codes else None, on=v.on, precision=v.precision) for v in days.values()
    )
    if len(days) >= criterion.doses:
        return Answer(Truth.PRESENT, evidence)
    return Answer(Truth.ABSENT if chart.record.knows("immunizations") else Truth.UNKNOWN, evidence)


_KINDS: dict[type[Any], Callable[[Any, Chart], Answer]] = {
    Age: _age,
    Sex: _sex,
    Deceased: _deceased,
    Resulted: _resulted,
    Coded: _coded,
    Drug: _drug,
    Allergic: _allergic,
    Vaccinated: _vaccinated,
    ReportText: report_text,
}
