"""Everything that one part of a module says of another must resolve: value sets, citations, findings, units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cds_service.knowledge.article import article_faults
from cds_service.knowledge.dating import dating_faults
from cds_service.knowledge.drawing import timeline_faults
from cds_service.knowledge.model import (
    Allergic,
    AnyOf,
    Clause,
    Coded,
    Criterion,
    Drug,
    Expression,
    Flag,
    Lab,
    Limit,
    ReportText,
    Resulted,
    Vaccinated,
)
from cds_service.knowledge.sentences import sentence_faults
from cds_service.knowledge.soundness import soundness_faults
from cds_service.knowledge.units import spelling
from cds_service.record.dates import period

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

# What the reading of gene results may say; each needs its words.
_MESSAGES = (
    *(f"call-{call}" for call in ("negative", "unclear", "uncertain", "low", "unsure", "pathogenic")),
    *("reason-limited", "reason-new", "basis-result", "basis-problem-list", "basis-transplant", "new-organ", "problem-list"),
    *("ordered", "result-pending", "result-unreadable", "another-person", "problem-list-only", "germline", "germline-other"),
    *("low-fraction", "laboratory-class", "fraction-ambiguous", "uncertain-significance", "not-classified", "contradictory"),
    *("no-call", "not-understood", "benign", "conflict", "no-compatible-finding", "after-transplant"),
    *("problem-list-against-result", "limited-assay", "synonymous", "other-disease", "several-genes", "report-withdrawn"),
    *("disease-named", "other-tissue", "tissue-positive", "entry-unverified", "association"),
)
_LONGEST_ASSOCIATIONS = 45  # with their sources and the words before them about 110 on the card
_FLAG_FILES = ("red_flags.yaml", "alternatives.yaml", "facts.yaml")


def check_references(knowledge: Knowledge) -> None:
    """Raise KnowledgeError at the first thing that does not resolve, with file, line and remedy."""
    for file, place, message in _faults(knowledge):
        raise knowledge.files.document(file).fault(place, message)


Place = tuple[str | int, ...]
Fault = tuple[str, Place, str]


def _faults(knowledge: Knowledge) -> Iterator[Fault]:
    yield from _duplicates(knowledge)
    for file, flags in zip(_FLAG_FILES, (knowledge.red_flags, knowledge.alternatives, knowledge.facts), strict=True):
        for index, flag in enumerate(flags.values()):
            yield from _flag_faults(knowledge, file, index, flag)
    yield from _name_faults(knowledge)
    yield from _cycles(knowledge)
    yield from _citations(knowledge)
    yield from _value_sets(knowledge)
    yield from _rules(knowledge)
    yield from _texts(knowledge)
    yield from _gene_faults(knowledge)
    yield from dating_faults(knowledge)
    yield from soundness_faults(knowledge)
    yield from article_faults(knowledge)
    yield from timeline_faults(knowledge)
    yield from sentence_faults(knowledge)
    yield from _requirement_faults(knowledge)


def _duplicates(knowledge: Knowledge) -> Iterator[Fault]:
    """One namespace for flags, rules and terms; and no measurement or prefetch key twice."""
    homes: list[tuple[str, Place, str]] = [("assessment.yaml", ("terms", i), t.id) for i, t in enumerate(knowledge.assessment.terms)]
    homes += [("rules.yaml", (i,), name) for i, name in enumerate(knowledge.rules)]
    for file, flags in zip(_FLAG_FILES, (knowledge.red_flags, knowledge.alternatives, knowledge.facts), strict=True):
        homes += [(file, (i,), name) for i, name in enumerate(flags)]
    keys = [("requirements.yaml", (i,), str(r.get("key"))) for i, r in enumerate(knowledge.files.document("requirements.yaml").value)]
    tests = [("measurements.yaml", (i,), str(m.get("value_set"))) for i, m in enumerate(knowledge.files.document("measurements.yaml").value)]
    for group in (homes, keys, tests):
        seen: dict[str, str] = {}
        for file, place, name in group:
            if name in seen:
                yield file, place, f"'{name}' is defined already in {seen[name]}. Rename or remove one."
            seen.setdefault(name, file)


def _name_faults(knowledge: Knowledge) -> Iterator[Fault]:
    ids = frozenset((*knowledge.flags, *knowledge.terms, *knowledge.rules))
    for file, place, expression in _expressions(knowledge):
        for name in names_in(expression):
            if name not in ids:
                yield file, place, f"'{name}' is no red flag, alternative, fact, term or rule. Define it or correct the name."
    for i, tier in enumerate(knowledge.assessment.tiers):
        for j, criterion in enumerate(tier.any):
            if criterion.rule is not None and criterion.rule not in knowledge.rules:
                yield "assessment.yaml", ("tiers", i, "any", j), f"there is no rule '{criterion.rule}'. Define it in rules.yaml or correct the name."


def _cycles(knowledge: Knowledge) -> Iterator[Fault]:
    """A term or rule that refers to itself, straight or through others, would never be decided."""
    inside: dict[str, set[str]] = {t.id: set(names_in(t.when)) for t in knowledge.assessment.terms}
    inside |= {r.id: {n for e in (*r.items, *r.requires) for n in names_in(e)} for r in knowledge.rules.values()}
    for index, term in enumerate(knowledge.assessment.terms):
        reached: set[str] = set()
        pending = list(inside[term.id])
        while pending:
            name = pending.pop()
            if name == term.id:
                yield "assessment.yaml", ("terms", index), f"'{term.id}' refers to itself. Correct one of the names in this circle."
                return
            if name in inside and name not in reached:
                reached.add(name)
                pending += inside[name]


def _citations(knowledge: Knowledge) -> Iterator[Fault]:
    cited: list[tuple[str, Place, tuple[str, ...], bool]] = []
    cited += [("rules.yaml", (i,), r.citations, True) for i, r in enumerate(knowledge.rules.values())]
    cited += [("recommendations.yaml", (i,), r.citations, True) for i, r in enumerate(knowledge.recommendations.values())]
    cited += [("response_rates.yaml", (i,), r.citations, True) for i, r in enumerate(knowledge.response_rates.values())]
    cited += [("cards.yaml", (i,), c.citations, False) for i, c in enumerate(knowledge.cards.values())]
    cited += [("genetics.yaml", ("variants", i), v.citations, v.confidence == "verified") for i, v in enumerate(knowledge.genetics.variants)]
    cited += [
        ("genetics.yaml", ("variants", i, "associations", j), a.citations, True)
        for i, v in enumerate(knowledge.genetics.variants)
        for j, a in enumerate(v.associations)
    ]
    cited += [("genetics.yaml", ("citations",), knowledge.genetics.citations, True)]
    for file, place, names, needed in cited:
        yield from _citation_faults(knowledge, file, place, names, needed=needed)


def _value_sets(knowledge: Knowledge) -> Iterator[Fault]:
    genetics = knowledge.genetics
    named: list[tuple[str, Place, str | None]] = [
        ("genetics.yaml", (k,), getattr(genetics, k)) for k in ("gene_codes", "test_codes", "report_codes", "disease_codes", "transplant")
    ]
    for i, m in enumerate(knowledge.measurements.values()):
        named.append(("measurements.yaml", (i,), m.value_set))
        named += [("measurements.yaml", (i, "unusable"), s) for u in m.unusable for s in (u.after_procedure, u.near_condition, u.during_medication)]
        if m.derived:
            named += [("measurements.yaml", (i, "derived"), s) for s in (m.derived.percent, m.derived.of)]
    named += [("terms.yaml", ("terms", s), s) for s in knowledge.phrases]
    named += [("guards.yaml", ("systemic_only",), s) for s in knowledge.guards.systemic_only]
    named += [("guards.yaml", ("in_documents",), s) for s in knowledge.guards.in_documents]
    named += [("requirements.yaml", (i,), s) for i, r in enumerate(knowledge.requirements.values()) for s in r.codes_of]
    named += [("orders.yaml", (i,), s) for i, o in enumerate(knowledge.orders.values()) for s in (*o.unless_result, o.ordered_as)]
    for file, place, value_set in named:
        if value_set is not None and value_set not in knowledge.value_sets:
            yield file, place, f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
    for i, m in enumerate(knowledge.measurements.values()):
        if m.quantity not in knowledge.quantities:
            yield "measurements.yaml", (i,), f"there is no quantity '{m.quantity}' in units.yaml. Define it or correct the name."
    for i, rate in enumerate(knowledge.response_rates.values()):
        if rate.recommendation not in knowledge.recommendations:
            yield "response_rates.yaml", (i,), f"there is no recommendation '{rate.recommendation}'. Define it or correct the name."
    for i, r in enumerate(knowledge.recommendations.values()):
        for name in r.shows:
            if name not in knowledge.measurements and name not in knowledge.flags:
                yield "recommendations.yaml", (i, "shows"), f"there is no measurement or finding '{name}'. Define it or correct the name."


def _rules(knowledge: Knowledge) -> Iterator[Fault]:
    for i, rule in enumerate(knowledge.rules.values()):
        if len(rule.item_labels) != len(rule.items):
            yield "rules.yaml", (i, "item_labels"), f"{len(rule.items)} items have {len(rule.item_labels)} item_labels. Write one label per item."
        if not 1 <= rule.at_least <= len(rule.items):
            yield "rules.yaml", (i, "at_least"), f"at_least is {rule.at_least} of {len(rule.items)} items. Correct the number."


def _texts(knowledge: Knowledge) -> Iterator[Fault]:
    """Placeholders of the cards, a card for each topic, and the periods of orders and tests."""
    for i, card in enumerate(knowledge.cards.values()):
        try:
            card.summary.format(findings="", basis="", warning="", reason="")
        except (KeyError, IndexError, ValueError, AttributeError):
            yield "cards.yaml", (i, "summary"), f"'{card.summary}' has an unknown place. Use {{findings}}, {{basis}}, {{warning}} or {{reason}}."
    topics = [str(c.get("topic")) for c in knowledge.files.document("cards.yaml").value]
    for topic in ("consider", "test", "confirmed", "supportive", "uncertain", "negative"):
        if topic not in knowledge.cards:
            yield "cards.yaml", (), f"the topic '{topic}' has no card. Add one."
    for i, topic in enumerate(topics):
        if topic in topics[:i]:
            yield "cards.yaml", (i,), f"the topic '{topic}' has two cards. Remove one."
    periods: list[tuple[str, Place, str | None]] = [("orders.yaml", (i, "within"), o.within) for i, o in enumerate(knowledge.orders.values())]
    periods.append(("assessment.yaml", ("shown_within",), knowledge.assessment.shown_within))
    periods += [("genetics.yaml", (k,), getattr(knowledge.genetics, k)) for k in ("silence", "order_window")]
    periods += [("measurements.yaml", (i, "unusable"), u.within) for i, m in enumerate(knowledge.measurements.values()) for u in m.unusable]
    for file, place, text in periods:
        yield from _period_fault(file, place, text)


def _period_fault(file: str, place: Place, text: str | None) -> Iterator[Fault]:
    try:
        if text is not None:
            period(text)
    except ValueError as error:
        yield file, place, str(error)


def _gene_faults(knowledge: Knowledge) -> Iterator[Fault]:
    genetics = knowledge.genetics
    patterns: list[tuple[Place, str]] = [(("words", name), getattr(genetics.words, name)) for name in genetics.words.__struct_fields__]
    patterns += [(("confirming_patterns", i), p.pattern) for i, p in enumerate(genetics.confirming_patterns)]
    for place, pattern in patterns:
        yield from _pattern_fault("genetics.yaml", place, pattern)
    for i, pattern in enumerate(knowledge.guards.no_allergy):
        yield from _pattern_fault("guards.yaml", ("no_allergy", i), pattern)
    fraction = genetics.low_fraction
    if fraction.unit != "1" or fraction.value is None or not 0 < fraction.value < 1:
        yield "genetics.yaml", ("low_fraction",), 'an allele fraction is one value between 0 and 1. Write its value with the unit "1".'
    for index, variant in enumerate(genetics.variants):
        if sum(len(a.text) for a in variant.associations) > _LONGEST_ASSOCIATIONS:
            place = ("variants", index, "associations")
            yield "genetics.yaml", place, f"the associations have more than {_LONGEST_ASSOCIATIONS} characters. Remove one or write less."
    for name in _MESSAGES:
        if name not in genetics.messages:
            yield "genetics.yaml", ("messages",), f"the message '{name}' is missing. Add it."


def _pattern_fault(file: str, place: Place, pattern: str) -> Iterator[Fault]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield file, place, f"no regular expression: {error} ({'.'.join(map(str, place))}). Correct it."


def _requirement_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """One key asks for the Patient; a laboratory search asks for at most 20 codes, since long URLs are cut off."""
    if sum(r.resource == "Patient" for r in knowledge.requirements.values()) != 1:
        yield "requirements.yaml", (), "exactly one key must ask for the Patient. Add or remove one."
    for index, requirement in enumerate(knowledge.requirements.values()):
        sets = [knowledge.value_sets[s] for s in requirement.codes_of]
        if len({c.code for s in sets for c in s.concepts}) > 20:
            yield "requirements.yaml", (index,), f"'{requirement.key}' asks for more than 20 codes. Split it into two keys."


def _flag_faults(knowledge: Knowledge, file: str, index: int, flag: Flag) -> Iterator[Fault]:
    yield from _citation_faults(knowledge, file, (index,), flag.citations, needed=flag.confidence not in ("definition", "proposal"))
    for criterion in leaves(flag.when):
        for value_set in value_sets_of(criterion):
            if value_set not in knowledge.value_sets:
                yield file, (index, "when"), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
        for text in _periods_of(criterion):
            yield from _period_fault(file, (index, "when"), text)
        if isinstance(criterion, ReportText):
            for pattern in (criterion.pattern, criterion.near):
                yield from _pattern_fault(file, (index, "when"), pattern)
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


def _citation_faults(knowledge: Knowledge, file: str, place: Place, cited: tuple[str, ...], *, needed: bool) -> Iterator[Fault]:
    if needed and not cited:
        yield file, place, "no citation. Every claim names at least one of citations.yaml."
    for name in cited:
        if name not in knowledge.citations:
            yield file, (*place, "citations"), f"there is no citation '{name}'. Add it to citations.yaml or correct the name."


def _expressions(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str | int, ...], Expression]]:
    for i, term in enumerate(knowledge.assessment.terms):
        yield "assessment.yaml", ("terms", i), term.when
    for i, tier in enumerate(knowledge.assessment.tiers):
        for j, criterion in enumerate(tier.any):
            yield "assessment.yaml", ("tiers", i, "any", j), criterion.when
            if criterion.lowered_by:
                yield "assessment.yaml", ("tiers", i, "any", j), criterion.lowered_by
    for file, flags in zip(_FLAG_FILES, (knowledge.red_flags, knowledge.alternatives, knowledge.facts), strict=True):
        for i, flag in enumerate(flags.values()):
            if flag.provisional:
                yield file, (i, "provisional"), flag.provisional.unless
            yield from ((file, (i, "qualified"), one.when) for one in flag.qualified)
    for name in (
        knowledge.assessment.compatible,
        knowledge.assessment.inflammation,
        *knowledge.assessment.alternatives,
        *knowledge.assessment.reassuring,
    ):
        yield "assessment.yaml", (), name
    for name in knowledge.module.no_card_when:
        yield "module.yaml", ("no_card_when",), name
    for i, rule in enumerate(knowledge.rules.values()):
        for expression in (*rule.items, *rule.requires):
            yield "rules.yaml", (i,), expression
    for i, item in enumerate(knowledge.recommendations.values()):
        yield "recommendations.yaml", (i,), item.when
        for kind in ("variations", "parts", "cautions"):
            yield from (("recommendations.yaml", (i, kind), one.when) for one in getattr(item, kind))
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
    if isinstance(criterion, Resulted | Coded | Drug | Allergic | Vaccinated):
        yield from criterion.value_sets
    if isinstance(criterion, Coded):
        yield from (s for s in (criterion.code_needs_text_of, criterion.unless_text_of) if s)
        if criterion.unless_near:
            yield criterion.unless_near.value_set
        if criterion.close_to:
            yield from criterion.close_to.value_sets
    if isinstance(criterion, Drug) and criterion.before_result:
        yield criterion.before_result.value_set


def limits_of(lab: Lab) -> Iterator[Limit]:
    """Every threshold of a lab criterion."""
    yield from (limit for limit in (lab.above, lab.below, lab.at_least, lab.at_most) if limit is not None)
    if lab.persists and lab.persists.latest:
        yield lab.persists.latest


def _periods_of(criterion: Criterion) -> Iterator[str]:
    for name in ("within", "covered", "begun"):
        text = getattr(criterion, name, None)
        if text:
            yield text
    for inner in (getattr(criterion, "persists", None), getattr(criterion, "entries", None)):
        if inner:
            yield inner.apart
    for near in (getattr(criterion, name, None) for name in ("unless_near", "before_result", "close_to")):
        if near:
            yield near.within
