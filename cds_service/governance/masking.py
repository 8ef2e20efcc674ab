"""Small numbers of people are not shown, nor what would give them away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SMALLEST = 10  # what is counted fewer times is not shown; zero is
ALL = "all"


class Figure(NamedTuple):
    """How many: `number` of `of`, in one column (one release of the knowledge, or all, which is the sum of the others).

    `of_what` names the figure that `of` repeats, by section and item; if there is none, `of` is one that is not told by itself.
    The figures of one `whole` and column add up to their `of`, and those with the same `also` to the `of` of those that name it
    as their `of_what`, so that one that is missing could be told from the others. `per` says how a rate is told: of 100, or of
    1,000. A figure that is not of people (`open`) is always shown, unless it would give its `of` away.
    """

    section: str
    item: str
    column: str
    number: int
    of: int | None = None
    per: int = 100
    whole: str | None = None
    open: bool = False
    of_what: tuple[str, str] | None = None
    also: tuple[str, str] | None = None


class Shown(NamedTuple):
    """A figure as it may be seen: None for a number that is not shown."""

    section: str
    item: str
    column: str
    number: int | None
    of: int | None
    per: int
    rate: float | None


class _Sum(NamedTuple):
    """Figures by their places, of which each can be told from the others: parts, and what they add up to, if that is there."""

    total: int | None
    parts: list[int]


def masked(figures: Iterable[Figure]) -> list[Shown]:
    """The figures without small numbers, and without those from which a small number could be told."""
    asked = list(figures)
    every = [*asked, *_totals(asked)]
    places = {(f.section, f.item, f.column): i for i, f in enumerate(every)}
    hidden = {i for i, f in enumerate(every) if not f.open and (_small(f.number) or (f.of is not None and _small(f.of - f.number)))}
    sums = list(_sums(every, places))
    while more := {_next(every, one, hidden) for one in sums if _told(every, one, hidden)} - {None}:
        hidden |= {i for i in more if i is not None}
    totals = [None if f.of is None else places[(*_of_what(f), f.column)] for f in asked]
    return [_shown(f, hide=i in hidden, hide_of=total in hidden) for i, (f, total) in enumerate(zip(asked, totals, strict=True))]


def _small(count: int) -> bool:
    return 0 < count < SMALLEST


def _of_what(figure: Figure) -> tuple[str, str]:
    return figure.of_what or (figure.section, f"of {figure.whole or figure.item}")


def _totals(figures: list[Figure]) -> Iterator[Figure]:
    """What figures are of, where that is no figure itself."""
    known = {(f.section, f.item, f.column) for f in figures}
    missing = {(*_of_what(f), f.column): f.of for f in figures if f.of is not None}
    yield from (Figure(*place, number) for place, number in missing.items() if place not in known)


def _sums(figures: list[Figure], places: dict[tuple[str, str, str], int]) -> Iterator[_Sum]:
    """The parts of each whole, and the columns of each item."""
    wholes: dict[tuple[str, ...], _Sum] = {}
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, f in enumerate(figures):
        if f.column != ALL:
            columns[f.section, f.item].append(i)
        if f.whole:
            wholes.setdefault((f.section, f.whole, f.column), _Sum(places.get((*_of_what(f), f.column)), [])).parts.append(i)
        if f.also:
            wholes.setdefault(("", *f.also, f.column), _Sum(places.get((*f.also, f.column)), [])).parts.append(i)
    yield from wholes.values()
    yield from (_Sum(places.get((*item, ALL)), parts) for item, parts in columns.items())


def _told(figures: list[Figure], one: _Sum, hidden: set[int]) -> bool:
    """Whether something that is hidden could be told: it alone is missing, or each that is missing must be 1, as zeros are shown."""
    missing = [i for i in one.parts if i in hidden]
    if one.total in hidden:
        return not missing
    return bool(missing) and (len(missing) == 1 or sum(figures[i].number for i in missing) == len(missing))


def _next(figures: list[Figure], one: _Sum, hidden: set[int]) -> int | None:
    """The smallest of a sum that is not hidden yet and could be."""
    places = [*one.parts, *([] if one.total is None else [one.total])]
    return min(
        (i for i in places if i not in hidden and figures[i].number and not figures[i].open), key=lambda i: (figures[i].number, i), default=None
    )


def _shown(figure: Figure, *, hide: bool, hide_of: bool) -> Shown:
    of = None if hide_of else figure.of
    number = None if hide or (figure.open and hide_of) else figure.number
    rate = figure.per * number / of if number is not None and of else None
    return Shown(figure.section, figure.item, figure.column, number, of, figure.per, rate)
