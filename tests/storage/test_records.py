"""What is written is found again, once, and whole."""

import datetime as dt

import pytest
from sqlalchemy.exc import StatementError

from tests.storage.samples import NOON, SUGGESTION, decision, feedback, rows, uuid_of


def test_keeps_a_decision_whole(database):
    """Every column comes back as it was written, in UTC, and the patient only as a pseudonym."""
    database.work(lambda book: book.record(decision()))

    (row,) = rows(database, "decision")
    (card,) = rows(database, "card")
    assert decision()._replace(cards=()).id == row["id"]
    assert ("north", "vexas", "patient-view", "0" * 64, "test") == tuple(row[c] for c in ("client", "service", "hook", "patient", "tier"))
    assert (uuid_of(1), row["id"], "test", None) == (card["uuid"], card["decision"], card["topic"], card["withheld"])


def test_keeps_the_first_of_a_repeated_call(database):
    """A call that is repeated has the same id; what was recorded first stands."""
    database.work(lambda book: book.record(decision()))
    database.work(lambda book: book.record(decision(tier="consider")))

    assert ["test"] == [row["tier"] for row in rows(database, "decision")]
    assert 1 == len(rows(database, "card"))


def test_finds_the_card_that_was_issued(database):
    """A card is found with its client, service and suggestions."""
    database.work(lambda book: book.record(decision()))

    issued = database.work(lambda book: book.issued(uuid_of(1)))

    assert ("north", "vexas", frozenset({SUGGESTION})) == issued


@pytest.mark.parametrize("uuid", [uuid_of(2), "", "x", "a\0b", "\N{SNOWMAN}", "'; DROP TABLE card; --"])
def test_finds_no_card_that_was_not_issued(database, uuid):
    """Any other text is no card, and no error."""
    database.work(lambda book: book.record(decision()))

    assert database.work(lambda book: book.issued(uuid)) is None


def test_keeps_feedback_once(database):
    """The same words are the same feedback; any other word, moment or suggestion makes another."""
    said = feedback(reason_code="not-now", reason_system="urn:x", comment="On holiday \N{SNOWMAN}", rest={"extension": {"a": "\0"}})
    others = [
        said._replace(comment="On holiday"),
        said._replace(at=NOON + dt.timedelta(milliseconds=1)),
        said._replace(reason_code="not-appropriate"),
        said._replace(outcome="accepted", accepted=(SUGGESTION,)),
    ]
    database.work(lambda book: book.record(decision()))

    kept = [database.work(lambda book, one=one: book.keep(one, NOON)) for one in (said, said, *others, *others)]

    assert [True, False, True, True, True, True, False, False, False, False] == kept
    assert 5 == len(rows(database, "feedback"))


def test_takes_one_moment_in_two_time_zones_for_one(database):
    """A moment that is told in another time zone is the same moment."""
    there = NOON.astimezone(dt.timezone(dt.timedelta(hours=-5)))
    database.work(lambda book: book.record(decision()))

    kept = [database.work(lambda book, at=at: book.keep(feedback(at=at), NOON)) for at in (NOON, there)]

    assert [True, False] == kept


def test_writes_all_of_a_transaction_or_nothing(database):
    """What fails in the middle leaves nothing behind."""

    def half(book):
        book.record(decision())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.work(half)

    assert [] == rows(database, "decision")


def test_refuses_a_moment_without_a_time_zone(database):
    """Nobody could say when that was."""
    with pytest.raises(StatementError, match="time zone"):
        database.work(lambda book: book.record(decision(at=dt.datetime(2026, 11, 22, 12, 0))))  # noqa: DTZ001 - what is refused


def test_does_not_count_a_withheld_card_as_issued(database):
    """Nobody can have answered a card that did not leave."""
    (card,) = decision().cards
    database.work(lambda book: book.record(decision(cards=(card._replace(withheld="silent"),))))

    assert database.work(lambda book: book.issued(uuid_of(1))) is None


