"""From the EHR's launch to the page of the chart: what is asked for, what is sent where, and what stays nowhere."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest

from cds_service.errors import SettingsError
from cds_service.storage.database import Database
from tests import build
from tests.build import FIXTURES
from tests.fakes import Log
from tests.faults.servers import answered
from tests.fhir.asking import AUTHORITY
from tests.fhir.asking import serving_securely as ehrs_securely
from tests.smart import ehr as ehrs
from tests.smart.ehr import EHR
from tests.smart.opening import LAUNCH, asked_of, led_on, service, toml
from tests.storage.samples import rows

ELSEWHERE = "https://login.example.org"
CHART = json.loads((FIXTURES / "test-sweet-macrocytosis.json").read_text(encoding="utf-8"))
KINDS = sorted({r.resource for r in build.KNOWLEDGE.requirements.values()})


@pytest.fixture
def ehr():
    """An EHR with the chart of one patient."""
    with ehrs.running(CHART) as running:
        yield running


def test_shows_the_evidence_of_the_chart_that_is_open(ehr, tmp_path):
    """The page is that of the patient in the token response, from the EHR's own data."""
    with service(tmp_path, toml(ehr)) as app:
        page = app.open(ehr)

    assert 200 == page.status_code
    assert f"<b>{ehr.patient}</b>" in page.text
    assert "<svg" in page.text
    assert "CRP 40 mg/L" in page.text


def test_asks_for_what_it_reads_and_for_nothing_else(ehr, tmp_path):
    """Read and search of each kind of resource that the knowledge needs, and the launch; no identity and no refresh token."""
    with service(tmp_path, toml(ehr)) as app:
        asked = asked_of(app.launch(ehr))

    assert ["launch", *(f"patient/{kind}.rs" for kind in KINDS)] == asked.pop("scope").split()
    assert 43 == len(asked.pop("state")) == len(asked.pop("code_challenge"))
    assert {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": "http://127.0.0.1:8080/smart/callback/north",
        "launch": LAUNCH,
        "aud": ehr.base,
        "code_challenge_method": "S256",
    } == asked


def test_opens_by_itself(ehr, tmp_path):
    """Without an EHR the sign-in is asked to let a patient be chosen."""
    with service(tmp_path, toml(ehr)) as app:
        begun = app.browser.get("/smart/launch/north")
        page = app.follow(app.back(ehr.sign_in(begun.headers["Location"])))

    assert "launch/patient" == asked_of(begun)["scope"].split()[0]
    assert "launch" not in asked_of(begun)
    assert 200 == page.status_code


def test_writes_scopes_as_the_first_smart_has_them_where_only_these_are_known(ehr, tmp_path):
    """permission-v1 without permission-v2 says so."""
    ehr.says = {"capabilities": ["launch-ehr", "permission-v1"]}

    with service(tmp_path, toml(ehr)) as app:
        asked = asked_of(app.launch(ehr))

    assert ["launch", *(f"patient/{kind}.read" for kind in KINDS)] == asked["scope"].split()


def test_asks_for_the_scopes_of_the_registration_where_it_has_some(ehr, tmp_path):
    """A site decides for itself; the launch is added, and with openid the identity, with a nonce."""
    with service(tmp_path, toml(ehr, scopes=["patient/*.rs"], openid=True)) as app:
        asked = asked_of(app.launch(ehr))

    assert "launch openid fhirUser patient/*.rs" == asked["scope"]
    assert 43 == len(asked["nonce"])


def test_proves_who_it_is_by_a_secret(ehr, tmp_path):
    """client_secret_basic: the secret stands in the header and not in the body."""
    ehr.secret = ehrs.SECRET
    (tmp_path / "secret").write_text(f"{ehrs.SECRET}\n", encoding="utf-8")

    with service(tmp_path, toml(ehr, client_secret_file=str(tmp_path / "secret"))) as app:
        page = app.open(ehr)

    assert 200 == page.status_code
    assert {"grant_type", "code", "code_verifier", "redirect_uri"} == ehr.bodies[0].keys()


