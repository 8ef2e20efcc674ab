"""A browser-based client can discover the service, call it, and read even its errors."""

from __future__ import annotations

import pytest

from cds_service.settings import SANDBOX_ORIGIN, Settings
from tests import build
from tests.fakes import BrokenClock, checked_app

ORIGIN = {"Origin": SANDBOX_ORIGIN}
CALLS = {"an answer": (200, build.request(build.suspect())), "a refusal": (400, {}), "a call without data": (412, build.request())}


@pytest.mark.requirement("cds-hooks_2.0@208")
@pytest.mark.parametrize(("method", "path"), [("GET", "/cds-services"), ("POST", build.SERVICE)])
def test_answers_the_question_that_a_browser_asks_first(client, method, path):
    """The preflight of discovery and of a call allows the method and the headers of a JSON call with a token, without a token itself."""
    asked = {**ORIGIN, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}

    answer = client.options(path, headers=asked)

    allowed = {name: answer.headers[f"Access-Control-Allow-{name}"].lower().split(", ") for name in ("Origin", "Methods", "Headers")}
    assert answer.status_code in (200, 204)
    assert [SANDBOX_ORIGIN] == allowed["Origin"]
    assert method.lower() in allowed["Methods"]
    assert {"authorization", "content-type"} <= set(allowed["Headers"])


@pytest.mark.requirement("cds-hooks_2.0@208")
@pytest.mark.parametrize("way", CALLS)
def test_lets_a_browser_read_what_a_call_gets(client, way):
    """Cards and errors alike name the origin that may read them."""
    status, request = CALLS[way]

    answer = client.post(build.SERVICE, json=request, headers=ORIGIN)

    assert (status, SANDBOX_ORIGIN) == (answer.status_code, answer.headers["Access-Control-Allow-Origin"])


@pytest.mark.requirement("cds-hooks_2.0@208")
def test_lets_a_browser_read_that_the_service_failed():
    """Even a defect can be told from a network that is down."""
    client = checked_app(Settings(), BrokenClock("x")).test_client()

    answer = client.post(build.SERVICE, json=build.request(build.suspect()), headers=ORIGIN)

    assert (500, SANDBOX_ORIGIN) == (answer.status_code, answer.headers["Access-Control-Allow-Origin"])
