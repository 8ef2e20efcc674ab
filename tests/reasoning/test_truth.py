"""Three-valued truth, tested against the whole table and against counting possible worlds."""

from itertools import product

import pytest

from cds_service.reasoning.truth import Truth, all_of, any_of, at_least, negation, truth_of

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN


def worlds(truths):
    """Every way in which the unknown may turn out."""
    return product(*({P: (True,), A: (False,), U: (True, False)}[t] for t in truths))


def verdict(answers):
    """Present or absent if all worlds agree, else unknown."""
    seen = set(answers)
    return truth_of(seen.pop()) if len(seen) == 1 else U


@pytest.mark.parametrize(("left", "right", "both", "either"), [
    (P, P, P, P), (P, A, A, P), (P, U, U, P),
    (A, P, A, P), (A, A, A, A), (A, U, A, U),
    (U, P, U, P), (U, A, A, U), (U, U, U, U),
])  # fmt: skip
def test_follows_kleenes_tables(left, right, both, either):
    """And is absent as soon as one is absent; or is present as soon as one is present; else the unknown stays."""
    found = (all_of([left, right]), any_of([left, right]))

    assert (both, either) == found


@pytest.mark.parametrize(
    "truths", [t for size in range(5) for t in product((P, A, U), repeat=size)], ids=lambda t: "".join(x.name[0] for x in t) or "none"
)
def test_counts_as_all_possible_worlds_do(truths):
    """At least n, all and any are present or absent exactly when every way of settling the unknown agrees."""
    settled = [sum(world) for world in worlds(truths)]

    found = [at_least(n, truths) for n in range(6)] + [all_of(truths), any_of(truths)]

    expected = [verdict(total >= n for total in settled) for n in range(6)]
    expected += [verdict(total == len(truths) for total in settled), verdict(total >= 1 for total in settled)]
    assert expected == found


@pytest.mark.parametrize(("truth", "expected"), [(P, A), (A, P), (U, U)])
def test_negates_only_what_is_known(truth, expected):
    """What is unknown stays unknown when it is denied."""
    found = negation(truth)

    assert expected == found


@pytest.mark.parametrize(("holds", "expected"), [(True, P), (False, A), (None, U)])
def test_reads_a_yes_a_no_and_a_nothing(holds, expected):
    """None is unknown, never absent."""
    found = truth_of(holds)

    assert expected == found


@pytest.mark.parametrize("truth", list(Truth))
def test_refuses_to_be_read_as_a_bool(truth):
    """A truth in an if, an and or a not is a mistake, and it is refused."""
    with pytest.raises(TypeError, match="not a bool"):
        bool(truth)


def test_takes_an_iterator_once():
    """Truths may come from a generator."""
    found = (all_of(iter([P, U])), any_of(iter([A, P])), at_least(2, iter([P, P, A])))

    assert (U, P, P) == found
