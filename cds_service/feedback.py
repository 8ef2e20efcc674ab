"""The line of one feedback: bytes in, each entry stored or refused with its place. Knows nothing of HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from cds_service.errors import InvalidRequest, RequestError, UnknownService
from cds_service.protocol.feedback import Entry, card_of, read_entry, read_feedback
from cds_service.storage import records
from cds_service.storage.database import Database
from cds_service.trust.clients import UNKNOWN, Clients

_NOT_FOUND = "no card of this uuid was issued to this client by this service; send the card.uuid of an answer of ours"


class Taken(NamedTuple):
    """How many entries were stored, how many were there already, and what was wrong with the others."""

    stored: int
    known: int
    refused: tuple[RequestError, ...]


class Desk:
    """Takes feedback for one service. What it answers for is on disk by then."""

    def __init__(
        self, service_id: str, database: Database, clients: Clients, now: Callable[[], dt.datetime], settle: Callable[[], None] = lambda: None
    ) -> None:
        self._service_id = service_id
        self._database = database
        self._dialects = {c.name: c.dialect for c in (UNKNOWN, *clients.registered)}
        self._now = now
        self._settle = settle

    def take(self, service_id: str, body: bytes, caller: str | None = None) -> Taken:
        """Store what a body says. `caller` is the client that sends it, where that is known; it has only its own cards.

        Raises RequestError for a body that is none, and StorageUnavailable.
        """
        if service_id != self._service_id:
            raise UnknownService("There is no such CDS service. GET /cds-services lists them.")
        entries = read_feedback(body)
        received = self._now()
        self._settle()  # a card that has just left may not be on record yet

        def store(book: records.Records) -> Taken:
            good, refused = [], []
            for number, raw in enumerate(entries):
                try:
                    good.append(self._judged(book, raw, f"/feedback/{number}", caller, received))
                except RequestError as error:
                    refused.append(error)
            # In one order, so that two processes that store the same batch do not wait for each other.
            new = sum(book.keep(one, received) for one in sorted(good, key=lambda feedback: feedback.id))
            return Taken(new, len(good) - new, tuple(refused))

        return self._database.soon(store, durable=True)

    def _judged(self, book: records.Records, raw: Any, place: str, caller: str | None, received: dt.datetime) -> records.Feedback:
        """An entry about a card of ours. Raises InvalidRequest."""
        uuid = card_of(raw, place)
        card = book.issued(uuid)
        if card is None or card.service != self._service_id or caller not in (None, card.client):
            raise InvalidRequest(f"{place}/card: {_NOT_FOUND}.", place=f"{place}/card")
        dialect = self._dialects.get(card.client, UNKNOWN.dialect)
        entry = read_entry(dialect.feedback(raw), place, received)
        for number, suggestion in enumerate(entry.accepted):
            if suggestion not in card.suggestions:
                where = f"{place}/acceptedSuggestions/{number}/id"
                raise InvalidRequest(f"{where}: the card has no such suggestion. Send the suggestion.uuid of the card.", place=where)
        return _row(entry)


def _row(entry: Entry) -> records.Feedback:
    reason = entry.reason
    return records.Feedback(
        card=entry.card,
        outcome=entry.outcome,
        at=entry.at,
        accepted=tuple(dict.fromkeys(entry.accepted)),
        reason_system=_storable(reason.system) if reason else None,
        reason_code=_storable(reason.code) if reason else None,
        reason_display=_storable(reason.display) if reason and reason.display else None,
        comment=_storable(entry.comment) if entry.comment else None,
        rest=entry.rest,
    )


def _storable(text: str) -> str:
    """A text that PostgreSQL takes, which knows no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
