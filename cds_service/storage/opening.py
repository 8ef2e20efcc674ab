"""A database ready for use, and the key that belongs to it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from cds_service.errors import SettingsError
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import SHORTEST_KEY, Pseudonyms, kept_key, read_keys


def prepared(url: str, key_file: Path | None) -> str:
    """Make ready what the workers will open, so that a fault stops the start; the URL without its password. Raises SettingsError."""
    database = opened(url)
    try:
        pseudonyms(database, key_file)
    finally:
        database.close()
    return database.shown


def opened(url: str) -> Database:
    """A database that has every migration. SQLite gets them now; a server has to have them. Raises SettingsError."""
    database = Database(url)
    try:
        if database.file:
            _for_its_owner(database.file)
        if database.in_memory or database.file:
            database.upgrade()
        database.require_newest()
    except SettingsError:
        database.close()
        raise
    return database


def _for_its_owner(file: Path) -> None:
    """Make a file that only its owner may read, as what clinicians typed stands in it; what cannot be made is told when it is opened."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)


def pseudonyms(database: Database, key_file: Path | None) -> Pseudonyms:
    """By the key in a file; a SQLite file has its own beside it. Raises SettingsError."""
    if key_file:
        return Pseudonyms(*read_keys(key_file))
    if database.in_memory:
        return Pseudonyms(secrets.token_bytes(SHORTEST_KEY))
    if database.file:
        beside = database.file.with_name(f"{database.file.name}.key")
        kept_key(beside)
        return Pseudonyms(*read_keys(beside))
    raise SettingsError(
        "CDS_PSEUDONYM_KEY_FILE is not set, and PostgreSQL has no file beside which a key could stand. "
        "Write one with openssl rand -hex 32 > pseudonym.key, and give every process the same."
    )
