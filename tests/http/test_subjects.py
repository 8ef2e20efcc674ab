"""Whose data it is: nothing of another patient ever counts, and nothing is dropped without a word."""

from __future__ import annotations

from typing import Any

import pytest

from tests import build

UUID = "0b5e1c52-0f5c-4b8e-9a55-3f4a2ad1c9d1"
MINE = {
    "relative": "Patient/p1",
    "absolute": "https://ehr.example.org/fhir/Patient/p1",
    "versioned": "Patient/p1/_history/3",
    "absolute and versioned": "https://ehr.example.org/fhir/Patient/p1/_history/3",
    "with spaces": " Patient/p1 ",
}
OTHERS = {
    "relative": {"reference": "Patient/p2"},
    "absolute": {"reference": "https://ehr.example.org/fhir/Patient/p2"},
    "versioned": {"reference": "Patient/p2/_history/1"},
    "a version like our id": {"reference": "Patient/p2/_history/p1"},
    "urn:uuid": {"reference": f"urn:uuid:{UUID}"},
    "contained": {"reference": "#patient"},
    "contained with our id": {"reference": "#p1"},
    "a Group": {"reference": "Group/p1"},
    "a Device": {"reference": "Device/p1"},
    "a longer id": {"reference": "Patient/p11"},
    "a shorter id": {"reference": "Patient/p"},
    "another case": {"reference": "Patient/P1"},
    "a query": {"reference": "Patient?identifier=p1"},
    "a bare id": {"reference": "p1"},
    "empty": {"reference": ""},
    "only a display": {"display": "p1"},
    "only an identifier": {"identifier": {"value": "p1"}, "type": "Patient"},
    "nothing": None,
}


def call(client: Any, prefetch: dict[str, Any], patient_id: str = build.PATIENT_ID) -> dict[str, Any]:
    """A successful answer."""
    context = {"userId": "Practitioner/1", "patientId": patient_id}
    response = client.post(build.SERVICE, json=build.request(prefetch, context=context))
    assert 200 == response.status_code
    return response.json


def topics(answer: dict[str, Any]) -> list[str]:
    """The topic of each card."""
    return [card["source"]["topic"]["code"] for card in answer["cards"]]


def said(answer: dict[str, Any]) -> str:
    """All that an answer says of what was not used."""
    gaps = [g["what"] for v in answer.get("extension", {}).values() for g in v["unavailable"]]
    lines = [line for card in answer["cards"] for line in card["detail"].split("\n") if line.startswith("**Not available**")]
    return "; ".join([*gaps, *lines])


def about(reference: Any) -> dict[str, Any]:
    """The suspect's chart, each clinical resource about someone."""
    labs = [build.mcv(subject=reference), build.platelets(subject=reference)]
    return {**build.suspect(), "conditions": build.bundle(build.condition(subject=reference)), "bloodCounts": build.bundle(*labs)}


@pytest.mark.parametrize("way", MINE)
def test_knows_its_patient_however_it_is_written(client, way):
    """Relative, absolute and versioned references to the patient count."""
    assert ["vexas-test-uba1"] == topics(call(client, about({"reference": MINE[way]})))


@pytest.mark.parametrize("way", OTHERS)
def test_never_counts_what_names_another_or_nobody(client, way):
    """Data of another patient, of a group or of nobody gives no card and is reported."""
    answer = call(client, about(OTHERS[way]))

    assert [] == topics(answer)
    assert "'conditions'" in said(answer)
    assert "'bloodCounts'" in said(answer)


@pytest.mark.parametrize("way", OTHERS)
def test_never_takes_a_number_from_another_patient(client, way):
    """One foreign result among the patient's own is left out and named on the card."""
    prefetch = build.suspect()
    prefetch["bloodCounts"] = build.bundle(build.mcv(), build.platelets(), build.mcv(131, on="2026-11-20", subject=OTHERS[way]))

    answer = call(client, prefetch)

    assert ["vexas-test-uba1"] == topics(answer)
    assert "131" not in answer["cards"][0]["detail"]
    assert "'bloodCounts'" in said(answer)


