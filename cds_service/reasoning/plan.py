"""What a module asks of every chart, arranged once, so that one patient costs only what the chart holds."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import (
    Age,
    Clause,
    Criterion,
    Deceased,
    DraftOrder,
    Expression,
    GeneTested,
    Recommendation,
    Rule,
    Sex,
    TierCriterion,
)
from cds_service.knowledge.references import leaves, parts_of, value_sets_of
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.criteria import Question, question
from cds_service.reasoning.expressions import Formula, formula
from cds_service.reasoning.findings import Answer, Finding, RuleOutcome
from cds_service.reasoning.truth import Truth, all_of, at_least
from cds_service.record.facts import PatientRecord, Source

_SOME_DAY = dt.date(2000, 1, 1)


class RulePlan(NamedTuple):
    """A rule with its items and requirements as functions."""

    rule: Rule
    items: tuple[Formula, ...]
    requires: tuple[Formula, ...]


class CriterionPlan(NamedTuple):
    """One way into a tier (0 is the highest), and what lowers it."""

    criterion: TierCriterion
    level: int
    when: Formula
    lowered_by: Formula | None


class AdvicePlan(NamedTuple):
    """A recommendation with its condition, its other wordings, its parts and its cautions."""

    item: Recommendation
    when: Formula
    variations: tuple[Formula, ...]
    parts: tuple[Formula, ...]
    cautions: tuple[Formula, ...]


class OrderPlan(NamedTuple):
    """A draft order with its condition, and the words that show that it is on order already."""

    order: DraftOrder
    topics: frozenset[str]
    when: Formula
    ordered_text: re.Pattern[str] | None


class Silence(NamedTuple):
    """What every flag answers to a chart that holds nothing."""

    findings: dict[str, Finding]
    truths: dict[str, Truth]


class Plan:
    """A module's expressions as functions, and which flags each value set can change."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        flags, assessment = knowledge.flags, knowledge.assessment
        self.terms = {name: formula(term.when, flags) for name, term in knowledge.terms.items()}
        self.rules = {
            name: RulePlan(rule, tuple(formula(e, flags) for e in rule.items), tuple(formula(e, flags) for e in rule.requires))
            for name, rule in knowledge.rules.items()
        }
        self.questions = self._asked()
        # What the words of a card depend on besides the findings: a term or a flag by its name, or an expression.
        self.said = tuple(sorted({f.provisional.unless for f in flags.values() if f.provisional} & knowledge.terms.keys()))
        self.qualified = {name: tuple(formula(q.when, flags) for q in flag.qualified) for name, flag in flags.items() if flag.qualified}
        self.compatible = formula(assessment.compatible, flags)
        self.no_card_when = tuple((name, formula(name, flags)) for name in knowledge.module.no_card_when)
        self.criteria = tuple(
            CriterionPlan(c, level, formula(c.when, flags), formula(c.lowered_by, flags) if c.lowered_by else None)
            for level, tier in enumerate(assessment.tiers)
            for c in tier.any
        )
        self.bearing = {plan.criterion.id: _bearing(knowledge, plan.criterion.when) for plan in self.criteria}
        self.advice = tuple(
            AdvicePlan(
                item,
                formula(item.when, flags),
                *(tuple(formula(c.when, flags) for c in each) for each in (item.variations, item.parts, item.cautions)),
            )
            for item in knowledge.recommendations.values()
        )
        self.orders = tuple(
            OrderPlan(o, frozenset(o.topics), formula(o.when, flags), re.compile(o.ordered_text) if o.ordered_text else None)
            for o in knowledge.orders.values()
        )
        self._personal = frozenset(
            name for name, flag in flags.items() if any(isinstance(c, Age | Sex | Deceased | GeneTested) for c in leaves(flag.when))
        )
        self._readers = self._by_value_set()
        self._silent = lru_cache(maxsize=256)(self._of_silence)

    def _asked(self) -> dict[str, Question]:
        """Each flag as a function of a chart; what several flags ask alike is asked once."""
        times = Counter(leaf for flag in self.knowledge.flags.values() for leaf in leaves(flag.when))
        shared = {criterion: _once(question(criterion, self.knowledge)) for criterion, n in times.items() if n > 1}
        return {name: question(flag.when, self.knowledge, shared) for name, flag in self.knowledge.flags.items()}

    def _by_value_set(self) -> dict[str, frozenset[str]]:
        """For each value set the flags whose answer may depend on it."""
        found: dict[str, set[str]] = {}
        for name, flag in self.knowledge.flags.items():
            for value_set in self._read_by(flag.when):
                found.setdefault(value_set, set()).add(name)
        return {value_set: frozenset(names) for value_set, names in found.items()}

    def _read_by(self, criterion: Criterion) -> Iterator[str]:
        """The value sets a criterion reads, and those from which a count that it reads may be computed."""
        for leaf in leaves(criterion):
            for value_set in value_sets_of(leaf):
                yield value_set
                measurement = self.knowledge.measurements.get(value_set)
                if measurement and measurement.derived:
                    yield from (measurement.derived.percent, measurement.derived.of)

    def open_for(self, chart: Chart) -> frozenset[str]:
        """The flags that this chart may answer otherwise than one which holds nothing."""
        readers = self._readers
        return self._personal.union(*[readers[s] for s in chart.touched() if s in readers])

    def silent(self, record: PatientRecord) -> Silence:
        """Every flag's answer to a chart that holds nothing, when the same sources were read as of this record."""
        return self._silent(frozenset(domain for domain, source in record.sources.items() if source is Source.READ))

    def _of_silence(self, known: frozenset[str]) -> Silence:
        nothing = Chart(self.knowledge, PatientRecord(patient_id="", sources=dict.fromkeys(known, Source.READ)), _SOME_DAY)
        answers = {name: asked(nothing) for name, asked in self.questions.items()}
        findings = {name: Finding(id=name, truth=a.truth, evidence=a.evidence) for name, a in answers.items()}
        return Silence(findings, {name: found.truth for name, found in findings.items()})


