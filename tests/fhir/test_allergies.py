"""Allergies and vaccines as charts send them: each member, odd shapes, and whose they are."""

import json

import pytest

from cds_service.record.codes import Code
from cds_service.record.dates import Day
from tests.fhir.charting import ME, bundle, gathered, gathered_from

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
AZATHIOPRINE = {"coding": [{"system": RXNORM, "code": "1256", "display": "azathioprine"}]}
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
WHO = {"resourceType": "Patient", "id": "p1", "birthDate": "1956-03-04", "gender": "male"}


def allergy(**members):
    """An allergy of this patient; a member given as None is left out."""
    whole = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": ME, "code": AZATHIOPRINE, "recordedDate": "2025-05-01", **members}
    return {name: value for name, value in whole.items() if value is not None}


def test_reads_every_member_in_use():
    """Code, words, both statuses, the day and the reference."""
    read = gathered(
        allergy(
            clinicalStatus={"coding": [{"code": "active"}]},
            verificationStatus={"coding": [{"system": VERIFICATION, "code": "unconfirmed"}]},
            code={"text": "Imuran", **AZATHIOPRINE},
        )
    ).allergies

    assert ["AllergyIntolerance/a1"] == [a.ref for a in read]
    assert [((Code(RXNORM, "1256"),), "Imuran / azathioprine")] == [(a.codes, a.text) for a in read]
    assert [("active", "unconfirmed", Day(2025, 5, 1))] == [(a.status, a.verification, a.on) for a in read]


@pytest.mark.parametrize(
    ("status", "verification", "expected"),
    [
        (" Active ", "confirmed", ("active", "confirmed")),
        ({"text": "resolved"}, {"text": "Refuted"}, ("resolved", "refuted")),
        (None, None, (None, None)),
    ],
)
def test_reads_a_status_as_concept_or_string(status, verification, expected):
    """Charts send a status as a concept, as its text, or as a bare string."""
    read = gathered(allergy(clinicalStatus=status, verificationStatus=verification)).allergies

    assert [expected] == [(a.status, a.verification) for a in read]


def test_leaves_out_an_allergy_entered_in_error():
    """What was entered by mistake never reaches the record."""
    assert () == gathered(allergy(verificationStatus={"coding": [{"code": "entered-in-error"}]})).allergies


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"onsetDateTime": "2020-01-02"}, Day(2025, 5, 1)),
        ({"recordedDate": None, "onsetDateTime": "2020-01-02"}, Day(2020, 1, 2)),
        ({"recordedDate": "soon", "onsetDateTime": "2020-01"}, Day(2020, 1, 15)),
        ({"recordedDate": None}, None),
    ],
)
def test_dates_an_allergy_by_its_record_else_by_its_onset(members, day):
    """The day of recording comes first; without both it is undated."""
    assert [day] == [a.on for a in gathered(allergy(**members)).allergies]


REACTIONS = [{"manifestation": [{"text": "rash"}]}, {"substance": AZATHIOPRINE}, {"substance": {"text": "Rituximab"}}]


@pytest.mark.parametrize("code", [None, {}, {"coding": [{"code": "1"}]}], ids=["no code", "an empty one", "a code without system"])
def test_names_an_allergy_by_the_substances_of_its_reactions(code):
    """Where the allergy itself names nothing, its reactions do."""
    read = gathered(allergy(code=code, reaction=REACTIONS)).allergies

    assert [((Code(RXNORM, "1256"),), "azathioprine"), ((), "Rituximab")] == [(a.codes, a.text) for a in read]


@pytest.mark.parametrize("name", ["Drug allergy", "NKDA"])
def test_reads_the_substances_beside_the_name(name):
    """The allergy's own code may be a heading or a denial; each substance is an entry of its own."""
    read = gathered(allergy(code={"text": name}, reaction=REACTIONS)).allergies

    assert [((), name), ((Code(RXNORM, "1256"),), "azathioprine"), ((), "Rituximab")] == [(a.codes, a.text) for a in read]
    assert {"AllergyIntolerance/a1"} == {a.ref for a in read}


