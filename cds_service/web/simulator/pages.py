"""The start page with the simulator: GET / for everybody, the simulator behind its door."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response, request
from markupsafe import Markup

from cds_service.errors import CDSServiceError
from cds_service.evidence import shown
from cds_service.fhir.search import prefetch_templates
from cds_service.http.body import read_form
from cds_service.http.calls import Calls
from cds_service.http.problems import with_headers
from cds_service.protocol import response as protocol
from cds_service.record.dates import Day, age_on
from cds_service.record.facts import PatientRecord
from cds_service.snoozes import Snoozes
from cds_service.telemetry import event
from cds_service.trust.clients import Client
from cds_service.web.door import Door
from cds_service.web.rendering import templates
from cds_service.web.simulator import cards, flags, wire
from cds_service.web.simulator.form import Deed, Wanted, deed, wanted
from cds_service.web.simulator.play import Fired, Reported, Simulator
from cds_service.web.styles import allowed

_HERE = Path(__file__).parent
_FIRST = "test-sweet-macrocytosis"  # what is chosen before anybody chose
_HTML = "text/html; charset=utf-8"
_ANSWER = msgspec.json.Decoder(protocol.Response)
_GROUPS = {
    "test": "A test is suggested",
    "consider": "Worth considering",
    "confirmed": "Confirmed",
    "uncertain": "Result in doubt",
    "negative": "Negative result",
    "lookalike": "Looks alike, and is not",
}
_OTHERS = "Others"


class Doors(NamedTuple):
    """What else the start page leads to: who may call, whether there is a report, whether evidence of a Bundle is shown."""

    mode: str
    governed: bool
    evidence: bool


def blueprint(
    calls: Calls, snoozes: Snoozes, door: Door | None, fixtures: Path, today: Callable[[], Day], now: Callable[[], dt.datetime], doors: Doors
) -> Blueprint:
    """GET /, and with a door GET and POST /simulator; without one there is no simulator."""
    routes = Blueprint("start", __name__)
    simulator = Simulator(calls, snoozes, fixtures, today, now)
    pages = _Pages(simulator, calls, doors, today)
    script = (_HERE / "simulator.js").read_bytes()

    @routes.get("/")
    def start() -> Response:
        state = "off" if door is None else "locked" if door.locked else "elsewhere" if door.turned_away() else "open"
        return pages.start(state)

    @routes.get("/simulator.js")
    def busy() -> Response:
        return Response(script, content_type="text/javascript; charset=utf-8")

    if door is not None:

        @routes.get("/simulator")
        def opened() -> Response:
            return door.turned_away() or pages.start("open")

        @routes.post("/simulator")
        def play() -> Response:
            return door.turned_away() or pages.played()

        @routes.after_request
        def noted(answer: Response) -> Response:
            if request.path == "/simulator":
                event("simulator.answered", status=answer.status_code, code="form" if request.method == "POST" else "page")
            return answer

    return routes


class Silence(NamedTuple):
    """A topic that is silent for a patient: when and why it was answered, and until when."""

    topic: str
    answered: Day
    until: Day
    reason: str


class Shown(NamedTuple):
    """What one page holds: the form as it was filled, and what came of it."""

    w: Wanted
    state: str = "open"  # or why there is no form: locked, elsewhere, off
    error: CDSServiceError | None = None
    reported: Reported | None = None
    fired: Fired | None = None
    answer: protocol.Response | None = None
    refused: Any = None
    sent: wire.Request | None = None
    person: str = ""
    why: tuple[flags.Row, ...] = ()
    silent: tuple[Silence, ...] | None = ()  # None if it could not be looked up
    lifted: int | None = None


class _Pages:
    """Renders what the simulator shows."""

    def __init__(self, simulator: Simulator, calls: Calls, doors: Doors, today: Callable[[], Day]) -> None:
        self._simulator = simulator
        self._service = calls.service
        self._knowledge = calls.service.knowledge
        self._today = today
        self._keys = prefetch_templates(self._knowledge)
        topics = {word.code: word.display for word in self._knowledge.module.topics.words.values()}
        self._templates = templates(
            k=self._knowledge,
            base_url=self._service.base_url,
            doors=doors,
            keys=tuple(self._keys),
            topics=topics,
            indicators=cards.INDICATORS,
            servers=simulator.servers,
            truths=flags.WORDS,
        )
        self._templates.filters.update(markdown=cards.as_html, readable=wire.readable, json=wire.text_of, size=_size, chart=_chart_name, code=_code)
        self._templates.tests["web"] = cards.leads_to_the_web
        # Made before anybody's words are in a page, so that no style but ours is ever allowed.
        styles = allowed(self._templates.get_template("simulator_frame.html").render())
        own = "script-src 'self'; connect-src 'self'"
        self._policy = f"default-src 'none'; {styles}; {own}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    def start(self, state: str) -> Response:
        """The page before anything was sent."""
        return self._page(Shown(Wanted(constructed=_FIRST), state))

    def played(self) -> Response:
        """The page after a button was pressed."""
        asked = Wanted()
        try:
            fields = read_form(request)
            asked, done = wanted(fields), deed(fields)
            if done.act == "request":
                return self._file(asked)
            return self._page(self._reported(asked, done) if done.act in ("accept", "override") else self._fired(asked, lift=done.act == "lift"))
        except CDSServiceError as error:
            event("page.refused", status=error.status, code=error.code)
            return with_headers(self._page(Shown(asked, error=error), error.status), error)

    def _file(self, asked: Wanted) -> Response:
        """The body of a call as a file, but for an access token."""
        call = self._simulator.call(asked)
        told = wire.body(wire.without_token(call.said), call.prefetch) if "fhirAuthorization" in call.said else call.body
        return Response(told, headers={"Content-Disposition": 'attachment; filename="request.json"'}, content_type="application/json")

    def _reported(self, asked: Wanted, done: Deed) -> Shown:
        """What became of feedback."""
        reported = self._simulator.report(asked, done)
        return Shown(asked, reported=reported, silent=self._silent(*self._simulator.whose(asked)))

    def _fired(self, asked: Wanted, *, lift: bool) -> Shown:
        """What a call brought, after what was answered before was lifted, if it is to be."""
        lifted = self._simulator.lift(*self._simulator.whose(asked)) if lift else None
        call = self._simulator.call(asked._replace(instance=""))
        fired = self._simulator.fire(call)
        good = fired.status == HTTPStatus.OK
        return Shown(
            asked._replace(instance=call.said["hookInstance"]),
            fired=fired,
            answer=_ANSWER.decode(fired.response) if good else None,
            refused=None if good else json.loads(fired.response),
            sent=wire.request(call.said, call.prefetch, self._keys),
            person=self._person(fired),
            why=self._why(fired.record),
            silent=self._silent(call.client, call.patient),
            lifted=lifted,
        )

    def _why(self, record: PatientRecord | None) -> tuple[flags.Row, ...]:
        """Every red flag in a chart."""
        if record is None:
            return ()
        assessment = self._service.reasoner.evaluate(record, self._today(), full=True)
        return flags.rows(self._knowledge, assessment, record)

    def _silent(self, client: Client, patient: str) -> tuple[Silence, ...] | None:
        """What is silent for a patient, in words; None if it cannot be looked up."""
        running = self._simulator.silent(client, patient)
        reasons = {reason.code: reason.display for reason in self._knowledge.module.override_reasons.reasons}
        return None if running is None else tuple(Silence(topic, s.answered, s.until, reasons.get(s.reason or "", "")) for topic, s in running)

    def _person(self, fired: Fired) -> str:
        """Whose chart it is, as the banner of a chart says it."""
        record = fired.record
        if record is None:
            return f"Patient {fired.call.patient}"
        sex = {"male": "Man", "female": "Woman"}.get(record.sex or "", "Sex not known")
        age = f"{age_on(record.birth.day, self._today())} years, born {shown.day(record.birth)}" if record.birth else "age not known"
        return f"{sex}, {age}{', deceased' if record.deceased else ''} · {record.patient_id}"

    def _page(self, content: Shown, status: int = 200) -> Response:
        groups = _groups(self._simulator.constructed)
        text = self._templates.get_template("simulator.html").render(**content._asdict(), groups=groups, today=self._today())
        headers = {"Content-Security-Policy": self._policy, "Referrer-Policy": "same-origin"}
        return Response(text.encode(errors="replace"), status, headers, content_type=_HTML)


def _groups(names: list[str]) -> Mapping[str, list[str]]:
    """The constructed patients under what they are to lead to."""
    found: dict[str, list[str]] = {title: [] for title in (*_GROUPS.values(), _OTHERS)}
    for name in names:
        found[_GROUPS.get(name.partition("-")[0], _OTHERS)].append(name)
    return {title: those for title, those in found.items() if those}


def _code(text: str) -> Markup:
    """A text within an element: quotes stay as they are, which JSON is full of."""
    return Markup(html.escape(text, quote=False))  # noqa: S704 - escaped here


def _chart_name(name: str) -> str:
    """A constructed patient's name as words."""
    first, _, rest = name.partition("-")
    words = (rest if first in _GROUPS else name).replace("-", " ")
    return words[:1].upper() + words[1:]


def _size(number: int) -> str:
    """A number of bytes as people read it."""
    return f"{number} B" if number < 1000 else f"{number / 1000:.1f} kB" if number < 100_000 else f"{number / 1000:.0f} kB"
