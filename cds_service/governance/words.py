"""What the sections and items of a report are called, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cds_service.counting import LONGER
from cds_service.knowledge.loader import Knowledge


class Section(NamedTuple):
    """A part of the report: its title, what is counted, and of what."""

    id: str
    title: str
    says: str


SECTIONS = (
    Section("calls", "Calls and patients", "Answered hook calls, and patients whose chart was opened."),
    Section("outcomes", "What calls led to", "Of all calls: a card was shown; cards were made and all withheld; there was nothing to say."),
    Section("cards", "Cards shown, per 1,000 calls", "Cards that left, by topic."),
    Section("patients", "Patients with a card, per 1,000 patients", "Patients for whom a card of the topic was shown at least once."),
    Section(
        "silent", "What silent mode kept back, per 1,000 calls", "Cards that would have been shown, had the client or the topic not been silent."
    ),
    Section(
        "answered", "Cards kept away by an earlier answer, per 1,000 calls", "A clinician had answered the same question, and nothing strong was new."
    ),
    Section("lifted", "Snoozes lifted", "Patients for whom somebody let every topic speak again."),
    Section("answers", "What clinicians did with cards", "Of the cards of a topic that were shown; the last answer to a card counts."),
    Section("reasons", "Why cards were overridden", "Of the cards whose last answer is an override."),
    Section(
        "results",
        "From the first card to the result of the gene",
        "Patients whose first card that asks for it was shown in this time, and whose later calls showed a result.",
    ),
    Section(
        "data",
        "Data that were not there",
        "Of all calls, those in which a kind of data was not there, or only in part. Much of it is the sign of a broken prefetch.",
    ),
    Section(
        "latency", "Time to answer", "Calls answered within so many milliseconds, and not within fewer. Shown whole: they tell nothing of people."
    ),
    Section("refused", "Calls that were refused", "By the error's code. Shown whole: they tell nothing of people."),
)

_ITEMS: Mapping[str, str] = {
    "calls": "calls",
    "patients": "patients",
    "shown": "a card was shown",
    "withheld": "cards were withheld",
    "nothing": "nothing to say",
    "other": "another reason",
    "none": "no reason given",
    LONGER: "longer",
}


def labels(knowledge: Knowledge) -> Mapping[str, str]:
    """What an item is called, where that is not its own name."""
    words = list(knowledge.module.topics.words.values())
    named = {word.code: word.display for word in words}
    answers = {f"{word.code}: {outcome}": f"{word.display}: {outcome}" for word in words for outcome in ("accepted", "overridden", "unanswered")}
    return {**_ITEMS, **named, **answers, **{reason.code: reason.display for reason in knowledge.module.override_reasons.reasons}}
