"""The evidence page over HTTP: its doors, what it refuses and how, what it keeps to itself, and how large it grows."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from urllib.parse import urlencode

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.reasoning.toys import TOY
from tests.web.screen import Page, browser

SWEET = "/evidence/test-sweet-macrocytosis"
SERVER = "http://127.0.0.1:9/r4"
HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}'
LARGEST_PAGE = 200_000
SECRET = "canary-7f3a"


def chart(*resources):
    """A Bundle of one patient."""
    return build.bundle(build.patient(), *resources)


def sent(app, content, **members):
    """The page of a Bundle that is sent as JSON."""
    return browser(app).post("/evidence", **{"data": json.dumps(content), "content_type": "application/json", **members})


@pytest.mark.parametrize(("more", "whole"), [([], True), ([build.bundle(build.crp())], False), ([build.crp(effectiveDateTime=5)], False)])
def test_says_whether_what_is_not_there_is_absent(app, more, whole):
    """Of a chart that is not whole nobody says that what is not in it is not there; the reason is on the page."""
    text = sent(app, chart(build.mcv(), *more)).text

    assert whole is ("counts as not there" in text)
    assert whole is not ('<a href="#issues">could be used</a>, so what is not in it may be there all the same' in text and 'id="issues"' in text)


# --- constructed patients ---


@pytest.mark.parametrize("name", build.fixture_names())
def test_has_a_page_for_each_constructed_patient(app, name):
    """Every one of them has its page, well below the size that is allowed, and its drawings each say what they show."""
    answer = browser(app).get(f"/evidence/{name}")
    page = Page(answer.text)

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert len(answer.data) < LARGEST_PAGE / 2
    assert answer.text.count('role="img"') == len(
        [said for key, said in page.attributes if key == "aria-label" and said and ": " in said and said.endswith(".")]
    )


def test_is_found_from_the_start_page(app):
    """The start page leads to the page of doors, where each constructed patient is linked."""
    links = [target for key, target in Page(browser(app).get("/evidence").text).attributes if key == "href"]

    assert 'href="/evidence"' in browser(app).get("/").text
    assert [f"/evidence/{name}" for name in build.fixture_names()] == [link for link in links if link and link.startswith("/evidence/")]


def test_says_that_there_are_no_constructed_patients(tmp_path):
    """Installed without the fixtures, the page names the folder and the remedy; the start page is quiet about them."""
    app = checked_app(Settings(fixtures=tmp_path / "none"), lambda: build.TODAY)

    assert "Start the service from the project's folder" in browser(app).get("/evidence").text
    assert "Constructed patients" not in browser(app).get("/").text


@pytest.mark.parametrize("name", ["nobody", "../expected", "%2e%2e%2fexpected", "test-sweet-macrocytosis.json"])
def test_has_no_page_for_anybody_else(app, name):
    """What is no constructed patient is not there, and a file elsewhere is never read."""
    answer = browser(app).get(f"/evidence/{name}")

    assert 404 == answer.status_code


def test_moves_each_chart_to_today():
    """A year later the same patient's last result is a year later, too."""
    later = build.TODAY + dt.timedelta(days=365)
    app = checked_app(Settings(), lambda: later)

    assert "108 fL, 2027-11-10" in browser(app).get(SWEET).text


# --- any other chart ---


