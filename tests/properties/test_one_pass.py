"""A call that is read in one pass is read as it would be member by member, and nothing is accepted that the schemas refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.errors import CDSServiceError
from cds_service.hooks import HOOKS
from cds_service.invocation import Service
from cds_service.protocol.request import CDSRequest, read_request
from tests import build
from tests.fakes import answer_of
from tests.properties.oddities import JSON_VALUES, MEMBERS, dumped
from tests.properties.test_robustness import STEADY

pytestmark = pytest.mark.long

SCHEMAS = {name: hook.schema for name, hook in HOOKS.items()}
PATIENTS = sorted(build.FIXTURES.glob("*.json"))
UNUSUAL_CONTEXTS = (
    {"userId": "Practitioner/a b", "patientId": build.PATIENT_ID},
    {"userId": "Device/1", "patientId": build.PATIENT_ID},
    {"userId": "Practitioner/1", "patientId": build.PATIENT_ID + "\n"},
    {"userId": "Practitioner/1", "patientId": ""},
    {"userId": "Practitioner/1", "patientId": build.PATIENT_ID, "encounterId": None},
    {"userId": "Practitioner/1", "patientId": build.PATIENT_ID, "extension": {}},
    {"userId": "Practitioner/1\n", "patientId": build.PATIENT_ID},
)


class Thorough(Service):
    """A service that reads every call member by member."""

    def read(self, body: bytes) -> CDSRequest:
        """The request in a body, judged by the schemas alone."""
        return read_request(body, SCHEMAS, self.knowledge.requirements)


QUICK = Service(build.KNOWLEDGE, "http://127.0.0.1:8080", lambda: build.TODAY)
THOROUGH = Thorough(build.KNOWLEDGE, "http://127.0.0.1:8080", lambda: build.TODAY)


def said(service: Service, body: bytes) -> Any:
    """The answer of a service, or the words of its refusal."""
    try:
        return answer_of(service, body)
    except CDSServiceError as error:
        return (error.code, error.public, error.place)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value, as its holder and its name there."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, name) for name, _ in pairs] + [place for _, inner in pairs for place in places(inner)]


@pytest.mark.parametrize("path", PATIENTS, ids=[p.stem for p in PATIENTS])
def test_reads_every_fixture_in_one_pass_as_member_by_member(path):
    """The answers are the same bytes, and the quick way was taken."""
    body = dumped(build.hook_request(json.loads(path.read_text()), build.TEMPLATES, "patient-view", build.CALL))

    assert said(THOROUGH, body) == said(QUICK, body)
    assert QUICK.read(body).prefetch["conditions"].__class__.__name__ == "WholeBundle"


@pytest.mark.parametrize("context", UNUSUAL_CONTEXTS, ids=[json.dumps(c) for c in UNUSUAL_CONTEXTS])
def test_judges_an_unusual_context_as_the_schema_does(context):
    """What the struct of a hook's context does not fit is left to the schema."""
    body = dumped(build.request(build.suspect(), context=context))

    assert said(THOROUGH, body) == said(QUICK, body)


@pytest.mark.parametrize("member", MEMBERS)
@settings(max_examples=60, **STEADY)
@given(value=JSON_VALUES)
def test_never_accepts_what_the_schemas_refuse(member, value):
    """Any value as any member is refused or answered alike in both ways."""
    request = build.request(build.suspect())
    name, _, inner = member.partition("/")
    request[name] = {**request[name], inner: value} if inner else value
    body = dumped(request)

    assert said(THOROUGH, body) == said(QUICK, body)


@settings(max_examples=200, **STEADY)
@given(path=st.sampled_from(PATIENTS), value=JSON_VALUES, choice=st.integers(0, 10**9), remove=st.booleans())
def test_reads_a_damaged_chart_alike_in_both_ways(path, value, choice, remove):
    """Something odd anywhere in a prefetch costs speed and nothing else."""
    request = build.hook_request(json.loads(path.read_text()), build.TEMPLATES, "patient-view", build.CALL)
    found = places(request["prefetch"])
    holder, name = found[choice % len(found)]
    if remove:
        del holder[name]
    else:
        holder[name] = value
    body = dumped(request)

    assert said(THOROUGH, body) == said(QUICK, body)


def test_says_alike_in_both_ways_that_a_key_holds_too_much():
    """A Bundle beyond the most entries says the same whether it is read in one pass or, for an odd total, entry by entry."""
    many = build.bundle(*[{"resourceType": "Condition", "id": "c"}] * 20_001)
    usual, odd = (dumped(build.request({**build.healthy(), "conditions": {**many, **total}})) for total in ({}, {"total": "many"}))

    assert said(THOROUGH, odd) == said(QUICK, usual) == said(THOROUGH, usual)
    assert b"full page" in said(QUICK, usual).body
