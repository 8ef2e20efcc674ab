"""What a call leaves behind: a decision where a card was shown, nothing where none was, and never a lost answer."""

import json

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.storage.samples import rows

FEEDBACK = f"{build.SERVICE}/feedback"
MARK = "Mark-of-Somebody"
WHEN = "2026-11-22T12:00:00Z"


@pytest.fixture
def client(url, database, tmp_path):
    """The application with this database."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    app = checked_app(Settings(database=url, pseudonym_key_file=key, deadline=build.UNHURRIED), lambda: build.TODAY)
    yield app.test_client()
    app.extensions["counts"].close()
    app.extensions["recorder"].close()


def ask(client, prefetch, **members):
    """The cards of a call."""
    return client.post(build.SERVICE, json=build.request(prefetch, **members)).json["cards"]


def test_records_what_was_shown(client, database):
    """The decision tells client, hook, tier, knowledge and each finding with its truth; the card tells what it offered."""
    (card,) = ask(client, build.suspect())

    (decision,) = rows(database, "decision")
    (stored,) = rows(database, "card")
    findings = decision["findings"] if isinstance(decision["findings"], dict) else json.loads(decision["findings"])
    suggestions = stored["suggestions"] if isinstance(stored["suggestions"], dict) else json.loads(stored["suggestions"])
    assert ("open", "patient-view", "test", build.KNOWLEDGE.digest) == tuple(decision[c] for c in ("client", "hook", "tier", "digest"))
    assert "present" == findings["macrocytosis"]
    assert (card["uuid"], card["source"]["topic"]["code"], "warning") == (stored["uuid"], stored["topic"], stored["indicator"])
    assert {s["uuid"]: s["label"] for s in card["suggestions"]} == suggestions


def test_names_nobody(client, database):
    """Neither the patient's id nor anything else of the chart stands in the database; the same patient has the same pseudonym."""
    for instance in ("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "d1577c69-dfbe-44ad-ba6d-3e05e953b2eb"):
        ask(client, build.suspect(), hookInstance=instance)

    decisions = rows(database, "decision")
    patient = build.request(build.suspect())["context"]["patientId"]
    assert 2 == len(decisions)
    assert 1 == len({row["patient"] for row in decisions})
    assert patient not in json.dumps(decisions + rows(database, "card"), default=str)


def test_touches_no_disk_for_an_empty_answer(client, database):
    """A healthy patient leaves nothing behind."""
    assert [] == ask(client, build.healthy())
    assert [] == rows(database, "decision")


def test_records_a_repeated_call_once(client, database):
    """The same hookInstance is the same decision, and its answer the same bytes."""
    assert ask(client, build.suspect()) == ask(client, build.suspect())
    assert 1 == len(rows(database, "decision"))


@pytest.mark.requirement("cds-hooks_2.0@148")
def test_takes_feedback_on_a_card_that_was_shown(client, database):
    """What a clinician did with a card comes back to the decision that issued it."""
    (card,) = ask(client, build.suspect())
    entry = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}], "outcomeTimestamp": WHEN}

    answer = client.post(FEEDBACK, json={"feedback": [entry]})

    assert (200, "1 entry is stored.") == (answer.status_code, answer.json["issue"][0]["diagnostics"])
    assert [card["uuid"]] == [row["card"] for row in rows(database, "feedback")]


def test_answers_400_with_each_fault_and_stores_the_rest(client, database):
    """The body names the place of each entry that was refused, and how many were stored."""
    (card,) = ask(client, build.suspect())
    good = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN}

    answer = client.post(FEEDBACK, json={"feedback": [{**good, "outcome": "maybe"}, good]})

    assert 400 == answer.status_code
    assert [["/feedback/0/outcome"], None] == [issue.get("expression") for issue in answer.json["issue"]]
    assert 1 == len(rows(database, "feedback"))


@pytest.mark.parametrize(("path", "status"), [("/cds-services/other/feedback", 404), (f"{FEEDBACK}/", 400)])
def test_takes_feedback_at_the_path_of_its_service(client, path, status):
    """The path is the service's with /feedback behind it."""
    assert status == client.post(path, json={"feedback": []}).status_code


def test_repeats_nothing_of_feedback(client, log):
    """What a clinician typed, a reason, or a card that is none reaches neither the log nor the answer."""
    (card,) = ask(client, build.suspect())
    reason = {"reason": {"code": MARK, "system": MARK, "display": MARK}, "userComment": MARK}
    good = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN, "overrideReason": reason, "extension": {"x": MARK}}
    bad = [{**good, "outcome": MARK}, {**good, "card": MARK}, {**good, "outcomeTimestamp": MARK}, {**good, "overrideReason": MARK}, MARK]

    answer = client.post(FEEDBACK, json={"feedback": [good, *bad]})

    assert 1 + len(bad) == len(answer.json["issue"])
    assert MARK not in answer.text + "".join(log.lines)


def test_answers_without_its_database(client, database, log):
    """Cards leave although they cannot be recorded; the loss is counted and told, and feedback is to come again."""
    (card,) = ask(client, build.suspect())
    database.downgrade()

    cards = ask(client, build.suspect(), hookInstance="d1577c69-dfbe-44ad-ba6d-3e05e953b2eb")
    state = client.get("/readyz").json
    feedback = client.post(FEEDBACK, json={"feedback": [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN}]})

    assert 1 == len(cards)
    assert 1 == state["decisionsLost"]
    assert any("decision.lost" in line for line in log.lines)
    assert (503, "5") == (feedback.status_code, feedback.headers["Retry-After"])


def test_is_ready_and_says_whether_its_database_answers(client):
    """Both health paths answer without a call."""
    assert {"status": "alive"} == client.get("/livez").json
    assert {"status": "ready", "database": "answers", "decisionsLost": 0, "accessesLost": 0} == client.get("/readyz").json
