"""Small numbers are not shown, nor what they could be computed from; zeros and big numbers that stand alone are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.governance.masking import ALL, SMALLEST, Figure, Shown, masked

STEADY = {"deadline": None, "derandomize": True, "database": None}
SMALL_OR_NOT = st.integers(0, 12) | st.integers(0, 200)


def shown(figures: list[Figure]) -> list[int | None]:
    """The numbers of figures as they may be seen."""
    return [figure.number for figure in masked(figures)]


def parts(*numbers: int, column: str = ALL, whole: str = "calls") -> list[Figure]:
    """Figures that add up to their whole, called a, b, c and so on."""
    return [Figure("outcomes", "abcdefgh"[i], column, n, sum(numbers), whole=whole) for i, n in enumerate(numbers)]


def columns(**numbers: tuple[int, ...]) -> list[Figure]:
    """The same whole under each release, and in all."""
    whole = tuple(map(sum, zip(*numbers.values(), strict=True)))
    return [figure for column, some in {ALL: whole, **numbers}.items() for figure in parts(*some, column=column)]


@pytest.mark.parametrize(("number", "seen"), [(0, 0), (1, None), (9, None), (10, 10), (11, 11)])
def test_shows_no_number_from_1_to_9(number, seen):
    """Zero and ten are shown, and nothing between them."""
    assert [seen] == shown([Figure("calls", "patients", ALL, number)])


@pytest.mark.parametrize(("number", "seen"), [(100, 100), (99, None), (91, None), (90, 90), (10, 10), (9, None), (0, 0)])
def test_shows_no_number_whose_rest_is_small(number, seen):
    """Of 100, those who are not counted can be told from those who are."""
    assert [seen] == shown([Figure("cards", "vexas-test-uba1", ALL, number, 100)])


def test_tells_a_rate_of_what_it_is_of():
    """A rate is of 100 or of 1,000, and there is none of a hidden number, of nothing, or of too few."""
    figures = [
        Figure("cards", "a", ALL, 30, 120),
        Figure("cards", "b", ALL, 30, 120, 1000),
        Figure("cards", "c", ALL, 3, 120),
        Figure("cards", "d", ALL, 0, 0),
        Figure("cards", "e", ALL, 0, 9),
        Figure("cards", "f", ALL, 30),
    ]

    found = masked(figures)

    assert [25.0, 250.0, None, None, None, None] == [figure.rate for figure in found]
    assert [120, 120, 120, 0, None, None] == [figure.of for figure in found]


def test_keeps_the_order_and_the_names():
    """Each figure comes back in its place, with its section, item, column and `per`."""
    assert [Shown("cards", "a", "d1", 30, 120, 1000, 250.0), Shown("calls", "calls", "d1", None, None, 100, None)] == masked(
        [Figure("cards", "a", "d1", 30, 120, 1000), Figure("calls", "calls", "d1", 3)]
    )


@pytest.mark.parametrize(
    ("numbers", "seen"),
    [
        ((5, 40, 55), [None, None, 55]),
        ((40, 55, 5), [None, 55, None]),
        ((5, 40, 40), [None, None, 40]),
        ((5, 0, 40, 55), [None, 0, None, 55]),
        ((3, 8, 40, 49), [None, None, 40, 49]),
        ((40, 60), [40, 60]),
        ((100, 0), [100, 0]),
        ((0, 0), [0, 0]),
        ((5, 95), [None, None]),
        ((5, 0), [None, None]),
    ],
)
def test_takes_the_smallest_other_part_along(numbers, seen):
    """A lone part that is not shown could be told from the others; two could not."""
    assert seen == shown(parts(*numbers))


@pytest.mark.parametrize(("numbers", "seen"), [((1, 1, 40, 50), [None, None, None, 50]), ((1, 2, 40, 50), [None, None, 40, 50])])
def test_hides_more_where_each_that_is_missing_must_be_1(numbers, seen):
    """Two that are missing and add up to 2 are 1 each, since a zero would be shown; with a sum of 3 nobody knows which is which."""
    assert seen == shown(parts(*numbers))


def test_does_not_hide_a_whole_for_another():
    """Parts of one whole say nothing of the parts of another, nor of the same items under another release."""
    assert [None, None, 55, 30, 70] == shown([*parts(5, 40, 55), *[f._replace(item=f.item + "!") for f in parts(30, 70, whole="other")]])


def test_hides_another_release_where_one_is_small():
    """All less the one release is the other, so a lone hidden column takes the smallest other along."""
    figures = [Figure("calls", "patients", column, number) for column, number in ((ALL, 45), ("d1", 40), ("d2", 5))]

    assert [45, None, None] == shown(figures)


@pytest.mark.parametrize(("first", "second", "seen"), [(40, 0, [40, 40, 0]), (40, 30, [70, 40, 30]), (5, 0, [None, None, 0])])
def test_hides_no_release_for_one_that_has_none(first, second, seen):
    """A zero gives nothing away that its neighbours do not."""
    figures = [Figure("calls", "patients", column, number) for column, number in ((ALL, first + second), ("d1", first), ("d2", second))]

    assert seen == shown(figures)


def test_hides_what_follows_from_what_follows():
    """A part that is hidden for its column is a lone one in its whole, and takes another along, as far as it goes.

    Second release: 5 and so 45 (its rest is 5). So neither 40 nor 60 of the first may be seen, as 45 and 105 in all are.
    """
    found = {(figure.column, figure.item): figure.number for figure in masked(columns(d1=(40, 60), d2=(5, 45)))}

    assert {(ALL, "a"): 45, (ALL, "b"): 105, ("d1", "a"): None, ("d1", "b"): None, ("d2", "a"): None, ("d2", "b"): None} == found


def test_does_not_tell_the_whole_of_a_release_by_the_other():
    """Of 12 calls in all and 10 in the first release, the second had 2: what figures are of is hidden like a figure."""
    found = {(figure.column, figure.item): (figure.number, figure.of) for figure in masked(columns(d1=(10, 0), d2=(2, 0)))}

    assert (12, 12) == found[ALL, "a"]
    assert [(None, None)] * 2 == [found["d1", "a"], found["d2", "a"]]


def test_does_not_tell_a_figure_where_another_is_of_it():
    """What is not shown as a figure of its own is not shown as what others are of, and they have no rate."""
    calls = [Figure("calls", "calls", column, number) for column, number in ((ALL, 1005), ("d1", 1000), ("d2", 5))]
    cards = [Figure("cards", "a", column, number, of, of_what=("calls", "calls")) for column, number, of in ((ALL, 50, 1005), ("d1", 50, 1000))]

    found = masked([*calls, *cards])

    assert [1005, None, None, 50, 50] == [figure.number for figure in found]
    assert [1005, None] == [figure.of for figure in found[3:]]
    assert found[4].rate is None


def test_does_not_tell_a_part_by_two_sums_that_it_is_in():
    """The overridden cards of each topic add up to the reasons; with one topic hidden another one is, too."""
    overridden = ("answers", "overridden")
    topics = [Figure("answers", item, ALL, number, 500, also=overridden) for item, number in (("a", 3), ("b", 40), ("c", 50))]
    reasons = [Figure("reasons", item, ALL, number, 93, whole="all", of_what=overridden) for item, number in (("x", 33), ("y", 60))]

    assert [None, None, 50, 33, 60] == shown([*topics, *reasons])


def test_always_shows_what_is_not_of_people():
    """Times and refused calls are shown whole, small or not."""
    assert [3, 9, 0] == shown([Figure("latency", item, ALL, number, 112, open=True) for item, number in (("5", 3), ("10", 9), ("25", 0))])


def test_does_not_tell_by_what_is_not_of_people_how_many_there_were():
    """The calls within each time add up to all calls: where these are not shown, neither are the times."""
    calls = Figure("calls", "calls", ALL, 9)
    times = [Figure("latency", item, ALL, number, 9, open=True, of_what=("calls", "calls")) for item, number in (("5", 3), ("10", 6))]

    assert [None, None, None] == shown([calls, *times])


@settings(max_examples=150, **STEADY)
@given(table=st.integers(2, 5).flatmap(lambda n: st.lists(st.tuples(*[SMALL_OR_NOT] * n), min_size=1, max_size=3)))
def test_hides_whatever_could_be_computed(table):
    """By subtracting within a whole and across columns, again and again, no small number is found that is not shown."""
    figures = columns(**{f"d{i}": numbers for i, numbers in enumerate(table)}) if len(table) > 1 else parts(*table[0])

    known = dict(known_of(figures))
    computed = {place: value for place, value in told(figures, known).items() if place not in known}

    assert {} == {place: value for place, value in computed.items() if 0 < value < SMALLEST}


@settings(max_examples=100, **STEADY)
@given(numbers=st.lists(st.just(0) | st.integers(10, 200), min_size=1, max_size=6))
def test_hides_nothing_where_nothing_is_small(numbers):
    """Parts that are zero or at least ten, and whose rests are, all stay."""
    figures = [f for f in parts(*numbers) if not 0 < f.of - f.number < SMALLEST]

    assert [f.number for f in figures] == shown(figures)


@settings(max_examples=100, **STEADY)
@given(table=st.lists(st.tuples(*[SMALL_OR_NOT] * 3), min_size=2, max_size=3))
def test_shows_zeros_and_true_numbers(table):
    """A zero stays unless it is of few, and what is shown is what was counted, and not small, nor is its rest."""
    figures = columns(**{f"d{i}": numbers for i, numbers in enumerate(table)})

    found = list(zip(figures, masked(figures), strict=True))

    assert all(after.number == 0 for before, after in found if before.number == 0 and not 0 < before.of < SMALLEST)
    assert all(after.number in (None, before.number) and after.of in (None, before.of) for before, after in found)
    assert not [after for _, after in found if after.number is not None and 0 < after.number < SMALLEST]
    assert not [before for before, after in found if after.number is not None and 0 < before.of - before.number < SMALLEST]


Place = tuple[str, str]


def known_of(figures: list[Figure]) -> Iterator[tuple[Place, int]]:
    """The numbers that can be seen, by column and item; what the parts are of stands under the item `of`."""
    for figure in masked(figures):
        if figure.number is not None:
            yield (figure.column, figure.item), figure.number
        if figure.of is not None:
            yield (figure.column, "of"), figure.of


def sums(figures: list[Figure]) -> Iterator[tuple[Place, list[Place]]]:
    """What adds up to what: the parts to their whole, and the releases to all of them."""
    named, items = dict.fromkeys(f.column for f in figures), dict.fromkeys(f.item for f in figures)
    yield from (((column, "of"), [(column, item) for item in items]) for column in named)
    if len(named) > 1:
        yield from (((ALL, item), [(column, item) for column in named if column != ALL]) for item in (*items, "of"))


def told(figures: list[Figure], known: dict[Place, int]) -> dict[Place, int]:
    """Everything that somebody learns who subtracts for long enough, knowing that what is hidden is no zero.

    Written apart from the code: numbers are found one by one, from sums in which one is missing, or all missing ones must be 1.
    """
    found = dict(known)
    before = -1
    while before < len(found):
        before = len(found)
        for total, some in sums(figures):
            missing = [place for place in some if place not in found]
            if total not in found and not missing:
                found[total] = sum(found[place] for place in some)
            elif total in found and missing:
                rest = found[total] - sum(found[place] for place in some if place in found)
                if len(missing) == 1 or rest == len(missing):
                    found |= dict.fromkeys(missing, rest // len(missing))
    return found
