"""The report: from what was stored in a span of days to figures, each by release of the knowledge and in all."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from cds_service.counting import BOUNDS, LONGER
from cds_service.governance.alarms import BASELINE, Alarm, Firing, alarms
from cds_service.governance.masking import ALL, SMALLEST, Figure, Shown, masked
from cds_service.knowledge.loader import Knowledge
from cds_service.storage import reading
from cds_service.storage.database import Database
from cds_service.storage.reading import Span

_ASKING = ("consider", "test")  # the topics whose cards ask for the gene to be read
_CALLS, _PATIENTS = ("calls", "calls"), ("calls", "patients")
_ASKED, _RESULTED = ("results", "with a card"), ("results", "with a result since")
_OVERRIDDEN = ("answers", "overridden")
_WEEKS_TO_RESULT = (4, 13, 26)
_QUANTILES = (50, 95, 99)


class Week(NamedTuple):
    """Calls of a week from its Monday on, and those for which a card was made; None for a number that is not shown."""

    monday: dt.date
    calls: int | None
    made: int | None


class Report(NamedTuple):
    """Everything that the pages and files say.

    `latency` has for each column the milliseconds within which 50, 95 and 99 of 100 calls were answered (None: longer than is
    told), `days_to_result` the median from the first card to the result of the gene.
    """

    span: Span
    made: dt.date
    clients: tuple[str, ...]
    releases: tuple[reading.Release, ...]
    figures: tuple[Shown, ...]
    latency: Mapping[str, tuple[int | None, ...]]
    days_to_result: Mapping[str, float | None]
    alarms: tuple[Alarm, ...]
    weeks: tuple[Week, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All, and each release by its digest if there are several."""
        return _columns(self.releases)


def report(database: Database, knowledge: Knowledge, span: Span, made: dt.date) -> Report:
    """The report of a span. Raises StorageUnavailable."""
    before = span._replace(first=span.first - dt.timedelta(days=BASELINE))
    topics = knowledge.module.topics.words
    asking = [topics[name].code for name in _ASKING]
    read = database.read(
        lambda c: _Read(
            reading.clients(c, span.service),
            reading.releases(c, span),
            reading.sums(c, span),
            reading.days(c, before),
            reading.patients(c, span),
            reading.cards(c, span),
            reading.answers(c, span),
            reading.first_cards(c, span, asking),
            reading.lifted(c, span),
        )
    )
    columns = _columns(read.releases)
    firing = _firing(read.days)
    return Report(
        span=span,
        made=made,
        clients=tuple(read.clients),
        releases=tuple(read.releases),
        figures=tuple(masked(f for column in columns for f in _figures(read, knowledge, column))),
        latency={column: _quantiles(_tally(read.sums, column, "ms")) for column in columns},
        days_to_result={column: _typical(list(_waits(read.first_cards, column))) for column in columns},
        alarms=tuple(a for client, days in firing.items() for a in alarms(client, days, span.first, span.last)),
        weeks=tuple(_weeks(firing.values(), span)),
    )


def _columns(releases: Sequence[reading.Release]) -> tuple[str, ...]:
    return (ALL, *(r.digest for r in releases)) if len(releases) > 1 else (ALL,)


class _Read(NamedTuple):
    clients: list[str]
    releases: list[reading.Release]
    sums: list[reading.Sum]
    days: list[reading.Day]
    patients: dict[str | None, int]
    cards: list[reading.Cards]
    answers: list[reading.Answers]
    first_cards: list[reading.FirstCard]
    lifted: int


def _figures(read: _Read, knowledge: Knowledge, column: str) -> Iterator[Figure]:
    """Every figure of a column, in the order in which they are told."""
    outcomes = _tally(read.sums, column, "call")
    calls, patients = outcomes.total(), read.patients.get(None if column == ALL else column, 0)
    yield Figure("calls", "calls", column, calls)
    yield Figure("calls", "patients", column, patients)
    for outcome in ("shown", "withheld", "nothing"):
        yield Figure("outcomes", outcome, column, outcomes[outcome], calls, whole="calls", of_what=_CALLS)
    yield from _cards(read, knowledge, column, calls, patients)
    yield from _answers(read, knowledge, column)
    yield from _results(read.first_cards, column)
    waits = _tally(read.sums, column, "ms")
    for bound in (*map(str, BOUNDS), LONGER):
        yield Figure("latency", bound, column, waits[bound], calls, open=True, of_what=_CALLS)
    for domain in dict.fromkeys(r.domain for r in knowledge.requirements.values() if r.resource != "Patient"):
        for state in ("unavailable", "incomplete"):
            yield Figure("data", f"{domain}: {state}", column, _tally(read.sums, column, state)[domain], calls, of_what=_CALLS)
    for code, count in sorted(_tally(read.sums, column, "refused").items()):
        yield Figure("refused", code, column, count, open=True)


def _cards(read: _Read, knowledge: Knowledge, column: str, calls: int, patients: int) -> Iterator[Figure]:
    codes = [word.code for word in knowledge.module.topics.words.values()]
    found = {(c.topic, c.withheld): c for c in read.cards if c.digest == (None if column == ALL else column)}
    none = reading.Cards(None, "", None, 0, 0)
    for code in codes:
        yield Figure("cards", code, column, found.get((code, None), none).cards, calls, 1000, of_what=_CALLS)
    for code in codes:
        yield Figure("patients", code, column, found.get((code, None), none).patients, patients, 1000, of_what=_PATIENTS)
    for reason in ("answered", "silent"):
        for code in codes:
            yield Figure(reason, code, column, found.get((code, reason), none).cards, calls, 1000, of_what=_CALLS)
    if column == ALL:
        yield Figure("lifted", "snoozes", column, read.lifted)


