"""What the cases of a module leave unproved is said, each with its remedy, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning.coverage import uncovered
from tests.reasoning.charts import KNOWLEDGE
from tests.reasoning.toys import LOW_POTASSIUM, TETANY, advice, case, flag, toy

LOW = "low-potassium"
# Both red flags in each of the three states, potassium on each side of the limit, both criteria met.
COMPLETE = (
    case(labs=(3.4,), tetany=True, expect={LOW: "present", "tetany": "present"}, criterion="x"),
    case(labs=(3.5,), tetany=True, expect={LOW: "absent"}, criterion="y"),
    case(labs=(3.6,), expect={LOW: "absent", "tetany": "absent"}),
    case(record={"unavailable": ["conditions"]}, expect={LOW: "unknown", "tetany": "unknown"}),
)


def without(index: int) -> list[dict]:
    """The complete cases but one."""
    return [one for i, one in enumerate(COMPLETE) if i != index]


def said(knowledge: Knowledge) -> list[str]:
    """What is missing, without the file's name."""
    missing = list(uncovered(knowledge))
    assert all(sentence.startswith("cases.yaml: no case ") for sentence in missing)
    return [sentence.removeprefix("cases.yaml: no case ") for sentence in missing]


def sides(bound: str, places: Iterable[str], name: str = LOW) -> list[str]:
    """No case lies on these sides of a threshold."""
    return [f"of {name} lies {place} {bound}. Write one." for place in places]


def test_finds_nothing_missing_in_the_shipped_module():
    """Every red flag, threshold, criterion and recommendation of the shipped module has its cases."""
    assert [] == said(KNOWLEDGE)


def test_asks_for_everything_where_there_are_no_cases():
    """Three states of each red flag, three sides of each threshold, each criterion."""
    states = [f"expects {name} to be {state}. Write one." for name in (LOW, "tetany") for state in ("present", "absent", "unknown")]
    criteria = [f"meets criterion {c}. Write one with `criterion: {c}`." for c in ("x", "y")]

    assert [*states, *sides("3.5", ("below", "at", "above")), *criteria] == said(toy())


def test_is_content_with_complete_cases():
    """Where each thing has its case, nothing is asked for."""
    assert [] == said(toy(*COMPLETE))


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        (0, ["low-potassium to be present", "tetany to be present", "lies below 3.5", "criterion x"]),
        (1, ["lies at 3.5", "criterion y"]),
        (2, ["tetany to be absent", "lies above 3.5"]),
        (3, ["low-potassium to be unknown", "tetany to be unknown"]),
    ],
)
def test_names_what_a_missing_case_would_prove(left_out, missing):
    """Each case that is taken away is missed for what it alone proved."""
    found = said(toy(*without(left_out)))

    assert len(missing) == len(found)
    assert all(what in sentence for what, sentence in zip(missing, found, strict=True))


def test_counts_only_cases_that_ask_about_the_flag():
    """A value beyond the limit proves nothing of a flag that its case does not mention."""
    silent = case(labs=(3.4,), tetany=True, expect={"tetany": "present"}, criterion="x")

    assert ["expects low-potassium to be present. Write one.", *sides("3.5", ["below"])] == said(toy(silent, *COMPLETE[1:]))


def test_counts_values_in_any_unit_and_by_any_code():
    """A result in another unit, or under a real code of the test, lies where it lies."""
    milli = {"code": "lab-potassium", "value": 3.5, "unit": "mEq/L"}
    coded = {"system": "http://loinc.org", "code": "2823-3", "value": 3.6, "unit": "mmol/L"}
    cases = [
        COMPLETE[0],
        case(tetany=True, record={"labs": [milli]}, expect={LOW: "absent"}, criterion="y"),
        case(record={"labs": [coded]}, expect={LOW: "absent", "tetany": "absent"}),
        COMPLETE[3],
    ]

    assert [] == said(toy(*cases))


def test_compares_a_limit_and_its_cases_in_one_unit():
    """A limit in micromoles is held against cases in millimoles, and named in the canonical unit."""
    units = [{"id": "potassium", "unit": "mmol/L", "plausible": {"low": 1, "high": 10}, "factors": {"mmol/L": 1, "umol/L": 0.001}}]
    low = {**LOW_POTASSIUM, "below": {"value": 3500, "unit": "umol/L", "since": "2026-11-22"}}
    files = {"units": units, "red_flags": [flag(LOW, low), flag("tetany", TETANY)]}

    assert [] == said(toy(*COMPLETE, **files))
    assert sides("3.5", ["at"]) == [sentence for sentence in said(toy(*without(1), **files)) if " lies " in sentence]


