"""A page as tests see it, and whoever opens it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.storage.database import Database
from cds_service.storage.records import Tally
from tests import build
from tests.fakes import check_answer

PAGE, SNOOZES = "/governance", "/governance/snoozes"


class Page(HTMLParser):
    """What a page shows: the rows of the table in each section, its tags, and where its forms and links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.fields: dict[str, str | None] = {}
        self._section = ""
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember a tag, and begin a section, a row or a cell."""
        named = dict(attrs)
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "h2":
            self._section = named.get("id") or self._section
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag == "td":
            self._cell = []
        if tag == "input" and named.get("type") == "hidden":
            self.fields[named["name"]] = named["value"]

    def handle_data(self, data):
        """Words of a cell."""
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag):
        """End a cell."""
        if tag == "td" and self._cell is not None:
            self.rows[self._section][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def table(self, section: str) -> dict[str, list[str]]:
        """The cells of each row by its first."""
        return {row[0]: row[1:] for row in self.rows.get(section, []) if row}


def browser(app: Flask) -> FlaskClient:
    """Whoever opens pages: what is no page of the protocol has no schema, and errors are checked by `refused`."""
    return FlaskClient(app, app.response_class)


def refused(answer: TestResponse) -> tuple[int, Any]:
    """The status and the place of a refusal, which is an OperationOutcome."""
    check_answer("GET", PAGE, answer.status_code, answer.mimetype, answer.data)
    return answer.status_code, answer.json["issue"][0].get("expression")


def counted(database: Database, number: int = 20, **members: Any) -> None:
    """Write so many calls with a card and as many without."""
    usual = {"day": build.TODAY, "client": "north", "service": "vexas", "digest": "d" * 12, "version": "0.1.0", "what": "call"}
    tallies = {Tally(**{**usual, **members, "which": which}): number for which in ("shown", "nothing")}
    database.work(lambda book: book.count(tallies, (), ()))
