"""Dates as charts have them, and periods at the ends of months and in leap years."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.record.dates import Moment, Period, age_on, moment, period

Day = dt.date


@pytest.mark.parametrize(
    ("written", "day", "precision"),
    [
        ("2026", Day(2026, 7, 1), "year"),
        ("2026-03", Day(2026, 3, 15), "month"),
        ("2026-03-05", Day(2026, 3, 5), "day"),
        (" 2026-03-05 ", Day(2026, 3, 5), "day"),
        ("2024-02-29", Day(2024, 2, 29), "day"),
        ("2026-03-05T10:00:00Z", Day(2026, 3, 5), "day"),
        ("2026-03-05T23:30:00.123-05:00", Day(2026, 3, 5), "day"),
        ("2026-03-05 10:00", Day(2026, 3, 5), "day"),
        ("2026-03-05Tsoon", Day(2026, 3, 5), "day"),
        ("0001-01-01T00:00:00+14:00", Day(1, 1, 1), "day"),
        ("9999-12-31T23:59:59-12:00", Day(9999, 12, 31), "day"),
    ],
)
def test_reads_whole_and_partial_dates(written, day, precision):
    """A year counts as its 1 July, a month as its 15th, and the day is the one that was written, whatever the zone."""
    found = moment(written)

    assert (day, precision) == (found.day, found.precision)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2026-02-30",
        "2025-02-29",
        "0000",
        "0000-01-01",
        "2026-13",
        "2026-00-10",
        "2026-3-5",
        "20260305",
        "05/03/2026",
        "yesterday",
        "2026-03-05x",
        "٢٠٢٦-٠٣-٠٥",
    ],
)
def test_takes_nothing_else_for_a_date(written):
    """What is no date in FHIR's own form is None, never a guess."""
    found = moment(written)

    assert found is None


def test_orders_instants_across_zones():
    """Two results of one day are ordered by the instant, not by the clock on the wall."""
    earlier = moment("2026-03-05T23:30:00Z")
    later = moment("2026-03-05T19:00:00-05:00")

    assert later.order > earlier.order


def test_orders_a_day_before_its_hours():
    """A date without an hour sorts before the hours of the same day and after the day before."""
    days = ["2026-03-05", "2026-03-05T00:30:00Z", "2026-03-04T23:00:00Z"]

    ordered = sorted(days, key=lambda text: moment(text).order)

    assert ["2026-03-04T23:00:00Z", "2026-03-05", "2026-03-05T00:30:00Z"] == ordered


@pytest.mark.parametrize(
    ("text", "expected"),
    [("P24M", Period(24, 0)), ("P14D", Period(0, 14)), ("P2Y", Period(24, 0)), ("P1Y2M3D", Period(14, 3)), ("P0D", Period(0, 0))],
)
def test_reads_a_period(text, expected):
    """Years, months and days of ISO 8601 are read; a year is twelve months."""
    found = period(text)

    assert expected == found


@pytest.mark.parametrize("text", ["", "P", "24M", "P1W", "PT1H", "P1.5M", "-P1D", "p1d", "P1D2M", "P٣D"])
def test_refuses_any_other_period_with_a_remedy(text):
    """A period in any other form is refused, and the message shows how to write one."""
    with pytest.raises(ValueError, match="P24M") as refused:
        period(text)

    assert "Write" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "day", "before"),
    [
        ("P1M", Day(2026, 3, 31), Day(2026, 2, 28)),
        ("P1M", Day(2024, 3, 31), Day(2024, 2, 29)),
        ("P12M", Day(2024, 2, 29), Day(2023, 2, 28)),
        ("P48M", Day(2024, 2, 29), Day(2020, 2, 29)),
        ("P24M", Day(2026, 11, 22), Day(2024, 11, 22)),
        ("P14D", Day(2024, 3, 1), Day(2024, 2, 16)),
        ("P14D", Day(2026, 1, 5), Day(2025, 12, 22)),
        ("P1M1D", Day(2026, 3, 31), Day(2026, 2, 27)),
        ("P240M", Day(5, 1, 1), Day.min),
        ("P1D", Day.min, Day.min),
    ],
)
def test_looks_back_to_the_first_day_that_counts(text, day, before):
    """A look-back is clamped to the end of a shorter month, and to the first day that there is."""
    found = period(text).before(day)

    assert before == found


@pytest.mark.parametrize(
    ("text", "day", "after"),
    [
        ("P1M", Day(2026, 1, 31), Day(2026, 2, 28)),
        ("P1M", Day(2024, 1, 31), Day(2024, 2, 29)),
        ("P12M", Day(2024, 2, 29), Day(2025, 2, 28)),
        ("P28D", Day(2026, 2, 1), Day(2026, 3, 1)),
        ("P28D", Day(2024, 2, 1), Day(2024, 2, 29)),
        ("P2M", Day(2025, 12, 31), Day(2026, 2, 28)),
        ("P1M", Day.max, Day.max),
        ("P1D", Day.max, Day.max),
    ],
)
def test_looks_ahead_to_the_first_day_out(text, day, after):
    """A span ahead is clamped to the end of a shorter month, and to the last day that there is."""
    found = period(text).after(day)

    assert after == found


def test_counts_the_last_day_in_and_not_the_first_day_out():
    """A window of 24 months holds the same day two years before, and not the day before that."""
    start = period("P24M").before(Day(2026, 11, 22))

    assert (True, False) == (Day(2024, 11, 22) >= start, Day(2024, 11, 21) >= start)


@given(day=st.dates(Day(1900, 1, 1), Day(2100, 1, 1)), months=st.integers(0, 240), days=st.integers(0, 400))
def test_never_turns_time_around(day, months, days):
    """Before is never later and after is never earlier, and coming back never goes beyond the start."""
    span = Period(months, days)

    before, after = span.before(day), span.after(day)

    assert before <= day <= after


@given(day=st.dates(Day(1900, 1, 1), Day(2100, 1, 1)), days=st.integers(0, 4000))
def test_counts_days_exactly(day, days):
    """A period of days alone is exactly so many days."""
    span = Period(0, days)

    found = ((day - span.before(day)).days, (span.after(day) - day).days)

    assert (days, days) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [("P1M", "1 month"), ("P24M", "24 months"), ("P1D", "1 day"), ("P14D", "14 days"), ("P1Y2M3D", "14 months 3 days"), ("P0D", "0 days")],
)
def test_says_a_period_in_words(text, shown):
    """A period is written as a person would say it."""
    found = str(period(text))

    assert shown == found


@pytest.mark.parametrize(
    ("on", "age"),
    [
        (Day(2000, 2, 29), 0),
        (Day(2018, 2, 28), 17),
        (Day(2018, 3, 1), 18),
        (Day(2020, 2, 28), 19),
        (Day(2020, 2, 29), 20),
    ],
)
def test_gives_a_leap_day_child_its_birthday_on_the_first_of_march(on, age):
    """Someone born on 29 February has completed the year on 1 March of a year without that day."""
    found = age_on(Day(2000, 2, 29), on)

    assert age == found


@pytest.mark.parametrize(("on", "age"), [(Day(2026, 11, 21), 49), (Day(2026, 11, 22), 50), (Day(2026, 11, 23), 50)])
def test_counts_completed_years(on, age):
    """The birthday itself completes the year; the day before does not."""
    found = age_on(Day(1976, 11, 22), on)

    assert age == found


def test_keeps_a_moment_as_a_value():
    """Two readings of one text are the same value."""
    assert Moment(Day(2026, 3, 5), "day", "2026-03-05") == moment("2026-03-05")
