"""An empty database for each test: SQLite in a file, or the PostgreSQL server that tests/storage/postgresql.py started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.storage.database import Database
from tests.storage.postgresql import VARIABLE
from tests.storage.samples import created, emptied


@pytest.fixture(scope="session")
def server(worker_id: str) -> str | None:
    """The URL of a PostgreSQL database for the tests of this process alone; None where SQLite is tried."""
    url = os.environ.get(VARIABLE)
    return created(url, worker_id) if url else None


@pytest.fixture
def url(tmp_path: Path, server: str | None) -> str:
    """The URL of a database that holds nothing, not even tables."""
    if server is None:
        return f"sqlite:///{tmp_path}/cds.db"
    emptied(server)
    return server


@pytest.fixture
def database(url: str, migrated: Path) -> Iterator[Database]:
    """A database with every migration."""
    database = Database(url)
    if database.file:
        shutil.copyfile(migrated, database.file)
    database.upgrade()
    yield database
    database.close()