def test_shows_a_bundle_by_every_way_to_send_it(app):
    """As JSON, pasted into the form, or as a file of it: the same page."""
    body = json.dumps(chart(build.mcv(), build.condition()))
    forms = [{"bundle": body}, {"file": (io.BytesIO(body.encode()), "chart.json")}, {"file": (io.BytesIO(b""), ""), "bundle": body}]

    pages = {browser(app).post("/evidence", data=form, content_type="multipart/form-data").text for form in forms}
    pages |= {browser(app).post("/evidence", data={"bundle": body}).text, sent(app, json.loads(body)).text}

    (page,) = pages
    assert "108 fL, 2026-11-01" in page
    assert "what is not in it counts as not there" in page


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"", 400, "The body is empty"),
        (b"{", 400, "The Bundle: not JSON"),
        (b"\xff", 400, "The Bundle: not UTF-8. Save it as UTF-8."),
        (b'{"resourceType": "Bundle", "entry": [' + b"[" * 100_000, 400, "nested too deeply"),
        (b"[]", 400, "no FHIR Bundle with entries"),
        (b'{"resourceType": "Patient", "id": "p1"}', 400, "Give a Bundle that holds the Patient and the chart"),
        (b'{"resourceType": "Bundle", "entry": []}', 400, "0 Patients with 0 usable ids"),
        (json.dumps(build.bundle(build.patient(), build.patient(id="p2"))).encode(), 400, "2 Patients with 2 usable ids"),
        (b" " * (8 * 1024 * 1024 + 1), 413, "larger than 8388608 bytes"),
    ],
    ids=["empty", "half", "bytes", "deep", "list", "patient alone", "nobody", "two", "large"],
)
def test_refuses_on_a_page_that_names_place_and_remedy(app, content, status, says):
    """What cannot be shown gets a page that says why, and that nothing was evaluated."""
    answer = browser(app).post("/evidence", data=content, content_type="application/json")

    assert (status, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert says in answer.text.replace("&#39;", "'")
    assert "nothing was evaluated, and nothing was kept" in answer.text


@pytest.mark.parametrize(
    ("form", "content_type", "status"),
    [
        ({"bundle": ""}, "multipart/form-data", 400),
        ({}, "application/x-www-form-urlencoded", 400),
        (b"x" * (8 * 1024 * 1024 + 1), "multipart/form-data; boundary=x", 413),
        (b"bundle=" + b"x" * (8 * 1024 * 1024), "application/x-www-form-urlencoded", 413),
        (b"nonsense", "multipart/form-data", 400),
        (b"<Bundle/>", "application/xml", 415),
    ],
)
def test_refuses_forms_without_a_bundle(app, form, content_type, status):
    """An empty form, one that is too large, one that is none, and other types."""
    answer = browser(app).post("/evidence", data=form, content_type=content_type)

    assert (status, True) == (answer.status_code, "Nothing can be shown" in answer.text)


def test_takes_a_pasted_bundle_as_large_as_a_call(app):
    """Megabytes are taken from the form as they are from an EHR."""
    form = urlencode({"bundle": json.dumps(chart(build.mcv())) + " " * 2_000_000})
    answer = browser(app).post("/evidence", data=form, content_type="application/x-www-form-urlencoded")

    assert 200 == answer.status_code


def test_takes_no_bundle_where_callers_need_tokens(tmp_path):
    """Where clients sign their calls, charts come from them alone; the page says so."""
    clients = tmp_path / "clients.toml"
    keys = tmp_path / "keys.json"
    keys.write_text(
        '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "alg": "ES256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}',
        encoding="utf-8",
    )
    clients.write_text(
        f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\nissuer = "https://ehr.example.org"\njwks_file = "{keys}"\n', encoding="utf-8"
    )
    app = checked_app(Settings(clients=clients), lambda: build.TODAY)

    assert "cannot be pasted here" in browser(app).get("/evidence").text
    assert 405 == sent(app, chart()).status_code
    assert 200 == browser(app).get(SWEET).status_code


# --- what it keeps to itself ---


def test_is_never_kept_and_lets_nothing_in(app):
    """No cache keeps a page, no script runs, no style but ours applies, and nobody else may frame it."""
    answer = browser(app).get(SWEET)
    policy = answer.headers["Content-Security-Policy"]

    assert ("no-store", "no-referrer") == (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"])
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}' 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        policy,
    )
    assert "style=" not in answer.text
    assert "script" not in Page(answer.text).tags


@pytest.mark.parametrize("origin", ["https://sandbox.cds-hooks.org", "https://elsewhere.example"])
def test_is_not_read_by_programs_of_other_origins(app, origin):
    """Not even the sandbox that may call hooks reads a page."""
    assert "Access-Control-Allow-Origin" not in browser(app).get(SWEET, headers={"Origin": origin}).headers


