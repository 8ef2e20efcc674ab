"""Small numbers of people are not shown, nor what would give them away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

SMALLEST = 10  # what is counted fewer times is not shown; zero is
ALL = "all"


class Figure(NamedTuple):
    """How many: `number` of `of`, in one column (one release of the knowledge, or all).

    The figures of one `whole` and column add up to their `of`, so that one that is missing could be told from the others.
    `per` says how a rate is told: of 100, or of 1,000. A figure that is not of people (`open`) is always shown.
    """

    section: str
    item: str
    column: str
    number: int
    of: int | None = None
    per: int = 100
    whole: str | None = None
    open: bool = False


class Shown(NamedTuple):
    """A figure as it may be seen: None for a number that is not shown."""

    section: str
    item: str
    column: str
    number: int | None
    of: int | None
    per: int
    rate: float | None


def masked(figures: Iterable[Figure]) -> list[Shown]:
    """The figures without small numbers, and without those from which a small number could be told."""
    every = list(figures)
    hidden = {i for i, f in enumerate(every) if not f.open and (_small(f.number) or (f.of is not None and _small(f.of - f.number)))}
    groups = [*_groups(every, by_item=False), *_groups(every, by_item=True)]
    while more := {_next(every, group, hidden) for group in groups if len(hidden.intersection(group)) == 1} - {None}:
        hidden |= {i for i in more if i is not None}
    return [_shown(figure, hide=i in hidden) for i, figure in enumerate(every)]


def _small(count: int) -> bool:
    return 0 < count < SMALLEST


def _groups(figures: list[Figure], *, by_item: bool) -> list[list[int]]:
    """Figures of which each can be told from the others: the parts of a whole, or the column of all and those that it sums."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, f in enumerate(figures):
        if by_item:
            found[f.section, f.item, ""].append(i)
        if not by_item and f.whole:
            found[f.section, f.whole, f.column].append(i)
    return list(found.values())


def _next(figures: list[Figure], group: list[int], hidden: set[int]) -> int | None:
    """The smallest of a group that is not hidden yet and could be."""
    return min((i for i in group if i not in hidden and figures[i].number), key=lambda i: (figures[i].number, i), default=None)


def _shown(figure: Figure, *, hide: bool) -> Shown:
    of = None if figure.of is None or (_small(figure.of) and not figure.open) else figure.of
    number = None if hide else figure.number
    rate = figure.per * number / of if number is not None and of else None
    return Shown(figure.section, figure.item, figure.column, number, of, figure.per, rate)
