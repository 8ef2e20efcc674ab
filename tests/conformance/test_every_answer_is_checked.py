"""Every answer that any test gets is checked against the schemas, and the check can fail."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from cds_service.invocation import Answer, Service
from cds_service.record.facts import PatientRecord
from tests import build
from tests.fakes import CheckedClient, ask

TESTS = Path(__file__).parent.parent
DOOR = TESTS / "fakes.py"
MODULES = [path for path in sorted(TESTS.rglob("*.py")) if path not in (DOOR, Path(__file__))]
REAL_HTTP = {"urllib.request", "urlopen", "http.client", "requests", "httpx", "urllib3"}
MAKERS = {"create_app", "server_app", "test_client_class", "wsgi_app", "run_wsgi_app", "werkzeug.test.Client"}
# These speak to FHIR servers and never to the service.
TO_FHIR_SERVERS = {"integration/servers/process.py", "integration/servers/upload.py", "integration/servers/test_servers.py"}
JSON = "application/json"
CARD = {"summary": "s", "indicator": "info", "source": {"label": "l"}}
LISTED = {"hook": "patient-view", "id": "x", "description": "d"}
DRAFT = {"label": "s", "actions": [{"type": "create", "description": "d", "resource": {"resourceType": "Basic", "id": ""}}]}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}


def named_in(path: Path) -> set[str]:
    """Every name, member and import in a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(alias.name for alias in node.names), *(f"{node.module}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.Name):
            found.add(node.id)
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def calls_a_member(path: Path, name: str) -> bool:
    """Whether a module calls something.NAME()."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr == name for called in calls)


def room(path: Path) -> str:
    """The path of a module among the tests."""
    return path.relative_to(TESTS).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=room)
def test_makes_no_client_that_does_not_check(path):
    """A module makes the application by fakes.checked_app, or checks schema and empty members of each answer itself."""
    names = named_in(path)

    checks_itself = {"schema_of", "empty_members", "faults"} <= names
    assert not names & MAKERS or checks_itself


@pytest.mark.parametrize("path", MODULES, ids=room)
def test_calls_the_service_without_http_in_one_place(path):
    """No module but fakes.py calls Service.call, so what it answers is checked as well."""
    assert not calls_a_member(path, "call")


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) not in TO_FHIR_SERVERS], ids=room)
def test_checks_what_comes_over_real_http(path):
    """A module that speaks HTTP itself checks each answer by check_answer."""
    names = named_in(path)

    assert not names & REAL_HTTP or "check_answer" in names


def test_gives_every_test_the_client_that_checks(app, client):
    """The fixtures hold the checked client."""
    assert (CheckedClient, CheckedClient) == (app.test_client_class, type(client))


def client_of(body: bytes, status: int, kind: str) -> CheckedClient:
    """A checked client of a service that always answers the same."""
    app = Flask("the same")
    app.test_client_class = CheckedClient
    app.add_url_rule("/cds-services", "discover", lambda: Response(body, status, content_type=kind))
    app.add_url_rule("/cds-services/x", "call", lambda: Response(body, status, content_type=kind), methods=["POST"])
    return app.test_client()


INVALID: dict[str, tuple[str, int, Any]] = {
    "no cards": ("POST", 200, {}),
    "cards that are an object": ("POST", 200, {"cards": {}}),
    "a card without summary": ("POST", 200, {"cards": [{"indicator": "info", "source": {"label": "l"}}]}),
    "a summary of 140 characters": ("POST", 200, {"cards": [{**CARD, "summary": "x" * 140}]}),
    "a null member": ("POST", 200, {"cards": [{**CARD, "detail": None}]}),
    "an empty array": ("POST", 200, {"cards": [{**CARD, "suggestions": []}]}),
    "an empty member deep in a resource": ("POST", 200, {"cards": [{**CARD, "suggestions": [DRAFT], "selectionBehavior": "any"}]}),
    "an error that is no OperationOutcome": ("POST", 400, {"error": "x"}),
    "an OperationOutcome as success": ("POST", 200, OUTCOME),
    "a status that tells no error of an error": ("POST", 204, OUTCOME),
    "an empty issue": ("POST", 500, {**OUTCOME, "issue": []}),
    "a service without description": ("GET", 200, {"services": [{"hook": "patient-view", "id": "x"}]}),
    "an empty prefetch": ("GET", 200, {"services": [{**LISTED, "prefetch": {}}]}),
    "discovery that is an array": ("GET", 200, [LISTED]),
}


def send(client: CheckedClient, method: str) -> Any:
    """Discover or call."""
    return client.open("/cds-services" if method == "GET" else "/cds-services/x", method=method)


@pytest.mark.parametrize("way", INVALID)
def test_fails_for_an_invalid_answer(way):
    """An answer that breaks a schema or holds an empty member fails the test that got it."""
    method, status, body = INVALID[way]

    with pytest.raises((AssertionError, ValueError)):
        send(client_of(build.body_of(body), status, JSON), method)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"cards":NaN}', b'{"cards":[],"cards":[]}', b'\xef\xbb\xbf{"cards":[]}', '{"cards":[]}'.encode("utf-16")]
)
def test_fails_for_an_answer_that_is_not_json(body):
    """What RFC 8259 would not have fails the test that got it."""
    with pytest.raises((AssertionError, ValueError)):
        send(client_of(body, 200, JSON), "POST")


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "application/fhir+json"])
def test_fails_for_an_answer_of_another_type(kind):
    """An answer that is not said to be JSON fails the test that got it."""
    with pytest.raises(AssertionError):
        send(client_of(b'{"cards":[]}', 200, kind), "POST")


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("POST", 200, {"cards": []}), ("POST", 200, {"cards": [CARD]}), ("POST", 412, OUTCOME), ("GET", 200, {"services": [LISTED]})],
)
def test_lets_a_valid_answer_pass(method, status, body):
    """The least that the standard asks for is enough."""
    assert status == send(client_of(build.body_of(body), status, JSON), method).status_code


class Mute(Service):
    """A service that answers without cards, not even none."""

    def call(self, service_id: str, body: bytes) -> Answer:  # noqa: ARG002 - it never listens
        """Answer with an empty object."""
        return Answer(b"{}", (), 0, build.visit(), PatientRecord(patient_id=build.PATIENT_ID))


def test_fails_for_an_invalid_answer_without_http():
    """A service that is called directly is checked as well."""
    mute = Mute(build.KNOWLEDGE, "https://cds.example.org", lambda: build.TODAY)

    with pytest.raises(AssertionError):
        ask(mute, {})
