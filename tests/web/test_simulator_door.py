"""Where the simulator may be used, and the FHIR servers that it asks."""

from __future__ import annotations

import base64
import json
import math

import pytest

from cds_service.settings import Settings
from tests import build
from tests.ehr.store import running
from tests.fakes import checked_app
from tests.storage.samples import rows
from tests.trust.minting import ISSUER, entry, pinned, registered
from tests.web.filled import SIMULATOR, Person
from tests.web.screen import browser

pytestmark = pytest.mark.long

TOKEN = "t" * 40
ANYWHERE = "0.0.0.0"  # noqa: S104
ACCESS = "an-access-token-of-nobody"


@pytest.fixture
def start(tmp_path):
    """Starts a service with these settings."""
    started = []

    def begin(*clients, token=False, **settings):
        if token:
            (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
            settings["governance_token_file"] = tmp_path / "token"
        if clients:
            settings["clients"] = registered(tmp_path, *clients)
        started.append(checked_app(Settings(**settings), lambda: build.TODAY))
        return started[-1]

    yield begin
    for app in started:
        app.extensions["accesses"].close()
        app.extensions["counts"].close()
        app.extensions["recorder"].close()


def basic(password):
    """The header that a browser sends with a password."""
    return {"Authorization": f"Basic {base64.b64encode(f'me:{password}'.encode()).decode()}"}


def signed(tmp_path):
    """A client whose calls are signed."""
    return entry("north", issuer=ISSUER, jwks_file=pinned(tmp_path))


# --- the folder of constructed patients ---


@pytest.mark.parametrize("text", ["{}", "[]", '{"resourceType": "Bundle", "entry": {}}', '{"resourceType": "Bundle", "entry": [7]}'])
def test_says_that_a_file_of_the_folder_is_no_chart(start, tmp_path, text):
    """Whoever names a folder of their own is told what is wrong with a file of it."""
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "odd.json").write_text(text, encoding="utf-8")
    person = Person(start(fixtures=tmp_path / "charts"))

    answer = person.open("odd")

    assert 400 == answer.status_code
    assert "Nothing was sent" in person.words


# --- the door ---


def test_is_open_on_this_machine(start):
    """On loopback, where calls need no tokens, the form is there."""
    assert 'action="/simulator' in browser(start()).get("/").text


def test_is_off_beyond_this_machine(start):
    """A service that others reach has no simulator without a token, and says how to have one."""
    client = browser(start(host=ANYWHERE, allow_open=True))

    assert [404, 404] == [client.get(SIMULATOR).status_code, client.post(SIMULATOR).status_code]
    assert "CDS_GOVERNANCE_TOKEN_FILE" in client.get("/").text


@pytest.mark.parametrize("host", ["127.0.0.1", ANYWHERE])
def test_is_off_where_calls_are_signed(start, tmp_path, host):
    """Where calls need tokens, nobody gets an answer through a page without one, on this machine neither: a proxy may stand before it."""
    client = browser(start(signed(tmp_path), host=host))

    assert [404, 404] == [client.get(SIMULATOR).status_code, client.post(SIMULATOR).status_code]
    assert "where callers are authenticated" in client.get("/").text


