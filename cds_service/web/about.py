"""The start page and /about: what the service is for, what it looks for, by which rules, and from which sources."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from cds_service.invocation import Service

_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def blueprint(service: Service) -> Blueprint:
    """GET / and GET /about."""
    routes = Blueprint("about", __name__, template_folder="templates")

    def page(template: str) -> Response:
        criteria = [(t.topic, c) for t in service.knowledge.assessment.tiers for c in t.any]
        response = make_response(render_template(template, k=service.knowledge, base_url=service.base_url, criteria=criteria))
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @routes.get("/")
    def start() -> Response:
        return page("start.html")

    @routes.get("/about")
    def about() -> Response:
        return page("about.html")

    return routes