def test_reads_a_substance_that_is_the_name_once():
    """Most reactions repeat what the allergy is to."""
    assert 1 == len(gathered(allergy(reaction=[{"substance": AZATHIOPRINE}, {"substance": AZATHIOPRINE}])).allergies)


@pytest.mark.parametrize(("sent", "kept"), [(50, 50), (51, 51), (60, 51)])
def test_keeps_one_code_more_than_are_read(sent, kept):
    """So it is seen that there are more."""
    coding = [{"code": "without a system"}, *({"system": RXNORM, "code": str(n)} for n in range(sent))]

    assert [kept] == [len(a.codes) for a in gathered(allergy(code={"coding": coding})).allergies]


def test_keeps_an_allergy_that_names_nothing():
    """It is an entry of the list still."""
    assert [((), "")] == [(a.codes, a.text) for a in gathered(allergy(code=None)).allergies]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"patient": {"reference": "Patient/p2"}}, "belongs to another patient"),
        ({"patient": None}, "names no patient"),
        ({"patient": {"display": "Mother"}}, "names no patient"),
        ({"patient": None, "subject": ME}, "names no patient"),
        ({"modifierExtension": [{"url": "https://ehr.example.org/negated"}]}, "modifierExtension"),
        ({"code": 5}, "could not be read"),
        ({"patient": "Patient/p1"}, "could not be read"),
        ({"reaction": {"substance": {}}}, "could not be read"),
    ],
)
def test_refuses_an_allergy_that_is_not_this_patients_or_not_clear(members, why):
    """It is left out, and an issue says so."""
    record = gathered(allergy(**members))

    assert () == record.allergies
    assert any(why in issue.what for issue in record.issues)


def test_does_not_take_an_allergy_that_is_contained_in_something_else():
    """Only results count inside another resource."""
    holder = {"resourceType": "DiagnosticReport", "id": "d1", "status": "final", "subject": ME, "code": {"text": "x"}, "contained": [allergy()]}

    assert () == gathered(holder).allergies


@pytest.mark.parametrize("turned", [False, True])
def test_takes_the_withdrawn_one_of_two_versions_of_one_time(turned):
    """Two versions without a time: the refuted one holds, whichever came first."""
    versions = [allergy(), allergy(verificationStatus={"coding": [{"code": "refuted"}]})]

    record = gathered(*(reversed(versions) if turned else versions))

    assert ["refuted"] == [a.verification for a in record.allergies]


def test_reads_one_bad_entry_alone():
    """An allergy that cannot be read costs only itself, and the list is then not all there."""
    record = gathered_from({"patient": WHO, "allergies": bundle(allergy(id="bad", code=5), allergy())})

    assert ["AllergyIntolerance/a1"] == [a.ref for a in record.allergies]
    assert not record.knows("allergies")


def test_knows_that_there_is_none_only_where_it_was_asked():
    """An empty list is known to be empty; one that was not sent is not."""
    asked = gathered_from({"patient": WHO, "allergies": bundle()})
    silent = gathered_from({"patient": WHO, "conditions": bundle()})

    assert (True, False) == (asked.knows("allergies"), silent.knows("allergies"))


def test_reads_an_allergy_as_no_drug():
    """What somebody must not have is not what somebody has."""
    record = gathered(allergy(), json.loads(json.dumps(allergy(id="a2"))))

    assert () == record.medications


# --- vaccines ---


def vaccine(**members):
    """A vaccine of this patient."""
    return {"resourceType": "Immunization", "id": "i1", "status": "completed", "patient": ME, "vaccineCode": {"text": "Shingrix"}, **members}


@pytest.mark.parametrize(("members", "given"), [({}, 1), ({"isSubpotent": False}, 1), ({"isSubpotent": None}, 1), ({"isSubpotent": True}, 0)])
def test_takes_a_subpotent_vaccine_for_no_dose(members, given):
    """A dose that was too weak to count protects nobody."""
    assert given == len(gathered(vaccine(**members)).immunizations)
