"""Conditions, drugs, orders and reports: what they say, until when, and whose they are."""

import datetime as dt

import pytest

from cds_service.errors import CDSServiceError
from cds_service.reasoning.assess import Reasoner
from cds_service.record.dates import Day
from tests.fhir.charting import KNOWLEDGE, ME, TODAY, bundle, gathered, gathered_from, resource

PREDNISONE = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640", "display": "prednisone"}]}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def condition(**members):
    """A condition of this patient."""
    return resource("Condition", **{"code": {"text": "Scleritis"}, "recordedDate": "2026-05-01", **members})


def request(**members):
    """A drug order of this patient."""
    return resource(
        "MedicationRequest", **{"status": "active", "intent": "order", "authoredOn": "2026-01-10", "medicationCodeableConcept": PREDNISONE, **members}
    )


@pytest.mark.parametrize(
    ("status", "verification", "expected"),
    [
        ({"coding": [{"system": CLINICAL, "code": "active"}]}, {"coding": [{"code": "confirmed"}]}, ("active", "confirmed")),
        ("active", "confirmed", ("active", "confirmed")),
        ({"text": "active"}, {"text": "provisional"}, ("active", "provisional")),
        (None, None, (None, None)),
        ({"coding": [{"code": " resolved "}]}, "", ("resolved", None)),
        ("inactive", {"coding": [{"code": "refuted"}]}, ("inactive", "refuted")),
    ],
)
def test_reads_a_status_as_concept_or_string(status, verification, expected):
    """Charts send a status as a concept, as its text, or as a bare string."""
    members = {k: v for k, v in {"clinicalStatus": status, "verificationStatus": verification}.items() if v is not None}

    record = gathered(condition(**members))

    assert [expected] == [(c.status, c.verification) for c in record.conditions]


def test_leaves_out_a_condition_entered_in_error():
    """What was entered by mistake never reaches the record."""
    record = gathered(condition(verificationStatus={"coding": [{"code": "entered-in-error"}]}))

    assert () == record.conditions


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"onsetDateTime": "2024-02"}, Day(2024, 2, 15)),
        ({"onsetPeriod": {"start": "2024-02-03"}}, Day(2024, 2, 3)),
        ({"onsetString": "childhood"}, Day(2026, 5, 1)),
        ({"onsetAge": {"value": 60, "unit": "a"}}, Day(2026, 5, 1)),
        ({}, Day(2026, 5, 1)),
        ({"recordedDate": "soon"}, None),
    ],
)
def test_dates_a_condition_by_its_onset_else_by_its_record(members, day):
    """Onset comes first, then the day of recording; without both it is undated."""
    record = gathered(condition(**members))

    assert [day] == [c.on for c in record.conditions]


MEDICATION = {"resourceType": "Medication", "id": "m1", "code": PREDNISONE}
MIXTURE = {
    "resourceType": "Medication",
    "id": "m2",
    "ingredient": [
        {"itemCodeableConcept": PREDNISONE},
        {"itemCodeableConcept": {"text": "Calcium"}},
        {"itemCodeableConcept": {"text": "Lactose"}, "isActive": False},
    ],
}


@pytest.mark.parametrize(
    ("members", "beside", "text", "coded"),
    [
        ({}, (), "prednisone", True),
        ({"medicationCodeableConcept": {"text": "Prednisone 5 mg"}}, (), "Prednisone 5 mg", False),
        ({"medicationCodeableConcept": None, "contained": [MEDICATION], "medicationReference": {"reference": "#m1"}}, (), "prednisone", True),
        ({"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m1"}}, (MEDICATION,), "prednisone", True),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "https://ehr.example.org/fhir/Medication/m1"}},
            (MEDICATION,),
            "prednisone",
            True,
        ),
        ({"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m1/_history/1"}}, (MEDICATION,), "prednisone", True),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "https://ehr.example.org/fhir/Medication/m1/_history/2"}},
            (MEDICATION,),
            "prednisone",
            True,
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "urn:uuid:1"}},
            ({"fullUrl": "urn:uuid:1", "resource": MEDICATION},),
            "prednisone",
            True,
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m9", "display": "Prednisone 20 mg"}},
            (),
            "Prednisone 20 mg",
            False,
        ),
        ({"medicationCodeableConcept": None, "medicationReference": {"display": "Prednisone 20 mg"}}, (), "Prednisone 20 mg", False),
        ({"medicationCodeableConcept": None}, (), "", False),
        ({"medicationCodeableConcept": None, "contained": [MIXTURE], "medicationReference": {"reference": "#m2"}}, (), "prednisone / Calcium", True),
        ({"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m2"}}, (MIXTURE,), "prednisone / Calcium", True),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m2", "display": "Mixture"}},
            ({**MIXTURE, "ingredient": [{"itemReference": {"reference": "Substance/s1"}}]},),
            "Mixture",
            False,
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m2"}},
            ({**MIXTURE, "form": {"text": "Cream"}},),
            "prednisone / Calcium / Cream",
            True,
        ),
        (
            {
                "medicationCodeableConcept": None,
                "contained": [{**MIXTURE, "form": {"text": "Cream"}}],
                "medicationReference": {"reference": "#m2", "display": "Mixture"},
            },
            (),
            "prednisone / Calcium / Cream",
            True,
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m2"}},
            ({**MIXTURE, "code": {"text": "Brand"}},),
            "Brand",
            False,
        ),
    ],
)
def test_finds_the_drug_of_an_order(members, beside, text, coded):
    """The drug is coded, contained, beside the order in the Bundle, or only a display; without a code its active ingredients are the drug."""
    one = {k: v for k, v in {**request(), **members}.items() if v is not None}

    record = gathered(one, *beside)

    assert [(text, coded)] == [(m.text, bool(m.codes)) for m in record.medications]


