"""Values of the right type that still mean nothing: empty lists, patterns that cannot be read, codes that no system has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING

from cds_service.knowledge.model import Allergic, AnyOf, Clause, Coded, Criterion, Drug, Expression, Lab, ReportText, Resulted, Vaccinated
from cds_service.knowledge.units import spelling
from cds_service.record.codes import SYSTEMS, code, well_formed
from cds_service.record.dates import period

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Place = tuple[str | int, ...]
Fault = tuple[str, Place, str]
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_PLACES = frozenset({"findings", "basis", "warning", "reason"})
_LONGEST_SHORT = 60
_LONGEST_SENTENCE = 260
_DRUG_SYSTEMS = frozenset(uri for uri, system in SYSTEMS.items() if system.name in ("RxNorm", "ATC"))
_VACCINE_SYSTEMS = frozenset(uri for uri, system in SYSTEMS.items() if system.name == "CVX")
_RESOURCES = frozenset(
    [
        "Patient",
        "Condition",
        "Observation",
        "MedicationRequest",
        "MedicationStatement",
        "DiagnosticReport",
        "Procedure",
        "ServiceRequest",
        "Immunization",
        "AllergyIntolerance",
        "DocumentReference",
    ]
)


def soundness_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """What the types let pass and no author means, with its file, its place and the remedy."""
    yield from _module(knowledge)
    yield from _flags(knowledge)
    yield from _clauses(knowledge)
    yield from _tiers(knowledge)
    yield from _units(knowledge)
    yield from _phrases(knowledge)
    yield from _patterns(knowledge)
    yield from _codes(knowledge)
    yield from _lists(knowledge)
    yield from _summaries(knowledge)
    yield from _sources(knowledge)
    yield from _limits(knowledge)
    yield from _advice(knowledge)
    yield from _denials(knowledge)


def _module(knowledge: Knowledge) -> Iterator[Fault]:
    module = knowledge.module
    if not _VERSION.fullmatch(module.version):
        yield "module.yaml", ("version",), f"'{module.version}' is no version. Write three numbers, for example 0.2.0."
    for key, url in (("namespace", module.namespace), ("topics", module.topics.system), ("override_reasons", module.override_reasons.system)):
        if not re.match(r"https?://[\w.-]+/", url):
            yield "module.yaml", (key,), f"'{url}' is no URL. Write it with http:// or https://."
    reasons = module.override_reasons
    for place, text in (("otherwise", reasons.otherwise), *((r.code, r.silent) for r in reasons.reasons if r.silent)):
        try:
            period(text)
        except ValueError as error:
            yield "module.yaml", ("override_reasons",), f"{place}: {error}"
    try:
        reasons.back.format(answered="", new="")
    except (KeyError, ValueError, IndexError):
        yield "module.yaml", ("override_reasons", "back"), "`back` has an unknown place. Use {answered} and {new}."
    for index, requirement in enumerate(knowledge.requirements.values()):
        if requirement.resource not in _RESOURCES:
            message = f"'{requirement.resource}' is no kind of resource that is read. Use one of {', '.join(sorted(_RESOURCES))}."
            yield "requirements.yaml", (index,), message


def _flags(knowledge: Knowledge) -> Iterator[Fault]:
    files = (("red_flags.yaml", knowledge.red_flags), ("alternatives.yaml", knowledge.alternatives), ("facts.yaml", knowledge.facts))
    for file, flags in files:
        for index, flag in enumerate(flags.values()):
            if flag.weight < 0:
                yield file, (index, "weight"), f"the weight of {flag.id} is below 0. Write 0 or more."
            yield from ((file, (index, "when"), message) for message in _criterion(flag.when))


def _criterion(criterion: Criterion) -> Iterator[str]:
    if isinstance(criterion, AnyOf):
        if not criterion.of:
            yield "an empty `of` is never met. Name at least one criterion."
        for inner in criterion.of:
            yield from _criterion(inner)
    if isinstance(criterion, Resulted | Coded | Drug | Allergic | Vaccinated) and not criterion.value_sets:
        yield "an empty `value_sets` finds nothing. Name at least one."
    for repeated in (getattr(criterion, "persists", None), getattr(criterion, "entries", None)):
        if repeated and repeated.results < 2:
            yield f"{repeated.results} results do not repeat. Write 2 or more."
    if isinstance(criterion, Drug):
        for key, least in (("courses", 1), ("distinct", 2)):
            number = getattr(criterion, key)
            if number is not None and number < least:
                yield f"`{key}` is {number}. Write {least} or more."
    if isinstance(criterion, Vaccinated) and criterion.doses < 1:
        yield f"`doses` is {criterion.doses}. Write 1 or more."
    for key in ("within", "covered", "begun"):
        if re.fullmatch(r"P(0+[YMD])+", getattr(criterion, key, None) or ""):
            yield f"`{key}` of no time holds nothing. Write for example P24M or P14D."
    if isinstance(criterion, Lab) and criterion.above_upper_limit is not None and criterion.above_upper_limit <= 0:
        yield "`above_upper_limit` counts how many times the upper limit. Write a number above 0."
    if isinstance(criterion, ReportText):
        if criterion.words < 0:
            yield "`words` is how far apart the words may stand. Write 0 or more."
        if criterion.unless is not None and (problem := _unreadable(criterion.unless)):
            yield f"`unless` is no regular expression: {problem}. Correct it."


def _clauses(knowledge: Knowledge) -> Iterator[Fault]:
    systems = {strength: _organ_systems(knowledge, strength) for strength in ("any", "strong", "moderate")}
    for file, place, expression in _written(knowledge):
        for clause in _inside(expression):
            if clause.all == () or clause.any == ():
                yield file, place, "an empty `all` or `any` says nothing. Name at least one finding."
            if clause.at_least and not 1 <= clause.at_least.n <= len(clause.at_least.of):
                yield file, place, f"at_least asks for {clause.at_least.n} of {len(clause.at_least.of)}. Correct the number."
            organs = clause.organs
            if organs and not 1 <= organs.at_least <= systems[organs.strength]:
                message = f"organs asks for {organs.at_least}, and the red flags name {systems[organs.strength]} such systems. Correct the number."
                yield file, place, message


def _organ_systems(knowledge: Knowledge, strength: str) -> int:
    return len({f.organ.system for f in knowledge.red_flags.values() if f.organ and strength in ("any", f.organ.strength)})


def _written(knowledge: Knowledge) -> Iterator[tuple[str, Place, Expression]]:
    yield from (("assessment.yaml", ("terms", i, "when"), term.when) for i, term in enumerate(knowledge.assessment.terms))
    for i, tier in enumerate(knowledge.assessment.tiers):
        yield from (("assessment.yaml", ("tiers", i, "any", j, "when"), criterion.when) for j, criterion in enumerate(tier.any))
    for i, rule in enumerate(knowledge.rules.values()):
        yield from (("rules.yaml", (i,), expression) for expression in (*rule.items, *rule.requires))
    for i, item in enumerate(knowledge.recommendations.values()):
        yield "recommendations.yaml", (i, "when"), item.when
        for kind in ("variations", "parts", "cautions"):
            yield from (("recommendations.yaml", (i, kind, j), one.when) for j, one in enumerate(getattr(item, kind)))
    yield from (("orders.yaml", (i, "when"), order.when) for i, order in enumerate(knowledge.orders.values()))


def _inside(expression: Expression) -> Iterator[Clause]:
    """A clause and every clause in it."""
    if isinstance(expression, Clause):
        yield expression
        parts = (*(expression.all or ()), *(expression.any or ()), *(expression.at_least.of if expression.at_least else ()))
        for inner in (*parts, expression.not_, expression.not_found, expression.unknown):
            if inner is not None:
                yield from _inside(inner)


def _tiers(knowledge: Knowledge) -> Iterator[Fault]:
    seen: set[str] = set()
    for i, tier in enumerate(knowledge.assessment.tiers):
        for j, criterion in enumerate(tier.any):
            if criterion.id in seen:
                yield "assessment.yaml", ("tiers", i, "any", j), f"the criterion '{criterion.id}' stands twice. Rename or remove one."
            seen.add(criterion.id)
    for i, item in enumerate(knowledge.recommendations.values()):
        texts = [caution.text for caution in item.cautions]
        for j, text in enumerate(texts):
            if text in texts[:j]:
                yield "recommendations.yaml", (i, "cautions", j), f"{item.id} has the caution '{text}' twice. Rename or remove one."


def _units(knowledge: Knowledge) -> Iterator[Fault]:
    for index, quantity in enumerate(knowledge.quantities.values()):
        low, high = quantity.plausible.low, quantity.plausible.high
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            yield "units.yaml", (index, "plausible"), f"{quantity.id} is plausible from {low:g} to {high:g}. Write the lower limit first."
        if quantity.factors.get(quantity.unit) != 1:
            yield "units.yaml", (index, "factors"), f"{quantity.id} has no factor 1 for its own unit {quantity.unit}. Add it."
        seen: dict[str, float] = {}
        for unit, factor in quantity.factors.items():
            if not 0 < factor < math.inf:
                yield "units.yaml", (index, "factors", unit), f"the factor of '{unit}' is {factor:g}. Write a number above 0."
            if seen.setdefault(spelling(unit), factor) != factor:
                yield "units.yaml", (index, "factors", unit), f"{quantity.id} has two factors for the spelling '{spelling(unit)}'. Keep one."


def _phrases(knowledge: Knowledge) -> Iterator[Fault]:
    for value_set, phrases in knowledge.phrases.items():
        if not phrases:
            yield "terms.yaml", ("terms", value_set), f"'{value_set}' has no phrases. Write one or remove the line."
        for index, phrase in enumerate(phrases):
            if phrase != phrase.lower() or not phrase.strip("* "):
                yield "terms.yaml", ("terms", value_set, index), f"the phrase '{phrase}' never matches. Write it in lower case, with words."


def _patterns(knowledge: Knowledge) -> Iterator[Fault]:
    patterns: list[tuple[str, Place, str]] = [
        ("orders.yaml", (i, "ordered_text"), order.ordered_text) for i, order in enumerate(knowledge.orders.values()) if order.ordered_text
    ]
    for value_set, texts in knowledge.guards.whole_text.items():
        if value_set not in knowledge.value_sets:
            yield "guards.yaml", ("whole_text", value_set), f"there is no value set '{value_set}'. Add valuesets/{value_set}.json."
        patterns += [("guards.yaml", ("whole_text", value_set, i), text) for i, text in enumerate(texts)]
    for file, place, pattern in patterns:
        if problem := _unreadable(pattern):
            yield file, place, f"no regular expression: {problem}. Correct it."


def _unreadable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return ""


def _codes(knowledge: Knowledge) -> Iterator[Fault]:
    for i, order in enumerate(knowledge.orders.values()):
        for j, draft in enumerate(order.codes):
            if code(draft.system, draft.code).system not in SYSTEMS:
                yield "orders.yaml", (i, "codes", j), f"'{draft.system}' is no code system that is known. Correct the URL."
            elif not well_formed(code(draft.system, draft.code)):
                yield "orders.yaml", (i, "codes", j), f"'{draft.code}' is no code of {draft.system}. Correct it."
    codes = knowledge.genetics.codes
    loinc = [(("codes", name), getattr(codes, name)) for name in codes.__struct_fields__]
    loinc += [(("answers", name), value) for name, value in knowledge.genetics.answers.items()]
    for place, value in loinc:
        if not well_formed(code("http://loinc.org", value)):
            yield "genetics.yaml", place, f"'{value}' is no code of http://loinc.org. Correct it."


def _lists(knowledge: Knowledge) -> Iterator[Fault]:
    for i, order in enumerate(knowledge.orders.values()):
        if not order.topics:
            yield "orders.yaml", (i, "topics"), f"the order {order.id} is offered on no card. Name a topic."
    for i, rule in enumerate(knowledge.rules.values()):
        if not rule.items:
            yield "rules.yaml", (i, "items"), f"the rule {rule.id} has no items. Name at least one."


def _summaries(knowledge: Knowledge) -> Iterator[Fault]:
    """The places of a card's summary are plain names in braces."""
    for i, card in enumerate(knowledge.cards.values()):
        try:
            parts = list(Formatter().parse(card.summary))
        except ValueError as error:
            yield "cards.yaml", (i, "summary"), f"'{card.summary}': {error}. Use {{findings}}, {{basis}}, {{warning}} or {{reason}}."
            continue
        for _, name, form, conversion in parts:
            if name is not None and (name not in _PLACES or form or conversion):
                yield "cards.yaml", (i, "summary"), f"'{card.summary}' has an unknown place. Use {{findings}}, {{basis}}, {{warning}} or {{reason}}."


