"""Days covered and courses of a drug, against counting day by day; and which orders count at all."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.knowledge.model import Drug
from cds_service.reasoning.chart import days_covered
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day
from tests.reasoning.charts import KNOWLEDGE, TODAY, ask, back, chart, drug, lab

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN
STEROID = "rx-systemic-glucocorticoid"
ONE_DAY = dt.timedelta(days=1)


def day_set(spans):
    """Every single day of the spans."""
    return {start + dt.timedelta(days=n) for start, end in spans for n in range((end - start).days + 1)}


def runs(days):
    """How many unbroken runs of days there are."""
    return sum(day - ONE_DAY not in days for day in days)


spans = st.lists(st.tuples(st.integers(0, 420), st.integers(0, 120)), max_size=7).map(
    lambda pairs: [(TODAY - dt.timedelta(days=ago), TODAY - dt.timedelta(days=ago) + dt.timedelta(days=length)) for ago, length in pairs]
)


@given(spans)
@example([(Day.min, Day.min), (Day.min, Day.min)])
def test_counts_each_day_once(found_spans):
    """However spans overlap, touch or repeat, each day is covered once."""
    found = days_covered(found_spans)

    expected = len({day.toordinal() for start, end in found_spans for day in ([start] if start == end else day_set([(start, end)]))})
    assert expected == found


@given(spans, st.integers(1, 200))
def test_covers_as_many_days_of_the_window_as_a_calendar_shows(order_spans, wanted):
    """Days before the window and after today are not covered; the rest are counted in a calendar."""
    criterion = Drug(value_sets=(STEROID,), within="P12M", covered=f"P{wanted}D")
    orders = [drug(STEROID, start.isoformat(), end, ref=f"MedicationRequest/{i}") for i, (start, end) in enumerate(order_spans)]

    found = ask(criterion, chart(*orders)).truth

    days = {d for d in day_set(order_spans) if Day(2025, 11, 22) <= d <= TODAY}
    assert (P if len(days) >= wanted else A) is found


@given(spans, st.integers(1, 5))
def test_counts_courses_as_runs_of_days(order_spans, wanted):
    """Orders that touch or overlap are one course; a day without the drug begins another."""
    criterion = Drug(value_sets=(STEROID,), within="P12M", courses=wanted)
    orders = [drug(STEROID, start.isoformat(), end, ref=f"MedicationRequest/{i}") for i, (start, end) in enumerate(order_spans)]

    found = ask(criterion, chart(*orders)).truth

    days = {d for d in day_set(order_spans) if Day(2025, 11, 22) <= d <= TODAY}
    assert (P if runs(days) >= wanted else A) is found


@pytest.mark.parametrize(("days", "expected"), [(88, U), (89, P), (90, P)])
def test_lets_an_active_order_without_an_end_run_to_today(days, expected):
    """From its date to today, both counted, an open order covers its days."""
    criterion = Drug(value_sets=(STEROID,), within="P12M", covered="P90D", absent_means="unknown")

    found = ask(criterion, chart(drug(STEROID, back(days), status="active"))).truth

    assert expected is found


def test_counts_a_finished_order_without_an_end_as_its_first_day():
    """What was stopped on an unknown day proves only the day it began."""
    criterion = Drug(value_sets=(STEROID,), within="P12M", covered="P2D")

    found = ask(criterion, chart(drug(STEROID, back(200), status="completed"))).truth

    assert A is found


@pytest.mark.parametrize(
    ("members", "history", "current"),
    [
        ({"status": "active"}, P, P),
        ({"status": "completed"}, P, A),
        ({"status": "stopped"}, P, A),
        ({"status": "on-hold"}, P, A),
        ({"status": "draft"}, A, A),
        ({"status": "cancelled"}, A, A),
        ({"status": "entered-in-error"}, A, A),
        ({"status": "not-taken"}, A, A),
        ({"status": "intended"}, A, A),
        ({"status": "active", "intent": "proposal"}, A, A),
        ({"status": "active", "intent": "plan"}, A, A),
        ({"status": "active", "not_given": True}, A, A),
        ({"status": "active", "until": TODAY}, P, P),
        ({"status": "active", "until": TODAY - ONE_DAY}, P, A),
        ({"status": "active", "route": "topical"}, A, A),
    ],
)
def test_tells_what_was_given_from_what_is_given(members, history, current):
    """History counts active, completed, stopped and on-hold orders; current use only active ones that have not ended."""
    until = members.pop("until", None)
    asked = chart(drug(STEROID, "2026-05-01", until, **members))

    found = (ask(Drug(value_sets=(STEROID,)), asked).truth, ask(Drug(value_sets=(STEROID,), current=True), asked).truth)

    assert (history, current) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Prednisone 5 mg tablet", P),
        ("prednisolone 20mg", P),
        ("PREDNISOLONE ACETATE 1 % ophthalmic suspension", A),
        ("Hydrocortisone 1 % cream", A),
        ("Triamcinolone nasal spray", A),
        ("Prednisolone enema", A),
        ("Dexamethasone intra-articular", A),
        ("Paracetamol", A),
    ],
)
def test_reads_a_drug_by_its_name_and_leaves_out_local_forms(text, expected):
    """A text-only order counts by its ingredient; a cream, a drop or an enema is no systemic glucocorticoid."""
    found = ask(Drug(value_sets=(STEROID,)), chart(drug(STEROID, "2026-05-01", codes=(), text=text))).truth

    assert expected is found


def test_knows_nothing_without_a_medication_list():
    """When no medication source was read, not finding a drug says nothing."""
    found = [ask(Drug(value_sets=(STEROID,)), chart(unread=unread)).truth for unread in ((), ("medications",))]

    assert [A, U] == found


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [
        (back(200), TODAY - dt.timedelta(days=122), A),
        (back(200), TODAY - dt.timedelta(days=121), P),
        (back(200), TODAY - dt.timedelta(days=1), P),
        (back(1), None, P),
        (back(0), None, A),
    ],
)
def test_looks_for_a_drug_before_a_result(start, until, expected):
    """A drug counts when it was given on the day of the result, here yesterday, or in the 120 days before, not after it."""
    criterion = KNOWLEDGE.alternatives["macrocytosis-drug"].when

    found = ask(criterion, chart(lab("lab-mcv", 104, "fL", back(1)), drug("rx-macrocytosis-causing", start, until))).truth

    assert expected is found
