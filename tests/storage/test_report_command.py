"""`cds-service report`: the page's report without a server."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from click.testing import CliRunner

from cds_service.cli import cli
from cds_service.errors import SettingsError
from cds_service.storage.records import Tally

CALLS = {"shown": 20, "nothing": 30}


@pytest.fixture
def environment(url, tmp_path):
    """The settings of the command."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    return {"CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": str(key)}


def counted(database, day, client="north", **calls):
    """Write calls of a day."""
    tallies = {Tally(day, client, "vexas", "d" * 12, "0.1.0", "call", which): count for which, count in (calls or CALLS).items()}
    database.work(lambda book: book.count(tallies, (), ()))


def today():
    """The day on which the command runs, in the time zone of its settings."""
    return dt.datetime.now(dt.UTC).date()


def said(environment, *arguments):
    """What the command prints."""
    done = CliRunner(env=environment).invoke(cli, ["report", *arguments], catch_exceptions=False)
    assert 0 == done.exit_code
    return done.output


def numbers(environment, *arguments):
    """The figures of the JSON, without those of which there are none."""
    return {
        (f["section"], f["item"]): f["number"] for f in json.loads(said(environment, *arguments, "--format", "json"))["figures"] if f["number"] != 0
    }


def refusal(environment, *arguments):
    """The sentence with which the command refuses."""
    done = CliRunner(env=environment).invoke(cli, ["report", *arguments])
    assert isinstance(done.exception, SettingsError)
    return done.exception.public


def test_prints_a_page_that_needs_nothing_else(environment, database):
    """Without a format it is the page, with its plot, and without forms that nobody would answer."""
    counted(database, today())

    text = said(environment)

    assert text.startswith("<!doctype html>")
    assert "<svg" in text
    assert "<form" not in text
    assert ">50<" in text


def test_prints_the_same_figures_as_csv_and_json(environment, database):
    """Each figure of one is in the other."""
    counted(database, today())

    rows = [row for row in csv.DictReader(io.StringIO(said(environment, "--format", "csv"))) if row["number"] != "0"]

    expected = {("calls", "calls"): 50, ("outcomes", "shown"): 20, ("outcomes", "nothing"): 30}
    assert expected == numbers(environment) == {(row["section"], row["item"]): int(row["number"]) for row in rows}


@pytest.mark.parametrize(("ago", "there"), [(27, True), (28, False)])
def test_tells_of_the_last_four_weeks(environment, database, ago, there):
    """Without days the span is 28 days to today."""
    counted(database, today() - dt.timedelta(days=ago))

    assert there == bool(numbers(environment))


@pytest.mark.parametrize(
    ("arguments", "there"),
    [
        (["--from", "2026-10-05", "--to", "2026-10-05"], True),
        (["--to", "2026-11-02"], False),
    ],
)
def test_takes_days(environment, database, arguments, there):
    """Both days are in the span; without the first it is the 28 days to the last."""
    counted(database, dt.date(2026, 10, 5))

    assert there == bool(numbers(environment, *arguments))


def test_tells_of_one_client(environment, database):
    """Only that one's calls."""
    counted(database, today())
    counted(database, today(), "south", shown=40, nothing=60)

    assert [50, 150] == [numbers(environment, *which)["calls", "calls"] for which in (["--client", "north"], [])]


def test_refuses_a_client_that_never_called(environment, database):
    """A misspelt name would find nothing, and reassure; the sentence names those that there are."""
    counted(database, today())

    assert "no call of a client 'nroth' was ever counted. Use one of north." == refusal(environment, "--client", "nroth")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2026-11-02", "--to", "2026-11-01"], "--from 2026-11-02 is after --to 2026-11-01"),
        (["--from", "0001-01-01"], "--from 0001-01-01 is too far away"),
        (["--to", "0001-01-01"], "--to 0001-01-01 is too far away"),
        (["--to", "9999-12-31"], "--to 9999-12-31 is too far away"),
    ],
)
def test_refuses_days_that_are_no_span(environment, database, arguments, sentence):
    """The wrong order, and days from which no calendar counts on, are named with the remedy."""
    assert refusal(environment, *arguments).startswith(sentence)


@pytest.mark.parametrize("arguments", [["--from", "x"], ["--to", "2026-02-30"], ["--format", "pdf"]])
def test_refuses_what_it_cannot_read(environment, database, arguments):
    """A day that is none and an unknown format end the command before it reads anything."""
    done = CliRunner(env=environment).invoke(cli, ["report", *arguments])

    assert 2 == done.exit_code
    assert f"Invalid value for '{arguments[0]}'" in done.output


def test_makes_no_database_where_it_reads(environment, tmp_path):
    """A wrong folder is named, and stays empty."""
    environment["CDS_DATABASE"] = f"sqlite:///{tmp_path}/other/cds.db"

    assert "is not there" in refusal(environment)
    assert not (tmp_path / "other").exists()


def test_needs_no_key(environment, database):
    """A report names nobody, so the key of the names stays where it is."""
    counted(database, today())
    del environment["CDS_PSEUDONYM_KEY_FILE"]

    assert 50 == numbers(environment)["calls", "calls"]