def _sources(knowledge: Knowledge) -> Iterator[Fault]:
    """An allergy is to a drug and a vaccination is of a vaccine: their value sets hold such codes."""
    kinds = ((Allergic, "drugs", _DRUG_SYSTEMS), (Vaccinated, "vaccines", _VACCINE_SYSTEMS))
    for file, place, criterion in _criteria(knowledge):
        for kind, what, systems in kinds:
            for name in criterion.value_sets if isinstance(criterion, kind) else ():
                held = knowledge.value_sets.get(name)
                if held and not any(c.code.system in systems for c in held.concepts):
                    yield file, place, f"the value set '{name}' holds no {what}. Name one that does."


def _limits(knowledge: Knowledge) -> Iterator[Fault]:
    """A threshold that no believable result reaches would never be met."""
    for file, place, criterion in _criteria(knowledge):
        if not isinstance(criterion, Lab) or (measurement := knowledge.measurements.get(criterion.value_set)) is None:
            continue
        quantity = knowledge.quantities.get(measurement.quantity)
        for limit in (criterion.above, criterion.below, criterion.at_least, criterion.at_most):
            factors = {spelling(u): f for u, f in quantity.factors.items()} if quantity else {}
            if quantity is None or limit is None or spelling(limit.unit) not in factors:
                continue
            for value in (limit.value, limit.male, limit.female):
                canonical = value * factors[spelling(limit.unit)] if value is not None else quantity.plausible.low
                if not quantity.plausible.low <= canonical <= quantity.plausible.high:
                    yield file, place, f"the limit {value:g} {limit.unit} lies outside what is plausible for {quantity.id}. Correct it."


