"""Expressions over findings: the truth of terms, rules and tiers."""

from __future__ import annotations

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Expression, Organs
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.criteria import ask
from cds_service.reasoning.findings import Finding, RuleOutcome
from cds_service.reasoning.truth import Truth, all_of, any_of, at_least, negation, truth_of


class Scope:
    """Findings, terms and rules of one patient, each computed when it is first asked for."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._knowledge: Knowledge = chart.knowledge
        self.findings: dict[str, Finding] = {}
        self._terms: dict[str, Truth] = {}
        self._rules: dict[str, RuleOutcome] = {}

    def truth(self, expression: Expression) -> Truth:
        """The truth of an expression."""
        if isinstance(expression, str):
            return self._named(expression)
        if expression.all is not None:
            return all_of(map(self.truth, expression.all))
        if expression.any is not None:
            return any_of(map(self.truth, expression.any))
        if expression.at_least is not None:
            return at_least(expression.at_least.n, map(self.truth, expression.at_least.of))
        if expression.not_ is not None:
            return negation(self.truth(expression.not_))
        if expression.not_found is not None:
            return truth_of(self.truth(expression.not_found) is not Truth.PRESENT)
        if expression.unknown is not None:
            return truth_of(self.truth(expression.unknown) is Truth.UNKNOWN)
        return self._organs(expression.organs or Organs(at_least=1))

    def finding(self, name: str) -> Finding:
        """A flag's truth and evidence in this patient."""
        if name not in self.findings:
            answer = ask(self._knowledge.flags[name].when, self._chart)
            self.findings[name] = Finding(id=name, truth=answer.truth, evidence=answer.evidence)
        return self.findings[name]

    def _named(self, name: str) -> Truth:
        if name in self._knowledge.flags:
            return self.finding(name).truth
        if name in self._knowledge.rules:
            return self.rule(name).truth
        if name not in self._terms:
            self._terms[name] = self.truth(self._knowledge.terms[name].when)
        return self._terms[name]

    def rule(self, name: str) -> RuleOutcome:
        """A rule's outcome with the truth of each item."""
        if name not in self._rules:
            rule = self._knowledge.rules[name]
            items = tuple(map(self.truth, rule.items))
            truth = all_of([at_least(rule.at_least, items), *map(self.truth, rule.requires)])
            self._rules[name] = RuleOutcome(id=name, truth=truth, items=items)
        return self._rules[name]

    def _organs(self, wanted: Organs) -> Truth:
        """How many organ systems have a present finding; two findings of one system are one organ."""
        systems: dict[str, list[Truth]] = {}
        for name, flag in self._knowledge.flags.items():
            if flag.organ and wanted.strength in ("any", flag.organ.strength):
                systems.setdefault(flag.organ.system, []).append(self.finding(name).truth)
        return at_least(wanted.at_least, (any_of(truths) for truths in systems.values()))
