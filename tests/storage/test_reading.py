"""What a report reads is what was written, of the days, the service and the client that it is about."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from sqlalchemy import Connection

from cds_service.errors import StorageUnavailable
from cds_service.storage import reading
from cds_service.storage.reading import Answers, Cards, Day, FirstCard, Release, Span, Sum
from cds_service.storage.records import GeneResult, Tally, Visitor
from tests.storage.postgresql import VARIABLE
from tests.storage.samples import NOON, decision, feedback, rows

TODAY = NOON.date()
OLD, NEW = "0" * 12, "1" * 12
SPAN = Span("vexas", TODAY - dt.timedelta(days=6), TODAY)
HOUR = dt.timedelta(hours=1)


def ago(number: int) -> dt.date:
    """The day so many days before today."""
    return TODAY - dt.timedelta(days=number)


def tally(which: str = "shown", **members: object) -> Tally:
    """What is counted of a call."""
    return Tally(
        **{"day": TODAY, "client": "north", "service": "vexas", "digest": NEW, "version": "0.2.0", "what": "call", "which": which, **members}
    )


def visitor(number: int, **members: object) -> Visitor:
    """A patient whose chart was opened."""
    return Visitor(**{"day": TODAY, "client": "north", "service": "vexas", "digest": NEW, "patient": f"{number:016x}", **members})


def result(number: int, **members: object) -> GeneResult:
    """A result of a patient's gene."""
    usual = {"client": "north", "service": "vexas", "patient": f"{number:064x}", "state": "confirmed", "resulted": None, "seen": TODAY}
    return GeneResult(**{**usual, **members})


def counted(database, tallies=None, visitors=(), results=()):
    """Add to the counts."""
    database.work(lambda book: book.count(tallies or {}, visitors, results))


def recorded(database, number, topic="test", withheld=None, **members):
    """Write a decision with one card, of the patient with its number unless another is named."""
    one = decision(number, **{"patient": f"{number:064x}", "digest": NEW + "f" * 52, **members})
    database.work(lambda book: book.record(one._replace(cards=(one.cards[0]._replace(topic=topic, withheld=withheld),))))


def test_adds_counts_up(database):
    """What is counted again is added to what is there, row by row."""
    counted(database, {tally(): 3, tally("nothing"): 5})
    counted(database, {tally(): 4, tally(day=ago(1)): 7})

    found = {(row["which"], str(row["day"])): row["count"] for row in rows(database, "tally")}

    assert {("shown", str(TODAY)): 7, ("nothing", str(TODAY)): 5, ("shown", str(ago(1))): 7} == found


def test_counts_beyond_what_32_bits_hold(database):
    """A busy service may count for years."""
    counted(database, {tally(): 2**40})
    counted(database, {tally(): 2**40})

    assert [Sum(NEW, "call", "shown", 2**41)] == database.read(lambda c: reading.sums(c, SPAN))


def test_writes_a_visitor_once(database):
    """A patient who comes again on the same day is there already; another day, client or release makes another row."""
    counted(database, visitors={visitor(1), visitor(2)})
    counted(database, visitors={visitor(1), visitor(1, day=ago(1)), visitor(1, client="south"), visitor(1, digest=OLD)})

    assert 5 == len(rows(database, "visitor"))


def test_keeps_the_first_result_that_was_seen(database):
    """Later calls change nothing, and of several that are written at once the earliest stands, in whatever order they come."""
    counted(
        database, results=[result(1, seen=ago(n), state=state) for n, state in ((1, "negative"), (3, "uncertain"), (0, "confirmed"), (2, "negative"))]
    )
    counted(database, results=[result(1, seen=ago(5))])

    assert [("uncertain", str(ago(3)))] == [(row["state"], str(row["seen"])) for row in rows(database, "gene_result")]


def test_counts_nothing_where_there_is_nothing(database):
    """Nothing to count is no error."""
    counted(database)

    assert [] == rows(database, "tally") + rows(database, "visitor") + rows(database, "gene_result")


def test_names_every_client_that_called(database):
    """Each once, in order, whenever it called; those of another service are not among them."""
    counted(
        database,
        {
            tally(client="south"): 1,
            tally(client="north", day=ago(300)): 1,
            tally("nothing", client="south"): 1,
            tally(client="x", service="other"): 1,
        },
    )

    assert ["north", "south"] == database.read(lambda c: reading.clients(c, "vexas"))


