"""From what is stored to figures: every number here is worked out from what the test wrote, and is ten at least unless it is to be hidden."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.counting import BOUNDS
from cds_service.governance.report import Week
from cds_service.governance.words import SECTIONS, labels
from tests import build
from tests.governance.books import CONSIDER, DIGEST, OTHER, REASONS, TEST, TODAY, Book, ago, in_memory
from tests.storage.samples import NOON

FIRST_WEEK = dt.date(2026, 11, 9)  # a Monday


@pytest.fixture
def book():
    """A database that holds nothing yet."""
    with in_memory() as book:
        yield book


def test_tells_what_calls_led_to(book):
    """Calls add up over days and clients, and patients are counted once, on however many days they came."""
    for which, count in (("shown", 20), ("withheld", 30), ("nothing", 50)):
        book.calls(count, which, day=ago(1))
    book.calls(100, day=TODAY, client="south")
    book.visitors(1, 40, day=ago(1))
    book.visitors(31, 60)
    book.visitors(1, 5, client="south")

    calls, outcomes = (book.told(section, first=ago(1)) for section in ("calls", "outcomes"))

    assert {"calls": (200, None), "patients": (65, None)} == calls
    assert {"shown": (20, 200), "withheld": (30, 200), "nothing": (150, 200)} == outcomes


@pytest.mark.parametrize(("day", "count"), [(ago(28), 0), (ago(27), 11), (TODAY, 11), (TODAY + dt.timedelta(days=1), 0)])
def test_takes_the_first_and_the_last_day_in(book, day, count):
    """Calls, visitors and cards of the first and of the last day count; those of the days beside them do not."""
    book.calls(11, "shown", day=day)
    book.visitors(1, 11, day=day)
    book.cards(11, day=day)

    report = book.report(ago(27), TODAY)

    numbers = {(f.section, f.item): f.number for f in report.figures}
    assert [count] * 4 == [numbers[place] for place in (("calls", "calls"), ("calls", "patients"), ("cards", TEST), ("patients", TEST))]


def test_tells_of_one_client_alone(book):
    """Another client's calls, visitors, cards, lifts and alarms are not among those of the one that is asked for."""
    for client, count in (("north", 11), ("south", 30)):
        book.calls(count, "shown", client=client)
        book.visitors(1, count, client=client)
        book.cards(count, client=client, first=1000 * count)
    for number in range(15):
        at = NOON + dt.timedelta(minutes=number)
        book.database.work(lambda b, n=number, at=at: b.lift("south" if n < 2 else "north", f"{n:064x}", at))

    report = book.report(client="north")

    numbers = {(f.section, f.item): f.number for f in report.figures}
    places = (("calls", "calls"), ("calls", "patients"), ("cards", TEST), ("lifted", "snoozes"))
    assert [11, 11, 11, 13] == [numbers[place] for place in places]
    assert ("north", "south") == report.clients


def test_counts_cards_and_their_patients_by_topic(book):
    """A patient with several cards of a topic is one patient; withheld cards stand by why they were, and are not shown ones."""
    book.calls(200, "shown")
    book.visitors(1, 100)
    book.cards(40, patients=20)
    book.cards(30, topic=CONSIDER, patients=30)
    book.cards(12, withheld="silent")
    book.cards(15, withheld="answered")

    told = {section: book.told(section) for section in ("cards", "patients", "silent", "answered")}

    assert {TEST: (40, 200), CONSIDER: (30, 200)} == told["cards"]
    assert {TEST: (20, 100), CONSIDER: (30, 100)} == told["patients"]
    assert {TEST: (12, 200)} == told["silent"]
    assert {TEST: (15, 200)} == told["answered"]


def test_tells_rates_of_cards_per_1000(book):
    """40 cards in 200 calls are 200 of 1,000; the other sections tell per cent."""
    book.calls(200, "shown")
    book.cards(40)

    rates = {(f.section, f.item): f.rate for f in book.report().figures}

    assert [200.0, 100.0] == [rates["cards", TEST], rates["outcomes", "shown"]]


def test_takes_the_last_answer_to_a_card(book):
    """Of 60 cards 20 stay unanswered; of those that were overridden, ten were accepted later on."""
    numbers = book.cards(60)
    book.answer(numbers[:30], outcome="overridden", at=NOON - dt.timedelta(hours=2))
    book.answer(numbers[:10], outcome="accepted", at=NOON - dt.timedelta(hours=1))
    book.answer(numbers[30:40], outcome="accepted", at=NOON - dt.timedelta(hours=3))

    told = book.told("answers")

    assert {f"{TEST}: accepted": (20, 60), f"{TEST}: overridden": (20, 60), f"{TEST}: unanswered": (20, 60)} == told


