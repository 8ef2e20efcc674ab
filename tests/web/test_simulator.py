"""The simulator: it calls as an EHR does, shows what came back, and reports what was done with it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.fixtures_.charts import EXPECTED
from tests.web.filled import Form, Person
from tests.web.screen import PAGE, browser

SWEET = "test-sweet-macrocytosis"
NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
MARK = "Zzyzx-secret"


@pytest.fixture
def app():
    """A service of its own, which nobody has answered yet."""
    app = checked_app(Settings(), lambda: build.TODAY, lambda: NOW)
    yield app
    app.extensions["counts"].close()
    app.extensions["recorder"].close()


@pytest.fixture
def person(app):
    """Somebody at its start page."""
    return Person(app)


def without_ids(value):
    """JSON without the uuids, which depend on the client."""
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k != "uuid"}
    return [without_ids(v) for v in value] if isinstance(value, list) else value


# --- opening a chart ---


def test_says_at_once_what_to_do(person):
    """The start page offers the form, filled so that one button leads to a card."""
    assert "Open the chart" in person.words
    assert {"source": "constructed", "constructed": SWEET, "prefetch": "full"}.items() <= person.form.fields.items()
    assert ["fire"] == person.form.buttons


@pytest.mark.parametrize("name", build.fixture_names())
def test_shows_each_constructed_patient_as_it_must_be(app, name):
    """The cards are those that were expected before any rule ran, on a page that stays small."""
    person = Person(app)

    answer = person.open(name)

    assert (200, EXPECTED[name]["topics"]) == (answer.status_code, [c["source"]["topic"]["code"] for c in person.shown("response")["cards"]])
    assert all(card["summary"] in person.words for card in person.shown("response")["cards"])
    assert len(answer.data) < 200_000


def test_gives_the_answer_that_an_ehr_gets(app, person):
    """What it saves as the request gets the same answer from the endpoint."""
    person.open(SWEET)
    saved = person.press("request")

    answer = app.test_client().post(build.SERVICE, data=saved.data, content_type="application/json")

    assert "attachment" in saved.headers["Content-Disposition"]
    assert person.shown("envelope") == {name: value for name, value in json.loads(saved.data).items() if name != "prefetch"}
    assert without_ids(answer.json) == without_ids(person.shown("response"))


@pytest.mark.parametrize(
    ("mode", "keys"),
    [
        ({"prefetch": "full"}, list(build.TEMPLATES)),
        ({"prefetch": "partial"}, list(build.TEMPLATES)[::2]),
        ({"prefetch": "chosen", "key.patient": "1", "key.vitals": "1"}, ["patient", "vitals"]),
    ],
)
def test_sends_as_much_as_is_asked_for(person, mode, keys):
    """All of the prefetch, every second key with the Patient, or what is ticked; the page names what was not sent."""
    person.open(SWEET, **mode)

    sent = json.loads(person.press("request").data)["prefetch"]

    assert keys == list(sent)
    assert all(key in person.words.partition("Not sent: ")[2] for key in build.TEMPLATES if key not in keys)


def test_shows_a_refusal_as_it_came(person):
    """Without any prefetch, and no server to ask, it is the 412 that an EHR gets."""
    answer = person.open(SWEET, prefetch="none")

    assert (200, "The service refused the call") == (answer.status_code, person.form.texts["answer"])
    assert "required-data-unavailable" == person.shown("response")["issue"][0]["details"]["text"]
    assert "/prefetch/patient" in person.words


def test_tells_why_of_each_red_flag(person, knowledge):
    """Each red flag is there: present with its fact, unit and day, unknown with what is lacking, or absent."""
    person.open(SWEET, prefetch="chosen", **{f"key.{key}": "1" for key in ("patient", "conditions", "bloodCounts")})

    assert [] == [flag.label for flag in knowledge.red_flags.values() if flag.label not in person.words]
    assert "Macrocytosis ● present MCV 108 fL (2026-11-10)" in person.words
    assert "Raised CRP ? unknown not sent, or not read in full: inflammation" in person.words
    assert "Relapsing polychondritis – absent searched, and nothing was found" in person.words


def test_counts_as_nobodys_calls(app, person):
    """Calls of the simulator stand under its own name, and are none of the hospital's."""
    person.open(SWEET)
    app.extensions["counts"].write()

    calls = {
        client: [
            f["number"] for f in browser(app).get(PAGE, query_string={"format": "json", "client": client}).json["figures"] if f["item"] == "calls"
        ]
        for client in ("", "simulator")
    }

    assert 'cds_calls_total{client="simulator",outcome="shown"} 1.0' in browser(app).get("/metrics").text
    assert {"": [0], "simulator": [None]} == calls  # few


