"""Expressions over findings: what each clause means, however deep it stands, and that nothing is asked twice."""

from __future__ import annotations

from itertools import product

import pytest

from cds_service.knowledge.model import AtLeast, Clause, Flag, Organ, Organs
from cds_service.reasoning.expressions import formula
from cds_service.reasoning.plan import Plan, Scope
from cds_service.reasoning.truth import Truth
from tests.reasoning.charts import KNOWLEDGE, chart, lab
from tests.reasoning.test_labs import HIGH_MCV

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN


def flag(name, system=None, strength="strong"):
    """A flag of an organ."""
    organ = Organ(system=system, strength=strength) if system else None
    return Flag(id=name, label=name, when=HIGH_MCV, citations=(), confidence="verified", organ=organ)


FLAGS = {f.id: f for f in (flag("skin", "skin"), flag("rash", "skin"), flag("lung", "lung"), flag("clot", "vessel", "moderate"), flag("mcv"))}


class Someone:
    """A patient of whom some truths are known and the others can be asked, each once."""

    def __init__(self, known, asked=None) -> None:
        self.truths = known
        self.asked = asked or {}
        self.questions = []

    def truth(self, name):
        """Answer, and note that it was asked."""
        assert name not in self.truths, f"{name} is known already"
        self.questions.append(name)
        return self.asked[name]


NAMES = ("skin", "lung", "mcv")
CLAUSES = {
    "all": (Clause(all=NAMES), lambda t: A if A in t else U if U in t else P),
    "any": (Clause(any=NAMES), lambda t: P if P in t else U if U in t else A),
    "two": (
        Clause(at_least=AtLeast(n=2, of=NAMES)),
        lambda t: P if t.count(P) >= 2 else U if t.count(P) + t.count(U) >= 2 else A,
    ),
    "not": (Clause(not_="skin"), lambda t: {P: A, A: P, U: U}[t[0]]),
    "not found": (Clause(not_found="skin"), lambda t: A if t[0] is P else P),
    "unknown": (Clause(unknown="skin"), lambda t: P if t[0] is U else A),
}


@pytest.mark.parametrize("name", CLAUSES)
@pytest.mark.parametrize("truths", list(product((P, A, U), repeat=3)))
@pytest.mark.parametrize("known", [True, False])
def test_means_what_it_says(name, truths, known):
    """In every combination of truths, whether they are known already or have to be asked."""
    clause, meaning = CLAUSES[name]
    told = dict(zip(NAMES, truths, strict=True))

    assert meaning(truths) is formula(clause, FLAGS)(Someone(told) if known else Someone({}, told))


@pytest.mark.parametrize(
    ("clause", "truths", "questions"),
    [(Clause(all=NAMES), (P, A, P), ["skin", "lung"]), (Clause(any=NAMES), (A, P, P), ["skin", "lung"]), (Clause(all=NAMES), (U, P, P), list(NAMES))],
)
def test_asks_no_further_than_it_must(clause, truths, questions):
    """The first part that decides ends the asking."""
    someone = Someone({}, dict(zip(NAMES, truths, strict=True)))

    formula(clause, FLAGS)(someone)

    assert questions == someone.questions


def test_asks_for_a_name():
    """A name alone is an expression."""
    assert P is formula("skin", FLAGS)(Someone({"skin": P}))
    assert U is formula("skin", FLAGS)(Someone({}, {"skin": U}))


@pytest.mark.parametrize(
    ("wanted", "truths", "expected"),
    [
        (Organs(at_least=1), (P, A, A, A), P),
        (Organs(at_least=2), (P, P, A, A), A),
        (Organs(at_least=2), (P, A, P, A), P),
        (Organs(at_least=2), (P, A, U, A), U),
        (Organs(at_least=2), (P, U, A, A), A),
        (Organs(at_least=2), (U, U, A, A), A),
        (Organs(at_least=2), (U, A, A, U), U),
        (Organs(at_least=3), (P, A, P, U), U),
        (Organs(at_least=3), (P, A, P, P), P),
        (Organs(at_least=2), (P, A, A, P), P),
        (Organs(at_least=2, strength="strong"), (P, A, A, P), A),
        (Organs(at_least=1, strength="moderate"), (P, P, P, A), A),
        (Organs(at_least=1, strength="moderate"), (A, A, A, P), P),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_counts_organs(wanted, truths, expected, known):
    """Skin twice is one organ; what may still be present leaves the question open; a strength leaves the others out."""
    told = dict(zip(("skin", "rash", "lung", "clot"), truths, strict=True))

    assert expected is formula(Clause(organs=wanted), FLAGS)(Someone(told) if known else Someone({}, told))


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        (lambda inner: Clause(all=(inner, "mcv")), P),
        (lambda inner: Clause(any=(inner, "lung")), P),
        (lambda inner: Clause(at_least=AtLeast(n=2, of=(inner, "mcv", "lung"))), P),
        (lambda inner: Clause(not_=inner), A),
        (lambda inner: Clause(not_found=inner), A),
        (lambda inner: Clause(unknown=inner), A),
        (lambda inner: Clause(all=(Clause(any=(Clause(not_=inner), inner)),)), P),
    ],
)
def test_counts_organs_inside_any_clause(outer, expected):
    """Clauses may stand in one another."""
    told = {"skin": P, "rash": A, "lung": A, "clot": A, "mcv": P}

    assert expected is formula(outer(Clause(organs=Organs(at_least=1))), FLAGS)(Someone(told))


# --- a patient's scope ---


@pytest.fixture
def scope() -> Scope:
    """What the shipped module asks of someone with a high MCV."""
    return Scope(Plan(KNOWLEDGE), chart(lab("lab-mcv", 108, "fL")))


def test_works_out_each_thing_once(scope):
    """A finding, a rule or a term that was asked is kept."""
    rule = next(iter(KNOWLEDGE.rules))
    term = next(iter(KNOWLEDGE.terms))

    assert scope.finding("macrocytosis") is scope.finding("macrocytosis")
    assert scope.rule(rule) is scope.rule(rule)
    assert scope.truth(term) is scope.truths[term]
    scope.truths[term] = U
    assert U is scope.truth(term)


def test_names_what_it_found(scope):
    """Findings and rules carry their names, whether the chart touches them or not."""
    names = {*KNOWLEDGE.flags}
    rules = {*KNOWLEDGE.rules}

    assert {(name, name) for name in names} == {(name, scope.finding(name).id) for name in names}
    assert {(name, name, len(KNOWLEDGE.rules[name].items)) for name in rules} == {
        (name, scope.rule(name).id, len(scope.rule(name).items)) for name in rules
    }
    assert {name: scope.finding(name).truth for name in names} == {name: scope.truth(name) for name in names}
    assert all(isinstance(scope.finding(name).evidence, tuple) for name in names)


def test_keeps_the_truth_of_a_finding_for_expressions(scope):
    """Expressions look at the truths that are known, so a finding that was asked is among them."""
    found = scope.finding("macrocytosis")

    assert found.truth is scope.truths["macrocytosis"]


def test_asks_what_several_flags_share_once():
    """A criterion that stands in two flags is answered once for a chart."""
    plan = Plan(KNOWLEDGE)
    asked = chart(lab("lab-mcv", 108, "fL"))
    for question in plan.questions.values():
        question(asked)
    answers = dict(asked.answers)

    for question in plan.questions.values():
        question(asked)

    assert answers
    assert all(asked.answers[one] is answer for one, answer in answers.items())
