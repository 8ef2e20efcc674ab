"""A failing case as its author would want to read it: the sentence, the chart, what was expected, what was found, and why."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import CaseFact
from cds_service.reasoning.casebook import Outcome
from cds_service.reasoning.findings import Assessment, Evidence
from cds_service.reasoning.truth import Truth

_LISTS = ("labs", "conditions", "medications", "procedures", "immunizations", "allergies", "orders", "reports", "documents")
_SAID = {Truth.PRESENT: "present", Truth.ABSENT: "absent", Truth.UNKNOWN: "unknown"}


def account_of(knowledge: Knowledge, outcome: Outcome) -> str:
    """The whole account of a case that failed, in lines."""
    lines = [f"{outcome.place}: {outcome.case.name}", *_published(outcome)]
    lines += ["", "  Chart", *_chart(outcome), "", "  Expected, but", *(f"    {f}" for f in outcome.faults)]
    if outcome.assessment is not None:
        why = list(_why(knowledge, outcome, outcome.assessment))
        lines += ["", "  Why", *(f"    {line}" for line in why)]
    return "\n".join(lines)


def _published(outcome: Outcome) -> Iterator[str]:
    """Where the patient was published, what was read there, and what of the chart is invented."""
    found = outcome.case.published
    if found is not None:
        yield from ("", "  Published", f"    {found.source}, read at {found.address}", f"    says: {found.says}")
        yield f"    invented: {', '.join(found.invented)}"


def _chart(outcome: Outcome) -> Iterator[str]:
    """The chart as a small table: kind, what, value, when."""
    case = outcome.case
    patient = case.record.patient
    born = f"age {patient.age}" if patient and patient.age is not None else f"born {patient.birth}" if patient and patient.birth else "age unknown"
    rows = [
        ("patient", (patient.sex if patient else None) or "sex unknown", f"{born}{', deceased' if patient and patient.deceased else ''}", case.today)
    ]
    for name in _LISTS:
        rows += [(name, _what(fact), _value(fact), _when(fact)) for fact in getattr(case.record, name)]
    rows += [("not read", source, "", "") for source in case.record.unavailable]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    yield from ("    " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _what(fact: CaseFact) -> str:
    code = f"{fact.code} ({fact.system})" if fact.system else fact.code
    return " ".join(part for part in (code, f'"{fact.text}"' if fact.text else None) if part)


def _value(fact: CaseFact) -> str:
    number = f"{fact.value:g} {fact.unit or ''}".strip() if fact.value is not None else None
    upper = f"upper limit {fact.upper_limit:g}" if fact.upper_limit is not None else None
    said = f'"{fact.conclusion}"' if fact.conclusion else None
    return ", ".join(part for part in (number, upper, fact.status, fact.verification, fact.remark, said) if part)


def _when(fact: CaseFact) -> str:
    date = "undated" if fact.date == "none" else fact.date or "(2026-11-01)"
    return f"{date} to {fact.until}" if fact.until else date


def _why(knowledge: Knowledge, outcome: Outcome, found: Assessment) -> Iterator[str]:
    """The evidence of what the case asks for, the parts of terms and rules, and the way to the card."""
    for name, wanted in outcome.case.expect.items():
        if found.truth(name).value != wanted:
            yield from _why_finding(knowledge, found, name)
    yield f"criteria met: {', '.join(found.criteria) or 'none'}; gene: {found.genetics.state.value}; withheld: {', '.join(found.withheld) or 'no'}"
    for reason in found.genetics.reasons:
        yield f"gene: {knowledge.genetics.messages[reason]}"
    given = [a for a in found.advice if a.truth is Truth.PRESENT]
    if outcome.case.recommends or outcome.case.silent or outcome.case.cautions or outcome.case.no_cautions:
        yield f"recommended: {', '.join(a.id for a in given) or 'nothing'}"
        for one in given:
            yield from (f"{one.id} raises: {knowledge.recommendations[one.id].cautions[i].text}" for i in one.cautions)
    if outcome.case.offers or outcome.case.not_offered:
        yield f"offered: {', '.join(found.orders) or 'nothing'}"
    yield from (f"{issue.what}. {issue.remedy}".strip() for issue in found.issues)


def _why_finding(knowledge: Knowledge, found: Assessment, name: str) -> Iterator[str]:
    truth = _SAID[found.truth(name)]
    if name in knowledge.rules:
        rule = knowledge.rules[name]
        yield f"{name} ({rule.label}) is {truth}; it needs {rule.at_least} of"
        yield from (f"  {label}: {_SAID[item]}" for label, item in zip(rule.item_labels, found.rules[name].items, strict=True))
    elif name in knowledge.terms:
        yield f"{name} is {truth}; it means: {knowledge.terms[name].definition}"
    else:
        evidence = found.findings[name].evidence
        yield f"{name} ({knowledge.flags[name].label}) is {truth}{', by' if evidence else ': nothing in the chart bears on it'}"
        yield from (f"  {_shown(one)}" for one in evidence)


def _shown(one: Evidence) -> str:
    return " ".join(str(part) for part in (one.what, one.value, one.code, one.quote, one.on, *one.remarks) if part)
