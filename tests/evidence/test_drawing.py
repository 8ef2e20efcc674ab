"""Where things stand on the page: on the axis, at their height, with signs that need no colour and words that do not overlap."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from cds_service.evidence.drawing import drawing_of
from cds_service.evidence.timeline import Mark, Point, Row, Series, Span, Threshold, Timeline

TODAY = dt.date(2026, 11, 22)
FIRST = dt.date(2021, 11, 22)


def drawn(*found, rows=(), first=FIRST):
    """The drawing of these tests and rows."""
    return drawing_of(Timeline(first, TODAY, found, rows, (), (), ()))


MACROCYTOSIS = (Threshold("above", 100, "Macrocytosis"),)


def series(*points, thresholds=MACROCYTOSIS):
    """Results of one test."""
    return Series("MCV", "fL", points, thresholds, folded=False, whole=len(points))


def point(ago, number, **members):
    """A result of so many days ago."""
    return Point(TODAY - dt.timedelta(days=ago), number, **members)


def test_stretches_from_the_first_day_to_today():
    """The first day is at the left edge, today at the right one, and half the time lies in the middle."""
    (panel,) = drawn(series(point(1826, 90), point(913, 95), point(0, 99))).panels

    assert [1.0, 49.75, 98.5] == [dot.x for dot in panel.dots]


def test_draws_higher_results_higher():
    """Down is from the top, so a higher result has a smaller height."""
    (panel,) = drawn(series(point(9, 90), point(0, 110))).panels

    assert panel.dots[0].y > panel.rules[0].y > panel.dots[1].y


def test_gives_each_result_a_sign_of_its_own_shape():
    """Above, within, and not counted; below where the threshold is a lower one."""
    (above,) = drawn(series(point(9, 108, beyond=True), point(5, 95), point(0, 97, counts=False))).panels
    (below,) = drawn(series(point(0, 90, beyond=True), thresholds=(Threshold("below", 150, "Low platelets"),))).panels

    assert (["up", "in", "out"], ["down"]) == ([d.sign for d in above.dots], [d.sign for d in below.dots])


def test_labels_the_line_of_a_threshold_with_value_and_unit():
    """The line has its number and unit at its height; the words beside the panel say what it means."""
    (panel,) = drawn(series(point(9, 90), point(0, 110))).panels

    assert [(panel.rules[0].y, "100 fL")] == [(label.y, label.text) for label in panel.labels if label.threshold]
    assert ("above 100 fL: Macrocytosis",) == panel.thresholds


@pytest.mark.parametrize("high", [100.1, 101, 104, 110, 200])
def test_puts_no_label_on_another(high):
    """Wherever results lie beside their threshold, labels are a line apart."""
    (panel,) = drawn(series(point(9, 99.9), point(0, high), thresholds=(Threshold("above", 100, "a"), Threshold("above", 102, "b")))).panels
    heights = sorted(label.y for label in panel.labels)

    assert all(after - before >= 13 for before, after in itertools.pairwise(heights))


def test_says_a_panel_in_one_sentence():
    """Whoever does not see the drawing hears how many results there are, the first, the last, and how many lie beyond."""
    (panel,) = drawn(series(point(365, 92.4), point(0, 108, beyond=True))).panels

    assert "MCV: 2 results from 92.4 fL on 2025-11-22 to 108 fL on 2026-11-22; 1 of those drawn above 100 fL." == panel.said


@pytest.mark.parametrize(
    ("first", "labels"),
    [
        (dt.date(2025, 11, 22), ["2026-01", "2026-04", "2026-07", "2026-10"]),
        (dt.date(2022, 3, 1), ["2023", "2024", "2025", "2026"]),
        (dt.date(2006, 11, 22), ["2010", "2015", "2020", "2025"]),
    ],
)
def test_has_few_ticks_that_cannot_be_misread(first, labels):
    """Years, or months with their year; never so many that they touch."""
    assert labels == [tick.label for tick in drawn(first=first).ticks]


def test_tells_what_is_earlier_than_the_axis_at_its_edge():
    """An event of long ago has its sign at the left edge, pointing back, and its day in words."""
    (strip,) = drawn(rows=(Row("Organs", "condition", "VTE", marks=(Mark(dt.date(1998, 3, 12), "1998-03-12", "VTE"),)),)).strips

    assert [(1.0, "earlier")] == [(s.x, s.sign) for s in strip.signs]
    assert ("1998-03-12",) == strip.told


def test_shows_bands_of_one_day():
    """A drug of a single day can still be seen; one that goes on ends today."""
    spans = (Span(dt.date(2024, 1, 1), dt.date(2024, 1, 1), "x"), Span(dt.date(2026, 1, 1), TODAY, "x", goes_on=True))
    (strip,) = drawn(rows=(Row("Glucocorticoids", "drug", "Prednisone", spans=spans),)).strips

    assert (0.6, 98.5) == (strip.bands[0].width, round(strip.bands[1].x + strip.bands[1].width, 2))
    assert "Glucocorticoids: prednisone" == strip.name
    assert ("2024-01-01 to 2024-01-01", "2026-01-01 to today") == strip.told


@pytest.mark.parametrize(
    ("number", "comparator", "said"),
    [
        (101, "", "101 fL"),
        (90, ">", ">90 fL"),
        (100.004, "", "100.004 fL"),
        (99.996, "", "99.996 fL"),
        (12345, "", "12345 fL"),
        (25000.5, "", "25000 fL"),
    ],
)
def test_writes_a_result_as_it_was_given(number, comparator, said):
    """With its comparator, never as a power of ten, and never rounded onto the other side of a threshold."""
    (panel,) = drawn(series(point(10, number, comparator=comparator))).panels

    assert (f"{said}, 2026-11-12", True) == (panel.latest, f" of {said} on" in panel.said)


def test_tells_every_newest_result():
    """Of two results of one moment neither is "the latest"; the same value twice is told once."""
    newest = tuple(point(10, number) for number in (104, 98, 98))
    (panel,) = drawn(series(point(90, 101), *newest)._replace(newest=newest)).panels

    assert "104 fL or 98 fL, 2026-11-12" == panel.latest
    assert "to 104 fL or 98 fL on 2026-11-12" in panel.said


def test_tells_three_newest_results_at_the_most():
    """Hundreds of one moment are no label."""
    newest = tuple(point(10, number) for number in range(90, 190))
    (panel,) = drawn(series(*newest)._replace(newest=newest)).panels

    assert "90 fL or 91 fL or 92 fL or 97 more, 2026-11-12" == panel.latest


def test_says_that_a_date_is_incomplete():
    """The day in the middle of a month is no day that anybody gave."""
    (panel,) = drawn(series(point(7, 101, remarks=("date incomplete",)))).panels

    assert "101 fL, 2026-11-15 (incomplete date)" == panel.latest


def test_marks_what_is_not_decided():
    """It has a sign of its own."""
    drawing = drawn(series(point(10, 90, comparator=">", undecided=True)))

    assert (["open"], True) == ([dot.sign for dot in drawing.panels[0].dots], "open" in drawing.signs)
