"""What is read again: sums over decisions, feedback and counts of a span of days, and the accesses of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select

from cds_service.settings import SIMULATED
from cds_service.storage.records import Access
from cds_service.storage.tables import ACCESS, ACCESS_QUERY, CARD, DECISION, FEEDBACK, GENE_RESULT, LIFT, TALLY, VISITOR

_AT_ONCE = 1000
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(9000, 12, 31)  # so that weeks before and after them are days, too

T = TypeVar("T", bound=tuple[Any, ...])


class Span(NamedTuple):
    """What a report is about: a service, its first and last day, and one client or all."""

    service: str
    first: dt.date
    last: dt.date
    client: str | None = None


class Release(NamedTuple):
    """The knowledge that answered: its version and the start of its digest, and the first and last day on which it did."""

    version: str
    digest: str
    first: dt.date
    last: dt.date


class Sum(NamedTuple):
    """How often something was so under one release of the knowledge."""

    digest: str
    what: str
    which: str
    number: int


class Day(NamedTuple):
    """Calls of one client on one day, by what they led to."""

    day: dt.date
    client: str
    outcome: str
    calls: int


class Cards(NamedTuple):
    """Cards of a topic under one release, why they were withheld if they were; of all releases together if there is no digest."""

    digest: str | None
    topic: str
    withheld: str | None
    cards: int
    patients: int


class Answers(NamedTuple):
    """Cards of a topic by the last thing that clinicians did with them; none for those that nobody answered."""

    digest: str
    topic: str
    outcome: str | None
    reason_system: str | None
    reason_code: str | None
    cards: int


class FirstCard(NamedTuple):
    """The first card that asked for the gene of a patient, and the first result that was seen."""

    digest: str
    day: dt.date
    state: str | None
    resulted: dt.date | None
    seen: dt.date | None


class Accessed(NamedTuple):
    """Which accesses are read: from a moment on and before another, of one client, and of one patient by all its names; None is all."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    client: str | None = None
    patients: tuple[str, ...] | None = None


_DIGEST = func.substr(DECISION.c.digest, 1, 12)


def clients(connection: Connection, service: str) -> list[str]:
    """Every client that called."""
    return list(connection.scalars(select(TALLY.c.client).where(TALLY.c.service == service).distinct().order_by(TALLY.c.client)))


def releases(connection: Connection, span: Span) -> list[Release]:
    """The knowledge that answered, the oldest first."""
    first = func.min(TALLY.c.day)
    found = select(TALLY.c.version, TALLY.c.digest, first, func.max(TALLY.c.day)).where(_within(TALLY, span))
    return [Release(*row) for row in connection.execute(found.group_by(TALLY.c.version, TALLY.c.digest).order_by(first, TALLY.c.digest))]


def sums(connection: Connection, span: Span) -> list[Sum]:
    """Every tally of the span."""
    found = select(TALLY.c.digest, TALLY.c.what, TALLY.c.which, func.sum(TALLY.c.count)).where(_within(TALLY, span))
    return [Sum(d, w, x, int(count)) for d, w, x, count in connection.execute(found.group_by(TALLY.c.digest, TALLY.c.what, TALLY.c.which))]


def days(connection: Connection, span: Span) -> list[Day]:
    """The calls of each day and client."""
    kind = TALLY.c.day, TALLY.c.client, TALLY.c.which
    found = select(*kind, func.sum(TALLY.c.count)).where(_within(TALLY, span), TALLY.c.what == "call")
    return [Day(day, client, which, int(count)) for day, client, which, count in connection.execute(found.group_by(*kind).order_by(*kind))]


def patients(connection: Connection, span: Span) -> dict[str | None, int]:
    """How many patients had their chart opened, by release and (without a digest) in all."""
    every = select(VISITOR.c.digest, VISITOR.c.client, VISITOR.c.patient).where(_within(VISITOR, span)).distinct().subquery()
    by_release = connection.execute(select(every.c.digest, func.count().label("patients")).group_by(every.c.digest))
    whole = select(every.c.client, every.c.patient).distinct().subquery()
    found: dict[str | None, int] = {row.digest: row.patients for row in by_release}
    found[None] = connection.scalar(select(func.count()).select_from(whole)) or 0
    return found


def cards(connection: Connection, span: Span) -> list[Cards]:
    """Cards and their patients, by release and in all: patients of two releases are counted once in the latter."""
    kind = CARD.c.topic, CARD.c.withheld
    counted = func.count(), func.count(DECISION.c.patient.distinct())
    made = _decided(select(_DIGEST, *kind, *counted), span).group_by(_DIGEST, *kind)
    whole = _decided(select(*kind, *counted), span).group_by(*kind)
    return [*(Cards(*row) for row in connection.execute(made)), *(Cards(None, *row) for row in connection.execute(whole))]