def bounds(start, end):
    """A dosage with its bounds."""
    return [{"timing": {"repeat": {"boundsPeriod": {"start": start, "end": end}}}}]


@pytest.mark.parametrize(
    ("members", "start", "until"),
    [
        ({}, Day(2026, 1, 10), None),
        ({"dosageInstruction": bounds("2026-02-01", "2026-03-01")}, Day(2026, 2, 1), Day(2026, 3, 1)),
        ({"dosageInstruction": bounds("2026-02-01", "2026-03-01") + bounds("2026-03-02", "2026-04-01")}, Day(2026, 2, 1), Day(2026, 4, 1)),
        ({"dispenseRequest": {"validityPeriod": {"start": "2026-02-02", "end": "2026-05-02"}}}, Day(2026, 2, 2), Day(2026, 5, 2)),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}}}, Day(2026, 1, 10), Day(2026, 2, 8)),
        (
            {"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days"}, "numberOfRepeatsAllowed": 2}},
            Day(2026, 1, 10),
            Day(2026, 4, 9),
        ),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 4, "unit": "wk"}}}, Day(2026, 1, 10), Day(2026, 2, 6)),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 1, "unit": "mo"}}}, Day(2026, 1, 10), None),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 0, "unit": "d"}}}, Day(2026, 1, 10), None),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 1e30, "unit": "d"}}}, Day(2026, 1, 10), None),
        ({"authoredOn": "9999-12-31", "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "d"}}}, Day(9999, 12, 31), None),
    ],
)
def test_knows_from_when_until_when_an_order_runs(members, start, until):
    """Bounds, validity, or the supply with its repeats give the end; without them it is open."""
    record = gathered(request(**members))

    assert [(start, until)] == [(m.on, m.until) for m in record.medications]


@pytest.mark.parametrize(
    ("route", "local"),
    [
        ({"text": "oral"}, False),
        ({"text": "Oral route"}, False),
        ({"text": "PO"}, False),
        ({"text": "IV"}, False),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]}, False),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]}, False),
        ({"text": "subcutaneous injection"}, False),
        ({"text": "topical"}, True),
        ({"text": "Ophthalmic route"}, True),
        ({"text": "inhalation"}, True),
        ({"text": "nasal"}, True),
        ({"text": "rectal"}, True),
        ({"text": "intraarticular"}, True),
    ],
)
def test_tells_a_local_route_from_a_systemic_one(route, local):
    """A stated route that does not reach the whole body is kept as local."""
    record = gathered(request(dosageInstruction=[{"route": route}]))

    assert [local] == [bool(m.route) for m in record.medications]


def test_takes_an_order_as_systemic_when_one_of_its_routes_is():
    """A local first dosage does not hide an oral second one."""
    record = gathered(request(dosageInstruction=[{"route": {"text": "topical"}}, {"route": {"text": "oral"}}]))

    assert [""] == [m.route for m in record.medications]


def test_reads_a_statement_with_its_period():
    """A MedicationStatement has its own dates."""
    statement = resource(
        "MedicationStatement", status="completed", medicationCodeableConcept=PREDNISONE, effectivePeriod={"start": "2026-01-01", "end": "2026-04-01"}
    )

    record = gathered(statement)

    assert [(Day(2026, 1, 1), Day(2026, 4, 1), "completed")] == [(m.on, m.until, m.status) for m in record.medications]


@pytest.mark.parametrize(
    ("members", "counted"),
    [({}, 1), ({"intent": "plan"}, 1), ({"intent": "proposal"}, 1), ({"doNotPerform": True}, 0), ({"intent": "original-order"}, 1)],
)
def test_takes_every_request_but_a_prohibition(members, counted):
    """A proposal that was accepted is not offered again; what must not be done is no order."""
    order = resource(
        "ServiceRequest", **{"status": "active", "intent": "order", "code": {"text": "UBA1 sequencing"}, "authoredOn": "2026-11-01", **members}
    )

    record = gathered(order)

    assert counted == len(record.orders)


