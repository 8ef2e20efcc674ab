"""Where the share of calls with a card stands, week by week: its scale, what is joined, and what is not drawn."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.web.plots import HEIGHT, share_by_week

MONDAY = dt.date(2026, 6, 1)


def week(number: int) -> dt.date:
    """A Monday so many weeks later."""
    return MONDAY + dt.timedelta(weeks=number)


@pytest.mark.parametrize(
    ("share", "lines"),
    [
        (0.0, ["0 %", "0.1 %"]),
        (0.004, ["0 %", "0.1 %", "0.2 %", "0.3 %", "0.4 %"]),
        (0.03, ["0 %", "1 %", "2 %", "3 %"]),
        (0.497, ["0 %", "10 %", "20 %", "30 %", "40 %", "50 %"]),
        (0.5, ["0 %", "10 %", "20 %", "30 %", "40 %", "50 %"]),
        (0.51, ["0 %", "20 %", "40 %", "60 %"]),
        (1.0, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
    ],
)
def test_has_round_lines_from_nothing_to_the_highest(share, lines):
    """Few lines at round shares; the highest week lies between the last two, or on the last."""
    plot = share_by_week([(week(0), share), (week(1), 0.0)], {})
    (highest, lowest) = plot.weeks

    assert lines == [line.text for line in plot.lines]
    assert plot.lines[-1].y <= highest.y <= plot.lines[-2].y
    assert plot.lines[0].y == lowest.y


def test_stands_in_proportion():
    """Half of the highest line is half way up, and a week in the middle of the time half way across."""
    plot = share_by_week([(week(0), 0.5), (week(1), 0.25), (week(2), 0.0)], {})
    first, middle, last = plot.weeks

    assert first.y + last.y == pytest.approx(2 * middle.y, abs=0.2)
    assert first.x + last.x == pytest.approx(2 * middle.x, abs=0.02)
    assert (plot.lines[-1].y, plot.lines[0].y) == (first.y, last.y)
    assert ["2026-06-01: 50.0 %", "2026-06-08: 25.0 %", "2026-06-15: 0.0 %"] == [one.text for one in plot.weeks]


def test_joins_only_weeks_that_follow_each_other():
    """Neither a week whose share is not shown nor one without calls is drawn over."""
    weeks = [(week(0), 0.1), (week(1), 0.2), (week(2), None), (week(3), 0.3), (week(5), 0.4), (week(6), 0.5)]
    plot = share_by_week(weeks, {})

    assert [("2026-06-01", "2026-06-08"), ("2026-07-06", "2026-07-13")] == [(a.text[:10], b.text[:10]) for a, b in plot.joins]
    assert 5 == len(plot.weeks)


@pytest.mark.parametrize(
    ("weeks", "named"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [0, 3]), (5, [0, 2, 4]), (6, [0, 5]), (26, [0, 12, 25]), (520, [0, 259, 519])]
)
def test_names_the_first_day_the_last_and_the_middle(weeks, named):
    """However long the time, three days at the most, far enough apart for a phone; everything stands inside."""
    plot = share_by_week([(week(n), 0.1) for n in range(weeks)], {week(weeks - 1) + dt.timedelta(days=6): "0.2.0"})

    assert [str(week(n)) for n in named] == [one.text for one in plot.days]
    assert all(0 <= one.x <= 100 and 0 <= one.y <= HEIGHT for one in (*plot.days, *plot.weeks, *plot.changes))


def test_shows_where_the_version_changed():
    """A change within a week stands between its Monday and the next."""
    plot = share_by_week([(week(0), 0.1), (week(1), 0.1), (week(2), 0.1)], {week(1) + dt.timedelta(days=3): "0.2.0"})
    (change,) = plot.changes

    assert "0.2.0" == change.text
    assert plot.weeks[1].x < change.x < plot.weeks[2].x


def test_names_no_change_on_top_of_another():
    """Of changes that follow at once each has its line, and those that would lie on the first have no words."""
    weeks = [(week(n), 0.1) for n in range(27)]
    plot = share_by_week(weeks, {week(1): "0.2.0", week(2): "0.2.1", week(3): "0.2.2", week(20): "0.3.0"})

    assert ["0.2.0", "", "", "0.3.0"] == [one.text for one in plot.changes]


def test_draws_nothing_where_nothing_is_shown():
    """Of weeks with too few calls only the scale is left."""
    plot = share_by_week([(week(0), None), (week(1), None)], {})

    assert ((), ()) == (plot.weeks, plot.joins)
    assert len(plot.lines) == 2
