"""Where each thing of a plot stands: across in per cent, so that letters keep their size on any page; down in pixels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

HEIGHT = 170
_TOP, _BOTTOM = 16, HEIGHT - 22  # the words of a change stand above, those of the days below
_LEFT, _RIGHT = 1.0, 98.5
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)  # between two lines, in per cent of the calls
_MOST_LINES = 5
_OFF_MIDDLE = 0.05  # of the whole time
_APART = 15.0  # between the words of two changes, in per cent
_WEEK = dt.timedelta(days=7)


class Mark(NamedTuple):
    """A place with its words."""

    x: float
    y: float
    text: str


class Plot(NamedTuple):
    """A share for each week: its lines, its days, the weeks, what joins those that follow each other, and the changes of version."""

    lines: tuple[Mark, ...]
    days: tuple[Mark, ...]
    weeks: tuple[Mark, ...]
    joins: tuple[tuple[Mark, Mark], ...]
    changes: tuple[Mark, ...]


def share_by_week(weeks: Sequence[tuple[dt.date, float | None]], changes: Mapping[dt.date, str]) -> Plot:
    """The plot of at least one week, each by its Monday with its share from 0 to 1, or None where it is not shown; `changes` are versions by day."""
    first, last = weeks[0][0], max(weeks[-1][0], *changes, weeks[0][0] + _WEEK)
    most = 100 * max((share for _, share in weeks if share is not None), default=0.0)
    step = next(s for s in _STEPS if most <= s * _MOST_LINES)
    highest = step * max(1, -(-most // step))

    def across(day: dt.date) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * ((day - first) / (last - first)), 2)

    def down(percent: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * percent / highest, 1)

    drawn = {monday: Mark(across(monday), down(100 * share), f"{monday}: {100 * share:.1f} %") for monday, share in weeks if share is not None}
    return Plot(
        lines=tuple(Mark(0, down(n * step), f"{n * step:g} %") for n in range(round(highest / step) + 1)),
        days=tuple(Mark(across(day), HEIGHT, str(day)) for day in _told(first, weeks[-1][0])),
        weeks=tuple(drawn.values()),
        joins=tuple((drawn[one], drawn[next_one]) for one, next_one in pairwise(drawn) if next_one - one == _WEEK),
        changes=tuple(_apart(Mark(across(day), _TOP, version) for day, version in sorted(changes.items()))),
    )


def _told(first: dt.date, last: dt.date) -> list[dt.date]:
    """The first Monday, the last, and the one in their middle if there is one: there is room for three on a phone."""
    weeks = (last - first) // _WEEK
    middle = first + weeks // 2 * _WEEK
    is_middle = weeks and abs((middle - first) / (last - first) - 0.5) < _OFF_MIDDLE
    return sorted({first, last, *([middle] if is_middle else ())})


def _apart(changes: Iterable[Mark]) -> Iterator[Mark]:
    """Changes without the words of those that would lie on those before."""
    told = -_APART
    for one in changes:
        near = one.x - told < _APART
        told = told if near else one.x
        yield one._replace(text="") if near else one
