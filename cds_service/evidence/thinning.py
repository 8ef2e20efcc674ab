"""Fewer points that look the same: of each short stretch of time the lowest and the highest stay, so no extreme is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from cds_service.evidence.timeline import Point, Row, Series, Timeline

T = TypeVar("T")
MOST_POINTS, MOST_EVENTS = 700, 200  # of all tests and of all rows: a page of them is below 200 kB


def thinned(timeline: Timeline) -> Timeline:
    """The timeline with no more points and events than a page holds; each test and each row has its fair share."""
    points = _shares([len(s.points) for s in timeline.series], MOST_POINTS)
    events = _shares([len(r.marks) + len(r.spans) for r in timeline.rows], MOST_EVENTS)
    return timeline._replace(
        series=tuple(_fewer(series, most) for series, most in zip(timeline.series, points, strict=True)),
        rows=tuple(_shorter(row, most) for row, most in zip(timeline.rows, events, strict=True)),
    )


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """How many each may have of so many: the small ones all that they want, the large ones an equal part of the rest."""
    shares = [0] * len(wanted)
    for waiting, index in zip(range(len(wanted), 0, -1), sorted(range(len(wanted)), key=wanted.__getitem__), strict=True):
        shares[index] = min(wanted[index], max(room // waiting, 1))
        room -= shares[index]
    return shares


def _fewer(series: Series, most: int) -> Series:
    if len(series.points) <= most:
        return series
    # The first and the last stay as well.
    return series._replace(points=tuple(_extremes(series.points, max((most - 2) // 2, 1))))


def _shorter(row: Row, most: int) -> Row:
    """The first and the last of a row, and evenly what lies between them."""
    whole = len(row.marks) + len(row.spans)
    if whole <= most:
        return row
    marks = _evenly(row.marks, most * len(row.marks) // whole)
    spans = _evenly(row.spans, most * len(row.spans) // whole)
    return row._replace(marks=marks, spans=spans, left_out=whole - len(marks) - len(spans))


def _evenly(listed: tuple[T, ...], most: int) -> tuple[T, ...]:
    if most < 2:
        return listed[:most]
    return tuple(listed[i * (len(listed) - 1) // (most - 1)] for i in range(most))


def _extremes(points: Sequence[Point], stretches: int) -> Iterator[Point]:
    first, last = points[0], points[-1]
    days = max((last.day - first.day).days, 1)
    columns: dict[int, list[Point]] = {}
    for point in points[1:-1]:
        columns.setdefault((point.day - first.day).days * stretches // (days + 1), []).append(point)
    yield first
    for column in columns.values():
        yield from _in_order((min(column, key=lambda p: p.number), max(column, key=lambda p: p.number)))
    yield last


def _in_order(points: Iterable[Point]) -> list[Point]:
    return sorted(dict.fromkeys(points), key=lambda p: p.day)
