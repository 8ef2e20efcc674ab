"""The governance page: the report as charts and tables, and the snoozes of a patient; behind an access token."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus

from flask import Blueprint, Response, request

from cds_service.errors import InvalidRequest
from cds_service.governance import files
from cds_service.governance.masking import ALL, SMALLEST, Shown
from cds_service.governance.report import Report, report
from cds_service.governance.words import SECTIONS, labels
from cds_service.knowledge.loader import Knowledge
from cds_service.record.dates import Day
from cds_service.snoozes import Snoozes
from cds_service.storage.reading import EARLIEST, LATEST, Span
from cds_service.telemetry import event
from cds_service.web.door import Door
from cds_service.web.plots import HEIGHT, Plot, share_by_week
from cds_service.web.rendering import templates

USUAL_DAYS = 28
_LONGEST_PATIENT_ID = 128
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_TEMPLATES = templates()


def rendered(found: Report, knowledge: Knowledge, registered: Collection[str] | None = None) -> str:
    """The report as one HTML page that needs nothing else; with the registered clients, a page with its forms."""
    sections: dict[str, dict[str, dict[str, Shown]]] = defaultdict(lambda: defaultdict(dict))
    for figure in found.figures:
        sections[figure.section][figure.item][figure.column] = figure
    named = {r.digest: f"{r.version} ({r.digest})" for r in found.releases} | {ALL: "all"}
    rows = {name: {item: cells for item, cells in items.items() if any(f.number != 0 for f in cells.values())} for name, items in sections.items()}
    widest = {name: max((f.rate or 0 for cells in items.values() for f in cells.values()), default=0) for name, items in sections.items()}
    content = {
        "k": knowledge,
        "r": found,
        "sections": SECTIONS,
        "figures": sections,
        "labels": labels(knowledge),
        "columns": named,
        "rows": rows,
        "widest": widest,
        "plot": _plot(found),
        "height": HEIGHT,
        "smallest": SMALLEST,
        "live": registered is not None,
        "registered": registered or (),
    }
    return _TEMPLATES.get_template("governance.html").render(**content)


def _plot(found: Report) -> Plot | None:
    weeks = [(w.monday, w.made / w.calls if w.made is not None and w.calls else None) for w in found.weeks]
    return share_by_week(weeks, {r.first: r.version for r in found.releases[1:]}) if weeks else None


def blueprint(snoozes: Snoozes, today: Callable[[], Day], clock: Callable[[], dt.datetime], door: Door) -> Blueprint:
    """GET /governance (HTML, JSON or CSV) and POST /governance/snoozes, behind their door."""
    routes = Blueprint("governance", __name__)
    knowledge = snoozes.knowledge

    routes.before_request(door.turned_away)

    @routes.get("/governance")
    def governance() -> Response:
        span = _span(request.args, knowledge.module.service.id, today())
        found = report(snoozes.database, knowledge, span, today())
        match request.args.get("format", "html"):
            case "json":
                return Response(files.as_json(found, labels(knowledge)), content_type="application/json")
            case "csv":
                named = {"Content-Disposition": f'attachment; filename="governance-{span.first}-{span.last}.csv"'}
                return Response(files.as_csv(found, labels(knowledge)), headers=named, content_type="text/csv; charset=utf-8")
            case "html":
                return _page(rendered(found, knowledge, [c.name for c in snoozes.clients.registered]))
            case _:
                raise InvalidRequest("format is html, csv or json.", place="format")

    @routes.post("/governance/snoozes")
    def of_a_patient() -> Response:
        client, patient = request.form.get("client", ""), request.form.get("patient", "").strip()
        if not 0 < len(patient) <= _LONGEST_PATIENT_ID:
            raise InvalidRequest("No patient is named. Type the patient's id, as the EHR's FHIR server has it.", place="patient")
        lifted = snoozes.lift(client, patient, clock()) if "lift" in request.form else None
        running = snoozes.running(client, patient, today())
        shown = {"k": knowledge, "client": client, "patient": patient, "running": running, "lifted": lifted, "labels": labels(knowledge)}
        return _page(_TEMPLATES.get_template("snoozes.html").render(**shown))

    @routes.after_request
    def noted(answer: Response) -> Response:
        lifted = answer.status_code == HTTPStatus.OK and "lift" in request.form
        event("governance.answered", status=answer.status_code, code="lift" if lifted else "snoozes" if request.method == "POST" else "report")
        return answer

    return routes


def _page(text: str) -> Response:
    return Response(text, headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"}, content_type="text/html; charset=utf-8")


def _span(given: Mapping[str, str], service: str, today: Day) -> Span:
    """What is asked for; the last four weeks if no days are named. Raises InvalidRequest."""
    last = _day(given, "to", today)
    first = _day(given, "from", last - dt.timedelta(days=USUAL_DAYS - 1))
    if first > last:
        raise InvalidRequest("from is after to. Exchange them.", place="from")
    client = given.get("client") or None
    if client and "\0" in client:  # PostgreSQL takes no such text
        raise InvalidRequest("client is no name. Leave it out, or name one of clients.toml.", place="client")
    return Span(service, first, last, client)


def _day(given: Mapping[str, str], name: str, usual: Day) -> Day:
    text = given.get(name, "")
    try:
        day = dt.date.fromisoformat(text) if text else usual
        if not EARLIEST <= day <= LATEST:
            raise ValueError(day)
    except ValueError:
        raise InvalidRequest(f"{name} is no day. Write it as 2026-11-30.", place=name) from None
    return day
