"""Everything that the page of one patient says, in the order in which it says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from cds_service.cards import wording
from cds_service.cards.snooze import Snooze
from cds_service.evidence import shown
from cds_service.evidence.drawing import Drawing, drawing_of
from cds_service.evidence.flowsheet import Sheet, sheet_of
from cds_service.evidence.thinning import thinned
from cds_service.evidence.timeline import Timeline, timeline_of
from cds_service.evidence.why import Outcome, Told, criteria_of, rules_of
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import CardText, Citation, Flag
from cds_service.protocol.response import Card, Response
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.findings import Advice, Assessment, Finding
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day, age_on, period
from cds_service.record.facts import PatientRecord, Source

_MOST_FACTS = 4


class Person(NamedTuple):
    """Who the page is about, as far as the chart says."""

    id: str
    sex: str
    age: str
    born: str
    deceased: bool


class Silenced(NamedTuple):
    """An answered card of one client; `silent` if it is kept away, and what is new where it is not."""

    client: str
    card: str
    answered: Day
    until: Day
    reason: str
    silent: bool
    new: str = ""


class Line(NamedTuple):
    """One finding with its facts."""

    label: str
    truth: str
    facts: tuple[str, ...]
    note: str = ""
    citations: tuple[str, ...] = ()


class Gene(NamedTuple):
    """What is known of the gene."""

    name: str
    state: str
    facts: tuple[str, ...]
    said: tuple[str, ...]


class Suggested(NamedTuple):
    """One recommendation for this patient."""

    id: str
    text: str
    truth: str
    facts: tuple[str, ...]
    cautions: tuple[tuple[str, bool], ...]  # its words, and whether it warns
    warns: bool
    strength: str
    citations: tuple[str, ...]


class Drawn(NamedTuple):
    """The timeline, where each thing of it stands, and the table behind it."""

    timeline: Timeline
    drawing: Drawing
    sheet: Sheet


class Ruled(NamedTuple):
    """The published rules, the module's own criteria that decide, and those that do not."""

    rules: tuple[Outcome, ...]
    criteria: tuple[Outcome, ...]
    other_criteria: tuple[Outcome, ...]


class Explained(NamedTuple):
    """What was found, what was looked for, what else could explain it, and what is not known."""

    found: tuple[Line, ...]
    not_found: tuple[Line, ...]
    alternatives: tuple[Line, ...]
    uncounted: tuple[str, ...]
    missing: tuple[str, ...]


class View(NamedTuple):
    """One patient on one day."""

    knowledge: Knowledge
    assessment: Assessment
    person: Person
    cards: tuple[Card, ...]
    lead: CardText | None
    nothing: str  # why there is no card
    complete: bool  # what is not in the chart is not there
    gene: Gene
    drawn: Drawn | None
    ruled: Ruled
    explained: Explained
    suggested: tuple[Suggested, ...]
    offered: tuple[str, ...]
    issues: tuple[tuple[str, str], ...]  # what could not be used, and what would mend it
    sources: Mapping[str, Citation]

    def cite(self, names: Iterable[str]) -> list[int]:
        """The numbers of these sources."""
        numbers = {name: number for number, name in enumerate(self.sources, 1)}
        return [numbers[name] for name in dict.fromkeys(names) if name in numbers]


def view_of(knowledge: Knowledge, record: PatientRecord, assessment: Assessment, response: Response) -> View:
    """The page of a patient, from an assessment that answers every flag and the cards made of it."""
    told = Told(knowledge, assessment)
    lead = knowledge.cards[assessment.topics[0]] if response.cards else None
    ruled = Ruled(tuple(rules_of(told)), *criteria_of(told))
    explained = _explained(knowledge, record, assessment)
    suggested = tuple(_suggested(knowledge, assessment, advice) for advice in _in_order(assessment.advice))
    cited = _cited(lead, ruled, explained, suggested)
    return View(
        knowledge=knowledge,
        assessment=assessment,
        person=_person(record, assessment.today),
        cards=response.cards,
        lead=lead,
        nothing="" if response.cards else _nothing(knowledge, assessment),
        complete=all(source is Source.READ for source in record.sources.values()),
        gene=_gene(knowledge, assessment),
        drawn=_drawn(knowledge, record, assessment),
        ruled=ruled,
        explained=explained,
        suggested=suggested,
        offered=tuple(knowledge.orders[name].label for name in assessment.orders),
        issues=tuple((_sentence(i.what), i.remedy) for i in assessment.issues),
        sources={name: knowledge.citations[name] for name in cited},
    )


def _drawn(knowledge: Knowledge, record: PatientRecord, assessment: Assessment) -> Drawn | None:
    timeline = timeline_of(knowledge, Chart(knowledge, record, assessment.today), assessment.genetics)
    if timeline is None:
        return None
    fewer = thinned(timeline)
    return Drawn(fewer, drawing_of(fewer), sheet_of(fewer))


