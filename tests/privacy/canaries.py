"""The marked words, by what they are; none occurs anywhere by chance."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from tests import build
from tests.http import test_error_shape

PERSON: Mapping[str, str] = {
    "given name": "Ezechielqx",
    "family name": "Quackenbushqx",
    "record number": "MRN-55443322",
    "birth date": "1951-08-23",
    "street": "Xylophonqxallee",
    "telephone": "0189-4422-7733",
    "patient": "pat-zq77canary",
    "another patient": "pat-zq88other",
    "encounter": "enc-zq55canary",
    "user": "zqdoctor",
}
SECRETS: Mapping[str, str] = {
    "FHIR access token": "zqfhirtoken.4711-canary",
    "password": "zqpassword-0123456789",
    "user name of a page": "zqpageuser",
    "subject of a token": "zqsubject",
    "code of a sign-in": "zqcodeofsignin",
    "secret of the app": "zqsecretoftheapp",
}
FEEDBACK: Mapping[str, str] = {
    "comment": "zqcomment",
    "words of a reason": "zqreasonwords",
    "code of a reason": "zqreasoncode",
    "system of a reason": "urn:zqreasonsystem",
    "extension": "zqextension",
}
ELSEWHERE: Mapping[str, str] = {"prefetch key": "zqprefetchkey", "path": "zqpath", "query": "zqquery", "header": "zqheader", "file": "zqfilewords"}
OF_FAILURES: Mapping[str, str] = {f"'{word}' of a refused call": word for word in test_error_shape.CANARIES}
EVERY: Mapping[str, str] = {**PERSON, **SECRETS, **FEEDBACK, **ELSEWHERE, **OF_FAILURES}
WORDS = f"{PERSON['given name']} {PERSON['family name']} {PERSON['record number']} {PERSON['birth date']} {PERSON['street']} {PERSON['telephone']}"
# docs/storage.md: what a clinician typed, the words of a reason and extensions are stored as they are sent.
KEPT_IN: Mapping[str, str] = {
    "feedback.comment": "comment",
    "feedback.reason_display": "words of a reason",
    "feedback.reason_code": "code of a reason",
    "feedback.reason_system": "system of a reason",
    "feedback.rest": "extension",
}


def found(text: str, tokens: Iterable[str] = ()) -> set[str]:
    """Which canaries stand in a text, as they are or encoded; of signed tokens what they say and their signatures."""
    lower = text.lower()
    named = {name for name, word in EVERY.items() if any(form.lower() in lower for form in _forms(word))}
    return named | {"signed token" for token in tokens for part in token.split(".")[1:] if len(part) > 20 and part in text}


def _forms(word: str) -> set[str]:
    """A word as it is, and as it looks encoded; Base64 without its end, which depends on what follows."""
    return {word, quote(word, safe=""), base64.b64encode(word.encode()).decode()[: len(word) // 3 * 4], word.encode().hex()}


def person(patient: str = PERSON["patient"]) -> dict[str, Any]:
    """The marked Patient."""
    name = f"{PERSON['given name']} {PERSON['family name']}"
    return {
        "resourceType": "Patient",
        "id": patient,
        "gender": "male",
        "birthDate": PERSON["birth date"],
        "name": [{"family": PERSON["family name"], "given": [PERSON["given name"]], "text": name}],
        "identifier": [{"system": "urn:mrn", "value": PERSON["record number"]}],
        "address": [{"line": [f"{PERSON['street']} 17"]}],
        "telecom": [{"system": "phone", "value": PERSON["telephone"]}],
        "text": {"status": "generated", "div": f"<div>{name}</div>"},
    }


def chart(prefetch: Mapping[str, Any]) -> dict[str, Any]:
    """A prefetch that is the marked patient's: each subject names him, with his name beside it."""
    marked = f'"reference": "Patient/{PERSON["patient"]}", "display": "{PERSON["family name"]}"'
    return {**json.loads(json.dumps(prefetch).replace('"reference": "Patient/p1"', marked)), "patient": person()}


def request(prefetch: Mapping[str, Any] | None, **members: Any) -> dict[str, Any]:
    """A marked call with the marked patient's prefetch, or without one."""
    context = {"userId": f"Practitioner/{PERSON['user']}", "patientId": PERSON["patient"], "encounterId": PERSON["encounter"]}
    sent = None if prefetch is None else {**chart(prefetch), EVERY["prefetch key"]: build.bundle()}
    return build.request(sent, context=context, extension={"note": EVERY["extension"]}, **members)


def for_server(base: str) -> dict[str, Any]:
    """The members by which a call names its FHIR server, with the token for it."""
    token = {
        "access_token": SECRETS["FHIR access token"],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": SECRETS["subject of a token"],
        "patient": PERSON["patient"],
    }
    return {"fhirServer": base, "fhirAuthorization": token}


def feedback(card: str, **members: Any) -> dict[str, Any]:
    """A marked entry about a card."""
    reason = {"code": FEEDBACK["code of a reason"], "system": FEEDBACK["system of a reason"], "display": FEEDBACK["words of a reason"]}
    return {
        "card": card,
        "outcome": "overridden",
        "overrideReason": {"reason": reason, "userComment": f"{FEEDBACK['comment']} says {WORDS}"},
        "outcomeTimestamp": f"{build.TODAY}T08:00:00Z",
        "extension": {"a": FEEDBACK["extension"]},
        **members,
    }
