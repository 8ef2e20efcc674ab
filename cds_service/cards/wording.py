"""The sentences of a card: facts with value, unit and day; what speaks against; what is missing; rules; sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.cards.markdown import escape, link, quantity
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Clause, Expression, Flag, Lab, Sex
from cds_service.knowledge.references import leaves, parts_of
from cds_service.reasoning.findings import Assessment, Evidence, Finding
from cds_service.reasoning.truth import Truth
from cds_service.record.facts import PatientRecord, Source


class Sources:
    """The citations of one card, numbered as they are used."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._numbers: dict[str, int] = {}

    def cite(self, names: Iterable[str]) -> str:
        """Numbers in brackets for these citations."""
        numbers = [self._numbers.setdefault(n, len(self._numbers) + 1) for n in names]
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""

    def line(self) -> str:
        """Every citation used, as a numbered line of links."""
        named = (f"{i} {link(self._knowledge.citations[n].short, self._knowledge.citations[n].url)}" for n, i in self._numbers.items())
        return f"**Sources** {' · '.join(named)}" if self._numbers else ""


class Found(NamedTuple):
    """What was found, in the order of a card; the met criterion rests on the first so many, which are never cut."""

    pairs: list[tuple[Flag, Finding]]
    resting: int


def present_flags(knowledge: Knowledge, assessment: Assessment) -> Found:
    """What the met criterion rests on first, then other red flags, by weight.

    A fact of the criterion that a red flag shows already (MCV above 100 fL, macrocytosis) lends it its place.
    """
    bearing = set(_bearing(knowledge, assessment))
    found = _present(assessment, [f for f in knowledge.red_flags.values() if f.shown])
    for fact, finding in _present(assessment, [f for n, f in knowledge.facts.items() if n in bearing and not isinstance(f.when, Age | Sex)]):
        same = [f.id for f, other in found if set(map(_identity, finding.evidence)) <= set(map(_identity, other.evidence))]
        bearing.update(same)
        if not same:
            found.append((fact, finding))
    ordered = sorted(found, key=lambda pair: (pair[0].id not in bearing, -pair[0].weight))
    return Found(ordered, sum(flag.id in bearing for flag, _ in ordered))


def _present(assessment: Assessment, flags: Iterable[Flag]) -> list[tuple[Flag, Finding]]:
    findings = ((f, assessment.findings.get(f.id)) for f in flags)
    return [(f, found) for f, found in findings if found is not None and found.truth is Truth.PRESENT]


def _identity(evidence: Evidence) -> tuple[object, ...]:
    return (evidence.ref, evidence.what, evidence.value, evidence.on)


def _bearing(knowledge: Knowledge, assessment: Assessment) -> frozenset[str]:
    """The flags that the first criterion met refers to, through terms and rules, organs included where they are counted."""
    criteria = {c.id: c for tier in knowledge.assessment.tiers for c in tier.any}
    pending: list[Expression] = [criteria[assessment.criteria[0]].when] if assessment.criteria else []
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
    return frozenset(reached)


def finding_line(flag: Flag, finding: Finding, assessment: Assessment) -> str:
    """One finding with its facts: value, unit, day, and what qualifies them."""
    facts = "; ".join(dict.fromkeys(filter(None, (evidence_text(e, flag) for e in finding.evidence[:2]))))
    provisional = ""
    if flag.provisional and any(e.value for e in finding.evidence) and assessment.truth(flag.provisional.unless) is not Truth.PRESENT:
        provisional = f" ({flag.provisional.text})"
    return f"{flag.label}{provisional}: {facts}" if facts else f"{flag.label}{provisional}"


