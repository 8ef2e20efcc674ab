"""The table behind the drawings: a row for each day, a column for each test."""

from __future__ import annotations

from typing import NamedTuple

from cds_service.evidence.timeline import Point, Series, Timeline


class Sheet(NamedTuple):
    """Results by day, the newest first; each cell says with a sign how its result lies."""

    columns: tuple[tuple[str, str], ...]  # label and unit
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def sheet_of(timeline: Timeline) -> Sheet:
    """The results that are drawn."""
    days: dict[str, dict[int, list[str]]] = {}
    for column, series in enumerate(timeline.series):
        for point in series.points:
            days.setdefault(point.day.isoformat(), {}).setdefault(column, []).append(_cell(series, point))
    width = range(len(timeline.series))
    rows = tuple((day, tuple(", ".join(cells.get(c, ())) for c in width)) for day, cells in sorted(days.items(), reverse=True))
    return Sheet(tuple((s.label, s.unit) for s in timeline.series), rows)


def _cell(series: Series, point: Point) -> str:
    beyond = (" ?" if point.undecided else "") if not point.beyond else " ▲" if series.thresholds[0].upward else " ▼"
    marked = "" if point.counts else " ×"
    return f"{series.number(point)}{beyond}{marked}{point.dated}"
