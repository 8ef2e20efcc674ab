"""What is older than a period is deleted whole, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner

from cds_service.cli import cli
from cds_service.storage.records import GeneResult, Tally, Visitor
from tests.storage.samples import NOON, access, decision, feedback, rows

TODAY = dt.datetime.now(dt.UTC).date()
SECRET = "Mark-of-Somebody"


@pytest.fixture
def environment(url, tmp_path):
    """The settings of the commands."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    return {"CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": str(key)}


def filled(database, *days):
    """Everything that is kept of a day, for each of some days."""
    for number, day in enumerate(days, 1):
        at = dt.datetime.combine(day, dt.time(12), dt.UTC)

        def keep(book, number=number, day=day, at=at):
            book.record(decision(number, day=day, at=at))
            book.keep(feedback(number, at=at, comment=SECRET), at)
            book.lift("north", f"{number:064}", at)
            book.count(
                {Tally(day, "north", "vexas", "d" * 12, "0.1.0", "call", "shown"): 1}, [Visitor(day, "north", "vexas", "d" * 12, f"{number:016}")], []
            )
            book.use_token("north", f"{number:064}", at, at)
            book.count({}, [], [GeneResult("north", "vexas", f"{number:064}", "negative", None, day)])
            book.access([access(number, at=at, search=f"Condition?_count={number}")])

        database.work(keep)


def test_deletes_what_is_older_than_a_day(database):
    """The day itself stays, the day before goes: decision, card, feedback, lift, counts, used tokens and accesses alike."""
    filled(database, NOON.date() - dt.timedelta(days=1), NOON.date())

    deleted = database.purge(NOON.date())

    tables = ("decision", "card", "feedback", "lift", "tally", "visitor", "gene_result", "used_token", "access", "access_query")
    assert dict.fromkeys(tables, 1) == deleted
    assert [1] * len(tables) == [len(rows(database, table)) for table in tables]
    assert [str(NOON.date())] == [str(row["day"]) for row in rows(database, "decision")]


def test_leaves_nothing_in_the_file(database):
    """What a clinician typed is not in a SQLite file any more, neither in a free page nor in its journal."""
    filled(database, NOON.date())

    database.purge(NOON.date() + dt.timedelta(days=1))
    database.close()

    if database.file:
        assert not [path for path in database.file.parent.glob(f"{database.file.name}*") if SECRET.encode() in path.read_bytes()]


def test_purges_by_a_period(environment, database):
    """Of two years the last 24 months stay; what was deleted is told table by table."""
    filled(database, TODAY - dt.timedelta(days=800), TODAY - dt.timedelta(days=300))

    done = CliRunner(env=environment).invoke(cli, ["purge", "--older-than", "P24M"], catch_exceptions=False)

    assert "decision: 1 row from before" in done.output
    assert 1 == len(rows(database, "feedback"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["P364D"], "would end snoozes: an answer silences for up to P12M"),
        (["P0D"], "would end snoozes"),
        (["24 months"], "is no period"),
    ],
)
def test_refuses_what_would_end_snoozes_or_is_no_period(environment, database, arguments, sentence):
    """A patient who declined is not asked again because somebody saved space."""
    filled(database, TODAY - dt.timedelta(days=800))

    done = CliRunner(env=environment).invoke(cli, ["purge", "--older-than", *arguments])

    assert sentence in str(done.exception)
    assert 1 == len(rows(database, "decision"))


def test_ends_snoozes_if_it_is_told_to(environment, database):
    """Whoever says so deletes them, too."""
    filled(database, TODAY - dt.timedelta(days=300))

    CliRunner(env=environment).invoke(cli, ["purge", "--older-than", "P6M", "--snoozes-too"], catch_exceptions=False)

    assert [] == rows(database, "feedback")
