"""Where there are too many results to draw, no extreme is lost and every test keeps its share."""

from __future__ import annotations

import datetime as dt

from cds_service.evidence.thinning import MOST_POINTS, thinned
from cds_service.evidence.timeline import Point, Series, Timeline

TODAY = dt.date(2026, 11, 22)


def series(label, count, *, spike=None):
    """So many results of 5, a day apart, and one of 900."""
    first = TODAY - dt.timedelta(days=count)
    points = tuple(Point(first + dt.timedelta(days=i), 900.0 if i == spike else 5.0 + i % 2) for i in range(count))
    return Series(label, "mg/L", points, (), folded=False, whole=count)


def timeline(*found):
    """A timeline of these tests."""
    return Timeline(TODAY - dt.timedelta(days=3650), TODAY, found, (), (), (), ())


def test_leaves_what_can_be_drawn():
    """As many points as a page holds stay as they are."""
    whole = timeline(series("CRP", MOST_POINTS))

    assert whole == thinned(whole)


def test_draws_no_more_than_a_page_holds():
    """One more result than a page holds, and the page says how many there are."""
    (found,) = thinned(timeline(series("CRP", MOST_POINTS + 1))).series

    assert len(found.points) <= MOST_POINTS
    assert (MOST_POINTS + 1, False) == (found.whole, found.all_drawn)


def test_keeps_every_extreme():
    """A single spike among thousands is drawn, and so are the first and the last result."""
    whole = series("CRP", 3000, spike=1234)
    (found,) = thinned(timeline(whole)).series

    assert 900.0 in [p.number for p in found.points]
    assert (whole.points[0], whole.points[-1]) == (found.points[0], found.points[-1])
    assert list(found.points) == sorted(found.points, key=lambda p: p.day)


def test_takes_from_the_test_that_has_many():
    """A test with ten results keeps all of them beside one with thousands."""
    few, many = thinned(timeline(series("MCV", 10), series("CRP", 3000))).series

    assert few.all_drawn
    assert len(few.points) + len(many.points) <= MOST_POINTS
