"""Sends marked requests to applications and notes what was sent, where it went, and all that came back."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from tests.fakes import CheckedClient
from tests.web.screen import browser


class Came(NamedTuple):
    """One answer, by what was asked."""

    app: str
    method: str
    path: str
    rule: str | None
    status: int
    code: str | None
    headers: str
    body: str


class Walker:
    """Walks through applications."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tokens: list[str] = []
        self.came: list[Came] = []

    def ask(self, app: Flask, path: str, method: str = "GET", *, page: bool = False, tab: FlaskClient | None = None, **sent: Any) -> Any:
        """Send one request; `page` is for what answers in words and not in JSON, `tab` a browser that keeps its cookies."""
        client = tab or (browser(app) if page else app.test_client())
        self.sent.append(repr((method, path, sent)))
        response = client.open(path, method=method, **sent)
        self.note(app, method, path, response)
        return response

    def note(self, app: Flask, method: str, path: str, response: Any) -> None:
        """Remember an answer."""
        body = response.get_data(as_text=True)
        self.came.append(Came(app.name, method, path, rule_of(app, method, path), response.status_code, _code(body), str(response.headers), body))

    def post(self, app: Flask, path: str, value: Any, **sent: Any) -> Any:
        """Send a value as JSON."""
        return self.ask(app, path, "POST", data=json.dumps(value), content_type="application/json", **sent)

    def failure(self, app: Flask, failure: Any, send: Any) -> None:
        """Send one of the ways to fail."""
        self.sent.append(repr(failure))
        client: CheckedClient = app.test_client()
        self.note(app, failure.method, failure.path.partition("?")[0], send(client, failure))


def rule_of(app: Flask, method: str, path: str) -> str | None:
    """The route of a request; None where there is none."""
    try:
        return str(app.url_map.bind("127.0.0.1").match(path.partition("?")[0], method=method, return_rule=True)[0])
    except HTTPException:
        return None


def _code(body: str) -> str | None:
    """The code of a refusal."""
    try:
        value = json.loads(body)
        return str(value["issue"][0]["details"]["text"])
    except (ValueError, KeyError, TypeError):
        return None
