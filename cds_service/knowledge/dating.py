"""Every threshold says since when it holds, and what held before, so that an older card can be understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cds_service.knowledge.model import Age, AnyOf, Criterion, Former, Lab, Limit
from cds_service.record.dates import Day

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Place = tuple[str | int, ...]
Fault = tuple[str, Place, str]
_FORM = re.compile(r"\d{4}-\d{2}-\d{2}")
_SIDES = ("above", "below", "at_least", "at_most")


def dating_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """Thresholds without a day, with one that is none or still to come, and histories that are out of order."""
    date = knowledge.module.date
    module_day = _day(date)
    if module_day is None:
        yield "module.yaml", ("date",), f"'{date}' is no date. Write it as \"2026-11-22\"."
        return
    for file, place, threshold in thresholds(knowledge):
        for inner, message in _threshold_faults(threshold, module_day):
            yield file, (*place, *inner), message


def thresholds(knowledge: Knowledge) -> Iterator[tuple[str, Place, Limit | Age]]:
    """Every limit and every age threshold of a module, with the file and the place where it stands."""
    groups = (("red_flags.yaml", knowledge.red_flags), ("alternatives.yaml", knowledge.alternatives), ("facts.yaml", knowledge.facts))
    for file, flags in groups:
        for index, flag in enumerate(flags.values()):
            for place, threshold in _of_criterion(flag.when, (index, "when")):
                yield file, place, threshold
    yield "genetics.yaml", ("low_fraction",), knowledge.genetics.low_fraction


def _of_criterion(criterion: Criterion, place: Place) -> Iterator[tuple[Place, Limit | Age]]:
    if isinstance(criterion, AnyOf):
        for index, inner in enumerate(criterion.of):
            yield from _of_criterion(inner, (*place, "of", index))
    if isinstance(criterion, Age):
        yield place, criterion
    if isinstance(criterion, Lab):
        yield from (((*place, side), limit) for side in _SIDES if (limit := getattr(criterion, side)) is not None)
        if criterion.persists and criterion.persists.latest:
            yield (*place, "persists", "latest"), criterion.persists.latest


def _threshold_faults(threshold: Limit | Age, module_day: Day) -> Iterator[tuple[Place, str]]:
    if threshold.since is None:
        yield (), f'the threshold has no `since`. Add the day on which it took effect, for example since: "{module_day}".'
        return
    later = _day(threshold.since)
    if later is None:
        yield ("since",), f"since '{threshold.since}' is no date. Write it as \"{module_day}\"."
        return
    if later > module_day:
        yield ("since",), f"since {later} is later than the module's date, {module_day}. Correct it, or the date in module.yaml."
    for index, former in enumerate(threshold.formerly):
        place: Place = ("formerly", index)
        day = _day(former.since)
        if day is None:
            yield place, f"since '{former.since}' is no date. Write it as \"{module_day}\"."
            return
        if day >= later:
            yield place, f"what held since {day} is not older than what followed it on {later}. Write the newest first, or correct the dates."
        if not _has_one_value(former):
            yield place, "a former threshold has a value, or a value for male and for female. Correct it."
        later = day


def _has_one_value(former: Former) -> bool:
    return (former.value is None) != (former.male is None) and (former.male is None) == (former.female is None)


def _day(text: str) -> Day | None:
    try:
        return Day.fromisoformat(text) if _FORM.fullmatch(text) else None
    except ValueError:
        return None
