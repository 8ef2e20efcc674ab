"""The page of an error, for who asked for a page."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from cds_service.errors import CDSServiceError
from cds_service.knowledge.loader import Knowledge
from cds_service.web.rendering import templates

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_of_errors(knowledge: Knowledge) -> Callable[[CDSServiceError], Response]:
    """Makes the page of any error; it holds nobody's words."""
    template = templates(k=knowledge).get_template("problem.html")

    def page(error: CDSServiceError) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
        return Response(template.render(error=error), error.status, headers, content_type="text/html; charset=utf-8")

    return page
