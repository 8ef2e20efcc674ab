"""The schema comes and goes step by step, with data in it."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from cds_service.errors import SettingsError
from cds_service.storage import database as module
from cds_service.storage.database import Database
from cds_service.storage.records import GeneResult, Tally, Visitor
from cds_service.storage.tables import METADATA, NEWEST
from tests.storage.samples import NOON, access, decision, feedback, rows

DAY = NOON.date()
TALLY = Tally(DAY, "north", "vexas", "d" * 12, "0.1.0", "call", "shown")
VISITOR = Visitor(DAY, "north", "vexas", "d" * 12, "0" * 16)
RESULT = GeneResult("north", "vexas", "0" * 64, "confirmed", None, DAY)
COUNTS = ("tally", "visitor", "gene_result")
SCRIPTS = ScriptDirectory(str(module.Path(module.__file__).with_name("migrations")))


def test_ends_at_the_newest_migration(database):
    """The tables name the newest file in the folder of migrations."""
    assert [NEWEST] == SCRIPTS.get_heads()
    assert NEWEST == database.version()


def test_leads_to_the_tables_as_they_are_written(database):
    """What the migrations build is what the code expects, column by column."""
    with database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)

    assert [] == found


def test_goes_down_and_up_again_with_data(database):
    """Down to nothing takes the data along; up again takes new data."""
    database.work(lambda book: (book.record(decision()), book.keep(feedback(), NOON)))

    database.downgrade()
    with database.engine.connect() as connection:
        assert {"alembic_version"} == set(inspect(connection).get_table_names())
    database.upgrade()
    database.work(lambda book: book.record(decision()))

    assert 1 == len(rows(database, "decision"))
    assert [] == rows(database, "feedback")


def test_brings_counts_to_a_database_with_decisions(url):
    """From the first schema on decisions stay as they are and calls can be counted; back to it the counts go, and nothing else."""
    database = Database(url)
    database.upgrade("0001")
    database.work(lambda book: (book.record(decision()), book.keep(feedback(), NOON)))
    before = [rows(database, name) for name in ("decision", "card", "feedback")]

    database.upgrade()
    database.work(lambda book: book.count({TALLY: 3}, [VISITOR], [RESULT]))
    between = [rows(database, name) for name in ("decision", "card", "feedback")]
    counts = [len(rows(database, name)) for name in COUNTS]
    database.downgrade("0001")
    with database.engine.connect() as connection:
        left = set(inspect(connection).get_table_names())

    assert before == between == [rows(database, name) for name in ("decision", "card", "feedback")]
    assert [1, 1, 1] == counts
    assert "0001" == database.version()
    assert {"decision", "card", "feedback", "lift", "alembic_version"} == left
    database.close()


def test_brings_accesses_to_a_database_with_counts(url):
    """From the third schema on decisions, counts and tokens stay as they are and accesses can be kept; back to it these go, and nothing else."""
    database = Database(url)
    database.upgrade("0003")
    others = ("decision", "card", "feedback", *COUNTS, "used_token")
    database.work(lambda book: (book.record(decision()), book.keep(feedback(), NOON), book.count({TALLY: 3}, [VISITOR], [RESULT])))
    database.work(lambda book: book.use_token("north", "0" * 64, NOON, NOON))
    before = [rows(database, name) for name in others]

    database.upgrade()
    database.work(lambda book: book.access([access(1), access(2)]))
    between = [rows(database, name) for name in others]
    kept = [len(rows(database, name)) for name in ("access", "access_query")]
    database.downgrade("0003")
    with database.engine.connect() as connection:
        left = set(inspect(connection).get_table_names())

    assert before == between == [rows(database, name) for name in others]
    assert all(before)
    assert [2, 1] == kept
    assert "0003" == database.version()
    assert {*others, "lift", "alembic_version"} == left
    database.close()


def test_leaves_data_alone_when_there_is_nothing_to_do(database):
    """An upgrade of what is up to date changes nothing."""
    database.work(lambda book: book.record(decision()))

    database.upgrade()

    assert 1 == len(rows(database, "decision"))


def test_refuses_a_database_without_tables(url):
    """A database that was never upgraded is named with the remedy."""
    database = Database(url)

    with pytest.raises(SettingsError, match=f"has schema none, and this version needs {NEWEST}. Run cds-service database upgrade."):
        database.require_newest()

    database.close()


def test_refuses_a_database_of_a_newer_version(database):
    """A database that a newer version upgraded is left alone."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SettingsError, match="Use a newer version of the service"):
        database.require_newest()
