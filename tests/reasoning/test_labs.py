"""Laboratory criteria: thresholds, comparators, repetition, and results that do not count."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.knowledge.model import Lab, Limit, Persistence
from cds_service.reasoning.truth import Truth
from tests.reasoning.charts import KNOWLEDGE, TODAY, ask, back, chart, condition, drug, lab, procedure

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN
HIGH_MCV = Lab(value_set="lab-mcv", within="P24M", above=Limit(value=100, unit="fL"))
LOW_PLATELETS = Lab(value_set="lab-platelets", within="P24M", below=Limit(value=150, unit="10*9/L"))
HB_10_OR_LESS = Lab(value_set="lab-hemoglobin", within="P24M", at_most=Limit(value=10, unit="g/dL"))
HB_10_OR_MORE = Lab(value_set="lab-hemoglobin", within="P24M", at_least=Limit(value=10, unit="g/dL"))
ANEMIA = Lab(value_set="lab-hemoglobin", within="P24M", below=Limit(male=13.0, female=12.0, unit="g/dL"))
PERSISTENT = Lab(
    value_set="lab-mcv",
    within="P24M",
    above=Limit(value=100, unit="fL"),
    persists=Persistence(results=2, apart="P28D", latest=Limit(value=98, unit="fL")),
)


@pytest.mark.parametrize(
    ("criterion", "comparator", "value", "expected"),
    [
        (HIGH_MCV, "", 99.9, A),
        (HIGH_MCV, "", 100, A),
        (HIGH_MCV, "", 100.1, P),
        (HIGH_MCV, "<", 100, A),
        (HIGH_MCV, "<=", 100, A),
        (HIGH_MCV, "<", 100.1, U),
        (HIGH_MCV, ">", 100, P),
        (HIGH_MCV, ">=", 100, U),
        (HIGH_MCV, ">=", 100.1, P),
        (HIGH_MCV, ">", 99.9, U),
        (LOW_PLATELETS, "", 149, P),
        (LOW_PLATELETS, "", 150, A),
        (LOW_PLATELETS, "", 151, A),
        (LOW_PLATELETS, "<", 150, P),
        (LOW_PLATELETS, "<=", 150, U),
        (LOW_PLATELETS, "<=", 149, P),
        (LOW_PLATELETS, "<", 151, U),
        (LOW_PLATELETS, ">", 150, A),
        (LOW_PLATELETS, ">=", 150, A),
        (LOW_PLATELETS, ">", 149, U),
        (HB_10_OR_LESS, "", 9.9, P),
        (HB_10_OR_LESS, "", 10, P),
        (HB_10_OR_LESS, "", 10.1, A),
        (HB_10_OR_LESS, "<=", 10, P),
        (HB_10_OR_LESS, "<", 10.1, U),
        (HB_10_OR_LESS, ">", 10, A),
        (HB_10_OR_LESS, ">=", 10, U),
        (HB_10_OR_MORE, "", 9.9, A),
        (HB_10_OR_MORE, "", 10, P),
        (HB_10_OR_MORE, "", 10.1, P),
        (HB_10_OR_MORE, ">=", 10, P),
        (HB_10_OR_MORE, "<", 10, A),
        (HB_10_OR_MORE, "<=", 10, U),
        (HB_10_OR_MORE, ">", 9.9, U),
    ],
)
def test_decides_a_comparator_only_on_its_side(criterion, comparator, value, expected):
    """A result such as <150 decides a limit only where every value that it may mean agrees."""
    unit = KNOWLEDGE.quantities[KNOWLEDGE.measurements[criterion.value_set].quantity].unit

    found = ask(criterion, chart(lab(criterion.value_set, value, unit, comparator=comparator))).truth

    assert expected is found


CRITERIA = [
    criterion
    for flag in KNOWLEDGE.flags.values()
    for criterion in (flag.when, *getattr(flag.when, "of", ()))
    if isinstance(criterion, Lab) and criterion.persists is None and criterion.above_upper_limit is None
]


@st.composite
def results(draw):
    """A criterion, a value near its limit, a unit of its quantity, a comparator and a gender."""
    criterion = draw(st.sampled_from(CRITERIA))
    quantity = KNOWLEDGE.quantities[KNOWLEDGE.measurements[criterion.value_set].quantity]
    limit = criterion.above or criterion.below or criterion.at_least or criterion.at_most
    bound = limit.values("male")[0] * quantity.factors[limit.unit]
    offset = draw(st.sampled_from([-0.3, -0.01, -0.001, 0.0, 0.001, 0.01, 0.3]) | st.floats(-0.5, 0.5))
    value = round(bound * (1 + offset), 4)
    unit = draw(st.sampled_from(sorted(quantity.factors)))
    return criterion, value, quantity, unit, draw(st.sampled_from(["", "<", "<=", ">", ">="])), draw(st.sampled_from(["male", "female", None]))


@given(results())
def test_says_the_same_in_every_unit(result):
    """Writing a result in another unit of the same quantity never changes what it means, not even at the limit."""
    criterion, value, quantity, unit, comparator, sex = result
    factor = quantity.factors[unit]

    canonical = ask(criterion, chart(lab(criterion.value_set, value, quantity.unit, comparator=comparator), sex=sex)).truth
    converted = ask(criterion, chart(lab(criterion.value_set, value / factor, unit, comparator=comparator), sex=sex)).truth

    assert canonical is converted


@pytest.mark.parametrize(
    ("sex", "value", "expected"),
    [
        ("male", 12.9, P), ("male", 13.0, A), ("male", 13.1, A),
        ("female", 11.9, P), ("female", 12.0, A), ("female", 12.1, A),
        (None, 11.9, P), (None, 12.5, U), (None, 13.0, A),
        ("other", 12.5, U), ("unknown", 12.5, U),
    ],
)  # fmt: skip
def test_needs_the_gender_only_where_the_limits_disagree(sex, value, expected):
    """Between the limits of men and women the answer depends on a gender that is not known; beyond both it does not."""
    found = ask(ANEMIA, chart(lab("lab-hemoglobin", value, "g/dL"), sex=sex)).truth

    assert expected is found


@pytest.mark.parametrize(("value", "unit", "expected"), [(130, "g/L", A), (129, "g/L", P), (8.1, "mmol/L", A), (7.9, "mmol/L", P), (13, "g%", A)])
def test_reads_haemoglobin_in_any_unit(value, unit, expected):
    """130 g/L is exactly 13 g/dL, and 8.1 mmol/L lies above it."""
    found = ask(ANEMIA, chart(lab("lab-hemoglobin", value, unit))).truth

    assert expected is found


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2024-11-22", P), ("2024-11-21", U), ("2026-11-22", P), ("2026-11-23", U), ("2024-11", U), ("2026", P), (None, P)],
)
def test_looks_back_exactly_as_far_as_the_module_says(on, expected):
    """The last day of the window counts and the day before does not; the future never; an undated result where no other is."""
    found = ask(HIGH_MCV, chart(lab("lab-mcv", 108, "fL", on))).truth

    assert expected is found


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], U),
        ([(0, 105)], A),
        ([(0, 105), (27, 105)], A),
        ([(0, 105), (28, 105)], P),
        ([(0, 105), (29, 105)], P),
        ([(0, 98), (10, 105), (60, 105)], A),
        ([(0, 98.1), (10, 105), (60, 105)], P),
        ([(0, 99), (10, 105), (20, 105)], A),
        ([(0, 105), (14, 105), (28, 105)], P),
        ([(0, 105), (20, 95), (40, 105)], P),
        ([(0, 105), (730, 105)], P),
        ([(0, 105), (731, 105)], A),
    ],
)
def test_calls_a_finding_persistent_only_when_it_repeats(results, expected):
    """Two results beyond the limit at least 28 days apart within the window, and the latest still beyond the milder limit."""
    labs = [lab("lab-mcv", value, "fL", back(days)) for days, value in results]

    found = ask(PERSISTENT, chart(*labs)).truth

    assert expected is found


def test_counts_no_partial_date_towards_persistence():
    """A result dated by its month may lie a month off, so it does not prove a repetition."""
    found = ask(PERSISTENT, chart(lab("lab-mcv", 105, "fL", back(5)), lab("lab-mcv", 105, "fL", "2026-03"))).truth

    assert A is found


@given(days=st.lists(st.integers(0, 700), max_size=8), apart=st.integers(0, 200), wanted=st.integers(2, 4))
def test_finds_a_repetition_whenever_there_is_one(days, apart, wanted):
    """The choice of results is as good as trying every choice."""
    criterion = Lab(value_set="lab-mcv", within="P24M", above=Limit(value=100, unit="fL"), persists=Persistence(results=wanted, apart=f"P{apart}D"))
    labs = [lab("lab-mcv", 105 + i / 100, "fL", back(day), ref=f"Observation/{i}") for i, day in enumerate(days)]

    found = ask(criterion, chart(*labs)).truth

    assert (P if longest(days, apart) >= wanted else A if days else U) is found


def longest(days, apart):
    """The most results that are pairwise far enough apart, by trying each as the next one."""
    best = {}
    ordered = sorted(days)
    for i, day in enumerate(ordered):
        best[i] = 1 + max((best[j] for j in range(i) if day - ordered[j] >= apart), default=0)
    return max(best.values(), default=0)


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "unknown", None])
def test_uses_a_result_that_stands(status):
    """Final, amended and corrected results count, and so does one of unknown status."""
    found = ask(HIGH_MCV, chart(lab("lab-mcv", 108, "fL", status=status))).truth

    assert P is found


@pytest.mark.parametrize("status", ["registered", "preliminary", "cancelled", "entered-in-error"])
def test_uses_no_result_that_may_still_change(status):
    """A preliminary, cancelled or mistaken result is as if it were not there."""
    found = ask(HIGH_MCV, chart(lab("lab-mcv", 108, "fL", status=status))).truth

    assert U is found


@pytest.mark.parametrize(("value", "unit"), [(108, ""), (108, "furlong"), (1080, "fL"), (10.8, "fL"), (float("inf"), "fL"), (float("nan"), "fL")])
def test_says_why_it_did_not_use_a_result(value, unit):
    """A result without a known unit or beyond belief is not used, and an issue says so with a remedy."""
    asked = chart(lab("lab-mcv", value, unit))

    found = ask(HIGH_MCV, asked).truth

    assert U is found
    assert [True] == [bool(issue.remedy) for issue in asked.issues]


@pytest.mark.parametrize(("days", "expected"), [(0, U), (14, U), (15, P)])
def test_uses_no_mcv_after_a_transfusion(days, expected):
    """For 14 days after a transfusion the MCV is a donor's."""
    transfusion = procedure("status-transfusion", back(20 + days))

    found = ask(HIGH_MCV, chart(lab("lab-mcv", 108, "fL", back(20)), transfusion)).truth

    assert expected is found


