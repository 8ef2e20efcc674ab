"""Every way to fail: one status, one code, one shape, and nothing of the patient."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import pytest

from cds_service.http.body import LARGEST_BODY
from cds_service.settings import Settings
from tests import build
from tests.fakes import BrokenClock, CheckedClient, checked_app

NAME, MRN, BIRTH, WORDS = "Zebulon Quackenbush", "MRN-77889911", "1951-07-19", "xylophone lessons at noon"
CANARIES = (NAME, "Zebulon", MRN, "77889911", BIRTH, WORDS, "xylophone")
JSON = "application/json"


def marked(**members: Any) -> dict[str, Any]:
    """A good request full of words that must never come out again."""
    person = build.patient(birthDate=BIRTH, name=[{"text": NAME}], identifier=[{"value": MRN}], text={"div": WORDS})
    prefetch = {
        **build.suspect(),
        "patient": person,
        "procedures": build.bundle({"resourceType": "Procedure", "subject": build.subject(), "code": {"text": WORDS}}),
    }
    context = {"userId": "Practitioner/example", "patientId": build.PATIENT_ID, "note": f"{NAME} {MRN}"}
    return {**build.request(prefetch, context=context, extension={"note": WORDS}), **members}


def without(*names: str) -> dict[str, Any]:
    """A marked request without some members."""
    return {k: v for k, v in marked().items() if k not in names}


def context(**members: Any) -> dict[str, Any]:
    """A marked request with other members of its context; None leaves one out."""
    whole = {**marked()["context"], **members}
    return marked(context={k: v for k, v in whole.items() if v is not None})


def prefetch(**members: Any) -> dict[str, Any]:
    """A marked request with other prefetch keys."""
    return marked(prefetch={**marked()["prefetch"], **members})


def person(**members: Any) -> dict[str, Any]:
    """The marked Patient with other members; None leaves one out."""
    whole = {**marked()["prefetch"]["patient"], **members}
    return {k: v for k, v in whole.items() if v is not None}


class Failure(NamedTuple):
    """One way to fail: what is sent, and what must come back."""

    name: str
    status: int
    code: str
    body: Any = None
    raw: bytes | None = None
    path: str = build.SERVICE
    method: str = "POST"
    content_type: str | None = JSON
    headers: dict[str, str] = {}  # noqa: RUF012
    environ: dict[str, Any] = {}  # noqa: RUF012


def invalid(name: str, body: Any) -> Failure:
    """A request that is JSON and breaks a rule."""
    return Failure(name, 400, "invalid-request", body)


def malformed(name: str, raw: bytes) -> Failure:
    """Bytes that are not JSON."""
    return Failure(name, 400, "malformed-body", raw=raw)


def unavailable(name: str, body: Any) -> Failure:
    """A request without the data that is needed."""
    return Failure(name, 412, "required-data-unavailable", body)


def spliced(text: str) -> bytes:
    """A good request with a raw text as one more member."""
    return build.body_of(marked())[:-1] + b', "more": ' + text.encode() + b"}"


BIG = build.body_of(marked(filler="x" * (LARGEST_BODY + 1)))
NOT_JSON = f"{NAME} {MRN} {BIRTH} {WORDS}".encode()

FAILURES = [
    malformed("not JSON", NOT_JSON),
    malformed("JSON cut off", build.body_of(marked())[:-40]),
    malformed("two values", build.body_of(marked()) * 2),
    malformed("nothing", b""),
    malformed("no UTF-8", build.body_of(marked())[:-1] + b', "hook": "\xff\xfe' + NOT_JSON + b'"}'),
    malformed("UTF-16", build.body_of(marked()).decode().encode("utf-16")),
    malformed("NaN in the context", build.body_of(context(weight=float("nan")))),
    malformed("NaN in the prefetch", build.body_of(prefetch(bloodCounts=build.bundle(build.mcv(float("nan")))))),
    malformed("Infinity", spliced("Infinity")),
    malformed("minus Infinity", build.body_of(context(weight=float("-inf")))),
    malformed("lone surrogate", build.body_of(marked(hookInstance="\ud800" + NAME))),
    malformed("lone surrogate in the prefetch", build.body_of(prefetch(conditions=build.bundle(build.condition(code={"text": "\udfff" + NAME}))))),
    malformed("a comment", spliced("1 /* " + NAME + " */")),
    malformed("a trailing comma", spliced("[1,]")),
    malformed("deep objects", spliced('{"a":' * 100_000 + "1" + "}" * 100_000)),
    malformed("deep arrays", spliced("[" * 100_000 + "]" * 100_000)),
    malformed("deep arrays without an end", spliced("[" * 100_000)),
    malformed(
        "a deep prefetch",
        build.body_of(without("prefetch"))[:-1] + b', "prefetch": {"conditions": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001 + b"}",
    ),
    invalid("an array", [marked()]),
    invalid("a deep array", None)._replace(raw=b"[" * 100_000),
    invalid("a string", NAME),
    invalid("a number", 5),
    invalid("null", None)._replace(raw=b"null"),
    invalid("an empty object", {}),
    *(invalid(f"no {name}", without(name)) for name in ("hook", "hookInstance", "context")),
    *(invalid(f"hook is {value!r}"[:40], marked(hook=value)) for value in (None, 5, "", "  ", [NAME], {"name": NAME})),
    *(invalid(f"hookInstance is {value!r}"[:40], marked(hookInstance=value)) for value in (None, 5, "", [NAME], {"name": NAME})),
    *(invalid(f"context is {value!r}"[:40], marked(context=value)) for value in (None, 5, NAME, [], {}, [NAME])),
    *(invalid(f"prefetch is {value!r}"[:40], marked(prefetch=value)) for value in (None, 5, NAME, [], [NAME], True)),
    *(invalid(f"fhirServer is {value!r}"[:40], marked(fhirServer=value)) for value in (None, 5, NAME, "", "ftp://" + MRN, {"a": NAME})),
    *(invalid(f"extension is {value!r}"[:40], marked(extension=value)) for value in (None, 5, NAME, [], {}, [NAME])),
    *(
        invalid(f"fhirAuthorization is {value!r}"[:40], marked(fhirServer="https://ehr.example.org", fhirAuthorization=value))
        for value in (None, 5, NAME, {}, [])
    ),
    invalid(
        "a token without fhirServer",
        marked(fhirAuthorization={"access_token": MRN, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}),
    ),
    invalid(
        "a token of another type",
        marked(
            fhirServer="https://e.org", fhirAuthorization={"access_token": MRN, "token_type": NAME, "expires_in": 300, "scope": "x", "subject": "y"}
        ),
    ),
    *(invalid(f"no {name}", context(**{name: None})) for name in ("userId", "patientId")),
    *(
        invalid(f"patientId is {value!r}"[:40], context(patientId=value))
        for value in (5, "", "a b", f"{NAME}", "Observation/x", ["p1"], "p1?name=x", "x" * 300)
    ),
    *(invalid(f"userId is {value!r}"[:40], context(userId=value)) for value in (5, "", "example", "Device/1", f"Practitioner/{NAME}")),
    *(invalid(f"encounterId is {value!r}"[:40], context(encounterId=value)) for value in (5, "", NAME)),
    *(invalid(f"the hook is {hook}"[:40], marked(hook=hook)) for hook in ("order-sign", "order-select", NAME)),
    invalid("a number out of range", None)._replace(raw=build.body_of(marked())[:-1] + b', "fhirServer": 1e999}'),
    *(invalid(f"a prefetch value is {value!r}"[:40], prefetch(conditions=value)) for value in (5, [], NAME, True, False)),
    invalid("a misspelt null in the prefetch", None)._replace(
        code="malformed-body", raw=build.body_of(without("prefetch"))[:-1] + b', "prefetch": {"conditions": nul}}'
    ),
    Failure("another patient's Patient", 400, "patient-mismatch", prefetch(patient=person(id="p2"))),
    Failure("another patient in the context", 400, "patient-mismatch", context(patientId="p2")),
    Failure("another patient's Patient in a Bundle", 400, "patient-mismatch", prefetch(patient=build.bundle(person(id="p2")))),
    unavailable("no Patient", marked(prefetch={k: v for k, v in marked()["prefetch"].items() if k != "patient"})),
    unavailable("no prefetch", without("prefetch")),
    unavailable("an empty prefetch", marked(prefetch={})),
    unavailable("only the Patient", marked(prefetch={"patient": person()})),
    unavailable("only the Patient and keys nobody asked for", marked(prefetch={"patient": person(), "notes": build.bundle()})),
    unavailable("the Patient is null", prefetch(patient=None)),
    unavailable("the Patient is an empty Bundle", prefetch(patient=build.bundle())),
    unavailable("the Patient is refused", prefetch(patient=build.outcome())),
    unavailable("the Patient is another resource", prefetch(patient=build.condition())),
    unavailable("the Patient is no resource", prefetch(patient={"name": NAME})),
    unavailable("the Patient has no id", prefetch(patient=person(id=None))),
    unavailable("the Patient's id is a number", prefetch(patient=person(id=5))),
    unavailable("the Patient cannot be read", prefetch(patient=person(deceasedBoolean=NAME))),
    unavailable("every key but the Patient refused", marked(prefetch={"patient": person(), **dict.fromkeys(build.KEYS, build.outcome())})),
    Failure("an unknown service", 404, "unknown-service", marked(), path="/cds-services/other"),
    Failure("an unknown path", 404, "unknown-service", path=f"/{NAME}", method="GET"),
    Failure("an unknown path below a service", 404, "unknown-service", marked(), path=f"{build.SERVICE}/{MRN}"),
    Failure("a doubled slash", 404, "unknown-service", marked(), path="/cds-services//vexas"),
    *(
        Failure(f"{method} on a service", 405, "method-not-allowed", method=method, path=f"{build.SERVICE}?name={NAME}")
        for method in ("GET", "PUT", "DELETE", "PATCH")
    ),
    Failure("POST on discovery", 405, "method-not-allowed", marked(), path="/cds-services"),
    *(
        Failure(f"sent as {kind}", 415, "unsupported-media-type", marked(), content_type=kind)
        for kind in ("text/plain", "application/xml", f"text/{MRN}", "")
    ),
    Failure("a form", 415, "unsupported-media-type", raw=b"name=" + NOT_JSON, content_type="application/x-www-form-urlencoded"),
    *(
        Failure(f"encoded with {c}", 415, "unsupported-media-type", marked(), headers={"Content-Encoding": c})
        for c in ("gzip", "br", "deflate", f"{MRN}")
    ),
    Failure("over 8 MB", 413, "payload-too-large", raw=BIG),
    Failure("said to be over 8 MB", 413, "payload-too-large", marked(), environ={"CONTENT_LENGTH": str(LARGEST_BODY + 1)}),
    Failure(
        "over 8 MB without a Content-Length",
        413,
        "payload-too-large",
        headers={"Transfer-Encoding": "chunked"},
        environ={"wsgi.input": io.BytesIO, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    ),
]


def send(client: CheckedClient, failure: Failure) -> Any:
    """Send what must fail."""
    raw = failure.raw if failure.raw is not None else build.body_of(failure.body) if failure.body is not None else None
    environ = dict(failure.environ)
    if environ.get("wsgi.input") is io.BytesIO:
        environ["wsgi.input"] = io.BytesIO(BIG)
    return client.open(
        failure.path,
        method=failure.method,
        data=raw,
        content_type=failure.content_type,
        headers=failure.headers,
        environ_overrides=environ,
    )


@pytest.mark.requirement("cds-hooks_2.0@54", "cds-hooks_2.0@76")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: f.name)
def test_fails_with_one_code_and_no_echo(client, log, capfd, failure):
    """Every failure is an OperationOutcome with our code and a sentence, and neither it nor the log repeats the request."""
    response = send(client, failure)

    issue = response.json["issue"][0]
    assert (failure.status, failure.code) == (response.status_code, issue["details"]["text"])
    assert ("OperationOutcome", "error") == (response.json["resourceType"], issue["severity"])
    assert issue["diagnostics"].endswith(".")
    assert len(issue["diagnostics"].split()) > 3
    assert [] == echoes(response, log, capfd)


def echoes(response: Any, log: Any, capfd: Any) -> list[str]:
    """The marked words that came out in the answer, the log, or on the terminal."""
    printed = capfd.readouterr()
    said = " ".join([response.get_data(as_text=True), str(response.headers), *log.lines, printed.out, printed.err])
    return [canary for canary in CANARIES if canary.lower() in said.lower()]


def test_logs_the_code_of_a_failure(client, log):
    """The log says which rule refused a request."""
    client.post(build.SERVICE, json={})

    assert any('"code":"invalid-request"' in line and '"status":400' in line for line in log.lines)


def test_says_which_methods_a_path_takes(client):
    """A 405 carries Allow, as HTTP asks."""
    response = client.get(build.SERVICE)

    assert "POST" in response.headers["Allow"]


PLACES = {
    "/hookInstance": marked(hookInstance=5),
    "/context/patientId": context(patientId=5),
    "/prefetch/conditions": prefetch(conditions=5),
    "/": {},
}


@pytest.mark.parametrize("place", PLACES)
def test_names_the_place_as_a_json_pointer(client, place):
    """An invalid member is named by its place."""
    response = client.post(build.SERVICE, json=PLACES[place])

    assert [place] == response.json["issue"][0]["expression"]


def test_does_not_repeat_a_prefetch_key_that_it_never_asked_for(client):
    """A key of the caller's own making may hold anything, so its name does not come back."""
    response = client.post(build.SERVICE, json=prefetch(**{NAME: 5}))

    assert NAME not in response.get_data(as_text=True)


def test_answers_an_unforeseen_error_with_a_reference_only(log, capfd):
    """A defect is a 500 with a reference; the log has the place, and nobody gets the words of the error."""
    app = checked_app(Settings(), BrokenClock(f"{NAME} {MRN} {BIRTH} {WORDS}"))

    response = app.test_client().post(build.SERVICE, json=marked())

    issue = response.json["issue"][0]
    reference = issue["diagnostics"].removesuffix(".").rpartition(" ")[2]
    assert (500, "internal", "exception") == (response.status_code, issue["details"]["text"], issue["code"])
    assert any(reference in line and "RuntimeError" in line and "fakes.py" in line for line in log.lines)
    assert [] == echoes(response, log, capfd)


def test_says_nothing_of_the_patient_in_the_log_of_an_answer(client, log, capfd):
    """The log of an answered call holds counts and topics, and none of the request's words."""
    response = client.post(build.SERVICE, json=marked())

    printed = capfd.readouterr()
    said = " ".join([*log.lines, printed.out, printed.err])
    assert 200 == response.status_code
    assert any("hook.answered" in line for line in log.lines)
    assert [] == [canary for canary in (*CANARIES, build.PATIENT_ID + '"', build.CALL) if canary in said]
