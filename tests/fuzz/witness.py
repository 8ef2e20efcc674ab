"""Stands before the service, counts each request, and keeps every answer that must not be."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes import check_answer

_OF_NO_MATTER = ("HTTP_HOST", "HTTP_X_SCHEMATHESIS_TESTCASEID")  # the second would make every request another one
_FOR_PEOPLE = ("/governance", "/evidence", "/simulator", "/smart")  # pages, whose refusals are words or pages, too


class Sent(NamedTuple):
    """A request, as it can be written to a file and sent again."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("CONTENT_TYPE", "application/json"),)
    query: str = ""

    def written(self, mode: str, fault: str) -> str:
        """The text of a file that `read` takes."""
        return json.dumps({**self._asdict(), "body": base64.b64encode(self.body).decode(), "mode": mode, "fault": fault}, indent=1)


class Answered(NamedTuple):
    """What came back."""

    status: int
    mimetype: str
    body: bytes


def read(path: Path) -> tuple[str, Sent]:
    """The mode of the service and the request in a file."""
    value = json.loads(path.read_text(encoding="utf-8"))
    headers = tuple((name, text) for name, text in value["headers"])
    return value["mode"], Sent(value["method"], value["path"], base64.b64decode(value["body"]), headers, value["query"])


class Witness:
    """A WSGI application before another. `sign` makes a good token for each request."""

    def __init__(self, application: Any, document: dict[str, Any], sign: Callable[[str], str] | None = None) -> None:
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.wrong: list[tuple[Sent, str]] = []
        self._application = application
        self._document = document
        self._sign = sign
        self._known: set[bytes] = set()

    @property
    def distinct(self) -> int:
        """How many different requests came."""
        return len(self._known)

    def send(self, sent: Sent) -> str | None:
        """Send a request, unless it was sent before and nothing was ever wrong; what is wrong with its answer."""
        if not self.wrong and _name(sent) in self._known:
            return None
        before = len(self.wrong)
        self(environment(sent), lambda *_: None)
        return self.wrong[-1][1] if len(self.wrong) > before else None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass one request on, and look at its answer."""
        sent = _sent(environ)
        environ["wsgi.input"] = io.BytesIO(sent.body)
        self.sent += 1
        self._known.add(_name(sent))
        if self._sign:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self._sign(sent.path)}"
        try:
            answered, start = _answered(self._application, environ)
        except Exception as error:  # noqa: BLE001 - whatever a server would have to answer for
            self.wrong.append((sent, f"{type(error).__name__} was not handled"))
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b""]
        self.statuses[answered.status] += 1
        fault = self._fault(sent, answered)
        if fault:
            self.wrong.append((sent, fault))
        start_response(*start)
        return [answered.body]

    def _fault(self, sent: Sent, answered: Answered) -> str | None:
        if answered.status >= 500:
            return f"answered {answered.status}"
        return undocumented(self._document, sent, answered) or unsound(sent, answered)


def undocumented(document: dict[str, Any], sent: Sent, answered: Answered) -> str | None:
    """What of an answer is not in the OpenAPI document."""
    operation = operation_of(document, sent.method, sent.path)
    if operation is None:
        usual = {401, 404, 405} | ({200} if sent.method == "OPTIONS" else set())
        return None if answered.status in usual else f"answered {answered.status} where nothing is"
    found = operation["responses"].get(str(answered.status))
    if found is None:
        return f"answered {answered.status}, which is not documented"
    return None if answered.mimetype in found["content"] else f"answered {answered.status} as {answered.mimetype}, which is not documented"


def unsound(sent: Sent, answered: Answered) -> str | None:
    """What of an answer breaks its schema."""
    if (sent.path.startswith(_FOR_PEOPLE) and answered.mimetype != "application/json") or sent.method == "OPTIONS":
        return None
    try:
        check_answer(sent.method, sent.path, answered.status, answered.mimetype, answered.body)
    except (AssertionError, ValueError) as error:
        return f"answered {answered.status} with a body that is not sound: {str(error)[:200]}"
    return None


def operation_of(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """The operation of a request; a path that stands in the document as it is goes before one with parameters."""
    known = "get" if method == "HEAD" else method.lower()
    for template in sorted(document["paths"], key=lambda text: text.count("{")):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) or (template.startswith("/cds-services") and re.fullmatch(pattern + "/?", path)):
            item = document["paths"][template]
            # A service that is not listed is not there.
            return item.get(known)
    return None


def environment(sent: Sent) -> dict[str, Any]:
    """The WSGI environment of a request."""
    return {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": sent.path.encode().decode("latin-1"),
        "QUERY_STRING": sent.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "CONTENT_LENGTH": str(len(sent.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **dict(sent.headers),
    }


def _name(sent: Sent) -> bytes:
    return hashlib.blake2b(
        repr((sent.method, sent.path, sent.query, sent.headers, sent.body)).encode(errors="surrogatepass"), digest_size=12
    ).digest()


def _sent(environ: dict[str, Any]) -> Sent:
    headers = {k: v for k, v in environ.items() if k.startswith("HTTP_") and k not in _OF_NO_MATTER} | (
        {"CONTENT_TYPE": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
    )
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    return Sent(environ["REQUEST_METHOD"], path, environ["wsgi.input"].read(), tuple(sorted(headers.items())), environ.get("QUERY_STRING", ""))


def _answered(application: Any, environ: dict[str, Any]) -> tuple[Answered, tuple[Any, ...]]:
    started: list[tuple[Any, ...]] = []
    pieces = application(environ, lambda *given: started.append(given))
    try:
        body = b"".join(pieces)
    finally:
        getattr(pieces, "close", lambda: None)()
    status, headers = started[-1][:2]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return Answered(int(status.split()[0]), kind.partition(";")[0].strip(), body), started[-1]
