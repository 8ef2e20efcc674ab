"""The governance page: who may see it, what it takes and refuses, and that nothing in it is anybody else's."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from cds_service.settings import Settings
from cds_service.storage.database import Database
from tests import build
from tests.fakes import checked_app
from tests.storage.samples import rows
from tests.web.screen import PAGE, SNOOZES, Page, browser, counted, refused

TOKEN = "t" * 40
ANYWHERE = "0.0.0.0"  # noqa: S104
HOSTILE = '"><script>alert(1)</script>'
HOSTILE_CLIENTS = (HOSTILE, "' OR 1=1 --", "{{ 7 * 7 }}", "\N{SNOWMAN}")
OCTOBER = dt.date(2026, 10, 5)


class Site:
    """A database in a file, and the services that were started on it, each once."""

    def __init__(self, folder) -> None:
        (folder / "clients.toml").write_text('[[client]]\nname = "north"\nfhir_server = "http://127.0.0.1:9/r4"\n', encoding="utf-8")
        self.clients = folder / "clients.toml"
        self.url = f"sqlite:///{folder}/cds.db"
        self.apps = {}
        self.start()
        self.database = Database(self.url)

    def start(self, **settings):
        """The service with these settings."""
        name = tuple(settings.items())
        if name not in self.apps:
            self.apps[name] = checked_app(
                Settings(database=self.url, clients=self.clients, **{"deadline": build.UNHURRIED, **settings}), lambda: build.TODAY
            )
        return self.apps[name]

    def close(self) -> None:
        """End every service."""
        self.database.close()
        for app in self.apps.values():
            app.extensions["counts"].close()
            app.extensions["recorder"].close()


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """The file of the token."""
    path = tmp_path_factory.mktemp("token") / "governance.token"
    path.write_text(TOKEN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Calls of several clients on several days; a test names the client whose calls it is about."""
    site = Site(tmp_path_factory.mktemp("governance"))
    for ago in (0, 27, 28):
        counted(site.database, day=build.TODAY - dt.timedelta(days=ago), client=f"ago-{ago}")
    counted(site.database, day=OCTOBER, client="october")
    for name in HOSTILE_CLIENTS:
        counted(site.database, client=name)
    for ago, digest, version in ((9, "d" * 12, "0.1.0"), (0, "e" * 12, "0.2.0")):
        counted(site.database, day=build.TODAY - dt.timedelta(days=ago), client="two-releases", digest=digest, version=version)
    counted(site.database, day=build.TODAY - dt.timedelta(days=9), client="few")
    counted(site.database, number=3, client="few")
    yield site
    site.close()


@pytest.fixture(scope="module")
def app(site):
    """The service as it starts on one's own machine."""
    return site.start()


@pytest.fixture
def start(site):
    """Starts services on the database."""
    return site.start


@pytest.fixture
def database(site):
    """What stands in the database."""
    return site.database


def table(app, section, **query):
    """A table of the page for these days and this client."""
    answer = browser(app).get(PAGE, query_string=query)
    assert 200 == answer.status_code
    return Page(answer.text).table(section)


def calls(app, **query):
    """The number of calls that the file tells for these days and this client."""
    return next(f["number"] for f in browser(app).get(PAGE, query_string={**query, "format": "json"}).json["figures"])


def test_says_that_nothing_was_counted(app):
    """Where there was no call there is a sentence in place of tables."""
    answer = browser(app).get(PAGE, query_string={"client": "nobody"})

    assert "No call was counted in this time." in answer.text
    assert "table" not in Page(answer.text).tags


@pytest.mark.parametrize(("ago", "number"), [(0, 40), (27, 40), (28, 0)])
def test_tells_of_the_last_four_weeks(app, ago, number):
    """Without days the span is 28 days to today."""
    assert number == calls(app, client=f"ago-{ago}")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"from": "2026-10-05", "to": "2026-10-05"}, 40),
        ({"from": "2026-10-06", "to": "2026-10-30"}, 0),
        ({"from": "2026-09-01", "to": "2026-10-04"}, 0),
        ({"to": "2026-11-01"}, 40),
        ({"to": "2026-11-02"}, 0),
        ({"from": "2026-10-05"}, 40),
        ({"from": "", "to": ""}, 0),
    ],
)
def test_takes_days(app, query, number):
    """Both days are in the span; without the first it is the 28 days to the last, without the last it goes on to today."""
    assert number == calls(app, client="october", **query)


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
        ({"client": "a\0"}, "client"),
        ({"format": "pdf"}, "format"),
    ],
)
def test_refuses_what_is_no_span(app, query, place):
    """A day that is none, or that no calendar can count from, days in the wrong order, no name and an unknown format are told by their place."""
    assert (400, [place]) == refused(browser(app).get(PAGE, query_string=query))


def test_is_open_on_ones_own_machine(app):
    """Without a token the page is there on a loopback address."""
    assert [200] * 3 == [browser(app).get(PAGE, query_string={"format": form}).status_code for form in ("html", "json", "csv")]


