"""Observations in every shape that charts send."""

import pytest

from cds_service.record.dates import Day
from cds_service.record.facts import Source
from tests.fhir.charting import CRP, ME, UBA1, bundle, gathered, gathered_from, observation, resource


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"valueQuantity": {"value": 104, "unit": "femtoliter", "code": "fL"}}, (104, "fL", "")),
        ({"valueQuantity": {"value": 104, "unit": "fL"}}, (104, "fL", "")),
        ({"valueQuantity": {"value": 104.50, "unit": "fL", "comparator": ">"}}, (104.5, "fL", ">")),
        ({"valueString": "104 fL"}, (104, "fL", "")),
        ({"valueString": "<5 mg/L"}, (5, "mg/L", "<")),
        ({"valueInteger": 104}, (104, "", "")),
    ],
)
def test_reads_a_number_in_any_shape(members, expected):
    """A Quantity, a string that is a number, and an integer are numbers with their unit."""
    record = gathered(observation(**members))

    assert [expected] == [(lab.value, lab.unit, lab.comparator) for lab in record.labs]


@pytest.mark.parametrize(
    "members",
    [
        {"dataAbsentReason": {"coding": [{"code": "unknown"}]}},
        {"valueQuantity": {"unit": "fL"}},
        {"valueString": "see note"},
        {"valueString": "1,234"},
        {"valueCodeableConcept": {"text": "high"}},
        {"interpretation": [{"coding": [{"code": "H"}]}]},
        {},
    ],
)
def test_makes_no_number_of_anything_else(members):
    """Without a value there is no result that may be used, whatever flag or reason stands in its place."""
    record = gathered(observation(**members))

    assert [] == [lab for lab in record.labs if not lab.flaw]


@pytest.mark.parametrize(
    "members",
    [{"valueString": "1,234"}, {"valueString": "see note"}, {"valueQuantity": {"unit": "fL"}}, {"valueQuantity": {"value": 90, "comparator": "~"}}],
)
def test_keeps_that_a_value_was_not_understood(members):
    """A value that is no number we understand stands in the record with its flaw, so that an older one is not silently the latest."""
    record = gathered(observation(**members))

    assert ["has a value that cannot be read as a number"] == [lab.flaw for lab in record.labs]


def test_reads_a_panel_with_its_components():
    """Each component with a number is a result of its own, with the panel's day and status."""
    parts = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": "787-2"}]}, "valueQuantity": {"value": 106.5, "unit": "fL"}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, "valueString": "11.2 g/dL"},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]}, "dataAbsentReason": {"text": "clotted"}},
    ]

    record = gathered(observation(code={"text": "CBC"}, component=parts))

    assert {(106.5, "fL"), (11.2, "g/dL")} == {(lab.value, lab.unit) for lab in record.labs}
    assert {(Day(2026, 11, 1), "final")} == {(lab.on, lab.status) for lab in record.labs}


def test_uses_no_component_that_is_marked_as_absent():
    """A number beside a reason for having none is no result."""
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "787-2"}]}, "valueQuantity": {"value": 120, "unit": "fL"}}

    record = gathered(observation(code={"text": "CBC"}, component=[{**part, "dataAbsentReason": {"text": "clotted"}}]))

    assert ["is marked as absent by the laboratory"] == [lab.flaw for lab in record.labs]


def test_reads_contained_members():
    """Observations inside a panel or report count, with its day and status where they have none."""
    inner = {
        "resourceType": "Observation",
        "id": "m1",
        "code": {"coding": [{"system": "http://loinc.org", "code": "787-2"}]},
        "valueQuantity": {"value": 107, "unit": "fL"},
    }
    panel = observation(code={"text": "CBC"}, contained=[inner], hasMember=[{"reference": "#m1"}])
    report = resource(
        "DiagnosticReport",
        id="d1",
        status="preliminary",
        code={"text": "CBC"},
        issued="2026-10-10T08:00:00Z",
        contained=[inner],
        result=[{"reference": "#m1"}],
    )

    record = gathered(panel, report)

    assert {(107, "final", Day(2026, 11, 1)), (107, "preliminary", Day(2026, 10, 10))} == {(lab.value, lab.status, lab.on) for lab in record.labs}


