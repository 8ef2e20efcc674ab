"""Runs the cases of a knowledge module and says in words where one fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cds_service.errors import KnowledgeError
from cds_service.knowledge.cases import record_of
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Case
from cds_service.knowledge.slips import slips_of
from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.findings import Assessment
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord


class Outcome(NamedTuple):
    """One case: where it stands, its sentence, and what was found instead of what was expected."""

    place: str
    case: Case
    faults: tuple[str, ...]
    record: PatientRecord | None = None  # these two are there unless the shorthand names nothing
    assessment: Assessment | None = None


def run(knowledge: Knowledge) -> Iterator[Outcome]:
    """Run every case of a module."""
    reasoner = Reasoner(knowledge)
    seen: dict[str, str] = {}
    for place, case in knowledge.cases():
        slips = tuple(slips_of(knowledge, case))
        if case.name in seen:
            slips += (f"a case of this name stands at {seen[case.name]} already. Rename or remove one",)
        seen[case.name] = place
        if slips:
            yield Outcome(place, case, slips)
            continue
        try:
            record = record_of(knowledge, case)
            assessment = reasoner.evaluate(record, Day.fromisoformat(case.today), full=True)
            yield Outcome(place, case, tuple(_faults(knowledge, case, assessment)), record, assessment)
        except KnowledgeError as error:
            yield Outcome(place, case, (error.public.rstrip("."),))


def home_of(outcomes: Sequence[Outcome], name: str) -> str:
    """The file in which a case about a finding, rule or recommendation belongs: the one that says most of it, else of anything."""
    spoken = Counter(o.place.partition(":")[0] for o in outcomes if name in o.case.expect or name in o.case.recommends or name in o.case.silent)
    spoken = spoken or Counter(o.place.partition(":")[0] for o in outcomes)
    return spoken.most_common(1)[0][0] if spoken else "cases.yaml"


def topic_codes(knowledge: Knowledge, assessment: Assessment) -> tuple[str, ...]:
    """The topic codes of an assessment's cards, in order."""
    return tuple(getattr(knowledge.module.topics, topic).code for topic in assessment.topics)


def _faults(knowledge: Knowledge, case: Case, assessment: Assessment) -> Iterator[str]:
    for name, wanted in case.expect.items():
        found = assessment.truth(name).value
        if found != wanted:
            yield f"{name} should be {wanted} and is {found}"
    topics = topic_codes(knowledge, assessment)
    if case.topic is not None and (topics[0] if topics else "none") != case.topic:
        yield f"the card should be {case.topic} and is {topics[0] if topics else 'none'} (criteria {', '.join(assessment.criteria) or 'none'})"
    if case.criterion is not None and case.criterion not in assessment.criteria:
        yield f"criterion {case.criterion} should be met; met are {', '.join(assessment.criteria) or 'none'}"
    if case.genetics is not None and assessment.genetics.state.value != case.genetics:
        yield f"the gene should be {case.genetics} and is {assessment.genetics.state.value} ({', '.join(assessment.genetics.reasons)})"
    given = {a.id for a in assessment.advice if a.truth is Truth.PRESENT}
    yield from (f"{name} should be recommended" for name in case.recommends if name not in given)
    yield from (f"{name} should be silent" for name in case.silent if name in given)
    cautions = {knowledge.recommendations[a.id].cautions[i].text for a in assessment.advice for i in a.cautions}
    yield from (f"the caution '{text}' should be raised" for text in case.cautions if text not in cautions)
    parts = tuple(knowledge.recommendations[a.id].parts[i].text for a in assessment.advice for i in a.parts)
    if case.parts and parts != case.parts:
        yield f"{', '.join(case.parts)} should be missing; it is {', '.join(parts) or 'nothing'}"
    for name, wanted_remarks in case.remarks.items():
        said = assessment.findings[name].remarks
        if said != wanted_remarks:
            yield f"beside {name} should stand {list(wanted_remarks)} and stands {list(said)}"
    yield from _raised_wrongly(knowledge, case, assessment)
    yield from (f"the order {name} should be offered" for name in case.offers if name not in assessment.orders)
    yield from (f"the order {name} should not be offered" for name in case.not_offered if name in assessment.orders)


def _raised_wrongly(knowledge: Knowledge, case: Case, assessment: Assessment) -> Iterator[str]:
    """Cautions that a case says must not be raised: by their text, or all those of a recommendation by its id."""
    given = [(a.id, knowledge.recommendations[a.id].cautions[i].text) for a in assessment.advice for i in a.cautions]
    for name in case.no_cautions:
        yield from (f"{item} should be free of the caution '{text}'" for item, text in given if name in (item, text))
