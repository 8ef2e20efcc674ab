"""The simulator's page as a browser without scripts sees it: what its form holds, and what pressing a button sends."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.screen import browser

SIMULATOR = "/simulator"


class Form(HTMLParser):
    """The fields of the form, wherever in the page they stand; its buttons; and the texts of elements that have an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.ticks: list[str] = []
        self.texts: dict[str, str] = {}
        self.words = ""
        self._select = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember a field with its value, as far as it would be sent."""
        self.words += " "
        named = {name: value or "" for name, value in attrs}
        kind, name = named.get("type", "text"), named.get("name", "")
        if tag == "input" and kind == "checkbox":
            self.ticks.append(name)
        if tag == "input" and name and kind != "file" and (kind not in ("radio", "checkbox") or "checked" in named):
            self.fields[name] = named.get("value", "on" if kind in ("radio", "checkbox") else "")
        if tag == "button" and name == "act":
            self.buttons.append(named["value"])
        if tag == "select":
            self._select = name
        if tag == "option" and (self._select not in self.fields or "selected" in named):
            self.fields[self._select] = named.get("value", "")
        if tag in ("h2", "pre", "textarea") and not self._open:
            self._open.append(tag)
            self._id = named.get("id") or name
            self.texts[self._id] = ""
        if tag == "textarea":
            self.fields[name] = ""

    def handle_data(self, data):
        """Words of the element that is open."""
        self.words += data
        if self._open:
            self.texts[self._id] += data

    def handle_endtag(self, tag):
        """End an element that has an id."""
        if self._open and tag == self._open[-1]:
            self._open.pop()
            if tag == "textarea":
                self.fields[self._id] = self.texts[self._id].removeprefix("\n")


class Person:
    """Somebody at the simulator of an application."""

    def __init__(self, app: Any, **headers: str) -> None:
        self.client: FlaskClient = browser(app)
        self.headers = headers
        self.answer: TestResponse = self.client.get("/", headers=headers)
        self.form = Form(self.answer.text)

    def press(self, button: str, file: bytes | None = None, **changed: str) -> TestResponse:
        """Fill in and press a button; the answer is the page from then on, unless it is a file."""
        sent: dict[str, Any] = {**self.form.fields, **changed, "act": button}
        if file is not None:
            sent["file"] = (BytesIO(file), "chart.json")
        answer = self.client.post(SIMULATOR, data=sent, content_type="multipart/form-data", headers=self.headers)
        if answer.mimetype == "text/html":
            self.answer, self.form = answer, Form(answer.text)
        return answer

    def open(self, name: str, **changed: str) -> TestResponse:
        """Open the chart of a constructed patient."""
        return self.press("fire", source="constructed", constructed=name, **changed)

    def paste(self, text: str, **changed: str) -> TestResponse:
        """Open the chart of a pasted Bundle."""
        return self.press("fire", source="bundle", bundle=text, **changed)

    def button(self, act: str) -> str:
        """The first button that does so to a card."""
        return next(one for one in self.form.buttons if one.startswith(f"{act}."))

    def shown(self, name: str) -> Any:
        """The JSON that the page shows as request (`envelope`) or `response`."""
        return json.loads(self.form.texts[name])

    @property
    def words(self) -> str:
        """All words of the page, with single blanks."""
        return " ".join(html.unescape(self.form.words).split())