def evidence_text(evidence: Evidence, flag: Flag | None = None) -> str:
    """A fact in a few words: `MCV 108 fL (2026-11-01)`, `ICD-10-CM L98.2 (2024-03-01)`."""
    when = day_text(evidence)
    remarks = "".join(f", {r}" for r in evidence.remarks if r not in ("undated", "by its text"))
    if evidence.quote:
        return f'"{escape(evidence.quote, 120 if evidence.what == "Report" else 60)}" ({when}{remarks})'
    if evidence.what in ("Condition", "Procedure"):
        return f"{evidence.code or 'by its text'} ({when}{remarks})"
    name = "" if flag and evidence.what == flag.label else f"{evidence.what} "
    return f"{name}{quantity(evidence.value or '')} ({when}{remarks})".replace("  ", " ")


def day_text(evidence: Evidence) -> str:
    """A day as far as the chart gives it: 2026-11-01, 2026-11 or 2026."""
    if evidence.on is None:
        return "no date"
    return evidence.on.isoformat()[: {"year": 4, "month": 7}.get(evidence.precision, 10)]


def against_lines(knowledge: Knowledge, assessment: Assessment) -> Iterator[str]:
    """Other explanations that were found or not assessed, and results that are normal."""
    found = [(f, assessment.findings[n]) for n, f in knowledge.alternatives.items() if assessment.findings[n].truth is Truth.PRESENT]
    for flag, finding in found:
        note = f" ({flag.note})" if flag.note else ""
        yield f"{finding_line(flag, finding, assessment)}{note}"
    shown = {_identity(e) for _, f in present_flags(knowledge, assessment).pairs for e in f.evidence}
    within = (assessment.findings[name] for name in knowledge.assessment.reassuring if name in assessment.findings)
    normal = [evidence_text(f.evidence[0]) for f in within if f.truth is Truth.ABSENT and f.evidence and _identity(f.evidence[0]) not in shown]
    if normal:
        yield f"Within limits: {'; '.join(normal)}"
    yield from (f"Not counted: {e.what}, {e.value} ({day_text(e)})" for e in assessment.uncounted[:2])
    unknown = [(f, assessment.findings[n]) for n, f in knowledge.alternatives.items() if assessment.findings[n].truth is Truth.UNKNOWN]
    open_ones = [f"{f.short or f.label}{' (in part)' if found.evidence else ''}" for f, found in unknown]
    if open_ones:
        yield f"Not assessed: {', '.join(open_ones)}"


def missing(knowledge: Knowledge, assessment: Assessment, record: PatientRecord) -> list[str]:
    """Data that was not available: tests without a usable result, sources that could not be read, and other issues."""
    labels: dict[str, None] = {}
    for name, flag in knowledge.red_flags.items():
        finding = assessment.findings.get(name)
        if finding is None or finding.truth is not Truth.UNKNOWN or flag.weight < 1:
            continue
        for criterion in leaves(flag.when):
            if isinstance(criterion, Lab) and not criterion.persists:
                labels[knowledge.measurements[criterion.value_set].label] = None
    return [*unread(assessment, record), *labels]


def unread(assessment: Assessment, record: PatientRecord) -> list[str]:
    """Sources that could not be read in full, and input that could not be used."""
    domains = [domain.replace("-", " ") for domain, source in sorted(record.sources.items()) if source is not Source.READ]
    return [*domains, *(issue.what for issue in assessment.issues if issue.level == "warning")]


def rule_line(knowledge: Knowledge, assessment: Assessment, sources: Sources) -> str:
    """Why the card fired: the criterion, and the published performance or that there is none."""
    criteria = {c.id: c for tier in knowledge.assessment.tiers for c in tier.any}
    first = criteria[assessment.criteria[0]]
    lowered = f" Lowered one step: {knowledge.flags[first.lowered_by].label.lower()}." if assessment.lowered and first.lowered_by else ""
    if first.rule is None:
        return f"**Why** {first.label}. Expert framing, no published performance.{lowered}"
    rule = knowledge.rules[first.rule]
    caution = f" {rule.caution}" if rule.caution else ""
    return f"**Why** {rule.label}: {rule.performance}, {rule.population}.{caution}{lowered}{sources.cite(rule.citations)}"
