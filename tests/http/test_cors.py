"""Cross-origin calls of browser clients."""

from __future__ import annotations

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app

SANDBOX = "https://sandbox.cds-hooks.org"
ALLOWED = "Access-Control-Allow-Origin"
STRANGERS = ["https://evil.example.org", "https://sandbox.cds-hooks.org.evil.example", "http://sandbox.cds-hooks.org", "null", ""]


@pytest.mark.requirement("cds-hooks_2.0@208")
def test_answers_the_preflight_of_the_public_sandbox(client):
    """The preflight names origin, methods and headers, and no credentials."""
    asked = {"Origin": SANDBOX, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,authorization"}

    response = client.options(build.SERVICE, headers=asked)

    assert response.status_code in (200, 204)
    assert SANDBOX == response.headers[ALLOWED]
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert {"content-type", "authorization"} <= {h.strip().lower() for h in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", ["/cds-services", build.SERVICE, "/nothing-here"])
def test_lets_the_sandbox_read_every_answer(client, path):
    """Answers and errors alike carry the header for a listed origin."""
    response = client.get(path, headers={"Origin": SANDBOX})

    assert SANDBOX == response.headers[ALLOWED]


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_gives_an_unlisted_origin_no_header(client, origin, method):
    """Nothing but the exact origin is allowed."""
    response = client.open(build.SERVICE, method=method, headers={"Origin": origin})

    assert [] == [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118


def test_tells_caches_that_answers_differ_by_origin(client):
    """Vary names Origin whether or not the origin is allowed."""
    answers = [client.get("/cds-services", headers=h) for h in ({}, {"Origin": SANDBOX})]

    assert ["Origin", "Origin"] == [a.headers["Vary"] for a in answers]


def test_allows_any_origin_where_the_setting_says_so():
    """With * every origin may read, without credentials."""
    client = checked_app(Settings(cors_origins=("*",)), lambda: build.TODAY).test_client()

    response = client.get("/cds-services", headers={"Origin": "https://anyone.example.org"})

    assert "*" == response.headers[ALLOWED]