def test_reads_the_conclusion_of_a_report_in_words_and_codes():
    """The conclusion and its coded forms are read together."""
    concepts = [{"coding": [{"system": "http://loinc.org", "code": "LA6668-3", "display": "Pathogenic"}]}, {"text": "VEXAS"}]
    report = resource(
        "DiagnosticReport", status="final", code={"text": "NGS"}, issued="2026-10-01", conclusion="UBA1 p.Met41Thr", conclusionCode=concepts
    )

    found = gathered(report).reports[0]

    assert ("UBA1 p.Met41Thr\nPathogenic\nVEXAS", ["LA6668-3"]) == (found.conclusion, [c.value for c in found.conclusion_codes])


@pytest.mark.parametrize("kind", ["FamilyMemberHistory", "AllergyIntolerance", "Questionnaire", "Unheard"])
def test_never_takes_a_relatives_disease_for_the_patients(kind):
    """FamilyMemberHistory and every other kind that is not asked for is no evidence."""
    history = {
        "resourceType": kind,
        "id": "f",
        "patient": ME,
        "subject": ME,
        "status": "completed",
        "condition": [{"code": {"text": "VEXAS syndrome"}}],
        "code": {"text": "VEXAS syndrome"},
    }

    record = gathered(history)

    assert ((), (), ()) == (record.conditions, record.reports, record.labs)


@pytest.mark.parametrize(
    ("patient", "birth", "sex", "deceased"),
    [
        ({}, Day(1956, 3, 4), "male", False),
        ({"birthDate": "1956"}, Day(1956, 7, 1), "male", False),
        ({"birthDate": "2026-02-30"}, None, "male", False),
        ({"birthDate": "2027-01-01"}, TODAY, "male", False),
        ({"gender": None}, Day(1956, 3, 4), None, False),
        ({"deceasedBoolean": True}, Day(1956, 3, 4), "male", True),
        ({"deceasedBoolean": False}, Day(1956, 3, 4), "male", False),
        ({"deceasedDateTime": "2026-01-01"}, Day(1956, 3, 4), "male", True),
    ],
)
def test_reads_who_the_patient_is(patient, birth, sex, deceased):
    """Birth, administrative gender and death are read; an impossible birth date is unknown, and one to come is that of a newborn."""
    record = gathered(**patient)

    assert (birth, sex, deceased) == (record.birth.day if record.birth else None, record.sex, record.deceased)


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "make", [lambda day: condition(onsetDateTime=day), lambda day: request(authoredOn=day), lambda day: request(dosageInstruction=bounds(day, day))]
)
def test_stands_dates_at_the_edge_of_time(year, make):
    """Placeholder dates of the year 1 or 9999 cost nothing and nobody."""
    record = gathered(make(year))
    assessment = Reasoner(KNOWLEDGE).evaluate(record, TODAY, full=True)

    assert () == assessment.topics


def test_reads_the_same_record_whatever_the_order():
    """The order of arrival plays no part."""
    resources = [condition(id=f"c{i}", recordedDate=f"2026-0{i + 1}-01") for i in range(5)] + [request(id=f"m{i}") for i in range(3)]

    assert gathered(*resources) == gathered(*reversed(resources))


def test_keeps_a_paged_search_as_incomplete():
    """A page with a next link was not read in full."""
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1956-03-04"}

    record = gathered_from(
        {"patient": patient, "conditions": bundle(condition(), link=[{"relation": "next", "url": "https://x"}]), "procedures": None}
    )

    assert (False, True) == (record.knows("conditions"), record.knows("procedures"))


@pytest.mark.parametrize(
    "conditions", [{"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": [None]}, {"resourceType": "Bundle", "entry": [{}]}]
)
def test_reads_an_empty_search_as_read(conditions):
    """Nothing found is an answer."""
    record = gathered_from({"patient": {"resourceType": "Patient", "id": "p1"}, "conditions": conditions})

    assert record.knows("conditions")


@pytest.mark.parametrize(
    "patient",
    [None, {"resourceType": "Patient"}, {"resourceType": "Patient", "id": "p2"}, {"resourceType": "Patient", "id": "p1", "birthDate": 1956}],
)
def test_evaluates_nobody_without_the_right_patient(patient):
    """Without the context's Patient, readable and with its id, nothing is evaluated."""
    with pytest.raises(CDSServiceError):
        gathered_from({"patient": patient, "conditions": bundle()})


def test_counts_a_supply_from_its_first_day():
    """A supply of one day ends on the day it begins."""
    record = gathered(request(dispenseRequest={"expectedSupplyDuration": {"value": 1, "unit": "d"}}))

    assert [dt.timedelta(0)] == [m.until - m.on for m in record.medications]
