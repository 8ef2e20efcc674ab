"""What every answer of every path has, and what it never has; and what a request cannot bring about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import BrokenClock, checked_app
from tests.trust.minting import ISSUER, Clock, bearer, entry, pinned, registered
from tests.web.screen import browser

# What stands for <...> in a path, so that the path leads somewhere.
EXAMPLES = {"service_id": "vexas", "kind": "red-flags", "name": "macrocytosis", "once": "x"}
# A client's EHR that may launch the page, where nobody listens.
LAUNCHES = '[[client]]\nname = "macrocytosis"\nfhir_server = "http://127.0.0.1:9/r4"\n[client.smart]\nclient_id = "app"\n'
# What may run a script: the page of the simulator, from this service alone.
SCRIPTED = ("/", "/simulator")
NOWHERE = "/nothing-here"
FORWARDED = {
    "Forwarded": "for=192.0.2.1;host=localhost;proto=https",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/elsewhere",
    "X-Real-IP": "127.0.0.1",
    "X-Original-URL": "/governance",
    "X-Rewrite-URL": "/governance",
    "X-HTTP-Method-Override": "DELETE",
    "X-User-ID": "somebody",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The service as it starts on one's own machine, with all its pages."""
    clients = registered(tmp_path_factory.mktemp("clients"), LAUNCHES)
    return checked_app(Settings(clients=clients), lambda: build.TODAY)


def paths(app) -> list[str]:
    """Each path that the service has, and one that it has not."""
    return [*(re.sub(r"<(\w+)>", lambda found: EXAMPLES[found[1]], str(rule)) for rule in app.url_map.iter_rules()), NOWHERE]


def answers(app):
    """The answer of each path to each method, whether or not it takes it."""
    client = browser(app)
    return [client.open(path, method=method) for path in paths(app) for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE")]


def directives(answer) -> dict[str, str]:
    """The directives of an answer's Content-Security-Policy, of which there is one."""
    [policy] = answer.headers.getlist("Content-Security-Policy")
    return {name: value for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))}


def test_forbids_what_an_answer_does_not_need(app):
    """Nothing is loaded, framed, sniffed, stored or embedded elsewhere, and no address is told, whatever is asked for and however it ends."""
    found = answers(app)

    assert {200, 400, 404, 405, 415, 502} <= {answer.status_code for answer in found}
    for answer in found:
        rules = directives(answer)
        assert ("'none'", "'none'", "'none'") == (rules["default-src"], rules["base-uri"], rules["frame-ancestors"])
        assert rules.get("script-src") in ((None, "'self'") if answer.request.path in SCRIPTED else (None,))
        assert ["nosniff"] == answer.headers.getlist("X-Content-Type-Options")
        assert ["no-store"] == answer.headers.getlist("Cache-Control")
        assert ["same-origin"] == answer.headers.getlist("Cross-Origin-Resource-Policy")
        assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")


def test_sets_no_cookie_and_sends_nobody_elsewhere(app):
    """The service has no sessions, and no answer is a redirect, unless the EHR's sign-in is there to be led to (`tests/smart`)."""
    found = answers(app)

    assert [] == [answer.request.path for answer in found if "Set-Cookie" in answer.headers or "Location" in answer.headers]
    assert [] == [answer.request.path for answer in found if 300 <= answer.status_code < 400]


def test_says_what_each_answer_is(app):
    """Every answer with a body has a type, and a text says that it is UTF-8, which it is; JSON has no charset."""
    bodies = [answer for answer in answers(app) if answer.get_data()]

    for answer in bodies:
        answer.get_data().decode("utf-8")
        expected = {"charset": "utf-8"} if answer.mimetype.startswith("text/") else {}
        assert expected == {name: value.lower() for name, value in answer.mimetype_params.items() if name == "charset"}
        assert answer.is_json or answer.mimetype.startswith("text/")
    assert {"application/json", "text/html", "text/javascript", "text/plain"} == {answer.mimetype for answer in bodies}


def test_takes_no_trace(app):
    """A request is never sent back as it came."""
    client = browser(app)

    statuses = {client.open(path, method="TRACE").status_code for path in paths(app)}

    assert {404, 405} == statuses


@pytest.mark.parametrize("name", FORWARDED)
def test_believes_no_header_of_a_proxy(app, name):
    """Neither address, host, scheme, path, method nor user of a request comes from a header that anybody may write."""
    client, sent = browser(app), {name: FORWARDED[name]}
    call = {"json": build.request(build.suspect())}

    changed = [client.get("/about", headers=sent), client.get(NOWHERE, headers=sent), client.post(build.SERVICE, **call, headers=sent)]
    plain = [client.get("/about"), client.get(NOWHERE), client.post(build.SERVICE, **call)]
    page = client.get("/governance", headers={"Host": "stranger.example", **sent})

    assert [(one.status_code, one.data, one.headers) for one in plain] == [(one.status_code, one.data, one.headers) for one in changed]
    assert 403 == page.status_code


@pytest.mark.parametrize("name", FORWARDED)
def test_shuts_doors_for_a_header_of_a_proxy_and_opens_none(app, name):
    """What is for this machine alone is not for whoever came through a proxy: the page with the simulator is then without it, or as it was."""
    client, sent = browser(app), {name: FORWARDED[name]}

    plain, changed = client.get("/").data, client.get("/", headers=sent).data
    page = client.post("/simulator", headers={"Host": "stranger.example", **sent})

    assert b"<form" in plain
    assert changed == plain or b"<form" not in changed
    assert 403 == page.status_code


def test_takes_a_token_for_the_url_that_is_registered_alone(tmp_path):
    """The audience of a token is compared with CDS_BASE_URL, and not with what a request says of its host."""
    clients = registered(tmp_path, entry("north", issuer=ISSUER, jwks_file=pinned(tmp_path)))
    client = checked_app(Settings(clients=clients, base_url="https://cds.example.org"), lambda: build.TODAY, Clock()).test_client()
    spoofed = {"Host": "127.0.0.1:8080", "X-Forwarded-Host": "127.0.0.1:8080", "X-Forwarded-Proto": "http", **bearer()}

    answer = client.post(build.SERVICE, json=build.request(build.suspect()), headers=spoofed)

    assert 401 == answer.status_code


def test_answers_the_same_whatever_stands_in_the_query(app):
    """A call takes nothing from its address, so what is written there once or twice changes nothing."""
    client, call = browser(app), build.request(build.suspect())

    plain, more = (client.post(f"{build.SERVICE}{query}", json=call) for query in ("", "?hook=order-sign&hook=x&patientId=p2&debug=1"))

    assert (plain.status_code, plain.data) == (more.status_code, more.data)


def test_shows_no_more_in_a_debug_mode_of_its_framework(monkeypatch):
    """FLASK_DEBUG in the environment brings neither a trace nor a debugger into an answer."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = checked_app(Settings(), BrokenClock("words of a patient"))

    answer = app.test_client().post(build.SERVICE, json=build.request(build.suspect()))

    assert (500, "internal") == (answer.status_code, answer.json["issue"][0]["details"]["text"])
    assert [] == [word for word in ("Traceback", "words of a patient", ".py", str(Path.cwd())) if word in answer.get_data(as_text=True)]
