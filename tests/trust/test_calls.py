"""Whom a token lets in, and to what: hook calls, feedback and discovery, each for its own client and no other."""

from __future__ import annotations

import json

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings, from_environment, require_known_callers
from tests import build
from tests.fakes import checked_app
from tests.faults.servers import answered, serving
from tests.fhir.asking import says
from tests.trust.minting import (
    BASE,
    EC,
    ISSUER,
    NOW,
    OTHER_EC,
    SERVICE_URL,
    Clock,
    bearer,
    entry,
    header,
    key_set,
    mint,
    payload,
    pinned,
    registered,
)

FEEDBACK, DISCOVERY = f"{build.SERVICE}/feedback", "/cds-services"
NORTH, SOUTH = "http://127.0.0.1:9/north", "http://127.0.0.1:9/south"
SOUTHERN = "https://ehr.south.example"
BARE = "https://bare.example"
BODY = build.request(build.healthy())
PROXY = "https://cds.hospital.example/vexas"


@pytest.fixture
def start(tmp_path):
    """Starts a service that knows three clients by their tokens, one of them without a FHIR server."""
    keys = pinned(tmp_path)
    clients = registered(
        tmp_path,
        entry("north", issuer=ISSUER, jwks_file=keys, fhir_server=NORTH, audiences=[BASE, PROXY]),
        entry("south", issuer=SOUTHERN, jwks_file=keys, fhir_server=SOUTH),
        entry("bare", issuer=BARE, jwks_file=keys),
    )

    def started(**settings):
        return checked_app(Settings(clients=clients, **settings), lambda: build.TODAY, Clock())

    return started


@pytest.fixture
def client(start):
    """A client of that service."""
    return start().test_client()


def ask(client, fhir_server=None, path=build.SERVICE, **claims):
    """The answer to a call with a token."""
    members = {"fhirServer": fhir_server} if fhir_server else {}
    return client.post(path, json=build.request(build.suspect(), **members), headers=bearer(**claims))


def answer(client, card, path=FEEDBACK, **claims):
    """The answer to feedback with a token."""
    entries = [{"card": card, "outcome": "overridden", "outcomeTimestamp": f"{build.TODAY}T08:00:00Z"}]
    return client.post(path, json={"feedback": entries}, headers=bearer(**claims))


def last(log):
    """The last event of the log."""
    return json.loads(log.lines[-1].removeprefix("cds_service "))


# --- the token decides the client ---


@pytest.mark.parametrize("server", [None, NORTH, f"{NORTH}/"])
@pytest.mark.requirement("cds-hooks_2.0@176")
def test_knows_the_client_by_its_token(client, log, server):
    """Whether or not a call names its FHIR server, with or without a slash, it is the token's client's."""
    response = ask(client, server)

    assert 200 == response.status_code
    assert ("hook.answered", "north") == (last(log)["event"], last(log)["client"])


@pytest.mark.parametrize("server", [SOUTH, f"{NORTH}/..", f"{NORTH}2", "https://evil.example/r4"])
def test_refuses_a_call_for_a_server_that_is_not_the_clients(client, log, server):
    """A client that names the FHIR server of another one, or one that nobody registered, gets 403 and no card."""
    response = ask(client, server)

    issue = response.json["issue"][0]
    assert (403, "forbidden", "client-not-allowed") == (response.status_code, issue["code"], issue["details"]["text"])
    assert ["/fhirServer"] == issue["expression"]
    assert server not in response.get_data(as_text=True)
    assert "hook.refused" == last(log)["event"]


def test_refuses_a_server_where_none_is_registered(client):
    """Patients of two servers could share an id, so a client that names one has it registered."""
    assert [200, 403] == [ask(client, server, iss=BARE).status_code for server in (None, NORTH)]


def test_counts_and_records_for_the_tokens_client(start):
    """Counts and decisions are those of the token's client, though the call names no server."""
    app = start()
    client = app.test_client()
    ask(client)
    ask(client, SOUTH)

    told = client.get("/metrics").get_data(as_text=True)
    counted = {key[:2] for key in app.extensions["counts"].so_far()}

    assert 'cds_calls_total{client="north",outcome="shown"} 1.0' in told
    assert ("north", "refused") in counted


