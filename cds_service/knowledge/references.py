"""Everything that one part of a module says of another must resolve: value sets, citations, findings, units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cds_service.errors import KnowledgeError
from cds_service.knowledge.model import AnyOf, Clause, Coded, Criterion, Drug, Expression, Flag, Lab, Limit, ReportText, Resulted
from cds_service.knowledge.units import spelling
from cds_service.record.dates import period

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

_FLAG_FILES = ("red_flags.yaml", "alternatives.yaml", "facts.yaml")


def check_references(knowledge: Knowledge) -> None:
    """Raise KnowledgeError at the first thing that does not resolve."""
    ids: dict[str, str] = {}
    for name in (*knowledge.red_flags, *knowledge.alternatives, *knowledge.facts, *knowledge.terms, *knowledge.rules):
        if name in ids:
            raise KnowledgeError(f"the id '{name}' is used twice in {', '.join(_FLAG_FILES)}, rules.yaml or assessment.yaml. Rename one.")
        ids[name] = name
    for key, place, message in _faults(knowledge, frozenset(ids)):
        raise knowledge.files.document(key).fault(place, message)


Fault = tuple[str, tuple[str | int, ...], str]


def _faults(knowledge: Knowledge, ids: frozenset[str]) -> Iterator[Fault]:
    for file, flags in zip(_FLAG_FILES, (knowledge.red_flags, knowledge.alternatives, knowledge.facts), strict=True):
        for index, flag in enumerate(flags.values()):
            yield from _flag_faults(knowledge, file, index, flag)
    cited = [("rules.yaml", i, r.citations) for i, r in enumerate(knowledge.rules.values())]
    cited += [("recommendations.yaml", i, r.citations) for i, r in enumerate(knowledge.recommendations.values())]
    for file, index, citations in cited:
        yield from _citation_faults(knowledge, file, index, citations, needed=True)
    for index, card in enumerate(knowledge.cards.values()):
        yield from _citation_faults(knowledge, "cards.yaml", index, card.citations, needed=False)
    yield from _citation_faults(knowledge, "genetics.yaml", "citations", knowledge.genetics.citations, needed=True)
    for file, place, expression in _expressions(knowledge):
        for name in names_in(expression):
            if name not in ids:
                yield file, place, f"'{name}' is no red flag, alternative, fact, term or rule. Define it or correct the name."
    for index, measurement in enumerate(knowledge.measurements.values()):
        if measurement.value_set not in knowledge.value_sets:
            yield "measurements.yaml", (index,), f"there is no value set '{measurement.value_set}'. Add valuesets/{measurement.value_set}.json."
        if measurement.quantity not in knowledge.quantities:
            yield "measurements.yaml", (index,), f"there is no quantity '{measurement.quantity}' in units.yaml. Define it or correct the name."
    for value_set in knowledge.phrases:
        if value_set not in knowledge.value_sets:
            yield "terms.yaml", ("terms", value_set), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
    for index, requirement in enumerate(knowledge.requirements.values()):
        for value_set in requirement.codes_of:
            if value_set not in knowledge.value_sets:
                yield "requirements.yaml", (index,), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
    yield from _requirement_faults(knowledge)
    for index, order in enumerate(knowledge.orders.values()):
        for value_set in (*order.unless_result, *([order.ordered_as] if order.ordered_as else [])):
            if value_set not in knowledge.value_sets:
                yield "orders.yaml", (index,), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."


def _requirement_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """A laboratory search asks for at most 20 codes: long URLs are cut off by servers and proxies."""
    for index, requirement in enumerate(knowledge.requirements.values()):
        sets = [knowledge.value_sets[s] for s in requirement.codes_of if s in knowledge.value_sets]
        if len({c.code for s in sets for c in s.concepts}) > 20:
            yield "requirements.yaml", (index,), f"'{requirement.key}' asks for more than 20 codes. Split it into two keys."


def _flag_faults(knowledge: Knowledge, file: str, index: int, flag: Flag) -> Iterator[Fault]:
    yield from _citation_faults(knowledge, file, index, flag.citations, needed=flag.confidence not in ("definition", "proposal"))
    for criterion in leaves(flag.when):
        for value_set in value_sets_of(criterion):
            if value_set not in knowledge.value_sets:
                yield file, (index, "when"), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
        try:
            for text in _periods_of(criterion):
                period(text)
        except ValueError as error:
            yield file, (index, "when"), str(error)
        if isinstance(criterion, Lab):
            yield from _lab_faults(knowledge, file, index, criterion)


def _lab_faults(knowledge: Knowledge, file: str, index: int, lab: Lab) -> Iterator[Fault]:
    measurement = knowledge.measurements.get(lab.value_set)
    if measurement is None:
        yield file, (index, "when"), f"'{lab.value_set}' is not in measurements.yaml. Add its label and quantity there."
        return
    quantity = knowledge.quantities.get(measurement.quantity)
    known = {spelling(u) for u in quantity.factors} if quantity else set()
    for limit in limits_of(lab):
        if spelling(limit.unit) not in known:
            yield file, (index, "when"), f"the unit '{limit.unit}' is unknown for {measurement.quantity}. Use one of {sorted(known)}."
    if sum(x is not None for x in (lab.above, lab.below, lab.at_least, lab.at_most, lab.above_upper_limit)) != 1:
        yield file, (index, "when"), "a lab criterion has exactly one of above, below, at_least, at_most, above_upper_limit."


def _citation_faults(knowledge: Knowledge, file: str, index: int | str, cited: tuple[str, ...], *, needed: bool) -> Iterator[Fault]:
    if needed and not cited:
        yield file, (index,), "no citation. Every claim names at least one of citations.yaml."
    for name in cited:
        if name not in knowledge.citations:
            yield file, (index, "citations"), f"there is no citation '{name}'. Add it to citations.yaml or correct the name."


def _expressions(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str | int, ...], Expression]]:
    for i, term in enumerate(knowledge.assessment.terms):
        yield "assessment.yaml", ("terms", i), term.when
    for i, tier in enumerate(knowledge.assessment.tiers):
        for j, criterion in enumerate(tier.any):
            yield "assessment.yaml", ("tiers", i, "any", j), criterion.when
            if criterion.lowered_by:
                yield "assessment.yaml", ("tiers", i, "any", j), criterion.lowered_by
    for name in (knowledge.assessment.compatible, knowledge.assessment.inflammation, *knowledge.assessment.alternatives):
        yield "assessment.yaml", (), name
    for name in knowledge.module.no_card_when:
        yield "module.yaml", ("no_card_when",), name
    for i, rule in enumerate(knowledge.rules.values()):
        for expression in (*rule.items, *rule.requires):
            yield "rules.yaml", (i,), expression
    for i, item in enumerate(knowledge.recommendations.values()):
        yield "recommendations.yaml", (i,), item.when
        for caution in item.cautions:
            yield "recommendations.yaml", (i, "cautions"), caution.when
    for i, order in enumerate(knowledge.orders.values()):
        yield "orders.yaml", (i,), order.when
        for name in order.reason:
            yield "orders.yaml", (i, "reason"), name


def names_in(expression: Expression) -> Iterator[str]:
    """The findings, terms and rules that an expression names."""
    if isinstance(expression, str):
        yield expression
        return
    for inner in parts_of(expression):
        yield from names_in(inner)


def parts_of(clause: Clause) -> Iterator[Expression]:
    """The expressions directly inside a clause."""
    yield from clause.all or ()
    yield from clause.any or ()
    if clause.at_least:
        yield from clause.at_least.of
    yield from (e for e in (clause.not_, clause.not_found, clause.unknown) if e is not None)


def leaves(criterion: Criterion) -> Iterator[Criterion]:
    """A criterion's parts that look at the chart themselves."""
    if isinstance(criterion, AnyOf):
        for inner in criterion.of:
            yield from leaves(inner)
    else:
        yield criterion


