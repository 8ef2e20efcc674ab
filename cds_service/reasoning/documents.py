"""Reports that stand in a document: nothing is decided from them, and a card says that they were not read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from cds_service.knowledge.terms import plain
from cds_service.record.facts import PatientRecord, Report

if TYPE_CHECKING:
    from cds_service.knowledge.model import Guards
    from cds_service.reasoning.chart import Chart

_WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
_LENGTHS = {"year": 4, "month": 7, "day": 10}
_MARKS = " .,;:!()[]*"


def with_pointers(record: PatientRecord, guards: Guards) -> PatientRecord:
    """The record in which a report whose conclusion only points to its file stands in that file."""
    if not any(r.filed and _only_points(r.conclusion, guards) for r in record.reports):
        return record
    reports = tuple(msgspec.structs.replace(r, attached=True) if r.filed and _only_points(r.conclusion, guards) else r for r in record.reports)
    return msgspec.structs.replace(record, reports=reports)


def _only_points(conclusion: str, guards: Guards) -> bool:
    """Whether a conclusion says nothing but where the report is."""
    said = plain(conclusion).strip(_MARKS)
    return not said or said in guards.see_attached


def note_unread(chart: Chart) -> None:
    """Say of each kind of report that stands in documents, but the gene's, which its own reader knows best."""
    for value_set in chart.knowledge.guards.in_documents:
        if value_set != chart.knowledge.genetics.test_codes:
            note_reports(chart, value_set, chart.reports(value_set))


def note_reports(chart: Chart, value_set: str, reports: Sequence[Report]) -> None:
    """Say which reports of a kind stand in documents: the newest, and how many others."""
    unread = [r for r in reports if r.attached and r.status not in _WITHDRAWN]
    if not unread:
        return
    name = chart.knowledge.guards.in_documents.get(value_set) or chart.knowledge.value_sets[value_set].title.rpartition(": ")[2]
    newest = max(unread, key=lambda r: r.order)
    day = newest.when.order[: _LENGTHS[newest.when.precision]] if newest.when else ""
    others = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
    stands = "stand in documents and were" if others else "stands in a document and was"
    chart.note(
        f"{name} {f'of {day}' if day else 'without a date'}{others} {stands} not read", "Read the document itself, or send the report as text."
    )
