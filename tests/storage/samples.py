"""Decisions and feedback that tests write, and a look at what is stored."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from cds_service.storage.database import Database
from cds_service.storage.records import Access, Decision, Feedback, IssuedCard

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
SUGGESTION = "0d1f7a5e-9f5e-4a37-9b9e-0b5d6f1c2a11"


def uuid_of(number: int) -> str:
    """The uuid of a number, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def decision(number: int = 1, **members: Any) -> Decision:
    """A decision with one card, whose uuid is that of the number."""
    card = IssuedCard(uuid=uuid_of(number), topic="test", indicator="warning", suggestions={SUGGESTION: "UBA1 sequencing in blood"})
    usual = {
        "id": uuid_of(-number),
        "at": NOON,
        "client": "north",
        "service": "vexas",
        "hook": "patient-view",
        "patient": "0" * 64,
        "day": NOON.date(),
        "tier": "test",
        "genetics": "none",
        "findings": {"macrocytosis": "present", "vte": "unknown"},
        "knowledge": "vexas",
        "version": "0.1.0",
        "digest": "d" * 64,
        "cards": (card,),
    }
    return Decision(**{**usual, **members})


def feedback(number: int = 1, **members: Any) -> Feedback:
    """Feedback on the card of a decision."""
    return Feedback(**{"card": uuid_of(number), "outcome": "overridden", "at": NOON, **members})


def access(number: int = 1, **members: Any) -> Access:
    """A search for problems that succeeded."""
    usual = {
        "id": uuid_of(number),
        "at": NOON,
        "client": "north",
        "hook": "patient-view",
        "patient": "0" * 64,
        "key": "conditions",
        "page": 1,
        "server": "https://ehr.example.org/r4",
        "search": "Condition?patient={{context.patientId}}",
        "outcome": "success",
    }
    return Access(**{**usual, **members})


def rows(database: Database, table: str) -> list[dict[str, Any]]:
    """Everything in a table."""
    with database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]  # noqa: S608 - names of our own tables


def created(url: str, name: str) -> str:
    """The URL of a database of this name, made on the server of a PostgreSQL database."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def emptied(url: str) -> None:
    """Take every table off a PostgreSQL database."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