@pytest.mark.parametrize("known", [True, False])
def test_is_behind_the_token(start, tmp_path, known):
    """With a token it is there for who has it, and the start page tells strangers no more than where it is."""
    app = start(*([signed(tmp_path)] if known else []), token=True, host=ANYWHERE, allow_open=True)
    client = browser(app)

    assert [401, 401] == [client.get(SIMULATOR).status_code, client.post(SIMULATOR, data={}).status_code]
    assert [401, 200] == [client.get(SIMULATOR, headers=basic(word)).status_code for word in ("wrong", TOKEN)]
    assert 'href="/simulator"' in client.get("/").text
    assert "<form" not in client.get("/").text
    answer = client.post(SIMULATOR, data={"constructed": "healthy-man-80"}, headers=basic(TOKEN))
    assert (200, True) == (answer.status_code, "No card" in answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:8080", "X-Forwarded-For": "192.0.2.1"},
        {"Host": "127.0.0.1:8080", "Forwarded": "for=192.0.2.1"},
        {"Host": "localhost", "Origin": "https://evil.example"},
        {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_is_for_its_own_page_on_this_machine(start, headers):
    """No other name of this machine, no proxy and no other page may use it."""
    assert 403 == browser(start()).post(SIMULATOR, data={"constructed": "healthy-man-80"}, headers=headers).status_code


def test_shows_no_form_to_another_name(start):
    """Under a name that was pointed here the start page is there, and its form is not."""
    text = browser(start()).get("/", headers={"Host": "evil.example"}).text

    assert "<form" not in text
    assert "/cds-services" in text


def test_notes_who_was_let_in_and_who_was_not(start, log):
    """Each answer of the simulator is a line with its status and whether a form was sent; the start page, which is for everybody, leaves none."""
    client = browser(start(token=True))

    client.get("/")
    client.get(SIMULATOR)
    client.post(SIMULATOR, data={"constructed": "healthy-man-80"})
    client.post(SIMULATOR, data={"constructed": "healthy-man-80"}, headers={**basic(TOKEN), "Origin": "https://evil.example"})
    client.get(SIMULATOR, headers=basic(TOKEN))
    client.post(SIMULATOR, data={"constructed": "nobody"}, headers=basic(TOKEN))

    noted = [json.loads(line.removeprefix("cds_service ")) for line in dict.fromkeys(log.lines) if "simulator.answered" in line]
    assert [(401, "page"), (401, "form"), (403, "form"), (200, "page"), (404, "form")] == [(one["status"], one["code"]) for one in noted]
    assert {"at", "event", "status", "code"} == {name for one in noted for name in one}


def test_is_read_by_no_other_origin(start):
    """No program of another origin may read the start page or the simulator."""
    client = browser(start(cors_origins=("*",)))

    assert [None, None] == [
        client.get(path, headers={"Origin": "https://a.org"}).headers.get("Access-Control-Allow-Origin") for path in ("/", SIMULATOR)
    ]


# --- registered FHIR servers ---


@pytest.fixture
def store():
    """A FHIR server with one patient."""
    with running() as store:
        chart = json.loads((build.FIXTURES / "consider-woman-chondritis.json").read_text(encoding="utf-8"))
        store.held = {f"{r['resourceType']}/{r['id']}": r for r in (e["resource"] for e in chart["entry"])}
        yield store


@pytest.fixture
def person(start, store):
    """Somebody at a service where that server is registered."""
    return Person(start(entry("store", fhir_server=store.base, open=True), deadline=20.0))


def visit(person, **changed):
    """Open the chart of the server's patient."""
    return person.press("fire", source="server", server="store", patient="fx-woman-chondritis", **changed)


@pytest.mark.parametrize("mode", ["full", "partial", "none"])
def test_opens_a_chart_of_a_registered_server(person, store, mode):
    """However much is sent along, the card is the same: the service asks for the rest."""
    answer = visit(person, prefetch=mode)

    assert 200 == answer.status_code
    assert store.base == person.shown("envelope")["fhirServer"]
    assert ["vexas-consider"] == [card["source"]["topic"]["code"] for card in person.shown("response")["cards"]]
    assert "Client simulator:store" in person.words


def test_shows_a_chart_with_a_character_that_is_none(person, store):
    """Half of a pair of surrogates, which no encoding has, is sent along as a mark and keeps nothing back."""
    condition = next(one for name, one in store.held.items() if name.startswith("Condition/"))
    condition["note"] = [{"text": "\ud800"}]

    answer = visit(person, prefetch="full")

    assert 200 == answer.status_code
    assert 1 == len(person.shown("response")["cards"])


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_leaves_out_what_no_call_could_hold(person, store, number):
    """An answer with a number that JSON cannot say is as good as none: the key is left out, and what is sent is JSON."""
    condition = next(one for name, one in store.held.items() if name.startswith("Condition/"))
    condition["note"] = number

    answer = visit(person, prefetch="full")

    assert 200 == answer.status_code
    assert "conditions" not in json.loads(person.press("request").data)["prefetch"]


def test_answers_on_a_registered_server_are_not_its_clients(person):
    """What is answered at the simulator is silent there, and not for the client itself."""
    visit(person)
    saved = person.press("request")
    person.press(person.button("override"))

    visit(person)
    own = person.client.application.test_client().post(build.SERVICE, data=saved.data, content_type="application/json")

    assert [] == person.shown("response")["cards"]
    assert 1 == len(own.json["cards"])


def test_tells_no_access_token(person, log):
    """A token goes to the server with the queries, and is neither shown, nor kept in the form, nor in the file, nor logged."""
    visit(person, token=ACCESS, prefetch="none")
    saved = person.press("request", token=ACCESS)

    assert "(not shown)" == person.shown("envelope")["fhirAuthorization"]["access_token"]
    assert "(not shown)" == json.loads(saved.data)["fhirAuthorization"]["access_token"]
    assert ACCESS not in person.answer.text + saved.text + "".join(log.lines)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"server": "http://127.0.0.1:1/r4"}, "server"),
        ({"server": "elsewhere"}, "server"),
        ({"patient": ""}, "patient"),
        ({"patient": "a/../b"}, "patient"),
        ({"token": "\u65e5\u672c"}, "token"),
    ],
)
def test_asks_nobody_else(person, changed, place):
    """Only a registered server can be chosen, and only for one patient."""
    answer = person.press("fire", **{"source": "server", "server": "store", "patient": "x", **changed})

    assert (400, True) == (answer.status_code, f"Where: {place}" in person.words)


def test_shows_that_a_patient_is_not_there(person):
    """An id that the server does not know leads to the refusal that an EHR would get."""
    person.press("fire", source="server", server="store", patient="nobody")

    assert "The service refused the call" == person.form.texts["answer"]


def test_a_silent_client_stays_silent(start, store):
    """In silent mode the simulator shows what leaves, which is nothing, and says so."""
    person = Person(start(entry("store", fhir_server=store.base, open=True, silent=True), deadline=20.0))

    visit(person)

    assert [] == person.shown("response")["cards"]
    assert "Silent mode" in person.words


def test_leaves_a_record_of_each_query(person, store):
    """What the simulator reads of a chart is recorded as what the service reads: whose it was, what was asked, how it ended."""
    del store.held["Patient/fx-woman-chondritis"]
    visit(person)
    app = person.client.application
    app.extensions["accesses"].write()

    kept = rows(app.extensions["accesses"]._database, "access")

    assert {"simulator:store"} == {row["client"] for row in kept}
    assert [("patient", "missing")] == list(dict.fromkeys((row["key"], row["outcome"]) for row in kept if row["outcome"] != "success"))
    assert set(build.TEMPLATES) == {row["key"] for row in kept}
    assert "fx-woman-chondritis" not in str(kept)