@pytest.mark.parametrize("remark", ["Platelet clumping seen", "clumped platelets", "CLUMPS present"])
def test_uses_no_clumped_platelets(remark):
    """A platelet count that is marked as clumped does not count."""
    found = ask(LOW_PLATELETS, chart(lab("lab-platelets", 90, "10*9/L", remark=remark))).truth

    assert U is found


@pytest.mark.parametrize(("days", "expected"), [(-15, P), (-14, U), (0, U), (14, U), (15, P)])
def test_uses_no_crp_near_an_acute_infection(days, expected):
    """Within 14 days before or after an acute infection CRP says nothing about this disease."""
    infection = condition("cond-acute-infection", back(60 + days))
    high_crp = Lab(value_set="lab-crp", within="P12M", above=Limit(value=10, unit="mg/L"))

    found = ask(high_crp, chart(lab("lab-crp", 80, "mg/L", back(60)), infection)).truth

    assert expected is found


def test_uses_no_crp_under_an_il6_inhibitor():
    """Under IL-6 blockade a normal CRP is no sign of calm."""
    high_crp = Lab(value_set="lab-crp", within="P12M", above=Limit(value=10, unit="mg/L"))
    blocker = drug("rx-anti-il6", back(100), TODAY - dt.timedelta(days=10))

    found = [ask(high_crp, chart(lab("lab-crp", 2, "mg/L", back(day)), blocker)).truth for day in (50, 5)]

    assert [U, A] == found


