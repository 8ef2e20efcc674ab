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

    assert ["'medicationRequests' was not sent", "'medicationStatements' was not sent"] == unavailable(absent)
    assert {"cards": []} == call(client, build.healthy())


# --- drugs, which come under two keys ---

DRUG_KEYS = pytest.mark.parametrize(
    ("key", "other"), [("medicationRequests", "medicationStatements"), ("medicationStatements", "medicationRequests")]
)
PARACETAMOL = {
    "medicationRequests": build.medication("paracetamol 500 mg tablet"),
    "medicationStatements": build.medication("paracetamol 500 mg tablet", resourceType="MedicationStatement"),
}
DRUG = {"resourceType": "Medication", "id": "m", "code": {"text": "apixaban 5 mg tablet"}}
NO_DRUG = {
    "no Medication that came along": ({"medicationReference": {"reference": "Medication/m"}}, ()),
    "a Medication that cannot be read": ({"medicationReference": {"reference": "Medication/m"}}, ({**DRUG, "code": 5},)),
    "a contained one that cannot be read": ({"medicationReference": {"reference": "#m"}, "contained": [{**DRUG, "code": 5}]}, ()),
    "a Medication that says nothing": ({"medicationReference": {"reference": "Medication/m"}}, ({"resourceType": "Medication", "id": "m"},)),
    "a code of no system": ({"medicationCodeableConcept": {"coding": [{"code": "x"}]}}, ()),
    "a reference to nothing": ({"medicationReference": {}}, ()),
    "no drug at all": ({}, ()),
}
ALERT = "VTE without anticoagulant"


def with_drugs(**keys: Any) -> dict[str, Any]:
    """A patient with the disease and a pulmonary embolism, and these keys of drugs."""
    conditions = [build.condition(id="named", code={"text": "VEXAS syndrome"}), build.condition("I26.99", "2026-11-01")]
    prefetch = {**build.confirmed(), "conditions": build.bundle(*conditions), **keys}
    return {k: v for k, v in prefetch.items() if v is not GONE}


def shown(answer: dict[str, Any]) -> str:
    """The words of all cards."""
    return "\n".join(f"{card['summary']}\n{card['detail']}" for card in answer["cards"])


def order_of(**members: Any) -> dict[str, Any]:
    """A drug order that says in its own way which drug."""
    return {k: v for k, v in {**build.medication(), "medicationCodeableConcept": None, **members}.items() if v is not None}


@DRUG_KEYS
@pytest.mark.parametrize("state", [build.bundle(), None], ids=["empty", "null"])
def test_says_that_no_anticoagulant_is_given_where_no_drug_was_found(client, key, other, state):
    """Both searches were made: there is no anticoagulant."""
    assert ALERT in shown(call(client, with_drugs(**{key: build.bundle(), other: state})))


@DRUG_KEYS
@pytest.mark.parametrize("found", ["nothing", "null", "a drug"])
@pytest.mark.parametrize("state", [build.outcome(), {"resourceType": "Basic"}, {}], ids=["refused", "another resource", "no resource"])
def test_never_says_that_a_drug_is_not_given_where_one_kind_was_refused(client, key, other, state, found):
    """What the EHR refused to show may hold the anticoagulant, whatever the other kind holds."""
    read = {"nothing": build.bundle(), "null": None, "a drug": build.bundle(PARACETAMOL[other])}[found]

    answer = call(client, with_drugs(**{key: state, other: read}))

    assert ALERT not in shown(answer)
    assert f"'{key}'" in named_as_missing(answer["cards"][0])


@DRUG_KEYS
@pytest.mark.parametrize("state", [build.bundle(), None], ids=["empty", "null"])
def test_never_says_that_a_drug_is_not_given_where_one_kind_is_empty_and_the_other_was_not_sent(client, key, other, state):
    """An EHR that keeps its drugs in the kind that was not sent shows an empty list in the other."""
    answer = call(client, with_drugs(**{key: GONE, other: state}))

    assert ALERT not in shown(answer)
    assert "medications" in named_as_missing(answer["cards"][0])
    assert [f"'{key}' was not sent"] == unavailable(call(client, {k: v for k, v in {**build.healthy(), other: state}.items() if k != key}))


@DRUG_KEYS
def test_takes_one_kind_that_holds_drugs_for_the_whole_list(client, key, other):
    """Many EHRs send drugs in one kind alone."""
    assert ALERT in shown(call(client, with_drugs(**{key: GONE, other: build.bundle(PARACETAMOL[other])})))


@pytest.mark.parametrize("way", NO_DRUG)
def test_never_says_that_a_drug_is_not_given_where_one_is_not_known(client, way):
    """An order whose drug cannot be found may be the anticoagulant, and is named."""
    members, beside = NO_DRUG[way]

    answer = call(client, with_drugs(medicationRequests=build.bundle(order_of(**members), *beside)))

    assert ALERT not in shown(answer)
    assert "the drug of a MedicationRequest in 'medicationRequests' is not known" in named_as_missing(answer["cards"][0])


@pytest.mark.parametrize("members", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"doNotPerform": True}], ids=str)
def test_does_not_ask_for_the_drug_of_an_order_that_does_not_count(client, members):
    """What was withdrawn or is not to be given is no treatment, whatever it was."""
    assert ALERT in shown(call(client, with_drugs(medicationRequests=build.bundle(order_of(**members)))))


def test_takes_the_display_of_a_reference_for_the_drug(client):
    """A drug that is only named is known."""
    orders = [
        order_of(medicationReference={"reference": "Medication/m9", "display": name}) for name in ("paracetamol 500 mg", "apixaban 5 mg tablet")
    ]

    assert [True, False] == [ALERT in shown(call(client, with_drugs(medicationRequests=build.bundle(order)))) for order in orders]


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
