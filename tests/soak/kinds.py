"""What is sent: calls that must get a card, calls that must get none, and calls that must be refused, each with what is right."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cds_service.ehr.prefetch import shifted
from cds_service.settings import Settings
from tests import build
from tests.storage.samples import uuid_of
from tests.trust.minting import EC, OTHER_EC, mint, payload

BASE = "http://127.0.0.1:8080"  # CDS_BASE_URL
ISSUERS = {"north": "https://ehr.north.example", "south": "https://ehr.south.example", "chatty": "https://ehr.chatty.example"}
FEEDBACK = f"{build.SERVICE}/feedback"
DAYS = (Settings().today() - build.TODAY).days
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) \x1b[31m ' OR 1=1 --"
REASON = {"code": "not-now", "system": build.KNOWLEDGE.module.override_reasons.system}
SUSPECT, HEALTHY = (json.dumps(shifted(build.request(chart), DAYS)) for chart in (build.suspect(), build.healthy()))
LEAST = json.dumps(shifted(build.request({"patient": build.patient(), "conditions": build.bundle(build.condition())}), DAYS))

Judge = Callable[[int, Any], bool]


class Sent(NamedTuple):
    """One request: `right` says of a status and a body whether they are as they must be."""

    kind: str
    headers: Mapping[str, str]
    body: bytes
    right: Judge
    path: str = build.SERVICE
    method: str = "POST"
    client: str = "north"
    patient: str = ""
    card: str = ""


def token(client: str = "north", *, key: Any = EC, **claims: Any) -> dict[str, str]:
    """The headers of a call by a client."""
    now = int(time.time())
    usual = {"iss": ISSUERS[client], "aud": f"{BASE}{build.SERVICE}", "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
    return {"Content-Type": "application/json", "Authorization": f"Bearer {mint(body=payload(**{**usual, **claims}), key=key)}"}


def of_patient(template: str, patient: str) -> bytes:
    """A call about a patient of its own."""
    text = template.replace(f'"{build.PATIENT_ID}"', f'"{patient}"').replace(f"Patient/{build.PATIENT_ID}", f"Patient/{patient}")
    return text.replace(build.CALL, str(uuid.uuid4())).encode()


def topics(body: Any) -> list[str]:
    """The topics of the cards in an answer."""
    return [card["source"]["topic"]["code"] for card in body.get("cards", [])]


def refused(status: int, code: str) -> Judge:
    """The refusal that is right."""
    return lambda got, body: (status, code) == (got, body["issue"][0]["details"]["text"])


def suspect(number: int, client: str = "north") -> Sent:
    """A patient who gets the card that names the test."""
    patient = f"s{number}"
    body = of_patient(SUSPECT, patient)
    return Sent(
        "a card", token(client), body, lambda status, said: status == 200 and topics(said) == ["vexas-test-uba1"], client=client, patient=patient
    )


def of_south(number: int) -> Sent:
    """The same by a client whose keys are pinned."""
    return suspect(number, "south")._replace(kind="a card, keys from a file")


def healthy(number: int) -> Sent:
    """A patient of whom nothing is to be said."""
    right: Judge = lambda status, said: status == 200 and said["cards"] == []  # noqa: E731
    return Sent("no card", token("south"), of_patient(HEALTHY, f"h{number}"), right, client="south")


def asked(number: int, fhir_server: str) -> Sent:
    """A call that leaves the blood counts to the EHR's FHIR server, which has them."""
    call = {**json.loads(of_patient(LEAST, build.PATIENT_ID)), "fhirServer": fhir_server}
    call["fhirAuthorization"] = {
        "access_token": f"live-{number}",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "cds",
    }
    body = json.dumps(call).encode()
    return Sent("a card, with a query", token(), body, lambda status, said: status == 200 and topics(said) == ["vexas-test-uba1"])


