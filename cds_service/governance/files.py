"""The report as JSON and as CSV; docs/governance.md says what each member and column holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import msgspec

from cds_service.governance.masking import Shown
from cds_service.governance.report import Report

COLUMNS = ("section", "item", "label", "column", "number", "of", "per", "rate")


def as_json(report: Report, labels: Mapping[str, str]) -> bytes:
    """The whole report as one object."""
    return msgspec.json.format(msgspec.json.encode(_data(report, labels)), indent=2)


def as_csv(report: Report, labels: Mapping[str, str]) -> str:
    """The figures, one a line; an empty number is one that is not shown."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(["" if value is None else value for value in _figure(f, labels).values()] for f in report.figures)
    return text.getvalue()


def _data(report: Report, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "service": report.span.service,
        "from": report.span.first,
        "to": report.span.last,
        "client": report.span.client,
        "made": report.made,
        "clients": report.clients,
        "releases": [r._asdict() for r in report.releases],
        "figures": [_figure(f, labels) for f in report.figures],
        "latency": [{"column": column, "p50": waits[0], "p95": waits[1], "p99": waits[2]} for column, waits in report.latency.items() if waits],
        "daysToResult": [{"column": column, "median": days} for column, days in report.days_to_result.items()],
        "alarms": [
            {"client": a.client, "day": a.day, "above": a.above, "share": a.share, "low": round(a.low, 4), "high": round(a.high, 4)}
            for a in report.alarms
        ],
        "weeks": [week._asdict() for week in report.weeks],
    }


def _figure(figure: Shown, labels: Mapping[str, str]) -> dict[str, Any]:
    label = labels.get(figure.item, figure.item)
    values = (figure.section, figure.item, label, figure.column, figure.number, figure.of, figure.per, figure.rate)
    return dict(zip(COLUMNS, (round(v, 3) if isinstance(v, float) else v for v in values), strict=True))