def test_shows_hostile_words_as_words(app):
    """Names, texts and ids of a chart are never markup."""
    named = build.condition(code={"text": f"Sweet syndrome {HOSTILE}"})
    answer = browser(app).post(
        "/evidence",
        data=json.dumps(chart(named, build.mcv(unit=HOSTILE), build.medication(f"prednisone {HOSTILE}"))),
        content_type="application/json",
    )

    assert 200 == answer.status_code
    assert "<script" not in answer.text
    assert "49" not in re.findall(r"Sweet syndrome[^<]{0,80}", answer.text)


def test_tells_nobody_of_a_chart(app, log):
    """Neither a page nor a refusal leaves a word of the chart in the log, nor in the page of an error."""
    named = build.patient(id=SECRET, name=[{"family": SECRET}])
    browser(app).post("/evidence", data=json.dumps(build.bundle(named, named | {"id": f"{SECRET}-2"})), content_type="application/json")
    refusal = browser(app).post("/evidence", data=f'{{"{SECRET}": ', content_type="application/json")
    browser(app).post("/evidence", data=json.dumps(build.bundle(named)), content_type="application/json")

    assert SECRET not in refusal.text
    assert [] == [line for line in log.lines if SECRET in line]
    assert [line for line in log.lines if "page.refused" in line]


# --- a file of its own ---


@pytest.mark.parametrize("way", ["get", "json", "form"])
def test_saves_as_one_file(app, way):
    """The file names no person, brings its styles and its policy along, and asks for nothing."""
    body = json.dumps(chart(build.mcv()))
    answer = {
        "get": lambda: browser(app).get(f"{SWEET}?download"),
        "json": lambda: browser(app).post("/evidence?download", data=body, content_type="application/json"),
        "form": lambda: browser(app).post("/evidence", data={"bundle": body, "as": "file"}),
    }[way]()
    targets = [target or "" for key, target in Page(answer.text).attributes if key in ("href", "src", "action")]

    name = "evidence-test-sweet-macrocytosis" if way == "get" else "evidence"
    assert f'attachment; filename="{name}.html"' == answer.headers["Content-Disposition"]
    assert '<meta http-equiv="Content-Security-Policy"' in answer.text
    assert [] == [target for target in targets if not target.startswith(("#", "https://", "http://127.0.0.1:8080/about"))]


# --- what was answered before ---


@pytest.fixture
def registered(tmp_path):
    """A service with one registered client."""
    clients = tmp_path / "clients.toml"
    clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n', encoding="utf-8")
    app = checked_app(Settings(database=f"sqlite:///{tmp_path}/cds.db", clients=clients, deadline=build.UNHURRIED), lambda: build.TODAY)
    yield app
    app.extensions["counts"].close()
    app.extensions["recorder"].close()


def answer_card(app, server, reason="patient-declines"):
    """Open the chart of a constructed patient and set its card aside."""
    request = {**build.fixture_request("test-sweet-macrocytosis"), "hookInstance": build.CALL, **({"fhirServer": server} if server else {})}
    (card,) = app.test_client().post(build.SERVICE, json=request).json["cards"]
    said = {"reason": {"code": reason, "system": card["overrideReasons"][0]["system"]}}
    entry = {"card": card["uuid"], "outcome": "overridden", "overrideReason": said, "outcomeTimestamp": f"{build.TODAY}T08:00:00Z"}
    assert 200 == app.test_client().post(f"{build.SERVICE}/feedback", json={"feedback": [entry]}).status_code


def note(app):
    """What the page of that patient says of answers."""
    return [
        " ".join(re.sub(r"<[^>]+>", "", text).split()) for text in re.findall(r'<p class="note">(.*?)</p>', browser(app).get(SWEET).text, re.DOTALL)
    ]


def test_says_until_when_a_card_is_silenced(registered):
    """A card that was answered at a registered client: until when it is away, why, and when it was answered."""
    answer_card(registered, SERVER)

    assert (
        "VEXAS syndrome: consider UBA1 testing: silenced until 2027-05-22 because “Patient declines” (answered on 2026-11-22, client north)."
        in note(registered)
    )


