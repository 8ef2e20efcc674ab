"""The evidence page as a SMART app: from the EHR's launch by its sign-in to the page of the chart that is open there."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from cds_service.errors import LoginFailed, StorageUnavailable, UnknownService
from cds_service.evidence.view import silenced
from cds_service.fhir.prefetch import Fetched
from cds_service.http.problems import understood, with_headers
from cds_service.http.slots import Slots
from cds_service.invocation import Service
from cds_service.protocol.response import encode
from cds_service.record.dates import Day
from cds_service.smart import pending
from cds_service.smart.exchange import Access
from cds_service.smart.login import Begun, Door, Logins
from cds_service.smart.reasons import REASONS
from cds_service.smart.scopes import given, within
from cds_service.snoozes import Snoozes
from cds_service.telemetry import event
from cds_service.trust.app import public_keys
from cds_service.web.evidence import Pages

SECONDS_TO_READ = 8.0  # for a chart: a page may take longer than a call
_AT_ONCE = 4  # charts that are opened at the same time, so that calls have the other threads to themselves
_PATIENCE = 3.0
_CARRIED = "smart"  # the cookie
_SECURE = "__Secure-"  # a name that browsers take over https alone, and that nobody beside us sets in clear
_RANDOM = 16  # bytes that tell one tab from another
_ONCE = re.compile(r"[\w-]{22}", re.ASCII)
_WHY = "smart-launch"  # in the access records, in place of a hook


def blueprint(service: Service, logins: Logins, snoozes: Snoozes, today: Callable[[], Day]) -> Blueprint:
    """GET /smart/launch, /smart/launch/<client>, /smart/callback/<client>, /smart/opening and /smart/chart/<client>/<once>, /smart/keys/<client>."""
    routes = Blueprint("smart", __name__, url_prefix="/smart")
    pages = Pages(service)
    slots = Slots(_AT_ONCE, _AT_ONCE, _PATIENCE)
    jar = _Jar(service.base_url)
    everybody = tuple(dict.fromkeys(origin for door in logins.doors.values() for origin in door.app.framed_by))

    def door_of(name: str) -> Door:
        if name not in logins.doors:
            raise UnknownService("There is no such app here.")
        return logins.doors[name]

    @routes.errorhandler(Exception)
    def refused(raised: Exception) -> Response:
        error = understood(raised)
        reason = error.reason if isinstance(error, LoginFailed) else None
        name = (request.view_args or {}).get("name", "")
        event("app.refused", status=error.status, code=error.code, reason=reason, client=name if name in logins.doors else None)
        framed_by = logins.doors[name].app.framed_by if name in logins.doors else everybody
        text = pages.page("smart_refused.html", error=error, remedy=REASONS[reason].remedy if reason else "")
        answer = with_headers(pages.answer(text, error.status, framed_by=framed_by), error)
        return jar.emptied(answer, logins.doors[name]) if name in logins.doors else answer

    @routes.get("/launch")
    def launch() -> Response:
        door, launched = logins.launched_by(request.args.getlist("iss"), request.args.getlist("launch"))
        with slots.taken():
            return jar.sent_away(door, logins.begin(door, launched))

    @routes.get("/launch/<name>")
    def standalone(name: str) -> Response:
        with slots.taken():
            return jar.sent_away(door_of(name), logins.begin(door_of(name), None))

    @routes.get("/callback/<name>")
    def callback(name: str) -> Response:
        door = door_of(name)
        carried = jar.carried_for(request.args.get("state", ""))
        return jar.sent_on(door, logins.came_back(door, request.args.to_dict(flat=False), carried))

    @routes.get("/opening/<name>/<once>")
    def opening(name: str, once: str) -> Response:
        door = door_of(name)
        text = pages.page("smart_opening.html", chart=jar.address(_chart(door, once)))
        return pages.answer(text, framed_by=door.app.framed_by)

    @routes.get("/chart/<name>/<once>")
    def chart(name: str, once: str) -> Response:  # noqa: ARG001 - it tells one tab's cookie from another's
        door = door_of(name)
        with slots.taken():
            access = logins.finish(door, jar.carried())
            text = _page(pages, service, snoozes, door, access, today())
        return jar.emptied(pages.answer(text, framed_by=door.app.framed_by), door)

    @routes.get("/keys/<name>")
    def keys(name: str) -> Response:
        return Response(encode(public_keys(door_of(name).app)), content_type="application/json")

    return routes


def _page(pages: Pages, service: Service, snoozes: Snoozes, door: Door, access: Access, today: Day) -> str:
    """The page of the chart that an access opens. Raises DataError where nothing can be evaluated."""
    requirements = service.knowledge.requirements
    ask = service.asks(door.client, _WHY, access.patient_id, access.token, seconds=SECONDS_TO_READ)
    granted = given(access.scopes, {r.resource for r in requirements.values()})
    lacking: list[str] = []

    def asked(wanted: Mapping[str, str | None]) -> Fetched:
        fetched = within(ask, requirements, granted)(wanted)
        lacking.extend(issue.what for issue in fetched.issues if issue.level == "warning")
        return fetched

    record = service.gathered(door.client, access.patient_id, today, {}, asked)
    view = pages.view(record, today)
    try:
        told = tuple(silenced(service.knowledge, snoozes.told(access.patient_id, view.assessment, door.client.name)))
    except StorageUnavailable:
        told = None
    event("app.shown", client=door.client.name, topics=",".join(view.assessment.topics), issues=len(view.assessment.issues))
    return pages.evidence(view, told=told, app=True, banner=access.banner, lacking=lacking)


def _chart(door: Door, once: str) -> str:
    """Where a chart is read and shown. Raises UnknownService for what tells no tab from another."""
    if not _ONCE.fullmatch(once):
        raise UnknownService("There is no such page here.")
    return f"/smart/chart/{door.client.name}/{once}"


class _Jar:
    """The sealed cookies of logins: each is sent to one path only, so that two tabs never take each other's."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._base = parts.path
        self._secure = parts.scheme == "https"

    def carried(self) -> str | None:
        """The cookie of a code."""
        return request.cookies.get(self._named())

    def carried_for(self, state: str) -> str | None:
        """The cookie of a state."""
        return request.cookies.get(self._named(state))

    def sent_away(self, door: Door, begun: Begun) -> Response:
        """To the sign-in."""
        response = _redirect(begun.url)
        self._set(response, door, self._named(begun.state), begun.sealed, f"/smart/callback/{door.client.name}", pending.SECONDS)
        return response

    def sent_on(self, door: Door, sealed: str) -> Response:
        """From the answer of the sign-in on to the chart, so that neither code nor state stays in an address, by a page that says that it is read."""
        once = secrets.token_urlsafe(_RANDOM)
        response = self.emptied(_redirect(self.address(f"/smart/opening/{door.client.name}/{once}")), door)
        self._set(response, door, self._named(), sealed, _chart(door, once), pending.SECONDS_OF_A_CODE)
        return response

    def address(self, path: str) -> str:
        """A path as a browser asks for it."""
        return f"{self._base}{path}"

    def emptied(self, response: Response, door: Door) -> Response:
        """Without the cookie that came: it was good once."""
        for name in {self._named(), self._named(request.args.get("state", ""))} & request.cookies.keys():
            self._set(response, door, name, "", request.path, 0)
        return response

    def _set(self, response: Response, door: Door, name: str, value: str, path: str, seconds: float) -> None:
        """Inside another site's page a browser keeps only a cookie that says it is meant for there, and for that site alone."""
        framed = bool(door.app.framed_by)
        how: dict[str, Any] = {"secure": True, "samesite": "None", "partitioned": True} if framed else {"secure": self._secure, "samesite": "Lax"}
        response.set_cookie(name, value, max_age=int(seconds), path=f"{self._base}{path}", httponly=True, **how)

    def _named(self, state: str | None = None) -> str:
        """The name of the cookie of a state, or of a code."""
        name = _CARRIED if state is None else f"{_CARRIED}-{hashlib.sha256(state.encode()).hexdigest()[:16]}"
        return f"{_SECURE}{name}" if self._secure else name


def _redirect(url: str) -> Response:
    return Response(status=303, headers={"Location": url, "Referrer-Policy": "no-referrer"}, content_type="text/plain; charset=utf-8")
