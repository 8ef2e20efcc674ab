"""A record arranged by value set: usable measurements newest first, countable conditions, drugs with their spans."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.terms import plain
from cds_service.reasoning.documents import note_unread, with_pointers
from cds_service.reasoning.results import USABLE_RESULT, Results, Value
from cds_service.record.codes import Code
from cds_service.record.dates import Day, first_day, last_day, period, start_of
from cds_service.record.facts import Allergy, Condition, Fact, Immunization, Issue, LabResult, Medication, PatientRecord, Procedure, Report

_UNFINISHED_RESULT = frozenset({"registered", "preliminary"})
_DOUBTFUL = frozenset({"provisional", "differential", "unconfirmed", "confirmed", None})
COUNTED_VERIFICATION = frozenset({"confirmed", None})
_NOT_CURRENT_PROBLEM = frozenset({"resolved", "inactive"})
_DONE_PROCEDURE = frozenset({"completed", "in-progress", "unknown", None})
_DRUG_HISTORY = frozenset({"active", "completed", "stopped", "on-hold"})
_NOT_GIVEN_INTENT = frozenset({"proposal", "plan"})
_WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
_NO_ALLERGY = frozenset({"refuted", "entered-in-error"})
_GIVEN_VACCINE = frozenset({"completed", None})
_MOST_CODES = 50  # of one allergy; the reader keeps one more, so that it is seen that there are
_NONE: frozenset[str] = frozenset()


class Given(NamedTuple):
    """A drug by ingredient, with the days it is known to have covered."""

    ingredient: str
    fact: Medication
    start: Day | None
    end: Day | None
    open_ended: bool  # over, but nobody says since when


class Chart:
    """One patient's record, indexed once; every question after that is a look-up."""

    def __init__(self, knowledge: Knowledge, record: PatientRecord, today: Day) -> None:
        self.knowledge = knowledge
        self.record = record = with_pointers(record, knowledge.guards)
        self.today = today
        self.sex = record.sex if record.sex in ("male", "female") else None
        self.issues: dict[Issue, None] = dict.fromkeys(record.issues)
        self.answers: dict[Any, Any] = {}  # of questions that several flags ask
        self.uncounted: list[tuple[Condition, frozenset[str]]] = []
        self._days: dict[str, list[Day]] = {}
        self._spans: dict[str, list[tuple[Day, Day]]] = {}
        self._last: dict[str, Day | None] = {}
        self._starts: dict[str, Day] = {}
        self._labs: dict[str, list[LabResult]] = {}
        self._values: dict[str, Results | None] = {}
        self._conditions: dict[str, list[Condition]] = {}
        self._procedures: dict[str, list[Procedure]] = {}
        self._drugs: dict[str, list[Given]] = {}
        self._reports: dict[str, list[Report]] = {}
        self._allergies: dict[str, dict[Any, Allergy]] = {}
        self._immunizations: dict[str, list[Immunization]] = {}
        self._place_labs()
        for condition in record.conditions:
            self._place_condition(condition)
        for procedure in record.procedures:
            if procedure.status in _DONE_PROCEDURE and not self._guarded(procedure.text):
                for value_set in self.sets_of_fact(procedure):
                    self._procedures.setdefault(value_set, []).append(procedure)
        for medication in record.medications:
            self._place_medication(medication)
        for report in record.reports:
            for value_set in self.sets_of_report(report):
                self._reports.setdefault(value_set, []).append(report)
        for allergy in record.allergies:
            self._place_allergy(allergy)
        for immunization in record.immunizations:
            self._place_immunization(immunization)
        note_unread(self)

    def touched(self) -> set[str]:
        """The value sets of which this chart holds anything."""
        return {*self._labs, *self._conditions, *self._procedures, *self._drugs, *self._reports, *self._allergies, *self._immunizations}

    # --- placing facts ---

    def _place_labs(self) -> None:
        """Results by value set; those of one test share their codes, which are looked up once."""
        tests: dict[tuple[Code, ...], list[LabResult]] = {}
        for lab in self.record.labs:
            found = tests.get(lab.codes)
            if found is None:
                tests[lab.codes] = [lab]
            else:
                found.append(lab)
        for codes, labs in tests.items():
            for value_set in self.knowledge.sets_of_all(codes):
                self._labs.setdefault(value_set, []).extend(labs)

    def sets_of_fact(self, fact: Fact) -> frozenset[str]:
        """The value sets a fact belongs to by its codes or by its text."""
        told = self.knowledge.reading(fact.text).value_sets if fact.text else _NONE
        return told | self.knowledge.sets_of_all(fact.codes)

    def sets_of_report(self, report: Report) -> frozenset[str]:
        """The value sets a report belongs to; words alone make a document only a report that documents are known to hold."""
        if not report.attached:
            return self.sets_of_fact(report)
        told = self.knowledge.document_texts.reports_in(report.text) if report.text else _NONE
        return told | self.knowledge.sets_of_all(report.codes)

    def _guarded(self, text: str) -> bool:
        return bool(text) and self.knowledge.reading(text).excluded

    def counts(self, condition: Condition) -> bool:
        """Whether a condition counts: confirmed or unstated, and its words do not doubt or exclude it."""
        if condition.verification not in COUNTED_VERIFICATION:
            return False
        if any(one.value[:3] in self.knowledge.guards.never_codes for one in condition.codes):
            return False
        if not condition.text:
            return True
        told = self.knowledge.reading(condition.text)
        return not (told.excluded or told.doubtful)

    def doubted(self, text: str) -> bool:
        """Whether words put a statement in doubt or exclude it."""
        words = plain(text)
        return any(guard is not None and guard.search(words) for guard in (self.knowledge.never, self.knowledge.maybe))

    def _place_condition(self, condition: Condition) -> None:
        sets = self._sets_of_condition(condition)
        if self.counts(condition):
            if sets and condition.when and first_day(condition.when) > self.today:
                self.note("A problem is dated in the future and was not used", "Correct the date of the problem.")
            for value_set in sets:
                self._conditions.setdefault(value_set, []).append(condition)
        elif sets and condition.verification in _DOUBTFUL and not self._guarded(condition.text):
            self.uncounted.append((condition, sets))

    def _sets_of_condition(self, condition: Condition) -> frozenset[str]:
        """The value sets of one problem: code and text are both read, and the stronger reading counts.

        Where the code is an organ already, the text adds only a strong one: one problem is one organ.
        """
        knowledge = self.knowledge
        coded = knowledge.sets_of_all(condition.codes)
        told = knowledge.reading(condition.text).problems if condition.text else _NONE
        if told and not coded.isdisjoint(knowledge.organ_sets):
            told = frozenset(s for s in told if knowledge.organ_sets.get(s) != "moderate")
        return coded | told

    def _place_allergy(self, allergy: Allergy) -> None:
        """An allergy in doubt is a caution as well; one that is refuted or over is none. Words that deny it take no code away."""
        if allergy.verification in _NO_ALLERGY or allergy.status in _NOT_CURRENT_PROBLEM:
            return
        told = self.knowledge.allergy_texts.read(allergy.text)
        if told.cut or len(allergy.codes) > _MOST_CODES:
            self.note("An allergy entry is too long and was read only in part", "Look at the allergy list itself.")
        for value_set in told.value_sets | self.knowledge.sets_of_all(allergy.codes[:_MOST_CODES]):
            self._allergies.setdefault(value_set, {}).setdefault(allergy.ref or allergy, allergy)

    def _place_immunization(self, immunization: Immunization) -> None:
        """A vaccine that was given."""
        if immunization.status not in _GIVEN_VACCINE or (immunization.when and first_day(immunization.when) > self.today):
            return
        for value_set in self.sets_of_fact(immunization):
            self._immunizations.setdefault(value_set, []).append(immunization)

    def _place_medication(self, medication: Medication) -> None:
        if medication.not_given or medication.intent in _NOT_GIVEN_INTENT or medication.status not in _DRUG_HISTORY:
            return
        told = self.knowledge.reading(medication.text)
        local = bool(medication.route) or told.not_systemic
        start, end = self._span(medication)
        matched: dict[str, str] = {}
        for one in medication.codes:
            for value_set in self.knowledge.sets_of(one):
                matched[value_set] = self.knowledge.ingredient(one)
        for match in told.matches:
            matched.setdefault(match.value_set, match.phrase)
        for value_set, ingredient in matched.items():
            if local and value_set in self.knowledge.guards.systemic_only:
                continue
            self._drugs.setdefault(value_set, []).append(
                Given(ingredient, medication, start, end, medication.until is None and medication.status != "active")
            )

    def _span(self, medication: Medication) -> tuple[Day | None, Day | None]:
        """The days that an order covers; an active one without an end runs to today."""
        start, end = medication.on, medication.until
        if start is None:
            return None, None
        if end is None:
            end = self.today if medication.status == "active" else start
        return start, max(start, min(end, self.today))

    # --- asking ---

    def since(self, value_set: str, start: Day = Day.min) -> Iterator[Value]:
        """Usable results of a test, newest first; undated ones only where no dated one is usable."""
        found = self._results_of(value_set)
        return found.since(self, start) if found else iter(())

    def latest(self, value_set: str, start: Day = Day.min) -> Value | None:
        """The newest usable result of a test; an undated one only where no dated one is usable."""
        found = self._results_of(value_set)
        return found.latest(self, start) if found else None

    def _results_of(self, value_set: str) -> Results | None:
        if value_set not in self._values:
            measurement = self.knowledge.measurements.get(value_set)
            labs = self._labs.get(value_set, ())
            self._values[value_set] = Results(self, measurement, labs) if measurement and (labs or measurement.derived) else None
        return self._values[value_set]

    def results(self, value_set: str) -> list[LabResult]:
        """Every result of a test that is not withdrawn, usable or not."""
        return [r for r in self._labs.get(value_set, ()) if r.status in USABLE_RESULT]

    def unfinished(self, value_set: str) -> list[LabResult]:
        """Results of a test that may still change, so that nothing is made of them."""
        return [r for r in self._labs.get(value_set, ()) if r.status in _UNFINISHED_RESULT]

    def conditions(self, value_set: str) -> list[Condition]:
        """Countable conditions of a value set."""
        return self._conditions.get(value_set, [])

    def procedures(self, value_set: str) -> list[Procedure]:
        """Procedures of a value set that were done."""
        return self._procedures.get(value_set, [])

    def drugs(self, value_set: str) -> list[Given]:
        """Drugs of a value set that were given, now or before."""
        return self._drugs.get(value_set, [])

    def reports(self, value_set: str) -> list[Report]:
        """Reports of a value set, final or not."""
        return self._reports.get(value_set, [])

    def allergies(self, value_set: str) -> list[Allergy]:
        """Allergies to what a value set holds that count, certain or not, one of each resource; they say nothing of what was given."""
        return [*self._allergies.get(value_set, {}).values()]

    def immunizations(self, value_set: str) -> list[Immunization]:
        """Vaccines of a value set that were given, oldest first: the fewest doses that the entries can mean."""
        return _doses(self._immunizations.get(value_set, ()))

    def last_done(self, value_set: str) -> Day | None:
        """The day of the newest result or report of a test, whatever it says."""
        if value_set not in self._labs and value_set not in self._reports:
            return None
        if value_set not in self._last:
            done = (*self.results(value_set), *(r for r in self.reports(value_set) if r.status not in _WITHDRAWN))
            self._last[value_set] = max((f.on for f in done if f.on), default=None)
        return self._last[value_set]

    def window(self, within: str) -> Day:
        """The first day of a look-back."""
        start = self._starts.get(within)
        if start is None:
            start = self._starts[within] = start_of(within, self.today)
        return start

    def note(self, what: str, remedy: str, *, level: str = "warning") -> None:
        """Keep an issue, once."""
        self.issues[Issue(level, what, remedy)] = None

    def covered_on(self, value_set: str, day: Day) -> bool:
        """Whether a drug of the set covered a day; its spans are merged and sorted once."""
        if value_set not in self._drugs:
            return False
        if value_set not in self._spans:
            merged: list[tuple[Day, Day]] = []
            for start, end in sorted((g.start, g.end) for g in self.drugs(value_set) if g.start and g.end):
                if merged and start <= merged[-1][1]:
                    merged[-1] = (merged[-1][0], max(merged[-1][1], end))
                else:
                    merged.append((start, end))
            self._spans[value_set] = merged
        spans = self._spans[value_set]
        index = bisect_right(spans, (day, Day.max)) - 1
        return index >= 0 and spans[index][1] >= day

    def after_procedure(self, day: Day, value_set: str, within: str) -> bool:
        """Whether a procedure of the set was done so long before a day, or on it."""
        procedures = self._procedures.get(value_set)
        return bool(procedures) and _any_between(self._days_of(f"procedure {value_set}", procedures or ()), start_of(within, day), day)

    def near_procedure(self, day: Day, within: str) -> bool:
        """Whether any procedure lies within so long before or after a day."""
        if not self.record.procedures:
            return False
        span = period(within)
        done = (p for p in self.record.procedures if p.status in _DONE_PROCEDURE)
        return _any_between(self._days_of("procedure", done), span.before(day), span.after(day))

    def near_condition(self, day: Day, value_set: str, within: str) -> bool:
        """Whether a condition of the set lies within so long before or after a day."""
        conditions = self._conditions.get(value_set)
        if not conditions:
            return False
        span = period(within)
        return _any_between(self._days_of(f"condition {value_set}", conditions), span.before(day), span.after(day))

    def _days_of(self, name: str, facts: Iterable[Fact]) -> list[Day]:
        """The days of facts, sorted once."""
        if name not in self._days:
            self._days[name] = sorted(f.on for f in facts if f.on)
        return self._days[name]


def _any_between(days: list[Day], first: Day, last: Day) -> bool:
    """Whether one of the sorted days lies in a span, both ends counted."""
    index = bisect_left(days, first)
    return index < len(days) and days[index] <= last


def _doses(given: Iterable[Immunization]) -> list[Immunization]:
    """The fewest doses that entries can mean: those whose days may be the same are one, and an undated one is any of the dated."""
    entries = [*given]
    doses: list[Immunization] = []
    last = Day.min
    for end, start, one in sorted(((last_day(i.when), first_day(i.when), i) for i in entries if i.when), key=lambda e: e[:2]):
        if not doses or start > last:
            doses.append(one)
            last = end
    return doses or entries


def is_resolved(condition: Condition) -> bool:
    """Whether a problem is over."""
    return condition.status in _NOT_CURRENT_PROBLEM


def days_covered(spans: Iterable[tuple[Day, Day]]) -> int:
    """How many different days a set of spans covers, both ends counted."""
    total = 0
    last: Day | None = None
    for start, end in sorted(spans):
        if last is not None and end <= last:
            continue
        first = start if last is None else max(start, last + dt.timedelta(days=1))
        total += (end - first).days + 1
        last = end
    return total
