"""What the service answers over HTTP, as an OpenAPI 3.1 document: written here once, its schemas taken from where the answers are made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response

from cds_service import __version__
from cds_service.errors import (
    CDSServiceError,
    ClientNotAllowed,
    InvalidRequest,
    LoginFailed,
    LoginUnavailable,
    MalformedBody,
    Overloaded,
    PatientMismatch,
    PayloadTooLarge,
    RequestError,
    RequiredDataUnavailable,
    StorageUnavailable,
    TokensUnchecked,
    TooManyRequests,
    Unauthenticated,
    UnknownService,
    UnsupportedMediaType,
)
from cds_service.governance.files import COLUMNS
from cds_service.hooks import HOOKS
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol import schema
from cds_service.protocol.response import encode
from cds_service.snoozes import UnknownClient
from cds_service.web.entries import KINDS, AboutModule, Entry, GenePage, PointEntry, Rate, ValueSetEntry

_AT = "#/components/schemas/"
_JSON, _HTML, _TEXT, _CSV = "application/json", "text/html", "text/plain", "text/csv"
_PAGES = (AboutModule, Entry, GenePage, PointEntry, Rate, ValueSetEntry)
_STRING: Mapping[str, Any] = {"type": "string"}
_STRANGERS = (Unauthenticated, TokensUnchecked, TooManyRequests)
_BODY = (MalformedBody, InvalidRequest, PayloadTooLarge, UnsupportedMediaType, Overloaded)
_OUTCOME = {_JSON: {"schema": {"$ref": f"{_AT}operation-outcome-error"}}}
_PAGE = {_HTML: {"schema": _STRING}}
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


class Surface(NamedTuple):
    """What of the HTTP surface depends on settings: whether calls need tokens, discovery too, who may see the pages for governance.

    `playing` says that there is a simulator, `app` that the evidence page opens as a SMART app.
    """

    authenticated: bool
    closed_discovery: bool
    governed: bool
    governance_token: bool
    playing: bool = False
    app: bool = False


def blueprint(knowledge: Knowledge, base_url: str, surface: Surface) -> Blueprint:
    """GET /openapi.json."""
    routes = Blueprint("openapi", __name__)

    @cache
    def described() -> bytes:
        return encode(document(knowledge, base_url, surface))

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(described(), content_type=_JSON)

    return routes


def document(knowledge: Knowledge, base_url: str, surface: Surface) -> dict[str, Any]:
    """The whole document."""
    module = knowledge.module
    _, pages = msgspec.json.schema_components(_PAGES, ref_template=_AT + "{name}")
    schemes: dict[str, Any] = {
        **({"clientToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}} if surface.authenticated else {}),
        **({"governanceToken": {"type": "http", "scheme": "basic"}} if surface.governance_token else {}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": module.source_label, "description": module.service.description, "version": __version__},
        "servers": [{"url": base_url}],
        "paths": {
            **_protocol(knowledge, surface),
            **_health(),
            **_about(knowledge),
            **_evidence(surface),
            **_simulator(surface),
            **(_smart() if surface.app else {}),
            **(_governance(surface) if surface.governed else {}),
            "/openapi.json": {"get": _read("This document", {_JSON: {"type": "object", "required": ["openapi", "paths"]}})},
        },
        "components": {"schemas": {**schema.components(_AT), **pages}, **({"securitySchemes": schemes} if schemes else {})},
    }


# --- the parts of an operation ---


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _AT + name}


def _read(summary: str, content: Mapping[str, Any], *errors: type[CDSServiceError], **members: Any) -> dict[str, Any]:
    """An operation with the content of its answer 200 by media type, and the errors that it may end in: pages where it is for people, too."""
    answered = {"description": summary, "content": {kind: {"schema": found} for kind, found in content.items()}}
    refused = {**_OUTCOME, **_PAGE} if _HTML in content else _OUTCOME
    return {"summary": summary, **members, "responses": {"200": answered, **_refusals((RequestError, *errors), refused)}}


def _shown(summary: str, *errors: type[CDSServiceError], kinds: tuple[str, ...] = (_HTML,), **members: Any) -> dict[str, Any]:
    """An operation for people: its errors are pages, too."""
    answered = {"description": summary, "content": {kind: {"schema": _STRING} for kind in kinds}}
    return {"summary": summary, **members, "responses": {"200": answered, **_refusals((RequestError, *errors), _PAGE)}}


def _refusals(errors: tuple[type[CDSServiceError], ...], content: Mapping[str, Any]) -> dict[str, Any]:
    """What errors look like, by their status."""
    said: dict[int, list[str]] = {}
    for error in errors:
        said.setdefault(error.status, []).append(f"`{error.code}`: {(error.__doc__ or error.code).splitlines()[0]}")
    return {
        str(status): {
            "description": " ".join(texts),
            **({"headers": {_HEADERS[status]: {"required": True, "schema": _STRING}}} if status in _HEADERS else {}),
            "content": content,
        }
        for status, texts in sorted(said.items())
    }


def _parameter(name: str, where: str, about: str, *, shape: Mapping[str, Any] = _STRING, **members: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "description": about, "required": where == "path", "schema": shape, **members}


def _body(found: Mapping[str, Any], kind: str = _JSON) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": found}}}


# --- the paths ---


def _protocol(knowledge: Knowledge, surface: Surface) -> dict[str, Any]:
    service = knowledge.module.service
    calls = [_ref(schema.component(HOOKS[hook].schema)) for hook in service.hooks]
    feedback = {"type": "object", "required": ["feedback"], "properties": {"feedback": {"type": "array", "items": _ref("feedback-entry")}}}
    known: dict[str, Any] = {"security": [{"clientToken": []}]} if surface.authenticated else {}
    strangers = _STRANGERS if surface.authenticated else ()
    named = {"parameters": [_parameter("service", "path", "A service that discovery lists.", shape={"type": "string", "enum": [service.id]})]}
    decided = (PatientMismatch, RequiredDataUnavailable, UnknownService, *((ClientNotAllowed,) if surface.authenticated else ()))
    discover = _read(
        "The services, by hook (CDS Hooks 2.0.1)",
        {_JSON: _ref("discovery-response")},
        *(strangers if surface.closed_discovery else ()),
        **(known if surface.closed_discovery else {}),
    )
    call = _read("Cards for the patient of a hook call", {_JSON: _ref("service-response")}, *_BODY, *decided, *strangers, **known)
    told = _read(
        "What clinicians did with cards", {_JSON: _ref("operation-outcome-error")}, *_BODY, UnknownService, StorageUnavailable, *strangers, **known
    )
    return {
        "/cds-services": {"get": discover},
        "/cds-services/{service}": {**named, "post": {**call, "requestBody": _body({"anyOf": calls})}},
        "/cds-services/{service}/feedback": {**named, "post": {**told, "requestBody": _body(feedback)}},
    }


def _health() -> dict[str, Any]:
    ready = {
        "type": "object",
        "required": ["status", "database", "decisionsLost"],
        "properties": {"status": {"const": "ready"}, "database": {"enum": ["answers", "away"]}, "decisionsLost": {"type": "integer", "minimum": 0}},
    }
    alive = {"type": "object", "required": ["status"], "properties": {"status": {"const": "alive"}}}
    return {
        "/livez": {"get": _read("Whether the process lives", {_JSON: alive})},
        "/readyz": {"get": _read("What the process can do at this moment", {_JSON: ready})},
        "/metrics": {"get": _read("Counts for Prometheus", {_TEXT: _STRING})},
    }


def _about(knowledge: Knowledge) -> dict[str, Any]:
    def page(summary: str, found: Mapping[str, Any], *errors: type[CDSServiceError]) -> dict[str, Any]:
        return {"get": _read(summary, {_HTML: _STRING, _JSON: found}, *errors)}

    def several(name: str) -> dict[str, Any]:
        return {"type": "array", "items": _ref(name)}

    kind = _parameter(
        "kind", "path", "The kind of entry.", shape={"type": "string", "enum": [k for k in KINDS if k != "value-sets"]}, example="red-flags"
    )
    name = _parameter("name", "path", "The id of an entry; /about links to every one.", example=next(iter(knowledge.red_flags)))
    value_set = _parameter("name", "path", "The name of a value set.", shape={"type": "string", "enum": list(knowledge.value_sets)})
    return {
        "/about": page("What the service is for, by which rules it decides, and from which sources", _ref("AboutModule")),
        "/about.json": {"get": _read("The same as data", {_JSON: _ref("AboutModule")})},
        "/about/genetics": page("How a result of the gene is read", _ref("GenePage")),
        "/about/response-rates": page("Published response rates", several("Rate")),
        "/about/article": page("What became of each point of the source article", several("PointEntry")),
        "/about/value-sets/{name}": {"parameters": [value_set], **page("A value set with its codes", _ref("ValueSetEntry"), UnknownService)},
        "/about/{kind}/{name}": {"parameters": [kind, name], **page("One entry with its definition and cases", _ref("Entry"), UnknownService)},
    }


def _evidence(surface: Surface) -> dict[str, Any]:
    name = _parameter("name", "path", "A constructed patient; /evidence lists them.", example="test-sweet-macrocytosis")
    keep = _parameter("download", "query", "Whatever it says, the page is one file to keep.")
    form = {"type": "object", "properties": dict.fromkeys(("bundle", "file", "as"), _STRING)}
    bundle = {"type": "object", "required": ["resourceType", "entry"]}
    sent = {"application/x-www-form-urlencoded": form, "multipart/form-data": form, _JSON: bundle}
    body = {"required": True, "content": {kind: {"schema": found} for kind, found in sent.items()}}
    read = _shown(
        "The evidence of a chart that is sent as a Bundle", *_BODY, PatientMismatch, RequiredDataUnavailable, parameters=[keep], requestBody=body
    )
    return {
        "/evidence": {"get": _shown("Whose evidence can be seen"), **({} if surface.authenticated else {"post": read})},
        "/evidence/{name}": {"parameters": [name, keep], "get": _shown("The evidence of one constructed patient", UnknownService)},
    }


def _simulator(surface: Surface) -> dict[str, Any]:
    start = {"/": {"get": _shown("The start page")}, "/simulator.js": {"get": _read("Its script", {"text/javascript": _STRING})}}
    if not surface.playing:
        return start
    known: dict[str, Any] = {"security": [{"governanceToken": []}]} if surface.governance_token else {}
    form = {"type": "object", "additionalProperties": _STRING}
    body = {"required": True, "content": {key: {"schema": form} for key in ("application/x-www-form-urlencoded", "multipart/form-data")}}
    errors = (*_BODY, PatientMismatch, RequiredDataUnavailable, UnknownService, UnknownClient, StorageUnavailable)
    form_page = _shown("The simulator's form", **known)
    played = _shown("What an EHR would show, and the exact call; or that call as a file", *errors, kinds=(_HTML, _JSON), requestBody=body, **known)
    for operation in (form_page, played):
        operation["responses"] |= _turned_away(surface)
    return {**start, "/simulator": {"get": form_page, "post": played}}


def _smart() -> dict[str, Any]:
    name = _parameter("name", "path", "The client's name in clients.toml.")
    once = _parameter("once", "path", "What tells one browser tab from another.")
    errors = (UnknownService, LoginFailed, LoginUnavailable, Overloaded, StorageUnavailable)
    launched = [_parameter("iss", "query", "The EHR's FHIR server."), _parameter("launch", "query", "What the EHR made up for this launch.")]
    redirect = {"303": {"description": "On with the login.", "headers": {"Location": {"required": True, "schema": _STRING}}, "content": {_TEXT: {}}}}

    def sent_on(summary: str, **members: Any) -> dict[str, Any]:
        operation = _shown(summary, *errors, **members)
        operation["responses"] = {**redirect, **{status: said for status, said in operation["responses"].items() if status != "200"}}
        return {"get": operation}

    chart = _shown("The evidence of the patient of the launch", *errors, RequiredDataUnavailable)
    return {
        "/smart/launch": sent_on("The EHR opens the app", parameters=launched),
        "/smart/launch/{name}": {"parameters": [name], **sent_on("The app opens by itself")},
        "/smart/callback/{name}": {"parameters": [name], **sent_on("The EHR's sign-in leads back")},
        "/smart/opening/{name}/{once}": {
            "parameters": [name, once],
            "get": _shown("The chart is being read; the browser goes on by itself", UnknownService),
        },
        "/smart/chart/{name}/{once}": {"parameters": [name, once], "get": chart},
        "/smart/keys/{name}": {"parameters": [name], "get": _shown("The app's public keys", UnknownService, kinds=(_JSON,))},
    }


def _turned_away(surface: Surface) -> dict[str, Any]:
    """What whoever may not see a page for governance gets instead."""
    plain = {"content": {_TEXT: {"schema": _STRING}}}
    closed = {
        "401": {"description": "No access token, or a wrong one.", "headers": {"WWW-Authenticate": {"required": True, "schema": _STRING}}, **plain}
    }
    elsewhere = {"403": {"description": "Asked for by another name than this machine's, or sent from a page of another origin.", **plain}}
    return (closed if surface.governance_token else {}) | elsewhere


def _governance(surface: Surface) -> dict[str, Any]:
    texts = ("service", "from", "to")
    lists = ("clients", "releases", "figures", "latency", "daysToResult", "alarms", "weeks")
    figure = {"type": "object", "required": list(COLUMNS)}
    shape = {
        "type": "object",
        "required": [*texts, "client", "made", *lists],
        "properties": {
            **dict.fromkeys(texts, _STRING),
            **{each: {"type": "array", **({"items": figure} if each == "figures" else {})} for each in lists},
        },
    }
    day = {"anyOf": [{"type": "string", "format": "date"}, {"const": ""}]}  # an empty field of the page's form
    parameters = [
        _parameter("from", "query", "The first day; 27 days before the last one unless it is given.", shape=day),
        _parameter("to", "query", "The last day; today unless it is given.", shape=day),
        _parameter("client", "query", "One client; all unless it is given."),
        _parameter("format", "query", "A page, a table or data.", shape={"enum": ["html", "csv", "json"], "default": "html"}),
    ]
    known: dict[str, Any] = {"security": [{"governanceToken": []}]} if surface.governance_token else {}
    report = _read(
        "What was shown, and what clinicians did with it", {_HTML: _STRING, _JSON: shape, _CSV: _STRING}, InvalidRequest, StorageUnavailable, **known
    )
    form = {
        "type": "object",
        "required": ["client", "patient"],
        "properties": {"client": _STRING, "patient": {"type": "string", "minLength": 1, "maxLength": 128}, "lift": _STRING},
    }
    snoozes = _read(
        "What is silent for a patient, and until when; `lift` ends that",
        {_HTML: _STRING},
        *(InvalidRequest, UnknownClient, PayloadTooLarge, StorageUnavailable),
        **known,
    )
    for operation in (report, snoozes):
        operation["responses"] |= _turned_away(surface)
    return {
        "/governance": {"get": {**report, "parameters": parameters}},
        "/governance/snoozes": {"post": {**snoozes, "requestBody": _body(form, "application/x-www-form-urlencoded")}},
    }