@pytest.mark.parametrize(
    ("value", "unit", "upper", "expected"),
    [(150, "U/L", 50, A), (151, "U/L", 50, P), (149, "U/L", 50, A), (200, "U/L", None, U), (200, "IU/L", 40, P)],
)
def test_measures_by_the_laboratorys_own_upper_limit(value, unit, upper, expected):
    """Three times the upper limit of normal is judged by the range that came with the result, and is unknown without one."""
    criterion = Lab(value_set="lab-transaminases-ggt", within="P24M", above_upper_limit=3)

    found = ask(criterion, chart(lab("lab-transaminases-ggt", value, unit, upper_limit=upper))).truth

    assert expected is found


def test_takes_the_latest_result_whatever_the_order_of_arrival():
    """The newest usable result decides, wherever it stands in the chart."""
    old, new = lab("lab-mcv", 108, "fL", back(90)), lab("lab-mcv", 95, "fL", back(2))

    found = [ask(HIGH_MCV, chart(*facts)).truth for facts in ((old, new), (new, old))]

    assert [A, A] == found


def test_computes_an_absolute_count_from_a_percentage_of_the_same_moment():
    """Lymphocytes of 10 % of 5.0 are 0.5; a percentage of another day computes nothing."""
    criterion = Lab(value_set="lab-lymphocytes-abs", within="P12M", below=Limit(value=1.0, unit="10*9/L"))
    share = lab("lab-lymphocytes-pct", 10, "%", "2026-11-01")

    same = ask(criterion, chart(share, lab("lab-wbc", 5.0, "10*9/L", "2026-11-01"))).truth
    other = ask(criterion, chart(share, lab("lab-wbc", 5.0, "10*9/L", "2026-10-01"))).truth

    assert (P, U) == (same, other)


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_does_not_choose_between_results_of_one_day(ids):
    """Two results of a day without a time, on either side of the limit, leave the question open, and the card says so."""
    low, high = (lab("lab-hemoglobin", value, "g/dL", back(3), ref=f"Observation/{name}") for value, name in zip((10, 15), ids, strict=True))
    asked = chart(low, high)

    found = ask(ANEMIA, asked)

    assert Truth.UNKNOWN is found.truth
    assert ["results of the same time contradict each other"] == [issue.what.rpartition(": ")[2] for issue in asked.issues]


