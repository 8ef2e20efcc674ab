"""Decisions and feedback as they are written and found again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.storage.tables import CARD, DECISION, FEEDBACK

_INSERT: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ShownCard(NamedTuple):
    """A card of a decision; `suggestions` has the draft order of each suggestion's uuid."""

    uuid: str
    topic: str
    indicator: str
    suggestions: Mapping[str, str]
    shown: bool = True


class Decision(NamedTuple):
    """One call that led to cards: who called, whose chart by pseudonym, what was found by which knowledge, and the cards."""

    id: str
    at: dt.datetime
    client: str
    service: str
    hook: str
    patient: str
    day: dt.date
    tier: str | None
    genetics: str
    findings: Mapping[str, str]
    knowledge: str
    version: str
    digest: str
    cards: tuple[ShownCard, ...]


class Issued(NamedTuple):
    """A card that was issued: to whom, by which service, and what could be accepted."""

    client: str
    service: str
    suggestions: frozenset[str]


class Feedback(NamedTuple):
    """What a clinician did with a card, and when; `rest` are members of the entry that the standard does not know."""

    card: str
    outcome: str
    at: dt.datetime
    accepted: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    comment: str | None = None
    rest: Mapping[str, Any] = {}

    @property
    def id(self) -> str:
        """A hash of everything that was said, so that the same words are the same feedback."""
        said = {**self._asdict(), "at": self.at.astimezone(dt.UTC).isoformat(), "accepted": sorted(self.accepted)}
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


class Records:
    """What a transaction writes and reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, decision: Decision) -> None:
        """Write a decision and its cards; one that is there already, because the call was repeated, stays as it is."""
        row = {k: v for k, v in decision._asdict().items() if k != "cards"}
        if self._once(DECISION, row):
            for card in decision.cards:
                self._once(CARD, {**card._asdict(), "decision": decision.id})

    def issued(self, uuid: str) -> Issued | None:
        """The card of this uuid, if one was issued."""
        if not _UUID.fullmatch(uuid):
            return None
        columns = (DECISION.c.client, DECISION.c.service, CARD.c.suggestions)
        row = self._connection.execute(select(*columns).join(CARD, CARD.c.decision == DECISION.c.id).where(CARD.c.uuid == uuid)).one_or_none()
        return Issued(row.client, row.service, frozenset(row.suggestions)) if row else None

    def keep(self, feedback: Feedback, received: dt.datetime) -> bool:
        """Write feedback once; False if it is there already."""
        return self._once(FEEDBACK, {"id": feedback.id, **feedback._asdict(), "accepted": list(feedback.accepted), "received": received})

    def answers(self) -> bool:
        """True, if anything answers at all."""
        return bool(self._connection.execute(select(1)).scalar_one())

    def _once(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert a row whose key is not there yet; False if it is."""
        added = _INSERT[self._connection.dialect.name](table).values(**row).on_conflict_do_nothing().returning(*table.primary_key)
        return self._connection.execute(added).first() is not None
