"""Prefetched data: asked for in discovery, found under their keys, and missed with a word."""

from __future__ import annotations

import json
import re

import pytest

from cds_service.ehr.prefetch import hook_request
from tests import build

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", "subject": "s"}


@pytest.mark.requirement("cds-hooks_2.0@28", "cds-hooks_2.0@36")
def test_finds_each_result_under_the_key_of_its_template(client, services):
    """A chart that is sent by the templates of discovery gets its card; the same results under other keys do not."""
    chart = json.loads((build.FIXTURES / "test-sweet-macrocytosis.json").read_text(encoding="utf-8"))
    [service] = services
    sent = hook_request(chart, service["prefetch"], service["hook"], build.CALL)
    misplaced = {**sent, "prefetch": {f"{key}-other": value for key, value in sent["prefetch"].items()}}

    answers = [client.post(build.SERVICE, json=call) for call in (sent, misplaced)]

    assert [200, 412] == [a.status_code for a in answers]
    assert ["vexas-test-uba1"] == [card["source"]["topic"]["code"] for card in answers[0].json["cards"]]


@pytest.mark.requirement("cds-hooks_2.0@29")
def test_asks_in_discovery_for_all_that_it_reads(client, services):
    """What an answer misses is what discovery lists and was not sent, but for what only a confirmed patient's care needs."""
    [service] = services
    care = {"organFunction", "infectionScreen", "immunizations", "allergies"}
    sent = {"patient": build.patient(), "vitals": build.bundle()}

    answer = client.post(build.SERVICE, json=build.request(sent)).json

    [said] = answer["extension"].values()
    missed = [re.fullmatch(r"'(\w+)' was not sent", gap["what"]) for gap in said["unavailable"]]
    assert sorted(set(service["prefetch"]) - set(sent) - care) == sorted(m[1] for m in missed if m)


@pytest.mark.requirement("cds-hooks_2.0@52")
@pytest.mark.parametrize("refused", [build.outcome(), build.bundle(build.outcome())], ids=["by itself", "in a Bundle"])
@pytest.mark.parametrize("key", build.KEYS)
def test_sees_an_outcome_under_any_key(client, key, refused):
    """A query that failed is not taken for one that found nothing."""
    sources = {"medicationRequests": "medicationStatements", "medicationStatements": "medicationRequests"}
    prefetch = {**build.healthy(), key: refused, sources.get(key, key): refused}

    answer = client.post(build.SERVICE, json=build.request(prefetch)).json

    assert f"'{key}'" in json.dumps(answer["extension"])


LACKING = {
    "no prefetch": None,
    "an empty prefetch": {},
    "all but the Patient": {key: value for key, value in build.suspect().items() if key != "patient"},
    "a Patient that was refused": {**build.suspect(), "patient": build.outcome()},
    "a Patient that is not there": {**build.suspect(), "patient": None},
    "the Patient alone": {"patient": build.patient()},
}


@pytest.mark.requirement("cds-hooks_2.0@54", "cds-hooks_2.0@76")
@pytest.mark.parametrize("access", [{}, {"fhirServer": "https://ehr.example.org", "fhirAuthorization": TOKEN}], ids=["no server", "a server"])
@pytest.mark.parametrize("way", LACKING)
def test_answers_412_without_the_data_that_it_needs(client, way, access):
    """Without the Patient, or with nothing beside, there is no answer, since no FHIR server is read yet."""
    assert 412 == client.post(build.SERVICE, json=build.request(LACKING[way], **access)).status_code
