"""/about and a page for every entry: what the service is for, by which rules it decides, and from which sources."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from msgspec import structs

from cds_service.errors import UnknownService
from cds_service.invocation import Service
from cds_service.protocol.response import encode
from cds_service.web.catalogue import Catalogue
from cds_service.web.entries import CONFIDENCE, KINDS, AboutModule
from cds_service.web.rendering import templates

_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_JSON, _HTML = "application/json", "text/html"


def blueprint(service: Service, mode: str = "open") -> Blueprint:
    """GET /about (HTML or JSON), GET /about.json, GET /about/<kind>/<id> and the pages of the gene, the response rates and the article."""
    routes = Blueprint("about", __name__)
    catalogue = Catalogue(service.knowledge)
    pages = templates(k=service.knowledge, base_url=service.base_url, kinds=KINDS, confidence=CONFIDENCE, mode=mode)

    def page(template: str, **content: Any) -> Response:
        response = Response(pages.get_template(template).render(**content), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def answer(template: str, content: Any, **more: Any) -> Response:
        """As HTML, or as JSON where the caller prefers it."""
        response = _json(content) if _wants_json() else page(template, a=content, **more)
        response.vary.add("Accept")
        return response

    def told() -> AboutModule:
        return structs.replace(catalogue.about, callers=mode)

    @routes.get("/about")
    def about() -> Response:
        return answer("about.html", told())

    @routes.get("/about.json")
    def about_json() -> Response:
        return _json(told())

    @routes.get("/about/genetics")
    def genetics() -> Response:
        return answer("genetics.html", catalogue.about.genetics)

    @routes.get("/about/response-rates")
    def response_rates() -> Response:
        return answer("response_rates.html", catalogue.about.response_rates)

    @routes.get("/about/article")
    def article() -> Response:
        return answer("article.html", catalogue.about.article)

    @routes.get("/about/value-sets/<name>")
    def value_set(name: str) -> Response:
        if name not in service.knowledge.value_sets:
            raise _no_page()
        return answer("value_set.html", catalogue.value_set(name))

    @routes.get("/about/<kind>/<name>")
    def entry(kind: str, name: str) -> Response:
        found = catalogue.detail(kind, name)
        if found is None:
            raise _no_page()
        return answer("entry.html", found.entry, wording=found.wording, whens=found.whens, pages=catalogue.pages)

    return routes


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return accepted.best_match([_HTML, _JSON]) == _JSON and accepted[_JSON] > accepted[_HTML]


def _json(content: Any) -> Response:
    return Response(encode(content), content_type=_JSON)


def _no_page() -> UnknownService:
    return UnknownService("There is no such page. GET /about links to every page that there is.")
