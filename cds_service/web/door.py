"""The door of pages that are for whoever runs the service: with a token, or for this machine only; forms come from their own page."""

from __future__ import annotations

import hmac

from flask import Request, Response, request

from cds_service.settings import is_loopback

_CLOSED = "This page needs an access token as the password, with any user name. CDS_GOVERNANCE_TOKEN_FILE names the file that holds it.\n"
_ELSEWHERE = "Without a token this page is for this machine only, under its own name.\n"
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
_TEXT = "text/plain; charset=utf-8"


class Door:
    """Lets in who has the token, or without one who sits at this machine."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    @property
    def locked(self) -> bool:
        """Whether it takes a token to get in."""
        return self._token is not None

    def turned_away(self) -> Response | None:
        """The answer to whoever may not come in; None if the request may go on."""
        given = request.authorization.password if request.authorization and request.authorization.type == "basic" else None
        if self._token is not None and not hmac.compare_digest((given or "").encode(), self._token.encode()):
            return Response(_CLOSED, 401, {"WWW-Authenticate": 'Basic realm="governance", charset="UTF-8"'}, content_type=_TEXT)
        if self._token is None and not _local(request):
            return Response(_ELSEWHERE, 403, content_type=_TEXT)
        if request.method == "POST" and not _same_origin(request):
            return Response("This form is sent from its own page only.\n", 403, content_type=_TEXT)
        return None


def _local(asked: Request) -> bool:
    """Whether a page was asked for by this machine's own name, and by no proxy: a stranger's name that was pointed here is none."""
    host = asked.host
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return (name == "localhost" or is_loopback(name.strip("[]"))) and not any(header in asked.headers for header in _FORWARDED)


def _same_origin(asked: Request) -> bool:
    """Whether a form was sent from a page of this service; browsers say so, and other programs need no leave."""
    origin = asked.headers.get("Origin")
    return asked.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none") and (
        origin is None or origin.partition("://")[2] == asked.host
    )
