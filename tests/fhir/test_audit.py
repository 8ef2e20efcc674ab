"""An access leaves as a FHIR AuditEvent that says who asked whom for what about whom, and names nobody."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from cds_service.fhir import audit, fallback
from cds_service.fhir.audit import Observer, audit_event
from cds_service.fhir.strict import faults
from cds_service.storage.records import Access
from tests.fhir import balp

PSEUDONYM = "0a1b2c3d" + "e" * 56
REQUEST = "5f0c6a1e-77b0-4c53-8d2f-2b5f0f7d9a11"
SERVER = "https://ehr.example.org/r4"
SYSTEM = "https://cds.example.org/fhir/patient-pseudonym"
US = Observer("https://cds.example.org", "Decision support", SYSTEM)
NAMED = {"type": "Patient", "identifier": {"system": SYSTEM, "value": PSEUDONYM}}
READ = {"key": "patient", "search": "Patient/{{context.patientId}}"}


def access(**members):
    """A search for problems that succeeded."""
    usual = {
        "id": REQUEST,
        "at": dt.datetime(2026, 11, 22, 12, 0, 0, 125000, tzinfo=dt.UTC),
        "client": "north",
        "hook": "patient-view",
        "patient": PSEUDONYM,
        "key": "conditions",
        "page": 1,
        "server": SERVER,
        "search": "Condition?patient={{context.patientId}}&code=http://loinc.org|1",
        "outcome": "success",
    }
    return Access(**{**usual, **members})


def event(**members):
    """The AuditEvent of an access."""
    return audit_event(access(**members), US)


def asked(found):
    """The entity that says what was asked, and its query in plain text."""
    (entity,) = balp.entities(found, balp.OBJECT)
    return entity, base64.b64decode(entity["query"]).decode()


@pytest.mark.parametrize("members", [{}, READ, {"page": 2}, {"page": 3, "search": "Condition"}], ids=["search", "read", "page", "page of no search"])
def test_follows_the_pattern_that_it_claims(members):
    """What succeeded is valid FHIR, and as its BALP profile demands."""
    found = event(**members)

    assert ([], []) == (list(faults(found)), list(balp.faults(found)))


@pytest.mark.parametrize("outcome", audit._FAILURES)
@pytest.mark.parametrize("members", [{}, READ], ids=["search", "read"])
def test_claims_no_pattern_for_a_failure(outcome, members):
    """The patterns are for what succeeded: a failure is valid FHIR with another outcome, and holds an OperationOutcome."""
    found = event(outcome=outcome, **members)

    (held,) = found["contained"]
    assert [] == list(faults(found)) + list(faults(held))
    assert ("meta" not in found, True) == (True, found["outcome"] in {"4", "8"})
    assert {"reference": "#outcome"} in [entity.get("what") for entity in found["entity"]]


@pytest.mark.parametrize(("outcome", "code"), [("success", "0"), ("refused", "4"), ("missing", "4"), ("late", "8"), ("failed", "8")])
def test_tells_how_it_ended(outcome, code):
    """What the server would not do is a minor failure; what it could not do is a serious one."""
    assert code == event(outcome=outcome)["outcome"]


def test_has_words_for_every_reason():
    """Each reason for which a query that was sent brings nothing; those for which none is sent have no event."""
    not_sent = {"elsewhere", "unknown-patient", "no-token"}

    assert fallback._REASONS.keys() - not_sent | {"missing"} == audit._FAILURES.keys()


def test_says_who_asked_whom():
    """In a search we are the source and the EHR's server the destination."""
    (ours,), (theirs,) = (balp.agents(event(), role) for role in ("110153", "110152"))

    assert ("https://cds.example.org", True) == (ours["network"]["address"], ours["requestor"])
    assert (SERVER, False) == (theirs["network"]["address"], theirs["requestor"])
    assert SERVER == theirs["who"]["identifier"]["value"]


def test_says_who_answered_a_read():
    """In a read BALP calls the server the source: what flows is the resource."""
    (theirs,), (ours,) = (balp.agents(event(**READ), role) for role in ("110153", "110152"))

    assert (SERVER, "https://cds.example.org") == (theirs["network"]["address"], ours["network"]["address"])


def test_says_whose_chart_it_was():
    """The patient stands as a pseudonym, in the search as it went over the wire, too."""
    found = event()

    ((patient,), (_, query)) = balp.entities(found, balp.PERSON), asked(found)
    assert NAMED == patient["what"]
    assert f"GET {SERVER}/Condition?patient={PSEUDONYM}&code=http://loinc.org%7C1" == query


def test_says_what_was_read():
    """A read names the Patient as the resource that was read."""
    (entity,) = balp.entities(event(**READ), balp.OBJECT)

    assert NAMED == entity["what"]


def test_says_which_page():
    """Of a next page its number is told, and the search that it belongs to."""
    entity, query = asked(event(page=2))

    assert f"Page 2 of {query}" == entity["description"]


def test_says_what_it_was_for():
    """The client, the hook, the prefetch key and the page stand in an entity of their own; the request's id in another."""
    found = event()

    (call,) = [entity for entity in found["entity"] if entity.get("name") == "hook call"]
    (transaction,) = balp.entities(found, balp.REQUEST_ID)
    assert {"client": "north", "hook": "patient-view", "prefetch key": "conditions", "page": "1"} == {
        d["type"]: d["valueString"] for d in call["detail"]
    }
    assert REQUEST == transaction["what"]["identifier"]["value"] == found["id"]
    assert "2026-11-22T12:00:00.125Z" == found["recorded"]