def _explained(knowledge: Knowledge, record: PatientRecord, assessment: Assessment) -> Explained:
    words = wording.Wording(knowledge)
    flags = [(flag, assessment.findings[name]) for name, flag in knowledge.red_flags.items() if flag.shown]
    return Explained(
        found=tuple(_line(flag, finding, assessment) for flag, finding in words.found(assessment).pairs),
        not_found=tuple(_line(flag, one, assessment) for flag, one in flags if one.truth is not Truth.PRESENT),
        alternatives=tuple(_line(flag, assessment.findings[name], assessment) for name, flag in knowledge.alternatives.items()),
        uncounted=tuple(f"{e.what}, {e.value} ({wording.day_text(e)})" for e in assessment.uncounted),
        missing=tuple(words.missing(assessment, record)),
    )


def _cited(lead: CardText | None, ruled: Ruled, explained: Explained, suggested: tuple[Suggested, ...]) -> Iterable[str]:
    """The sources of everything that the page shows unfolded, each once, in the order of the page."""
    lines = [*explained.found, *(line for line in explained.alternatives if line.truth == "present")]
    by_place = (s.citations for s in suggested), (line.citations for line in lines), (rule.citations for rule in ruled.rules)
    return dict.fromkeys(chain(lead.citations if lead else (), *chain(*by_place)))


def silenced(knowledge: Knowledge, told: Iterable[tuple[str, str, Snooze, bool]]) -> Iterator[Silenced]:
    """What was answered, in words: client, topic, snooze, and whether that client's answers keep cards away."""
    names = {word.code: word.display for word in knowledge.module.topics.words.values()}
    reasons = {reason.code: reason.display for reason in knowledge.module.override_reasons.reasons}
    for client, topic, snooze, counts in told:
        new = ", ".join(knowledge.flags[name].label for name in snooze.new)
        reason = reasons.get(snooze.reason or "", "")
        yield Silenced(client, names[topic], snooze.answered, snooze.until, reason, counts and snooze.silent, new)


# --- the patient ---


def _person(record: PatientRecord, today: Day) -> Person:
    born = shown.day(record.birth) if record.birth else ""
    age = f"{age_on(record.birth.day, today)} years" if record.birth else "age unknown"
    sex = {"male": "Man", "female": "Woman"}.get(record.sex or "", "Sex unknown")
    return Person(record.patient_id, sex, age, born, record.deceased)


def _nothing(knowledge: Knowledge, assessment: Assessment) -> str:
    if assessment.withheld:
        return f"No card may be shown: {', '.join(knowledge.flags[name].label.lower() for name in assessment.withheld if name in knowledge.flags)}."
    if assessment.genetics.on and assessment.genetics.state.value == "negative":
        return f"A negative {knowledge.genetics.gene} result of {assessment.genetics.on} keeps cards away."
    return "No criterion is met by what is in this chart."


def _gene(knowledge: Knowledge, assessment: Assessment) -> Gene:
    status, messages = assessment.genetics, knowledge.genetics.messages
    facts = [shown.fact(e) if e.value else shown.unmarked(f"{e.what} ({wording.day_text(e)})") for e in status.evidence]
    if status.ordered:
        facts.append(shown.unmarked(f"{status.ordered.what} ({wording.day_text(status.ordered)})"))
    said = [messages[r] for r in status.reasons if r in messages]
    if status.variant and status.variant.confidence != "verified":
        said.append(messages["entry-unverified"])
    states = {"none": "no result", "pending": "pending", "confirmed": "confirmed", "uncertain": "needs review", "negative": "negative"}
    return Gene(knowledge.genetics.gene, states[status.state.value], tuple(facts), tuple(said))


# --- findings and advice ---


def _line(flag: Flag, finding: Finding, assessment: Assessment) -> Line:
    facts = tuple(dict.fromkeys(shown.fact(e, flag) for e in finding.evidence[:_MOST_FACTS]))
    notes = [*finding.remarks, flag.note or ""]
    if flag.provisional and finding.truth is Truth.PRESENT and assessment.truth(flag.provisional.unless) is not Truth.PRESENT:
        notes.insert(0, flag.provisional.text)
    return Line(flag.label, finding.truth.value, facts, ". ".join(filter(None, notes)), flag.citations)


def _in_order(advice: tuple[Advice, ...]) -> list[Advice]:
    """What warns first, then what applies, then what could not be checked."""
    return sorted(advice, key=lambda a: (not a.warns, a.truth is not Truth.PRESENT))


def _suggested(knowledge: Knowledge, assessment: Assessment, advice: Advice) -> Suggested:
    item = knowledge.recommendations[advice.id]
    raised = sorted((item.cautions[i] for i in advice.cautions), key=lambda c: not c.warns)
    cautions = tuple((_sentence(shown.unmarked(wording.caution_text(c, assessment))), c.warns) for c in raised)
    facts = tuple(_shown(knowledge, assessment, name) for name in item.shows)
    text = shown.readable(wording.advice_text(item, advice))
    return Suggested(item.short, text, advice.truth.value, tuple(filter(None, facts)), cautions, advice.warns, item.strength, item.citations)


def _shown(knowledge: Knowledge, assessment: Assessment, name: str) -> str:
    if name in knowledge.measurements:
        value = assessment.latest.get(name)
        label = knowledge.measurements[name].label
        return shown.fact(value) if value else f"No usable {label} in {period(knowledge.assessment.shown_within)}"
    finding = assessment.findings.get(name)
    return shown.fact(finding.evidence[0]) if finding and finding.truth is Truth.PRESENT and finding.evidence else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
