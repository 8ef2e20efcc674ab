"""The governance page: what it tells of calls that were really made, and the snoozes of one patient."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections import Counter

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.web.screen import PAGE, SNOOZES, Page, browser, counted, refused

SERVER = "http://127.0.0.1:9/r4"
TEST = build.KNOWLEDGE.module.topics.test


@pytest.fixture
def app(url, database, tmp_path):
    """A service on the database, with one registered client."""
    key, clients = tmp_path / "pseudonym.key", tmp_path / "clients.toml"
    key.write_text("k" * 64, encoding="utf-8")
    clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n', encoding="utf-8")
    app = checked_app(Settings(database=url, pseudonym_key_file=key, clients=clients, deadline=build.UNHURRIED), lambda: build.TODAY)
    yield app
    app.extensions["counts"].close()
    app.extensions["recorder"].close()


def ask(app, patient, prefetch, server=SERVER):
    """The cards of a call about a patient."""
    chart = json.loads(json.dumps(prefetch).replace(build.PATIENT_ID, patient))
    context = {"userId": "Practitioner/example", "patientId": patient}
    request = build.request(chart, hookInstance=str(uuid.uuid4()), context=context, fhirServer=server)
    return app.test_client().post(build.SERVICE, json=request).json["cards"]


def override(app, card, reason="not-now"):
    """Answer a card."""
    entry = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": reason, "system": card["overrideReasons"][0]["system"]}},
        "outcomeTimestamp": f"{build.TODAY}T08:00:00Z",
    }
    assert 200 == app.test_client().post(f"{build.SERVICE}/feedback", json={"feedback": [entry]}).status_code


def page(app, **query):
    """The page for these days and this client."""
    answer = browser(app).get(PAGE, query_string=query)
    assert 200 == answer.status_code
    return Page(answer.text)


class Diary:
    """Makes calls, and notes by itself what came of each."""

    def __init__(self, app) -> None:
        self.app = app
        self.found: Counter[tuple[str, str]] = Counter()
        self.patients: set[str] = set()

    def visit(self, patient: str, prefetch: object, *, made: bool, server: str | None = SERVER) -> list[dict]:
        """One call; `made` says whether the chart is one for which a card is made."""
        cards = ask(self.app, patient, prefetch, server)
        self.patients.add(patient)
        self.found["calls", "calls"] += 1
        self.found["outcomes", "shown" if cards else "withheld" if made else "nothing"] += 1
        for card in cards:
            self.found["cards", card["source"]["topic"]["code"]] += 1
        return cards

    def play(self) -> None:
        """24 patients with a card, 12 of whom were answered and came again; 30 and 11 without one, of the latter no blood counts."""
        without = {name: value for name, value in build.healthy().items() if name != "bloodCounts"}
        for number in range(24):
            (card,) = self.visit(f"s{number}", build.suspect(), made=True)
            if number < 12:
                override(self.app, card)
                self.found["answers", f"{TEST.code}: overridden"] += 1
                self.found["reasons", "not-now"] += 1
                self.visit(f"s{number}", build.suspect(), made=True)
                self.found["answered", TEST.code] += 1
            else:
                self.found["answers", f"{TEST.code}: unanswered"] += 1
        for number in range(30):
            self.visit(f"h{number}", build.healthy(), made=False)
        for number in range(11):
            self.visit(f"o{number}", without, made=False, server=None)
            self.found["data", "blood-counts: unavailable"] += 1
        self.app.extensions["counts"].write()


def test_tells_what_was_answered(app):
    """The numbers of JSON, CSV and page are those that were noted from the answers, of all and of one client, and no others are there."""
    diary = Diary(app)
    diary.play()

    data = browser(app).get(PAGE, query_string={"format": "json"}).json
    lines = browser(app).get(PAGE, query_string={"format": "csv"}).text
    shown = page(app)

    alone = {"latency"}  # which depends on the machine
    expected = {**diary.found, ("calls", "patients"): len(diary.patients), ("patients", TEST.code): 24, ("results", "with a card"): 24}
    told = {(f["section"], f["item"]): f["number"] for f in data["figures"] if f["number"] != 0 and f["section"] not in alone}
    read = {
        (r["section"], r["item"]): int(r["number"]) for r in csv.DictReader(io.StringIO(lines)) if r["number"] != "0" and r["section"] not in alone
    }
    assert expected == told == read
    assert [77, 24, 12, 41] == [
        diary.found[place] for place in (("calls", "calls"), *(("outcomes", name) for name in ("shown", "withheld", "nothing")))
    ]
    assert {"calls": ["77"], "patients": ["65"]} == shown.table("calls")
    assert {"a card was shown": ["24 31.2 %"], "cards were withheld": ["12 15.6 %"], "nothing to say": ["41 53.2 %"]} == shown.table("outcomes")
    assert {TEST.display: ["24 311.7"]} == shown.table("cards")
    assert 77 == sum(f["number"] for f in data["figures"] if f["section"] == "latency")
    assert {"calls": ["66"], "patients": ["54"]} == page(app, client="north").table("calls")
    assert {"calls": ["11"], "patients": ["11"]} == page(app, client="open").table("calls")


def test_shows_few_where_a_number_is_small(app):
    """Nine calls of nine patients stand as few, and have no rate."""
    for number in range(9):
        ask(app, f"h{number}", build.healthy())
    app.extensions["counts"].write()

    shown = page(app)

    assert {"calls": ["few"], "patients": ["few"]} == shown.table("calls")
    assert {"few"} == {cell for cells in shown.table("outcomes").values() for cell in cells}


def test_shows_and_lifts_what_is_silent(app):
    """The form finds what keeps a card away and until when, and weaker cards of the same question; its button lets them come again."""
    (card,) = ask(app, "s1", build.suspect())
    override(app, card)
    kept = ask(app, "s1", build.suspect())
    visitor = browser(app)

    found = visitor.post(SNOOZES, data={"client": "north", "patient": " Patient/s1 "})
    lifted = visitor.post(SNOOZES, data={**Page(found.text).fields, "lift": "1"})
    after = visitor.post(SNOOZES, data={"client": "north", "patient": "s1"})
    back = ask(app, "s1", build.suspect())

    assert [] == kept
    times = ["2026-11-22", "2026-12-06, unless something strong is new"]
    assert {"VEXAS syndrome: consider": times, "VEXAS syndrome: consider UBA1 testing": times} == Page(found.text).table("")
    assert "1 answer lifted" in lifted.text
    assert ["Nothing is silent." in answer.text for answer in (found, lifted, after)] == [False, True, True]
    assert 1 == len(back)


def test_tells_nothing_of_another_patient(app):
    """What was answered of one patient is not shown for another, nor for the same id at another client."""
    (card,) = ask(app, "s1", build.suspect())
    override(app, card)

    assert "Nothing is silent." in browser(app).post(SNOOZES, data={"client": "north", "patient": "s2"}).text


def test_never_puts_a_patient_into_a_url(app, log):
    """The id is sent in the form's body and comes back in the page's text alone; addresses and the log hold none."""
    (card,) = ask(app, "Mark-of-Somebody", build.suspect())
    override(app, card)

    answer = browser(app).post(SNOOZES, data={"client": "north", "patient": "Mark-of-Somebody"})

    shown = Page(answer.text)
    addresses = [value for name, value in shown.attributes if name in ("href", "action", "src", "formaction")]
    assert "Mark-of-Somebody" == shown.fields["patient"]
    assert [] == [value for value in [*addresses, str(answer.headers), *log.lines] if "Mark-of" in value]
    assert {"post"} == {value for name, value in shown.attributes if name == "method"}


def test_says_that_the_database_is_away(app, database):
    """Without the tables there is no report, and no zero in its place."""
    database.downgrade()

    answer = browser(app).get(PAGE)

    assert (503, None) == refused(answer)
    assert "5" == answer.headers["Retry-After"]


def test_takes_any_text_for_a_client(app, database):
    """Whatever an address names as the client reaches the database as a text, and finds nothing."""
    counted(database)

    answers = [browser(app).get(PAGE, query_string={"client": name}) for name in ("<script>", "' OR 1=1 --", "\N{SNOWMAN}", "x" * 5000)]

    assert {True} == {"No call was counted in this time." in answer.text for answer in answers}
    assert {False} == {"<script" in answer.text for answer in answers}
