"""The evidence page of one patient: one renderer for every door. Constructed patients by their name, any other chart by POST, never kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, request
from markupsafe import Markup, escape

from cds_service.ehr import constructed
from cds_service.errors import MalformedBody, StorageUnavailable
from cds_service.evidence.bundle import record_of
from cds_service.evidence.view import Silenced, View, silenced, view_of
from cds_service.http.body import read_body, read_form
from cds_service.http.problems import understood, with_headers
from cds_service.http.slots import Slots
from cds_service.invocation import Service
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord
from cds_service.snoozes import Snoozes
from cds_service.telemetry import event
from cds_service.web.rendering import templates
from cds_service.web.styles import allowed

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_NOBODY = "'none'"
_WITHOUT_A_CALL = "evidence"  # in place of a hookInstance: the cards of a page are no answer to a call


_UNBROKEN = re.compile(r"\d{4}-\d\d-\d\d|\b(?:ICD-10-CM|ICD-10|[\d.]+ ×10\S+)(?: [A-Z]\d\S+\b)?")


class Pages:
    """Renders the evidence of any patient's record, and what stands around it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.knowledge = service.knowledge
        self._templates = templates(k=self.knowledge, base_url=service.base_url)
        self._templates.filters["unbroken"] = _unbroken
        # Made before any patient's words are in a page, so that no style but ours is ever allowed.
        styles = allowed(self._templates.get_template("evidence_frame.html").render())
        self.policy = f"default-src 'none'; {styles}; base-uri 'none'; form-action 'self'"

    def view(self, record: PatientRecord, today: Day) -> View:
        """What the page of a patient says."""
        assessment = self._service.reasoner.evaluate(record, today, full=True)
        response = self._service.composer.compose(assessment, record, _WITHOUT_A_CALL)
        return view_of(self.knowledge, record, assessment, response)

    def evidence(
        self,
        view: View,
        *,
        told: Iterable[Silenced] | None = (),
        whose: str = "",
        download: str = "",
        whole: bool = False,
        alone: bool = False,
        app: bool = False,
        banner: bool = True,
        lacking: Iterable[str] = (),
    ) -> str:
        """The page of a patient. `told` is what was answered before, None if that could not be looked up; `whose` names the chart.

        `whole` says that the chart came as one file; `alone` makes a file that needs no server.
        `app` says that an EHR opened it, and `banner` that it does not show who the patient is;
        `lacking` is what could not be read of the chart.
        """
        content: dict[str, Any] = {"whose": whose, "download": download, "whole": whole, "alone": alone, "policy": self.policy}
        content |= {"app": app, "banner": banner, "lacking": tuple(lacking)}
        return self._templates.get_template("evidence.html").render(
            v=view, told=None if told is None else tuple(told), root=self._service.base_url if alone else "", **content
        )

    def page(self, template: str, **content: Any) -> str:
        """Another page."""
        return self._templates.get_template(template).render(**content)

    def answer(self, text: str, status: int = 200, *, file: str = "", framed_by: Iterable[str] = ()) -> Response:
        """A page as an answer, or as a file to keep; pages of these origins may show it inside them."""
        policy = f"{self.policy}; frame-ancestors {' '.join(framed_by) or _NOBODY}"
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        if file:
            headers["Content-Disposition"] = f'attachment; filename="{file}.html"'
        return Response(text, status, headers, content_type="text/html; charset=utf-8")


def blueprint(service: Service, snoozes: Snoozes, today: Callable[[], Day], fixtures: Path, pasted: Slots | None) -> Blueprint:
    """GET /evidence, GET /evidence/<name> of a constructed patient, and POST /evidence with a Bundle, where it takes a call's place.

    `pasted` is None where callers need tokens: then no Bundle is taken.
    """
    routes = Blueprint("evidence", __name__)
    pages = Pages(service)

    @routes.errorhandler(Exception)
    def refused(raised: Exception) -> Response:
        error = understood(raised)
        event("page.refused", status=error.status, code=error.code)
        return with_headers(pages.answer(pages.page("evidence_refused.html", error=error), error.status), error)

    @routes.get("/evidence")
    def doors() -> Response:
        return pages.answer(pages.page("evidence_doors.html", names=constructed.names(fixtures), folder=fixtures, pasted=pasted is not None))

    @routes.get("/evidence/<name>")
    def of_a_constructed_patient(name: str) -> Response:
        return _of_a_constructed_patient(pages, snoozes, constructed.chart(fixtures, name, today()), name, today())

    if pasted is not None:
        routes.add_url_rule("/evidence", "of_a_bundle", partial(_of_a_bundle, pages, today, pasted), methods=["POST"])
    return routes


def _of_a_constructed_patient(pages: Pages, snoozes: Snoozes, chart: Any, name: str, today: Day) -> Response:
    view = pages.view(record_of(msgspec.json.encode(chart), pages.knowledge, today, "The file"), today)
    alone = "download" in request.args
    text = pages.evidence(view, told=_told(snoozes, view), whose=name, download=f"/evidence/{name}?download", whole=True, alone=alone)
    return pages.answer(text, file=f"evidence-{name}" if alone else "")


def _of_a_bundle(pages: Pages, today: Callable[[], Day], slots: Slots) -> Response:
    content, keep = _sent()
    with slots.taken():
        day = today()
        view = pages.view(record_of(content, pages.knowledge, day, "The Bundle", MalformedBody), day)
    return pages.answer(pages.evidence(view, whole=True, alone=keep), file="evidence" if keep else "")


def _unbroken(text: object) -> Markup:
    """Words in which no day, code or value is broken at the end of a line."""
    return Markup(_UNBROKEN.sub(r'<span class="d">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped just before


def _sent() -> tuple[bytes, bool]:
    """The Bundle that was sent, and whether its page is wanted as a file."""
    if request.mimetype not in _FORMS:
        return read_body(request), "download" in request.args
    form = read_form(request)
    content = form.get("file") or form.get("bundle") or b""
    if not content.strip():
        raise MalformedBody("No Bundle was sent. Choose a file, or paste a FHIR R4 Bundle.", place="bundle")
    return content, form.get("as") == b"file"


def _told(snoozes: Snoozes, view: View) -> tuple[Silenced, ...] | None:
    """What was answered about a patient before; None if the database does not answer."""
    try:
        return tuple(silenced(view.knowledge, snoozes.told(view.person.id, view.assessment)))
    except StorageUnavailable:
        return None
