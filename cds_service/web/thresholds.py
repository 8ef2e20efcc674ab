"""Thresholds of a criterion: what is compared, since when it holds, and what held before."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Criterion, Lab, Limit
from cds_service.knowledge.wording import beyond_in_words, criterion_in_words, limit_in_words, title_of
from cds_service.web.entries import FormerThreshold, Threshold


def thresholds_of(criterion: Criterion, knowledge: Knowledge) -> Iterator[Threshold]:
    """The thresholds of one criterion."""
    if isinstance(criterion, Age):
        limit = criterion_in_words(criterion, knowledge).text.removeprefix("age in completed years ")
        way = "at least" if criterion.at_least is not None else "below"
        held = tuple(FormerThreshold(limit=f"{way} {f.value:g}", since=f.since, why=f.why) for f in criterion.formerly if f.value is not None)
        yield Threshold(of="Age", limit=limit, since=criterion.since, formerly=held)
    if isinstance(criterion, Lab):
        label = title_of(criterion.value_set, knowledge)
        limit_of = criterion.above or criterion.below or criterion.at_least or criterion.at_most
        yield _threshold(label, beyond_in_words(criterion), limit_of)
        if criterion.persists and criterion.persists.latest:
            latest = criterion.persists.latest
            yield _threshold(label, f"the latest still {'above' if criterion.above else 'below'} {limit_in_words(latest)}", latest)


def share_threshold(of: str, limit: Limit) -> Threshold:
    """A threshold of a share, which is one value of 1, as a percentage."""
    held = tuple(FormerThreshold(limit=_percent(f.value or 0), since=f.since, why=f.why) for f in limit.formerly)
    return Threshold(of=of, limit=f"below {_percent(limit.value or 0)}", since=limit.since, formerly=held)


def _threshold(label: str, words: str, limit: Limit | None) -> Threshold:
    if limit is None:
        return Threshold(of=label, limit=words)
    former = ((f, Limit(unit=limit.unit, value=f.value, male=f.male, female=f.female)) for f in limit.formerly)
    held = tuple(FormerThreshold(limit=limit_in_words(old), since=f.since, why=f.why) for f, old in former)
    return Threshold(of=label, limit=words, since=limit.since, formerly=held)


def _percent(share: float) -> str:
    return f"{share * 100:g} %"