def test_names_the_releases_that_answered(database):
    """Each with the first and the last day on which it did in the span, the oldest first."""
    days = {tally(day=ago(n), digest=OLD, version="0.1.0"): 1 for n in (9, 6, 4, 3)} | {tally(day=ago(n)): 1 for n in (3, 0)}
    counted(database, days)

    assert [Release("0.1.0", OLD, ago(6), ago(3)), Release("0.2.0", NEW, ago(3), TODAY)] == database.read(lambda c: reading.releases(c, SPAN))


@pytest.mark.parametrize(("client", "number"), [(None, 7), ("north", 3), ("south", 4), ("west", 0)])
def test_sums_over_days_and_clients(database, client, number):
    """Counts of the first and the last day are in, those beside them and those of another service are not."""
    counted(database, {tally(day=ago(6)): 1, tally(): 2, tally(client="south"): 4})
    counted(database, {tally(day=ago(7)): 100, tally(day=ago(-1)): 100, tally(service="other"): 100})

    found = database.read(lambda c: reading.sums(c, SPAN._replace(client=client)))

    assert ([Sum(NEW, "call", "shown", number)] if number else []) == found
    assert all(isinstance(one.number, int) for one in found)


def test_keeps_sums_of_releases_and_kinds_apart(database):
    """Each release, each kind and each name has its own sum."""
    counted(database, {tally(): 1, tally(digest=OLD): 2, tally("nothing"): 4, tally("shown", what="other"): 8})

    found = database.read(lambda c: reading.sums(c, SPAN))

    assert {Sum(NEW, "call", "shown", 1), Sum(OLD, "call", "shown", 2), Sum(NEW, "call", "nothing", 4), Sum(NEW, "other", "shown", 8)} == set(found)


def test_reads_the_calls_of_each_day_and_client(database):
    """Calls alone, by their outcome, over all releases."""
    counted(database, {tally(): 1, tally(digest=OLD): 2, tally("nothing"): 4, tally("shown", what="ms"): 8, tally(client="south", day=ago(1)): 16})

    found = database.read(lambda c: reading.days(c, SPAN))

    assert [Day(ago(1), "south", "shown", 16), Day(TODAY, "north", "nothing", 4), Day(TODAY, "north", "shown", 3)] == found


def test_counts_each_patient_once(database):
    """On several days and under several releases a patient is one; the same name at another client is another patient."""
    counted(database, visitors={visitor(1), visitor(1, day=ago(6)), visitor(1, digest=OLD), visitor(2, digest=OLD), visitor(1, client="south")})
    counted(database, visitors={visitor(3, day=ago(7)), visitor(4, service="other")})

    found, of_one = (database.read(lambda c, span=span: reading.patients(c, span)) for span in (SPAN, SPAN._replace(client="north")))

    assert {None: 3, NEW: 2, OLD: 2} == found
    assert {None: 2, NEW: 1, OLD: 2} == of_one


def test_counts_no_patient_where_there_is_none(database):
    """Before the first call there are none in all."""
    assert {None: 0} == database.read(lambda c: reading.patients(c, SPAN))


def test_counts_cards_with_their_patients(database):
    """By release, topic and why they were withheld; in all, a patient of two releases is one."""
    for number, members in enumerate(
        (
            {"patient": "1"},
            {"patient": "1"},
            {"patient": "2"},
            {"patient": "1", "digest": OLD + "f" * 52},
            {"withheld": "silent"},
            {"topic": "consider"},
            {"day": ago(7)},
            {"service": "other"},
        )
    ):
        recorded(database, number, **members)

    found = set(database.read(lambda c: reading.cards(c, SPAN)))

    by_release = {
        Cards(NEW, "test", None, 3, 2),
        Cards(OLD, "test", None, 1, 1),
        Cards(NEW, "test", "silent", 1, 1),
        Cards(NEW, "consider", None, 1, 1),
    }
    whole = {Cards(None, "test", None, 4, 2), Cards(None, "test", "silent", 1, 1), Cards(None, "consider", None, 1, 1)}
    assert by_release | whole == found


def test_reads_the_last_answer_to_each_card(database):
    """By when the clinician did it, not by when it arrived; of one moment, the one that arrived last."""
    for number in range(4):
        recorded(database, number)
    for number, outcome, at, received in (
        (1, "overridden", 2, 2),
        (1, "accepted", 1, 3),
        (2, "overridden", 1, 1),
        (2, "accepted", 1, 2),
        (3, "overridden", 1, 1),
    ):
        said = feedback(number, outcome=outcome, at=NOON + at * HOUR, reason_code="not-now" if number == 3 else None, reason_system="urn:x")
        database.work(lambda book, said=said, received=received: book.keep(said, NOON + received * HOUR))

    found = set(database.read(lambda c: reading.answers(c, SPAN)))

    assert {
        Answers(NEW, "test", None, None, None, 1),
        Answers(NEW, "test", "overridden", "urn:x", None, 1),
        Answers(NEW, "test", "accepted", "urn:x", None, 1),
        Answers(NEW, "test", "overridden", "urn:x", "not-now", 1),
    } == found