def test_counts_no_answer_to_a_card_that_did_not_leave(book):
    """A withheld card is neither answered nor unanswered."""
    book.cards(30, withheld="silent")

    assert {} == book.told("answers")


def test_counts_reasons_of_overridden_cards(book):
    """Our own reasons by their code; a code of another system, or an unknown one, is another reason, and no code is none."""
    numbers = book.cards(50)
    for some, reason in (
        (numbers[:10], {"reason_code": "not-now", "reason_system": REASONS}),
        (numbers[10:20], {"reason_code": "not-now", "reason_system": "urn:elsewhere"}),
        (numbers[20:30], {"reason_code": "of-old", "reason_system": REASONS}),
        (numbers[30:50], {}),
    ):
        book.answer(some, **reason)

    assert {"not-now": (10, 50), "other": (20, 50), "none": (20, 50)} == book.told("reasons")


def test_gives_no_reason_to_a_card_that_was_accepted_in_the_end(book):
    """Only the last answer has a reason."""
    numbers = book.cards(10)
    book.answer(numbers, reason_code="not-now", reason_system=REASONS, at=NOON - dt.timedelta(hours=1))
    book.answer(numbers, outcome="accepted", at=NOON)

    assert {} == book.told("reasons")


@pytest.mark.parametrize(
    ("days", "item"),
    [
        (0, "in less than 4 weeks"),
        (27, "in less than 4 weeks"),
        (28, "in less than 13 weeks"),
        (90, "in less than 13 weeks"),
        (91, "in less than 26 weeks"),
        (181, "in less than 26 weeks"),
        (182, "later"),
    ],
)
def test_tells_how_long_results_took(book, days, item):
    """From the day of the first card to that of the result: under 4, 13 and 26 weeks, or longer."""
    book.cards(24, day=ago(200))
    book.results(1, 12, seen=TODAY, resulted=ago(200) + dt.timedelta(days=days))

    told = book.told("results", first=ago(200))

    assert {"with a card": (24, None), "with a result since": (12, 24), "confirmed": (12, 12), item: (12, 12)} == told
    assert float(days) == book.report(ago(200)).days_to_result["all"]


def test_tells_which_results_there_were(book):
    """Results by their state; without a day of its own, a result is as old as the call that showed it."""
    book.cards(100, day=ago(60))
    book.results(1, 20, seen=ago(50))
    book.results(21, 35, seen=ago(40), state="negative")
    book.results(36, 50, seen=ago(30), state="uncertain", resulted=ago(45))

    told = book.told("results", first=ago(60))

    # 20 after 10 days, 15 after 20, 15 after 15: of 50 the 25th and 26th are after 15.
    assert {"confirmed": (20, 50), "negative": (15, 50), "uncertain": (15, 50), "in less than 4 weeks": (50, 50)}.items() <= told.items()
    assert 15.0 == book.report(ago(60)).days_to_result["all"]


def test_counts_no_result_from_before_the_card(book):
    """What was known already did not come of the card; the day of the card itself counts."""
    book.cards(40, day=ago(10))
    book.results(1, 15, seen=TODAY, resulted=ago(11))
    book.results(16, 30, seen=TODAY, resulted=ago(10))

    assert (15, 40) == book.told("results", first=ago(20))["with a result since"]


def test_counts_a_patient_by_the_first_card(book):
    """Whose first card was before the span is no patient of it; cards of other topics and withheld ones are no first cards."""
    book.cards(15, day=ago(50))
    book.cards(30, day=ago(5))  # the first 15 of these patients had one before
    book.cards(20, day=ago(5), topic="vexas-confirmed", first=100)
    book.cards(20, day=ago(5), withheld="silent", first=200)

    assert {"with a card": (15, None)} == book.told("results", first=ago(10))


@pytest.mark.parametrize(("patients", "days"), [(9, None), (10, 7.0)])
def test_tells_no_median_of_few(book, patients, days):
    """Nine patients are too few to say how long theirs took."""
    book.cards(30, day=ago(10))
    book.results(1, patients, seen=ago(3))

    assert days == book.report(ago(10)).days_to_result["all"]


