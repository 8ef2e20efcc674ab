"""What this patient's clinicians have already answered is not shown again, until something strong is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning.findings import Assessment
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day, period

# Whoever answered a card has answered a weaker one of the same question. Other topics are never silent.
_ANSWERS_TOO = {"consider": ("consider", "test"), "test": ("test",)}


class Answered(NamedTuple):
    """What a clinician did with a card: its topic's code, the day, our code of the reason if any, and what the card rested on."""

    topic: str
    on: Day
    reason: str | None
    evidence: frozenset[str]


class Snooze(NamedTuple):
    """A topic that was answered: when, until when it is silent, and what is new since then; with anything new it is shown."""

    answered: Day
    until: Day
    new: tuple[str, ...]
    reason: str | None = None  # our code of why

    @property
    def silent(self) -> bool:
        """Whether the card is left out."""
        return not self.new


class Snoozer:
    """Judges answers, the newest first, by the override reasons of one knowledge module."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        reasons = knowledge.module.override_reasons
        self._silent = {r.code: r.silent for r in reasons.reasons if r.silent}
        self._otherwise = reasons.otherwise
        self._codes = {name: word.code for name, word in knowledge.module.topics.words.items()}

    def evidence(self, assessment: Assessment) -> frozenset[str]:
        """What a card rests on that would bring an answered one back: strong findings."""
        flags = self._knowledge.flags
        return frozenset(n for n, f in assessment.findings.items() if f.truth is Truth.PRESENT and (o := flags[n].organ) and o.strength == "strong")

    def judged(self, topic: str, assessment: Assessment, answers: Iterable[Answered]) -> Snooze | None:
        """The snooze of a topic by its newest answer; None if there is none or its time is over."""
        # Of a confirmed patient, or of a result that needs review, each card may warn of something else: they are not kept away.
        newest = self._newest(topic, answers) if topic in _ANSWERS_TOO else None
        if newest is None or assessment.today >= (until := self._until(newest)):
            return None
        return Snooze(newest.on, until, tuple(sorted(self.evidence(assessment) - newest.evidence)), newest.reason)

    def running(self, answers: Iterable[Answered], today: Day) -> Iterator[tuple[str, Snooze]]:
        """Each topic that is silent on a day, by its code."""
        answers = list(answers)
        for topic in _ANSWERS_TOO:
            newest = self._newest(topic, answers)
            if newest and today < (until := self._until(newest)):
                yield self._codes[topic], Snooze(newest.on, until, (), newest.reason)

    def topic(self, code: str) -> str:
        """The topic of a code."""
        return next(name for name, one in self._codes.items() if one == code)

    def _newest(self, topic: str, answers: Iterable[Answered]) -> Answered | None:
        codes = {self._codes[name] for name in _ANSWERS_TOO[topic]}
        return next((a for a in answers if a.topic in codes), None)

    def _until(self, answer: Answered) -> Day:
        """The first day on which the card may be shown again."""
        return period(self._silent.get(answer.reason or "", self._otherwise)).after(answer.on)

    def back(self, snooze: Snooze) -> str:
        """The sentence of a card that is shown again before its time."""
        named = ", ".join(self._knowledge.flags[name].label for name in snooze.new)
        return self._knowledge.module.override_reasons.back.format(answered=snooze.answered, new=named)
