"""Decisions and feedback as they are written and found again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.storage.tables import ACCESS, ACCESS_QUERY, CARD, DECISION, FEEDBACK, GENE_RESULT, LIFT, TALLY, USED_TOKEN, VISITOR

_INSERT: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_MOST_ANSWERS = 50
# Statements are made once: making one takes longer than running it.
_ONCE = {
    (dialect, table.name): of(table).on_conflict_do_nothing().returning(*table.primary_key)
    for dialect, of in _INSERT.items()
    for table in (DECISION, CARD, FEEDBACK)
}
_MINE = (CARD.c.uuid == bindparam("its_uuid")) & (CARD.c.decision == bindparam("its_decision"))
_OTHERS = (CARD.c.uuid == bindparam("its_uuid")) & (CARD.c.decision != bindparam("its_decision"))
_LEAVES = update(CARD).where(_MINE, CARD.c.withheld.is_not(None)).values(withheld=None, evidence=bindparam("its_evidence"))
_AMBIGUOUS = update(CARD).where(_OTHERS).values(withheld="ambiguous")
_ISSUED = (
    select(DECISION.c.client, DECISION.c.service, CARD.c.suggestions)
    .join(CARD, CARD.c.decision == DECISION.c.id)
    .where(CARD.c.uuid == bindparam("uuid"), CARD.c.withheld.is_(None))
)
_WHOSE = select(DECISION.c.client, DECISION.c.patient).join(CARD, CARD.c.decision == DECISION.c.id).where(CARD.c.uuid == bindparam("uuid"))
_ANSWERED = (
    select(CARD.c.topic, FEEDBACK.c.at, FEEDBACK.c.received, FEEDBACK.c.reason_system, FEEDBACK.c.reason_code, CARD.c.evidence)
    .select_from(
        FEEDBACK.join(CARD, CARD.c.uuid == FEEDBACK.c.card).outerjoin(
            LIFT, (LIFT.c.client == FEEDBACK.c.client) & (LIFT.c.patient == FEEDBACK.c.patient)
        )
    )
    .where(FEEDBACK.c.client == bindparam("of_client"), FEEDBACK.c.patient == bindparam("of_patient"))
    .where(LIFT.c.at.is_(None) | (FEEDBACK.c.received > LIFT.c.at))
    .order_by(FEEDBACK.c.at.desc(), FEEDBACK.c.received.desc(), FEEDBACK.c.id)
    .limit(_MOST_ANSWERS)
)
_EXPIRED = delete(USED_TOKEN).where(USED_TOKEN.c.until < bindparam("now"))
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _use(insert: Any) -> Any:
    """Insert a token, or take the place of one that has expired; a row if either was done."""
    added = insert(USED_TOKEN).values(client=bindparam("client"), token=bindparam("token"), until=bindparam("until"))
    again = added.on_conflict_do_update(
        index_elements=list(USED_TOKEN.primary_key), set_={"until": added.excluded.until}, where=USED_TOKEN.c.until < bindparam("now")
    )
    return again.returning(USED_TOKEN.c.token)


_USE = {dialect: _use(of) for dialect, of in _INSERT.items()}


class IssuedCard(NamedTuple):
    """A card of a decision: the label of each suggestion by its uuid, what it rests on, and why it was withheld, if it was."""

    uuid: str
    topic: str
    indicator: str
    suggestions: Mapping[str, str]
    evidence: tuple[str, ...] = ()
    withheld: str | None = None


class Answered(NamedTuple):
    """What a clinician did with a card: its topic, when, the reason's system and code if any, and what the card rested on."""

    topic: str
    at: dt.datetime
    reason_system: str | None
    reason: str | None
    evidence: frozenset[str]


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
    cards: tuple[IssuedCard, ...]


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


class Tally(NamedTuple):
    """What is counted: something (`which`, of the kind `what`) in the calls of a day."""

    day: dt.date
    client: str
    service: str
    digest: str
    version: str
    what: str
    which: str


class Visitor(NamedTuple):
    """A patient whose chart was opened on a day, under a name that serves to count."""

    day: dt.date
    client: str
    service: str
    digest: str
    patient: str


class GeneResult(NamedTuple):
    """What a call showed of a patient's gene: its state, the day of the result if the chart has one, and of the call."""

    client: str
    service: str
    patient: str
    state: str
    resulted: dt.date | None
    seen: dt.date


class Access(NamedTuple):
    """One query that was sent to an EHR's FHIR server, and how it ended: `success`, or the reason why it brought nothing.

    `id` went along as X-Request-Id, `key` is what it was to fill, `search` has a placeholder for the patient's id.
    """

    id: str
    at: dt.datetime
    client: str
    hook: str
    patient: str
    key: str
    page: int
    server: str
    search: str
    outcome: str


