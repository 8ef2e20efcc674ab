"""The application under test, a client that checks every answer, the knowledge, and the log."""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.pool import Pool

from cds_service.knowledge import yaml12
from cds_service.knowledge.loader import Knowledge
from cds_service.settings import Settings
from cds_service.storage.database import Database
from tests import build
from tests.fakes import Log, checked_app


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors, since each test is now and then waited for."""
    return 3 * (os.cpu_count() or 1) // 2


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay to the end, so the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """Hundreds of tests load a copy of the module with one file changed: the other files' texts are read once."""
    read, found = yaml12.read, {}

    def once(path: Path) -> yaml12.Document:
        text = (path.name, path.read_bytes() if path.is_file() else None)
        if text not in found:
            found[text] = read(path)
        return found[text]

    yaml12.read = once
    yield
    yaml12.read = read


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every migration, which takes a while to make and none to copy."""
    file = tmp_path_factory.mktemp("migrated") / "cds.db"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return file


@pytest.fixture(scope="session", autouse=True)
def _migrated_once(migrated: Path) -> Iterator[None]:
    """Hundreds of tests have a database in memory: it begins with every migration."""
    with closing(sqlite3.connect(migrated, check_same_thread=False)) as file:

        def begin(connection: Any, _record: object) -> None:
            if isinstance(connection, sqlite3.Connection) and not connection.execute("PRAGMA database_list").fetchone()[2]:
                file.backup(connection)

        event.listen(Pool, "connect", begin)
        yield
        event.remove(Pool, "connect", begin)


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application with default settings, on the day on which the fixtures are true."""
    return checked_app(Settings(), lambda: build.TODAY)


@pytest.fixture(scope="session")
def client(app: Flask) -> FlaskClient:
    """A client whose every answer is checked against the schemas."""
    return app.test_client()


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The shipped knowledge module."""
    return build.KNOWLEDGE


@pytest.fixture
def log() -> Iterator[Log]:
    """Everything that any logger says during a test."""
    log = Log()
    loggers = (logging.getLogger(), logging.getLogger("cds_service"))
    before = [one.level for one in loggers]
    for one in loggers:
        one.addHandler(log)
        one.setLevel(logging.DEBUG)
    yield log
    for one, level in zip(loggers, before, strict=True):
        one.removeHandler(log)
        one.setLevel(level)
