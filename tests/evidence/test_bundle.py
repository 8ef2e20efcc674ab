"""A whole chart in one Bundle: what is not in it is absent, unless the Bundle itself leads to more than it holds."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest

from cds_service.errors import CDSServiceError, InvalidRequest, MalformedBody, RequiredDataUnavailable
from cds_service.evidence.bundle import record_of
from cds_service.record.facts import PatientRecord, Source
from tests import build


def record(*resources, **members) -> PatientRecord:
    """The record of a Bundle of one patient."""
    return read(json.dumps(build.bundle(build.patient(), *resources, **members)).encode())


def read(content: bytes) -> PatientRecord:
    """The record of what stands in a file."""
    return record_of(content, build.KNOWLEDGE, build.TODAY, "The file", MalformedBody)


def test_what_is_not_in_it_is_absent():
    """Every source was read in full, also those of which nothing is there, and there is nothing to say of it."""
    found = record(build.mcv())

    assert ({Source.READ}, ()) == (set(found.sources.values()), found.issues)
    assert {requirement.domain for requirement in build.KNOWLEDGE.requirements.values() if requirement.resource != "Patient"} == found.sources.keys()


def test_reads_each_kind_once():
    """Several prefetch keys ask for one kind; each resource counts once, and drugs are found in the Medication beside the order."""
    drug = {"resourceType": "Medication", "id": "m1", "code": {"text": "prednisone"}}
    order = build.medication("", medicationReference={"reference": "Medication/m1"}) | {"medicationCodeableConcept": None}
    found = record(build.mcv(), build.crp(), build.platelets(), order, build.condition(), drug)

    assert (3, 1, 1) == (len(found.labs), len(found.medications), len(found.conditions))
    assert ["prednisone"] == [medication.text for medication in found.medications]
    assert () == found.issues


PARTIAL = {
    "a next page": ({"link": [{"relation": "next", "url": "http://127.0.0.1/next"}]}, (), "is not the whole chart"),
    "links that cannot be read": ({"link": 5}, (), "is not the whole chart"),
    "more matches than entries": ({"total": 900}, (), "is not the whole chart"),
    "a total that cannot be read": ({"total": "many"}, (), "is not the whole chart"),
    "a total with a fraction": ({"total": 2.5}, (), "is not the whole chart"),
    "a Bundle inside": ({}, (build.bundle(build.crp()),), "a Bundle inside 'Bundle' was not read"),
    "a search that failed": ({}, (build.outcome("error"),), "the EHR reported an error within 'Bundle'"),
    "a resource that cannot be read": ({}, ({"resourceType": 5},), "a resource in 'Bundle' could not be read"),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_not_in_a_part_is_unknown(name):
    """One sentence says what is missing, with a remedy; nothing counts as absent, and what is there counts."""
    members, more, said = PARTIAL[name]
    found = record(build.mcv(), *more, **members)
    (issue,) = found.issues

    assert ({Source.INCOMPLETE}, 1) == (set(found.sources.values()), len(found.labs))
    assert said in issue.what
    assert issue.remedy.endswith(".")


@pytest.mark.parametrize("entry", [{"response": {"status": "403 Forbidden"}}, 5, "text", [], {"resource": 5}])
def test_an_entry_without_a_resource_is_told(entry):
    """A batch whose part failed, and what is no entry at all, are no silence."""
    chart = build.bundle(build.patient(), build.mcv())
    found = read(json.dumps({**chart, "entry": [*chart["entry"], entry]}).encode())

    assert Counter({"a resource in 'Bundle' could not be read and was not used": 1}) == Counter(issue.what for issue in found.issues)
    assert {Source.INCOMPLETE} == set(found.sources.values())


@pytest.mark.parametrize("entry", [None, {}, {"fullUrl": "urn:uuid:1"}, {"resource": None}, {"resource": build.outcome("information")}])
def test_an_entry_that_says_nothing_changes_nothing(entry):
    """Empty entries and notes of the server leave the chart whole, as does a kind that nobody reads."""
    chart = build.bundle(build.patient(), build.mcv(), {"resourceType": "Encounter", "id": "e1"}, total=3)
    found = read(json.dumps({**chart, "entry": [*chart["entry"], entry]}).encode())

    assert ({Source.READ}, ()) == (set(found.sources.values()), found.issues)


def test_a_damaged_result_may_have_been_any():
    """One result that cannot be read leaves the other kinds as they are; of its own kind nothing is known to be absent."""
    found = record(build.mcv(), build.crp(effectiveDateTime=5, id="bad"), build.condition())

    assert {"conditions": Source.READ, "blood-counts": Source.INCOMPLETE, "inflammation": Source.INCOMPLETE}.items() <= found.sources.items()
    assert [True] == ["an Observation in" in issue.what for issue in found.issues]


@pytest.mark.parametrize(
    "came_along", [{"search": {"mode": "include"}, "resource": build.crp()}, {"resource": build.outcome("information")}, None, {}]
)
def test_what_came_along_is_no_match(came_along):
    """Of three matches two are there: what a search did not look for makes up for none."""
    chart = build.bundle(build.patient(), build.mcv(), total=3)
    found = read(json.dumps({**chart, "entry": [*chart["entry"], came_along]}).encode())

    assert {Source.INCOMPLETE} == set(found.sources.values())
    assert [True] == ["is not the whole chart" in issue.what for issue in found.issues]


@pytest.mark.parametrize("total", [2, 2.0, "2", 0, None])
def test_a_total_that_is_met_says_nothing(total):
    """However it is written."""
    assert ((), {Source.READ}) == ((found := record(build.mcv(), total=total)).issues, set(found.sources.values()))


LOST = {
    "a contained result that cannot be read": build.report("", contained=[build.mcv("108")]),
    "a contained result whose meaning is changed": build.report("", contained=[build.mcv(modifierExtension=[{"url": "x"}])]),
    "a result behind hundreds of contained ones": build.report("", contained=[{"resourceType": "Specimen"}] * 500 + [build.mcv()]),
}


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_inside_a_report_may_have_been_any_test(name):
    """It is told, and no test counts as absent; the other kinds do."""
    found = record(LOST[name])

    assert {"blood-counts": Source.INCOMPLETE, "inflammation": Source.INCOMPLETE, "conditions": Source.READ}.items() <= found.sources.items()
    assert 1 == len(found.issues)


def test_a_drug_that_cannot_be_read_makes_the_drugs_unknown():
    """The order still has its words; what else the drug is nobody knows."""
    order = build.medication("", medicationReference={"reference": "Medication/m1", "display": "prednisone"}) | {"medicationCodeableConcept": None}
    found = record(order, {"resourceType": "Medication", "id": "m1", "code": 5})

    assert (["prednisone"], Source.INCOMPLETE) == ([medication.text for medication in found.medications], found.sources["medications"])
    assert ["a Medication in 'Bundle' could not be read at code and was not used"] == [issue.what for issue in found.issues]


ODD = {
    "a result that cannot be read": build.crp(valueQuantity=5),
    "a result whose meaning is changed": build.crp(modifierExtension=[{"url": "x"}]),
    "a result of somebody else": build.crp(subject={"reference": "Patient/other"}),
    "a result of nobody": build.crp(subject=None),
    "a drug without a name": build.medication("") | {"medicationCodeableConcept": {}},
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_told_names_no_prefetch_key(name):
    """A chart that somebody pasted has no keys."""
    assert [True] == ["'Bundle'" in issue.what for issue in record(ODD[name]).issues]


UUID = "urn:uuid:8f0e1f0a-5d2f-4a53-9b3e-0c1d2e3f4a5b"


@pytest.mark.parametrize("subject", [UUID, UUID.upper().replace("URN:UUID", "urn:uuid")])
def test_reads_a_document_whose_patient_has_no_id(subject):
    """Documents name their resources by full URLs alone: the Patient is whom these name, and nobody else's data count."""
    resources = [
        (UUID, {"resourceType": "Patient", "gender": "male", "birthDate": "1950-01-01"}),
        ("urn:uuid:2", build.mcv(subject={"reference": subject}) | {"id": None}),
        ("urn:uuid:3", build.crp(subject={"reference": "urn:uuid:4"}) | {"id": None}),
    ]
    chart = {"resourceType": "Bundle", "type": "document", "entry": [{"fullUrl": url, "resource": one} for url, one in resources]}
    found = read(json.dumps(chart).encode())

    assert (UUID.removeprefix("urn:uuid:"), 1) == (found.patient_id, len(found.labs))
    assert [True] == ["belongs to another patient" in issue.what for issue in found.issues]


