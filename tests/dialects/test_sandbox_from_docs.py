"""The public CDS Hooks sandbox, as its documents describe it: a browser of another origin that signs with ES384 and reports feedback.

It was not run against the sandbox; docs/clients.md has the registration.
"""

from __future__ import annotations

import json
import re

import pytest

from cds_service.settings import SANDBOX_ORIGIN, Settings
from tests import build
from tests.fakes import checked_app
from tests.trust.minting import BASE, Clock, bearer, entry, pinned, registered

ORIGIN = {"Origin": SANDBOX_ORIGIN}
REQUEST = json.loads((build.FIXTURES.parent / "requests" / "from-docs" / "cds-hooks-sandbox-patient-view.json").read_text(encoding="utf-8"))
FEEDBACK = f"{build.SERVICE}/feedback"


@pytest.fixture
def client(tmp_path):
    """A service with the sandbox's registration: its issuer, and its key saved in a file."""
    known = entry("cds-hooks-sandbox", issuer=SANDBOX_ORIGIN, jwks_file=pinned(tmp_path), fhir_server=REQUEST["fhirServer"], dialect="smart_sandbox")
    return checked_app(Settings(clients=registered(tmp_path, known)), lambda: build.TODAY, Clock()).test_client()


def signed(path=build.SERVICE):
    """The headers of the sandbox's browser."""
    return {**ORIGIN, **bearer(iss=SANDBOX_ORIGIN, aud=f"{BASE}{path}")}


@pytest.mark.parametrize("path", ["/cds-services", build.SERVICE, FEEDBACK])
def test_lets_its_browser_ask_first(client, path):
    """The preflight, which carries no token, allows its origin to send a token and JSON."""
    asked = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    answer = client.options(path, headers=asked)

    assert 200 == answer.status_code
    assert SANDBOX_ORIGIN == answer.headers["Access-Control-Allow-Origin"]
    assert {"authorization", "content-type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


def test_answers_discovery_with_its_token_or_without(client):
    """It reads the services either way, and may see the answer."""
    answers = [client.get("/cds-services", headers=headers) for headers in (ORIGIN, signed("/cds-services"))]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert {SANDBOX_ORIGIN} == {answer.headers["Access-Control-Allow-Origin"] for answer in answers}


def test_answers_its_call_and_takes_its_feedback(client):
    """Signed with ES384 by the key of the file, Bundles without a type, no HTML on the card, and feedback under the service's path."""
    bundles = {key: {name: part for name, part in value.items() if name != "type"} for key, value in REQUEST["prefetch"].items()}
    answer = client.post(build.SERVICE, json={**REQUEST, "prefetch": bundles}, headers=signed())
    (card, *_) = answer.json["cards"]
    accepted = {"outcome": "accepted", "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]}
    taken = {"card": card["uuid"], **accepted, "outcomeTimestamp": f"{build.TODAY}T08:00:00Z"}
    told = client.post(FEEDBACK, json={"feedback": [taken]}, headers=signed(FEEDBACK))

    assert [200, 200] == [answer.status_code, told.status_code]
    assert SANDBOX_ORIGIN == answer.headers["Access-Control-Allow-Origin"] == told.headers["Access-Control-Allow-Origin"]
    assert not re.search(r"<[a-z/!]", card["detail"])
