"""Whether a module's cases prove it: every red flag present, absent and unknown; every threshold below, at and above."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Case, Flag, Lab
from cds_service.knowledge.references import leaves, limits_of
from cds_service.record.codes import Code


def uncovered(knowledge: Knowledge) -> Iterator[str]:
    """What the cases leave unproved, each with its remedy."""
    cases = [case for _, case in knowledge.cases()]
    for name in knowledge.red_flags:
        seen = {case.expect.get(name) for case in cases}
        for truth in ("present", "absent", "unknown"):
            if truth not in seen:
                yield f"cases.yaml: no case expects {name} to be {truth}. Write one."
    for name, flag in knowledge.flags.items():
        mine = [case for case in cases if name in case.expect]
        yield from _thresholds(knowledge, flag, mine)
    criteria = {c.id for tier in knowledge.assessment.tiers for c in tier.any}
    for missing in sorted(criteria - {case.criterion for case in cases}):
        yield f"cases.yaml: no case meets criterion {missing}. Write one with `criterion: {missing}`."
    advised = {name for case in cases for name in case.recommends}
    silenced = {name for case in cases for name in case.silent}
    for name in knowledge.recommendations:
        if name not in advised:
            yield f"cases.yaml: no case recommends {name}. Write one."
        if name not in silenced:
            yield f"cases.yaml: no case keeps {name} silent. Write one."


def _thresholds(knowledge: Knowledge, flag: Flag, cases: list[Case]) -> Iterator[str]:
    for criterion in leaves(flag.when):
        if isinstance(criterion, Lab):
            yield from _lab(knowledge, flag, criterion, cases)
        if isinstance(criterion, Age):
            bound = criterion.at_least if criterion.at_least is not None else criterion.below or 0
            ages = {c.record.patient.age for c in cases if c.record.patient and c.record.patient.age is not None}
            sides = {"below": any(a < bound for a in ages), "at": bound in ages, "above": any(a > bound for a in ages)}
            yield from _said(flag.id, f"{bound} years", sides)


def _lab(knowledge: Knowledge, flag: Flag, criterion: Lab, cases: list[Case]) -> Iterator[str]:
    quantity = knowledge.measurements[criterion.value_set].quantity
    codes = {c.code for c in knowledge.value_sets[criterion.value_set].concepts}
    for limit in limits_of(criterion):
        factor = knowledge.units.factor(quantity, limit.unit) or 1.0
        for sex in ("male", "female") if limit.value is None else (None,):
            bound = limit.values(sex)[0] * factor
            numbers = [
                lab.value * (knowledge.units.factor(quantity, lab.unit or "") or 0.0)
                for case in cases
                if sex is None or (case.record.patient and case.record.patient.sex == sex)
                for lab in case.record.labs
                if lab.value is not None and (lab.code == criterion.value_set or (lab.system and Code(lab.system, lab.code or "") in codes))
            ]
            near = {
                "below": any(n < bound for n in numbers),
                "at": any(abs(n - bound) < 1e-9 for n in numbers),
                "above": any(n > bound for n in numbers),
            }
            yield from _said(flag.id, f"{bound:g}{f' ({sex})' if sex else ''}", near)


def _said(name: str, bound: str, sides: dict[str, bool]) -> Iterator[str]:
    for side, covered in sides.items():
        if not covered:
            yield f"cases.yaml: no case of {name} lies {side} {bound}. Write one."