def _once(asked: Question) -> Question:
    """A question whose answer a chart keeps."""

    def ask(chart: Chart) -> Answer:
        known = chart.answers.get(asked)
        if known is None:
            known = chart.answers[asked] = asked(chart)
        return known

    return ask


def _bearing(knowledge: Knowledge, criterion: Expression) -> frozenset[str]:
    """The flags that a criterion refers to, through terms and rules, organs included where they are counted."""
    pending: list[Expression] = [criterion]
    reached: set[str] = set()
    while pending:
        expression = pending.pop()
        if isinstance(expression, Clause):
            if expression.organs:
                reached |= {n for n, f in knowledge.red_flags.items() if f.organ and expression.organs.strength in ("any", f.organ.strength)}
            pending += parts_of(expression)
        elif expression not in reached:
            reached.add(expression)
            if expression in knowledge.terms:
                pending.append(knowledge.terms[expression].when)
            elif expression in knowledge.rules:
                pending += knowledge.rules[expression].items
    return frozenset(name for name in reached if name in knowledge.flags)


class Scope:
    """Findings, terms and rules of one patient, each computed when it is first asked for."""

    def __init__(self, plan: Plan, chart: Chart) -> None:
        self.plan = plan
        self.chart = chart
        silent = plan.silent(chart.record)
        self.findings = silent.findings.copy()
        self.truths = silent.truths.copy()
        for name in plan.open_for(chart):
            del self.findings[name], self.truths[name]
        self._rules: dict[str, RuleOutcome] = {}

    def finding(self, name: str) -> Finding:
        """A flag's truth and evidence in this patient."""
        found = self.findings.get(name)
        if found is None:
            truth, evidence = self.plan.questions[name](self.chart)
            found = self.findings[name] = Finding(id=name, truth=truth, evidence=evidence)
            self.truths[name] = truth
        return found

    def truth(self, name: str) -> Truth:
        """The truth of a finding, term or rule."""
        if name in self.plan.knowledge.flags:
            return self.finding(name).truth
        truth = self.truths.get(name)
        if truth is None:
            when = self.plan.terms.get(name)
            truth = self.truths[name] = when(self) if when else self.rule(name).truth
        return truth

    def rule(self, name: str) -> RuleOutcome:
        """A rule's outcome with the truth of each item."""
        found = self._rules.get(name)
        if found is None:
            rule, items, requires = self.plan.rules[name]
            truths = tuple([item(self) for item in items])
            truth = all_of([at_least(rule.at_least, truths), *[required(self) for required in requires]])
            found = self._rules[name] = RuleOutcome(id=name, truth=truth, items=truths)
        return found
