"""The tables, the same on SQLite and PostgreSQL. docs/storage.md says what each column holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, ForeignKey, Index, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.types import TypeDecorator

# The newest migration; a test holds it to the folder of migrations.
NEWEST = "0004"

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class Moment(TypeDecorator[dt.datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it goes in and comes back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """The moment in UTC; one without a time zone is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: ARG002
        """The moment, in UTC."""
        return None if value is None else value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


# One call that led to a card, shown or withheld. `patient` is an HMAC of client and patient id, never the id.
DECISION = Table(
    "decision",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("client", String(40), nullable=False),
    Column("service", String(64), nullable=False),
    Column("hook", String(64), nullable=False),
    Column("patient", String(64), nullable=False),
    Column("day", Date, nullable=False),
    Column("tier", String(64)),
    Column("genetics", String(64), nullable=False),
    Column("findings", JSON, nullable=False),
    Column("knowledge", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Index(None, "client", "patient"),
    Index(None, "at"),
    Index(None, "day"),
)

CARD = Table(
    "card",
    METADATA,
    Column("uuid", String(36), primary_key=True),
    Column("decision", String(36), ForeignKey("decision.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("topic", String(100), nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("withheld", String(16)),  # why it did not leave; null for one that did
    Column("evidence", JSON, nullable=False),  # what would bring it back, once answered, if it were new
    Column("suggestions", JSON, nullable=False),  # the draft order of each suggestion, by its uuid
)

# One thing that a clinician did with a card. `id` is a hash of all it says, so that what is sent twice is stored once.
FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("card", String(36), ForeignKey("card.uuid", ondelete="CASCADE"), nullable=False, index=True),
    # The decision's own, so that what was answered about a patient is found however often the chart was opened.
    Column("client", String(40), nullable=False),
    Column("patient", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("received", Moment, nullable=False),
    Column("accepted", JSON, nullable=False),  # uuids of suggestions
    Column("reason_system", Text),
    Column("reason_code", Text),
    Column("reason_display", Text),
    Column("comment", Text),
    Column("rest", JSON, nullable=False),  # members of the entry that the standard does not know
    Index(None, "client", "patient"),
    Index(None, "at"),
)

# Answers before this moment silence nothing any more for a patient.
LIFT = Table(
    "lift",
    METADATA,
    Column("client", String(40), primary_key=True),
    Column("patient", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)

# How often something was so in the calls of a day: counted in memory and added now and then, so that an empty answer touches
# no disk. `digest` is the first 12 figures of the knowledge's.
TALLY = Table(
    "tally",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("client", String(40), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("digest", String(12), primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("which", String(64), primary_key=True),
    Column("version", String(32), nullable=False),
    Column("count", BigInteger, nullable=False),
)

# Whose chart was opened on a day, to tell patients from calls; the name fits no other table's.
VISITOR = Table(
    "visitor",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("client", String(40), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("digest", String(12), primary_key=True),
    Column("patient", String(16), primary_key=True),
    sqlite_with_rowid=False,
)

# The first result of the gene that a call showed of a patient.
GENE_RESULT = Table(
    "gene_result",
    METADATA,
    Column("client", String(40), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("patient", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("resulted", Date),
    Column("seen", Date, nullable=False),
)

# A token that was used, for as long as it could come again. `token` is a SHA-256 of its client and its jti.
USED_TOKEN = Table(
    "used_token",
    METADATA,
    Column("client", String(40), primary_key=True),
    Column("token", String(64), primary_key=True),
    Column("until", Moment, nullable=False),
    Index(None, "until"),
)

# What FHIR servers are asked, without whom it is about: the same few for all patients. `id` is a hash of the rest.
ACCESS_QUERY = Table(
    "access_query",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("server", Text, nullable=False),
    Column("search", Text, nullable=False),
)

# One query that was sent to an EHR's FHIR server. `id` went along as X-Request-Id.
ACCESS = Table(
    "access",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("client", String(40), nullable=False),
    Column("hook", String(64), nullable=False),
    Column("patient", String(64), nullable=False),
    Column("key", Text, nullable=False),
    Column("page", SmallInteger, nullable=False),
    Column("query", String(32), ForeignKey("access_query.id"), nullable=False),
    Column("outcome", String(16), nullable=False),
    Index(None, "client", "patient"),
    Index(None, "at"),
)
