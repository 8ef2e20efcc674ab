"""The figures that the report should have, counted one by one from the diary: slow, plain, and by none of the report's code."""

from __future__ import annotations

import datetime as dt
import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.hospital.patients import Period
from tests.hospital.play import REASONS, Called, Diary, Made

TOPICS = ("vexas-consider", "vexas-test-uba1", "vexas-confirmed", "vexas-supportive-care", "vexas-uncertain", "vexas-negative", "vexas-order-safety")
DOMAINS = {"bloodCounts": "blood-counts", "allergies": "allergies"}
BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2000)
Figures = dict[tuple[str, str, str], tuple[int, int | None]]


def figures(diary: Diary, digests: dict[str, str], client: str | None = None) -> Figures:
    """The number of each item, and of how many, by section, item and column: `digests` names the column of each version."""
    found: Figures = {}
    calls = [c for c in diary.calls if client in (None, c.client)]
    versions = [v for v in digests if any(c.version == v for c in calls)]
    for column in ["all", *(versions if len(versions) > 1 else [])]:
        named = "all" if column == "all" else digests[column]
        some = [c for c in calls if column in ("all", c.version)]
        for section, item, number, of in (*_spoken(some), *_answered(some, diary), *_read(diary, calls, column)):
            found[section, item, named] = (number, of)
    if client is None:
        found["lifted", "snoozes", "all"] = (len(diary.lifted), None)
    return found


def _spoken(calls: list[Called]) -> Iterator[tuple[str, str, int, int | None]]:
    patients = {c.patient for c in calls}
    yield "calls", "calls", len(calls), None
    yield "calls", "patients", len(patients), None
    yield "outcomes", "shown", sum(any(m.withheld is None for m in c.cards) for c in calls), len(calls)
    yield "outcomes", "withheld", sum(bool(c.cards) and all(m.withheld for m in c.cards) for c in calls), len(calls)
    yield "outcomes", "nothing", sum(not c.cards for c in calls), len(calls)
    for topic in TOPICS:
        mine = [(c, m) for c in calls for m in c.cards if m.topic == topic]
        yield "cards", topic, sum(m.withheld is None for _, m in mine), len(calls)
        yield "patients", topic, len({c.patient for c, m in mine if m.withheld is None}), len(patients)
        for reason in ("answered", "silent"):
            yield reason, topic, sum(m.withheld == reason for _, m in mine), len(calls)
    for key, domain in DOMAINS.items():
        yield "data", f"{domain}: unavailable", sum(c.missing == key for c in calls), len(calls)


def _answered(calls: list[Called], diary: Diary) -> Iterator[tuple[str, str, int, int | None]]:
    last = {said.card: said for said in sorted(diary.said, key=lambda said: said.at)}
    shown = [m for c in calls for m in c.cards if m.withheld is None]
    for topic in TOPICS:
        mine: list[Made] = [m for m in shown if m.topic == topic]
        told = Counter(last[str(m.uuid)].outcome if m.uuid in last else "unanswered" for m in mine)
        for outcome in ("accepted", "overridden", "unanswered"):
            yield "answers", f"{topic}: {outcome}", told[outcome], len(mine)
    overridden = [last[str(m.uuid)] for m in shown if m.uuid in last and last[str(m.uuid)].outcome == "overridden"]
    for reason, codes in {**{r: (r,) for r in REASONS}, "other": ("elsewhere",), "none": (None,)}.items():
        yield "reasons", reason, sum(said.reason in codes for said in overridden), len(overridden)


