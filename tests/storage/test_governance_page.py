"""The governance page: who may see it, what it tells of calls that were really made, and the snoozes of one patient."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import uuid
from collections import Counter
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from cds_service.settings import Settings
from cds_service.storage.records import Tally
from tests import build
from tests.fakes import check_answer, checked_app
from tests.storage.samples import rows

TOKEN = "t" * 40
SERVER = "http://127.0.0.1:9/r4"
PAGE, SNOOZES = "/governance", "/governance/snoozes"
ANYWHERE = "0.0.0.0"  # noqa: S104
TEST = build.KNOWLEDGE.module.topics.test
HOSTILE = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """What a page shows: the rows of the table in each section, its tags, and where its forms and links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.fields: dict[str, str | None] = {}
        self._section = ""
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember a tag, and begin a section, a row or a cell."""
        named = dict(attrs)
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "h2":
            self._section = named["id"]
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag == "td":
            self._cell = []
        if tag == "input" and named.get("type") == "hidden":
            self.fields[named["name"]] = named["value"]

    def handle_data(self, data):
        """Words of a cell."""
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag):
        """End a cell."""
        if tag == "td" and self._cell is not None:
            self.rows[self._section][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def table(self, section: str) -> dict[str, list[str]]:
        """The cells of each row by its first."""
        return {row[0]: row[1:] for row in self.rows.get(section, []) if row}


@pytest.fixture
def start(url, database, tmp_path):
    """Starts services on the database, with one registered client."""
    key, clients = tmp_path / "pseudonym.key", tmp_path / "clients.toml"
    key.write_text("k" * 64, encoding="utf-8")
    clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n', encoding="utf-8")
    apps = []

    def started(**settings):
        apps.append(checked_app(Settings(database=url, pseudonym_key_file=key, clients=clients, **settings), lambda: build.TODAY))
        return apps[-1]

    yield started
    for app in apps:
        app.extensions["counts"].close()
        app.extensions["recorder"].close()


@pytest.fixture
def app(start):
    """A service as it starts on one's own machine."""
    return start()


def browser(app):
    """Whoever opens pages: what is no page of the protocol needs no check of its schema, errors are checked by `refused`."""
    return FlaskClient(app, app.response_class)


def refused(answer):
    """The place and the status of a refusal, which is an OperationOutcome."""
    check_answer("GET", PAGE, answer.status_code, answer.mimetype, answer.data)
    return answer.status_code, answer.json["issue"][0].get("expression")


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

    def call(self, patient: str, prefetch: object, *, made: bool, server: str | None = SERVER) -> list[dict]:
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
            (card,) = self.call(f"s{number}", build.suspect(), made=True)
            if number < 12:
                override(self.app, card)
                self.found["answers", f"{TEST.code}: overridden"] += 1
                self.found["reasons", "not-now"] += 1
                self.call(f"s{number}", build.suspect(), made=True)
                self.found["answered", TEST.code] += 1
            else:
                self.found["answers", f"{TEST.code}: unanswered"] += 1
        for number in range(30):
            self.call(f"h{number}", build.healthy(), made=False)
        for number in range(11):
            self.call(f"o{number}", without, made=False, server=None)
            self.found["data", "blood-counts: unavailable"] += 1
        self.app.extensions["counts"].write()


def test_tells_what_was_answered(app):
    """The numbers of JSON, CSV and page are those that were noted from the answers, and no others are there."""
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


def test_tells_of_one_client(app):
    """With a client named, its calls alone are told, under the same heading as those of all."""
    Diary(app).play()

    north, unknown = (page(app, client=name).table("calls") for name in ("north", "open"))

    assert ({"calls": ["66"], "patients": ["54"]}, {"calls": ["11"], "patients": ["11"]}) == (north, unknown)


def test_shows_few_where_a_number_is_small(app):
    """Nine calls of nine patients stand as few, and have no rate."""
    for number in range(9):
        ask(app, f"h{number}", build.healthy())
    app.extensions["counts"].write()

    shown = page(app)

    assert {"calls": ["few"], "patients": ["few"]} == shown.table("calls")
    assert {"few"} == {cell for cells in shown.table("outcomes").values() for cell in cells}


def test_says_that_nothing_was_counted(app):
    """Before the first call there is a sentence in place of tables."""
    answer = browser(app).get(PAGE)

    assert "No call was counted in this time." in answer.text
    assert "table" not in Page(answer.text).tags


def counted(database, **members):
    """Write 20 calls with a card and 20 without."""
    usual = {"day": build.TODAY, "client": "north", "service": "vexas", "digest": "d" * 12, "version": "0.1.0", "what": "call"}
    tallies = {Tally(**{**usual, **members, "which": which}): 20 for which in ("shown", "nothing")}
    database.work(lambda book: book.count(tallies, (), ()))


