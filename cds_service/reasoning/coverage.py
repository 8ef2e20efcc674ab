"""Whether a module's cases prove it; what they leave open comes with the case to write and the file it belongs in.

Every red flag: present, absent and unknown. Every threshold: below, at and above. Every look-back: the oldest day that counts
and the first that is too old. Every criterion of a tier: met. Every published rule: met, and missed by exactly one item.
Every recommendation: given and silent. Every caution: raised, and not raised where its recommendation is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.knowledge.article import carriers
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Case, Flag, Lab, Recommendation, Rule
from cds_service.knowledge.references import leaves, limits_of
from cds_service.reasoning.casebook import Outcome, home_of
from cds_service.reasoning.edges import unproved_look_backs
from cds_service.reasoning.proofs import PROVED_BY_CASES, proofs
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code


def uncovered(knowledge: Knowledge, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What the cases leave unproved, each with its remedy."""
    cases = [outcome.case for outcome in outcomes]
    for name in knowledge.red_flags:
        seen = {case.expect.get(name) for case in cases}
        for truth in ("present", "absent", "unknown"):
            if truth not in seen:
                yield f"{home_of(outcomes, name)}: no case expects {name} to be {truth}. Add one with expect: {{{name}: {truth}}}."
    for name, flag in knowledge.flags.items():
        mine = [case for case in cases if name in case.expect]
        home = home_of(outcomes, name)
        yield from (f"{home}: {fault}" for fault in _thresholds(knowledge, flag, mine))
    yield from unproved_look_backs(knowledge, outcomes)
    criteria = {c.id: c.when for tier in knowledge.assessment.tiers for c in tier.any}
    for missing in sorted(criteria.keys() - {case.criterion for case in cases}):
        yield f"{home_of(outcomes, missing)}: no case meets criterion {missing}. Add one with criterion: {missing}."
    for rule in knowledge.rules.values():
        if rule.published:
            yield from (f"{home_of(outcomes, rule.id)}: {fault}" for fault in _rule(rule, outcomes))
    for item in knowledge.recommendations.values():
        yield from (f"{home_of(outcomes, item.id)}: {fault}" for fault in _recommendation(item, outcomes))
    for point in knowledge.article.values():
        for kind, name in carriers(point):
            if kind in PROVED_BY_CASES and not proofs(outcomes, kind, name):
                what = f"no case proves {name}, which carries '{point.id}' of the article"
                yield f"{home_of(outcomes, name)}: {what}. {PROVED_BY_CASES[kind].format(name)}"


def _rule(rule: Rule, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A published rule is met by a case, and missed by one that lacks exactly one item."""
    if not any(o.case.expect.get(rule.id) == "present" for o in outcomes):
        yield f"no case meets the rule {rule.id}. Add one with expect: {{{rule.id}: present}}."
    missed = (o.assessment.rules[rule.id].items for o in outcomes if o.assessment and o.case.expect.get(rule.id) == "absent")
    if not any(items.count(Truth.PRESENT) == rule.at_least - 1 and Truth.UNKNOWN not in items for items in missed):
        few = f"exactly {rule.at_least - 1} of the {len(rule.items)} items"
        yield f"no case just misses the rule {rule.id}. Add one with {few} present, the others absent, and expect: {{{rule.id}: absent}}."


def _recommendation(item: Recommendation, outcomes: Sequence[Outcome]) -> Iterator[str]:
    given = [o for o in outcomes if item.id in o.case.recommends]
    if not given:
        yield f"no case recommends {item.id}. Add one with recommends: [{item.id}]."
    if not any(item.id in o.case.silent for o in outcomes):
        yield f"no case keeps {item.id} silent. Add one with silent: [{item.id}]."
    for index, caution in enumerate(item.cautions):
        raising = [o for o in given if o.assessment and any(a.id == item.id and index in a.cautions for a in o.assessment.advice)]
        if not any(caution.text in o.case.cautions for o in raising):
            yield (
                f'no case raises the caution "{caution.text}" of {item.id}. '
                f'Add one with recommends: [{item.id}] and cautions: ["{caution.text}"], or list it in a case that raises it.'
            )
    bare = [c.text for c in item.cautions if not any({item.id, c.text} & set(o.case.no_cautions) for o in given)]
    if bare:
        yield (
            f"no case recommends {item.id} without {' or '.join(map(_quoted, bare))}. "
            f"Add one in which none of these holds, with recommends: [{item.id}] and no_cautions: [{item.id}]."
        )


def uncited(knowledge: Knowledge) -> Iterator[str]:
    """Citations that nothing in the module cites: worth knowing, and no fault."""
    cited = {name for flag in knowledge.flags.values() for name in flag.citations}
    cited |= {name for rule in knowledge.rules.values() for name in rule.citations}
    cited |= {name for item in knowledge.recommendations.values() for name in item.citations}
    cited |= {name for card in knowledge.cards.values() for name in card.citations}
    cited |= {name for variant in knowledge.genetics.variants for name in variant.citations} | set(knowledge.genetics.citations)
    yield from (name for name in knowledge.citations if name not in cited)


def _thresholds(knowledge: Knowledge, flag: Flag, cases: list[Case]) -> Iterator[str]:
    for criterion in leaves(flag.when):
        if isinstance(criterion, Lab):
            yield from _lab(knowledge, flag, criterion, cases)
        if isinstance(criterion, Age):
            ages = {c.record.patient.age for c in cases if c.record.patient and c.record.patient.age is not None}
            for bound in (b for b in (criterion.at_least, criterion.below) if b is not None):
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
                lab.value * scale
                for case in cases
                if sex is None or (case.record.patient and case.record.patient.sex == sex)
                for lab in case.record.labs
                if lab.value is not None and (lab.code == criterion.value_set or (lab.system and Code(lab.system, lab.code or "") in codes))
                if lab.unit and (scale := knowledge.units.factor(quantity, lab.unit))
            ]
            near = {
                "below": any(n < bound for n in numbers),
                "at": any(abs(n - bound) < 1e-9 for n in numbers),
                "above": any(n > bound for n in numbers),
            }
            shown = f"{limit.values(sex)[0]:g} {limit.unit}{f' ({sex})' if sex else ''} of {criterion.value_set}"
            yield from _said(flag.id, shown, near)


def _said(name: str, bound: str, sides: dict[str, bool]) -> Iterator[str]:
    for side, covered in sides.items():
        if not covered:
            yield f"no case of {name} lies {side} {bound}. Add one with such a value and {name} in its expect."


def _quoted(text: str) -> str:
    return f'"{text}"'
