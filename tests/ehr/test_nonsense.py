"""Playing the EHR against services and servers that answer nonsense: a sentence and an exit status, never a failure that looks like no card."""

from __future__ import annotations

import json

import pytest

from cds_service.ehr.terminal import harmless
from tests.ehr.odd import PATIENTS, SERVICE, running
from tests.ehr.test_commands import FIXTURES, said

DEEP = b"[" * 100_000
PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.mark.parametrize(
    "listed",
    [
        b"<html></html>",
        [],
        {"services": None},
        {"services": [None]},
        {"services": [{**SERVICE, "prefetch": [1]}]},
        {"services": [{**SERVICE, "prefetch": {"p": 5}}]},
        DEEP,
    ],
)
def test_finds_no_service_in_nonsense(capsys, listed):
    """A discovery that is none is told in a sentence."""
    with running() as odd:
        odd.says["/cds-services"] = listed
        _, err, status = said(capsys, "fire", *odd.arguments, "--all")

    assert 2 == status
    assert "no discovery of a CDS service" in err


@pytest.mark.parametrize("arguments", [["--all"], ["--patient", "p1"]])
@pytest.mark.parametrize(
    "answer",
    [
        b"<html></html>",
        b"",
        [],
        None,
        {"cards": None},
        {"cards": [None]},
        {"cards": {"a": 1}},
        {"cards": [{"source": "x"}]},
        {"cards": [], "extension": [1]},
        {"issue": 5},
        b'{"cards": [{"summary": "\\ud800"}]}',
        DEEP,
    ],
)
def test_takes_no_nonsense_for_an_answer(capsys, answer, arguments):
    """A 200 with anything else than cards is told as such, and ends with 1."""
    with running() as odd:
        odd.says["POST"] = answer
        out, _, status = said(capsys, "fire", *odd.arguments, *arguments)

    assert 1 == status
    assert "p1  200" in out
    assert "no CDS Hooks answer" in out


@pytest.mark.parametrize("unavailable", [7, [3], None])
def test_shows_a_card_without_a_source_and_an_extension_of_others(capsys, unavailable):
    """What a service leaves out is left out here, too."""
    with running() as odd:
        odd.says["POST"] = {"cards": [{"summary": "Bare"}], "extension": {"com.example": {"unavailable": unavailable, "silenced": unavailable}}}
        out, _, status = said(capsys, "fire", *odd.arguments, "--patient", "p1")

    assert 0 == status
    assert "Bare" in out


def test_says_which_cards_an_earlier_answer_keeps_away(capsys):
    """An answer without a card that names a silenced topic is shown with both days."""
    kept = {"topic": "t-1", "answered": "2026-11-22", "until": "2027-05-22"}
    with running() as odd:
        odd.says["POST"] = {"cards": [], "extension": {"com.example": {"silenced": [kept]}}}
        out, _, _ = said(capsys, "fire", *odd.arguments, "--patient", "p1")

    assert "t-1: answered on 2026-11-22, silent until 2027-05-22" in out


def test_obeys_no_terminal_sequence(capsys):
    """Neither a card, nor an id, nor the name of a service, nor a server's words reach the terminal as commands."""
    bad = "\x1b[2J\x07\x9b\u202e"
    card = {"summary": bad, "indicator": bad, "detail": bad, "source": {"label": bad}, "suggestions": [{"label": bad}], "links": [{"label": bad}]}
    with running() as odd:
        odd.says |= {"POST": {"cards": [card]}, "/r4/Patient": {"entry": [{"resource": {**PATIENT, "id": bad}}]}}
        full = said(capsys, "fire", *odd.arguments, "--patient", bad)
        many = said(capsys, "fire", *odd.arguments, "--all")
        odd.says |= {"POST": {"issue": [{"diagnostics": bad}]}}
        odd.status = 403
        refused = said(capsys, "load-fixtures", "--fhir-server", f"{odd.url}/r4", "--from", FIXTURES)
        odd.says |= {"/cds-services": {"services": [{"id": bad, "hook": bad}]}}
        other = said(capsys, "fire", *odd.arguments, "--all")

    shown = "".join(out + err for out, err, _ in (full, many, refused, other))
    assert shown.replace("\n", "") == harmless(shown.replace("\n", ""))
    assert [0, 0, 2, 2] == [status for *_, status in (full, many, refused, other)]


@pytest.mark.parametrize(
    "page",
    [
        5,
        {"entry": 5},
        {"entry": [None]},
        {"entry": [{"resource": []}]},
        {"entry": [{"resource": {**PATIENT, "id": None}}]},
        b'{"entry": [{"resource": {"resourceType": "Patient", "id": "\\ud800"}}]}',
    ],
)
def test_finds_no_patient_in_nonsense(capsys, page):
    """A list of patients that is none is told in a sentence."""
    with running() as odd:
        odd.says["/r4/Patient"] = page
        _, err, status = said(capsys, "fire", *odd.arguments, "--all")

    assert 2 == status
    assert "there are no patients" in err


