"""A CDS client: finds a service by discovery, fills its prefetch from a FHIR server, fires the hook, and times the answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
import requests

from cds_service.ehr.server import FHIRServer
from cds_service.errors import CDSServiceError

USER = "Practitioner/example"
_SECONDS = 30.0
_TOKEN = re.compile(r"\{\{([^{}]+)\}\}")


class CDSService(NamedTuple):
    """A service as discovery lists it."""

    url: str
    hook: str
    title: str
    prefetch: Mapping[str, str]


class Topic(msgspec.Struct):
    """What a card is about."""

    code: str | None = None


class Origin(msgspec.Struct):
    """Where a card comes from."""

    label: str = ""
    url: str | None = None
    topic: Topic | None = None


class Suggestion(msgspec.Struct):
    """What a card offers."""

    label: str = ""


class Link(msgspec.Struct):
    """Where a card leads."""

    label: str = ""
    url: str = ""


class Shown(msgspec.Struct):
    """A card, as far as a terminal shows it."""

    summary: str = ""
    indicator: str = ""
    detail: str | None = None
    source: Origin = msgspec.field(default_factory=Origin)
    suggestions: list[Suggestion] | None = None
    links: list[Link] | None = None


class Said(msgspec.Struct):
    """An issue of an OperationOutcome."""

    diagnostics: str | None = None


class Answer(msgspec.Struct):
    """What a service answers: cards, or the issues of a refusal."""

    cards: list[Shown] | None = None
    issue: list[Said] | None = None
    extension: dict[str, Any] | None = None


class Fired(NamedTuple):
    """One call and its answer: the exact bytes of both, the status, and the milliseconds it took."""

    patient: str
    request: bytes
    response: bytes
    status: int
    milliseconds: float

    @property
    def answered(self) -> bool:
        """Whether it is an answer as CDS Hooks has it."""
        return self.status == requests.codes.ok and self.answer.cards is not None

    @property
    def answer(self) -> Answer:
        """What the answer says; nothing if it is none."""
        try:
            return _ANSWER.decode(self.response)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Answer()


class _Listed(msgspec.Struct):
    """A service in a discovery."""

    id: str
    hook: str
    title: str | None = None
    prefetch: dict[str, str] | None = None


class _Discovery(msgspec.Struct):
    """What a host offers."""

    services: list[_Listed]


_ANSWER = msgspec.json.Decoder(Answer)
_DISCOVERY = msgspec.json.Decoder(_Discovery)


def discover(url: str) -> CDSService:
    """The service at `https://host/cds-services/id`, as the discovery of its host lists it. Raises CDSServiceError."""
    base, _, name = url.rstrip("/").rpartition("/")
    try:
        answer = requests.get(base, timeout=_SECONDS, headers={"Accept": "application/json"}, allow_redirects=False)
        listed = _DISCOVERY.decode(answer.content).services
    except (requests.RequestException, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CDSServiceError(
            f"{base}: no discovery of a CDS service. Name a service's URL, such as http://127.0.0.1:8080/cds-services/id."
        ) from None
    for service in listed:
        if service.id == name and service.hook == "patient-view":
            return CDSService(url.rstrip("/"), service.hook, service.title or name, service.prefetch or {})
    offered = ", ".join(f"{s.id} ({s.hook})" for s in listed) or "nothing"
    raise CDSServiceError(f"{base}: no service '{name}' for patient-view; it offers {offered}.")


def resolved(template: str, context: Mapping[str, str]) -> str | None:
    """A prefetch template with its tokens filled; None if it asks for something that this client does not know."""
    user = context["userId"]
    known = {f"context.{name}": value for name, value in context.items()} | {f"user{user.partition('/')[0]}Id": user.partition("/")[2]}
    missing = [token for token in _TOKEN.findall(template) if token.strip() not in known]
    return None if missing else _TOKEN.sub(lambda match: known[match.group(1).strip()], template)


def request_for(service: CDSService, server: FHIRServer, patient: str, instance: str, keys: Collection[str]) -> dict[str, Any]:
    """The call for a patient, with those of these prefetch keys that the server can fill.

    What is left out, the service may ask of the `fhirServer` that the call names.
    """
    context = {"userId": USER, "patientId": patient}
    queries = {key: query for key, template in service.prefetch.items() if (query := resolved(template, context)) is not None}
    wanted = [key for key in queries if key in keys]
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(wanted, pool.map(lambda key: _filled(server, queries[key]), wanted), strict=True))
    call = {"hook": service.hook, "hookInstance": instance, "fhirServer": server.base, "context": context}
    prefetch = {key: value for key, value in found.items() if value is not None}
    return {**call, "prefetch": prefetch} if prefetch else call


def body_of(call: Any) -> bytes:
    """A call, or a part of one, as it goes over the wire."""
    return json.dumps(call, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")  # a lone surrogate is in no encoding


def fire(service: CDSService, session: requests.Session, patient: str, call: Mapping[str, Any], token: str | None = None) -> Fired:
    """Send a call, with a token where the service wants to know who calls. Raises CDSServiceError if there is no answer at all."""
    body = body_of(call)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    started = time.perf_counter()
    try:
        answer = session.post(service.url, data=body, headers=headers, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise CDSServiceError(f"{service.url}: no answer ({type(error).__name__}). Is the service running?") from None
    return Fired(patient, body, answer.content, answer.status_code, (time.perf_counter() - started) * 1000)


def _filled(server: FHIRServer, query: str) -> Any | None:
    """What the server has for a query; a query that fails is left out, as EHRs do."""
    try:
        return server.get(query)
    except CDSServiceError:
        return None