def test_reads_answers_to_cards_of_the_span_whenever_they_came(database):
    """A card counts by the day of its call; cards that did not leave do not count."""
    recorded(database, 1)
    recorded(database, 2, withheld="silent")
    recorded(database, 3, day=ago(7))
    recorded(database, 4, client="south")
    for number in (1, 3, 4):
        database.work(lambda book, n=number: book.keep(feedback(n, at=NOON + 500 * HOUR), NOON + 500 * HOUR))

    found = database.read(lambda c: reading.answers(c, SPAN._replace(client="north")))

    assert [Answers(NEW, "test", "overridden", None, None, 1)] == found


def test_reads_the_first_card_of_each_patient(database):
    """The first of the topics that left, with the release that sent it, and the first result of the gene."""
    recorded(database, 1, patient="a", day=ago(5), digest=OLD + "f" * 52, at=NOON - 120 * HOUR)
    recorded(database, 2, patient="a", day=ago(1), at=NOON - 24 * HOUR)
    recorded(database, 3, patient="b", day=ago(5), withheld="answered", at=NOON - 120 * HOUR)
    recorded(database, 4, patient="b", day=ago(4), topic="confirmed", at=NOON - 96 * HOUR)
    recorded(database, 5, patient="b", day=ago(2), topic="consider", at=NOON - 48 * HOUR)
    recorded(database, 6, patient="c", topic="confirmed")
    counted(database, results=[result(0, patient="a", resulted=ago(3), seen=ago(2)), result(0, patient="c")])

    found = set(database.read(lambda c: reading.first_cards(c, SPAN, ["test", "consider"])))

    assert {FirstCard(OLD, ago(5), "confirmed", ago(3), ago(2)), FirstCard(NEW, ago(2), None, None, None)} == found


def test_reads_no_first_card_of_another_time(database):
    """A patient whose first card was before the span has none in it, and what comes after the span does not count."""
    recorded(database, 1, patient="a", day=ago(7), at=NOON - 168 * HOUR)
    recorded(database, 2, patient="a", day=ago(1), at=NOON - 24 * HOUR)
    recorded(database, 3, patient="b", day=ago(-1), at=NOON + 24 * HOUR)
    recorded(database, 4, patient="c", day=ago(6), at=NOON - 144 * HOUR)
    recorded(database, 5, patient="d", day=TODAY, service="other")
    recorded(database, 6, patient="e", day=TODAY, client="south")

    found = database.read(lambda c: reading.first_cards(c, SPAN._replace(client="north"), ["test"]))

    assert [ago(6)] == [one.day for one in found]


def test_takes_no_result_of_another_client(database):
    """The same name of a patient elsewhere, or at another service, is another patient."""
    recorded(database, 1, patient="a")
    counted(database, results=[result(0, patient="a", client="south"), result(0, patient="a", service="other")])

    assert [None] == [one.state for one in database.read(lambda c: reading.first_cards(c, SPAN, ["test"]))]


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (dt.datetime(2026, 11, 15, 23, 59, 59, 999999, dt.UTC), 0),
        (dt.datetime(2026, 11, 16, tzinfo=dt.UTC), 1),
        (dt.datetime(2026, 11, 22, 23, 59, 59, 999999, dt.UTC), 1),
        (dt.datetime(2026, 11, 23, tzinfo=dt.UTC), 0),
    ],
)
def test_counts_lifts_of_the_span(database, at, number):
    """From the first moment of the first day to the last of the last."""
    database.work(lambda book: book.lift("north", "a", at))

    assert [number, number, 0] == [
        database.read(lambda c, client=client: reading.lifted(c, SPAN._replace(client=client))) for client in (None, "north", "south")
    ]


def test_says_when_the_database_cannot_be_read(database):
    """Without its tables there is no report, and nobody is told that there was nothing."""
    database.downgrade()

    with pytest.raises(StorageUnavailable):
        database.read(lambda c: reading.clients(c, "vexas"))


if VARIABLE in os.environ:  # SQLite ends no statement

    def test_reads_for_longer_than_an_answer_may_take(database):
        """A report may take a minute where an answer has a second; afterwards an answer has no more than before."""

        def limit(connection: Connection) -> str:
            return str(connection.exec_driver_sql("SHOW statement_timeout").scalar_one())

        found = [database.read(limit), database.work(lambda book: limit(book._connection))]

        assert ["1min", "1s"] == found
