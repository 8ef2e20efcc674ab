"""Stand-ins that the tests share: a client that checks every answer, a log that remembers, a clock that breaks."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.invocation import Answer, Service
from cds_service.protocol import schema
from cds_service.settings import Settings


def checked_app(settings: Settings, today: Callable[[], dt.date], now: Callable[[], dt.datetime] | None = None) -> Flask:
    """The application, with a test client that checks every answer; the one way in which tests make it. Its database is in memory."""
    if settings.database == Settings().database:
        settings = settings._replace(database="sqlite://")
    app = create_app(settings, today=today, now=now)
    app.test_client_class = CheckedClient
    return app


class CheckedClient(FlaskClient):
    """A test client whose every answer is checked."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request and check what comes back."""
        response = super().open(*args, **kwargs)
        check_answer(response.request.method, response.request.path, response.status_code, response.mimetype, response.data)
        return response


@functools.lru_cache(maxsize=1000)
def check_answer(method: str, path: str, status: int, mimetype: str, body: bytes) -> None:
    """Fail unless an answer of the protocol is JSON, valid against our schemas, and without an empty member."""
    name = schema_of(method, path, status)
    if name:
        assert "application/json" == mimetype
        value = read_strictly(body)
        assert [] == list(schema.faults(name, value))
        assert [] == list(empty_members(value))


def ask(service: Service, request: dict[str, Any]) -> Any:
    """The checked answer of a service that is called without HTTP."""
    return json.loads(answer_of(service, json.dumps(request).encode()).body)


def answer_of(service: Service, body: bytes) -> Answer:
    """The checked answer of a service to the bytes of a call. Raises CDSServiceError for one that is refused."""
    name = service.knowledge.module.service.id
    answer = service.call(name, body)
    check_answer("POST", f"/cds-services/{name}", 200, "application/json", answer.body)
    return answer


def read_strictly(body: bytes) -> Any:
    """JSON in UTF-8 with each member once and without NaN or Infinity. Raises ValueError."""
    return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"a member stands twice among {[name for name, _ in pairs]}")
    return dict(pairs)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def schema_of(method: str, path: str, status: int) -> str | None:
    """The schema that an answer must be valid against."""
    if method == "HEAD" or (method == "OPTIONS" and status < 400):
        return None
    if status >= 400:
        return "operation-outcome-error.schema.json"
    if path.rstrip("/").endswith("/feedback"):
        return "operation-outcome-error.schema.json"
    if method == "POST":
        return "service-response.schema.json"
    return "discovery-response.schema.json" if method == "GET" and path.rstrip("/") == "/cds-services" else None


def empty_members(value: Any, place: str = "") -> Iterator[str]:
    """The places of null, "", [] and {}; only `cards` may be an empty array."""
    if value in (None, "") or (value in ([], {}) and place != "/cards"):
        yield place or "/"
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from empty_members(inner, f"{place}/{name}")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from empty_members(inner, f"{place}/{index}")


class Log(logging.Handler):
    """Remembers every line that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line with its traceback, as a file would hold it."""
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))


class BrokenClock:
    """A clock that fails with a patient's words in its error."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __call__(self) -> dt.date:
        """Fail."""
        raise RuntimeError(self.words)
