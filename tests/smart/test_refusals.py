"""What opens no chart: each gets a page that says so, says nothing of a patient, and was asked nowhere."""

from __future__ import annotations

import html
import json
import re
import time

import pytest

from cds_service.smart.configuration import FRESH, PAUSE
from cds_service.smart.pending import LONGEST_CODE, SECONDS, SECONDS_OF_A_CODE
from cds_service.smart.reasons import REASONS
from tests import build
from tests.build import FIXTURES
from tests.fakes import BrokenClock
from tests.smart import ehr as ehrs
from tests.smart.opening import TITLE, Opened, asked_of, service, toml
from tests.trust.minting import NOW
from tests.web.screen import browser

pytestmark = pytest.mark.long

CHART = json.loads((FIXTURES / "test-sweet-macrocytosis.json").read_text(encoding="utf-8"))
HOSTILE = "<script>alert(1)</script>"
ELSEWHERE = "https://login.example.org"


@pytest.fixture(scope="module")
def ehr():
    """An EHR with the chart of one patient."""
    with ehrs.running(CHART) as running:
        yield running


@pytest.fixture
def app(ehr, tmp_path):
    """A service with a client that has the app; the EHR does everything right."""
    ehr.start_again()
    with service(tmp_path, toml(ehr)) as opened:
        yield opened


@pytest.fixture
def known(ehr, tmp_path):
    """The same, where the EHR tells who signed in."""
    ehr.start_again()
    with service(tmp_path, toml(ehr, openid=True)) as opened:
        yield opened


def why(answer) -> str:
    """The reason on a page that opened nothing."""
    assert TITLE in answer.text
    assert "text/html" == answer.mimetype
    assert HOSTILE not in answer.text
    (reason,) = [reason for reason, said in REASONS.items() if said.what in html.unescape(answer.text)]
    assert (502 if REASONS[reason].theirs else 400) == answer.status_code
    return reason


def test_a_defect_is_a_page_too(ehr, tmp_path, log):
    """Inside the EHR's own window stands a page with a reference, and no word of the error."""
    ehr.start_again()
    with service(tmp_path, toml(ehr, framed_by=[ehr.base.removesuffix("/r4")]), today=BrokenClock(HOSTILE)) as opened:
        answer = opened.open(ehr)

    (reference,) = re.findall(r"Reference (\w{32})", answer.text)
    assert (500, "text/html", True) == (answer.status_code, answer.mimetype, TITLE in answer.text)
    assert f"frame-ancestors {ehr.base.removesuffix('/r4')}" in answer.headers["Content-Security-Policy"]
    assert any(reference in line and "RuntimeError" in line for line in log.lines)
    assert [] == [text for text in (answer.text, *log.lines) if HOSTILE in text]


# --- the launch ---


@pytest.mark.parametrize(
    "iss",
    [
        ELSEWHERE,
        "",
        "{base}/other",
        "{base}?x=1",
        "{base}#x",
        "https{rest}",
        "http://user@127.0.0.1:1/r4",
        "{base}/../r4",
        "http://evil.example/{base}",
        HOSTILE,
        "\N{SNOWMAN}",
    ],
)
def test_an_ehr_that_is_not_registered_is_asked_nothing(app, ehr, iss):
    """Iss is only compared with what is registered."""
    answer = app.launch(ehr, iss=iss.format(base=ehr.base, rest=ehr.base.removeprefix("http")))

    assert "issuer" == why(answer)
    assert [] == ehr.asked


@pytest.mark.parametrize(
    "query",
    ["", "iss={iss}", "launch=1", "iss={iss}&launch=", "iss={iss}&launch=1&launch=2", "iss={iss}&iss={iss}&launch=1", "iss={iss}&launch={long}"],
)
def test_a_launch_names_ehr_and_chart_once(app, ehr, query):
    """Without both there is nothing to begin."""
    answer = app.browser.get(f"/smart/launch?{query.format(iss=ehr.base, long='x' * 4001)}")

    assert "launch" == why(answer)
    assert [] == ehr.asked


