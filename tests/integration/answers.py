"""What the service answered to a call, and everything about an answer that must never be."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.protocol import schema
from cds_service.settings import Settings
from tests import build
from tests.fakes import empty_members, schema_of
from tests.integration.calls import Call

# UBA1 and the disease by every name and number that a chart could give them, looked for in the raw text.
_GENE = re.compile(r"uba1\b|\bube1\b|vexas|HGNC:12469|\bP22314\b|NM_003334|NM_153280|NP_003325|NP_695012|104268-8|301054|596753", re.IGNORECASE)
GENE_TOPICS = frozenset({"vexas-confirmed", "vexas-supportive-care", "vexas-uncertain", "vexas-negative"})


class Calendar:
    """The day on which the service believes to be; each chart is read on its own last day."""

    def __init__(self) -> None:
        self.day = build.TODAY

    def __call__(self) -> dt.date:
        """Answer the day."""
        return self.day


class Answer(NamedTuple):
    """The answer to a call, with the bytes that were sent."""

    call: Call
    sent: bytes
    status: int
    body: bytes

    @property
    def told(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.body)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of the cards."""
        return tuple(card["source"]["topic"]["code"] for card in self.told.get("cards", ()))

    @property
    def refusal(self) -> str | None:
        """Our code and sentence of a refusal, without the place."""
        issue = self.told["issue"][0] if self.status != 200 else None
        return f"{self.status} {issue['details']['text']}: {issue['diagnostics']}" if issue else None


class Service:
    """The whole application behind its HTTP interface, on any day."""

    def __init__(self) -> None:
        self.calendar = Calendar()
        app: Flask = create_app(Settings(), today=self.calendar)
        self.client: FlaskClient = app.test_client()

    def answer(self, call: Call) -> Answer:
        """The answer to a call on its day."""
        self.calendar.day = call.day
        sent = call.body
        response = self.client.post(build.SERVICE, data=sent, content_type="application/json")
        return Answer(call, sent, response.status_code, response.data)


def names_gene(text: str) -> bool:
    """Whether raw text names the gene or the disease."""
    return _GENE.search(text) is not None


def faults(answer: Answer) -> Iterator[str]:
    """Everything about an answer that must never be, whatever was sent."""
    expected = answer.call.expected_status(len(answer.sent))
    if answer.status != expected:
        yield f"{answer.call.label}: status {answer.status}, not {expected}"
    told = answer.told
    for fault in (*schema.faults(str(schema_of("POST", build.SERVICE, answer.status)), told), *empty_members(told)):
        yield f"{answer.call.label}: {fault}"
    if answer.topics and answer.call.needs_silence:
        yield f"{answer.call.label}: a card for a patient who is {answer.call.needs_silence}"
    if GENE_TOPICS & set(answer.topics) and not names_gene(answer.sent.decode()):
        yield f"{answer.call.label}: {', '.join(answer.topics)} without the gene being named"
