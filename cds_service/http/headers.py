"""Headers on every answer: not stored, not sniffed, and readable by listed origins of browser clients without credentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FOR_PEOPLE = ("/governance", "/evidence", "/simulator")  # programs of other origins may not read it
_ALWAYS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
_PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "authorization, content-type"),
    ("Access-Control-Max-Age", "600"),
]


class StandingHeaders:
    """A WSGI application whose answers, errors included, carry the headers that every answer has."""

    def __init__(self, application: WSGIApplication, origins: tuple[str, ...]) -> None:
        self._application = application
        self._origins = frozenset(origins)
        self._any = "*" in origins
        self._always = _ALWAYS if self._any else [*_ALWAYS, ("Vary", "Origin")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        standing = self._standing(environ)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, *standing], *error)

        return self._application(environ, start)

    def _standing(self, environ: WSGIEnvironment) -> list[tuple[str, str]]:
        path = environ.get("PATH_INFO", "")
        origin = environ.get("HTTP_ORIGIN", "") if path != "/" and not path.startswith(_FOR_PEOPLE) else ""
        if not origin or not (self._any or origin in self._origins):
            return self._always
        allowed = [*self._always, ("Access-Control-Allow-Origin", "*" if self._any else origin)]
        return [*allowed, *_PREFLIGHT] if environ.get("REQUEST_METHOD") == "OPTIONS" else allowed