def test_matches_names_of_any_kind():
    """Patients may be named by oid, and drugs in capital letters."""
    order = build.medication("", subject={"reference": "urn:oid:1.2.3"}, medicationReference={"reference": "URN:UUID:AB"}) | {
        "medicationCodeableConcept": None
    }
    resources = [
        ("urn:oid:1.2.3", build.patient()),
        ("urn:uuid:2", order),
        ("urn:uuid:ab", {"resourceType": "Medication", "id": "m1", "code": {"text": "prednisone"}}),
    ]
    found = read(json.dumps({"resourceType": "Bundle", "entry": [{"fullUrl": url, "resource": one} for url, one in resources]}).encode())

    assert (["prednisone"], ()) == ([medication.text for medication in found.medications], found.issues)


def test_a_patient_who_cannot_be_read_is_told_with_the_place_in_the_bundle():
    """There is no prefetch to point at."""
    with pytest.raises(RequiredDataUnavailable, match="could not be read at birthDate") as caught:
        read(json.dumps(build.bundle(build.patient(birthDate=5), build.mcv())).encode())

    assert "/entry" == caught.value.place


@pytest.mark.parametrize("odd", [5, ["p2"], {"value": "p2"}])
def test_refuses_a_second_patient_however_odd(odd):
    """A Patient whose id cannot be read is another one all the same."""
    with pytest.raises(InvalidRequest, match="2 Patients with 1 usable ids"):
        record(build.patient(id=odd))


