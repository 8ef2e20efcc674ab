"""Stand-ins that the tests share: a client that checks every answer, a log that remembers, a clock that breaks."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient

from cds_service.protocol import schema


class CheckedClient(FlaskClient):
    """A test client whose every JSON answer must be valid against our schemas and hold no empty member."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request and check what comes back."""
        response = super().open(*args, **kwargs)
        name = schema_of(response.request.method, response.request.path, response.status_code)
        if name:
            assert response.mimetype == "application/json"
            assert [] == list(schema.faults(name, response.json))
            assert [] == list(empty_members(response.json))
        return response


def schema_of(method: str, path: str, status: int) -> str | None:
    """The schema that an answer must be valid against."""
    if method == "HEAD":
        return None
    if status >= 400:
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
