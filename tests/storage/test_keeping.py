"""The commands about what is kept."""

import csv
import datetime as dt
import io
import json

import pytest
from click.testing import CliRunner

from cds_service.cli import cli
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.tables import METADATA, NEWEST
from tests import build
from tests.storage.samples import decision, feedback

CODE = build.KNOWLEDGE.module.topics.test.code
ROWS = {"decision": "1 row", "card": "1 row", "feedback": "1 row"}
SNOOZES = ["snoozes", "--client", "north", "--patient", "p1"]


@pytest.fixture
def environment(url, tmp_path):
    """The settings of the commands."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    clients = tmp_path / "clients.toml"
    clients.write_text('[[client]]\nname = "north"\nfhir_server = "https://ehr.example.org/r4"\n', encoding="utf-8")
    return {"CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": str(key), "CDS_CLIENTS": str(clients)}


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
    database.work(lambda book: book.keep(feedback(at=now, reason_code="not-now", reason_system=build.KNOWLEDGE.module.override_reasons.system), now))

    shown, lifted, after = said(environment, *SNOOZES), said(environment, *SNOOZES, "--lift"), said(environment, *SNOOZES)

    until = now.date() + dt.timedelta(days=14)
    assert f"{CODE}: answered on {now.date()}, silent until {until} unless something strong is new" in shown
    assert ["1 answer lifted", "nothing is silent"] == [lifted, after]


def test_finds_nothing_of_a_stranger(environment, database):
    """A patient whom nobody answered for has nothing silent."""
    assert "nothing is silent" == said(environment, *SNOOZES)


def test_refuses_a_client_that_is_none(environment, database):
    """A misspelt name would find nothing, and reassure."""
    done = CliRunner(env=environment).invoke(cli, ["snoozes", "--client", "nroth", "--patient", "p1"])

    assert "There is no such client in clients.toml" in str(done.exception)


def test_makes_no_database_where_it_reads(environment, tmp_path):
    """A wrong folder is named, and stays empty."""
    environment["CDS_DATABASE"] = f"sqlite:///{tmp_path}/other/cds.db"

    done = CliRunner(env=environment).invoke(cli, SNOOZES)

    assert "is not there" in str(done.exception)
    assert not (tmp_path / "other").exists()


def test_exports_every_table(environment, database, tmp_path):
    """Each table is a CSV file with the names of its columns; texts, moments and JSON come through whole, and no text is a formula."""
    said_so = 'Said "no",\nand =1+1 \N{SNOWMAN}'
    database.work(lambda book: (book.record(decision()), book.keep(feedback(comment=said_so, reason_code="=cmd()"), decision().at)))

    told = said(environment, "database", "export", str(tmp_path / "out"))

    read = {path.stem: list(csv.DictReader(io.StringIO(path.read_bytes().decode()))) for path in (tmp_path / "out").glob("*.csv")}
    (kept,) = read["feedback"]
    assert {f"{table}.csv: {ROWS.get(table, '0 rows')}" for table in METADATA.tables} == set(told.splitlines())
    assert set(METADATA.tables) == set(read)
    assert (said_so, "'=cmd()", "2026-11-22T12:00:00Z", "") == (kept["comment"], kept["reason_code"], kept["at"], kept["reason_system"])
    assert {"macrocytosis": "present", "vte": "unknown"} == json.loads(read["decision"][0]["findings"])


def test_exports_into_no_folder_that_holds_something(environment, database, tmp_path):
    """What is there is not overwritten."""
    (tmp_path / "a.txt").touch()

    done = CliRunner(env=environment).invoke(cli, ["database", "export", str(tmp_path)])

    assert "holds something" in str(done.exception)