def test_says_on_a_card_of_a_confirmed_patient_that_foreign_data_was_left_out(client):
    """Advice that was given without foreign data says so as well."""
    prefetch = build.confirmed()
    prefetch["procedures"] = build.bundle({"resourceType": "Procedure", "id": "x", "status": "completed", "subject": build.subject("p2")})

    answer = call(client, prefetch)

    assert "vexas-confirmed" == topics(answer)[0]
    assert "'procedures'" in said(answer)


def test_never_counts_a_foreign_diagnosis_of_the_disease(client):
    """Another patient's confirmed disease confirms nothing."""
    prefetch = {**build.healthy(), "conditions": build.bundle(build.condition(code={"text": "VEXAS syndrome"}, subject=build.subject("p2")))}

    assert [] == topics(call(client, prefetch))


def test_never_counts_a_foreign_vaccine(client):
    """Immunization names its patient by another member, which is checked as well."""
    shot = {"resourceType": "Immunization", "id": "i", "status": "completed", "patient": build.subject("p2"), "vaccineCode": {"text": "x"}}

    answer = call(client, {**build.healthy(), "immunizations": build.bundle(shot)})

    assert "'immunizations'" in said(answer)


def test_knows_its_patient_by_the_full_url_of_the_patient_entry(client):
    """A urn:uuid counts where an entry of that URL is the patient."""
    patient = {"fullUrl": f"urn:uuid:{UUID}", "resource": build.patient()}
    prefetch = about({"reference": f"urn:uuid:{UUID.upper()}"})
    prefetch["conditions"]["entry"].append(patient)

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


def test_knows_its_patient_by_the_full_url_under_the_patient_key(client):
    """The same where the patient came as a Bundle under its own key."""
    prefetch = about({"reference": f"urn:uuid:{UUID}"})
    prefetch["patient"] = {"resourceType": "Bundle", "entry": [{"fullUrl": f"urn:uuid:{UUID}", "resource": build.patient()}]}

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


def test_never_takes_another_patients_full_url_for_ours(client):
    """A urn:uuid whose entry is another patient does not count."""
    other = {"fullUrl": f"urn:uuid:{UUID}", "resource": build.patient(id="p2")}
    prefetch = about({"reference": f"urn:uuid:{UUID}"})
    prefetch["conditions"]["entry"].append(other)

    assert [] == topics(call(client, prefetch))


@pytest.mark.parametrize(
    "reference", [build.subject("p2"), {"reference": "Group/p1"}, {"reference": "#other"}], ids=["another", "a group", "contained"]
)
def test_never_counts_a_contained_result_of_another_patient(client, reference):
    """A result inside the patient's own report that names someone else is left out and named."""
    inner = build.mcv(subject=reference)
    prefetch = build.suspect()
    prefetch["bloodCounts"] = build.bundle(build.platelets())
    prefetch["reports"] = build.bundle(build.report("See results.", contained=[inner]))

    answer = call(client, prefetch)

    assert ["vexas-test-uba1"] != topics(answer)
    assert "contained" in said(answer)


def test_counts_a_contained_result_of_the_report(client):
    """A result inside the patient's report that names nobody is the patient's."""
    inner = {k: v for k, v in build.mcv().items() if k not in ("subject", "effectiveDateTime")}
    prefetch = build.suspect()
    prefetch["bloodCounts"] = build.bundle(build.platelets())
    prefetch["reports"] = build.bundle(build.report("See results.", contained=[inner]))

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


# --- one bad resource among good ones ---

BROKEN = {
    "a code that is a number": {"resourceType": "Condition", "id": "bad", "subject": build.subject(), "code": 5},
    "a date that is a list": {"resourceType": "Condition", "id": "bad", "subject": build.subject(), "onsetDateTime": ["2020"]},
    "a subject that is a string": {"resourceType": "Condition", "id": "bad", "subject": "Patient/p1"},
    "a coding that is an object": {"resourceType": "Condition", "id": "bad", "subject": build.subject(), "code": {"coding": {"code": "x"}}},
    "an id that is a number": {"resourceType": "Condition", "id": 7, "subject": build.subject()},
    "a type that is a number": {"resourceType": 7, "id": "bad"},
    "a string": "Condition",
    "an array": [build.condition()],
    "a number": 12,
}