# --- what is done with a card ---


def test_accepts_what_is_ticked(app, person):
    """Acceptance is real feedback on the card with the suggestions that are ticked; the card is then silent."""
    person.open(SWEET)
    card = person.shown("response")["cards"][0]
    wanted = [s["uuid"] for s in card["suggestions"] if s.get("isRecommended")]

    person.press(person.button("accept"))
    told = person.shown("envelope")["feedback"]
    person.press("fire")

    assert [
        {
            "card": card["uuid"],
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": one} for one in wanted],
            "outcomeTimestamp": "2026-11-22T09:30:00Z",
        }
    ] == told
    assert 'cds_feedback_total{result="stored"} 1.0' in browser(app).get("/metrics").text
    assert [] == person.shown("response")["cards"]
    assert "silenced until 2027-05-22" in person.words


def test_dismisses_with_a_reason(person):
    """An override has the card's own reason and the comment, and says until when and why the card is silent."""
    person.open(SWEET)
    button = person.button("override")
    uuid = button.partition(".")[2]

    person.press(button, **{f"reason.{uuid}": "not-now", f"comment.{uuid}": "  see you  "})
    told = person.shown("envelope")["feedback"][0]
    person.press("fire")

    assert "Not now" == told["overrideReason"]["reason"]["display"]
    assert ("overridden", "see you") == (told["outcome"], told["overrideReason"]["userComment"])
    assert "silenced until 2026-12-06, because of an answer on 2026-11-22 (“Not now”)" in person.words


def test_lifts_what_is_silent(person):
    """After a lift the card is there again."""
    person.open(SWEET)
    person.press(person.button("override"))

    person.press("lift")

    assert "1 answer lifted" in person.words
    assert 1 == len(person.shown("response")["cards"])


def test_silences_nobody_elses_cards(app, person):
    """What is answered at the simulator keeps no card from an EHR."""
    person.open(SWEET)
    saved = person.press("request")
    person.press(person.button("override"))

    answer = app.test_client().post(build.SERVICE, data=saved.data, content_type="application/json")

    assert 1 == len(answer.json["cards"])


def test_says_that_nothing_was_ticked(person):
    """Accepting nothing is refused by the service, in its words."""
    person.open(SWEET)
    sent = {name: value for name, value in person.form.fields.items() if not name.startswith("suggestion.")}
    button = person.button("accept")
    person.form.fields = sent

    person.press(button)

    assert "The service refused the feedback" == person.form.texts["answer"]
    assert "No suggestion was ticked" in person.words


# --- what is pasted ---


def test_takes_a_bundle(person):
    """A pasted Bundle is answered as it stands, and can be shown on one axis of time."""
    text = (build.FIXTURES / "test-sweet-macrocytosis.json").read_text(encoding="utf-8")

    person.paste(text)

    assert EXPECTED[SWEET]["topics"] == [c["source"]["topic"]["code"] for c in person.shown("response")["cards"]]
    assert text == person.form.fields["bundle"]
    assert 'formaction="/evidence"' in person.answer.text


def test_takes_a_file(person):
    """A file is read into the form, so that the next button finds it there, too."""
    content = b"\xef\xbb\xbf" + (build.FIXTURES / "messy-chart.json").read_bytes()

    person.press("fire", source="bundle", file=content)
    person.press(person.button("override"))

    assert "Feedback was stored" == person.form.texts["answer"]