@pytest.mark.parametrize(
    ("path", "aud"),
    [(build.SERVICE, f"{PROXY}{build.SERVICE}"), (f"{build.SERVICE}/", f"{SERVICE_URL}/"), (f"{build.SERVICE}/", SERVICE_URL)],
)
def test_takes_the_url_as_the_client_calls_it(client, path, aud):
    """A base URL behind a proxy is registered; a slash at the end of the called path may stand in the token."""
    assert 200 == ask(client, path=path, aud=aud).status_code


def test_takes_a_registered_url_only_from_its_client(client):
    """The audiences of one client are not those of another."""
    assert 401 == ask(client, iss=SOUTHERN, aud=f"{PROXY}{build.SERVICE}").status_code


def test_lets_a_client_rotate_its_keys(tmp_path):
    """A new key is found at the first call that is signed by it, a minute after the last look at the jku."""
    clock = Clock()
    with serving(says(answered(key_set(EC)), answered(key_set(EC, OTHER_EC)))) as keys:
        jku = f"{keys.base}/jwks.json"
        clients = registered(tmp_path, entry("north", issuer=ISSUER, jku=jku))
        client = checked_app(Settings(clients=clients), lambda: build.TODAY, clock).test_client()
        rotated = [mint(header(kid="other", jku=jku), payload(), key=OTHER_EC) for _ in range(2)]
        statuses = [ask(client).status_code, *(client.post(build.SERVICE, json=BODY, headers=bearer(rotated[0])).status_code for _ in range(3))]
        clock.go(60)
        statuses += [client.post(build.SERVICE, json=BODY, headers=bearer(token)).status_code for token in rotated]

    assert [200, 401, 401, 401, 200, 200] == statuses
    assert 2 == len(keys.asked)


# --- feedback ---


@pytest.mark.parametrize("aud", [f"{SERVICE_URL}/feedback", SERVICE_URL, [SERVICE_URL, "x"]])
def test_takes_feedback_on_a_card_of_ones_own(client, aud):
    """A token for the feedback's URL, or for that of its service."""
    (card,) = ask(client).json["cards"]

    assert 200 == answer(client, card["uuid"], aud=aud).status_code


def test_refuses_feedback_on_a_card_of_another_client(client, log):
    """Who knows the uuid of another client's card has no say over it, and does not learn that it is one."""
    (card,) = ask(client).json["cards"]

    others, nobodys = (answer(client, uuid, iss=SOUTHERN) for uuid in (card["uuid"], build.OTHER_CALL))

    assert (400, 400) == (others.status_code, nobodys.status_code)
    assert others.data == nobodys.data
    assert ("feedback.taken", "south", 1) == (last(log)["event"], last(log)["client"], last(log)["refused"])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, bearer(aud=f"{SERVICE_URL}2/feedback"), bearer(aud=f"{BASE}{DISCOVERY}")])
def test_refuses_feedback_without_a_good_token(client, headers):
    """Feedback changes what is shown, so it needs to be known from whom it is."""
    assert 401 == client.post(FEEDBACK, json={"feedback": []}, headers=headers).status_code


# --- discovery ---


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, bearer(exp=NOW - 500, iat=NOW - 600)])
def test_shows_discovery_to_everybody(client, headers):
    """Discovery holds nothing of anybody, so that a token sent along is not even read."""
    assert 200 == client.get(DISCOVERY, headers=headers).status_code


def test_does_not_use_a_token_up_at_an_open_discovery(client):
    """A token that was sent to discovery without need is still good for its call."""
    headers = bearer(aud=[SERVICE_URL, f"{BASE}{DISCOVERY}"])

    assert 200 == client.get(DISCOVERY, headers=headers).status_code
    assert 200 == client.post(build.SERVICE, json=build.request(build.healthy()), headers=headers).status_code


def test_closes_discovery_when_told(start):
    """With CDS_AUTHENTICATE_DISCOVERY=1 a token for the discovery URL is needed."""
    client = start(authenticate_discovery=True).test_client()

    statuses = [client.get(DISCOVERY, headers=headers).status_code for headers in ({}, bearer(), bearer(aud=f"{BASE}{DISCOVERY}"))]

    assert [401, 401, 200] == statuses


def test_answers_a_preflight_without_a_token(client):
    """A browser's preflight carries no token; it is answered all the same."""
    response = client.options(build.SERVICE, headers={"Origin": "https://sandbox.cds-hooks.org"})

    assert 200 == response.status_code
    assert "authorization" in response.headers["Access-Control-Allow-Headers"]


