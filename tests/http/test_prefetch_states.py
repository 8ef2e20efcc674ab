"""What the service makes of a prefetch key that is absent, null, empty, refused, partly refused, or not all there."""

from __future__ import annotations

from typing import Any

import pytest

from tests import build

GONE = object()
FULL_PAGE = 200
CHEST = [build.condition("I10", id=f"c{i}") for i in range(FULL_PAGE)]

KNOWN_EMPTY = {
    "null": None,
    "an empty Bundle": {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []},
    "a Bundle without entry": {"resourceType": "Bundle"},
    "a Bundle with entry null": {"resourceType": "Bundle", "entry": None},
    "a Bundle with a warning only": build.bundle(build.outcome("warning")),
    "a Bundle with an information only": build.bundle(build.outcome("information")),
}
UNREAD = {
    "absent": GONE,
    "an OperationOutcome": build.outcome("error"),
    "a fatal OperationOutcome": build.outcome("fatal"),
    "an OperationOutcome without issue": {"resourceType": "OperationOutcome"},
    "an error as an entry": build.bundle(build.outcome("error")),
    "a fatal error as an entry": build.bundle(build.outcome("fatal")),
    "an unreadable OperationOutcome as an entry": build.bundle({"resourceType": "OperationOutcome", "issue": 5}),
    "a next link": build.bundle(link=[{"relation": "self", "url": "https://e.org/1"}, {"relation": "next", "url": "https://e.org/2"}]),
    "a broken Bundle": {"resourceType": "Bundle", "entry": {"resource": 5}},
    "no resource": {"anything": 1},
    "an empty object": {},
    "another resource": {"resourceType": "Basic", "id": "b"},
    "a Bundle of other resources": build.bundle({"resourceType": "Basic", "id": "b"}),
    "an entry that is no object": build.bundle(5),
}


def with_key(prefetch: dict[str, Any], key: str, state: Any) -> dict[str, Any]:
    """A prefetch with one key in another state."""
    changed = {**prefetch, key: state}
    return {k: v for k, v in changed.items() if v is not GONE}


def call(client: Any, prefetch: dict[str, Any]) -> dict[str, Any]:
    """A successful answer."""
    response = client.post(build.SERVICE, json=build.request(prefetch))
    assert 200 == response.status_code
    return response.json


def unavailable(answer: dict[str, Any]) -> list[str]:
    """What an answer without cards says it could not read."""
    return [gap["what"] for value in answer.get("extension", {}).values() for gap in value["unavailable"]]


@pytest.mark.parametrize("state", KNOWN_EMPTY)
@pytest.mark.parametrize("key", build.KEYS)
def test_takes_an_empty_key_as_known_to_be_empty(client, key, state):
    """A query that found nothing leaves nothing open, so nothing is said of it."""
    answer = call(client, with_key(build.healthy(), key, KNOWN_EMPTY[state]))

    assert {"cards": []} == answer


@pytest.mark.requirement("cds-hooks_2.0@52")
@pytest.mark.parametrize("state", UNREAD)
@pytest.mark.parametrize("key", ["conditions", "bloodCounts", "procedures", "reports"])
def test_says_what_was_not_read_when_it_has_no_card(client, key, state):
    """An empty answer from unread data carries an extension that names the key and a remedy."""
    answer = call(client, with_key(build.healthy(), key, UNREAD[state]))

    assert [] == answer["cards"]
    assert [True] == [f"'{key}'" in what for what in unavailable(answer)]
    assert [] == [g for v in answer["extension"].values() for g in v["unavailable"] if not g["remedy"]]


@pytest.mark.requirement("cds-hooks_2.0@52")
@pytest.mark.parametrize("state", UNREAD)
def test_says_on_the_card_what_was_not_read(client, state):
    """A card from partly unread data names the source under what is not available, and present facts still count."""
    answer = call(client, with_key(build.suspect(), "reports", UNREAD[state]))

    [card] = answer["cards"]
    assert "vexas-test-uba1" == card["source"]["topic"]["code"]
    assert "**Not available**" in card["detail"]
    assert "reports" in named_as_missing(card)