@pytest.mark.parametrize(("ago", "there"), [(0, True), (27, True), (28, False)])
def test_tells_of_the_last_four_weeks(app, database, ago, there):
    """Without days the span is 28 days to today."""
    counted(database, day=build.TODAY - dt.timedelta(days=ago))

    assert ({"calls": ["40"]} if there else {}) == page(app).table("calls")


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ({"from": "2026-10-05", "to": "2026-10-05"}, True),
        ({"from": "2026-10-06", "to": "2026-10-30"}, False),
        ({"from": "2026-09-01", "to": "2026-10-04"}, False),
        ({"to": "2026-11-01"}, True),
        ({"to": "2026-11-02"}, False),
        ({"from": "2026-10-05"}, True),
        ({"from": "", "to": ""}, False),
    ],
)
def test_takes_days(app, database, query, there):
    """Both days are in the span; without the first it is the 28 days to the last, without the last it goes on to today."""
    counted(database, day=dt.date(2026, 10, 5))

    assert there == ("calls" in page(app, **query).table("calls"))


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"from": "x"}, "from"),
        ({"from": "2026-13-01"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "30.11.2026"}, "to"),
        ({"to": "2026-11-22T10:00:00"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2026-11-23"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "\0"}, "from"),
        ({"format": "pdf"}, "format"),
    ],
)
def test_refuses_what_is_no_span(app, query, place):
    """A day that is none, or that no calendar can count from, days in the wrong order, and an unknown format are named."""
    assert (400, [place]) == refused(browser(app).get(PAGE, query_string=query))


def test_is_open_on_ones_own_machine(app):
    """Without a token the page is there on a loopback address."""
    assert [200] * 3 == [browser(app).get(PAGE, query_string={"format": form}).status_code for form in ("html", "json", "csv")]


@pytest.mark.parametrize(
    "settings", [{"host": ANYWHERE, "allow_open": True}, {"host": "::", "allow_open": True}, {"host": "192.0.2.1", "allow_open": True}]
)
def test_is_not_there_for_others_without_a_token(start, settings):
    """Beyond loopback nobody sees the page, not even whoever sends a token."""
    visitor = browser(start(**settings))

    assert [404, 404] == [visitor.get(PAGE).status_code, visitor.get(PAGE, auth=("x", "")).status_code]
    assert 404 == visitor.post(SNOOZES, data={"client": "north", "patient": "s1"}).status_code


