"""Where on a page each thing of a timeline stands.

Across in per cent, so that a drawing is as wide as its page and its letters keep their size; down in pixels.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cds_service.evidence import shown
from cds_service.evidence.timeline import Point, Row, Series, Threshold, Timeline
from cds_service.record.dates import Day

_HEIGHT, _FOLDED = 82, 68
_ROOM = 11  # above and below the points
_LEFT, _RIGHT = 1.0, 98.5
_LINE = 13  # of a label, so that none lies on another
_MOST_YEARS = 8
_WIDE = 1000  # of the line that joins the points, stretched to the page
_MOST_TOLD = 3  # days beside a row
_NARROWEST = 0.6  # of a band, in per cent


class Tick(NamedTuple):
    """A day on the axis and its words."""

    x: float
    label: str


class Label(NamedTuple):
    """Words beside a panel; those of a threshold lie at its line."""

    y: float
    text: str
    threshold: bool = False


class Dot(NamedTuple):
    """A result: where, and which sign it has."""

    x: float
    y: float
    sign: str  # up | down | in | open | out


class Rule(NamedTuple):
    """The line of a threshold, and where the side beyond it begins and ends."""

    y: float
    top: float
    depth: float
    first: bool


class Panel(NamedTuple):
    """One test: its drawing and what is said beside it."""

    series: Series
    height: int
    labels: tuple[Label, ...]
    rules: tuple[Rule, ...]
    line: str
    dots: tuple[Dot, ...]
    latest: str
    thresholds: tuple[str, ...]
    said: str


class Sign(NamedTuple):
    """Something of one day in a row; an earlier one than the axis shows stands at its edge."""

    x: float
    sign: str


class Band(NamedTuple):
    """Something that lasted."""

    x: float
    width: float
    goes_on: bool
    end_unknown: bool


class Strip(NamedTuple):
    """One row: its drawing and what is said beside it."""

    row: Row
    signs: tuple[Sign, ...]
    bands: tuple[Band, ...]
    name: str
    told: tuple[str, ...]
    said: str
    begins: bool  # the first of its lane


class Drawing(NamedTuple):
    """Everything that is drawn."""

    ticks: tuple[Tick, ...]
    panels: tuple[Panel, ...]
    strips: tuple[Strip, ...]

    @property
    def signs(self) -> frozenset[str]:
        """The signs that are in use."""
        going_on = {"on" for strip in self.strips for band in strip.bands if band.goes_on}
        return frozenset({dot.sign for p in self.panels for dot in p.dots} | {one.sign for s in self.strips for one in s.signs} | going_on)


def drawing_of(timeline: Timeline) -> Drawing:
    """A timeline as it stands on a page."""
    return Drawing(
        tuple(_ticks(timeline)),
        tuple(_panel(timeline, series) for series in timeline.series),
        tuple(
            _strip(timeline, row, begins=row.lane != before)
            for row, before in zip(timeline.rows, ("", *(r.lane for r in timeline.rows)), strict=False)
        ),
    )


def _x(timeline: Timeline, day: Day) -> float:
    share = (day - timeline.first).days / max((timeline.today - timeline.first).days, 1)
    return round(_LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0), 2)


def _ticks(timeline: Timeline) -> Iterator[Tick]:
    """Years, or quarters where there are few of them."""
    years = timeline.today.year - timeline.first.year
    if years > 2:
        step = next(s for s in (1, 2, 5, 10, 20, 50) if years / s <= _MOST_YEARS)
        days = [dt.date(year, 1, 1) for year in range(timeline.first.year, timeline.today.year + 1) if year % step == 0]
        yield from (Tick(_x(timeline, day), str(day.year)) for day in days if day >= timeline.first)
        return
    step = 6 if years > 1 else 3
    months = [dt.date(year, month, 1) for year in range(timeline.first.year, timeline.today.year + 1) for month in range(1, 13, step)]
    yield from (Tick(_x(timeline, day), day.isoformat()[:7]) for day in months if timeline.first <= day <= timeline.today)


# --- panels ---


def _panel(timeline: Timeline, series: Series) -> Panel:
    height = _FOLDED if series.folded else _HEIGHT
    points = series.points
    main = series.thresholds[:1]
    numbers = [p.number for p in points] + [t.number for t in main] or [0.0]
    low, high = min(numbers), max(numbers)
    spread = (high - low) or abs(high) * 0.1 or 1.0

    def y(number: float) -> float:
        return round(_ROOM + (height - 2 * _ROOM) * (high - number) / spread, 1)

    drawn = tuple(t for t in series.thresholds if low - 0.1 * spread <= t.number <= high + 0.1 * spread)
    return Panel(
        series,
        height,
        tuple(_labels(series, points, drawn, y)),
        tuple(_rule(t, y(t.number), height, first=t in main) for t in drawn),
        " ".join(f"{_x(timeline, p.day) * _WIDE / 100:.0f},{y(p.number):g}" for p in points if p.counts),
        tuple(Dot(_x(timeline, p.day), y(p.number), _sign(series, p)) for p in points),
        _latest(series),
        tuple(_limit(series, threshold) for threshold in series.thresholds),
        _said(series),
    )


def _limit(series: Series, threshold: Threshold) -> str:
    """A threshold in words, with its finding unless that is named after the threshold itself."""
    who = f" in {threshold.who}" if threshold.who else ""
    of = "" if threshold.of.lower().startswith(series.label.lower()) else f": {threshold.of}"
    return f"{threshold.words} {shown.amount(threshold.number, series.unit)}{who}{of}"


def _sign(series: Series, point: Point) -> str:
    if not point.counts:
        return "out"
    if not point.beyond:
        return "open" if point.undecided else "in"
    return "up" if series.thresholds[0].upward else "down"


def _rule(threshold: Threshold, y: float, height: int, *, first: bool) -> Rule:
    return Rule(y, 0.0 if threshold.upward else y, y if threshold.upward else round(height - y, 1), first)


def _labels(series: Series, points: tuple[Point, ...], drawn: tuple[Threshold, ...], place: Callable[[float], float]) -> Iterator[Label]:
    """Thresholds with their unit, then the lowest and the highest result where there is room."""
    taken: list[float] = []
    wanted = [(place(t.number), shown.amount(t.number, series.unit), True) for t in drawn]
    ends = (max(points, key=lambda p: p.number), min(points, key=lambda p: p.number)) if points else ()
    wanted += [(place(p.number), series.number(p), False) for p in ends]
    for at, text, threshold in wanted:
        if all(abs(at - other) >= _LINE for other in taken):
            taken.append(at)
            yield Label(at, text, threshold)


def _latest(series: Series) -> str:
    found = series.counted
    return f"{_newest(series)}, {found[-1].day}{found[-1].dated}" if found else ""


def _newest(series: Series) -> str:
    """The newest result that counts; of one moment, as charts have them that give days without a time, all of them."""
    told = list(dict.fromkeys(series.amount(p) for p in series.newest or series.counted[-1:]))
    more = [f"{len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return " or ".join([*told[:_MOST_TOLD], *more])


def _said(series: Series) -> str:
    """A panel for whoever does not see it."""
    found = series.counted
    if not found:
        return f"{series.label}: {len(series.points)} results, none of which counts."
    first, last = found[0], found[-1]
    span = f" from {series.amount(first)} on {first.day}{first.dated} to {_newest(series)} on {last.day}{last.dated}"
    only = f" of {_newest(series)} on {last.day}{last.dated}"
    many = f"{series.whole} results" if series.whole > 1 else "1 result"
    beyond = ""
    if series.thresholds:
        limit = series.thresholds[0]
        beyond = f"; {sum(p.beyond for p in found)} of those drawn {limit.words} {shown.amount(limit.number, series.unit)}"
    return f"{series.label}: {many}{span if len(found) > 1 else only}{beyond}."


# --- rows ---


def _strip(timeline: Timeline, row: Row, *, begins: bool) -> Strip:
    sign = {"condition": "strong" if row.strong else "event", "procedure": "done", "report": "report", "gene": "gene", "drug": "event"}[row.kind]
    signs = tuple(Sign(_x(timeline, m.day), sign if m.day >= timeline.first else "earlier") for m in row.marks if m.day)
    bands = tuple(_band(timeline, first=s.first, last=s.last, goes_on=s.goes_on, end_unknown=s.end_unknown) for s in row.spans)
    told = _told(row)
    name = f"{row.lane}: {row.label.lower()}" if row.kind == "drug" else row.label
    return Strip(row, signs, bands, name, told, f"{name}: {'; '.join(told)}.", begins)


def _band(timeline: Timeline, *, first: Day, last: Day, goes_on: bool, end_unknown: bool) -> Band:
    left, right = _x(timeline, first), _x(timeline, last)
    return Band(left, round(max(right - left, _NARROWEST), 2), goes_on, end_unknown)


def _told(row: Row) -> tuple[str, ...]:
    """The days of a row in words; of many the first and the last."""
    spans = [f"{s.first} {'to today' if s.goes_on else 'on, end not known' if s.end_unknown else f'to {s.last}'}" for s in row.spans]
    marks = [f"{m.what.removeprefix(f'{row.label} ')} {m.when}" if row.kind == "gene" else m.when for m in row.marks]
    every = tuple(dict.fromkeys([*spans, *marks]))
    return every if len(every) <= _MOST_TOLD else (every[0], f"{len(every) - 2 + row.left_out} more", every[-1])
