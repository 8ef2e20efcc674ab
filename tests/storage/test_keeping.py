"""The commands about what is kept."""

import datetime as dt

import pytest
from click.testing import CliRunner

from cds_service.cli import cli
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.tables import NEWEST
from tests import build
from tests.storage.samples import decision, feedback

CODE = build.KNOWLEDGE.module.topics.test.code
SNOOZES = ["snoozes", "--client", "north", "--patient", "p1"]


@pytest.fixture
def environment(url, tmp_path):
    """The settings of the commands."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    return {"CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": str(key)}


def said(environment, *arguments):
    """What a command prints."""
    done = CliRunner(env=environment).invoke(cli, list(arguments), catch_exceptions=False)
    assert 0 == done.exit_code
    return done.output.strip()


def test_upgrades_a_database_and_says_so(environment, url):
    """From none to the newest schema; a second time there is nothing to do."""
    first, second = (said(environment, "database", "upgrade") for _ in range(2))

    database = Database(url)
    assert f"schema none -> {NEWEST}" in first
    assert f"schema {NEWEST} -> {NEWEST}" in second
    assert NEWEST == database.version()
    database.close()


def test_shows_and_lifts_what_is_silent(environment, database):
    """The topic is named with both days; after lifting nothing is silent."""
    from_today = decision(patient=Pseudonyms(b"k" * 64).of("north", "p1"))
    (card,) = from_today.cards
    now = dt.datetime.now(dt.UTC)
    database.work(lambda book: book.record(from_today._replace(cards=(card._replace(topic=CODE),))))
    database.work(lambda book: book.keep(feedback(at=now, reason_code="not-now"), now))

    shown, lifted, after = said(environment, *SNOOZES), said(environment, *SNOOZES, "--lift"), said(environment, *SNOOZES)

    until = now.date() + dt.timedelta(days=14)
    assert f"{CODE}: answered on {now.date()}, silent until {until} unless something strong is new" in shown
    assert ["nothing is silent"] * 2 == [lifted, after]


def test_finds_nothing_of_a_stranger(environment, database):
    """A patient whom nobody answered for has nothing silent."""
    assert "nothing is silent" == said(environment, *SNOOZES)
