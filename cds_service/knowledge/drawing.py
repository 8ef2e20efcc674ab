"""What a timeline draws must be there: tests, findings that have a threshold or look for conditions, value sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cds_service.knowledge.model import AnyOf, Coded, Criterion, Lab, Lane, Limit
from cds_service.record.dates import period

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Place = tuple[str | int, ...]
Fault = tuple[str, Place, str]
_FILE = "timeline.yaml"
_SIDES = ("above", "below", "at_least", "at_most")


def drawn_limits(criterion: Criterion, test: str) -> Iterator[tuple[str, Limit]]:
    """The limits that a criterion sets to a test, each with its side."""
    if isinstance(criterion, AnyOf):
        for inner in criterion.of:
            yield from drawn_limits(inner, test)
    if isinstance(criterion, Lab) and criterion.value_set == test:
        yield from ((side, limit) for side in _SIDES if (limit := getattr(criterion, side)))


def drawn_conditions(criterion: Criterion) -> Iterator[str]:
    """The value sets of the conditions that a criterion looks for."""
    if isinstance(criterion, AnyOf):
        for inner in criterion.of:
            yield from drawn_conditions(inner)
    if isinstance(criterion, Coded) and not criterion.procedures:
        yield from criterion.value_sets


def timeline_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """What a timeline names and the module does not hold."""
    timeline = knowledge.timeline
    if timeline is None:
        return
    try:
        period(timeline.longest)
    except ValueError as error:
        yield _FILE, ("longest",), str(error)
    tests = [drawn.test for drawn in timeline.tests]
    for i, drawn in enumerate(timeline.tests):
        if drawn.test not in knowledge.measurements:
            yield _FILE, ("tests", i), f"there is no measurement '{drawn.test}'. Define it in measurements.yaml or correct the name."
        if drawn.test in tests[:i]:
            yield _FILE, ("tests", i), f"'{drawn.test}' is drawn twice. Remove one."
        for name in drawn.thresholds:
            if name not in knowledge.flags or not any(drawn_limits(knowledge.flags[name].when, drawn.test)):
                yield _FILE, ("tests", i, "thresholds"), f"'{name}' sets no limit to {drawn.test}. Name a red flag, alternative or fact that does."
    for i, lane in enumerate(timeline.lanes):
        yield from _lane_faults(knowledge, ("lanes", i), lane)


def _lane_faults(knowledge: Knowledge, place: Place, lane: Lane) -> Iterator[Fault]:
    for name in lane.findings:
        if name not in knowledge.flags or not any(drawn_conditions(knowledge.flags[name].when)):
            yield _FILE, (*place, "findings"), f"'{name}' looks for no condition. Name a red flag, alternative or fact that does."
    for name in value_sets_of_lane(lane):
        if name not in knowledge.value_sets:
            yield _FILE, place, f"there is no value set '{name}'. Add valuesets/{name}.json."


def value_sets_of_lane(lane: Lane) -> Iterable[str]:
    """The value sets that a lane names itself."""
    return (*lane.conditions, *lane.drugs, *lane.procedures, *lane.reports)