def test_takes_results_of_one_day_that_agree():
    """Two results of a day on the same side of the limit are as good as one."""
    found = ask(ANEMIA, chart(*(lab("lab-hemoglobin", value, "g/dL", back(3), ref=f"Observation/{value}") for value in (9.5, 9.9))))

    assert Truth.PRESENT is found.truth


def test_takes_the_later_of_two_results_with_their_time():
    """Where the time is given, the later result of a day counts."""
    early, late = (lab("lab-hemoglobin", value, "g/dL", f"{back(3)}T{hour}:00:00Z") for value, hour in ((10, "08"), (15, "20")))

    assert Truth.ABSENT is ask(ANEMIA, chart(early, late)).truth


def test_weighs_only_results_of_the_same_time_against_each_other():
    """An earlier result of that day is older, and contradicts nothing."""
    labs = [
        lab("lab-hemoglobin", value, "g/dL", f"{back(3)}T{hour}:00:00Z", ref=f"o/{value}") for value, hour in ((15, "08"), (10, "20"), (11, "20"))
    ]

    assert Truth.PRESENT is ask(ANEMIA, chart(*labs)).truth


def test_shows_the_later_reference_of_one_moment():
    """Of results that agree always the same is shown, however large they are."""
    labs = [lab("lab-mcv", value, "fL", ref=f"o/{name}") for value, name in ((120, "a"), (110, "b"))]

    assert ["110 fL"] == [one.value for one in ask(HIGH_MCV, chart(*labs)).evidence]