def answers(connection: Connection, span: Span) -> list[Answers]:
    """The cards that left, by the last thing that was done with them."""
    newest = FEEDBACK.c.at.desc(), FEEDBACK.c.received.desc(), FEEDBACK.c.id
    said = FEEDBACK.c.outcome, FEEDBACK.c.reason_system, FEEDBACK.c.reason_code
    ranked = select(FEEDBACK.c.card, *said, func.row_number().over(partition_by=FEEDBACK.c.card, order_by=newest).label("place")).subquery()
    last = ranked.c.outcome, ranked.c.reason_system, ranked.c.reason_code
    kind = _DIGEST, CARD.c.topic, *last
    joined = DECISION.join(CARD, CARD.c.decision == DECISION.c.id).outerjoin(ranked, and_(ranked.c.card == CARD.c.uuid, ranked.c.place == 1))
    found = select(*kind, func.count()).select_from(joined).where(_within(DECISION, span), CARD.c.withheld.is_(None)).group_by(*kind)
    return [Answers(*row) for row in connection.execute(found)]


def first_cards(connection: Connection, span: Span, topics: Sequence[str]) -> list[FirstCard]:
    """Of each patient whose first card of these topics left in the span: that card, and the first result of the gene."""
    order = DECISION.c.day, DECISION.c.at, DECISION.c.id
    ranked = (
        select(DECISION, func.row_number().over(partition_by=DECISION.c.patient, order_by=order).label("place"))
        .join(CARD, CARD.c.decision == DECISION.c.id)
        .where(CARD.c.topic.in_(topics), CARD.c.withheld.is_(None), DECISION.c.service == span.service, DECISION.c.day <= span.last)
    ).subquery()
    same = (GENE_RESULT.c.client == ranked.c.client) & (GENE_RESULT.c.service == ranked.c.service) & (GENE_RESULT.c.patient == ranked.c.patient)
    result = GENE_RESULT.c.state, GENE_RESULT.c.resulted, GENE_RESULT.c.seen
    found = select(func.substr(ranked.c.digest, 1, 12), ranked.c.day, *result).select_from(ranked.outerjoin(GENE_RESULT, same))
    found = found.where(ranked.c.place == 1, ranked.c.day >= span.first)
    return [FirstCard(*row) for row in connection.execute(found.where(_of(ranked.c.client, span)))]


def lifted(connection: Connection, span: Span) -> int:
    """How many patients' snoozes were lifted."""
    start = dt.datetime.combine(span.first, dt.time(), dt.UTC)
    end = dt.datetime.combine(span.last + dt.timedelta(days=1), dt.time(), dt.UTC)
    found = select(func.count()).select_from(LIFT).where(LIFT.c.at >= start, LIFT.c.at < end)
    return connection.scalar(found.where(_of(LIFT.c.client, span))) or 0


def accesses(connection: Connection, which: Accessed) -> Iterator[Access]:
    """The queries that were sent to FHIR servers, the oldest first."""
    columns = {c.name: c for c in (*ACCESS.columns, *ACCESS_QUERY.columns) if c is not ACCESS_QUERY.c.id}
    found = select(*(columns[name] for name in Access._fields)).join(ACCESS_QUERY, ACCESS.c.query == ACCESS_QUERY.c.id)
    if which.since is not None:
        found = found.where(ACCESS.c.at >= which.since)
    if which.until is not None:
        found = found.where(ACCESS.c.at < which.until)
    if which.client is not None:
        found = found.where(ACCESS.c.client == which.client)
    if which.patients is not None:
        found = found.where(ACCESS.c.patient.in_(which.patients))
    ordered = found.order_by(ACCESS.c.at, ACCESS.c.id)
    yield from (Access(*row) for row in connection.execution_options(yield_per=_AT_ONCE).execute(ordered))


def accessing(connection: Connection) -> list[str]:
    """Every client for whom a FHIR server was asked."""
    return list(connection.scalars(select(ACCESS.c.client).distinct().order_by(ACCESS.c.client)))


def _decided(query: Select[T], span: Span) -> Select[T]:
    return query.select_from(DECISION.join(CARD, CARD.c.decision == DECISION.c.id)).where(_within(DECISION, span))


def _within(table: Table, span: Span) -> ColumnElement[bool]:
    return (table.c.service == span.service) & table.c.day.between(span.first, span.last) & _of(table.c.client, span)


def _of(client: ColumnElement[str], span: Span) -> ColumnElement[bool]:
    """Whether a client belongs to the span: of all clients the simulator is none, since nobody cares for its patients."""
    return client == span.client if span.client is not None else (client != SIMULATED) & client.not_like(f"{SIMULATED}:%")
