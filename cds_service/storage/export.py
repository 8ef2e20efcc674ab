"""Everything that is stored as CSV, for a hospital's analysts."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cds_service.storage.database import Database
from cds_service.storage.tables import METADATA

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 1000


def tables(database: Database) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Each table by its name, with its rows as texts, the names of the columns first, in the order of the keys."""
    with database.engine.connect() as connection:
        reading = connection.execution_options(yield_per=_AT_ONCE)
        for table in METADATA.sorted_tables:
            found = reading.execute(select(table).order_by(*table.primary_key))
            yield table.name, _texts([column.name for column in table.columns], found)


def _texts(names: list[str], rows: Iterable[Iterable[Any]]) -> Iterator[list[str]]:
    yield names
    yield from ([_text(value) for value in row] for row in rows)


def _text(value: Any) -> str:
    """A cell; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def write(path: Path, rows: Iterable[list[str]]) -> int:
    """Write rows as CSV in UTF-8; how many there are besides the names of the columns."""
    count = -1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for count, row in enumerate(rows):  # noqa: B007 - how far it came is the answer
            writer.writerow(row)
    return count