@pytest.mark.parametrize(("host", "status"), [("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("rebound.example.org", 403)])
def test_is_open_under_this_machines_own_names(app, host, status):
    """A stranger's name that was pointed to this machine opens nothing."""
    assert status == browser(app).get(PAGE, headers={"Host": host}).status_code


def test_is_read_by_no_program_of_another_origin(app):
    """The origins that may call the service may not read this page."""
    answer = browser(app).get(PAGE, headers={"Origin": "https://sandbox.cds-hooks.org"})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "settings", [{"host": ANYWHERE, "allow_open": True}, {"host": "::", "allow_open": True}, {"host": "192.0.2.1", "allow_open": True}]
)
def test_is_not_there_for_others_without_a_token(start, settings):
    """Beyond loopback nobody sees the page, not even whoever sends a token."""
    visitor = browser(start(**settings))

    assert [404, 404] == [visitor.get(PAGE).status_code, visitor.get(PAGE, auth=("x", "")).status_code]
    assert 404 == visitor.post(SNOOZES, data={"client": "north", "patient": "s1"}).status_code


@pytest.mark.parametrize("settings", [{}, {"host": ANYWHERE, "allow_open": True}])
def test_opens_by_the_token(start, token, settings):
    """With any name and the token as the password, page and form answer, here and elsewhere."""
    visitor = browser(start(governance_token_file=token, **settings))

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
def test_stays_closed_without_the_token(start, token, headers, method):
    """No password, another one, or another way to send it: 401, how to open it, and nothing of what is inside."""
    answer = browser(start(governance_token_file=token)).open(SNOOZES if method == "POST" else PAGE, method=method, headers=headers)

    assert (401, 'Basic realm="governance", charset="UTF-8"') == (answer.status_code, answer.headers["WWW-Authenticate"])
    assert "no-store" == answer.headers["Cache-Control"]
    assert TOKEN not in answer.text


@pytest.mark.parametrize("password", [TOKEN[:-1], TOKEN + "t", TOKEN.upper(), "é" * 40, f"{TOKEN}:"])
def test_takes_no_other_password(start, token, password):
    """Nearly the token is not the token."""
    assert 401 == browser(start(governance_token_file=token)).get(PAGE, auth=("x", password)).status_code


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


def test_notes_who_was_let_in_and_who_was_not(site, token, log):
    """Each answer of the pages is a line with its status and what was asked for, and no name."""
    app = checked_app(Settings(clients=site.clients, governance_token_file=token), lambda: build.TODAY)
    visitor, auth, form = browser(app), ("anyone", TOKEN), {"client": "north", "patient": "s1"}

    visitor.get(PAGE)
    visitor.post(SNOOZES, data=form)
    visitor.post(SNOOZES, data={**form, "lift": "1"}, auth=auth, headers={"Origin": "https://evil.example.org"})
    visitor.get(PAGE, auth=auth, query_string={"format": "json"})
    visitor.post(SNOOZES, data=form, auth=auth)
    visitor.post(SNOOZES, data={**form, "lift": "1"}, auth=auth)

    noted = [json.loads(line.removeprefix("cds_service ")) for line in dict.fromkeys(log.lines) if "governance.answered" in line]
    assert [(401, "report"), (401, "snoozes"), (403, "snoozes"), (200, "report"), (200, "snoozes"), (200, "lift")] == [
        (one["status"], one["code"]) for one in noted
    ]
    assert {"at", "event", "status", "code"} == {name for one in noted for name in one}


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


@pytest.mark.parametrize("name", HOSTILE_CLIENTS)
def test_shows_any_text_for_a_client(app, name):
    """A name that stands in the database and in the address is text on the page."""
    answer = browser(app).get(PAGE, query_string={"client": name})
    shown = Page(answer.text)

    assert {"calls": ["40"]} == shown.table("calls")
    assert "script" not in shown.tags
    assert "<script" not in answer.text


@pytest.mark.parametrize("name", ["nobody", f"{HOSTILE}!", "x" * 5000])
def test_counts_nothing_of_a_client_that_never_called(app, name):
    """Any other name has no calls."""
    assert {} == table(app, "calls", client=name)


def test_needs_nothing_but_itself(app):
    """No script, picture, frame or sheet from anywhere: the policy allows none, and the page has none."""
    answer = browser(app).get(PAGE, query_string={"client": "two-releases"})
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


def test_names_the_file_that_it_sends(app):
    """A browser saves the CSV under a name made of its days, and of nothing else that was asked for."""
    asked = {"format": "csv", "from": "2026-10-01", "to": "2026-10-31", "client": HOSTILE, "filename": "../x.exe"}

    answer = browser(app).get(PAGE, query_string=asked)

    assert 'attachment; filename="governance-2026-10-01-2026-10-31.csv"' == answer.headers["Content-Disposition"]


def test_shows_a_line_for_each_new_release(app):
    """The plot names the version that came, and the table has a column for each release."""
    answer = browser(app).get(PAGE, query_string={"client": "two-releases"})

    drawn = answer.text.partition('class="plot"')[2].partition("</svg>")[0]
    assert [False, True] == [f">{version}<" in drawn for version in ("0.1.0", "0.2.0")]
    assert {"calls": ["80", "40", "40"]} == Page(answer.text).table("calls")


def test_draws_a_plot_of_too_few(app):
    """Of two weeks with 40 and 6 calls neither is shown, since there were 46: an empty plot, and no error."""
    assert {"2026-11-09": ["few", "few"], "2026-11-16": ["few", "few"]} == table(app, "weeks", client="few")


@pytest.mark.parametrize(("settings", "linked"), [({}, True), ({"host": ANYWHERE, "allow_open": True}, False)])
def test_is_found_from_the_start_page(start, settings, linked):
    """The start page leads to the report where there is one."""
    assert linked is ('href="/governance"' in browser(start(**settings)).get("/").text)
