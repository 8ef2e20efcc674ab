"""Usable results of one laboratory test, newest first, each judged when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import gt
from typing import TYPE_CHECKING

import msgspec

from cds_service.knowledge.model import Measurement, Unusable
from cds_service.knowledge.terms import phrase_pattern, plain
from cds_service.reasoning.findings import Evidence
from cds_service.record.dates import Day
from cds_service.record.facts import LabResult

if TYPE_CHECKING:
    from cds_service.reasoning.chart import Chart

USABLE_RESULT = frozenset({"final", "amended", "corrected", "unknown", None})
_FLAGGED_STATUS = frozenset({"unknown", None})


class Value(msgspec.Struct, eq=False, gc=False):
    """A usable result in its canonical unit."""

    number: float
    comparator: str
    day: Day | None
    precise: bool
    fact: LabResult
    remarks: tuple[str, ...]
    label: str
    rivals: tuple[Value, ...] = ()  # other results of the same moment, none of which is the latest
    _evidence: Evidence | None = None

    @property
    def evidence(self) -> Evidence:
        """The result as evidence: label, value and unit as written, day."""
        if self._evidence is None:
            fact = self.fact
            shown = f"{fact.comparator}{fact.value:.10g} {fact.unit}".strip()
            code = fact.codes[0] if fact.codes else None
            self._evidence = Evidence(what=self.label, ref=fact.ref, code=code, value=shown, on=self.day, remarks=self.remarks)
        return self._evidence


class Results:
    """The results of one test in one chart, which is handed in with each question so that neither holds the other.

    A result that cannot be used becomes an issue of the chart when it is reached: one that is older than those that answer
    a question never is, unless its date is what cannot be read.
    """

    def __init__(self, chart: Chart, measurement: Measurement, labs: Sequence[LabResult]) -> None:
        self._measurement = measurement
        self._limits = chart.knowledge.quantities[measurement.quantity].plausible
        self._labs = _newest_first(labs)  # those without a date come last
        self._values: dict[int, Value | None] = {}
        self._merged: list[Value] | None = None
        self._newest: Value | None = None
        self._asked = False
        self._dated: bool | None = None
        if self._labs and self._labs[-1].when is None:
            self._refuse_undatable(chart)

    def since(self, chart: Chart, start: Day) -> Iterator[Value]:
        """The usable results of a day or later, newest first; undated ones only where no dated one is usable at any time."""
        derived = self._measurement.derived
        if derived and chart.results(derived.percent):
            yield from (v for v in self._with_computed(chart) if v.day is None or v.day >= start)
            return
        for index, lab in enumerate(self._labs):
            if lab.when is None:
                if self._has_dated(chart):
                    return
            elif lab.when.day < start:
                continue
            value = self._value(chart, index)
            if value is not None:
                yield value

    def _has_dated(self, chart: Chart) -> bool:
        """Whether any dated result can be used; it is asked for each undated one, of which there may be many."""
        if self._dated is None:
            self._dated = any(self._value(chart, index) for index, lab in enumerate(self._labs) if lab.when)
        return self._dated

    def _refuse_undatable(self, chart: Chart) -> None:
        """Say of results whose date cannot be read that they were not used: one of them might be the newest."""
        for index, lab in enumerate(self._labs):
            if lab.when is None and lab.flaw:
                self._value(chart, index)

    def _with_computed(self, chart: Chart) -> list[Value]:
        """Measured counts and those computed from a percentage, newest first; of one moment the measured one."""
        if self._merged is None:
            measured = [value for index in range(len(self._labs)) if (value := self._value(chart, index)) is not None]
            moments = {value.fact.when for value in measured}
            every = [*measured, *(value for value in self._from_share(chart) if value.fact.when not in moments)]
            dated = [value for value in every if value.day is not None]
            self._merged = sorted(dated or every, key=lambda value: _newness(value.fact), reverse=True)
        return self._merged

    def latest(self, chart: Chart, start: Day) -> Value | None:
        """The newest usable result of a day or later; an undated one only where no dated one is usable at any time."""
        if not self._asked:
            self._newest, self._asked = self._latest_of_all(chart), True
        newest = self._newest
        if newest is None or newest.day is None or newest.day >= start:
            return newest
        return next(self.since(chart, start), None)

    def _latest_of_all(self, chart: Chart) -> Value | None:
        """The newest usable result with those of the same moment, as charts have them that give days without a time."""
        newest = next(self.since(chart, Day.min), None)
        when = newest.fact.when if newest else None
        if newest is not None and when is not None and sum(lab.when == when for lab in self._labs) > 1:
            newest.rivals = tuple(v for v in self.since(chart, when.day) if v is not newest and v.fact.when == when)
        return newest

    def _value(self, chart: Chart, index: int) -> Value | None:
        if index not in self._values:
            self._values[index] = self._judged(chart, self._labs[index])
        return self._values[index]

    def _judged(self, chart: Chart, lab: LabResult) -> Value | None:
        """A result in its canonical unit; None, with an issue that says why, if it cannot be used."""
        if lab.status not in USABLE_RESULT:
            return None
        if lab.flaw:
            self._refused(chart, lab, lab.flaw, "Correct the result at its source.")
            return None
        when, measurement = lab.when, self._measurement
        day = when.day if when else None
        if day is not None and day > chart.today:
            self._refused(chart, lab, "is dated in the future", "Correct the date of the result.")
            return None
        if not lab.unit:
            self._refused(chart, lab, "has no unit", "Send the unit, in UCUM if possible.")
            return None
        factor = chart.knowledge.units.factor(measurement.quantity, lab.unit)
        if factor is None:
            self._refused(chart, lab, "has a unit that is not known", "Map the unit to UCUM, or add it to units.yaml.")
            return None
        number = lab.value * factor
        if not self._limits.low <= number <= self._limits.high:
            self._refused(chart, lab, "has an implausible value", "Check value and unit at the source.")
            return None
        for reason in measurement.unusable:
            if self._applies(chart, reason, lab, day):
                chart.note(f"{measurement.label} of {day} does not count: {reason.because}", "", level="information")
                return None
        precise = when is not None and when.precision == "day"
        remarks = () if precise and lab.status not in _FLAGGED_STATUS else _remarks(lab)
        return Value(number, lab.comparator, day, precise, lab, remarks, measurement.label)

    def _refused(self, chart: Chart, lab: LabResult, why: str, remedy: str) -> None:
        when = f" of {lab.on}" if lab.on else ""
        chart.note(f"{self._measurement.label}{when} {why} and was not used", remedy)

    def _applies(self, chart: Chart, reason: Unusable, lab: LabResult, day: Day | None) -> bool:
        if reason.remark and lab.remark:
            pattern = phrase_pattern(reason.remark)
            return bool(pattern and pattern.search(plain(lab.remark)))
        if day is None:
            return False
        if reason.within is None:
            return bool(reason.during_medication) and chart.covered_on(reason.during_medication or "", day)
        if reason.after_procedure:
            return chart.after_procedure(day, reason.after_procedure, reason.within)
        return bool(reason.near_condition) and chart.near_condition(day, reason.near_condition or "", reason.within)

    def _from_share(self, chart: Chart) -> Iterator[Value]:
        """Absolute counts from a percentage and a total of the same moment."""
        measurement, derived = self._measurement, self._measurement.derived
        if derived is None:
            return
        totals = {v.fact.when: v for v in chart.since(derived.of) if v.fact.when and not v.comparator}
        unit = chart.knowledge.quantities[measurement.quantity].unit
        for share in chart.since(derived.percent):
            total = totals.get(share.fact.when) if share.fact.when else None
            if total is not None and not share.comparator:
                number = total.number * share.number / 100
                fact = LabResult(ref=share.fact.ref, codes=share.fact.codes, when=share.fact.when, value=round(number, 2), unit=unit)
                yield Value(number, "", share.day, share.precise, fact, (*share.remarks, "computed from a percentage"), measurement.label)


def _newest_first(labs: Sequence[LabResult]) -> Sequence[LabResult]:
    """Results by time, as most searches send them already."""
    times = [lab.when.order if lab.when else "" for lab in labs]
    return labs if all(map(gt, times, times[1:])) else sorted(labs, key=_newness, reverse=True)


def _newness(lab: LabResult) -> tuple[str, str, float, str]:
    """Sorts results by time, and those of one moment so that the order of arrival plays no part."""
    return (lab.when.order if lab.when else "", lab.ref or "", lab.value, lab.unit)


def _remarks(lab: LabResult) -> tuple[str, ...]:
    """What qualifies a result that is used all the same."""
    found = ["status unknown"] if lab.status in _FLAGGED_STATUS else []
    if lab.when is None:
        found.append("undated")
    elif lab.when.precision != "day":
        found.append("date incomplete")
    return tuple(found)
