"""A call of the hook: what is accepted, and what an answer always has."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.fhir import strict
from tests import build

NAMES = build.fixture_names()


def ask(client: Any, request: dict[str, Any]) -> bytes:
    """The bytes of a successful answer."""
    response = client.post(build.SERVICE, json=request)
    assert 200 == response.status_code
    return response.data


def cards(client: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards of a successful answer."""
    response = client.post(build.SERVICE, json=request)
    assert 200 == response.status_code
    return response.json["cards"]


def topics(client: Any, request: dict[str, Any]) -> list[str]:
    """The topic of each card."""
    return [card["source"]["topic"]["code"] for card in cards(client, request)]


def uuids(found: list[dict[str, Any]]) -> list[str]:
    """Every uuid of cards and suggestions."""
    return [u for card in found for u in (card["uuid"], *(s["uuid"] for s in card.get("suggestions", [])))]


def actions(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every action of every suggestion."""
    yield from (a for card in found for s in card.get("suggestions", []) for a in s["actions"])


def shuffled(request: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same request with keys and entries in another order."""
    chance = random.Random(seed)
    keys = list(request["prefetch"].items())
    chance.shuffle(keys)
    for _, value in keys:
        chance.shuffle(value.get("entry", []))
    return {**request, "prefetch": dict(keys)}


# --- accepted ---


@pytest.mark.requirement("cds-hooks_2.0@77")
def test_says_nothing_when_there_is_nothing_to_say(client):
    """A chart that was read in full and shows nothing gives 200 and an empty array, and nothing else."""
    response = client.post(build.SERVICE, json=build.request(build.healthy()))

    assert (200, b'{"cards":[]}') == (response.status_code, response.data)


def test_answers_as_json_that_is_not_stored(client):
    """An answer is JSON, and no cache keeps it."""
    response = client.post(build.SERVICE, json=build.request(build.suspect()))

    assert "application/json" == response.content_type
    assert "no-store" == response.headers["Cache-Control"]
    assert "nosniff" == response.headers["X-Content-Type-Options"]


@pytest.mark.parametrize(
    "more",
    [
        {"unknownMember": {"a": [1, None, "x"]}},
        {"extension": {"org.example.any": {"deep": [1, 2]}}},
        {"hookInstance": "call-17"},
        {"hookInstance": "urn:uuid:" + build.CALL},
        {"fhirServer": "http://localhost:8103/fhir"},
        {"user": "Practitioner/example"},
        {"context": {"userId": "Practitioner/example", "patientId": "Patient/p1"}},
        {"context": {"userId": "PractitionerRole/a.b-c", "patientId": "p1", "encounterId": "e1", "more": [None]}},
        {"context": {"userId": "Patient/p1", "patientId": "p1", "extension": {"a": 1}}},
        {
            "fhirServer": "https://ehr.example.org/r4",
            "fhirAuthorization": {
                "access_token": "t",
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "user/*.rs",
                "subject": "s",
                "patient": "p1",
                "x": 1,
            },
        },
    ],
    ids=lambda m: ", ".join(f"{k} {str(v)[:30]}" for k, v in m.items()),
)
def test_accepts_what_real_clients_add(client, more):
    """Unknown members, extensions, odd hook instances and Patient/id do not change the cards."""
    assert ["vexas-test-uba1"] == topics(client, build.request(build.suspect(), **more))


def test_accepts_bundles_without_type(client):
    """The public sandbox sends Bundles without type and total."""
    prefetch = {k: {n: m for n, m in v.items() if n != "type"} for k, v in build.suspect().items()}

    assert ["vexas-test-uba1"] == topics(client, build.request(prefetch))


def test_accepts_bundles_with_their_usual_company(client):
    """fullUrl, search mode, self links, totals and null entries are no obstacle."""
    entries = [{"fullUrl": "https://e.org/Condition/1", "resource": build.condition(), "search": {"mode": "match"}}, None, {}, {"resource": None}]
    whole = {
        "resourceType": "Bundle",
        "id": "b",
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": "https://e.org/Condition"}],
        "entry": entries,
    }
    prefetch = {**build.suspect(), "conditions": whole}

    response = client.post(build.SERVICE, json=build.request(prefetch))

    assert ["vexas-test-uba1"] == [c["source"]["topic"]["code"] for c in response.json["cards"]]
    assert "conditions" not in response.json["cards"][0]["detail"]


def test_accepts_the_patient_in_a_bundle(client):
    """A search for the patient does as well as a read."""
    prefetch = {**build.suspect(), "patient": build.bundle(build.patient())}

    assert ["vexas-test-uba1"] == topics(client, build.request(prefetch))


def test_ignores_keys_that_it_never_asked_for(client):
    """A prefetch key of another service changes nothing."""
    request = build.request({**build.suspect(), "encounter": {"resourceType": "Encounter", "id": "e1"}, "nothing": None})

    assert ask(client, build.request(build.suspect())) == ask(client, request)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/fhir+json"])
def test_accepts_the_spellings_of_json(client, kind):
    """The content type may carry parameters or be the one of FHIR."""
    response = client.post(build.SERVICE, data=build.body_of(build.request(build.suspect())), content_type=kind)

    assert 200 == response.status_code


@pytest.mark.parametrize("encoding", ["identity", "IDENTITY", ""])
def test_accepts_a_body_that_is_said_to_be_plain(client, encoding):
    """Content-Encoding: identity is no encoding."""
    response = client.post(build.SERVICE, json=build.request(build.suspect()), headers={"Content-Encoding": encoding})

    assert 200 == response.status_code


@pytest.mark.parametrize("path", ["/cds-services/", build.SERVICE + "/"])
def test_accepts_a_trailing_slash(client, path):
    """A slash at the end is no redirect and no error."""
    method = "GET" if path == "/cds-services/" else "POST"

    response = client.open(path, method=method, json=build.request(build.suspect()) if method == "POST" else None)

    assert 200 == response.status_code


def test_accepts_whitespace_around_every_value(client):
    """An indented request is the same request."""
    import json

    indented = json.dumps(build.request(build.suspect()), indent=7).encode()

    response = client.post(build.SERVICE, data=b"\n \t" + indented + b"\r\n", content_type="application/json")

    assert ask(client, build.request(build.suspect())) == response.data


# --- emitted ---


@pytest.mark.parametrize("name", NAMES)
def test_gives_every_card_what_clients_need(client, name):
    """A card has a uuid, a summary below 140 characters, a source with label, url and topic, and reasons to override."""
    found = cards(client, build.fixture_request(name))

    for card in found:
        topic = card["source"]["topic"]
        assert str(uuid.UUID(card["uuid"])) == card["uuid"]
        assert 1 <= len(card["summary"]) <= 139
        assert card["indicator"] in ("info", "warning")
        assert card["source"]["label"]
        assert card["source"]["url"].endswith("/about")
        assert {"code", "system", "display"} == set(topic)
        assert card["overrideReasons"]
        assert [] == [r for r in card["overrideReasons"] if not (r["display"] and r["code"] and r["system"])]
        assert 1 <= len(card["detail"]) <= 1200
    assert len(found) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_gives_every_suggestion_what_clients_need(client, name):
    """A suggestion has label and uuid, and its card a selection behaviour; an action has a type, a description and a valid draft."""
    found = cards(client, build.fixture_request(name))

    assert [] == [c["summary"] for c in found if ("suggestions" in c) != ("selectionBehavior" in c)]
    for action in actions(found):
        assert "create" == action["type"]
        assert action["description"]
        assert ("draft", "proposal") == (action["resource"]["status"], action["resource"]["intent"])
        assert [] == list(strict.faults(action["resource"]))
    assert len(set(uuids(found))) == len(uuids(found))


@pytest.mark.parametrize("name", NAMES)
def test_answers_the_same_request_with_the_same_bytes(client, name):
    """An answer depends on the request, the knowledge and the day alone."""
    request = build.fixture_request(name)

    assert ask(client, request) == ask(client, request)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_does_not_care_for_the_order_of_entries(client, name, seed):
    """Shuffled keys and entries give the same bytes."""
    expected = ask(client, build.fixture_request(name))

    assert expected == ask(client, shuffled(build.fixture_request(name), seed))


def in_both_orders(client: Any, key: str, first: Any, second: Any, base: dict[str, Any] | None = None) -> list[bytes]:
    """The answers to two requests that differ in the order of two entries."""
    base = base or build.suspect()
    kept = [e["resource"] for e in base[key]["entry"]]
    return [ask(client, build.request({**base, key: build.bundle(*kept, *pair)})) for pair in ((first, second), (second, first))]


def test_does_not_care_for_the_order_of_unreadable_resources(client):
    """Two resources that cannot be read are named in the same order, whichever came first."""
    one, other = build.condition(id="a", code=5), build.condition(id="b", onsetDateTime=5)

    first, second = in_both_orders(client, "conditions", one, other, build.healthy())

    assert first == second


def test_does_not_care_for_the_order_of_reports_without_id(client):
    """Two reports of one day without ids are quoted the same, whichever came first."""
    one, other = (build.report(f"Cytoplasmic vacuoles in {cells} precursors.", id=None) for cells in ("myeloid", "erythroid"))

    first, second = in_both_orders(client, "reports", one, other)

    assert b"vacuoles" in first
    assert first == second


def test_does_not_care_for_the_order_of_results_without_id(client):
    """Equal values of one day in two spellings of the unit are shown the same, whichever came first."""
    one, other = (build.lab("718-7", value, unit, id=None) for value, unit in ((9.5, "g/dL"), (95, "g/L")))

    first, second = in_both_orders(client, "bloodCounts", one, other)

    assert first == second


def test_does_not_care_for_the_order_of_drugs_of_one_id(client):
    """Two Medications of one id give the same answer, whichever came first."""
    drugs = [{"resourceType": "Medication", "id": "m", "code": {"text": text}} for text in ("prednisone 20 mg tablet", "paracetamol 500 mg tablet")]
    order = build.medication(medicationReference={"reference": "Medication/m"}, medicationCodeableConcept=None)
    base = {**build.suspect(), "medicationRequests": build.bundle(order)}

    first, second = in_both_orders(client, "medicationRequests", *drugs, base)

    assert first == second


def test_counts_a_resource_once(client):
    """The same resource under two keys or twice in a Bundle changes nothing."""
    twice = build.bundle(build.condition(), build.condition())

    assert ask(client, build.request(build.suspect())) == ask(client, build.request({**build.suspect(), "conditions": twice}))


def test_shows_findings_of_resources_without_id(client):
    """A fact counts and is shown whether or not its resource has an id."""
    nameless = {k: build.bundle(*({**e["resource"], "id": None} for e in build.suspect()[k]["entry"])) for k in ("conditions", "bloodCounts")}

    [card] = cards(client, build.request({**build.suspect(), **nameless}))

    [expected] = cards(client, build.request(build.suspect()))
    assert (expected["summary"], expected["detail"]) == (card["summary"], card["detail"])


@pytest.mark.requirement("cds-hooks_2.0@80")
def test_gives_every_call_its_own_uuids(client):
    """Another hookInstance gives other uuids and the same cards otherwise."""
    name = "test-sweet-macrocytosis"
    first = cards(client, build.fixture_request(name))
    second = cards(client, {**build.fixture_request(name), "hookInstance": build.OTHER_CALL})

    assert set() == set(uuids(first)) & set(uuids(second))
    assert [c["detail"] for c in first] == [c["detail"] for c in second]


def test_logs_which_knowledge_decided(client, log, knowledge):
    """The line of an answer names the module, its version and the first 12 digits of its digest."""
    client.post(build.SERVICE, json=build.request(build.suspect()))

    line = next(json.loads(text.removeprefix("cds_service ")) for text in log.lines if "hook.answered" in text)
    module = knowledge.module
    assert (module.id, module.version, knowledge.digest[:12]) == (line["knowledge"], line["version"], line["digest"])
