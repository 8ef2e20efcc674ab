"""Data of someone else that stands in the patient's chart: a donor's result, a mother's disease, a record that was withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.invocation import Service
from cds_service.reasoning.chart import Chart
from tests import build
from tests.http.test_subjects import UUID, about, call, said, topics

FOUND = "UBA1 p.Met41Thr detected, VAF 40%"
OTHERS_RESULTS = [
    "Donor sample: UBA1 p.Met41Thr detected",
    "Grandfather UBA1 p.Met41Thr pathogenic",
    f"Index case: {FOUND}.",
    f"Proband: {FOUND}; this patient is the spouse.",
    f"{FOUND} (different patient, misfiled)",
    f"{FOUND}. This report was issued in error.",
]
OTHERS_DISEASES = [
    "Mother with Sweet syndrome",
    "Sweet syndrome in mother",
    "FH: Sweet syndrome",
    "Fam hx of Sweet syndrome",
    "Husband has Sweet syndrome",
]
DENIED_DISEASES = ["Sweet syndrome, not present", "Sweet syndrome: negative", "Sweet syndrome - denied"]
DISGUISED = ["https://x/Patient/p2?ref=/Patient/p1", "Patient/p1/_history/1/Patient/p2", "Observation/Patient/p1", "#/Patient/p1"]
UNNAMED = {"a display": {"display": "Mother"}, "an identifier": {"identifier": {"value": "p1"}}}
ORDERS = pytest.mark.parametrize("step", [1, -1], ids=["one order", "the other"])


def gene_report(words: str) -> dict[str, Any]:
    """A suspect with a report of the gene's test."""
    code = {"coding": [{"system": build.LOINC, "code": "104268-8"}]}
    return {**build.suspect(), "reports": build.bundle(build.report(words, code=code))}


def gene_observation(words: str) -> dict[str, Any]:
    """A suspect with the gene's test as a result in words."""
    return {**build.suspect(), "genetics": build.bundle(build.lab("104268-8", None, "", valueQuantity=None, valueString=words))}


def with_conditions(*conditions: dict[str, Any]) -> dict[str, Any]:
    """A high MCV and low platelets, with these diagnoses: a skin disease among them suggests the test, none gives no card."""
    return {**build.suspect(), "conditions": build.bundle(*conditions)}


def with_mcv(**members: Any) -> dict[str, Any]:
    """A suspect whose only MCV has other members; without it the polychondritis and the low platelets still deserve a thought."""
    return {**build.suspect(), "bloodCounts": build.bundle(build.mcv(**members), build.platelets())}


