"""Expressions over findings as functions: each is built once for a module and then asked of many patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cds_service.knowledge.model import Clause, Expression, Flag, Organs
from cds_service.reasoning.truth import Truth, at_least, negation, truth_of


class Patient(Protocol):
    """What an expression asks of a patient: the truth of a finding, term or rule by its name."""

    truths: dict[str, Truth]  # those that are known already

    def truth(self, name: str) -> Truth:
        """The truth of a finding, term or rule."""
        ...


Formula = Callable[[Patient], Truth]


def formula(expression: Expression, flags: Mapping[str, Flag]) -> Formula:
    """An expression as a function of a patient; `flags` are the module's."""
    if isinstance(expression, str):
        return _named(expression)
    return _of_clause(expression, flags)


def _of_clause(clause: Clause, flags: Mapping[str, Flag]) -> Formula:
    if clause.all is not None:
        return _all(_parts(clause.all, flags))
    if clause.any is not None:
        return _any(_parts(clause.any, flags))
    if clause.at_least is not None:
        return _at_least(clause.at_least.n, [formula(e, flags) for e in clause.at_least.of])
    if clause.not_ is not None:
        inner = formula(clause.not_, flags)
        return lambda patient: negation(inner(patient))
    if clause.not_found is not None:
        inner = formula(clause.not_found, flags)
        return lambda patient: truth_of(inner(patient) is not Truth.PRESENT)
    if clause.unknown is not None:
        inner = formula(clause.unknown, flags)
        return lambda patient: truth_of(inner(patient) is Truth.UNKNOWN)
    return _organs(clause.organs or Organs(at_least=1), flags)


def _named(name: str) -> Formula:
    def ask(patient: Patient) -> Truth:
        known = patient.truths.get(name)
        return patient.truth(name) if known is None else known

    return ask


def _parts(expressions: Iterable[Expression], flags: Mapping[str, Flag]) -> tuple[tuple[str, Formula], ...]:
    """Expressions as functions, those that are names with their name, under which the truth may be known already."""
    return tuple((e if isinstance(e, str) else "", formula(e, flags)) for e in expressions)


def _all(parts: tuple[tuple[str, Formula], ...]) -> Formula:
    """PRESENT when all are; ABSENT as soon as one is."""
    return _until(Truth.ABSENT, parts, otherwise=Truth.PRESENT)


def _any(parts: tuple[tuple[str, Formula], ...]) -> Formula:
    """PRESENT as soon as one is."""
    return _until(Truth.PRESENT, parts, otherwise=Truth.ABSENT)


def _until(decisive: Truth, parts: tuple[tuple[str, Formula], ...], *, otherwise: Truth) -> Formula:
    """The first part that decides; without one UNKNOWN if a part is, else what then holds."""

    def ask(patient: Patient) -> Truth:
        known = patient.truths
        answer = otherwise
        for name, part in parts:
            truth = known.get(name)
            if truth is None:
                truth = part(patient)
            if truth is decisive:
                return truth
            if truth is Truth.UNKNOWN:
                answer = truth
        return answer

    return ask


def _at_least(n: int, parts: Iterable[Formula]) -> Formula:
    listed = tuple(parts)
    return lambda patient: at_least(n, [part(patient) for part in listed])


def _organs(wanted: Organs, flags: Mapping[str, Flag]) -> Formula:
    """How many organ systems have a present finding; two findings of one system are one organ."""
    systems: dict[str, list[str]] = {}
    for name, flag in flags.items():
        if flag.organ and wanted.strength in ("any", flag.organ.strength):
            systems.setdefault(flag.organ.system, []).append(name)
    each = tuple(systems.values())

    def ask(patient: Patient) -> Truth:
        known = patient.truths
        truths = [[t if (t := known.get(name)) is not None else patient.truth(name) for name in names] for names in each]
        present = sum(Truth.PRESENT in found for found in truths)
        if present >= wanted.at_least:
            return Truth.PRESENT
        perhaps = sum(Truth.UNKNOWN in found and Truth.PRESENT not in found for found in truths)
        return Truth.UNKNOWN if present + perhaps >= wanted.at_least else Truth.ABSENT

    return ask
