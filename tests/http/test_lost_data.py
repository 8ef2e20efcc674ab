"""Data that are there and written in an unusual way: they count, or the answer says that they could not be used."""

from __future__ import annotations

from typing import Any

import pytest

from tests import build
from tests.http.test_subjects import call, said, topics

OTHER_DISEASE = build.condition("I10", id="other")
UNUSUAL = {
    "an entry of the kind 'condition'": {"resource": build.condition(resourceType="condition")},
    "an entry without resourceType": {"resource": {k: v for k, v in build.condition().items() if k != "resourceType"}},
    "a Bundle in a Bundle": {"resource": build.bundle(build.condition())},
    "an entry that was refused": {"response": {"status": "403 Forbidden"}},
}
MORE = {
    "a total of 12": {"total": 12},
    "a link 'Next'": {"link": [{"relation": "Next", "url": "https://ehr.example.org/2"}]},
}
CONFIRMED = {
    "a capital": {"coding": [{"code": "Confirmed"}]},
    "only a text": {"text": "Confirmed"},
    "a word": "Confirmed",
}
BAD_DATES = ["01/11/2026", "2026-13-45", "20261101"]
NO_FINDING = ["vexas-consider"]  # the polychondritis and the low platelets alone


def counts(mcv: dict[str, Any]) -> dict[str, Any]:
    """A suspect with this MCV."""
    return {**build.suspect(), "bloodCounts": build.bundle(mcv, build.platelets())}


def uba1(words: str, on: str = "2026-10-01", **members: Any) -> dict[str, Any]:
    """A report of the gene's test."""
    return build.report(words, on, **{"id": "uba1", "code": {"coding": [{"system": build.LOINC, "code": "104268-8"}]}, **members})


# --- entries and pages ---


@pytest.mark.parametrize("way", UNUSUAL)
def test_says_that_an_entry_beside_a_good_one_was_not_used(client, way):
    """An entry that is no resource that we know is named, even where another one was read."""
    conditions = build.bundle(OTHER_DISEASE)
    conditions["entry"].append(UNUSUAL[way])

    assert "'conditions'" in said(call(client, {**build.healthy(), "conditions": conditions}))


@pytest.mark.parametrize("way", MORE)
def test_says_that_there_is_more_than_was_sent(client, way):
    """A total above what came, and a link to a next page in capitals, tell that something is missing."""
    assert "'conditions'" in said(call(client, {**build.healthy(), "conditions": build.bundle(OTHER_DISEASE, **MORE[way])}))


@pytest.mark.parametrize("ours", [build.bundle(), None], ids=["empty", "null"])
def test_says_that_the_data_stand_under_keys_it_never_asked_for(client, ours):
    """A chart under other keys, with ours empty, is not an empty chart."""
    prefetch = {"patient": build.patient(), **dict.fromkeys(build.KEYS, ours), "problems": build.suspect()["conditions"]}

    assert "prefetch keys" in said(call(client, prefetch))


# --- statuses ---


@pytest.mark.parametrize("way", CONFIRMED)
def test_counts_a_diagnosis_however_its_verification_is_written(client, way):
    """Capitals, a text without a code, and a bare word are read."""
    assert ["vexas-test-uba1"] == topics(
        call(client, {**build.suspect(), "conditions": build.bundle(build.condition(verificationStatus=CONFIRMED[way]))})
    )


@pytest.mark.parametrize("status", ["final", "Final", " FINAL "])
def test_counts_a_result_whatever_the_capitals_of_its_status(client, status):
    """A result is final in any spelling."""
    assert ["vexas-test-uba1"] == topics(call(client, counts(build.mcv(status=status))))


@pytest.mark.parametrize("status", ["final", "Final"])
def test_reads_a_report_whatever_the_capitals_of_its_status(client, status):
    """A report is final in any spelling."""
    prefetch = {**build.suspect(), "reports": build.bundle(uba1("UBA1 p.Met41Thr detected, VAF 40 %.", status=status))}

    assert "vexas-confirmed" == topics(call(client, prefetch))[0]


@pytest.mark.parametrize(("intent", "taken"), [("order", True), ("Order", True), ("plan", False), ("Plan", False), ("Proposal", False)])
def test_counts_a_drug_that_was_ordered_and_none_that_is_planned(client, intent, taken):
    """A plan is no treatment, in any spelling."""
    prefetch = {**build.confirmed(), "medicationRequests": build.bundle(build.medication("prednisone 20 mg", "2026-11-10", intent=intent))}

    details = " ".join(card["detail"] for card in call(client, prefetch)["cards"])

    assert taken == ("When a glucocorticoid is reduced" in details)