@pytest.mark.parametrize("state", UNREAD)
def test_says_on_a_card_of_a_confirmed_patient_what_was_not_read(client, state):
    """Advice from partly unread data names the source as well."""
    answer = call(client, with_key(build.confirmed(), "procedures", UNREAD[state]))

    assert "vexas-confirmed" == answer["cards"][0]["source"]["topic"]["code"]
    assert "procedures" in named_as_missing(answer["cards"][0])


def named_as_missing(card: dict[str, Any]) -> str:
    """The line of a card that says what was not available."""
    return next((line for line in card["detail"].split("\n") if line.startswith("**Not available**")), "")


@pytest.mark.parametrize("state", ["null", "an empty Bundle"])
def test_says_nothing_of_an_empty_key_on_a_card(client, state):
    """A source that was read and is empty is not called unavailable."""
    [card] = call(client, with_key(build.suspect(), "reports", KNOWN_EMPTY[state]))["cards"]

    assert "reports" not in named_as_missing(card)


@pytest.mark.parametrize("state", [build.outcome(), GONE, {}], ids=["refused", "absent", "no resource"])
def test_counts_the_facts_that_are_there(client, state):
    """With nothing but the conditions and blood counts the published rule still fires."""
    prefetch = dict.fromkeys(build.KEYS, state) | {k: build.suspect()[k] for k in ("patient", "conditions", "bloodCounts")}

    answer = call(client, {k: v for k, v in prefetch.items() if v is not GONE})

    assert ["vexas-test-uba1"] == [c["source"]["topic"]["code"] for c in answer["cards"]]


@pytest.mark.parametrize("member", [{"link": [{"relation": "next", "url": "https://e.org"}]}, {}], ids=["next link", "error entry"])
def test_counts_the_facts_of_a_key_that_is_not_all_there(client, member):
    """The entries beside an error or a next link count, and the card says that there may be more."""
    entries = [build.condition()] if member else [build.condition(), build.outcome("error")]
    prefetch = {**build.suspect(), "conditions": build.bundle(*entries, **member)}

    [card] = call(client, prefetch)["cards"]

    assert "Relapsing polychondritis" in card["detail"]
    assert "conditions" in named_as_missing(card)


@pytest.mark.parametrize(("count", "said"), [(FULL_PAGE - 1, False), (FULL_PAGE, True), (FULL_PAGE + 1, True)])
def test_takes_a_full_page_as_perhaps_not_all(client, count, said):
    """As many entries as were asked for may be the first page of more."""
    prefetch = {**build.healthy(), "conditions": build.bundle(*(CHEST * 2)[:count])}

    answer = call(client, prefetch)

    assert said == any("full page" in what for what in unavailable(answer))


def test_takes_absence_as_unknown_and_emptiness_as_absence(client):
    """Without the drug list steroid dependence is open; with an empty one it is not."""
    absent = call(client, with_key(with_key(build.healthy(), "medicationRequests", GONE), "medicationStatements", GONE))
    one_of_two = call(client, with_key(build.healthy(), "medicationStatements", GONE))

    assert ["'medicationRequests' was not sent", "'medicationStatements' was not sent"] == unavailable(absent)
    assert {"cards": []} == one_of_two


@pytest.mark.parametrize("name", build.fixture_names())
def test_is_never_silent_about_a_refusal(client, name):
    """If every key but one empty one is refused, the answer has a card or an extension."""
    request = build.fixture_request(name)
    refused = {**dict.fromkeys(build.KEYS, build.outcome()), "patient": request["prefetch"]["patient"], "vitals": build.bundle()}

    answer = client.post(build.SERVICE, json={**request, "prefetch": refused}).json

    assert answer["cards"] or unavailable(answer)


def test_takes_a_missing_birth_date_as_unknown(client):
    """Without a date of birth the answer says so instead of being silent."""
    without = {k: v for k, v in build.patient().items() if k != "birthDate"}

    answer = call(client, {**build.healthy(), "patient": without})

    assert [True] == ["date of birth" in what for what in unavailable(answer)]
