"""The sentences of a card: facts with value, unit and day; what speaks against; what is missing; rules; sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.cards.markdown import escape, link, quantity
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Caution, Flag, Lab, Recommendation, Resulted, Sex
from cds_service.knowledge.references import leaves
from cds_service.reasoning.findings import Advice, Assessment, Evidence, Finding
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

    @property
    def count(self) -> int:
        """How many are used so far."""
        return len(self._numbers)

    def line(self, *, most: int | None = None, linked: bool = True) -> str:
        """The first so many citations, else all, as a numbered line of links, or of names where links would take the place of advice."""
        cited = [(i, self._knowledge.citations[n]) for n, i in self._numbers.items() if most is None or i <= most]
        named = (f"{i} {link(c.short, c.url if linked else None)}" for i, c in cited)
        return f"**Sources** {' · '.join(named)}" if cited else ""


class Found(NamedTuple):
    """What was found, in the order of a card; the met criterion rests on the first so many, which are never cut."""

    pairs: list[tuple[Flag, Finding]]
    resting: int


class Wording:
    """What the sentences of a card need of a knowledge module, arranged once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._criteria = {c.id: c for tier in knowledge.assessment.tiers for c in tier.any}
        self._shown = tuple(f for f in knowledge.red_flags.values() if f.shown)
        self._facts = tuple(f for f in knowledge.facts.values() if not isinstance(f.when, Age | Resulted | Sex))
        needed = {r.domain for r in knowledge.requirements.values() if not r.care}
        self._care_only = frozenset(r.domain for r in knowledge.requirements.values() if r.care) - needed
        self._wanted = tuple((name, _tests(knowledge, flag)) for name, flag in knowledge.red_flags.items() if flag.weight >= 1)

    def found(self, assessment: Assessment) -> Found:
        """What the met criterion rests on first, then other red flags, by weight.

        A fact of the criterion that a red flag shows already (MCV above 100 fL, macrocytosis) lends it its place.
        """
        resting = set(assessment.bearing)
        found = _present(assessment, self._shown)
        shown = [set(map(_identity, finding.evidence)) for _, finding in found]
        for fact, finding in _present(assessment, [f for f in self._facts if f.id in resting]):
            mine = set(map(_identity, finding.evidence))
            same = [pair[0].id for pair, other in zip(found, shown, strict=True) if mine <= other]
            resting.update(same)
            if not same:
                found.append((fact, finding))
                shown.append(mine)
        ordered = sorted(found, key=lambda pair: (pair[0].id not in resting, -pair[0].weight))
        return Found(ordered, sum(flag.id in resting for flag, _ in ordered))

    def against(self, assessment: Assessment, found: Found) -> Iterator[str]:
        """Other explanations that were found or not assessed, and results that are normal."""
        knowledge, findings = self._knowledge, assessment.findings
        others = [(f, findings[n]) for n, f in knowledge.alternatives.items()]
        for flag, finding in others:
            if finding.truth is Truth.PRESENT:
                yield f"{finding_line(flag, finding, assessment)}{f' ({flag.note})' if flag.note else ''}"
        shown = {_identity(e) for _, f in found.pairs for e in f.evidence}
        within = (findings[name] for name in knowledge.assessment.reassuring if name in findings)
        normal = [evidence_text(f.evidence[0]) for f in within if f.truth is Truth.ABSENT and f.evidence and _identity(f.evidence[0]) not in shown]
        if normal:
            yield f"Within limits: {'; '.join(normal)}"
        yield from (f"Not counted: {e.what}, {e.value} ({day_text(e)})" for e in assessment.uncounted[:2])
        unknown = [f"{f.short or f.label}{' (in part)' if finding.evidence else ''}" for f, finding in others if finding.truth is Truth.UNKNOWN]
        if unknown:
            yield f"Not assessed: {', '.join(unknown)}"

    def missing(self, assessment: Assessment, record: PatientRecord) -> list[str]:
        """Data that was not available: tests without a usable result, sources that could not be read, and other issues."""
        findings = assessment.findings
        labels = [label for name, tests in self._wanted if tests and name in findings and findings[name].truth is Truth.UNKNOWN for label in tests]
        return [*self.unread(assessment, record), *dict.fromkeys(labels)]

    def unread(self, assessment: Assessment, record: PatientRecord, *, care: bool = False) -> list[str]:
        """Sources that could not be read in full, and input that could not be used; with `care` also what only a confirmed patient needs."""
        missing = [
            domain for domain, source in sorted(record.sources.items()) if source is not Source.READ and (care or domain not in self._care_only)
        ]
        return [*(domain.replace("-", " ") for domain in missing), *(issue.what for issue in assessment.issues if issue.level == "warning")]

    def rule_line(self, assessment: Assessment, sources: Sources) -> str:
        """Why the card fired: the criterion, and the published performance or that there is none."""
        first = self._criteria[assessment.criteria[0]]
        lowered = f" Lowered one step: {self._knowledge.flags[first.lowered_by].label.lower()}." if assessment.lowered and first.lowered_by else ""
        if first.rule is None:
            return f"**Why** {first.label}. Expert framing, no published performance.{lowered}"
        rule = self._knowledge.rules[first.rule]
        caution = f" {rule.caution}" if rule.caution else ""
        return f"**Why** {rule.label}: {rule.performance}, {rule.population}.{caution}{lowered}{sources.cite(rule.citations)}"