def test_says_that_nobody_else_is_silenced(registered):
    """An answer through a caller that is not registered is told, and that it keeps nothing away."""
    answer_card(registered, None)

    (said,) = [text for text in note(registered) if "consider UBA1 testing" in text]
    assert said.endswith("for a registered one it would be until 2027-05-22 because “Patient declines” (answered on 2026-11-22, client open).")
    assert "not silenced, because its client is not registered" in said


def test_shows_the_page_without_a_database(registered, tmp_path):
    """With the database away the evidence is there, and the page says that answers could not be looked up."""
    registered.extensions["recorder"].close()
    (tmp_path / "cds.db").unlink(missing_ok=True)
    (tmp_path / "cds.db").mkdir()

    answer = browser(registered).get(SWEET)

    assert 200 == answer.status_code
    assert "could not be looked up: the database does not answer" in answer.text


# --- how large it grows ---


def many(number, *, one_test):
    """So many results, of one test or of ten, each on a day of its own."""
    tests = [("787-2", "fL", 90), ("718-7", "g/dL", 9), ("777-3", "10*9/L", 100), ("1988-5", "mg/L", 30), ("6690-2", "10*9/L", 5)]
    tests += [("751-8", "10*9/L", 2), ("731-0", "10*9/L", 1), ("742-7", "10*9/L", 0.3), ("4537-7", "mm/h", 40), ("2276-4", "ng/mL", 400)]
    for i in range(number):
        code, unit, value = tests[0 if one_test else i % len(tests)]
        day = build.TODAY - dt.timedelta(days=int(i * 1.8))
        yield build.lab(code, round(value * (1 + i % 7 / 20), 2), unit, day.isoformat(), id=f"o{i}")


@pytest.mark.parametrize("one_test", [True, False], ids=["one test", "ten tests"])
def test_stays_small_with_thousands_of_results(app, one_test):
    """2,000 results on 2,000 days make a page below 200 kB, which says how many of them are drawn."""
    answer = sent(app, chart(*many(2000, one_test=one_test)))

    assert 200 == answer.status_code
    assert len(answer.data) < LARGEST_PAGE
    assert re.search(r"Too many results to draw: of 2?00 of \w+" if not one_test else r"Too many results to draw: of 2000 of MCV", answer.text)


def test_stays_small_with_thousands_that_cannot_be_used(app):
    """2,000 results without a unit are counted, not listed one by one."""
    answer = sent(app, chart(*(build.mcv(unit="", on=(build.TODAY - dt.timedelta(days=i)).isoformat(), id=f"o{i}") for i in range(2000))))

    assert len(answer.data) < LARGEST_PAGE
    assert "and 1994 more" in answer.text


def test_stays_small_with_thousands_of_events(app):
    """2,000 prescriptions and 2,000 problems make no page of megabytes."""
    drugs = [build.medication(on=(build.TODAY - dt.timedelta(days=2 * i)).isoformat(), id=f"m{i}", status="completed") for i in range(2000)]
    problems = [build.condition("I26.99", on=(build.TODAY - dt.timedelta(days=i)).isoformat(), id=f"c{i}") for i in range(2000)]
    answer = sent(app, chart(*drugs, *problems))

    assert 200 == answer.status_code
    assert len(answer.data) < LARGEST_PAGE


# --- another disease ---


def test_shows_another_disease_without_a_timeline():
    """A module that says nothing of what is drawn has a page with its rules and findings, and no drawing."""
    app = checked_app(Settings(knowledge=TOY), lambda: build.TODAY)
    potassium = build.lab("2823-3", 3.1, "mmol/L", "2026-10-01")

    answer = sent(app, build.bundle(build.patient(birthDate="1990-01-01"), potassium))

    assert 200 == answer.status_code
    assert "Potassium 3.1 mmol/L" in answer.text
    assert "Toy rule" in answer.text
    assert "<figure>" not in answer.text