@pytest.mark.parametrize("text", [(build.FIXTURES / f"{SWEET}.json").read_text(encoding="utf-8"), "{"])
def test_sends_no_bundle_back_that_the_browser_keeps(person, text):
    """Whether it is answered or refused, the page has all but the Bundle."""
    carried = person.paste(text)
    kept = person.paste(text, kept="1")

    assert carried.status_code == kept.status_code
    assert "" == person.form.fields["bundle"]
    assert len(carried.text) > len(kept.text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"resourceType": "Bundle",\n "entry": [}', "not JSON at line 2, column 12"),
        ('{"resourceType": "Bundle",\n "entry": [', "not JSON at line 2, column 12"),
        ('{"a": NaN}', "not JSON at line 1, column 7"),
        ("", "No Bundle was sent"),
        ("[]", "no FHIR Bundle with entries"),
        ('{"resourceType": "Bundle", "entry": []}', "0 Patients"),
        (json.dumps(build.bundle(build.patient(), build.patient(id="p2"))), "2 Patients"),
        ('{"resourceType": "Bundle", "type": "history", "entry": []}', "a history"),
        ('{"resourceType": "Bundle", "entry": ' + "[" * 1100 + "]" * 1100 + "}", "nested too deeply"),
    ],
)
def test_names_what_is_wrong_with_a_bundle(person, log, text, place):
    """The place and the remedy are said, what was typed is still there, and nothing of it is logged."""
    answer = person.paste(text)

    assert 400 == answer.status_code
    assert place in person.words
    assert text == person.form.fields["bundle"]
    assert [] == [line for line in log.lines if "hook.answered" in line]


def test_says_that_a_file_is_not_utf_8(person):
    """A file in another encoding is named as such, and not read as something else."""
    answer = person.press("fire", source="bundle", file='{"resourceType": "Bündle"}'.encode("latin-1"))

    assert (400, True) == (answer.status_code, "not UTF-8" in person.words)


def test_refuses_what_is_too_large(app):
    """Beyond the limit of a hook call nothing is read."""
    said = {"CONTENT_LENGTH": str(8 * 1024 * 1024 + 1)}

    answer = browser(app).post("/simulator", data=b"--x", content_type="multipart/form-data; boundary=x", environ_overrides=said)

    assert (413, True) == (answer.status_code, "larger than" in answer.text)


@pytest.mark.parametrize("odd", ["entry", "resource", "id"])
def test_survives_odd_charts(person, odd):
    """Entries without a resource, resources that are none and ids that are none cost only themselves."""
    chart = build.bundle(build.patient(), build.condition(), build.mcv(), build.platelets())
    chart["entry"] += {"entry": [7, None, {}], "resource": [{"resource": 7}, {"resource": {"resourceType": ["x"]}}], "id": [{"resource": {"id": 5}}]}[
        odd
    ]

    answer = person.paste(json.dumps(chart))

    assert 200 == answer.status_code
    assert 1 == len(person.shown("response")["cards"])


HUGE = "1e999"  # a number that no computer holds


@pytest.mark.parametrize("member", ["id", "code", "component", "contained", "effectiveDateTime", "other"])
def test_survives_numbers_that_no_computer_holds(person, member):
    """A result with one goes along, for the service to say what is lost; the rest is answered."""
    odd = build.crp() | {member: [{"x": 12345}] if member in ("component", "contained") else 12345}
    chart = build.bundle(build.patient(), build.condition(), build.mcv(), build.platelets(), odd)

    answer = person.paste(json.dumps(chart).replace("12345", HUGE))

    assert (200, 1) == (answer.status_code, len(person.shown("response")["cards"]))
    assert (HUGE.encode() in person.press("request").data) is (member != "code")  # which no search finds


@pytest.mark.parametrize("member", ["id", "code", "contained"])
def test_counts_a_patient_with_such_a_number(person, member):
    """A second Patient is one, whatever is wrong with it."""
    other = build.patient(id="p2") | {member: [{"x": 12345}] if member == "contained" else 12345}

    answer = person.paste(json.dumps(build.bundle(build.patient(), other)).replace("12345", HUGE))

    assert (400, True) == (answer.status_code, "2 Patients" in person.words)


