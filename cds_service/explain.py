"""An assessment as a table for the terminal, and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from cds_service.cards.wording import advice_text
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Flag
from cds_service.reasoning.casebook import topic_codes
from cds_service.reasoning.findings import Assessment, Evidence, Finding

_MARK = {"present": "+", "absent": "-", "unknown": "?"}


def as_table(knowledge: Knowledge, assessment: Assessment) -> Iterator[str]:
    """Lines of a readable report: the answer, rules with their items, every red flag, alternatives, advice, issues."""
    topics = topic_codes(knowledge, assessment)
    module = knowledge.module
    yield f"{module.title} on {assessment.today} (knowledge {module.version}, {module.status}, SHA-256 {knowledge.digest[:12]})"
    yield f"Cards: {', '.join(topics) or 'none'}"
    yield f"Tier: {assessment.tier or 'none'}; criteria met: {', '.join(assessment.criteria) or 'none'}{' (lowered)' if assessment.lowered else ''}"
    state = assessment.genetics
    yield f"{knowledge.genetics.gene}: {state.state.value}{' (' + ', '.join(state.reasons) + ')' if state.reasons else ''}"
    yield from (f"    {_evidence(e)}" for e in state.evidence)
    yield ""
    yield "Rules"
    for rule in knowledge.rules.values():
        outcome = assessment.rules[rule.id]
        yield f"  [{_MARK[outcome.truth.value]}] {rule.id}: {rule.label}"
        yield from (f"        [{_MARK[t.value]}] {label}: {t.value}" for label, t in zip(rule.item_labels, outcome.items, strict=True))
    for tier in knowledge.assessment.tiers:
        for criterion in tier.any:
            met = criterion.id in assessment.met
            yield f"  [{'+' if met else ' '}] {tier.topic} {criterion.id}: {criterion.label}"
    for title, flags in (("Red flags", knowledge.red_flags), ("Other explanations", knowledge.alternatives)):
        yield ""
        yield title
        for name, flag in flags.items():
            yield from _flag(knowledge, flag, assessment.findings[name])
    if assessment.advice:
        yield ""
        yield "Advice"
        for advice in assessment.advice:
            item = knowledge.recommendations[advice.id]
            cautions = "; ".join(item.cautions[i].text for i in advice.cautions)
            yield from textwrap.wrap(
                f"[{_MARK[advice.truth.value]}] {advice.id}: {advice_text(item, advice)}{f' Caution: {cautions}.' if cautions else ''}",
                110,
                initial_indent="  ",
                subsequent_indent="      ",
            )
    if assessment.issues:
        yield ""
        yield "Issues"
        yield from (f"  {issue.level}: {issue.what}.{' ' + issue.remedy if issue.remedy else ''}" for issue in assessment.issues)


def _flag(knowledge: Knowledge, flag: Flag, finding: Finding) -> Iterator[str]:
    cited = ", ".join(knowledge.citations[c].short for c in flag.citations) or "our proposal"
    yield f"  [{_MARK[finding.truth.value]}] {flag.label}: {finding.truth.value}  ({cited})"
    yield from (f"        {_evidence(e)}" for e in finding.evidence)


def _evidence(evidence: Evidence) -> str:
    parts = [evidence.what, evidence.value or "", str(evidence.code) if evidence.code else "", f'"{evidence.quote}"' if evidence.quote else ""]
    parts += [str(evidence.on) if evidence.on else "no date", f"[{evidence.ref}]" if evidence.ref else "", *evidence.remarks]
    return " ".join(p for p in parts if p)


def as_data(knowledge: Knowledge, assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON-ready data."""
    return {
        "module": {"id": knowledge.module.id, "version": knowledge.module.version, "status": knowledge.module.status, "digest": knowledge.digest},
        "today": assessment.today.isoformat(),
        "topics": list(topic_codes(knowledge, assessment)),
        "tier": assessment.tier,
        "criteria": list(assessment.criteria),
        "lowered": assessment.lowered,
        "genetics": {
            "state": assessment.genetics.state.value,
            "reasons": list(assessment.genetics.reasons),
            "evidence": [_data(e) for e in assessment.genetics.evidence],
        },
        "rules": {
            r.id: {"truth": r.truth.value, "items": dict(zip(knowledge.rules[r.id].item_labels, (t.value for t in r.items), strict=True))}
            for r in assessment.rules.values()
        },
        "findings": {
            f.id: {
                "label": knowledge.flags[f.id].label,
                "truth": f.truth.value,
                "evidence": [_data(e) for e in f.evidence],
                "citations": list(knowledge.flags[f.id].citations),
            }
            for f in assessment.findings.values()
        },
        "terms": {name: truth.value for name, truth in assessment.terms.items()},
        "advice": [
            {
                "id": a.id,
                "truth": a.truth.value,
                "text": advice_text(knowledge.recommendations[a.id], a),
                "cautions": [knowledge.recommendations[a.id].cautions[i].text for i in a.cautions],
            }
            for a in assessment.advice
        ],
        "orders": list(assessment.orders),
        "issues": [{"level": i.level, "what": i.what, "remedy": i.remedy} for i in assessment.issues],
    }


def _data(evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {
        "what": evidence.what,
        "ref": evidence.ref,
        "value": evidence.value,
        "on": evidence.on.isoformat() if evidence.on else None,
    }
    if evidence.code:
        found["code"] = {"system": evidence.code.system, "code": evidence.code.value}
    if evidence.quote:
        found["quote"] = evidence.quote
    found["remarks"] = list(evidence.remarks)
    return {k: v for k, v in found.items() if v not in (None, [])}