@pytest.mark.parametrize("status", ["active", "Active"])
def test_sees_an_order_of_the_test_whatever_the_capitals_of_its_status(client, status):
    """A test that was ordered is not offered again."""
    order = {"resourceType": "ServiceRequest", "id": "o", "status": status, "intent": "order", "subject": build.subject()}
    ordered = {**order, "code": {"text": "UBA1 gene test"}, "authoredOn": "2026-11-10"}

    [card] = call(client, {**build.suspect(), "serviceRequests": build.bundle(ordered)})["cards"]

    assert "UBA1 test ordered on 2026-11-10" in card["summary"]
    assert "suggestions" not in card


# --- dates ---


@pytest.mark.parametrize("date", BAD_DATES)
def test_names_a_result_whose_date_cannot_be_read(client, date):
    """A result of no known day is not used, and the card says why."""
    answer = call(client, counts(build.mcv(on=date)))

    assert NO_FINDING == topics(answer)
    assert "has a date that cannot be read" in said(answer)


def test_names_a_problem_of_a_day_to_come(client):
    """A problem that is dated in the future is not used, and the answer says why."""
    answer = call(client, {**build.suspect(), "conditions": build.bundle(build.condition(on="2027-01-01"))})

    assert [] == topics(answer)
    assert "A problem is dated in the future and was not used" in said(answer)


@pytest.mark.parametrize("date", ["1000-01-01", "1056-03-14", "2028-01-01", "2050-03-04", "9999"])
def test_knows_no_age_from_a_birth_date_that_cannot_be_right(client, date):
    """A man of 1,000 years, or one who is born in twenty, has an unknown age, so the test is only to consider."""
    answer = call(client, {**build.suspect(), "patient": build.patient(birthDate=date)})

    assert ["vexas-consider"] == topics(answer)
    assert "date of birth" in said(answer)


@pytest.mark.parametrize("date", ["2026-11-23", "2027-01-01", "2027", "2026-12"])
def test_shows_nothing_of_a_patient_who_is_not_born_yet(client, date):
    """A newborn entered ahead of its birth is a child."""
    assert [] == topics(call(client, {**build.suspect(), "patient": build.patient(birthDate=date)}))


@pytest.mark.parametrize(
    ("date", "child"),
    [("2007", False), ("2008", True), ("2009", True), ("2008-10", False), ("2008-11", True), ("2008-12", True), ("2026", True), ("2026-11", True)],
)
def test_takes_who_may_be_a_child_for_one(client, date, child):
    """An incomplete date of birth counts as its last day where it decides about childhood."""
    answer = call(client, {**build.confirmed(), "patient": build.patient(birthDate=date)})

    assert child == (not topics(answer))


def test_sees_a_diagnosis_that_was_recorded_after_a_negative_result(client):
    """An organ that came on record since a negative of full coverage is new, even if it began before."""
    negative = uba1("UBA1: no variant detected. All coding exons were sequenced.", "2026-03-01")
    late = build.condition(on="2026-02-01", recordedDate="2026-09-01")
    prefetch = {**build.suspect(), "conditions": build.bundle(late), "reports": build.bundle(negative)}

    assert ["vexas-negative"] == topics(call(client, prefetch))


# --- values and systems ---


def test_never_uses_a_value_that_its_laboratory_calls_absent(client):
    """A value with a reason for its absence is none, and is named."""
    answer = call(client, counts(build.mcv(dataAbsentReason={"coding": [{"code": "error"}]})))

    assert NO_FINDING == topics(answer)
    assert "marked as absent" in said(answer)


@pytest.mark.parametrize("system", ["ICD-10-CM", "icd-10-cm", "https://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"])
def test_knows_the_system_of_a_diagnosis_however_it_is_written(client, system):
    """Common spellings of ICD-10-CM are read."""
    named = build.condition(code={"coding": [{"system": system, "code": "M94.1"}]})

    assert ["vexas-test-uba1"] == topics(call(client, {**build.suspect(), "conditions": build.bundle(named)}))


@pytest.mark.parametrize("system", ["https://loinc.org", "http://loinc.org/", "LOINC", "urn:oid:2.16.840.1.113883.6.1"])
def test_knows_the_system_of_a_result_however_it_is_written(client, system):
    """Common spellings of LOINC are read."""
    assert ["vexas-test-uba1"] == topics(call(client, counts(build.mcv(code={"coding": [{"system": system, "code": "787-2"}]}))))


def test_says_that_an_observation_with_too_many_parts_was_not_read(client):
    """An observation is read whole or not at all: what stands behind the five hundredth part could change what the others say."""
    parts = [{"code": {"text": str(n)}, "valueString": "x"} for n in range(501)]

    response = client.post(build.SERVICE, json=build.request({**build.suspect(), "genetics": build.bundle(build.mcv(id="many", component=parts))}))

    assert "could not be read at component" in response.get_data(as_text=True)