@pytest.mark.parametrize(
    "path", ["/smart/launch/south", "/smart/callback/south?code=1&state=2", "/smart/chart/south/x", "/smart/keys/south", "/smart/launch/%3Cscript%3E"]
)
def test_a_client_without_the_app_has_no_page(app, path):
    """Nobody but the registered."""
    answer = app.browser.get(path)

    assert 404 == answer.status_code
    assert TITLE in answer.text


def test_a_service_without_the_app_has_no_launch():
    """Where no client has smart, the paths are not there."""
    from cds_service.settings import Settings
    from tests.fakes import checked_app

    answer = checked_app(Settings(), lambda: build.TODAY).test_client().get("/smart/launch")

    assert 404 == answer.status_code


# --- what the EHR says of its sign-in ---


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"authorization_endpoint": "http://login.example.org/authorize"}, "endpoint"),
        ({"token_endpoint": "http://login.example.org/token"}, "endpoint"),
        ({"token_endpoint": "https://login.example.org/token#x"}, "endpoint"),
        ({"token_endpoint": "ftp://login.example.org/token"}, "endpoint"),
        ({"token_endpoint": "https://user@login.example.org/token"}, "endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "endpoint"),
        ({"authorization_endpoint": "/authorize"}, "endpoint"),
        ({"authorization_endpoint": "https://login.example.org/a\r\nSet-Cookie: x"}, "endpoint"),
        ({"token_endpoint": None}, "configuration"),
        ({"token_endpoint": 1}, "configuration"),
        ({"code_challenge_methods_supported": None}, "pkce"),
        ({"code_challenge_methods_supported": ["plain"]}, "pkce"),
    ],
)
def test_a_sign_in_that_is_not_safe_is_not_begun(app, ehr, says, reason):
    """Endpoints are https, but on this machine; the code is bound to whoever asked for it."""
    ehr.says = says

    assert reason == why(app.launch(ehr))


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "/r4/other"}, b""),
        (404, {}, b"{}"),
        (500, {}, b"{}"),
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b'"\xff"'),
        (200, {}, b" " * 70_000),
        (200, {"Content-Encoding": "gzip"}, b"{}"),
    ],
    ids=["redirect", "404", "500", "html", "list", "no-utf-8", "flood", "packed"],
)
def test_a_configuration_that_cannot_be_read_begins_nothing(app, ehr, answer):
    """It is asked for once, and for ten seconds not again."""
    ehr.answers = {ehrs.WELL_KNOWN: answer}

    reasons = [why(app.launch(ehr)), why(app.launch(ehr))]

    assert ["configuration"] * 2 == reasons
    assert [ehrs.WELL_KNOWN] == ehr.asked


def test_a_configuration_is_asked_for_again_after_a_while(app, ehr):
    """One that failed after ten seconds, one that came after an hour."""
    ehr.answers = {ehrs.WELL_KNOWN: (500, {}, b"")}
    app.launch(ehr)
    ehr.answers = {}
    app.clock.go(PAUSE)
    mended = app.launch(ehr)
    app.clock.go(FRESH)
    app.launch(ehr)

    assert 303 == mended.status_code
    assert 3 == ehr.asked.count(ehrs.WELL_KNOWN)


# --- what comes back from the sign-in ---


def test_the_answer_comes_back_in_the_browser_that_asked(app, ehr):
    """Another browser has no cookie of it, so nobody can be led into somebody else's sign-in."""
    said = ehr.sign_in(app.launch(ehr).headers["Location"])
    other = Opened(app.app, app.clock)

    assert "state" == why(other.back(said))
    assert "/token" not in ehr.asked


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, HOSTILE, "\N{SNOWMAN}"])
def test_the_answer_brings_the_state(app, ehr, state):
    """One that does not belong to a login of this browser is refused."""
    said = ehr.sign_in(app.launch(ehr).headers["Location"])

    assert "state" == why(app.back({**said, "state": state}))