def test_tells_what_was_answered_newest_first(database):
    """The answers of one patient of one client come with topic, reason and evidence; other patients' and clients' do not."""
    (card,) = decision().cards
    others = {2: {"patient": "1" * 64}, 3: {"client": "south"}}
    database.work(lambda book: book.record(decision(cards=(card._replace(evidence=("chondritis",)),))))
    for number, members in others.items():
        database.work(lambda book, n=number, m=members: (book.record(decision(n, **m)), book.keep(feedback(n), NOON)))
    for days, reason in ((0, "not-now"), (3, None)):
        later = NOON + dt.timedelta(days=days)
        database.work(lambda book, at=later, reason=reason: book.keep(feedback(at=at, reason_code=reason), at))

    found = database.work(lambda book: book.answered("north", "0" * 64))

    assert [(None, 25), ("not-now", 22)] == [(a.reason, a.at.day) for a in found]
    assert {("test", frozenset({"chondritis"}))} == {(a.topic, a.evidence) for a in found}


def test_forgets_what_was_answered_before_it_was_lifted(database):
    """What arrived before the moment of lifting silences nothing; what comes later does, and a second lifting moves the moment."""
    hour = dt.timedelta(hours=1)
    database.work(lambda book: (book.record(decision()), book.keep(feedback(), NOON)))

    counts = []
    for step, comment in ((1, "again"), (3, "and again")):
        database.work(lambda book, at=NOON + step * hour: book.lift("north", "0" * 64, at))
        counts.append(len(database.work(lambda book: book.answered("north", "0" * 64))))
        at = NOON + (step + 1) * hour
        database.work(lambda book, at=at, comment=comment: book.keep(feedback(comment=comment), at))
        counts.append(len(database.work(lambda book: book.answered("north", "0" * 64))))

    assert [0, 1, 0, 1] == counts


def test_takes_no_answer_from_the_future(database):
    """An answer that an EHR dates ahead counts from the day on which it arrived."""
    database.work(lambda book: (book.record(decision()), book.keep(feedback(at=NOON.replace(year=2099)), NOON)))

    (answered,) = database.work(lambda book: book.answered("north", "0" * 64))

    assert NOON == answered.at


def test_knows_a_card_in_capitals(database):
    """A uuid is the same in capitals."""
    database.work(lambda book: book.record(decision()))

    assert database.work(lambda book: book.issued(uuid_of(1).upper())) is not None


def test_counts_a_uuid_of_two_patients_as_not_issued(database):
    """A client that uses one hookInstance for two patients gives two cards one uuid; nobody can say whose the feedback is."""
    (card,) = decision().cards
    database.work(lambda book: (book.record(decision()), book.record(decision(2, patient="1" * 64, cards=(card,)))))

    assert database.work(lambda book: book.issued(uuid_of(1))) is None


def test_counts_a_card_that_leaves_at_a_repeated_call_as_issued(database):
    """The first call withheld it, the repeat showed it: now it can be answered, and rests on what it was shown for."""
    (card,) = decision().cards
    database.work(lambda book: book.record(decision(cards=(card._replace(withheld="answered"),))))
    database.work(lambda book: book.record(decision(cards=(card._replace(evidence=("chondritis",)),))))

    assert database.work(lambda book: book.issued(uuid_of(1))) is not None
    assert "chondritis" in str(rows(database, "card")[0]["evidence"])


def test_does_not_move_a_lift_back(database):
    """A clock that is behind brings back nothing that was lifted."""
    database.work(lambda book: (book.record(decision()), book.keep(feedback(), NOON)))
    database.work(lambda book: book.lift("north", "0" * 64, NOON + dt.timedelta(hours=1)))
    database.work(lambda book: book.lift("north", "0" * 64, NOON - dt.timedelta(hours=1)))

    assert [] == database.work(lambda book: book.answered("north", "0" * 64))