# --- modes ---


def test_needs_no_token_where_no_client_has_an_issuer(tmp_path):
    """Without tokens registered the service is open as before, and a token sent along is not read."""
    clients = registered(tmp_path, entry("north", fhir_server=NORTH, open=True))
    client = checked_app(Settings(clients=clients), lambda: build.TODAY, Clock()).test_client()

    statuses = [client.post(build.SERVICE, json=build.request(build.healthy()), headers=headers).status_code for headers in ({}, bearer("nonsense"))]

    assert [200, 200] == statuses


@pytest.mark.parametrize(
    ("known", "mode", "words"), [(True, "authenticated", "Callers are authenticated"), (False, "open", "Callers are not authenticated")]
)
def test_says_whether_callers_are_known(start, known, mode, words):
    """The start page, /about and its data say whether the service is open."""
    app = start() if known else checked_app(Settings(), lambda: build.TODAY)
    client = app.test_client()

    told = {path: " ".join(client.get(path).get_data(as_text=True).split()) for path in ("/", "/about")}

    assert mode == app.extensions["mode"]
    assert words in told["/"]
    assert f'<th scope="row">Callers</th><td>{words.removeprefix("Callers are ")}' in told["/about"]
    assert mode == client.get("/about.json").json["callers"]


def test_listens_to_everybody_only_if_they_are_known(start, tmp_path):
    """Beyond loopback: with tokens registered at once, without them only on purpose."""
    folder = tmp_path / "open"
    folder.mkdir()
    clients = registered(folder, entry("north", fhir_server=NORTH))
    environment = {"CDS_HOST": "0.0.0.0", "CDS_CLIENTS": str(clients), "CDS_DATABASE": "sqlite://"}  # noqa: S104
    settings = from_environment(environment)

    with pytest.raises(
        SettingsError, match=r"callers are not authenticated.*register clients with an issuer in CDS_CLIENTS, or set CDS_ALLOW_OPEN=1"
    ):
        checked_app(settings, lambda: build.TODAY)

    assert "open" == checked_app(settings._replace(allow_open=True), lambda: build.TODAY).extensions["mode"]
    assert "authenticated" == start(host="0.0.0.0").extensions["mode"]  # noqa: S104


def test_refuses_a_closed_discovery_that_nobody_could_open():
    """CDS_AUTHENTICATE_DISCOVERY=1 needs a client with tokens."""
    with pytest.raises(SettingsError, match="CDS_AUTHENTICATE_DISCOVERY=1, and no client has tokens"):
        require_known_callers(Settings(authenticate_discovery=True), authenticated=False)


# --- how often ---


@pytest.fixture
def limited(tmp_path):
    """A client of a service that lets one of two clients call twelve times a minute: two at once."""
    keys = pinned(tmp_path)
    clients = registered(
        tmp_path,
        entry("north", issuer=ISSUER, jwks_file=keys, fhir_server=NORTH, calls_per_minute=12),
        entry("south", issuer=SOUTHERN, jwks_file=keys, fhir_server=SOUTH),
    )
    return checked_app(Settings(clients=clients), lambda: build.TODAY, Clock()).test_client()


def test_lets_a_client_call_as_often_as_it_may(limited):
    """The third call at once gets 429, and when to come back; calls and feedback count alike, and the other client's are its own."""
    shown = ask(limited)
    told = answer(limited, shown.json["cards"][0]["uuid"])

    refused = [ask(limited), answer(limited, build.CALL)]
    other = ask(limited, iss=SOUTHERN)

    assert [200, 200, 429, 429, 200] == [r.status_code for r in (shown, told, *refused, other)]
    for response in refused:
        assert "too-many-requests" == response.json["issue"][0]["details"]["text"]
        assert 1 <= int(response.headers["Retry-After"]) <= 5
    assert 'cds_calls_refused_total{code="too-many-requests"} 1.0' in limited.get("/metrics").get_data(as_text=True)


def test_does_not_count_strangers_calls(limited):
    """Who signs with another's key uses up nothing of the client's."""
    for _ in range(20):
        limited.post(build.SERVICE, json=build.request(build.healthy()), headers=bearer(mint(key=OTHER_EC)))

    assert 200 == ask(limited).status_code
