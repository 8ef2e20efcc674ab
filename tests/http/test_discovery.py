"""Discovery: what an EHR reads once, to know what to send."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from cds_service.protocol import schema
from tests import build

PORTABLE = re.compile(
    r"Patient/\{\{context\.patientId\}\}|[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}(&code=[^&{}]+)?(&_sort=-date)?(&_count=\d+)?"
)
FORBIDDEN = ("_include", "_revinclude", "_elements", "_summary", "today()", "%", ":not", "_has")


def services(client: FlaskClient) -> list[dict]:
    """The services that discovery lists."""
    return client.get("/cds-services").json["services"]


@pytest.mark.requirement("cds-hooks_2.0@5", "cds-hooks_2.0@13")
def test_lists_one_service_for_patient_view(client):
    """Discovery names the hook, an id that is safe in a URL, a title, a description and the usage requirements."""
    response = client.get("/cds-services")

    assert 200 == response.status_code
    assert "application/json" == response.content_type
    assert [("patient-view", "vexas")] == [(s["hook"], s["id"]) for s in response.json["services"]]
    assert {"hook", "title", "description", "id", "prefetch", "usageRequirements"} == set(response.json["services"][0])


def test_gives_the_same_bytes_every_time(client):
    """Discovery is stable."""
    first = client.get("/cds-services").data

    assert first == client.get("/cds-services").data


def test_answers_head_without_a_body(client):
    """HEAD on discovery is 200 and empty."""
    response = client.head("/cds-services")

    assert (200, b"") == (response.status_code, response.data)


@pytest.mark.requirement("cds-hooks_2.0@16")
def test_serves_every_service_that_it_lists(client):
    """A service that discovery lists takes calls at its id."""
    answers = [client.post(f"/cds-services/{s['id']}", json=build.request(build.healthy())) for s in services(client)]

    assert [200] == [a.status_code for a in answers]


@pytest.mark.requirement("cds-hooks_2.0@35", "cds-hooks_2.0@55", "cds-hooks_2.0@56", "cds-hooks_2.0@57", "cds-hooks_2.0@58", "cds-hooks_2.0@59")
@pytest.mark.parametrize("key", build.TEMPLATES)
def test_asks_in_the_portable_subset(client, key):
    """A template is an instance read or a search by patient, code, _sort and _count, with the patient id as its only token."""
    template = services(client)[0]["prefetch"][key]

    assert PORTABLE.fullmatch(template)
    assert [] == [word for word in FORBIDDEN if word in template]
    assert len(template) <= 1800


@pytest.mark.parametrize("key", build.TEMPLATES)
def test_asks_for_few_codes_at_a_time(client, key):
    """A template holds at most 20 codes, each once and with its system."""
    template = services(client)[0]["prefetch"][key]
    codes = [c for part in re.findall(r"&code=([^&]+)", template) for c in part.split(",")]

    assert len(codes) <= 20
    assert sorted(set(codes)) == sorted(codes)
    assert [] == [c for c in codes if not re.fullmatch(r"https?://[^|]+\|[^|]+", c)]


@pytest.mark.requirement("cds-hooks_2.0@55", "cds-hooks_2.0@56", "cds-hooks_2.0@59")
def test_keeps_to_the_token_grammar_of_cds_hooks_2(client):
    """Every template is valid by the strict grammar of CDS Hooks 2.0."""
    rule = {"$ref": "discovery-response.schema.json#/$defs/prefetchTemplate20"}
    strict = schema.validator("discovery-response.schema.json").evolve(schema=rule)

    invalid = [t for t in services(client)[0]["prefetch"].values() if not re.search(strict_pattern(strict), t)]

    assert [] == invalid


def strict_pattern(validator) -> str:
    """The pattern of the strict token grammar."""
    resolver = validator._resolver
    return resolver.lookup("https://cds-service.example.org/schemas/discovery-response.schema.json#/$defs/prefetchTemplate20").contents["pattern"]