def test_sends_a_bundle_without_its_blanks(person):
    """However a Bundle is indented, the call is as large as an EHR's."""
    chart = build.bundle(build.patient(), build.condition(), build.mcv(), build.platelets())
    sent = []
    for indent in (None, 12):
        person.paste(json.dumps(chart, indent=indent), instance="")
        sent.append(json.loads(person.press("request").data)["prefetch"])
        sent.append(len(person.press("request").data))

    assert sent[:2] == sent[2:]


def test_says_that_a_call_grew_too_large(app):
    """What many keys ask for stands in the call many times; beyond the limit of a call it is refused as any other would be."""
    coded = [coding for result in (build.mcv(), build.crp(), build.lab("4544-3", 30, "%")) for coding in result["code"]["coding"]]
    chart = build.bundle(build.patient(), build.mcv(code={"coding": coded}, note=[{"text": "x" * 5_000_000}]))

    fields = {"source": "bundle", "bundle": json.dumps(chart), "act": "fire", "kept": "1"}
    parts = [f'--line\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]

    answer = browser(app).post("/simulator", data=f"{''.join(parts)}--line--\r\n".encode(), content_type="multipart/form-data; boundary=line")

    assert (200, "The service refused the call") == (answer.status_code, Form(answer.text).texts["answer"])
    assert "payload-too-large" == json.loads(Form(answer.text).texts["response"])["issue"][0]["details"]["text"]


def test_keeps_nothing_of_a_chart(app, person, log):
    """No line of the log, no metric and no address has anything of what was pasted."""
    chart = build.bundle(build.patient(id=MARK, name=[{"text": MARK}]), {**build.condition(), "subject": {"reference": f"Patient/{MARK}"}})

    person.paste(json.dumps(chart))

    assert 200 == person.answer.status_code
    assert [] == [line for line in log.lines if MARK in line]
    assert MARK not in browser(app).get("/metrics").text
    assert MARK not in str(person.answer.headers)


def test_shows_hostile_text_as_text(person):
    """Markup in a chart is text in every part of the page, and the policy lets nothing but our script and style through."""
    hostile = '</textarea></pre><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    named = build.condition(code={"coding": [{"system": build.ICD_10_CM, "code": "M94.1"}], "text": hostile})

    person.paste(json.dumps(build.bundle(build.patient(), named, build.mcv(), build.platelets())))

    assert 1 == person.answer.text.count("<script")
    assert "<img" not in person.answer.text
    policy = person.answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "no-store" == person.answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "sent",
    [{}, {"act": "lift"}, {"act": "accept.x"}, {"act": "override.x"}, {"act": "nonsense", "source": "nonsense", "prefetch": "nonsense", "hook": "x"}],
)
def test_answers_nonsense_with_a_page(app, sent):
    """Whatever is posted, there is a page and never a failure."""
    answer = browser(app).post("/simulator", data={"constructed": SWEET, **sent})

    assert answer.status_code in (200, 400)
    assert "text/html" == answer.mimetype


def test_knows_no_other_files(app):
    """A constructed patient is named among those of the folder, and a path is none."""
    answer = browser(app).post("/simulator", data={"constructed": "../../pyproject"})

    assert 404 == answer.status_code


@pytest.mark.parametrize(("path", "status"), [("/simulator", 404), ("/evidence", 400)])
def test_takes_no_notice_of_a_part_without_a_name(app, path, status):
    """A part of a form that has no name is none of its fields: no patient was chosen, and no Bundle sent."""
    parts = [b'Content-Disposition: form-data; filename="x"\r\n\r\nwords', b"Content-Disposition: form-data\r\n\r\nwords"]
    body = b"".join(b"--line\r\n" + part + b"\r\n" for part in parts) + b"--line--\r\n"

    answer = browser(app).post(path, data=body, content_type="multipart/form-data; boundary=line")

    assert status == answer.status_code
