"""Limits of laboratory criteria as functions of a result: built once for a module, for men, for women and for an unknown sex."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Lab, Limit, Persistence
from cds_service.reasoning.results import Value
from cds_service.reasoning.truth import Truth, negation

Judge = Callable[[Value], Truth]


def beyond(criterion: Lab, knowledge: Knowledge, sex: str | None) -> Judge:
    """Whether one result lies beyond the criterion's limit; a comparator may leave that open, and so may an unknown sex."""
    if criterion.above_upper_limit is not None:
        return partial(_above_own_limit, criterion.above_upper_limit)
    limit = criterion.above or criterion.below or criterion.at_least or criterion.at_most
    if limit is None:
        return lambda _value: Truth.UNKNOWN
    side = next(s for s in ("above", "below", "at_least", "at_most") if getattr(criterion, s))
    judges = [against(side, bound) for bound in _bounds(criterion, limit, knowledge, sex)]
    return judges[0] if len(judges) == 1 else partial(_unanimous, judges)


def _unanimous(judges: Sequence[Judge], value: Value) -> Truth:
    truths = {judge(value) for judge in judges}
    return truths.pop() if len(truths) == 1 else Truth.UNKNOWN


def _above_own_limit(times: float, value: Value) -> Truth:
    """Whether a result lies so many times above the laboratory's own upper limit of normal."""
    if value.fact.upper_limit is None or not value.fact.value:
        return Truth.UNKNOWN
    return _above(value.fact.upper_limit * (value.number / value.fact.value) * times)(value)


def against(side: str, bound: float) -> Judge:
    """Whether a result lies above, below, at_least or at_most a bound in the canonical unit."""
    if side == "above":
        return _above(bound)
    if side == "below":
        return _below(bound)
    opposite = _below(bound) if side == "at_least" else _above(bound)
    return lambda value: negation(opposite(value))


def _bounds(criterion: Lab, limit: Limit, knowledge: Knowledge, sex: str | None) -> tuple[float, ...]:
    """The thresholds that may apply, in the canonical unit."""
    factor = knowledge.units.factor(knowledge.measurements[criterion.value_set].quantity, limit.unit) or 1.0
    return tuple(v * factor for v in limit.values(sex))


def _above(bound: float) -> Judge:
    """Whether the true value lies above a bound."""
    return _past(bound, ">", 1)


def _below(bound: float) -> Judge:
    """Whether the true value lies below a bound."""
    return _past(bound, "<", -1)


def _past(bound: float, outward: str, way: int) -> Judge:
    """Whether the true value lies beyond a bound on one side; `<5` and `>5` decide it only on their own."""
    nearly = _rounding(bound)

    def judge(value: Value) -> Truth:
        over = (value.number - bound) * way
        comparator = value.comparator
        if not comparator:
            return Truth.PRESENT if over > nearly else Truth.ABSENT
        if comparator.startswith(outward):
            sure = over >= -nearly if comparator == outward else over > nearly
            return Truth.PRESENT if sure else Truth.UNKNOWN
        return Truth.ABSENT if over <= nearly else Truth.UNKNOWN

    return judge


def _rounding(bound: float) -> float:
    """What unit conversion may add or take, so that 130 g/L is exactly 13 g/dL."""
    return 1e-9 * max(1.0, abs(bound))


def beyond_milder(criterion: Lab, persists: Persistence, knowledge: Knowledge, sex: str | None) -> Judge | None:
    """Whether a result still lies beyond the limit that the latest of a persistent finding must keep."""
    if persists.latest is None:
        return None
    bound = _bounds(criterion, persists.latest, knowledge, sex)[0]
    return _above(bound) if criterion.above else _below(bound)
