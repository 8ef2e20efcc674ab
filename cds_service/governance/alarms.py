"""Days on which the service spoke much more or less often than in the weeks before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from math import exp, lgamma, log, log1p, sqrt
from statistics import stdev
from typing import NamedTuple

from cds_service.governance.masking import SMALLEST

BASELINE = 28  # days before the day that is judged
LEAST_DAYS = 14  # of these, with calls; with fewer nothing is judged
SIGMAS = 3
IMPROBABLE = 0.00135  # what lies beyond three sigma on one side of a normal distribution


class Firing(NamedTuple):
    """Calls of a day, and those for which a card was made, whether or not it left."""

    calls: int
    made: int


class Alarm(NamedTuple):
    """A day whose share of calls with a card lies outside of what the days before it let expect."""

    client: str
    day: dt.date
    firing: Firing
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The day's share of calls with a card; None if they, or those without, are too few to be shown."""
        calls, made = self.firing
        return None if 0 < made < SMALLEST or 0 < calls - made < SMALLEST else round(made / calls, 4)

    @property
    def above(self) -> bool:
        """Whether it spoke more often than expected."""
        return self.firing.made > self.high * self.firing.calls


def alarms(client: str, days: Mapping[dt.date, Firing], first: dt.date, last: dt.date) -> Iterator[Alarm]:
    """The days of a span outside of mean plus or minus three sigma of the 28 days before each.

    Sigma is the standard deviation of the daily shares, or what chance alone gives for that day's calls, if that is more. Where
    cards are rare, three sigma are passed by one card more than usual: so a day must also be as improbable as that by chance.
    """
    for day in sorted(d for d in days if first <= d <= last):
        before = [days[d] for n in range(1, BASELINE + 1) if (d := day - dt.timedelta(days=n)) in days]
        if len(before) < LEAST_DAYS:
            continue
        low, high = limits(before, days[day].calls)
        if not low <= days[day].made / days[day].calls <= high and chance(before, days[day]) < IMPROBABLE:
            yield Alarm(client, day, days[day], low, high)


def limits(before: list[Firing], calls: int) -> tuple[float, float]:
    """Between which shares a day of so many calls is as the days before it."""
    likely = _likely(before)
    mean = sum(f.made for f in before) / sum(f.calls for f in before)
    sigma = max(stdev(f.made / f.calls for f in before), sqrt(likely * (1 - likely) / calls))
    return max(0.0, mean - SIGMAS * sigma), min(1.0, mean + SIGMAS * sigma)


def chance(before: list[Firing], day: Firing) -> float:
    """How probable it is that so many calls lead to so many cards or more, or to so many or fewer, whichever is less: a binomial tail."""
    likely = _likely(before)
    below = sum(_probability(made, day.calls, likely) for made in range(day.made))
    exactly = _probability(day.made, day.calls, likely)
    return min(1 - below, below + exactly)


def _probability(made: int, calls: int, likely: float) -> float:
    ways = lgamma(calls + 1) - lgamma(made + 1) - lgamma(calls - made + 1)
    return exp(ways + made * log(likely) + (calls - made) * log1p(-likely))


def _likely(before: list[Firing]) -> float:
    """The share of calls with a card in the days before; what never happened may happen."""
    return (sum(f.made for f in before) + 1) / (sum(f.calls for f in before) + 2)
