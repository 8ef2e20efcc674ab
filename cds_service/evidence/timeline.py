"""What of a chart has its place on an axis of time: results with their thresholds, and rows of events, drugs and gene results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from cds_service.evidence import shown
from cds_service.knowledge.drawing import drawn_conditions, drawn_limits
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import DrawnTest, Lane
from cds_service.knowledge.wording import title_of
from cds_service.reasoning.chart import Chart, Given
from cds_service.reasoning.findings import GeneticStatus
from cds_service.reasoning.limits import against
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day, first_day, period
from cds_service.record.facts import Fact

_WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
_NEXT_DAY = dt.timedelta(days=1)


class Threshold(NamedTuple):
    """A limit that a finding sets: on which side results lie beyond it, and for whom it holds."""

    side: str  # above | below | at_least | at_most
    number: float
    of: str
    who: str = ""

    @property
    def upward(self) -> bool:
        """Whether high results lie beyond."""
        return self.side in ("above", "at_least")

    @property
    def words(self) -> str:
        """Its side in words."""
        return self.side.replace("_", " ")


class Point(NamedTuple):
    """A result: its number in the unit of its series."""

    day: Day
    number: float
    comparator: str = ""
    beyond: bool = False
    undecided: bool = False  # whether it lies beyond is left open by its comparator
    counts: bool = True
    remarks: tuple[str, ...] = ()

    @property
    def dated(self) -> str:
        """What is to be said of its day, which stands for a month or a year where no more is known."""
        return " (incomplete date)" if "date incomplete" in self.remarks else ""


class Series(NamedTuple):
    """The results of one test, oldest first, in one unit."""

    label: str
    unit: str
    points: tuple[Point, ...]
    thresholds: tuple[Threshold, ...]
    folded: bool
    whole: int  # how many results there are; more than points where they were too many to draw
    newest: tuple[Point, ...] = ()  # where several results of one moment are the newest

    @property
    def all_drawn(self) -> bool:
        """Whether every result has its point."""
        return len(self.points) == self.whole

    def amount(self, point: Point) -> str:
        """A result as its laboratory gave it, in the unit of the series."""
        return f"{point.comparator}{shown.amount(point.number, self.unit, self._limits)}"

    def number(self, point: Point) -> str:
        """The same without the unit."""
        return f"{point.comparator}{shown.number(point.number, self._limits)}"

    @property
    def _limits(self) -> tuple[float, ...]:
        return tuple(t.number for t in self.thresholds)

    @property
    def counted(self) -> tuple[Point, ...]:
        """Those that count."""
        return tuple(p for p in self.points if p.counts)


class Mark(NamedTuple):
    """Something of one day, or without one."""

    day: Day | None
    when: str
    what: str


class Span(NamedTuple):
    """Something that lasted; `goes_on` until today, or `end_unknown`: over, but nobody says since when."""

    first: Day
    last: Day
    what: str
    goes_on: bool = False
    end_unknown: bool = False
    orders: int = 1


class Row(NamedTuple):
    """One row below the panels."""

    lane: str
    kind: str  # condition | drug | procedure | report | gene
    label: str
    strong: bool = False
    marks: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()
    left_out: int = 0  # marks and spans that were too many to draw


class Timeline(NamedTuple):
    """Everything that has its place between two days, and what could not be given one."""

    first: Day
    today: Day
    series: tuple[Series, ...]
    rows: tuple[Row, ...]
    lacking: tuple[str, ...]  # tests without a result
    set_aside: tuple[str, ...]  # why results that are drawn do not count
    undrawn: tuple[str, ...]  # results that could not be drawn, and what would mend it


def timeline_of(knowledge: Knowledge, chart: Chart, genetics: GeneticStatus) -> Timeline | None:
    """The timeline that the module wants of a chart; None where it wants none."""
    wanted = knowledge.timeline
    if wanted is None:
        return None
    before = set(chart.issues)
    every = [_series(knowledge, chart, drawn) for drawn in wanted.tests]
    rows = tuple(chain.from_iterable(_rows(knowledge, chart, genetics, lane) for lane in wanted.lanes))
    said = [issue for issue in chart.issues if issue not in before]
    days = [p.day for s in every for p in s.points] + [d for row in rows for d in _days(row)]
    oldest = min([day for day in days if day <= chart.today], default=chart.today)
    first = min(max(oldest, period(wanted.longest).before(chart.today)), period("P12M").before(chart.today))
    old = sum(p.day < first for s in every for p in s.points)
    older = (f"{old} {'result' if old == 1 else 'results'} from before {first} ({period(wanted.longest)} ago).",) if old else ()
    return Timeline(
        first=first,
        today=chart.today,
        series=tuple(_from(s, first) for s in every if any(p.day >= first for p in s.points)),
        rows=rows,
        lacking=tuple(s.label for s in every if not any(p.day >= first for p in s.points)),
        set_aside=tuple(i.what for i in said if i.level != "warning"),
        undrawn=(*(f"{i.what}. {i.remedy}".strip() for i in said if i.level == "warning"), *_undrawn(knowledge, chart), *older),
    )


def _undrawn(knowledge: Knowledge, chart: Chart) -> Iterator[str]:
    """Results of each test that have no date, or are not final yet."""
    for drawn in knowledge.timeline.tests if knowledge.timeline else ():
        label = knowledge.measurements[drawn.test].label
        if count := sum(lab.when is None and not lab.flaw for lab in chart.results(drawn.test)):
            yield f"{label}: {count} {'result has' if count == 1 else 'results have'} no date. Send the date."
        if unfinished := chart.unfinished(drawn.test):
            newest = shown.day(max((lab.when for lab in unfinished if lab.when), default=None))
            which = f"1 result ({newest}) is" if len(unfinished) == 1 else f"{len(unfinished)} results (the newest {newest}) are"
            yield f"{label}: {which} not final and not used. Send what is final."


def _days(row: Row) -> Iterator[Day]:
    yield from (mark.day for mark in row.marks if mark.day)
    yield from (span.first for span in row.spans)


# --- results ---


def _from(series: Series, first: Day) -> Series:
    points = tuple(p for p in series.points if p.day >= first)
    return series._replace(points=points, whole=len(points))


def _series(knowledge: Knowledge, chart: Chart, drawn: DrawnTest) -> Series:
    measurement = knowledge.measurements[drawn.test]
    unit = knowledge.quantities[measurement.quantity].unit
    limits = tuple(_thresholds(knowledge, chart, drawn))
    newest_last = tuple(_usable(chart, drawn.test, limits))[::-1]
    latest = chart.latest(drawn.test)
    newest = newest_last[-len(latest.rivals) - 1 :] if latest and latest.day and latest.rivals else ()
    points = sorted((*newest_last, *_set_aside(knowledge, chart, drawn.test)), key=lambda p: p.day)
    return Series(measurement.label, shown.readable(unit), tuple(points), limits, drawn.folded, len(points), newest)


def _thresholds(knowledge: Knowledge, chart: Chart, drawn: DrawnTest) -> Iterator[Threshold]:
    """Each limit once; where it differs by sex and that is not known, both."""
    seen = set()
    for name in drawn.thresholds:
        flag = knowledge.flags[name]
        for side, limit in drawn_limits(flag.when, drawn.test):
            factor = knowledge.units.factor(knowledge.measurements[drawn.test].quantity, limit.unit) or 1.0
            values = limit.values(chart.sex)
            for number, who in zip(values, ("men", "women") if len(values) > 1 else ("",), strict=True):
                if (side, number) not in seen:
                    seen.add((side, number))
                    yield Threshold(side, number * factor, flag.label, who)


def _usable(chart: Chart, test: str, limits: tuple[Threshold, ...]) -> Iterator[Point]:
    """The dated results that count; beyond are those that cross the first threshold, for either sex if that is not known."""
    judges = [against(t.side, t.number) for t in limits if (t.of, t.side) == (limits[0].of, limits[0].side)]
    for value in chart.since(test):
        if value.day is not None:
            truths = {judge(value) for judge in judges}
            undecided = bool(value.comparator) and Truth.UNKNOWN in truths
            yield Point(value.day, value.number, value.comparator, truths == {Truth.PRESENT}, undecided, True, value.remarks)


def _set_aside(knowledge: Knowledge, chart: Chart, test: str) -> Iterator[Point]:
    """Results that can be read, and do not count: after a transfusion, under a drug."""
    measurement = knowledge.measurements[test]
    limits = knowledge.quantities[measurement.quantity].plausible
    used = {id(value.fact) for value in chart.since(test)}
    for lab in chart.results(test):
        factor = knowledge.units.factor(measurement.quantity, lab.unit)
        if id(lab) in used or lab.flaw or lab.on is None or lab.on > chart.today or factor is None:
            continue
        if limits.low <= lab.value * factor <= limits.high:
            yield Point(lab.on, lab.value * factor, lab.comparator, counts=False)


# --- rows ---


def _rows(knowledge: Knowledge, chart: Chart, genetics: GeneticStatus, lane: Lane) -> Iterator[Row]:
    for name in lane.findings:
        flag = knowledge.flags[name]
        facts = _once(chart, (f for s in drawn_conditions(flag.when) for f in chart.conditions(s)))
        if facts:
            strong = bool(flag.organ and flag.organ.strength == "strong")
            yield Row(lane.label, "condition", flag.label, strong, tuple(_mark(f, flag.label) for f in facts))
    for kind, names, facts_of in (
        ("condition", lane.conditions, chart.conditions),
        ("procedure", lane.procedures, chart.procedures),
        ("report", lane.reports, chart.reports),
    ):
        for name in names:
            title = title_of(name, knowledge).partition(" (")[0]  # without what it adds in brackets
            found: Iterable[Fact] = facts_of(name)
            if facts := _once(chart, (f for f in found if f.status not in _WITHDRAWN)):
                yield Row(lane.label, kind, title, marks=tuple(_mark(f, title) for f in facts))
    if lane.drugs:
        yield from _drugs(chart, lane)
    if lane.gene and (marks := tuple(_gene(knowledge, genetics))):
        yield Row(lane.label, "gene", knowledge.genetics.gene, strong=True, marks=marks)


def _once(chart: Chart, facts: Iterable[Fact]) -> list[Fact]:
    """Facts of several value sets until today, each once, oldest first, those without a date last."""
    found = {f.ref or id(f): f for f in facts if f.when is None or first_day(f.when) <= chart.today}
    return sorted(found.values(), key=lambda f: (f.when is None, f.order))


def _mark(fact: Fact, label: str) -> Mark:
    code = f" ({fact.codes[0]})" if fact.codes else ""
    return Mark(fact.on, shown.day(fact.when), f"{label}{code}")


def _gene(knowledge: Knowledge, genetics: GeneticStatus) -> Iterator[Mark]:
    for one in (*genetics.evidence, *([genetics.ordered] if genetics.ordered else ())):
        when = one.on.isoformat()[: {"year": 4, "month": 7}.get(one.precision, 10)] if one.on else "no date"
        yield Mark(one.on, when, shown.readable(" ".join(filter(None, (one.what, one.value)))) or knowledge.genetics.gene)


def _drugs(chart: Chart, lane: Lane) -> Iterator[Row]:
    """A row for each ingredient; orders that follow one another without a gap are one span."""
    given: dict[str, dict[object, Given]] = {}
    for name in lane.drugs:
        for one in chart.drugs(name):
            given.setdefault(one.ingredient.rstrip("*"), {}).setdefault(one.fact.ref or id(one.fact), one)
    for ingredient, orders in sorted(given.items()):
        undated = tuple(Mark(None, "no date", ingredient) for one in orders.values() if one.start is None)
        spans = tuple(_spans(chart, ingredient, orders.values()))
        if undated or spans:
            yield Row(lane.label, "drug", ingredient[:1].upper() + ingredient[1:], marks=undated, spans=spans)


def _spans(chart: Chart, ingredient: str, orders: Iterable[Given]) -> Iterator[Span]:
    current: Span | None = None
    for start, end, one in sorted(((o.start, o.end, o) for o in orders if o.start and o.end), key=lambda each: each[:2]):
        if start > chart.today:
            continue
        span = Span(start, end, ingredient, goes_on=end >= chart.today and not one.open_ended, end_unknown=one.open_ended)
        if current is not None and start <= current.last + _NEXT_DAY:
            latest = max(current, span, key=lambda s: s.last)
            unknown = not latest.goes_on and (current.end_unknown or span.end_unknown)
            current = latest._replace(first=current.first, orders=current.orders + 1, end_unknown=unknown)
        else:
            yield from [current] if current else []
            current = span
    yield from [current] if current else []
