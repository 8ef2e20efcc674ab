"""Slips of the pen in a case: names that mean nothing and facts that say nothing, which would let it pass without proving anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Case, CaseFact
from cds_service.knowledge.published import slips_of_source
from cds_service.record.codes import SYSTEMS, code, well_formed
from cds_service.record.dates import Day, moment

_GENDERS = ("male", "female", "other", "unknown")
_GENE_STATES = ("none", "pending", "confirmed", "uncertain", "negative")
_OLDEST = 130
_STATUS = frozenset(
    [
        "active",
        "inactive",
        "resolved",
        "remission",
        "recurrence",
        "relapse",
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "appended",
        "partial",
        "cancelled",
        "entered-in-error",
        "unknown",
        "draft",
        "on-hold",
        "revoked",
        "completed",
        "stopped",
        "intended",
        "not-taken",
        "in-progress",
        "not-done",
        "preparation",
    ]
)
_VERIFICATION = frozenset({"confirmed", "provisional", "differential", "unconfirmed", "refuted", "entered-in-error"})
_LISTS = ("labs", "conditions", "medications", "procedures", "immunizations", "orders", "reports", "documents", "allergies")


def slips_of(knowledge: Knowledge, case: Case) -> Iterator[str]:
    """What is wrong with a case before anything is evaluated, each with its remedy."""
    yield from slips_of_source(case)
    yield from _patient(case)
    for name in _LISTS:
        for fact in getattr(case.record, name, ()):
            yield from _fact(knowledge, name, fact)
    for source in case.record.unavailable:
        sources = {r.domain for r in knowledge.requirements.values()}
        yield from _unknown(source, sources, "source", "unavailable")
    yield from _expectations(knowledge, case)


def _patient(case: Case) -> Iterator[str]:
    patient = case.record.patient
    if not _is_day(case.today):
        yield f"today '{case.today}' is no day. Write it like 2026-11-22"
    if patient is None:
        return
    if patient.sex is not None and patient.sex not in _GENDERS:
        yield f"sex '{patient.sex}' is none of {', '.join(_GENDERS)}. Correct it"
    if patient.age is not None and not 0 <= patient.age <= _OLDEST:
        yield f"nobody is {patient.age} years old. Correct the age"
    if patient.age is not None and patient.birth is not None:
        yield "age and birth are both given. Keep one"
    if patient.birth is not None and moment(patient.birth) is None:
        yield f"birth '{patient.birth}' is no date. Write it like 1956-11-22, 1956-11 or 1956"


def _fact(knowledge: Knowledge, name: str, fact: CaseFact) -> Iterator[str]:
    what = fact.code or fact.text or "..."
    if fact.code is None and not fact.text and not fact.conclusion:
        yield f"one of the {name} says nothing. Give it a code or a text"
    if fact.system is not None:
        one = code(fact.system, fact.code or "")
        if one.system not in SYSTEMS and "example.org" not in fact.system:
            yield f"'{fact.system}' is no code system that is known. Correct the URL"
        elif fact.code is None or not well_formed(one):
            yield f"'{fact.code}' is no code of {fact.system}. Correct it"
    elif fact.code is not None and fact.code not in knowledge.value_sets:
        yield f"there is no value set '{fact.code}'. Name one, or give system and code"
    if name == "labs" and fact.value is None:
        yield f"the lab {what} has no value. Add value and unit"
    if fact.status is not None and fact.status not in _STATUS:
        yield f"the status '{fact.status}' of {what} is none of FHIR's. Correct it, for example resolved, stopped, preliminary"
    if fact.verification is not None and fact.verification not in _VERIFICATION:
        yield f"the verification '{fact.verification}' of {what} is none of {', '.join(sorted(_VERIFICATION))}. Correct it"


def _expectations(knowledge: Knowledge, case: Case) -> Iterator[str]:
    named = {*knowledge.flags, *knowledge.terms, *knowledge.rules}
    for name in case.expect:
        yield from _unknown(name, named, "red flag, alternative, fact, term or rule", "expect")
    topics = {"none", *(word.code for word in knowledge.module.topics.words.values())}
    criteria = {c.id for tier in knowledge.assessment.tiers for c in tier.any}
    for value, known, kind, where in (
        (case.topic, topics, "topic", "topic"),
        (case.criterion, criteria, "criterion", "criterion"),
        (case.genetics, _GENE_STATES, "state of the gene", "genetics"),
    ):
        if value is not None:
            yield from _unknown(value, known, kind, where)
    for where in ("recommends", "silent"):
        for name in getattr(case, where):
            yield from _unknown(name, knowledge.recommendations, "recommendation", where)
    for where in ("offers", "not_offered"):
        for name in getattr(case, where):
            yield from _unknown(name, knowledge.orders, "order", where)
    texts = {caution.text for item in knowledge.recommendations.values() for caution in item.cautions}
    for text in case.cautions:
        yield from _unknown(text, texts, "caution", "cautions")
    for name in case.no_cautions:
        yield from _unknown(name, {*texts, *knowledge.recommendations}, "caution or recommendation", "no_cautions")
    missing = {part.text for item in knowledge.recommendations.values() for part in item.parts}
    for text in case.parts:
        yield from _unknown(text, missing, "part of a recommendation", "parts")
    for name in case.remarks:
        yield from _unknown(name, knowledge.flags.keys(), "red flag, alternative or fact", "remarks")
    wanted = (
        case.parts,
        case.remarks,
        case.expect,
        case.topic,
        case.criterion,
        case.genetics,
        case.recommends,
        case.silent,
        case.cautions,
        case.no_cautions,
    )
    if not any((*wanted, case.offers, case.not_offered)):
        yield "it expects nothing, so it cannot fail. Add expect, topic, recommends or another expectation"


def _unknown(name: str, known: Collection[str], kind: str, where: str) -> Iterator[str]:
    if name not in known:
        few = f" Use one of {', '.join(sorted(known))}" if len(known) <= 24 else " Correct the name"
        yield f"{where}: there is no {kind} '{name}'.{few}"


def _is_day(text: str) -> bool:
    found = moment(text)
    return found is not None and found.precision == "day" and found.day == _read(text)


def _read(text: str) -> Day | None:
    try:
        return Day.fromisoformat(text)
    except ValueError:
        return None
