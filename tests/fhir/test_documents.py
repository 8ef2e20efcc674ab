"""Documents and files: what they are called is read, what they say is not."""

import pytest

from cds_service.record.codes import Code
from cds_service.record.dates import Day
from tests.fhir.charting import gathered, resource

LOINC = "http://loinc.org"
MARROW = {"coding": [{"system": LOINC, "code": "33721-2", "display": "Bone marrow Pathology biopsy report"}]}
PDF = [{"contentType": "application/pdf", "url": "Binary/1", "title": "marrow.pdf"}]


def document(**members):
    """A current document of this patient; a member given as None is left out."""
    whole = resource("DocumentReference", **{"status": "current", "type": MARROW, "date": "2026-05-01T10:00:00Z", **members})
    return {name: value for name, value in whole.items() if value is not None}


def report(**members):
    """A final report of a bone marrow."""
    return resource("DiagnosticReport", **{"status": "final", "code": MARROW, "effectiveDateTime": "2026-05-01", **members})


def test_reads_a_document_as_a_report_that_was_not_read():
    """Type, description and titles say what it is; its category and its data are left aside."""
    content = [{"attachment": {"title": "Outside lab", "data": "UBA1"}}, {"attachment": {"url": "Binary/1"}}, {"format": {"code": "x"}}]
    read = gathered(document(category=[{"text": "Cardiology"}], description="Biopsy of May", content=content)).reports

    assert [True] == [r.attached for r in read]
    assert ["Bone marrow Pathology biopsy report / Biopsy of May / Outside lab"] == [r.text for r in read]
    assert [((Code(LOINC, "33721-2"),), "", "DocumentReference/r1")] == [(r.codes, r.conclusion, r.ref) for r in read]


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({}, "final"),
        ({"status": None}, "final"),
        ({"docStatus": "preliminary"}, "preliminary"),
        ({"docStatus": " Final "}, "final"),
        ({"docStatus": "amended"}, "amended"),
    ],
)
def test_takes_a_document_that_stands(members, status):
    """A current document counts; how far it is finished becomes the report's status."""
    assert [status] == [r.status for r in gathered(document(**members)).reports]


@pytest.mark.parametrize(
    "members",
    [{"status": "superseded"}, {"status": "entered-in-error"}, {"docStatus": "entered-in-error"}, {"docStatus": "cancelled"}, {"status": "draft"}],
)
def test_leaves_out_a_document_that_does_not_stand(members):
    """One that was replaced or entered by mistake never reaches the record."""
    assert () == gathered(document(**members)).reports


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"context": {"period": {"start": "2026-04-01"}}}, Day(2026, 5, 1)),
        ({"date": None, "context": {"period": {"start": "2026-04-01", "end": "2026-04-02"}}}, Day(2026, 4, 1)),
        ({"date": "soon", "context": {"period": {"end": "2026-04-02"}}}, Day(2026, 4, 2)),
        ({"date": None, "context": {}}, None),
    ],
)
def test_dates_a_document_by_its_date_else_by_its_context(members, day):
    """The date of the document comes first; without both it is undated."""
    assert [day] == [r.on for r in gathered(document(**members)).reports]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"subject": {"reference": "Patient/p2"}}, "belongs to another patient"),
        ({"subject": {"reference": "Practitioner/p1"}}, "belongs to another patient"),
        ({"subject": None}, "names no patient"),
        ({"modifierExtension": [{"url": "https://ehr.example.org/negated"}]}, "modifierExtension"),
        ({"content": {"attachment": {}}}, "could not be read"),
        ({"context": [{"reference": "Encounter/1"}]}, "could not be read"),
    ],
)
def test_refuses_a_document_that_is_not_this_patients_or_not_clear(members, why):
    """It is left out, and an issue says so."""
    record = gathered(document(**members))

    assert () == record.reports
    assert any(why in issue.what for issue in record.issues)


def test_does_not_take_what_a_document_contains():
    """Results inside a document are not read."""
    inner = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "787-2"}]},
        "valueQuantity": {"value": 131},
    }

    assert () == gathered(document(contained=[inner])).labs


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("withdrawn", [{"status": "superseded"}, {"docStatus": "entered-in-error"}])
def test_takes_the_withdrawn_one_of_two_versions_of_one_time(turned, withdrawn):
    """The one that no longer stands holds, whichever came first."""
    # The same instant in two spellings, of which that of the document that stands would sort last.
    meta = [{"lastUpdated": "2026-05-02T11:00:00+01:00"}, {"lastUpdated": "2026-05-02T10:00:00Z"}]
    versions = [document(meta=meta[0]), document(meta=meta[1], **withdrawn)]

    assert () == gathered(*(reversed(versions) if turned else versions)).reports


# --- reports with a file ---


@pytest.mark.parametrize(
    ("members", "attached"),
    [
        ({"presentedForm": PDF}, True),
        ({"presentedForm": PDF, "result": []}, True),
        ({"presentedForm": PDF, "conclusion": "", "conclusionCode": [], "result": None}, True),
        ({"presentedForm": PDF, "conclusion": "Hypercellular."}, False),
        ({"presentedForm": PDF, "conclusionCode": [{"text": "MDS"}]}, False),
        ({"presentedForm": PDF, "result": [{"reference": "Observation/1"}]}, False),
        ({"presentedForm": []}, False),
        ({"presentedForm": None}, False),
        ({"presentedForm": "odd"}, True),
        ({}, False),
    ],
)
def test_knows_a_report_that_says_nothing_but_in_a_file(members, attached):
    """A file counts as one only where nothing else of the report can be read; an odd shape costs nothing."""
    assert [attached] == [r.attached for r in gathered(report(**members)).reports]


@pytest.mark.parametrize(
    ("members", "filed"),
    [
        ({"presentedForm": PDF, "conclusion": "See attached report."}, True),
        ({"presentedForm": PDF}, False),
        ({"presentedForm": [], "conclusion": "See attached report."}, False),
        ({"presentedForm": PDF, "conclusion": "See attached report.", "conclusionCode": [{"text": "MDS"}]}, False),
        ({"presentedForm": PDF, "conclusion": "See attached report.", "result": [{"reference": "Observation/1"}]}, False),
    ],
)
def test_knows_that_a_file_stands_beside_a_conclusion(members, filed):
    """The conclusion may do no more than point to it."""
    assert [filed] == [r.filed for r in gathered(report(**members)).reports]


@pytest.mark.parametrize("members", [{"content": [{"attachment": {"title": "uba1_report.pdf"}}]}, {"description": "uba1_report.pdf"}])
def test_parts_the_words_of_a_file_name(members):
    """An underscore is a blank."""
    assert ["uba1 report.pdf"] == [r.text for r in gathered(document(type=None, **members)).reports]
