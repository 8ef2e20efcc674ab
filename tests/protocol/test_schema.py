"""Faults in words: they name the place and the rule, and never the value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.protocol import schema
from tests import build

MARK = "Quackenbush"
ENVELOPE = "hook-request.patient-view.schema.json"
MARKED = st.recursive(
    st.one_of(st.just(MARK), st.just(f"{MARK}/1"), st.just(f"https://{MARK}"), st.none(), st.integers(77889911, 77889919), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["access_token", "token_type", "patientId", "userId", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension"])


def whole(**members: Any) -> dict[str, Any]:
    """A good envelope with other members."""
    return {k: v for k, v in build.request(**members).items() if k != "prefetch"}


@settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(members=st.dictionaries(MEMBERS, MARKED, min_size=1, max_size=3))
def test_never_repeats_a_value(members):
    """Whatever is wrong, place and sentence hold nothing of the instance."""
    found = schema.fault(ENVELOPE, {**whole(), **members})

    assert MARK not in str(found)
    assert "778899" not in str(found)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"hookInstance": None}, ("", "the member hookInstance is missing; add it")),
        ({"hookInstance": 5}, ("/hookInstance", "must be of type string")),
        ({"hook": "order-sign"}, ("/hook", "must be 'patient-view'")),
        ({"extension": {}}, ("/extension", "must not be empty")),
        ({"context": {"userId": "Practitioner/1"}}, ("/context", "the member patientId is missing; add it")),
        ({"context": {"userId": "Practitioner/1", "patientId": "x" * 257}}, ("/context/patientId", "must have at most 256 characters")),
    ],
    ids=lambda v: json.dumps(v)[:50],
)
def test_says_place_and_rule(members, expected):
    """A fault is a JSON pointer and a sentence that tells what to do."""
    request = {k: v for k, v in {**whole(), **members}.items() if v is not None}

    assert expected == schema.fault(ENVELOPE, request)


def test_says_the_pattern_that_a_text_must_match():
    """A text of the wrong form is told the form."""
    place, sentence = schema.fault(ENVELOPE, whole(context={"userId": f"Device/{MARK}", "patientId": "p1"}))

    assert "/context/userId" == place
    assert sentence.startswith("must match the pattern ^(Practitioner|PractitionerRole|Patient|RelatedPerson)/")


def test_asks_for_the_server_beside_a_token():
    """A token without fhirServer is a fault of the whole."""
    token = {"access_token": MARK, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}

    assert ("", "fhirAuthorization needs fhirServer beside it; add it") == schema.fault(ENVELOPE, whole(fhirAuthorization=token))


def test_finds_no_fault_in_a_good_request():
    """A good envelope has no fault."""
    assert None is schema.fault(ENVELOPE, whole())


@pytest.mark.parametrize("patient_id", ["p1\n", "p1\r\n", "\np1", "p1\t", "p1\u2028", "", "Patient/", "Patient/Patient/p1", "../p1"])
def test_takes_no_patient_id_with_space_or_path(patient_id):
    """A patient id is one word: no space, no line end, no slash."""
    context = {"userId": "Practitioner/1", "patientId": patient_id}

    assert None is not schema.fault(ENVELOPE, whole(context=context))


CARD = {"summary": "s", "indicator": "info", "source": {"label": "l"}}


@pytest.mark.parametrize(
    "card",
    [
        {**CARD, "summary": "x" * 140},
        {**CARD, "summary": "   "},
        {**CARD, "indicator": "hard-stop"},
        {**CARD, "source": {}},
        {**CARD, "source": {"label": ""}},
        {**CARD, "uuid": "no uuid"},
        {**CARD, "detail": ""},
        {**CARD, "links": []},
        {**CARD, "autoLaunchable": True},
        {**CARD, "suggestions": [{"label": "s"}]},
        {**CARD, "suggestions": [], "selectionBehavior": "any"},
        {**CARD, "overrideReasons": [{"code": "c", "system": "s"}]},
        {**CARD, "suggestions": [{"label": "s", "actions": [{"type": "create", "description": "d"}]}], "selectionBehavior": "any"},
        {**CARD, "suggestions": [{"label": "s", "actions": [{"type": "create", "resource": {"resourceType": "Basic"}}]}], "selectionBehavior": "any"},
        {**CARD, "suggestions": [{"label": "s", "isRecommended": True}] * 2, "selectionBehavior": "at-most-one"},
    ],
    ids=lambda c: json.dumps({k: v for k, v in c.items() if CARD.get(k) != v})[:60],
)
def test_refuses_a_card_that_a_client_could_not_show(card):
    """The schema that guards every answer in these tests has teeth."""
    assert [] != list(schema.faults("service-response.schema.json", {"cards": [card]}))


def test_takes_a_card_of_the_least():
    """Summary, indicator and source label are enough for the standard."""
    assert [] == list(schema.faults("service-response.schema.json", {"cards": [{**CARD, "summary": "x" * 139}]}))