@pytest.mark.parametrize("way", BROKEN)
def test_loses_one_bad_resource_alone(client, way):
    """A resource that cannot be read costs only itself."""
    prefetch = build.suspect()
    prefetch["conditions"] = build.bundle(BROKEN[way], build.condition(), BROKEN[way])

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


@pytest.mark.parametrize("way", BROKEN)
def test_names_one_bad_resource_on_the_card(client, way):
    """A card that was made without a resource names its key under what is not available."""
    prefetch = build.suspect()
    prefetch["conditions"] = build.bundle(BROKEN[way], build.condition())

    assert "in 'conditions' could not be read" in said(call(client, prefetch))


@pytest.mark.parametrize("way", BROKEN)
def test_names_one_bad_resource_where_there_is_no_card(client, way):
    """An empty answer that was made without a resource names its key in the extension."""
    answer = call(client, {**build.healthy(), "conditions": build.bundle(BROKEN[way])})

    assert [] == answer["cards"]
    assert "in 'conditions' could not be read" in said(answer)


def test_names_one_bad_resource_on_a_card_of_a_confirmed_patient(client):
    """Advice that was given without a resource says so as well."""
    prefetch = build.confirmed()
    prefetch["immunizations"] = build.bundle({"resourceType": "Immunization", "id": "bad", "patient": 5})

    assert "immunizations" in said(call(client, prefetch))


BAD_ENTRIES = {
    "a number": 5,
    "a string": "Condition/1",
    "an array": [],
    "a fullUrl that is a number": {"fullUrl": 5, "resource": build.condition("I10", id="x")},
}


@pytest.mark.parametrize("way", BAD_ENTRIES)
def test_loses_one_bad_entry_alone(client, way):
    """An entry that is none costs only itself."""
    prefetch = build.suspect()
    prefetch["conditions"]["entry"].insert(0, BAD_ENTRIES[way])

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


BAD_BUNDLES = {"id": 5, "meta": "x", "link": [{"relation": 5}], "contained": {}, "implicitRules": 5}


@pytest.mark.parametrize("member", BAD_BUNDLES)
def test_reads_the_entries_of_a_bundle_with_a_bad_member(client, member):
    """A fault in what surrounds the entries does not cost the entries."""
    prefetch = build.suspect()
    prefetch["conditions"][member] = BAD_BUNDLES[member]

    assert ["vexas-test-uba1"] == topics(call(client, prefetch))


# --- values at the edge of what JSON can say ---

EDGES = {
    "a supply that ends after the last day there is": (
        "medicationRequests",
        build.medication(on="9999-12-31", dispenseRequest={"expectedSupplyDuration": {"value": 30, "unit": "d"}}),
    ),
    "a whole number of 400 digits": (
        "bloodCounts",
        {**{k: v for k, v in build.mcv(id="big").items() if k != "valueQuantity"}, "valueInteger": 10**400},
    ),
    "a quantity of 400 digits": ("bloodCounts", build.mcv(10**400, id="big")),
    "the largest float": ("bloodCounts", build.mcv(1.7976931348623157e308, id="big")),
    "a year 0": ("conditions", build.condition("I10", "0000-00-00")),
    "the first day there is, east of UTC": ("conditions", build.condition("I10", "0001-01-01T00:00:00+14:00")),
    "the last moment there is, west of UTC": ("conditions", build.condition("I10", "9999-12-31T23:59:59-12:00")),
    "a pneumonia and an infection on the last day there is": ("conditions", build.condition("J84.9", "9999-12-31")),
}


@pytest.mark.parametrize("edge", EDGES)
def test_survives_values_at_the_edge(client, edge):
    """Dates and numbers at the end of their range cost no more than the resource that holds them."""
    key, resource = EDGES[edge]
    prefetch = build.suspect()
    prefetch[key]["entry"].append({"resource": resource})

    response = client.post(build.SERVICE, json=build.request(prefetch))

    assert 200 == response.status_code
    assert ["vexas-test-uba1"] == topics(response.json)