class Records:
    """What a transaction writes and reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, decision: Decision) -> None:
        """Write a decision and its cards. What a repeated call says of the patient stays as it was; a card that leaves now has left.

        A card's uuid that another decision has belongs to two patients, since a client used one hookInstance twice: nobody can
        say whose feedback on it is, so it counts as not issued.
        """
        self._once(DECISION, {k: v for k, v in decision._asdict().items() if k != "cards"})
        for card in decision.cards:
            row = {**card._asdict(), "evidence": list(card.evidence), "decision": decision.id}
            if not self._once(CARD, row):
                if card.withheld is None:
                    self._connection.execute(_LEAVES, {"its_uuid": card.uuid, "its_decision": decision.id, "its_evidence": row["evidence"]})
                self._connection.execute(_AMBIGUOUS, {"its_uuid": card.uuid, "its_decision": decision.id})

    def issued(self, uuid: str) -> Issued | None:
        """The card of this uuid, if one was issued."""
        row = self._connection.execute(_ISSUED, {"uuid": uuid.lower()}).one_or_none() if _UUID.fullmatch(uuid.lower()) else None
        return Issued(row.client, row.service, frozenset(row.suggestions)) if row else None

    def keep(self, feedback: Feedback, received: dt.datetime) -> bool:
        """Write feedback once; False if it is there already."""
        whose = self._connection.execute(_WHOSE, {"uuid": feedback.card}).one()
        said = {"id": feedback.id, **feedback._asdict(), "accepted": list(feedback.accepted)}
        return self._once(FEEDBACK, {**said, **whose._asdict(), "received": received})

    def answered(self, client: str, *patients: str) -> list[Answered]:
        """What clinicians did with the cards of a patient, by all its names, since its snoozes were last lifted, newest first."""
        rows = [row for one in patients for row in self._connection.execute(_ANSWERED, {"of_client": client, "of_patient": one})]
        if len(patients) > 1:
            rows.sort(key=lambda row: (row.at, row.received), reverse=True)
        # An EHR whose clock is ahead must not keep a card away for longer than its reason says.
        return [Answered(row.topic, min(row.at, row.received), row.reason_system, row.reason_code, frozenset(row.evidence)) for row in rows]

    def lift(self, client: str, patient: str, at: dt.datetime) -> None:
        """Let what was answered before a moment silence nothing any more."""
        row = {"client": client, "patient": patient, "at": at}
        added = _INSERT[self._connection.dialect.name](LIFT).values(**row)
        later = LIFT.c.at < added.excluded.at  # a clock that is behind brings nothing back
        self._connection.execute(added.on_conflict_do_update(index_elements=list(LIFT.primary_key), set_={"at": added.excluded.at}, where=later))

    def count(self, tallies: Mapping[Tally, int], visitors: Collection[Visitor], results: Collection[GeneResult]) -> None:
        """Add counts to those that are there, and what is not there yet of the rest; in one order, so that no two processes wait for each other."""
        insert = _INSERT[self._connection.dialect.name]
        added = insert(TALLY)
        more = added.on_conflict_do_update(index_elements=list(TALLY.primary_key), set_={"count": TALLY.c.count + added.excluded["count"]})
        counted = sorted((tally, count) for tally, count in tallies.items())
        for statement, rows in (
            (more, [{**tally._asdict(), "count": count} for tally, count in counted]),
            (insert(VISITOR).on_conflict_do_nothing(), [visitor._asdict() for visitor in sorted(visitors)]),
            (insert(GENE_RESULT).on_conflict_do_nothing(), [result._asdict() for result in sorted(results, key=lambda r: (*r[:3], r.seen))]),
        ):
            if rows:
                self._connection.execute(statement, rows)

    def access(self, accesses: Sequence[Access]) -> None:
        """Write accesses that are not there yet, and what they asked."""
        queries = {(one.server, one.search): _query_id(one.server, one.search) for one in accesses}
        asked = [{"id": id_, "server": server, "search": search} for (server, search), id_ in sorted(queries.items())]
        rows = [{**{c.name: getattr(one, c.name, None) for c in ACCESS.columns}, "query": queries[one.server, one.search]} for one in accesses]
        insert = _INSERT[self._connection.dialect.name]
        for table, found in ((ACCESS_QUERY, asked), (ACCESS, rows)):
            self._connection.execute(insert(table).on_conflict_do_nothing(), found)

    def purge(self, before: dt.date) -> dict[str, int]:
        """Delete what is older than a day, a decision with its cards and their feedback; how many rows of each table that was."""
        start = dt.datetime.combine(before, dt.time(), dt.UTC)
        old = {
            FEEDBACK: FEEDBACK.c.card.in_(select(CARD.c.uuid).join(DECISION, CARD.c.decision == DECISION.c.id).where(DECISION.c.day < before)),
            CARD: CARD.c.decision.in_(select(DECISION.c.id).where(DECISION.c.day < before)),
            DECISION: DECISION.c.day < before,
            LIFT: LIFT.c.at < start,
            TALLY: TALLY.c.day < before,
            VISITOR: VISITOR.c.day < before,
            GENE_RESULT: GENE_RESULT.c.seen < before,
            USED_TOKEN: USED_TOKEN.c.until < start,
            ACCESS: ACCESS.c.at < start,
            ACCESS_QUERY: ACCESS_QUERY.c.id.not_in(select(ACCESS.c.query)),
        }
        return {table.name: self._connection.execute(delete(table).where(which)).rowcount for table, which in old.items()}

    def use_token(self, client: str, token: str, until: dt.datetime, now: dt.datetime) -> bool:
        """Remember a token until a moment; False if it was used before and has not expired since."""
        used = {"client": client, "token": token, "until": until, "now": now}
        return self._connection.execute(_USE[self._connection.dialect.name], used).first() is not None

    def forget_tokens(self, now: dt.datetime) -> None:
        """Remove what has expired."""
        self._connection.execute(_EXPIRED, {"now": now})

    def answers(self) -> bool:
        """True, if anything answers at all."""
        return bool(self._connection.execute(select(1)).scalar_one())

    def _once(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert a row whose key is not there yet; False if it is."""
        return self._connection.execute(_ONCE[self._connection.dialect.name, table.name], row).first() is not None


def _query_id(server: str, search: str) -> str:
    """The same for what was asked in the same words, by whichever process."""
    return hashlib.sha256(f"{server} {search}".encode()).hexdigest()[:32]