@pytest.mark.parametrize(
    ("counts", "waits"),
    [
        ({"5": 50, "10": 45, "25": 4, "longer": 1}, (5, 10, 25)),
        ({"5": 49, "10": 46, "25": 3, "longer": 2}, (10, 10, None)),
        ({"2000": 1}, (2000, 2000, 2000)),
        ({"longer": 3}, (None, None, None)),
        ({"50": 94, "500": 6}, (50, 500, 500)),
    ],
)
def test_tells_within_how_long_calls_were_answered(book, counts, waits):
    """The bound within which 50, 95 and 99 of 100 calls lie; none if it is longer than the last."""
    for bound, count in counts.items():
        book.calls(count, bound, what="ms")

    assert waits == book.report().latency["all"]


def test_tells_every_time_whole(book):
    """Times tell nothing of people: small numbers stand, of all calls, in the order of the bounds."""
    book.calls(100)
    book.calls(93, "5", what="ms")
    book.calls(4, "1000", what="ms")
    book.calls(3, "longer", what="ms")

    found = [(f.item, f.number) for f in book.report().figures if f.section == "latency"]

    assert [*map(str, BOUNDS), "longer"] == [item for item, _ in found]
    assert {"5": 93, "1000": 4, "longer": 3} == {item: number for item, number in found if number}


def test_tells_which_data_were_missing(book):
    """Of all calls, those in which a domain of data was not there or held only a part."""
    book.calls(100)
    book.calls(20, "blood-counts", what="unavailable")
    book.calls(15, "blood-counts", what="incomplete")
    book.calls(5, "reports", what="unavailable")

    assert {"blood-counts: unavailable": (20, 100), "blood-counts: incomplete": (15, 100), "reports: unavailable": (None, 100)} == book.told("data")


def test_tells_every_refused_call(book):
    """Refused calls stand by their code, whole, and are no answered calls."""
    book.calls(2, "malformed-body", what="refused", client="open")

    assert {"malformed-body": (2, None)} == book.told("refused")
    assert {} == book.told("calls")


def test_has_one_column_for_one_release(book):
    """A column of the only release would repeat that of all."""
    book.calls(50)

    assert ("all",) == book.report().columns
    assert {"all"} == {f.column for f in book.report().figures}


def test_has_a_column_for_each_release(book):
    """With two releases there is one column for each, the older first; they add up to all, in which a patient of both is one."""
    book.calls(60, "shown", day=ago(3))
    book.calls(40, "shown", digest=OTHER)
    book.visitors(1, 50, day=ago(3))
    book.visitors(31, 70, digest=OTHER)
    book.cards(30, day=ago(3), first=1)
    book.cards(20, digest=OTHER, first=11)

    report = book.report(ago(3))

    found = {(f.section, f.item, f.column): f.number for f in report.figures}
    assert ("all", DIGEST, OTHER) == report.columns
    assert [("0.1.0", DIGEST, ago(3), ago(3)), ("0.2.0", OTHER, TODAY, TODAY)] == list(report.releases)
    for place, numbers in {
        ("calls", "calls"): [100, 60, 40],
        ("calls", "patients"): [70, 50, 40],
        ("cards", TEST): [50, 30, 20],
        ("patients", TEST): [30, 30, 20],  # patients 1 to 30, and 11 to 30 again
    }.items():
        assert numbers == [found[*place, column] for column in report.columns]


def test_tells_of_no_small_release_by_another(book):
    """All calls less those of the old release would be those of the new one: the old one's are hidden wherever they stand, and so are its times."""
    book.calls(100, "shown")
    book.calls(100, "5", what="ms")
    book.calls(4, "shown", digest=OTHER)
    book.calls(4, "5", what="ms", digest=OTHER)

    report = book.report()

    seen = [value for f in report.figures if f.column != "all" for value in (f.number, f.of, f.rate)]
    assert set() == {value for value in seen if value}
    assert (104, None) == next((f.number, f.of) for f in report.figures if (f.section, f.column) == ("calls", "all"))


def test_tells_no_small_number_as_what_others_are_of(book):
    """Of 20 patients with a card 15 had a result, so 5 had none: the 15 are not shown as the whole of the results either."""
    book.cards(20, day=ago(10))
    book.results(1, 15, seen=TODAY)

    told = book.told("results", first=ago(10))

    assert (20, None) == told["with a card"]
    assert (None, 20) == told["with a result since"]
    assert {(None, None)} == {told[item] for item in ("confirmed", "in less than 4 weeks")}


def test_tells_of_no_small_topic_by_the_reasons(book):
    """What was overridden of all topics is told by the reasons, so that a lone hidden topic takes another along."""
    for topic, overridden in ((TEST, 3), (CONSIDER, 30), ("vexas-uncertain", 40)):
        numbers = book.cards(100, topic=topic)
        book.answer(numbers[:overridden])
        book.answer(numbers[overridden:50], outcome="accepted")

    told = book.told("answers")

    assert [None, None, 40] == [told[f"{topic}: overridden"][0] for topic in (TEST, CONSIDER, "vexas-uncertain")]
    assert {"none": (73, 73)} == book.told("reasons")


