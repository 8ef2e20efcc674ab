"""Over HTTP: what was answered is not shown again, across processes, until something is new or it is lifted; a silent client sees nothing."""

import json

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.storage.samples import rows
from tests.web.screen import browser

FEEDBACK = f"{build.SERVICE}/feedback"
SERVER = "http://127.0.0.1:9/r4"
CALLS = [f"d1577c69-dfbe-44ad-ba6d-3e05e953b{number:03x}" for number in range(10)]


def started(url, tmp_path, silent="", keys="k" * 64):
    """An application of its own on the database, with one registered client."""
    key, clients = tmp_path / "pseudonym.key", tmp_path / "clients.toml"
    key.write_text(keys, encoding="utf-8")
    clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n{silent}\n', encoding="utf-8")
    return checked_app(Settings(database=url, pseudonym_key_file=key, clients=clients, deadline=build.UNHURRIED), lambda: build.TODAY)


@pytest.fixture
def apps(url, database, tmp_path):
    """Two applications on one database."""
    both = [started(url, tmp_path) for _ in range(2)]
    yield both
    for app in both:
        app.extensions["counts"].close()
        app.extensions["recorder"].close()


def answer(app, number, prefetch=None, server=SERVER):
    """What leaves at one call."""
    request = build.request(prefetch or build.suspect(), hookInstance=CALLS[number], fhirServer=server)
    return app.test_client().post(build.SERVICE, json=request).json


def ask(app, number, prefetch=None, server=SERVER):
    """The cards of one call."""
    return answer(app, number, prefetch, server)["cards"]


def override(app, card, reason="patient-declines"):
    """Answer a card."""
    entry = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": reason, "system": card["overrideReasons"][0]["system"]}},
        "outcomeTimestamp": f"{build.TODAY}T08:00:00Z",
    }
    assert 200 == app.test_client().post(FEEDBACK, json={"feedback": [entry]}).status_code


def test_shows_an_answered_card_no_more(apps, database):
    """The next call, of any clinician and at any process, shows nothing; it is recorded why."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)

    assert [] == ask(apps[1], 1)
    assert {None, "answered"} == {row["withheld"] for row in rows(database, "card")}


def test_says_until_when_a_card_stays_away(apps):
    """An answer without a card names the topic that was answered, and the two days: six months for a patient who declines."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)

    (said,) = answer(apps[1], 1)["extension"].values()

    assert [{"topic": "vexas-test-uba1", "answered": "2026-11-22", "until": "2027-05-22"}] == said["silenced"]


def test_shows_again_what_nobody_answered(apps):
    """A card that was only shown comes again."""
    assert 1 == len(ask(apps[0], 0)) == len(ask(apps[1], 1))


def test_does_not_silence_another_client(apps):
    """The same patient id elsewhere is another patient."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)

    assert 1 == len(ask(apps[0], 1, server=None))


def test_comes_back_with_what_is_new(apps):
    """A strong finding that was not there brings the card back, which says so first."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)
    chart = build.suspect()
    chart["conditions"]["entry"].append({"resource": build.condition(code={"text": "Sweet syndrome"}, id="new")})

    (back,) = ask(apps[1], 1, chart)

    assert back["detail"].startswith(f"Shown again: answered on {build.TODAY}, and new since then: ")
    assert back["detail"].splitlines()[0].endswith(": Sweet syndrome or other neutrophilic dermatosis.")
    assert not card["detail"].startswith("Shown again")


def test_stays_silent_under_a_new_key(apps, url, tmp_path):
    """What was answered under a key that was retired still keeps the card away, and is lifted with the rest."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)
    later = started(url, tmp_path, keys=f"{'n' * 64}\n{'k' * 64}\n")

    silent = ask(later, 1)
    browser(later).post("/governance/snoozes", data={"client": "north", "patient": build.PATIENT_ID, "lift": "1"})
    lifted = ask(later, 2)
    later.extensions["counts"].close()
    later.extensions["recorder"].close()

    assert ([], 1) == (silent, len(lifted))


@pytest.mark.parametrize("silent", ["silent = true", 'silent = ["vexas-test-uba1"]'])
def test_records_and_shows_nothing_in_silent_mode(url, database, tmp_path, silent):
    """Everything is evaluated and recorded, and no card leaves."""
    app = started(url, tmp_path, silent)

    cards = ask(app, 0)
    app.extensions["counts"].close()
    app.extensions["recorder"].close()

    (stored,) = rows(database, "card")
    assert [] == cards
    assert ("vexas-test-uba1", "silent") == (stored["topic"], stored["withheld"])


def test_says_in_the_log_only_what_was_shown(apps, log):
    """The line of a call counts the cards that left."""
    (card,) = ask(apps[0], 0)
    override(apps[0], card)
    ask(apps[0], 1)

    lines = [json.loads(line[line.index("{") :]) for line in dict.fromkeys(log.lines) if "hook.answered" in line]
    assert [(1, "test"), (0, "")] == [(line["cards"], line["topics"]) for line in lines]