@pytest.mark.parametrize("inner", [{"resourceType": "Observation", "code": 5}, {"resourceType": "Observation", "modifierExtension": [{"url": "x"}]}])
def test_a_contained_member_that_is_lost_makes_its_own_key_unknown(inner):
    """A call says under which key it stood, so the other tests stay as they are."""
    who = {"resourceType": "Patient", "id": "p1", "birthDate": "1956-03-04"}
    panel = observation(contained=[inner])
    record = gathered_from({"patient": who, "bloodCounts": bundle(observation(id="r2")), "inflammation": bundle(panel)})

    assert (Source.READ, Source.INCOMPLETE) == (record.sources["blood-counts"], record.sources["inflammation"])
    assert 1 == sum("contained" in issue.what for issue in record.issues)


def test_leaves_out_a_contained_member_of_someone_else():
    """A contained observation with another subject is not this patient's."""
    inner = {
        "resourceType": "Observation",
        "id": "m1",
        "subject": {"reference": "Patient/p2"},
        "code": {"text": "MCV"},
        "valueQuantity": {"value": 107, "unit": "fL"},
    }

    record = gathered(observation(code={"text": "CBC"}, contained=[inner]))

    assert () == record.labs
    assert any("another patient" in issue.what for issue in record.issues)


def test_reads_a_coded_answer_as_a_report():
    """A CodeableConcept is a result in words and codes."""
    answer = {"coding": [{"system": "http://loinc.org", "code": "LA9633-4", "display": "Present"}], "text": "Detected"}

    record = gathered(
        observation(
            code=UBA1,
            valueCodeableConcept=answer,
            interpretation=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "pos"}]}],
        )
    )

    found = record.reports[0]
    assert ("Detected", ["LA9633-4"], ("POS",)) == (found.conclusion, [c.value for c in found.conclusion_codes], found.interpretations)


def test_reads_a_line_of_text_as_a_report():
    """A string that is no number is a report, and its notes belong to it."""
    record = gathered(observation(code=UBA1, valueString="p.Met41Leu detected", note=[{"text": "VAF 38%"}]))

    assert ["p.Met41Leu detected\nVAF 38%"] == [report.conclusion for report in record.reports]


@pytest.mark.parametrize("told", ["38 % p.Met41Leu detected", "1:160 titre, see note", "2 variants: UBA1 p.Met41Thr, TET2"])
def test_keeps_the_words_of_a_result_that_begins_with_a_number(told):
    """A line of text that begins with a number is still a report, so that no gene result is lost."""
    record = gathered(observation(code=UBA1, valueString=told))

    assert [told] == [report.conclusion for report in record.reports]


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"effectiveDateTime": "2026-03-05T10:00:00Z"}, Day(2026, 3, 5)),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-03-06T10:00:00Z"}, Day(2026, 3, 6)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-07", "end": "2026-03-09"}}, Day(2026, 3, 7)),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": "2026-03-09"}}, Day(2026, 3, 9)),
        ({"effectiveDateTime": None, "issued": "2026-03-08T10:00:00Z"}, Day(2026, 3, 8)),
        ({"effectiveDateTime": "2026-02-30", "issued": "2026-03-08T10:00:00Z"}, Day(2026, 3, 8)),
        ({"effectiveDateTime": None}, None),
    ],
)
def test_finds_the_day_of_a_result(members, day):
    """The effective time counts, in whichever form, else the time of issue; an impossible date is passed over."""
    given = {k: v for k, v in {**observation(valueQuantity={"value": 104, "unit": "fL"}), **members}.items() if v is not None}

    record = gathered(given)

    assert [day] == [lab.on for lab in record.labs]


