"""Headers on every answer: not stored, not sniffed, nothing loaded or framed, and readable by listed origins without credentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FOR_PEOPLE = ("/governance", "/evidence", "/simulator", "/smart")  # programs of other origins may not read it
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
# What is no page loads nothing, stands in no frame and names no address to others; a page says for itself what it needs.
_UNLESS_SAID = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
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
            said = {name.lower() for name, _ in headers}
            missing = [(name, value) for name, value in _UNLESS_SAID.items() if name not in said]
            return start_response(status, [*headers, *missing, *standing], *error)

        return self._application(environ, start)

    def _standing(self, environ: WSGIEnvironment) -> list[tuple[str, str]]:
        path = environ.get("PATH_INFO", "")
        origin = environ.get("HTTP_ORIGIN", "") if path != "/" and not path.startswith(_FOR_PEOPLE) else ""
        if not origin or not (self._any or origin in self._origins):
            return self._always
        allowed = [*self._always, ("Access-Control-Allow-Origin", "*" if self._any else origin)]
        return [*allowed, *_PREFLIGHT] if environ.get("REQUEST_METHOD") == "OPTIONS" else allowed