def test_holds_a_reason_against_a_result_with_a_remark():
    """What a laboratory remarks has nothing to do with an infection."""
    high_crp = Lab(value_set="lab-crp", within="P12M", above=Limit(value=10, unit="mg/L"))

    found = ask(high_crp, chart(lab("lab-crp", 80, "mg/L", back(60), remark="repeated"), condition("cond-acute-infection", back(60))))

    assert Truth.UNKNOWN is found.truth


@pytest.mark.parametrize("take", ["latest", "any"])
@pytest.mark.parametrize(("unit", "expected"), [("fL", U), ("furlong", P)])
def test_takes_an_undated_result_only_where_no_dated_one_can_be_used(unit, expected, take):
    """However old the dated one is; one that cannot be used is as good as none."""
    old, undated = lab("lab-mcv", 95, unit, back(900)), lab("lab-mcv", 108, "fL", None)
    high = Lab(value_set="lab-mcv", within="P24M", above=Limit(value=100, unit="fL"), take=take)

    assert expected is ask(high, chart(old, undated)).truth


def test_names_no_old_flawed_result_beside_an_undated_one():
    """What is older than the answer is not spoken of."""
    asked = chart(
        lab("lab-mcv", 108, "fL", back(5)), lab("lab-mcv", 90, "fL", back(40), flaw="is marked"), lab("lab-mcv", 90, "fL", None, flaw="is undated")
    )

    ask(HIGH_MCV, asked)

    assert ["MCV is undated and was not used"] == [issue.what for issue in asked.issues]


def test_shows_a_result_that_leaves_a_question_open():
    """A value without a limit of its own answers nothing, and is shown as assessed in part."""
    criterion = Lab(value_set="lab-transaminases-ggt", above_upper_limit=2, within="P24M")

    found = ask(criterion, chart(lab("lab-transaminases-ggt", 30, "U/L")))

    assert Truth.UNKNOWN is found.truth
    assert ["30 U/L"] == [one.value for one in found.evidence]


def test_says_nothing_of_a_result_that_is_too_old_to_matter():
    """What cannot be used is said where it could have mattered: the newest, and no older than the newest that can be used."""
    newest, old = lab("lab-mcv", 108, "", back(2)), lab("lab-mcv", 108, "", back(900))
    asked = [chart(newest, lab("lab-mcv", 101, "fL", back(30))), chart(old, lab("lab-mcv", 101, "fL", back(30)))]

    truths = [ask(HIGH_MCV, one).truth for one in asked]

    assert [Truth.PRESENT, Truth.PRESENT] == truths
    assert [1, 0] == [len(one.issues) for one in asked]


@pytest.mark.parametrize("turned", [False, True])
def test_names_flawed_results_in_the_same_order_however_they_arrive(turned):
    """The order of arrival plays no part in what is said of results that cannot be used."""
    flawed = [lab("lab-mcv", 0, "", back(days), flaw="is marked as absent by the laboratory") for days in (40, 20)]
    asked = chart(*(reversed(flawed) if turned else flawed))

    ask(HIGH_MCV, asked)

    assert [back(20), back(40)] == [issue.what.split()[2] for issue in asked.issues]


def test_says_of_a_result_whose_date_cannot_be_read_that_it_was_not_used():
    """Such a result might be the newest, so it is named although another one answers the question."""
    asked = chart(lab("lab-mcv", 108, "fL", back(5)), lab("lab-mcv", 90, "fL", None, flaw="has a date that cannot be read"))

    found = ask(HIGH_MCV, asked)

    assert Truth.PRESENT is found.truth
    assert ["MCV has a date that cannot be read and was not used"] == [issue.what for issue in asked.issues]


def test_computes_a_count_that_is_newer_than_the_measured_ones():
    """An old absolute count does not stand before a percentage and a total of today."""
    criterion = Lab(value_set="lab-neutrophils-abs", within="P24M", below=Limit(value=1.5, unit="10*9/L"))
    share = (lab("lab-neutrophils-pct", 10, "%", back(1)), lab("lab-wbc", 3.0, "10*9/L", back(1)))

    found = [ask(criterion, chart(*share, lab("lab-neutrophils-abs", 5.0, "10*9/L", back(days)))).truth for days in (4000, 90, 1)]

    assert [Truth.PRESENT, Truth.PRESENT, Truth.ABSENT] == found
