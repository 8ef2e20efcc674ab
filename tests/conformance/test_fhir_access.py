"""Reading from the client's FHIR server: what was not prefetched is read there, and each call presents the token."""

from __future__ import annotations

import json

import pytest

from tests.fakes import answer_of
from tests.faults import matrix
from tests.faults.servers import Chart, serving
from tests.fixtures_.charts import TEMPLATES, bundle

TOKEN = "c2FuZGJveA.token-1"
AUTHORIZATION = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "cds"}


def answer(base: str, mode: str, **members) -> dict:
    """The answer of a service whose client has a FHIR server that takes tokens."""
    service = matrix.service_for(base, deadline=10.0, open=False)  # what it says is tested, not how busy the machine is
    call = {**matrix.call_for(base, mode), **members}
    try:
        return json.loads(answer_of(service, json.dumps(call).encode()).body)
    finally:
        service.fallback.close()


@pytest.mark.requirement("cds-hooks_2.0@34")
@pytest.mark.requirement("cds-hooks_2.0@60")
def test_reads_from_the_server_what_was_not_sent():
    """The cards are the same whether the data were prefetched or read."""
    with serving(Chart(bundle(matrix.PATIENT)).honest) as server:
        read = answer(server.base, "none", fhirAuthorization=AUTHORIZATION)
        sent = answer(server.base, "full", fhirAuthorization=AUTHORIZATION)

    assert sent == read
    assert read["cards"]


@pytest.mark.requirement("cds-hooks_2.0@60")
def test_reads_only_what_was_not_sent():
    """A key that came with the call is not asked for again."""
    with serving(Chart(bundle(matrix.PATIENT)).honest) as server:
        answer(server.base, "partial", fhirAuthorization=AUTHORIZATION)
        asked = len(server.asked)

    assert len(TEMPLATES) - len(matrix.SENT) == asked


@pytest.mark.requirement("cds-hooks_2.0@61")
def test_presents_the_token_with_each_read():
    """Every request to the FHIR server carries the access token of the call as a bearer token."""
    with serving(Chart(bundle(matrix.PATIENT)).honest) as server:
        answer(server.base, "none", fhirAuthorization=AUTHORIZATION)

    assert len(TEMPLATES) == len(server.asked)
    assert {f"Bearer {TOKEN}"} == {one.headers.get("authorization") for one in server.asked}


@pytest.mark.requirement("cds-hooks_2.0@61")
def test_reads_nothing_without_a_token():
    """Without a token nothing is read, and the answer says what is missing for want of it."""
    with serving(Chart(bundle(matrix.PATIENT)).honest) as server:
        without = answer(server.base, "partial")

    assert [] == server.asked
    assert "**Not available**" in without["cards"][0]["detail"]