@pytest.mark.parametrize("options", [(), ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")], ids=["ES384", "RS384"])
def test_proves_who_it_is_by_its_key(ehr, tmp_path, options):
    """private_key_jwt: the EHR verifies it by the public key that the app publishes."""
    key = ehrs.private_key(tmp_path, *options)

    with service(tmp_path, toml(ehr, private_key_file=str(key))) as app:
        ehr.keys = app.browser.get("/smart/keys/north").json
        page = app.open(ehr)

    assert 200 == page.status_code
    assert "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" == ehr.bodies[0]["client_assertion_type"]
    assert "d" not in ehr.keys["keys"][0]


def test_names_itself_where_it_is_public(ehr, tmp_path):
    """Without secret or key the body has the client's id; its key set is empty."""
    with service(tmp_path, toml(ehr)) as app:
        page = app.open(ehr)
        keys = app.browser.get("/smart/keys/north")

    assert 200 == page.status_code
    assert "app" == ehr.bodies[0]["client_id"]
    assert {"keys": []} == keys.json


def test_asks_only_the_registered_server_and_what_it_names(ehr, tmp_path):
    """One look at its configuration for many launches, one token for each, and the queries."""
    with service(tmp_path, toml(ehr)) as app:
        app.open(ehr)
        app.open(ehr)

    assert 1 == ehr.asked.count(ehrs.WELL_KNOWN)
    assert 2 == ehr.asked.count("/token")
    assert {"r4", "token"} == {path.split("/")[1] for path in ehr.asked}


def test_leaves_neither_code_nor_state_nor_token_anywhere(ehr, tmp_path):
    """The address of the chart, the page, the cookies and the log hold none of them, nor the patient."""
    log = Log()
    for name in ("cds_service", "", "authlib", "urllib3"):
        logging.getLogger(name).addHandler(log)
    try:
        with service(tmp_path, toml(ehr)) as app:
            begun = app.launch(ehr)
            said = ehr.sign_in(begun.headers["Location"])
            came = app.back(said)
            opening = app.browser.get(came.headers["Location"])
            page = app.browser.get(led_on(opening))
    finally:
        for name in ("cds_service", "", "authlib", "urllib3"):
            logging.getLogger(name).removeHandler(log)

    (token,) = ehr.tokens
    shown = [came.headers["Location"], opening.text, page.text, *page.headers.getlist("Set-Cookie"), *came.headers.getlist("Set-Cookie"), *log.lines]
    assert [] == [secret for secret in (token, said["code"], said["state"], "code_verifier") for text in shown if secret in text]
    assert [] == [line for line in log.lines if ehr.patient in line]
    assert re.fullmatch(r"/smart/opening/north/[\w-]{22}", came.headers["Location"])
    assert (
        "no-referrer"
        == came.headers["Referrer-Policy"]
        == opening.headers["Referrer-Policy"]
        == page.headers["Referrer-Policy"]
        == begun.headers["Referrer-Policy"]
    )


def test_says_that_the_chart_is_read_before_it_is(ehr, tmp_path):
    """Between sign-in and chart stands a page that leads on by itself, in the frame of the EHR and below a path, too; it asks nobody."""
    once = "a" * 22
    with service(tmp_path, toml(ehr, framed_by=["https://ehr.example.org"]), base_url="https://cds.example.org/vexas") as app:
        opening = app.browser.get(f"/smart/opening/north/{once}")
        strange = [app.browser.get(f"/smart/opening/{rest}").status_code for rest in ("north/x", f"south/{once}", f"north/%3Cscript%3E{once[:14]}")]

    assert "Reading the chart" in opening.text
    assert f"/vexas/smart/chart/north/{once}" == led_on(opening)
    assert opening.headers["Content-Security-Policy"].endswith("frame-ancestors https://ehr.example.org")
    assert ([404] * 3, []) == (strange, ehr.asked)


def test_gives_the_browser_a_cookie_that_it_cannot_read_and_takes_it_back(ehr, tmp_path):
    """For its own path, for ten minutes, not for scripts; it ends with the step that it was for."""
    with service(tmp_path, toml(ehr)) as app:
        begun = app.launch(ehr)
        came = app.back(ehr.sign_in(begun.headers["Location"]))

    (given,) = begun.headers.getlist("Set-Cookie")
    ended, carried = came.headers.getlist("Set-Cookie")
    assert re.search(r"Max-Age=600; HttpOnly; Path=/smart/callback/north; SameSite=Lax$", given)
    assert re.search(r"^smart-\w+=; .*Max-Age=0", ended)
    assert re.search(r"Max-Age=60; HttpOnly; Path=/smart/chart/north/[\w-]+; SameSite=Lax$", carried)


def test_keeps_its_cookie_inside_the_page_of_an_ehr(ehr, tmp_path):
    """Where the EHR shows the app inside its own page, the cookie is for there alone, and no other page may show the app."""
    with service(tmp_path, toml(ehr, framed_by=["https://ehr.example.org", "http://127.0.0.1:9"]), base_url="https://cds.example.org/vexas") as app:
        begun = app.launch(ehr)
        refused = app.browser.get("/smart/launch")

    assert re.search(r"; Secure; HttpOnly; Path=/vexas/smart/callback/north; SameSite=None; Partitioned$", begun.headers["Set-Cookie"])
    assert refused.headers["Content-Security-Policy"].endswith("frame-ancestors https://ehr.example.org http://127.0.0.1:9")


def test_names_its_cookies_so_that_they_never_travel_in_clear(ehr, tmp_path):
    """Over https each name begins with __Secure-, which browsers take over https alone; each is still found, and ends."""
    with service(tmp_path, toml(ehr), base_url="https://cds.example.org") as app:
        begun = app.browser.get(f"https://localhost/smart/launch?iss={ehr.base}&launch={LAUNCH}")
        came = app.browser.get("https://localhost/smart/callback/north", query_string=ehr.sign_in(begun.headers["Location"]))
        opening = app.browser.get(f"https://localhost{came.headers['Location']}")
        page = app.browser.get(f"https://localhost{led_on(opening)}")

    given = [cookie for answer in (begun, came, page) for cookie in answer.headers.getlist("Set-Cookie")]
    assert 200 == page.status_code
    assert ["600", "0", "60", "0"] == [re.findall(r"Max-Age=(\d+)", cookie)[0] for cookie in given]
    assert [] == [cookie for cookie in given if not re.match(r"__Secure-smart\S*=.*; Secure; HttpOnly; Path=/smart/", cookie)]


def test_answers_every_step_with_what_a_browser_may_not_do(ehr, tmp_path):
    """A redirect, the page of a chart and a refusal are stored, sniffed and framed nowhere, run no script, and are no other origin's to read."""
    with service(tmp_path, toml(ehr), cors_origins=("*",)) as app:
        begun = app.launch(ehr)
        came = app.back(ehr.sign_in(begun.headers["Location"]))
        opening = app.browser.get(came.headers["Location"])
        found = [begun, came, opening, app.browser.get(led_on(opening)), app.browser.get("/smart/launch"), app.browser.get("/smart/keys/north")]

    assert [303, 303, 200, 200, 400, 200] == [answer.status_code for answer in found]
    for answer in found:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert ("nosniff", "no-store") == (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"])
        assert "no-referrer" == answer.headers["Referrer-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_is_framed_by_nobody_else(ehr, tmp_path):
    """Without framed_by no page may show it; over https its cookie never travels in clear."""
    with service(tmp_path, toml(ehr), base_url="https://cds.example.org") as app:
        begun = app.launch(ehr)
        refused = app.browser.get("/smart/launch")

    assert "; Secure; HttpOnly;" in begun.headers["Set-Cookie"]
    assert refused.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(("says", "shown"), [(None, True), (True, True), (False, False)])
def test_says_who_the_patient_is_unless_the_ehr_does(ehr, tmp_path, says, shown):
    """need_patient_banner: where it is false, the EHR shows the patient itself."""
    ehr.grants = {"need_patient_banner": says}

    with service(tmp_path, toml(ehr)) as app:
        page = app.open(ehr)

    assert shown == (f"patient id <b>{ehr.patient}</b>" in page.text)


def test_lets_two_tabs_sign_in_at_once(ehr, tmp_path):
    """Each carries its own login, whichever ends first."""
    with service(tmp_path, toml(ehr)) as app:
        one, other = app.launch(ehr), app.launch(ehr)
        came = [app.back(ehr.sign_in(begun.headers["Location"])) for begun in (other, one)]
        pages = [app.follow(answer) for answer in came]

    assert [200, 200] == [page.status_code for page in pages]
    assert 2 == len({answer.headers["Location"] for answer in came})


def test_shows_what_was_answered_at_this_client_and_at_no_other(ehr, tmp_path):
    """A card that was set aside is silenced until a day; the same patient id at another client is another patient."""
    reason = build.KNOWLEDGE.module.override_reasons
    answer = {
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-22T10:00:00Z",
        "overrideReason": {"reason": {"code": reason.reasons[0].code, "system": reason.system}},
    }
    other = '[[client]]\nname = "south"\nfhir_server = "http://127.0.0.1:9/r4"\nopen = true\n'

    with service(tmp_path, toml(ehr), other) as app:
        for base in (ehr.base, "http://127.0.0.1:9/r4"):
            request = {**build.fixture_request("test-sweet-macrocytosis"), "fhirServer": base}
            cards = app.app.test_client().post(build.SERVICE, json=request).json["cards"]
            app.app.test_client().post(f"{build.SERVICE}/feedback", json={"feedback": [{"card": card["uuid"], **answer} for card in cards]})
        page = app.open(ehr)

    assert "silenced until" in page.text
    assert "client north)" in page.text
    assert "client south)" not in page.text


def test_leaves_a_record_of_each_query(ehr, tmp_path):
    """Which chart was read, for whom and to what end, as for a hook call; the patient by pseudonym."""
    database = f"sqlite:///{tmp_path}/cds.db"

    with service(tmp_path, toml(ehr), database=database) as app:
        app.open(ehr)

    kept = rows(Database(database), "access")
    assert {("north", "smart-launch", "success")} == {(row["client"], row["hook"], row["outcome"]) for row in kept}
    assert build.KNOWLEDGE.requirements.keys() == {row["key"] for row in kept}
    assert ehr.patient not in str(kept)


def test_is_linked_by_every_card_of_its_client(ehr, tmp_path):
    """The EHR's card has a link of type smart to the launch; a client without the app gets none."""
    request = build.fixture_request("confirmed-everything")

    with service(tmp_path, toml(ehr)) as app:
        ours = app.app.test_client().post(build.SERVICE, json={**request, "fhirServer": ehr.base}).json["cards"]
        open_to_all = app.app.test_client().post(build.SERVICE, json=request).json["cards"]

    link = {"label": "Evidence in this chart, over time", "url": "http://127.0.0.1:8080/smart/launch", "type": "smart"}
    assert [[link]] * len(ours) == [card["links"] for card in ours]
    assert ours
    assert [] == [card for card in open_to_all if "links" in card]


def test_trusts_the_authority_that_the_site_has_registered(tmp_path):
    """Its certificate stands for the sign-in on its own host; without it, nothing is read from there."""
    said = json.dumps(
        {**EHR(CHART).configuration(), "authorization_endpoint": f"{ELSEWHERE}/authorize", "token_endpoint": f"{ELSEWHERE}/token"}
    ).encode()
    with ehrs_securely(answered(said)) as server:
        ehr = EHR(CHART)
        ehr.origin = server.origin
        with service(tmp_path, toml(ehr).replace("[client.smart]", f'ca_file = "{AUTHORITY}"\n[client.smart]')) as app:
            trusted = app.launch(ehr)
        with service(tmp_path, toml(ehr)) as app:
            stranger = app.launch(ehr)

    assert (303, 502) == (trusted.status_code, stranger.status_code)
    assert trusted.headers["Location"].startswith(f"{ELSEWHERE}/authorize?")


def test_comes_back_in_clear_nowhere(tmp_path, ehr):
    """The service does not start where the code of a sign-in would travel by http beyond this machine."""
    with (
        pytest.raises(SettingsError, match=r"CDS_BASE_URL=http://cds\.example\.org is http"),
        service(tmp_path, toml(ehr), base_url="http://cds.example.org"),
    ):
        pass


@pytest.mark.long
def test_costs_a_service_nothing_until_it_is_launched(ehr, tmp_path):
    """OAuth is loaded by the first launch, and nothing of the app where no client has it."""
    (tmp_path / "clients.toml").write_text(toml(ehr), encoding="utf-8")
    start = "import sys; from cds_service.app import create_app; create_app(); print(*sorted({'authlib', 'cds_service.smart.login', 'lark'} & set(sys.modules)))"

    def loaded(**settings: str) -> str:
        environment = {**os.environ, "CDS_DATABASE": "sqlite://", **settings}
        return subprocess.run([sys.executable, "-c", start], env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert "" == loaded()
    assert "cds_service.smart.login" == loaded(CDS_CLIENTS=str(tmp_path / "clients.toml"))