@pytest.mark.parametrize("settings", [{}, {"host": ANYWHERE, "allow_open": True}])
def test_opens_by_the_token(start, settings):
    """With any name and the token as the password, page and form answer, here and elsewhere."""
    visitor = browser(start(governance_token=TOKEN, **settings))

    assert [200, 200] == [visitor.get(PAGE, auth=(name, TOKEN)).status_code for name in ("", "anyone")]
    assert 200 == visitor.post(SNOOZES, data={"client": "north", "patient": "s1"}, auth=("x", TOKEN)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic Og=="},
        {"Authorization": "Basic " + "dHR0dHR0"},
        {"Authorization": "Basic !"},
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Basic eDrDqMOo"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_stays_closed_without_the_token(start, headers, method):
    """No password, another one, or another way to send it: 401, how to open it, and nothing of what is inside."""
    answer = browser(start(governance_token=TOKEN)).open(SNOOZES if method == "POST" else PAGE, method=method, headers=headers)

    assert (401, 'Basic realm="governance", charset="UTF-8"') == (answer.status_code, answer.headers["WWW-Authenticate"])
    assert "no-store" == answer.headers["Cache-Control"]
    assert TOKEN not in answer.text


@pytest.mark.parametrize("password", [TOKEN[:-1], TOKEN + "t", TOKEN.upper(), "é" * 40, f"{TOKEN}:"])
def test_takes_no_other_password(start, password):
    """Nearly the token is not the token."""
    assert 401 == browser(start(governance_token=TOKEN)).get(PAGE, auth=("x", password)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_takes_no_form_of_another_page(app, database, headers):
    """A page elsewhere cannot lift anything through the browser of somebody who may."""
    answer = browser(app).post(SNOOZES, data={"client": "north", "patient": "s1", "lift": "1"}, headers=headers)

    assert 403 == answer.status_code
    assert [] == rows(database, "lift")


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_takes_its_own_form(app, headers):
    """The page's own form, and a program that is no browser, are answered."""
    assert 200 == browser(app).post(SNOOZES, data={"client": "north", "patient": "s1"}, headers=headers).status_code


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


@pytest.mark.parametrize("path", [SNOOZES, f"{SNOOZES}?client=north&patient=s1"])
def test_looks_nobody_up_by_an_address(app, path):
    """An address stays in histories and logs, so it is no way to ask about a patient."""
    assert 405 == browser(app).get(path).status_code


@pytest.mark.parametrize(
    ("form", "status", "place"),
    [
        ({"client": "north"}, 400, ["patient"]),
        ({"client": "north", "patient": "  "}, 400, ["patient"]),
        ({"client": "north", "patient": "x" * 129}, 400, ["patient"]),
        ({"client": "nroth", "patient": "s1"}, 400, None),
        ({"client": "open", "patient": "s1"}, 400, None),
        ({"patient": "s1"}, 400, None),
    ],
)
@pytest.mark.parametrize("lift", [{}, {"lift": "1"}])
def test_refuses_a_patient_of_nobody(app, database, form, status, place, lift):
    """Without a patient, or with a client that is not registered, nothing is looked up and nothing lifted."""
    answer = browser(app).post(SNOOZES, data={**form, **lift})

    assert (status, place) == refused(answer)
    assert [] == rows(database, "lift")


@pytest.mark.parametrize("patient", [HOSTILE, "'; DROP TABLE lift; --", "{{ 7 * 7 }}", "a\0b", "\N{SNOWMAN}", "x" * 128])
def test_takes_any_text_for_a_patient(app, patient):
    """It is looked up and shown as it was typed, and nothing in it is a tag."""
    answer = browser(app).post(SNOOZES, data={"client": "north", "patient": patient})

    assert 200 == answer.status_code
    assert "script" not in Page(answer.text).tags
    assert "<script" not in answer.text
    assert "49" not in answer.text


@pytest.mark.parametrize("name", [HOSTILE, "' OR 1=1 --", "{{ 7 * 7 }}", "\N{SNOWMAN}"])
def test_shows_any_text_for_a_client(app, database, name):
    """A name that stands in the database, or in the address alone, is text on the page."""
    counted(database, client=name)
    counted(database, client="north")

    answer = browser(app).get(PAGE, query_string={"client": name})
    shown = Page(answer.text)

    assert {"calls": ["40"]} == shown.table("calls")
    assert "script" not in shown.tags
    assert "<script" not in answer.text


@pytest.mark.parametrize("name", ["nobody", HOSTILE, "\0", "x" * 5000])
def test_counts_nothing_of_a_client_that_never_called(app, database, name):
    """Any other name has no calls."""
    counted(database)

    assert {} == page(app, client=name).table("calls")


def test_needs_nothing_but_itself(app, database):
    """No script, picture, frame or sheet from anywhere: the policy allows none, and the page has none."""
    counted(database)
    counted(database, day=build.TODAY - dt.timedelta(days=9), digest="e" * 12, version="0.2.0")

    answer = browser(app).get(PAGE)
    shown = Page(answer.text)

    policy = dict(one.strip().partition(" ")[::2] for one in answer.headers["Content-Security-Policy"].split(";"))
    assert {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    } == policy
    assert "svg" in shown.tags
    assert set() == {"script", "link", "img", "iframe", "object", "embed", "image", "foreignobject"} & set(shown.tags)
    assert [] == [name for name, _ in shown.attributes if name.startswith("on") or name in ("src", "srcset")]
    assert [] == [value for name, value in shown.attributes if name in ("href", "xlink:href") and not value.startswith("#")]


@pytest.mark.parametrize("query", [{}, {"format": "json"}, {"format": "csv"}, {"from": "x"}])
def test_is_stored_nowhere(app, query):
    """Neither the page nor the files nor errors stay in a cache, and none is taken for something else."""
    answer = browser(app).get(PAGE, query_string=query)

    assert ("no-store", "nosniff") == (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"])


def test_says_what_its_files_are(app):
    """Page, JSON and CSV each have their type."""
    kinds = [browser(app).get(PAGE, query_string={"format": form}).content_type for form in ("html", "json", "csv")]

    assert ["text/html; charset=utf-8", "application/json", "text/csv; charset=utf-8"] == kinds


def test_shows_a_line_for_each_new_release(app, database):
    """The plot names the version that came, and the table has a column for each release."""
    counted(database, day=build.TODAY - dt.timedelta(days=9))
    counted(database, digest="e" * 12, version="0.2.0")

    answer = browser(app).get(PAGE)

    drawn = answer.text[answer.text.index("<svg") : answer.text.index("</svg>")]
    assert [False, True] == [f">{version}<" in drawn for version in ("0.1.0", "0.2.0")]
    assert {"calls": ["80", "40", "40"]} == Page(answer.text).table("calls")


def test_draws_a_plot_of_too_few(app, database):
    """Weeks whose shares are all hidden make an empty plot and no error."""
    counted(database, day=build.TODAY - dt.timedelta(days=9))
    database.work(lambda book: book.count({Tally(build.TODAY, "north", "vexas", "d" * 12, "0.1.0", "call", "shown"): 3}, (), ()))

    assert {"2026-11-09": ["few", "few"], "2026-11-16": ["few", "few"]} == page(app).table("weeks")


def test_says_that_the_database_is_away(app, database):
    """Without the tables there is no report, and no zero in its place."""
    database.downgrade()

    answer = browser(app).get(PAGE)

    assert (503, None) == refused(answer)
    assert "5" == answer.headers["Retry-After"]
