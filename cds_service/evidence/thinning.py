"""Fewer points that look the same: of each short stretch of time the lowest and the highest stay, so no extreme is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.evidence.timeline import Point, Series, Timeline

MOST_POINTS = 700  # of all tests together: a page of them is below 200 kB


def thinned(timeline: Timeline) -> Timeline:
    """The timeline with no more points than a page holds; each test has its fair share."""
    if sum(len(s.points) for s in timeline.series) <= MOST_POINTS:
        return timeline
    room, waiting = MOST_POINTS, len(timeline.series)
    shares: dict[str, int] = {}
    for series in sorted(timeline.series, key=lambda s: len(s.points)):
        shares[series.label] = min(len(series.points), room // waiting)
        room, waiting = room - shares[series.label], waiting - 1
    return timeline._replace(series=tuple(_fewer(s, shares[s.label]) for s in timeline.series))


def _fewer(series: Series, most: int) -> Series:
    if len(series.points) <= most:
        return series
    # The first and the last stay as well.
    return series._replace(points=tuple(_extremes(series.points, max((most - 2) // 2, 1))))


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