def with_contained(inner: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A suspect whose only MCV stands inside a report."""
    report = build.report("See results.", contained=[inner], **members)
    return {**build.suspect(), "bloodCounts": build.bundle(build.platelets()), "reports": build.bundle(report)}


# --- results of the gene ---


@pytest.mark.parametrize("carrier", [gene_report, gene_observation])
@pytest.mark.parametrize("words", OTHERS_RESULTS)
def test_never_confirms_by_a_result_that_speaks_of_another_person(client, words, carrier):
    """A donor's, a relative's or a misfiled result confirms nothing, even as a result of the gene's own test."""
    assert "vexas-confirmed" not in topics(call(client, carrier(words)))


@pytest.mark.parametrize("carrier", [gene_report, gene_observation])
@pytest.mark.parametrize("words", [FOUND, f"Positive control: p.Met41Thr detected as expected. {FOUND}."])
def test_confirms_by_the_patients_own_result(client, words, carrier):
    """The patient's variant confirms, and a sentence on the control of the assay does not prevent it."""
    assert "vexas-confirmed" == topics(call(client, carrier(words)))[0]


# --- diagnoses ---


@pytest.mark.parametrize("text", [*OTHERS_DISEASES, *DENIED_DISEASES])
def test_never_counts_a_disease_of_a_relative_or_one_that_is_denied(client, text):
    """A disease that the words give to someone else, or deny, is no finding."""
    assert [] == topics(call(client, with_conditions(build.condition(code={"text": text}))))


def test_never_counts_the_text_of_a_family_history(client):
    """A code of family history says whose disease it is, whatever its text."""
    code = {"coding": [{"system": build.ICD_10_CM, "code": "Z84.89"}], "text": "Sweet syndrome"}

    assert [] == topics(call(client, with_conditions(build.condition(code=code))))


def test_counts_the_same_disease_of_the_patient(client):
    """The words without another person count."""
    assert ["vexas-test-uba1"] == topics(call(client, with_conditions(build.condition(code={"text": "Sweet syndrome"}))))


# --- who a resource is about ---


@pytest.mark.parametrize("focus", [build.subject("p2"), {"reference": "RelatedPerson/mother"}, {"reference": "#donor"}], ids=str)
def test_never_counts_a_result_with_a_focus_on_another_person(client, focus):
    """An observation in the patient's chart about a donor or a fetus is not the patient's, and is named."""
    answer = call(client, with_mcv(focus=[focus]))

    assert ["vexas-consider"] == topics(answer)
    assert "'bloodCounts'" in said(answer)


def test_counts_a_result_with_a_focus_on_the_patient(client):
    """A focus that is the patient changes nothing."""
    assert ["vexas-test-uba1"] == topics(call(client, with_mcv(focus=[build.subject()])))


@pytest.mark.parametrize("reference", DISGUISED)
def test_never_takes_a_reference_that_only_holds_our_patient(client, reference):
    """The patient's own reference inside another one is not a reference to the patient."""
    answer = call(client, about({"reference": reference}))

    assert [] == topics(answer)
    assert "'conditions'" in said(answer)


@pytest.mark.parametrize("way", UNNAMED)
def test_never_counts_a_contained_result_of_someone_without_a_reference(client, way):
    """A result inside the patient's report whose subject is only shown or numbered may be anyone's."""
    answer = call(client, with_contained(build.mcv(subject=UNNAMED[way])))

    assert ["vexas-consider"] == topics(answer)
    assert "contained" in said(answer)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_never_counts_a_contained_result_of_a_withdrawn_report(client, status):
    """A report that was withdrawn takes its results with it, whatever status these have."""
    assert ["vexas-consider"] == topics(call(client, with_contained(build.mcv(), status=status)))


# --- two versions of one resource ---


@ORDERS
def test_never_counts_a_result_that_another_version_withdraws(client, step):
    """Of two versions of one id without a time the withdrawn one holds, whichever comes first."""
    versions = [build.mcv(id="m"), build.mcv(id="m", status="entered-in-error")][::step]
    prefetch = {**build.suspect(), "bloodCounts": build.bundle(*versions, build.platelets())}

    assert ["vexas-consider"] == topics(call(client, prefetch))


@ORDERS
def test_never_counts_a_diagnosis_that_another_version_withdraws(client, step):
    """The same for a diagnosis."""
    wrong = {"coding": [{"code": "entered-in-error"}]}
    versions = [build.condition(), build.condition(verificationStatus=wrong)][::step]

    assert [] == topics(call(client, with_conditions(*versions)))


BIRTHS = {
    "a man and a child": ["1956-03-14", "2015-03-14"],
    "a child born on one of two days": ["2015-01-01", "2015-01-02"],
    "a child and no date": ["2015-01-01", None],
    "a child and a date that is none": ["2015-01-01", "soon"],
    "a man and a year in which a child is born": ["1956-03-14", "2010"],
}


@ORDERS
@pytest.mark.parametrize("births", BIRTHS)
def test_shows_nothing_where_one_of_two_patients_of_one_id_is_a_child(client, births, step):
    """Of several birth dates the youngest holds, so that no child gets a card."""
    versions = [build.patient(birthDate=birth) for birth in BIRTHS[births]][::step]

    assert [] == topics(call(client, {**build.suspect(), "patient": build.bundle(*versions)}))


@ORDERS
@pytest.mark.parametrize("other", [{"birthDate": "1956-03-15"}, {"birthDate": None}], ids=str)
def test_says_that_two_patients_of_one_id_differ(client, other, step):
    """Two versions of a grown man leave him one, and the card says that they disagree."""
    versions = [build.patient(), build.patient(**other)][::step]

    answer = call(client, {**build.suspect(), "patient": build.bundle(*versions)})

    assert ["vexas-test-uba1"] == topics(answer)
    assert "versions of the Patient disagree" in said(answer)


@ORDERS
@pytest.mark.parametrize("death", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-10-01"}], ids=str)
def test_shows_nothing_where_one_of_two_patients_of_one_id_has_died(client, death, step):
    """A death that one version knows holds."""
    versions = [build.patient(), build.patient(**death)][::step]

    assert [] == topics(call(client, {**build.suspect(), "patient": build.bundle(*versions)}))


@ORDERS
def test_never_takes_a_full_url_that_two_patients_share(client, step):
    """A urn:uuid that stands for the patient and for another one names nobody."""
    patients = [{"fullUrl": f"urn:uuid:{UUID}", "resource": build.patient(id=name)} for name in ("p1", "p2")][::step]
    prefetch = about({"reference": f"urn:uuid:{UUID}"})
    prefetch["conditions"]["entry"] += patients

    assert [] == topics(call(client, prefetch))


NEWER = {"lastUpdated": "2026-11-20T08:00:00Z"}
OLDER = {"lastUpdated": "2026-11-10T08:00:00Z"}
UNUSABLE = {"unreadable": {"issued": 5}, "changed by an extension": {"modifierExtension": [{"url": "https://ehr.example.org/negated"}]}}


@ORDERS
@pytest.mark.parametrize("times", [(OLDER, NEWER), (None, NEWER), (OLDER, None), (OLDER, {"lastUpdated": 5}), (NEWER, NEWER)], ids=str)
@pytest.mark.parametrize("way", UNUSABLE)
def test_never_counts_a_result_whose_newer_version_cannot_be_used(client, way, times, step):
    """A version that may be the newer one takes the older with it, even where it cannot be read itself."""
    versions = [build.mcv(id="m", meta=times[0]), build.mcv(id="m", meta=times[1], **UNUSABLE[way])][::step]
    prefetch = {**build.suspect(), "bloodCounts": build.bundle(*versions, build.platelets())}

    answer = call(client, prefetch)

    assert ["vexas-consider"] == topics(answer)
    assert "'bloodCounts'" in said(answer)


@ORDERS
@pytest.mark.parametrize("way", UNUSABLE)
def test_counts_a_result_whose_older_version_cannot_be_used(client, way, step):
    """A version that is certainly the older one changes nothing but what is said."""
    versions = [build.mcv(id="m", meta=NEWER), build.mcv(id="m", meta=OLDER, **UNUSABLE[way])][::step]
    prefetch = {**build.suspect(), "bloodCounts": build.bundle(*versions, build.platelets())}

    answer = call(client, prefetch)

    assert ["vexas-test-uba1"] == topics(answer)
    assert "'bloodCounts'" in said(answer)


# --- what changes the meaning of a resource ---


def test_never_counts_a_resource_whose_meaning_an_extension_changes(client):
    """A modifierExtension may turn the meaning round, so what has one is left out and named."""
    negated = [{"url": "https://ehr.example.org/negated", "valueBoolean": True}]

    answer = call(client, with_conditions(build.condition(modifierExtension=negated)))

    assert [] == topics(answer)
    assert "'conditions'" in said(answer)


def test_never_counts_a_contained_result_whose_meaning_an_extension_changes(client):
    """The same for a result inside a report."""
    answer = call(client, with_contained(build.mcv(modifierExtension=[{"url": "https://ehr.example.org/negated"}])))

    assert ["vexas-consider"] == topics(answer)
    assert "has a modifierExtension" in said(answer)


# --- allergies and documents ---


def document(text: str, **members: Any) -> dict[str, Any]:
    """A current document with a name."""
    resource = {"resourceType": "DocumentReference", "id": "doc-1", "status": "current", "date": "2026-10-01", "type": {"text": text}}
    return {**resource, "subject": build.subject(), **members}


def test_says_on_the_card_that_the_patients_own_report_was_not_read(client):
    """The gene's report in a document is named, its result is not known, and the suspicion stands."""
    answer = call(client, {**build.suspect(), "documents": build.bundle(document("UBA1 report: p.Met41Thr detected"))})

    assert ["vexas-test-uba1"] == topics(answer)
    assert "UBA1 report of 2026-10-01 stands in a document and was not read" in said(answer)
    assert "cannot be read here" in answer["cards"][0]["detail"]


@pytest.mark.parametrize("reference", [{"reference": r} for r in ("Patient/p2", "Group/p1", *DISGUISED)] + [*UNNAMED.values(), None])
def test_never_counts_a_document_of_another_patient(client, reference):
    """Another patient's document answers as if it were not there, but for the word that it was left out."""
    foreign = [document(text, id=text, subject=reference) for text in ("UBA1 report", "Bone marrow report")]

    answer = call(client, {**build.suspect(), "documents": build.bundle(*foreign)})

    assert "2 in 'documents'" in said(answer)
    assert "stands in a document" not in said(answer)
    assert call(client, build.suspect())["cards"][0]["suggestions"] == answer["cards"][0]["suggestions"]


@pytest.mark.parametrize("reference", [{"reference": r} for r in ("Patient/p2", "Group/p1", *DISGUISED)] + [*UNNAMED.values(), None])
def test_never_counts_an_allergy_of_another_patient(reference):
    """Another patient's allergy never reaches the chart; the same one of this patient does."""
    charts = [chart_with_allergy(who) for who in (reference, build.subject())]

    assert [0, 1] == [len(c.allergies("rx-csdmard")) for c in charts]
    assert ["1 in 'allergies'" in str(list(c.issues)) for c in charts] == [True, False]


def chart_with_allergy(reference: Any) -> Chart:
    """The chart of a whole request with one allergy about someone."""
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": reference, "code": {"text": "Azathioprine"}}
    service = Service(build.KNOWLEDGE, "http://127.0.0.1:8080", lambda: build.TODAY)
    body = build.body_of(build.request({**build.suspect(), "allergies": build.bundle(allergy)}))
    return Chart(build.KNOWLEDGE, service.chart(service.read(body), build.TODAY), build.TODAY)