def test_reads_more_entries_than_a_page_may_have():
    """A file may hold a long life: the limit of a prefetch key is none of it."""
    days = [(build.TODAY - dt.timedelta(days=n % 3000)).isoformat() for n in range(21_000)]
    found = record(*[build.mcv(on=day, id=f"m{n}") for n, day in enumerate(days)])

    assert (21_000, ()) == (len(found.labs), found.issues)


def test_reads_no_more_entries_than_a_chart_may_have():
    """What is nothing but entries costs no time without end; the rest of it is unknown."""
    patient = json.dumps({"resource": build.patient()})
    found = read(f'{{"resourceType": "Bundle", "entry": [{patient}{",{}" * 100_000}]}}'.encode())

    assert {Source.INCOMPLETE} == set(found.sources.values())
    assert ["'Bundle' holds more than 100000 entries; the rest was not read"] == [issue.what for issue in found.issues]


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b'{"resourceType": "Bundle", "entry": [}', MalformedBody, "The file: not JSON at line 1, column 38"),
        (b'{"resourceType": "Bundle", "entry": null}', InvalidRequest, "no FHIR Bundle with entries"),
        (b'{"resourceType": "Bundle"}', InvalidRequest, "no FHIR Bundle with entries"),
        (b'{"entry": []}', InvalidRequest, "no FHIR Bundle with entries"),
        (b'{"resourceType": "Bundle", "type": "history", "entry": []}', InvalidRequest, "a history, which holds what was deleted, too"),
        (b'{"resourceType": "Bundle", "type": 5, "entry": []}', InvalidRequest, "0 Patients"),
        (b"5", InvalidRequest, "no FHIR Bundle with entries"),
    ],
)
def test_refuses_what_is_no_bundle(content, error, said):
    """What is no JSON is told apart from JSON that is no Bundle, each with the place."""
    with pytest.raises(CDSServiceError, match=said) as caught:
        read(content)

    assert error is type(caught.value)
