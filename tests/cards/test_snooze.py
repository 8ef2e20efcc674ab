"""An answered card stays away for as long as its reason says, and comes back with something strong and new."""

import datetime as dt

import pytest
from msgspec import structs

from cds_service.cards.snooze import Answered, Snoozer
from tests import build
from tests.reasoning.genomics import SERVICE

SNOOZER = Snoozer(build.KNOWLEDGE)
TEST, CONSIDER = build.KNOWLEDGE.module.topics.test.code, build.KNOWLEDGE.module.topics.consider.code
# The day on which a card answered on 2026-01-31 may be shown again, by the reason.
UNTIL = {
    "already-tested-or-ordered": dt.date(2027, 1, 31),
    "under-haematology": dt.date(2026, 7, 31),
    "alternative-cause-known": dt.date(2026, 7, 31),
    "patient-declines": dt.date(2026, 7, 31),
    "not-now": dt.date(2026, 2, 14),
    "not-appropriate": dt.date(2026, 7, 31),
    "a site's own": dt.date(2026, 7, 31),
    None: dt.date(2026, 7, 31),
}
ANSWERED = dt.date(2026, 1, 31)


def assessed(today=build.TODAY, prefetch=None):
    """The assessment of a patient with polychondritis, a high MCV and low platelets, seen as if on some day."""
    record = SERVICE.chart(SERVICE.read(build.body_of(build.request(prefetch or build.suspect()))), build.TODAY)
    return structs.replace(SERVICE.reasoner.evaluate(record, build.TODAY), today=today)


STRONG = SNOOZER.evidence(assessed())


def answer(topic=TEST, on=ANSWERED, reason=None, evidence=STRONG):
    """What a clinician did with a card that rested on the same evidence."""
    return Answered(topic, on, reason, evidence)


def test_rests_on_strong_findings():
    """What would bring a card back are the strong organ findings, not the blood counts."""
    assert {"relapsing-polychondritis"} == STRONG


@pytest.mark.parametrize("reason", UNTIL)
def test_is_silent_for_as_long_as_its_reason_says(reason):
    """Silent on the last day of the time, shown on the next."""
    last = UNTIL[reason] - dt.timedelta(days=1)

    silent, over = (SNOOZER.judged("test", assessed(day), [answer(reason=reason)]) for day in (last, UNTIL[reason]))

    assert (ANSWERED, UNTIL[reason], True) == (silent.answered, silent.until, silent.silent)
    assert over is None


def test_says_nothing_of_a_card_that_nobody_answered():
    """A card that was merely shown is shown again."""
    assert SNOOZER.judged("test", assessed(), []) is None


def test_goes_by_the_newest_answer():
    """Who answered last is right: a longer silence of an earlier answer ends with it."""
    answers = [answer(on=dt.date(2026, 3, 1), reason="not-now"), answer(reason="already-tested-or-ordered")]

    assert SNOOZER.judged("test", assessed(dt.date(2026, 3, 20)), answers) is None
    assert SNOOZER.judged("test", assessed(dt.date(2026, 3, 10)), answers).silent


def test_takes_the_answer_to_the_stronger_card_for_the_weaker():
    """Whoever has answered the question of testing need not be asked to consider it; the other way round it is a new question."""
    day = dt.date(2026, 2, 5)

    assert SNOOZER.judged("consider", assessed(day), [answer(TEST)]).silent
    assert SNOOZER.judged("test", assessed(day), [answer(CONSIDER)]) is None


def test_comes_back_with_a_new_strong_finding():
    """What the answered card did not rest on is named, with the day of the answer."""
    snooze = SNOOZER.judged("test", assessed(dt.date(2026, 2, 5)), [answer(evidence=frozenset())])

    assert not snooze.silent
    assert "Shown again: answered on 2026-01-31, and new since then: Relapsing polychondritis." in SNOOZER.back(snooze)


def test_stays_away_with_less_than_before():
    """A finding that is gone is nothing new."""
    assert SNOOZER.judged("test", assessed(dt.date(2026, 2, 5)), [answer(evidence=STRONG | {"neutrophilic-dermatosis"})]).silent


@pytest.mark.parametrize("topic", ["confirmed", "supportive", "uncertain", "negative"])
def test_keeps_no_other_card_away(topic):
    """Each card of a confirmed patient, or of a result that needs review, may warn of something else."""
    code = getattr(build.KNOWLEDGE.module.topics, topic).code

    assert SNOOZER.judged(topic, assessed(dt.date(2026, 2, 5)), [answer(code)]) is None
