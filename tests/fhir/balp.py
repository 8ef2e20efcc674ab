"""What IHE's Basic Audit Log Patterns (BALP 1.1.4) demand of an AuditEvent, read off the profiles' sources by hand.

fhir.resources knows R4B and no profiles, and no validator with the published package was at hand.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
CODES = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
REQUEST_ID = ("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId")
PERSON, OBJECT = (f"{CODES}audit-entity-type", "1"), (f"{CODES}audit-entity-type", "2")
# By profile: action, subtypes, and the roles of client and server, which a read exchanges.
PATTERNS = {
    "PatientQuery": ("E", {"search", "search-type", "search-system"}, "110153", "110152"),
    "PatientRead": ("R", {"read", "vread"}, "110152", "110153"),
}


def code(coding: Any) -> tuple[str, str]:
    """System and code."""
    return coding["system"], coding["code"]


def entities(event: dict[str, Any], kind: tuple[str, str]) -> list[Any]:
    """The entities of a type: the type tells the slices apart."""
    return [entity for entity in event["entity"] if code(entity["type"]) == kind]


def agents(event: dict[str, Any], role: str) -> list[Any]:
    """The agents of a DICOM role."""
    return [agent for agent in event["agent"] if (DICOM, role) in [code(c) for c in agent["type"]["coding"]]]


def faults(event: dict[str, Any]) -> Iterator[str]:
    """What breaks the profile that an event claims."""
    (profile,) = event["meta"]["profile"]
    action, interactions, client, server = PATTERNS[profile.removeprefix(PROFILES)]
    fixed = {"type": (f"{CODES}audit-event-type", "rest")}
    if code(event["type"]) != fixed["type"] or event["action"] != action or event["outcome"] != "0":
        yield "type, action or outcome is not the fixed one"
    if not {c for s, c in map(code, event["subtype"]) if s == "http://hl7.org/fhir/restful-interaction"} & interactions:
        yield "no subtype says what was done"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", event["recorded"]):
        yield "recorded is no instant"
    for role in (client, server):
        found = agents(event, role)
        if len(found) != 1 or not {"who", "network"} <= found[0].keys() or "media" in found[0]:
            yield f"agent {role} is not there once with who and network, and without media"
    yield from _entity_faults(event, profile.removeprefix(PROFILES))


def _entity_faults(event: dict[str, Any], profile: str) -> Iterator[str]:
    (patient,), (asked,), (transaction,) = (entities(event, kind) for kind in (PERSON, OBJECT, REQUEST_ID))
    if code(patient["role"]) != (f"{CODES}object-role", "1") or patient["what"].get("type", "Patient") != "Patient":
        yield "the patient's entity is none"
    if not transaction["what"]["identifier"]["value"]:
        yield "the transaction has no value"
    if profile == "PatientRead" and (code(asked["role"]) not in {(f"{CODES}object-role", c) for c in ("3", "4", "20")} or "what" not in asked):
        yield "the data entity has no what, or another role"
    if profile == "PatientQuery":
        if code(asked["role"]) != (f"{CODES}object-role", "24") or {"what", "lifecycle", "detail", "name"} & asked.keys():
            yield "the query entity has another role, or what it must not have"
        base64.b64decode(asked["query"], validate=True)
    for entity in event["entity"]:
        if {"name", "query"} <= entity.keys():
            yield "sev-1: name and query stand together"
