"""The fuzz can fail: a service that breaks in any of its ways is found out, the request is made small, and it can be sent again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import build
from tests.fuzz import running
from tests.fuzz.__main__ import repeated, shares, told
from tests.fuzz.campaigns import Campaign, charts, envelopes
from tests.fuzz.running import searched
from tests.fuzz.served import MODES, served
from tests.fuzz.witness import Answered, Sent, read, undocumented, unsound

pytestmark = pytest.mark.long

CALL = Sent("POST", build.SERVICE, build.body_of(build.request(build.suspect())))
OUTCOME = json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}).encode()


class Broken:
    """A service that does something else when a body holds a word; `body` and `status` are then its answer, without a status it raises."""

    def __init__(self, application: Any, word: bytes, status: str | None, kind: str = "application/json", body: bytes = OUTCOME) -> None:
        self.application, self.word, self.status, self.kind, self.body = application, word, status, kind, body

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer, or break."""
        sent = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        if self.word not in sent:
            return self.application(environ, start_response)
        if self.status is None:
            raise ZeroDivisionError
        start_response(self.status, [("Content-Type", self.kind)])
        return [self.body]


# What odd charts hold now and then: a date of no day, a number beyond any type, a member that stands twice.
WAYS = {
    "an exception that nobody handles": (b"2026-02-30", None, "application/json", OUTCOME, "ZeroDivisionError was not handled"),
    "a 500": (b"2026-02-30", "500 Internal Server Error", "application/json", OUTCOME, "answered 500"),
    "a status that is not documented": (b"9999-12-31", "418 I'm a teapot", "application/json", OUTCOME, "answered 418, which is not documented"),
    "a kind that is not documented": (b"9999-12-31", "400 Bad Request", "text/html", OUTCOME, "answered 400 as text/html, which is not documented"),
    "an error that is no OperationOutcome": (
        b"0000-00-00",
        "400 Bad Request",
        "application/json",
        b'{"error":1}',
        "answered 400 with a body that is not sound",
    ),
    "an answer that breaks its schema": (b"0000-00-00", "200 OK", "application/json", b'{"cards":{}}', "answered 200 with a body that is not sound"),
}


@pytest.mark.parametrize("way", WAYS)
def test_finds_what_is_wrong(way):
    """A service that breaks at a rare value is found out, and the last request that was sent is the smallest that shows it."""
    word, status, kind, body, fault = WAYS[way]
    witness = served("open", lambda app: Broken(app, word, status, kind, body))

    found = searched(Campaign("open", charts(), 1), witness, 3000, seed=7)

    assert [True] == [one.startswith(fault) for one in found]
    assert word in witness.wrong[-1][0].body


def test_saves_what_it_found_and_sends_it_again(tmp_path, capsys):
    """A request that was saved is the same when it is read, and is sent to a service of its mode."""
    path = tmp_path / "case.json"
    path.write_text(CALL._replace(query="a=b").written("signed", "answered 500"), encoding="utf-8")

    assert ("signed", CALL._replace(query="a=b")) == read(path)
    assert 0 == repeated(path)
    assert "answered as it should be" in capsys.readouterr().out


@pytest.mark.parametrize("mode", MODES)
def test_finds_nothing_wrong_with_the_service(mode):
    """A few requests in each mode are answered as they should be, and each is counted once."""
    witness = served(mode)

    found = searched(Campaign(mode, envelopes(), 1), witness, 60, seed=3)

    assert [] == found
    assert 60 <= witness.distinct <= witness.sent
    assert sum(witness.statuses.values()) == witness.sent


def test_counts_a_request_that_comes_again_once():
    """What was sent before is no new case."""
    witness = served("open")
    before = witness.distinct

    faults = [witness.send(sent) for sent in (CALL._replace(query="x"), CALL._replace(query="x"))]

    assert ([None, None], before + 1) == (faults, witness.distinct)


def test_divides_the_cases_among_the_campaigns():
    """The shares of all campaigns are as many as were asked for, or a few more."""
    quotas = [quota for _, quota in shares(100_000)]

    assert 100_000 <= sum(quotas) < 100_100


def test_tells_how_to_repeat_a_fault(tmp_path):
    """The line of a campaign names what was wrong, the seed's file and the command."""
    tally = running.Tally("charts", 5, 10, 9, running.Counter({200: 10}), 1.0, ("answered 500",), tmp_path / "charts-5.json")

    text = told(tally)

    assert "charts: 9 different of 10 sent" in text
    assert "WRONG: answered 500" in text
    assert f"make fuzz FUZZ_REPEAT={tmp_path}/charts-5.json" in text


@pytest.mark.parametrize(("sent", "status", "kind", "right"), [(CALL, 200, "application/json", True), (CALL, 204, "application/json", False), (Sent("GET", "/nowhere"), 404, "application/json", True), (Sent("GET", "/nowhere"), 200, "text/html", False)])  # fmt: skip
def test_knows_what_is_documented(sent, status, kind, right):
    """A status or a kind of content that the document lacks is a fault, and so is an answer where nothing is."""
    document = served("open")._document

    assert right == (undocumented(document, sent, Answered(status, kind, b"")) is None)


def test_knows_what_is_sound():
    """An answer is held to the schemas of the service."""
    assert unsound(CALL, Answered(200, "application/json", b'{"cards":[]}')) is None
    assert unsound(CALL, Answered(200, "application/json", b"{}")) is not None
