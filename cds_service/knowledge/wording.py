"""Criteria and expressions in plain English: what is asked of a chart, as a sentence that a reader can check.

A new kind of criterion needs its function in `_KINDS`, a new field its words; a test fails until they are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cds_service.knowledge.model import (
    Age,
    Allergic,
    AnyOf,
    Clause,
    Coded,
    Criterion,
    Deceased,
    Drug,
    Expression,
    GeneTested,
    Lab,
    Limit,
    Organs,
    Persistence,
    ReportText,
    Resulted,
    Sex,
    TierCriterion,
    Vaccinated,
)
from cds_service.record.dates import period

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge
    from cds_service.knowledge.model import Rule

_OR = "any of"


class Wording(NamedTuple):
    """A definition in words: a phrase, what it consists of, and the finding, term or rule that it names."""

    text: str
    parts: tuple[Wording, ...] = ()
    name: str | None = None

    def __str__(self) -> str:
        """The definition on one line; what a phrase consists of stands in brackets."""
        return f"{self.text} ({'; '.join(map(str, self.parts))})" if self.parts else self.text


def criterion_in_words(criterion: Criterion, knowledge: Knowledge) -> Wording:
    """What a criterion asks of a chart."""
    return _KINDS[type(criterion)](criterion, knowledge)


def expression_in_words(expression: Expression, knowledge: Knowledge) -> Wording:
    """How findings combine; a name is given by its label."""
    if isinstance(expression, str):
        return Wording(label_of(expression, knowledge), name=expression)
    return _clause(expression, knowledge)


def rule_in_words(rule: Rule, knowledge: Knowledge) -> Wording:
    """The items of a rule, and what it requires besides."""
    items = Wording(f"at least {rule.at_least} of", _each(rule.items, knowledge))
    return Wording("all of", (*_each(rule.requires, knowledge), items)) if rule.requires else items


def tier_in_words(criterion: TierCriterion, knowledge: Knowledge) -> Wording:
    """The way into a tier, and what lowers it."""
    found = expression_in_words(criterion.when, knowledge)
    if criterion.lowered_by is None:
        return found
    return Wording("needs", (found, Wording("and is one step lower with", (expression_in_words(criterion.lowered_by, knowledge),))))


def label_of(name: str, knowledge: Knowledge) -> str:
    """The label of a flag, term or rule."""
    known: Mapping[str, Any] = {**knowledge.flags, **knowledge.terms, **knowledge.rules}
    return str(known[name].label)


def title_of(value_set: str, knowledge: Knowledge) -> str:
    """What a value set stands for: the test's label, or its own title without the module's name before it."""
    measurement = knowledge.measurements.get(value_set)
    return measurement.label if measurement else knowledge.value_sets[value_set].title.rpartition(": ")[2]


def limit_in_words(limit: Limit) -> str:
    """A threshold with its unit."""
    unit = f"x {limit.unit.replace('*', '^')}" if limit.unit.startswith("10*") else limit.unit.replace("Cel", "°C")
    if limit.value is not None:
        return f"{limit.value:g} {unit}"
    return f"{limit.male:g} {unit} in men, {limit.female:g} {unit} in women"


# --- expressions ---


def _each(expressions: Iterable[Expression], knowledge: Knowledge) -> tuple[Wording, ...]:
    return tuple(expression_in_words(e, knowledge) for e in expressions)


def _clause(clause: Clause, knowledge: Knowledge) -> Wording:
    if clause.all is not None:
        return Wording("all of", _each(clause.all, knowledge))
    if clause.any is not None:
        return Wording(_OR, _each(clause.any, knowledge))
    if clause.at_least is not None:
        return Wording(f"at least {clause.at_least.n} of", _each(clause.at_least.of, knowledge))
    if clause.not_ is not None:
        return Wording("known to be absent", _each((clause.not_,), knowledge))
    if clause.not_found is not None:
        return Wording("absent or unknown", _each((clause.not_found,), knowledge))
    if clause.unknown is not None:
        return Wording("unknown", _each((clause.unknown,), knowledge))
    return _organs(clause.organs or Organs(at_least=1), knowledge)


def _organs(wanted: Organs, knowledge: Knowledge) -> Wording:
    """Organ systems, each with the flags that show it."""
    systems: dict[str, list[Wording]] = {}
    for flag in knowledge.flags.values():
        if flag.organ and wanted.strength in ("any", flag.organ.strength):
            systems.setdefault(flag.organ.system, []).append(Wording(flag.label, name=flag.id))
    found = "finding" if wanted.strength == "any" else f"{wanted.strength} finding"
    text = f"at least {wanted.at_least} organ {'systems' if wanted.at_least > 1 else 'system'} with a {found}"
    return Wording(text, tuple(Wording(system, tuple(flags)) for system, flags in systems.items()))


# --- kinds of criterion ---


def _any(criterion: AnyOf, knowledge: Knowledge) -> Wording:
    return Wording(_OR, tuple(criterion_in_words(inner, knowledge) for inner in criterion.of))


def _lab(criterion: Lab, knowledge: Knowledge) -> Wording:
    label = title_of(criterion.value_set, knowledge)
    window = f"the last {period(criterion.within)}"
    if criterion.persists:
        which = f"in {_repeated(criterion.persists, 'usable results')} of {window}"
    else:
        which = f"in {'the latest' if criterion.take == 'latest' else 'any'} usable result of {window}"
    later = criterion.persists.latest if criterion.persists else None
    way = "above" if criterion.above else "below"
    last = f", the latest of them still {way} {limit_in_words(later)}" if later else ""
    return Wording(f"{label} {beyond_in_words(criterion)} {which}{last}")


def beyond_in_words(criterion: Lab) -> str:
    """On which side of which limit a result lies."""
    if criterion.above_upper_limit is not None:
        return f"more than {criterion.above_upper_limit:g} times the laboratory's own upper limit of normal"
    sides = {"above": criterion.above, "below": criterion.below, "at least": criterion.at_least, "at most": criterion.at_most}
    return " or ".join(f"{side} {limit_in_words(limit)}" for side, limit in sides.items() if limit)


def _repeated(persists: Persistence, what: str) -> str:
    return f"{persists.results} {what} at least {period(persists.apart)} apart"


def _resulted(criterion: Resulted, knowledge: Knowledge) -> Wording:
    kind = "usable result" if criterion.usable else "result or report, whatever its value,"
    return Wording(f"a {kind} of {_titles(criterion.value_sets, knowledge)} in the last {period(criterion.within)}")


def _coded(criterion: Coded, knowledge: Knowledge) -> Wording:
    kind = "condition or procedure" if criterion.procedures else "condition"
    parts = [f"a {kind} by code or text: {_titles(criterion.value_sets, knowledge)}"]
    otherwise = " or still active" if criterion.or_active else "" if criterion.entries else " or undated"
    parts.append(f"in the last {period(criterion.within)}{otherwise}" if criterion.within else "at any time")
    if criterion.entries:
        parts.append(f"in {_repeated(criterion.entries, 'entries')}")
    if criterion.not_resolved:
        parts.append("not marked as resolved or inactive")
    if criterion.code_needs_text_of:
        parts.append(f"counted only where the entry's text has a term of “{title_of(criterion.code_needs_text_of, knowledge)}”")
    if criterion.unless_text_of:
        parts.append(f"unless the text of a coded entry has a term of “{title_of(criterion.unless_text_of, knowledge)}”")
    if criterion.unless_near:
        near = criterion.unless_near
        parts.append(f"not {near.because} (within {period(near.within)} of “{title_of(near.value_set, knowledge)}”)")
    if criterion.close_to:
        close = criterion.close_to
        beside = " or any procedure" if close.procedures else ""
        parts.append(f"within {period(close.within)} of {_titles(close.value_sets, knowledge)}{beside}, or undated")
    return Wording(", ".join(parts) + _silence(unknown=criterion.absent_means == "unknown"))


def _drug(criterion: Drug, knowledge: Knowledge) -> Wording:
    only = f" (only {', '.join(criterion.ingredients)})" if criterion.ingredients else ""
    parts = [f"a drug by code or name: {_titles(criterion.value_sets, knowledge)}{only}"]
    if criterion.current:
        parts.append("active now")
    if criterion.begun:
        parts.append(f"begun in the last {period(criterion.begun)}")
    if criterion.within:
        parts.append(f"in the last {period(criterion.within)}{'' if criterion.covered or criterion.courses else ' or undated'}")
    if not (criterion.current or criterion.within or criterion.before_result):
        parts.append("at any time")
    enough = [f"orders that cover at least {period(criterion.covered)}"] if criterion.covered else []
    enough += [f"at least {criterion.courses} separate courses"] if criterion.courses else []
    if enough:
        parts.append(" or ".join(enough))
    if criterion.distinct:
        parts.append(f"at least {criterion.distinct} different ones")
    if criterion.before_result:
        before = criterion.before_result
        parts.append(f"given in the {period(before.within)} before the latest usable {title_of(before.value_set, knowledge)}")
    found = ", ".join(parts)
    if criterion.absent_means == "unknown":
        found += "; orders that do not suffice leave it unknown"
    return Wording(f"{found}{'; no such drug on record leaves it unknown' if criterion.none_means == 'unknown' else ''}")


def _allergic(criterion: Allergic, knowledge: Knowledge) -> Wording:
    return Wording(f"an allergy or intolerance by code or text: {_titles(criterion.value_sets, knowledge)}")


def _vaccinated(criterion: Vaccinated, knowledge: Knowledge) -> Wording:
    doses = "a dose" if criterion.doses == 1 else f"{criterion.doses} doses of different days"
    window = f" in the last {period(criterion.within)}" if criterion.within else ""
    return Wording(f"{doses} of {_titles(criterion.value_sets, knowledge)} on record{window}")


def _gene_tested(criterion: GeneTested, knowledge: Knowledge) -> Wording:
    return Wording(f"a finished result of {knowledge.genetics.gene}, whatever it says, in the last {period(criterion.within)}")


def _report_text(criterion: ReportText, knowledge: Knowledge) -> Wording:
    window = f" of the last {period(criterion.within)} or undated" if criterion.within else ""
    report = f"a report ({title_of(criterion.value_set, knowledge)}){window}"
    words = f"with a word like “{criterion.pattern}” within {criterion.words} words of one like “{criterion.near}”, not denied"
    unless = f", and nothing like “{criterion.unless}” beside it" if criterion.unless else ""
    return Wording(f"{report} {words}{unless}; a report that does not mention it leaves it unknown")


def _age(criterion: Age, _knowledge: Knowledge) -> Wording:
    bounds = [f"at least {criterion.at_least}"] if criterion.at_least is not None else []
    bounds += [f"below {criterion.below}"] if criterion.below is not None else []
    day = "; an incomplete date of birth counts as its last day" if criterion.youngest else ""
    return Wording(f"age in completed years {' and '.join(bounds)}{day}")


def _sex(criterion: Sex, _knowledge: Knowledge) -> Wording:
    return Wording(f"administrative gender {criterion.equals}")


def _deceased(_criterion: Deceased, _knowledge: Knowledge) -> Wording:
    return Wording("the chart says that the patient has died")


def _titles(value_sets: Iterable[str], knowledge: Knowledge) -> str:
    return " or ".join(title_of(s, knowledge) for s in value_sets)


def _silence(*, unknown: bool) -> str:
    return "; where no entry says so it is unknown, not absent" if unknown else ""


_KINDS: Mapping[type[Any], Callable[[Any, Knowledge], Wording]] = {
    Lab: _lab,
    Resulted: _resulted,
    Coded: _coded,
    Drug: _drug,
    Allergic: _allergic,
    Vaccinated: _vaccinated,
    GeneTested: _gene_tested,
    ReportText: _report_text,
    Age: _age,
    Sex: _sex,
    Deceased: _deceased,
    AnyOf: _any,
}