def test_a_state_is_good_once(app, ehr):
    """The same answer again opens nothing, even where the browser kept its cookie."""
    begun = app.launch(ehr)
    said = ehr.sign_in(begun.headers["Location"])
    app.back(said)
    again = app.back(said)
    name, _, value = begun.headers["Set-Cookie"].partition(";")[0].partition("=")
    app.browser.set_cookie(name, value, path="/smart/callback/north")
    kept = app.back(said)

    assert ["state", "state"] == [why(again), why(kept)]


def test_a_chart_is_opened_once(app, ehr):
    """Its page again, or with the cookie that was kept, says that it has to be opened from the chart."""
    came = app.back(ehr.sign_in(app.launch(ehr).headers["Location"]))
    page = app.follow(came)
    again = app.follow(came)
    app.browser.set_cookie("smart", came.headers.getlist("Set-Cookie")[1].partition(";")[0].removeprefix("smart="), path=came.headers["Location"])
    kept = app.follow(came)

    assert 200 == page.status_code
    assert ["state", "state"] == [why(again), why(kept)]
    assert 1 == ehr.asked.count("/token")


@pytest.mark.parametrize(("seconds", "good"), [(SECONDS - 1, True), (SECONDS, False)])
def test_a_login_lasts_ten_minutes(app, ehr, seconds, good):
    """After that it is begun anew."""
    said = ehr.sign_in(app.launch(ehr).headers["Location"])
    app.clock.go(seconds)

    assert good == (303 == app.back(said).status_code)


@pytest.mark.parametrize(("seconds", "good"), [(SECONDS_OF_A_CODE - 1, True), (SECONDS_OF_A_CODE, False)])
def test_a_code_lasts_a_minute(app, ehr, seconds, good):
    """As it does at the EHR."""
    came = app.back(ehr.sign_in(app.launch(ehr).headers["Location"]))
    app.clock.go(seconds)

    assert good == (200 == app.follow(came).status_code)


def test_a_login_at_one_client_is_none_at_another(ehr, tmp_path):
    """The answer of one EHR's sign-in, led to the address for another's, opens nothing."""
    with ehrs.running(CHART) as other, service(tmp_path, toml(ehr), toml(other, "south")) as app:
        begun = app.launch(ehr)
        said = ehr.sign_in(begun.headers["Location"])
        name, _, value = begun.headers["Set-Cookie"].partition(";")[0].partition("=")
        app.browser.set_cookie(name, value, path="/smart/callback/south")
        swapped = app.back(said, "south")

    assert "state" == why(swapped)
    assert [] == other.asked


@pytest.mark.parametrize(
    ("supported", "iss", "reason"),
    [
        (False, ELSEWHERE, "mixed"),
        (True, ELSEWHERE, "mixed"),
        (True, None, "mixed"),
        (True, "own", ""),
        (False, "own", ""),
        (False, None, ""),
    ],
)
def test_the_answer_is_of_the_sign_in_that_was_asked(app, ehr, supported, iss, reason):
    """RFC 9207: an iss that comes, or has to come, is the one in the configuration; also beside an error."""
    ehr.says = {"authorization_response_iss_parameter_supported": supported}
    named = {} if iss is None else {"iss": ehr.origin if iss == "own" else iss}
    answer = app.back({**ehr.sign_in(app.launch(ehr).headers["Location"]), **named})
    error = app.back({"error": "access_denied", "state": asked_of(app.launch(ehr))["state"], **named})

    assert reason == (why(answer) if answer.status_code != 303 else "")
    assert (reason or "denied") == why(error)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"error": "access_denied", "error_description": HOSTILE}, "denied"),
        ({"error": "invalid_scope"}, "refused"),
        ({"error": HOSTILE}, "refused"),
        ({"error": "access_denied", "code": "x"}, "denied"),
        ({}, "code"),
        ({"code": ""}, "code"),
        ({"code": "x" * (LONGEST_CODE + 1)}, "code"),
    ],
)
def test_a_sign_in_that_brings_no_code_opens_nothing(app, ehr, said, reason):
    """What the EHR writes of it is not repeated."""
    state = asked_of(app.launch(ehr))["state"]

    assert reason == why(app.back({**said, "state": state}))
    assert "/token" not in ehr.asked