def test_does_not_count_other_tests_or_values_it_cannot_place():
    """A result of another test, or in a unit that is not known, lies on no side."""
    strangers = [
        {"system": "http://loinc.org", "code": "787-2", "value": 3.4, "unit": "mmol/L"},
        {"code": "lab-potassium", "value": 3.6, "unit": "furlong"},
        {"code": "cond-tetany", "value": 3.5, "unit": "mmol/L"},
    ]
    found = said(toy(case(record={"labs": strangers}, expect={LOW: "unknown"})))

    assert sides("3.5", ("at", "above")) == [sentence for sentence in found if " lies " in sentence]


SEXED = {**LOW_POTASSIUM, "below": {"male": 3.5, "female": 3.2, "unit": "mmol/L", "since": "2026-11-22"}}


def of_sex(sex: str | None, *labs: float) -> dict:
    """A case of a man or a woman with these results."""
    return case(labs=labs, record={"patient": {"sex": sex}} if sex else {}, expect={LOW: "unknown"})


@pytest.mark.parametrize(
    ("cases", "missing"),
    [
        ([], [*sides("3.5 (male)", ("below", "at", "above")), *sides("3.2 (female)", ("below", "at", "above"))]),
        ([of_sex(None, 3.1, 3.2, 3.5, 3.6)], [*sides("3.5 (male)", ("below", "at", "above")), *sides("3.2 (female)", ("below", "at", "above"))]),
        ([of_sex("male", 3.4, 3.5, 3.6)], sides("3.2 (female)", ("below", "at", "above"))),
        ([of_sex("female", 3.1, 3.2, 3.3)], sides("3.5 (male)", ("below", "at", "above"))),
        ([of_sex("male", 3.4, 3.5, 3.6), of_sex("female", 3.1, 3.2, 3.3)], []),
    ],
)
def test_asks_for_men_and_women_where_limits_differ(cases, missing):
    """A limit with one value for men and one for women needs the three sides in both."""
    found = said(toy(*cases, red_flags=[flag(LOW, SEXED), flag("tetany", TETANY)]))

    assert missing == [sentence for sentence in found if " lies " in sentence]


def test_asks_for_each_limit_of_a_persistent_finding():
    """The milder limit that the latest result must keep is a threshold too."""
    latest = {"value": 3.7, "unit": "mmol/L", "since": "2026-11-22"}
    persistent = {**LOW_POTASSIUM, "persists": {"results": 2, "apart": "P28D", "latest": latest}}

    found = said(toy(*COMPLETE, red_flags=[flag(LOW, persistent), flag("tetany", TETANY)]))

    assert sides("3.7", ("at", "above")) == [sentence for sentence in found if " lies " in sentence]


def aged(*ages: int) -> list[dict]:
    """Cases of these ages about the flag `old`, and one without a patient."""
    return [case(expect={"old": "present"}), *(case(record={"patient": {"age": age}}, expect={"old": "present"}) for age in ages)]


@pytest.mark.parametrize("bound", ["at_least", "below"])
@pytest.mark.parametrize(("ages", "missing"), [((49, 50, 51), []), ((49,), ["at", "above"]), ((50,), ["below", "above"]), ((51,), ["below", "at"])])
def test_asks_for_ages_on_each_side(bound, ages, missing):
    """An age limit needs a patient below, at and above it."""
    old = flag("old", {"kind": "age", bound: 50, "since": "2026-11-22"})

    found = said(toy(*aged(*ages), facts=[old]))

    assert sides("50 years", missing, "old") == [sentence for sentence in found if sentence.startswith("of old lies")]


def test_looks_inside_a_flag_of_several_criteria():
    """A threshold counts wherever in the flag it stands."""
    either = {"kind": "any", "of": [TETANY, LOW_POTASSIUM]}

    found = said(toy(red_flags=[flag(LOW, TETANY), flag("tetany", TETANY)], facts=[flag("either", either)]))

    assert sides("3.5", ("below", "at", "above"), "either") == [sentence for sentence in found if " lies " in sentence]


@pytest.mark.parametrize(
    ("members", "missing"),
    [
        ({}, ["recommends rest. Write one.", "keeps rest silent. Write one."]),
        ({"recommends": ["rest"]}, ["keeps rest silent. Write one."]),
        ({"silent": ["rest"]}, ["recommends rest. Write one."]),
    ],
)
def test_asks_for_advice_given_and_kept_silent(members, missing):
    """A recommendation needs a case that gives it and one that does not."""
    cases = [*COMPLETE, case(**members)]

    assert missing == said(toy(*cases, recommendations=[advice("rest", "tetany")]))