def value_sets_of(criterion: Criterion) -> Iterator[str]:
    """Every value set that a criterion reads."""
    if isinstance(criterion, Lab | ReportText):
        yield criterion.value_set
    if isinstance(criterion, Resulted | Coded | Drug):
        yield from criterion.value_sets
    if isinstance(criterion, Coded):
        yield from (s for s in (criterion.code_needs_text_of, criterion.unless_text_of) if s)
        if criterion.unless_near:
            yield criterion.unless_near.value_set
    if isinstance(criterion, Drug) and criterion.before_result:
        yield criterion.before_result.value_set


def limits_of(lab: Lab) -> Iterator[Limit]:
    """Every threshold of a lab criterion."""
    yield from (limit for limit in (lab.above, lab.below, lab.at_least, lab.at_most) if limit is not None)
    if lab.persists and lab.persists.latest:
        yield lab.persists.latest


def _periods_of(criterion: Criterion) -> Iterator[str]:
    for name in ("within", "covered"):
        text = getattr(criterion, name, None)
        if text:
            yield text
    for inner in (getattr(criterion, "persists", None), getattr(criterion, "entries", None)):
        if inner:
            yield inner.apart
    for near in (getattr(criterion, "unless_near", None), getattr(criterion, "before_result", None)):
        if near:
            yield near.within