def test_the_longest_code_fits(app, ehr):
    """A browser keeps a cookie of 4096 bytes with its name and attributes."""
    state = asked_of(app.launch(ehr))["state"]
    came = app.back({"code": "x" * LONGEST_CODE, "state": state})

    assert len(came.headers.getlist("Set-Cookie")[1]) <= 4096


# --- what the token endpoint answers ---


def test_a_code_of_another_login_brings_nothing(app, ehr):
    """Somebody who puts a stolen code into a sign-in of their own has not its verifier."""
    stolen = ehr.sign_in(app.launch(ehr).headers["Location"])["code"]
    thief = Opened(app.app, app.clock)
    came = thief.back({"code": stolen, "state": asked_of(thief.launch(ehr))["state"]})

    assert "exchange" == why(thief.follow(came))
    assert set() == ehr.tokens


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, {}, b'{"error": "x"}'), "away"),
        ((503, {"Retry-After": "1"}, b""), "away"),
        ((302, {"Location": "https://login.example.org/token"}, b""), "away"),
        ((307, {"Location": "/elsewhere"}, b'{"access_token": "x", "token_type": "Bearer", "patient": "p1"}'), "away"),
        ((403, {}, b"{}"), "away"),
        ((200, {}, b" " * 70_000), "away"),
        ((200, {"Content-Encoding": "gzip"}, b"{}"), "away"),
        ((200, {}, b"<html>"), "token"),
        ((200, {}, b"[1]"), "token"),
        ((200, {}, b"[" * 60_000), "token"),
        ((200, {}, b"{}"), "token"),
        ((400, {}, json.dumps({"error": "invalid_grant", "error_description": HOSTILE}).encode()), "exchange"),
        ((401, {}, b'{"error": "invalid_client"}'), "exchange"),
    ],
    ids=["500", "503", "302", "307", "403", "flood", "packed", "html", "list", "deep", "empty", "invalid-grant", "invalid-client"],
)
def test_a_token_endpoint_that_fails_opens_nothing(app, ehr, answer, reason):
    """It is asked once; no redirect is followed with a code."""
    ehr.answers = {"/token": answer}

    assert reason == why(app.open(ehr))
    assert 1 == ehr.asked.count("/token")
    assert "/elsewhere" not in ehr.asked


def test_a_token_endpoint_that_is_not_there_opens_nothing(app, ehr):
    """Nobody listens."""
    ehr.says = {"token_endpoint": "http://127.0.0.1:9/token"}
    began = time.monotonic()

    assert "away" == why(app.open(ehr))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("grants", "reason"),
    [
        ({"access_token": None}, "token"),
        ({"access_token": ""}, "token"),
        ({"access_token": "a\r\nb"}, "token"),
        ({"access_token": ["x"]}, "token"),
        ({"token_type": None}, "token"),
        ({"token_type": "mac"}, "token"),
        ({"expires_in": "soon"}, "token"),
        ({"scope": 1}, "token"),
        ({"patient": None}, "patient"),
        ({"patient": ""}, "patient"),
        ({"patient": "../Patient"}, "patient"),
        ({"patient": "x" * 65}, "patient"),
        ({"patient": 7}, "patient"),
    ],
)
def test_an_answer_without_token_or_patient_opens_nothing(app, ehr, grants, reason):
    """No chart is looked for."""
    ehr.grants = grants

    assert reason == why(app.open(ehr))
    assert [] == [path for path in ehr.asked if path.startswith("/r4/") and path != ehrs.WELL_KNOWN]


def test_the_patient_may_be_named_by_a_reference(app, ehr):
    """Some send Patient/id where SMART has the id."""
    ehr.grants = {"patient": f"Patient/{ehr.patient}"}

    assert 200 == app.open(ehr).status_code


@pytest.mark.parametrize("kind", ["bearer", "BEARER"])
def test_the_type_of_a_token_is_written_in_any_case(app, ehr, kind):
    """RFC 6749: it is case-insensitive."""
    ehr.grants = {"token_type": kind}

    assert 200 == app.open(ehr).status_code


