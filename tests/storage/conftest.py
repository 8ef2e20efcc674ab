"""An empty database for each test: SQLite in a file, or the PostgreSQL server that tests/storage/postgresql.py started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.storage.database import Database
from tests.storage.postgresql import VARIABLE
from tests.storage.samples import emptied


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database that holds nothing, not even tables."""
    server = os.environ.get(VARIABLE)
    if not server:
        return f"sqlite:///{tmp_path}/cds.db"
    emptied(server)
    return server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite file with every migration, which takes a while to make and none to copy."""
    path = tmp_path_factory.mktemp("migrated") / "cds.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.read_bytes()


@pytest.fixture
def database(url: str, migrated: bytes) -> Iterator[Database]:
    """A database with every migration."""
    database = Database(url)
    if database.file:
        database.file.write_bytes(migrated)
    database.upgrade()
    yield database
    database.close()