NO_JSON = "the answer is no JSON"


@pytest.mark.parametrize(
    ("odd", "told"), [(b"NaN", NO_JSON), (b"-Infinity", NO_JSON), (b"1e999", NO_JSON), (b"[" * 300 + b"]" * 300, "nested too deeply")]
)
def test_takes_nothing_that_no_call_could_hold(capsys, odd, told):
    """Numbers that JSON cannot say, and hundreds of levels, are refused before they are sent on."""
    with running() as server:
        server.says["/r4/Patient"] = b'{"entry": [{"resource": {"resourceType": "Patient", "id": "p1", "x": ' + odd + b"}}]}"
        _, err, status = said(capsys, "fire", *server.arguments, "--all")

    assert 2 == status
    assert told in err


@pytest.mark.parametrize("url", ["http://elsewhere.example/r4/Patient?page=2", "http://[", "x://5", "//elsewhere.example"])
def test_never_takes_a_part_of_the_patients_for_all(capsys, url):
    """A next page that is not read ends the command."""
    with running() as odd:
        odd.says["/r4/Patient"] = {**PATIENTS, "link": [None, {"relation": "next", "url": url}]}
        _, err, status = said(capsys, "fire", *odd.arguments, "--all")

    assert 2 == status
    assert "the next page of patients stands elsewhere" in err


def test_reads_a_page_that_is_named_without_a_path(capsys):
    """Some servers name their pages behind the bare host."""
    with running() as odd:
        odd.says["/r4/Patient"] = {**PATIENTS, "link": [{"relation": "next", "url": f"{odd.url}?_getpages=2"}]}
        odd.says["/?_getpages=2"] = {"entry": [{"resource": {**PATIENT, "id": "p2"}}]}
        out, _, status = said(capsys, "fire", *odd.arguments, "--all")

    assert 0 == status
    assert "[2/2] p2" in out


def test_sends_no_chart_elsewhere(capsys):
    """A service that redirects gets no second call, and nobody else the first."""
    with running() as odd, running() as other:
        odd.status, odd.location = 307, f"{other.url}/r4"
        other.says["POST"] = {"cards": [{"summary": "stolen"}]}
        out, _, status = said(capsys, "fire", *odd.arguments, "--patient", "p1")

    assert 1 == status
    assert "stolen" not in out


def test_says_that_an_answer_could_not_be_kept(capsys, tmp_path):
    """A folder below a file is told in a sentence."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with running() as odd:
        _, err, status = said(capsys, "fire", *odd.arguments, "--patient", "p1", "--save", str(tmp_path / "file" / "below"))

    assert 2 == status
    assert "an answer could not be kept" in err


@pytest.mark.parametrize("there", [[], 5, {"meta": 5}, {"meta": {"tag": [None]}}, {"meta": {"tag": [{}]}}])
def test_leaves_alone_what_it_cannot_read(capsys, there, tmp_path):
    """A Patient that may be somebody else's is not overwritten."""
    (tmp_path / "a.json").write_text(json.dumps({"entry": [{"resource": PATIENT}]}), encoding="utf-8")
    with running() as odd:
        odd.says |= {"/r4/Patient/p1": there, "POST": {"resourceType": "Bundle"}}
        _, err, status = said(capsys, "load-fixtures", "--fhir-server", f"{odd.url}/r4", "--from", str(tmp_path))

    assert 2 == status
    assert "It is left alone" in err


@pytest.mark.parametrize("answer", [b"", None, {"cards": []}, []])
def test_counts_no_patient_that_was_not_taken(capsys, answer, tmp_path):
    """A transaction that is not answered with a Bundle did not happen."""
    (tmp_path / "a.json").write_text(json.dumps({"entry": [{"resource": PATIENT}]}), encoding="utf-8")
    with running() as odd:
        odd.says["POST"] = answer
        _, err, status = said(capsys, "load-fixtures", "--fhir-server", f"{odd.url}/r4", "--from", str(tmp_path))

    assert 2 == status
    assert "not answered with a Bundle" in err


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        ({"entry": [{"resource": {"resourceType": "Basic", "id": "x"}}]}, "there is no Patient"),
        ({"entry": []}, "there is no Patient"),
        ({"entry": [{"resource": {**PATIENT, "birthDate": "9999-12-31"}}]}, "no FHIR Bundle with entries"),
    ],
)
def test_loads_no_chart_that_is_none(capsys, tmp_path, chart, sentence):
    """A file without a Patient, or with a day that cannot be moved, is told in a sentence."""
    (tmp_path / "a.json").write_text(json.dumps(chart), encoding="utf-8")
    with running() as odd:
        _, err, status = said(capsys, "load-fixtures", "--fhir-server", f"{odd.url}/r4", "--from", str(tmp_path))

    assert 2 == status
    assert sentence in err