# --- what was granted, and what the FHIR server has ---


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (
            "launch patient/Patient.r patient/Observation.s",
            "could be read:</strong> the EHR gave no access to AllergyIntolerance, Condition, DiagnosticReport",
        ),
        ("patient/*.cruds patient/Observation.c", ""),
        ("user/*.read", ""),
        ("patient/*.*", ""),
        (None, ""),
        ("patient/*.rs?_lastUpdated=ge2026", "could be read:</strong> the EHR gave access to a part only of AllergyIntolerance, Condition"),
    ],
)
def test_what_was_not_granted_is_said_and_not_asked_for(app, ehr, scope, told):
    """It is unknown, not absent; a scope that a query narrows leaves its kind incomplete."""
    ehr.grants = {"scope": scope}

    page = app.open(ehr)

    assert 200 == page.status_code
    assert told in page.text
    assert bool(told) == ("could be read:" in page.text)
    assert ("no access" not in told) == any(path.startswith("/r4/Condition?") for path in ehr.asked)


@pytest.mark.parametrize("scope", ["launch", "patient/Observation.rs", "launch patient/Patient.r", "patient/Patient.rs patient/Observation.c"])
def test_without_the_patient_or_anything_else_nothing_is_evaluated(app, ehr, scope):
    """The page says so, and no chart is shown as empty."""
    ehr.grants = {"scope": scope}

    page = app.open(ehr)

    assert 412 == page.status_code
    assert TITLE in page.text


def test_a_token_for_another_patient_than_the_server_knows_opens_nothing(app, ehr):
    """The patient of the launch is the one that is read."""
    ehr.grants = {"patient": "somebody-else"}

    page = app.open(ehr)

    assert 412 == page.status_code
    assert TITLE in page.text


# --- who signed in ---


def test_an_id_token_is_verified(known, ehr):
    """By the EHR's keys, for this app and this sign-in."""
    assert 200 == known.open(ehr).status_code


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ELSEWHERE},
        {"aud": "another-app"},
        {"aud": ["app", "another-app"]},
        {"aud": ["app", "another-app"], "azp": "another-app"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": NOW - 60},
        {"iat": NOW + 61},
    ],
)
def test_an_id_token_of_something_else_opens_nothing(known, ehr, claims):
    """Another issuer, app or sign-in, or another time."""
    ehr.claims = claims

    assert "identity" == why(known.open(ehr))
    assert [] == [path for path in ehr.asked if path.startswith("/r4/Patient")]


@pytest.mark.parametrize("proof", [None, "", "a.b.c", 7, "eyJhbGciOiJub25lIn0.e30."])
def test_an_id_token_that_was_asked_for_has_to_come(known, ehr, proof):
    """Signed, and as a JWT."""
    ehr.grants = {"id_token": proof}

    assert "identity" == why(known.open(ehr))


def test_an_id_token_that_was_not_asked_for_is_not_looked_at(app, ehr):
    """Nothing rests on it."""
    ehr.grants = {"id_token": "nonsense"}

    assert 200 == app.open(ehr).status_code


def test_every_page_that_opens_nothing_is_for_people(app):
    """It needs nothing else, is kept by nobody, is read by no other origin's programs, and sends no address on."""
    answer = browser(app.app).get("/smart/launch", headers={"Origin": "https://sandbox.cds-hooks.org"})

    assert "no-store" == answer.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "no-referrer" == answer.headers["Referrer-Policy"]


def test_logs_what_opened_and_what_did_not(app, ehr, log):
    """A chart that was shown and a launch that opened none are each a line, with the client and why, and without a patient."""
    app.open(ehr)
    app.launch(ehr, iss=ELSEWHERE)
    app.back({"code": "1", "state": "2"})

    noted = [json.loads(line.removeprefix("cds_service ")) for line in dict.fromkeys(log.lines) if '"event":"app.' in line]
    assert [("app.shown", "north", None), ("app.refused", None, "issuer"), ("app.refused", "north", "state")] == [
        (one["event"], one.get("client"), one.get("reason")) for one in noted
    ]
    assert [] == [one for one in noted if ehr.patient in str(one)]
