"""Why the service says what it says: every red flag as present, absent or unknown, with the facts behind it or what is lacking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds_service.evidence import shown
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Citation, Coded, Drug, Flag, Lab
from cds_service.knowledge.references import leaves, value_sets_of
from cds_service.reasoning.findings import Assessment, Evidence, Finding
from cds_service.reasoning.truth import Truth
from cds_service.record.facts import PatientRecord

_ORDER = (Truth.PRESENT, Truth.UNKNOWN, Truth.ABSENT)
WORDS = {"present": "● present", "unknown": "? unknown", "absent": "– absent"}
_MOST_FACTS = 3


class Row(NamedTuple):
    """One red flag in one patient."""

    id: str
    label: str
    truth: str
    facts: tuple[str, ...]
    why: str
    sources: tuple[Citation, ...]


def rows(knowledge: Knowledge, assessment: Assessment, record: PatientRecord) -> tuple[Row, ...]:
    """Every red flag: those that are present first, then those that are not known."""
    found = [_row(knowledge, flag, assessment.findings[name], record) for name, flag in knowledge.red_flags.items()]
    return tuple(sorted(found, key=lambda row: _ORDER.index(Truth(row.truth))))


def _row(knowledge: Knowledge, flag: Flag, finding: Finding, record: PatientRecord) -> Row:
    facts = tuple(dict.fromkeys(_fact(flag, one) for one in finding.evidence))[:_MOST_FACTS]
    sources = tuple(knowledge.citations[name] for name in flag.citations)
    return Row(flag.id, flag.label, finding.truth.value, facts, _why(knowledge, flag, finding, record), sources)


def _fact(flag: Flag, evidence: Evidence) -> str:
    fact = shown.fact(evidence, flag)
    return fact.removesuffix(" (no date)") if evidence.on is None else fact


def _why(knowledge: Knowledge, flag: Flag, finding: Finding, record: PatientRecord) -> str:
    """What makes a flag unknown or absent, in words."""
    if finding.truth is Truth.PRESENT:
        return ". ".join(finding.remarks)
    unread = [domain.replace("-", " ") for domain in dict.fromkeys(_domains(knowledge, flag)) if not record.knows(domain)]
    if finding.truth is Truth.ABSENT:
        return "" if finding.evidence else "searched, and nothing was found"
    if unread:
        return f"not sent, or not read in full: {', '.join(unread)}"
    if finding.evidence:
        return "what there is does not decide it"
    if any(isinstance(criterion, Lab) for criterion in leaves(flag.when)):
        return "no usable result in the time that counts"
    return "nothing on record, which does not rule it out"


def _domains(knowledge: Knowledge, flag: Flag) -> Iterator[str]:
    """The kinds of data that a flag is looked for in."""
    for criterion in leaves(flag.when):
        if isinstance(criterion, Coded):
            yield from ("conditions", "procedures") if criterion.procedures else ("conditions",)
        elif isinstance(criterion, Drug):
            yield "medications"
        else:
            sources = (knowledge.source_of_set.get(name, "" if isinstance(criterion, Lab) else "reports") for name in value_sets_of(criterion))
            yield from filter(None, sources)