def _advice(knowledge: Knowledge) -> Iterator[Fault]:
    """What a card says of an advice is there, fits the card and is plain text."""
    for i, item in enumerate(knowledge.recommendations.values()):
        said: list[tuple[Place, str, int]] = [((i, "short"), item.short, _LONGEST_SHORT), ((i, "text"), item.text, _LONGEST_SENTENCE)]
        for kind in ("variations", "parts", "cautions"):
            said += [((i, kind, j), one.text, _LONGEST_SENTENCE) for j, one in enumerate(getattr(item, kind))]
        for place, text, longest in said:
            if not text.strip():
                yield "recommendations.yaml", place, f"{item.id} has an empty text. Write it or remove the line."
            if len(text) > longest:
                yield "recommendations.yaml", place, f"a text of {item.id} has {len(text)} characters, and a card has room for {longest}. Write less."
            if "<" in text:
                yield "recommendations.yaml", place, f"a text of {item.id} holds '<', which is markup on a card. Write it in words."


def _denials(knowledge: Knowledge) -> Iterator[Fault]:
    for index, pattern in enumerate(knowledge.guards.no_allergy):
        if not _unreadable(pattern) and re.match(pattern, ""):
            yield "guards.yaml", ("no_allergy", index), f"'{pattern}' matches every entry, so no allergy would count. Name words."


def _criteria(knowledge: Knowledge) -> Iterator[tuple[str, Place, Criterion]]:
    """Every criterion of the findings that looks at the chart itself."""
    files = (("red_flags.yaml", knowledge.red_flags), ("alternatives.yaml", knowledge.alternatives), ("facts.yaml", knowledge.facts))
    for file, flags in files:
        for index, flag in enumerate(flags.values()):
            yield from ((file, (index, "when"), one) for one in _single(flag.when))


def _single(criterion: Criterion) -> Iterator[Criterion]:
    if isinstance(criterion, AnyOf):
        for inner in criterion.of:
            yield from _single(inner)
    else:
        yield criterion
