"""Why a rule or a criterion is met or not: its items, each present, absent or unknown, with the facts of the chart behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.cards.wording import inside_a_sentence
from cds_service.evidence import shown
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Expression, Rule, TierCriterion
from cds_service.knowledge.wording import expression_in_words, label_of
from cds_service.reasoning.expressions import formula
from cds_service.reasoning.findings import Assessment, Evidence
from cds_service.reasoning.truth import Truth

_MOST_FACTS = 3
_BY_CRITERIA = frozenset({"test", "consider", "negative"})  # topics whose card rests on a criterion


class Item(NamedTuple):
    """One thing that a rule asks for: `truth` is present, absent or unknown."""

    label: str
    truth: str
    facts: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """A rule or criterion: `truth` as of an item."""

    id: str
    label: str
    truth: str
    items: tuple[Item, ...]
    topic: str = ""  # the card that it leads to
    about: str = ""
    citations: tuple[str, ...] = ()
    lowered: bool = False


class Told:
    """An assessment that answers as a patient would: every finding, term and rule has its truth already."""

    def __init__(self, knowledge: Knowledge, assessment: Assessment) -> None:
        self.knowledge = knowledge
        self.assessment = assessment
        self.truths: dict[str, Truth] = {name: found.truth for name, found in assessment.findings.items()}
        self.truths |= assessment.terms
        self.truths |= {name: found.truth for name, found in assessment.rules.items()}

    def truth(self, name: str) -> Truth:
        """The truth of a finding, term or rule."""
        return self.truths[name]

    def of(self, expression: Expression) -> str:
        """The truth of an expression, as a word."""
        return formula(expression, self.knowledge.flags)(self).value


def rules_of(told: Told) -> Iterator[Outcome]:
    """Every published rule."""
    leads = {c.rule: tier.topic for tier in told.knowledge.assessment.tiers for c in tier.any if c.rule}
    for rule in told.knowledge.rules.values():
        about = " ".join(filter(None, (f"{rule.performance}, {rule.population}.", rule.caution)))
        items = (*_required(told, rule), *_asked(told, rule))
        truth = told.assessment.rules[rule.id].truth.value
        yield Outcome(rule.id, rule.label, truth, items, leads.get(rule.id, ""), shown.readable(about), rule.citations)


def _required(told: Told, rule: Rule) -> Iterable[Item]:
    return (_item(told, expression) for expression in rule.requires)


def _asked(told: Told, rule: Rule) -> Iterator[Item]:
    for label, expression, truth in zip(rule.item_labels, rule.items, told.assessment.rules[rule.id].items, strict=True):
        yield Item(shown.readable(label), truth.value, _facts(told, expression, truth))


def criteria_of(told: Told) -> tuple[tuple[Outcome, ...], tuple[Outcome, ...]]:
    """Every criterion of the tiers that is no published rule: those that decide, or would if data were not missing, and the others.

    Once there is a result of the gene, none of them decides.
    """
    deciding: list[Outcome] = []
    others: list[Outcome] = []
    reached = bool(set(told.assessment.topics) - _BY_CRITERIA)
    for tier in told.knowledge.assessment.tiers:
        found = [_criterion(told, criterion, tier.topic) for criterion in tier.any if criterion.rule is None]
        met = tier.topic == told.assessment.tier or any(o.id in told.assessment.criteria for o in found)
        decide = [] if reached else [o for o in found if o.id in told.assessment.criteria or (o.truth == "unknown" and not met)]
        deciding += decide
        others += [o for o in found if o not in decide]
        reached = reached or tier.topic == told.assessment.tier
    return tuple(deciding), tuple(others)


def _criterion(told: Told, criterion: TierCriterion, topic: str) -> Outcome:
    lowered = criterion.lowered_by is not None and told.truth(criterion.lowered_by) is Truth.PRESENT
    items = tuple(_item(told, part) for part in _parts(told.knowledge, criterion.when))
    return Outcome(criterion.id, shown.readable(criterion.label), told.of(criterion.when), items, topic, lowered=lowered)


def _parts(knowledge: Knowledge, expression: Expression) -> tuple[Expression, ...]:
    """What must all hold: of a term that asks for several things these things."""
    if isinstance(expression, str):
        return _parts(knowledge, knowledge.terms[expression].when) if expression in knowledge.terms else (expression,)
    if expression.all is None:
        return (expression,)
    return tuple(inner for part in expression.all for inner in (_parts(knowledge, part) if _is_all(knowledge, part) else (part,)))


def _is_all(knowledge: Knowledge, expression: Expression) -> bool:
    if isinstance(expression, str):
        return expression in knowledge.terms and _is_all(knowledge, knowledge.terms[expression].when)
    return expression.all is not None


def _item(told: Told, expression: Expression) -> Item:
    knowledge = told.knowledge
    label = shown.readable(_in_words(knowledge, expression, inside=False))
    truth = Truth(told.of(expression))
    return Item(label[:1].upper() + label[1:], truth.value, _facts(told, expression, truth))


def _in_words(knowledge: Knowledge, expression: Expression, *, inside: bool = True) -> str:
    """An expression in words, down to the names in it."""
    if isinstance(expression, str):
        label = label_of(expression, knowledge)
        return inside_a_sentence(label).replace("A ", "a ", 1) if inside else label
    for joined, parts in ((" and ", expression.all), (" or ", expression.any)):
        if parts is not None:
            said = [_in_words(knowledge, part) for part in parts]
            return joined.join(
                f"({one})" if not isinstance(part, str) and (part.all or part.any) else one for one, part in zip(said, parts, strict=True)
            )
    for word, one in (("no", expression.not_), ("not found:", expression.not_found), ("not known:", expression.unknown)):
        if one is not None:
            return f"{word} {_in_words(knowledge, one)}"
    if expression.at_least is not None:
        return f"{expression.at_least.n} of {', '.join(_in_words(knowledge, part) for part in expression.at_least.of)}"
    return str(expression_in_words(expression, knowledge).text)


def _facts(told: Told, expression: Expression, truth: Truth) -> tuple[str, ...]:
    """The facts behind a present item, or the results that decide an absent one."""
    if truth is Truth.UNKNOWN:
        return ()
    found: dict[str, None] = {}
    for flag in _flags(told.knowledge, expression):
        finding = told.assessment.findings[flag]
        if finding.truth is truth:
            found |= dict.fromkeys(_of_items(finding.evidence[:2], results_only=truth is Truth.ABSENT))
    return tuple(found)[:_MOST_FACTS]


def _of_items(evidence: Iterable[Evidence], *, results_only: bool) -> Iterator[str]:
    for one in evidence:
        if one.what == "Age":
            yield one.value or ""
        elif one.what != "Administrative gender" and (one.value or not results_only):
            yield shown.fact(one)


def _flags(knowledge: Knowledge, expression: Expression) -> Iterator[str]:
    """The flags that an expression comes down to, but for those that must not be: their facts speak the other way."""
    if not isinstance(expression, str):
        for part in (*(expression.all or ()), *(expression.any or ()), *(expression.at_least.of if expression.at_least else ())):
            yield from _flags(knowledge, part)
        if expression.organs:
            yield from (name for name, flag in knowledge.flags.items() if flag.organ and expression.organs.strength in ("any", flag.organ.strength))
    elif expression in knowledge.flags:
        yield expression
    elif expression in knowledge.terms:
        yield from _flags(knowledge, knowledge.terms[expression].when)
    else:
        rule = knowledge.rules[expression]
        for inner in (*rule.requires, *rule.items):
            yield from _flags(knowledge, inner)