def hostile(number: int) -> Sent:
    """Markup, escapes and quotes in every text of a chart; the card comes, and they do not."""
    named = build.condition(code={"coding": [{"system": build.ICD_10_CM, "code": "M94.1", "display": HOSTILE}], "text": HOSTILE})
    chart = {**build.suspect(), "patient": build.patient(name=[{"family": HOSTILE}]), "conditions": build.bundle(named)}
    body = of_patient(json.dumps(shifted(build.request(chart), DAYS)), f"x{number}")
    return Sent("hostile text", token(), body, lambda status, said: status == 200 and bool(topics(said)) and "<script" not in json.dumps(said))


def answered(card: str, patient: str, client: str, moment: str) -> Sent:
    """Feedback on a card: not now."""
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": moment, "overrideReason": {"reason": REASON}}
    headers = token(client, aud=f"{BASE}{FEEDBACK}")
    return Sent(
        "feedback",
        headers,
        json.dumps({"feedback": [entry]}).encode(),
        lambda status, _: status == 200,
        FEEDBACK,
        client=client,
        patient=patient,
        card=card,
    )


def again(patient: str, client: str) -> Sent:
    """A patient whose card was answered: it is silent now."""
    right: Judge = lambda status, said: status == 200 and topics(said) == []  # noqa: E731
    return Sent("answered before", token(client), of_patient(SUSPECT, patient), right, client=client)


def chatty(number: int) -> Sent:
    """A client that calls far more often than it may."""
    right: Judge = lambda status, said: (status == 200 and said["cards"] == []) or refused(429, "too-many-requests")(status, said)  # noqa: E731
    return Sent("too often", token("chatty"), of_patient(HEALTHY, f"c{number}"), right, client="chatty")


def _bad(kind: str, status: int, code: str, **members: Any) -> Callable[[int], Sent]:
    def make(number: int) -> Sent:
        usual = {"headers": token(), "body": of_patient(HEALTHY, f"b{number}")}
        made = {name: value(number) if callable(value) else value for name, value in members.items()}
        return Sent(kind, right=refused(status, code), **{**usual, **made})

    return make


JSON = {"Content-Type": "application/json"}
BAD: tuple[Callable[[int], Sent], ...] = (
    _bad("no token", 401, "unauthenticated", headers=JSON),
    _bad("expired token", 401, "unauthenticated", headers=lambda _: token(exp=int(time.time()) - 3600, iat=int(time.time()) - 4000)),
    _bad("another's signature", 401, "unauthenticated", headers=lambda _: token(key=OTHER_EC)),
    _bad("a token for elsewhere", 401, "unauthenticated", headers=lambda _: token(aud="https://other.example/cds-services/vexas")),
    _bad(
        "another's server",
        403,
        "client-not-allowed",
        body=json.dumps({**json.loads(HEALTHY), "fhirServer": "http://169.254.169.254/latest"}).encode(),
    ),
    _bad("no JSON", 400, "malformed-body", body=b'{"hook": "patient-view", '),
    _bad("too deep", 400, "malformed-body", body=b'{"prefetch":' + b"[" * 100_000),
    _bad("another patient", 400, "patient-mismatch", body=HEALTHY.replace('"patientId": "p1"', '"patientId": "p2"').encode()),
    _bad("no such service", 404, "unknown-service", path="/cds-services/none", headers=lambda _: token(aud=f"{BASE}/cds-services/none")),
    _bad("no such method", 405, "method-not-allowed", method="PUT"),
    _bad("not JSON", 415, "unsupported-media-type", headers=lambda _: {**token(), "Content-Type": "text/plain"}),
    _bad("too large", 413, "payload-too-large", body=b" " * (8 * 1024 * 1024 + 1)),
    _bad("no patient", 412, "required-data-unavailable", body=json.dumps({**json.loads(HEALTHY), "prefetch": {}}).encode()),
    _bad(
        "feedback on nobody's card",
        400,
        "invalid-request",
        path=FEEDBACK,
        headers=lambda _: token(aud=f"{BASE}{FEEDBACK}"),
        body=lambda number: json.dumps(
            {"feedback": [{"card": uuid_of(number), "outcome": "accepted", "outcomeTimestamp": "2026-11-22T12:00:00Z"}]}
        ).encode(),
    ),
)