def _present(assessment: Assessment, flags: Iterable[Flag]) -> list[tuple[Flag, Finding]]:
    findings = assessment.findings
    return [(f, found) for f in flags if (found := findings.get(f.id)) is not None and found.truth is Truth.PRESENT]


def _identity(evidence: Evidence) -> tuple[object, ...]:
    return (evidence.ref, evidence.what, evidence.value, evidence.on)


def _tests(knowledge: Knowledge, flag: Flag) -> tuple[str, ...]:
    """The names of the tests whose single results a red flag needs."""
    return tuple(knowledge.measurements[c.value_set].label for c in leaves(flag.when) if isinstance(c, Lab) and not c.persists)


def finding_line(flag: Flag, finding: Finding, assessment: Assessment, *, most: int = 2) -> str:
    """One finding with so many of its facts: value, unit, day, and what qualifies them."""
    facts = "; ".join(dict.fromkeys(filter(None, (evidence_text(e, flag) for e in finding.evidence[:most]))))
    provisional = ""
    if flag.provisional and any(e.value for e in finding.evidence) and assessment.truth(flag.provisional.unless) is not Truth.PRESENT:
        provisional = f" ({flag.provisional.text})"
    qualified = f"{provisional}{f' ({finding.remarks[0]})' if finding.remarks else ''}"
    return f"{flag.label}{qualified}: {facts}" if facts else f"{flag.label}{qualified}"


def advice_text(item: Recommendation, advice: Advice) -> str:
    """A recommendation's sentence for this patient: its wording, and what is missing of its parts."""
    text = item.text if advice.variation is None else item.variations[advice.variation].text
    missing = ", ".join(item.parts[i].text for i in advice.parts)
    return f"{text} {missing}." if missing else text


def caution_text(caution: Caution, assessment: Assessment) -> str:
    """A caution with the facts that raise it: `history of VTE (2025-03-04)`, `platelets below 50 (40 10*9/L, 2026-07-20)`."""
    named = [caution.when] if isinstance(caution.when, str) else caution.when.all or ()
    found = [assessment.findings[n] for n in named if isinstance(n, str) and n in assessment.findings]
    facts = dict.fromkeys(_brief(f.evidence[0]) for f in found if f.truth is Truth.PRESENT and f.evidence)
    return f"{caution.text} ({'; '.join(filter(None, facts))})" if any(facts) else caution.text


def told_once(texts: Iterable[str]) -> Iterator[str]:
    """Cautions of one drug together, its name told once: `on a drug with a fever; with a cough`."""
    together: dict[str, list[str]] = {}
    for text in texts:
        together.setdefault(text.partition(" with ")[0], []).append(text)
    for drug, said in together.items():
        yield "; ".join([said[0], *(text.removeprefix(f"{drug} ") for text in said[1:])])


def inside_a_sentence(label: str) -> str:
    """A label within a sentence: its words in lower case, but abbreviations and inner capitals as they are (CRP, eGFR, vitamin B12)."""
    return " ".join(word if word.isupper() or word[1:] != word[1:].lower() else word.lower() for word in label.split(" "))


def _brief(evidence: Evidence) -> str:
    """The least that identifies a fact: a drug's name, a result's value and day, or a problem's day."""
    if evidence.what == "Age" or evidence.on is None:
        return ""
    if evidence.value is None:
        return day_text(evidence)
    if evidence.what[:1].islower():
        return evidence.what
    return f"{quantity(evidence.value)}, {day_text(evidence)}"


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