def usual(book: Book, client: str, days: int, *, first: int = 1) -> None:
    """So many days of 64 calls, half of them with a card."""
    for number in range(first, first + days):
        book.calls(32, "shown", day=ago(number), client=client)
        book.calls(32, "nothing", day=ago(number), client=client)


def test_alarms_by_client(book):
    """A day is judged by the same client's days: 45 of 64 are too many for the north, and the south has 13 days only."""
    for client, days in (("north", 14), ("south", 13)):
        usual(book, client, days)
        book.calls(25, "shown", client=client)
        book.calls(20, "withheld", client=client)
        book.calls(19, "nothing", client=client)

    report = book.report()

    assert [("north", TODAY, True, 45 / 64)] == [(a.client, a.day, a.above, a.firing.made / a.firing.calls) for a in report.alarms]


def test_looks_for_alarms_before_the_span(book):
    """The days before are looked at even where they are no part of the report, down to the 28th."""
    usual(book, "north", 13)
    usual(book, "north", 1, first=28)
    book.calls(64, "shown")

    assert 1 == len(book.report().alarms)


def test_tells_calls_week_by_week(book):
    """A week begins on its Monday; cards that were withheld count as made, and days out of the span do not."""
    book.calls(40, "shown", day=FIRST_WEEK - dt.timedelta(days=1))
    book.calls(20, "shown", day=FIRST_WEEK)
    book.calls(10, "withheld", day=FIRST_WEEK + dt.timedelta(days=6), client="south")
    book.calls(50, "nothing", day=FIRST_WEEK + dt.timedelta(days=6))
    book.calls(60, "nothing", day=FIRST_WEEK + dt.timedelta(days=7))

    found = book.report(FIRST_WEEK, TODAY).weeks

    assert (Week(FIRST_WEEK, 80, 30), Week(FIRST_WEEK + dt.timedelta(days=7), 60, 0)) == found


@pytest.mark.parametrize(
    ("made", "seen"),
    [
        ((0, 30, 40), (0, 30, 40)),
        ((9, 30, 40), (None, None, 40)),
        ((10, 30, 40), (10, 30, 40)),
        ((91, 30, 40), (None, None, 40)),
        ((9, 8, 40), (None, None, 40)),
    ],
)
def test_shows_no_small_number_of_a_week(book, made, seen):
    """Of 100 calls a week, a lone week that is hidden could be told from the others and from what is told of all calls."""
    for week, count in enumerate(made):
        book.calls(count, "shown", day=FIRST_WEEK - dt.timedelta(weeks=week)) if count else None
        book.calls(100 - count, "nothing", day=FIRST_WEEK - dt.timedelta(weeks=week))

    found = book.report(FIRST_WEEK - dt.timedelta(weeks=3), TODAY).weeks

    assert seen == tuple(week.made for week in reversed(found))


def test_counts_whose_snoozes_were_lifted(book):
    """Patients, each once, whose last lift was in the span: the first and the last moment of it are in, the next is not."""
    for number, at in enumerate(
        [NOON.replace(hour=0)] * 6 + [NOON.replace(hour=23, minute=59, second=59)] * 6 + [NOON + dt.timedelta(hours=12)] * 20
    ):
        book.database.work(lambda b, n=number, at=at: b.lift("north", f"{n:064x}", at))

    assert {"snoozes": (12, None)} == book.told("lifted")


def test_tells_nothing_of_another_service(book):
    """Decisions of another service on the same database are not ours."""
    book.cards(20, service="other")

    assert {} == book.told("cards") | book.told("patients") | book.told("answers") | book.told("results")


def test_is_empty_before_the_first_call(book):
    """Every number is zero, and there is no release, client, alarm or week."""
    report = book.report()

    assert {0} == {f.number for f in report.figures}
    assert ((), (), (), ()) == (report.clients, report.releases, report.alarms, report.weeks)
    assert {"all": None} == report.days_to_result


def test_has_words_for_every_section_and_topic(book):
    """Each section of the report has a title, and no item of a topic or reason shows a bare code."""
    book.calls(1, "malformed-body", what="refused")
    named = labels(build.KNOWLEDGE)

    figures = book.report().figures

    assert {section.id for section in SECTIONS} == {f.section for f in figures}
    coded = {f.item for f in figures if f.section in ("cards", "patients", "answered", "silent", "answers", "reasons", "outcomes")}
    assert set() == coded - named.keys()