def _read(diary: Diary, calls: list[Called], column: str) -> Iterator[tuple[str, str, int, int | None]]:
    """What became of the patients whose first card of these topics was shown under one version."""
    waits = []
    asked = 0
    for patient in {c.patient for c in calls}:
        mine = [c for c in calls if c.patient == patient]
        first = next((c for c in mine if any(m.withheld is None and m.topic in TOPICS[:2] for m in c.cards)), None)
        if first is None or column not in ("all", first.version):
            continue
        asked += 1
        seen = next((c for c in mine if c.state != "none"), None)
        if seen and seen.resulted and seen.resulted >= first.day:
            waits.append(((seen.resulted - first.day).days, seen.state))
    yield "results", "with a card", asked, None
    yield "results", "with a result since", len(waits), asked
    for state in ("confirmed", "uncertain", "negative"):
        yield "results", state, sum(s == state for _, s in waits), len(waits)
    for item, low, high in (
        ("in less than 4 weeks", 0, 28),
        ("in less than 13 weeks", 28, 91),
        ("in less than 26 weeks", 91, 182),
        ("later", 182, 9999),
    ):
        yield "results", item, sum(low <= wait < high for wait, _ in waits), len(waits)


def latency(diary: Diary) -> Counter[str]:
    """Calls by the time that the service's own log gives them."""
    found: Counter[str] = Counter()
    for path in diary.log:
        for line in path.read_text(encoding="utf-8").splitlines():
            if '"hook.answered"' in line:
                spent = json.loads(line)["ms"]
                found[next((str(bound) for bound in BOUNDS if spent <= bound), "longer")] += 1
    return found


def alarms(diary: Diary, period: Period) -> list[tuple[str, dt.date]]:
    """The days on which a client's share of calls with a card was out of the ordinary."""
    days: dict[str, dict[dt.date, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for c in diary.calls:
        days[c.client][c.day].append(bool(c.cards))
    found = []
    for client, mine in sorted(days.items()):
        for number in range(period.days):
            day = period.day(number)
            before = [mine[d] for back in range(1, 29) if (d := day - dt.timedelta(days=back)) in mine]
            if day not in mine or len(before) < 14:
                continue
            calls, made = sum(map(len, before)), sum(map(sum, before))
            likely, share = (made + 1) / (calls + 2), sum(mine[day]) / len(mine[day])
            sigma = max(statistics.stdev(sum(b) / len(b) for b in before), (likely * (1 - likely) / len(mine[day])) ** 0.5)
            tail = _binomial(sum(mine[day]), len(mine[day]), likely)
            if abs(share - made / calls) > 3 * sigma and tail < 0.00135:
                found.append((client, day))
    return found


def _binomial(made: int, calls: int, likely: float) -> float:
    """The smaller tail of a binomial distribution, both with the number itself."""
    each = [math.comb(calls, n) * likely**n * (1 - likely) ** (calls - n) for n in range(calls + 1)]
    return min(math.fsum(each[made:]), math.fsum(each[: made + 1]))


def weeks(diary: Diary) -> dict[dt.date, tuple[int, int]]:
    """Calls and those with a card, by the Monday of their week."""
    found: dict[dt.date, tuple[int, int]] = {}
    for c in diary.calls:
        monday = dt.date.fromisocalendar(*c.day.isocalendar()[:2], 1)
        calls, made = found.get(monday, (0, 0))
        found[monday] = (calls + 1, made + bool(c.cards))
    return found


def compare(report: dict[str, Any], expected: Figures) -> Iterator[str]:
    """What differs. A number that is not shown must be small, or one of two or more that are not shown together."""
    shown = {(f["section"], f["item"], f["column"]): (f["number"], f["of"]) for f in report["figures"]}
    for place, (number, of) in expected.items():
        if place not in shown:
            yield f"{place}: is not there"
            continue
        found, whole = shown[place]
        if found is not None and found != number:
            yield f"{place}: {found}, counted {number}"
        if found is not None and 0 < number < 10:
            yield f"{place}: {number} is shown"
        if whole not in (None, of):
            yield f"{place}: of {whole}, counted of {of}"
    few = sum(found is None for found, _ in shown.values())
    small = sum(0 < number < 10 or (of is not None and 0 < of - number < 10) for number, of in expected.values())
    if few > 4 * small + 4:
        yield f"{few} numbers are not shown, and only {small} are small"
