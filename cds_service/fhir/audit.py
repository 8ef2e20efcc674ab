"""Accesses as FHIR R4: an AuditEvent for each, by IHE's Basic Audit Log Patterns (BALP 1.1.4), as the client that asks records it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, NamedTuple

from cds_service.fhir.search import resolved
from cds_service.storage.records import Access

Element = dict[str, Any]

_PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_REQUEST_ID = {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_SOURCE, _DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")
_URI = "urn:ietf:rfc:3986"
_SUCCESS = "0"
# Of each reason why a query brought nothing: the outcome (4 as an HTTP 400, 8 as an HTTP 500), the type of issue, and words.
_FAILURES = {
    "late": ("8", "timeout", "The server did not answer in time."),
    "unreachable": ("8", "transient", "The server could not be reached, or hung up."),
    "failed": ("8", "exception", "The server failed."),
    "refused": ("4", "forbidden", "The server refused."),
    "closed": ("4", "forbidden", "The server keeps this chart closed."),
    "missing": ("4", "not-found", "The server has no such patient, page or query."),
    "rejected": ("4", "not-supported", "The server did not accept the query."),
    "busy": ("4", "throttled", "The server asked to wait longer than there was time for."),
    "redirected": ("4", "not-supported", "The server sent the query elsewhere, which was not followed."),
    "too-large": ("8", "too-long", "The answer was larger than what is taken in."),
    "unreadable": ("8", "structure", "The answer was no FHIR of the kind that was asked for."),
}


class Observer(NamedTuple):
    """Who asked and keeps the record: our URL and name, and the system of the pseudonyms that patients have here."""

    url: str
    name: str
    pseudonyms: str


def audit_event(access: Access, us: Observer) -> Element:
    """The AuditEvent of an access. One that succeeded claims BALP's profile; the profiles have no place for a failure."""
    read = access.page == 1 and "?" not in access.search  # a search without parameters is that of a next page
    failure = _FAILURES.get(access.outcome)
    event: Element = {"resourceType": "AuditEvent", "id": access.id}
    if failure is None:
        event["meta"] = {"profile": [_PROFILES + ("PatientRead" if read else "PatientQuery")]}
    else:
        event["contained"] = [_outcome(*failure[1:])]
    interaction = "read" if read else "search"
    event |= {
        "type": _coding("audit-event-type", "rest", "Restful Operation"),
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction, "display": interaction}],
        "action": "R" if read else "E",
        "recorded": access.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": failure[0] if failure else _SUCCESS,
        **({"outcomeDesc": failure[2]} if failure else {}),
        "agent": _agents(access, us, read=read),
        "source": {"observer": _who(us.url, us.name), "type": [_coding("security-source-type", "4", "Application Server")]},
        "entity": _entities(access, us, read=read),
    }
    return event


def _agents(access: Access, us: Observer, *, read: bool) -> list[Element]:
    """We and the server. BALP calls the source of a search the one who asks, and the source of a read the one who answers."""
    ours, theirs = (_DESTINATION, _SOURCE) if read else (_SOURCE, _DESTINATION)
    return [
        _agent(ours, _who(us.url, us.name), us.url, requestor=True),
        _agent(theirs, _who(access.server), access.server, requestor=False),
    ]


def _agent(role: tuple[str, str], who: Element, url: str, *, requestor: bool) -> Element:
    code, display = role
    return {
        "type": {"coding": [{"system": _DICOM, "code": code, "display": display}]},
        "who": who,
        "requestor": requestor,
        "network": {"address": url, "type": "5"},
    }


def _entities(access: Access, us: Observer, *, read: bool) -> list[Element]:
    """The patient, what was asked, the request's id, and the hook call that it was for; for a failure its OperationOutcome."""
    patient = {"type": "Patient", "identifier": {"system": us.pseudonyms, "value": access.patient}}
    about = {"client": access.client, "hook": access.hook, "prefetch key": access.key, "page": str(access.page)}
    other = _coding("audit-entity-type", "4", "Other")
    entities = [
        {"what": patient, "type": _coding("audit-entity-type", "1", "Person"), "role": _coding("object-role", "1", "Patient")},
        _resource(patient) if read else _query(access),
        {"what": {"identifier": {"value": access.id}}, "type": _REQUEST_ID},
        {"type": other, "name": "hook call", "detail": [{"type": name, "valueString": value} for name, value in about.items()]},
    ]
    return entities if access.outcome not in _FAILURES else [*entities, {"what": {"reference": "#outcome"}, "type": other}]


def _resource(what: Element) -> Element:
    return {"what": what, "type": _coding("audit-entity-type", "2", "System Object"), "role": _coding("object-role", "4", "Domain Resource")}


def _query(access: Access) -> Element:
    """What was asked, with the pseudonym where the patient's id stood; of a next page what its first page was."""
    request = f"GET {access.server}/{resolved(access.search, access.patient)}"
    return {
        "type": _coding("audit-entity-type", "2", "System Object"),
        "role": _coding("object-role", "24", "Query"),
        "description": request if access.page == 1 else f"Page {access.page} of {request}",
        "query": b64encode(request.encode()).decode(),
    }


def _outcome(code: str, words: str) -> Element:
    return {"resourceType": "OperationOutcome", "id": "outcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]}


def _who(url: str, name: str | None = None) -> Element:
    return {"identifier": {"system": _URI, "value": url}, **({"display": name} if name else {})}


def _coding(system: str, code: str, display: str) -> Element:
    return {"system": f"{_TERMINOLOGY}{system}", "code": code, "display": display}