@pytest.mark.parametrize(
    ("subject", "counted"),
    [
        (ME, True),
        ({"reference": "https://ehr.example.org/fhir/Patient/p1"}, True),
        ({"reference": "https://ehr.example.org/fhir/Patient/p1/_history/2"}, True),
        ({"reference": "Patient/p2"}, False),
        ({"reference": "https://ehr.example.org/fhir/Patient/p11"}, False),
        ({"reference": "Group/p1"}, False),
        ({"display": "the patient"}, False),
        (None, False),
    ],
)
def test_counts_only_what_names_this_patient(subject, counted):
    """A result of another patient, or of nobody, is never this patient's."""
    one = observation(valueQuantity={"value": 104, "unit": "fL"})
    one = {**one, "subject": subject} if subject else {k: v for k, v in one.items() if k != "subject"}

    record = gathered(one)

    assert counted == bool(record.labs)


def test_follows_a_patient_by_uuid_only_when_the_bundle_says_so():
    """A urn:uuid reference is this patient's when the Bundle holds the Patient under that URL."""
    lab = observation(subject={"reference": "urn:uuid:0f0e0d0c-0000-4000-8000-000000000001"}, valueQuantity={"value": 104, "unit": "fL"})
    entry = {"fullUrl": "urn:uuid:0f0e0d0c-0000-4000-8000-000000000001", "resource": {"resourceType": "Patient", "id": "p1"}}
    other = {**entry, "resource": {"resourceType": "Patient", "id": "p2"}}

    found = [len(gathered(lab, *entries).labs) for entries in ((entry,), (other,), ())]

    assert [1, 0, 0] == found


def test_keeps_the_newest_version_of_a_resource_whatever_the_order():
    """Of two versions with one id the one that was updated last counts, and the order of arrival does not."""
    old = observation(valueQuantity={"value": 90, "unit": "fL"}, meta={"lastUpdated": "2026-11-01T10:00:00Z"})
    new = observation(valueQuantity={"value": 110, "unit": "fL"}, meta={"lastUpdated": "2026-11-02T09:00:00Z"})

    found = [gathered(*pair) for pair in ((old, new), (new, old))]

    assert [[110], [110]] == [[lab.value for lab in record.labs] for record in found]
    assert found[0] == found[1]


def test_compares_the_versions_of_a_resource_by_instant():
    """LastUpdated with different zones is compared as time, not as text."""
    old = observation(valueQuantity={"value": 90, "unit": "fL"}, meta={"lastUpdated": "2026-11-02T01:00:00+10:00"})
    new = observation(valueQuantity={"value": 110, "unit": "fL"}, meta={"lastUpdated": "2026-11-01T20:00:00Z"})

    record = gathered(old, new)

    assert [110] == [lab.value for lab in record.labs]


def test_counts_one_resource_of_two_keys_once():
    """The same resource in two searches is one fact; two without ids that differ are two."""
    one = observation(valueQuantity={"value": 104, "unit": "fL"})
    nameless = {k: v for k, v in one.items() if k != "id"}

    found = [len(gathered(*pair).labs) for pair in ((one, one), (nameless, nameless), (nameless, {**nameless, "effectiveDateTime": "2026-10-01"}))]

    assert [1, 1, 2] == found


def test_loses_only_the_resource_that_cannot_be_read():
    """One broken resource becomes an issue without any of its content; the others count."""
    broken = observation(id="bad", code="MCV of John Doe")
    good = observation(id="good", valueQuantity={"value": 104, "unit": "fL"})

    record = gathered(broken, good)

    assert [104] == [lab.value for lab in record.labs]
    assert [True] == ["Observation" in issue.what and "John" not in issue.what for issue in record.issues if "could not be read" in issue.what]


def test_takes_the_upper_limit_with_the_result():
    """The reference range of the laboratory goes with its result."""
    record = gathered(observation(code=CRP, valueQuantity={"value": 12, "unit": "mg/L"}, referenceRange=[{"high": {"value": 5, "unit": "mg/L"}}]))

    assert [5] == [lab.upper_limit for lab in record.labs]


@pytest.mark.parametrize("code", [None, {}, {"coding": []}, {"coding": [{"display": "MCV"}]}, {"coding": [{"system": "http://loinc.org"}]}])
def test_stands_an_observation_without_a_code(code):
    """A result without a code is read and belongs to nothing."""
    record = gathered(observation(code=code, valueQuantity={"value": 104, "unit": "fL"}))

    assert [()] == [lab.codes for lab in record.labs]