def _answers(read: _Read, knowledge: Knowledge, column: str) -> Iterator[Figure]:
    """What was done with the cards of each topic, and why they were overridden, if they were."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: Counter[str] = Counter()
    ours = knowledge.module.override_reasons
    codes = [reason.code for reason in ours.reasons]
    for a in read.answers:
        if column in (ALL, a.digest):
            counts[a.topic][a.outcome or "unanswered"] += a.cards
            if a.outcome == "overridden":
                known = a.reason_system == ours.system and a.reason_code in codes
                reasons[str(a.reason_code) if known else "other" if a.reason_code else "none"] += a.cards
    for topic in (word.code for word in knowledge.module.topics.words.values()):
        for outcome in ("accepted", "overridden", "unanswered"):
            also = _OVERRIDDEN if outcome == "overridden" else None
            count, of = counts[topic][outcome], counts[topic].total()
            yield Figure("answers", f"{topic}: {outcome}", column, count, of, whole=topic, of_what=("cards", topic), also=also)
    for reason in (*codes, "other", "none"):
        yield Figure("reasons", reason, column, reasons[reason], reasons.total(), whole="overridden", of_what=_OVERRIDDEN)


def _results(first_cards: list[reading.FirstCard], column: str) -> Iterator[Figure]:
    """How many patients had the gene read after their first card, how soon, and with which result."""
    asked = sum(column in (ALL, f.digest) for f in first_cards)
    waits = list(_waits(first_cards, column))
    yield Figure(*_ASKED, column, asked)
    yield Figure(*_RESULTED, column, len(waits), asked, of_what=_ASKED)
    for state in ("confirmed", "uncertain", "negative"):
        yield Figure("results", state, column, sum(s == state for _, s in waits), len(waits), whole="state", of_what=_RESULTED)
    for low, high in pairwise((0, *_WEEKS_TO_RESULT)):
        count = sum(low * 7 <= wait < high * 7 for wait, _ in waits)
        yield Figure("results", f"in less than {high} weeks", column, count, len(waits), whole="wait", of_what=_RESULTED)
    yield Figure("results", "later", column, sum(wait >= _WEEKS_TO_RESULT[-1] * 7 for wait, _ in waits), len(waits), whole="wait", of_what=_RESULTED)


def _waits(first_cards: list[reading.FirstCard], column: str) -> Iterator[tuple[int, str]]:
    """Days from the first card to the result, and what it was; a result from before the card does not count."""
    for f in first_cards:
        if column in (ALL, f.digest) and f.state and f.seen and (wait := ((f.resulted or f.seen) - f.day).days) >= 0:
            yield wait, f.state


def _typical(waits: list[tuple[int, str]]) -> float | None:
    return median(wait for wait, _ in waits) if len(waits) >= SMALLEST else None


def _tally(sums: Iterable[reading.Sum], column: str, what: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for s in sums:
        if s.what == what and column in (ALL, s.digest):
            counts[s.which] += s.number
    return counts


def _quantiles(waits: Counter[str]) -> tuple[int | None, ...]:
    """Milliseconds within which so many of 100 calls were answered: the bound of the group in which the last of them lies."""
    return tuple(_quantile(waits, q) for q in _QUANTILES) if waits else ()


def _quantile(waits: Counter[str], of_100: int) -> int | None:
    sofar = 0
    for bound in BOUNDS:
        sofar += waits[str(bound)]
        if sofar * 100 >= of_100 * waits.total():
            return bound
    return None


def _firing(days: Iterable[reading.Day]) -> dict[str, dict[dt.date, Firing]]:
    """Calls, and those for which a card was made, of each client and day."""
    found: dict[str, dict[dt.date, Firing]] = defaultdict(dict)
    for d in days:
        sofar = found[d.client].get(d.day, Firing(0, 0))
        found[d.client][d.day] = Firing(sofar.calls + d.calls, sofar.made + d.calls * (d.outcome != "nothing"))
    return dict(found)


def _weeks(firing: Iterable[Mapping[dt.date, Firing]], span: Span) -> Iterator[Week]:
    """The calls of each week of the span; masked, since they add up to numbers that are told elsewhere."""
    found: dict[dt.date, Firing] = defaultdict(lambda: Firing(0, 0))
    for days in firing:
        for day, one in days.items():
            if span.first <= day <= span.last:
                monday = day - dt.timedelta(days=day.weekday())
                found[monday] = Firing(found[monday].calls + one.calls, found[monday].made + one.made)
    whole = Firing(sum(one.calls for one in found.values()), sum(one.made for one in found.values()))
    columns = {ALL: whole, **{str(monday): one for monday, one in sorted(found.items())}}
    shown = {(f.column, f.item): f.number for f in masked(f for column, one in columns.items() for f in _week(column, one))}
    yield from (Week(monday, shown[str(monday), "calls"], shown[str(monday), "made"]) for monday in sorted(found))


def _week(column: str, one: Firing) -> Iterator[Figure]:
    yield Figure("weeks", "calls", column, one.calls)
    yield Figure("weeks", "made", column, one.made, one.calls, of_what=("weeks", "calls"))
