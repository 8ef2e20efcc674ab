"""A chart by value set: what counts, what covers a day, what lies near one, and what was done last."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from cds_service.knowledge.model import Coded, Lab, Limit, Near, Persistence
from cds_service.reasoning.chart import days_covered
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code
from cds_service.record.dates import Day
from cds_service.record.facts import Issue
from tests.reasoning.charts import TODAY, ask, back, chart, condition, drug, first, lab, procedure, report
from tests.reasoning.test_labs import HIGH_MCV, LOW_PLATELETS

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN
SWEET = "cond-neutrophilic-dermatosis"
BLOCKER = "rx-anti-il6"
STEROID = "rx-systemic-glucocorticoid"


def day(ago: int) -> Day:
    """The day so many days ago."""
    return TODAY - dt.timedelta(days=ago)


# --- problems ---


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({}, True),
        ({"verification": None}, True),
        ({"verification": "provisional"}, False),
        ({"verification": "refuted"}, False),
        ({"text": "Sweet syndrome"}, True),
        ({"text": "Possible Sweet syndrome"}, False),
        ({"text": "Rule out Sweet syndrome"}, False),
        ({"codes": (first(SWEET), Code("http://hl7.org/fhir/sid/icd-10-cm", "Z82.69"))}, False),
        ({"codes": (first(SWEET), Code("http://hl7.org/fhir/sid/icd-10-cm", "Z80"))}, False),
        ({"codes": (first(SWEET), Code("http://hl7.org/fhir/sid/icd-10-cm", "Z85.6"))}, True),
    ],
)
def test_counts_a_problem_unless_it_is_doubted(members, counts):
    """By its status, its words, and codes that say family history."""
    found = chart(condition(SWEET, **members))

    assert counts == bool(found.conditions(SWEET))


@pytest.mark.parametrize(("text", "counts"), [("", True), ("Transfusion", True), ("Transfusion ruled out", False)])
def test_counts_a_procedure_unless_its_words_exclude_it(text, counts):
    """Words of exclusion hold for procedures too."""
    done = msgspec.structs.replace(procedure("status-transfusion", back(5)), text=text)

    assert counts == bool(chart(done).procedures("status-transfusion"))


@pytest.mark.parametrize("status", ["completed", "in-progress", "unknown", None, "not-done", "entered-in-error", "preparation", "stopped"])
def test_counts_a_procedure_that_was_done(status):
    """Done, going on, or not said to be otherwise; not one that was only planned or broken off."""
    done = msgspec.structs.replace(procedure("status-transfusion", back(5)), status=status)

    assert (status in ("completed", "in-progress", "unknown", None)) == bool(chart(done).procedures("status-transfusion"))


TEXTED = "cond-macrocytosis-text-needed"


@pytest.mark.parametrize(
    ("criterion", "text", "truth"),
    [
        (Coded(value_sets=(SWEET,), unless_text_of=TEXTED), "", P),
        (Coded(value_sets=(SWEET,), unless_text_of=TEXTED), "Macrocytosis", A),
        (Coded(value_sets=(SWEET,), unless_text_of=TEXTED), "Sweet syndrome and macrocytosis", P),
        (Coded(value_sets=(SWEET,), code_needs_text_of=TEXTED), "", A),
        (Coded(value_sets=(SWEET,), code_needs_text_of=TEXTED), "Sweet syndrome", A),
        (Coded(value_sets=(SWEET,), code_needs_text_of=TEXTED), "Macrocytosis", P),
    ],
)
def test_reads_code_and_text_of_a_problem_together(criterion, text, truth):
    """A code may need words beside it, or may not count beside others, unless the words name it as well."""
    assert truth is ask(criterion, chart(condition(SWEET, text=text))).truth


@pytest.mark.parametrize(("days", "truth"), [((60,), P), ((60, 5), P), ((5,), A), ((None,), P)])
def test_leaves_out_a_problem_near_another_one(days, truth):
    """A finding that may be due to an acute infection does not count; one of another time does."""
    near = Near(value_set="cond-acute-infection", within="P14D", because="infection")
    findings = [condition(SWEET, back(n) if n else None) for n in days]

    assert truth is ask(Coded(value_sets=(SWEET,), unless_near=near), chart(condition("cond-acute-infection", back(10)), *findings)).truth


# --- days ---


@pytest.mark.parametrize(
    ("orders", "covered", "open_days"),
    [
        ([(30, 20)], [30, 25, 20], [31, 19]),
        ([(30, 20), (15, 10)], [30, 20, 15, 10], [31, 19, 16, 9]),
        ([(30, 10), (25, 20)], [30, 26, 19, 10], [31, 9]),
        ([(25, 20), (30, 10)], [30, 26, 19, 10], [31, 9]),
        ([(30, 20), (20, 10)], [30, 20, 19, 10], [31, 9]),
        ([(30, 20), (25, 15), (18, 10)], [30, 19, 16, 14, 10], [31, 9]),
        ([(60, 50), (40, 30), (35, 20)], [60, 50, 40, 29, 20], [61, 49, 41, 19]),
        ([(None, 10), (30, 20)], [30, 20], [31, 19]),
        ([], [], [5]),
    ],
)
def test_knows_the_days_that_drugs_cover(orders, covered, open_days):
    """Orders may overlap, touch or lie in one another; both ends count, and an order without a start covers nothing."""
    drugs = [drug(BLOCKER, back(start) if start else None, day(end), ref=f"m/{i}") for i, (start, end) in enumerate(orders)]
    asked = chart(*drugs)

    found = {ago: asked.covered_on(BLOCKER, day(ago)) for ago in (*covered, *open_days)}

    assert {**dict.fromkeys(covered, True), **dict.fromkeys(open_days, False)} == found


@pytest.mark.parametrize(("ago", "near"), [(54, False), (55, True), (60, True), (65, True), (66, False)])
def test_knows_what_lies_near_a_day(ago, near):
    """So many days before or after, both ends counted."""
    asked = chart(condition(SWEET, back(60)), condition("cond-acute-infection", back(200)), condition(SWEET, None))

    assert near == asked.near_condition(day(ago), SWEET, "P5D")
    assert not asked.near_condition(day(ago), "cond-acute-infection", "P5D")
    assert not asked.near_condition(day(ago), "cond-relapsing-polychondritis", "P5D")


@pytest.mark.parametrize(("ago", "after"), [(61, False), (60, True), (55, True), (54, False)])
def test_knows_what_follows_a_procedure(ago, after):
    """On the day of the procedure or so many days after it."""
    asked = chart(procedure("status-transfusion", back(60)), procedure("status-hsct", back(200)))

    assert after == asked.after_procedure(day(ago), "status-transfusion", "P5D")
    assert not asked.after_procedure(day(ago), "status-hsct", "P5D")
    assert not asked.after_procedure(day(ago), "status-splenectomy", "P5D")


@pytest.mark.parametrize(
    ("facts", "last"),
    [
        ((), None),
        ((lab("lab-b12", 1, "", back(9)), lab("lab-b12", 1, "", back(5))), day(5)),
        ((lab("lab-b12", 1, "", None),), None),
        ((lab("lab-b12", 1, "", None), lab("lab-b12", 1, "", back(9))), day(9)),
        ((lab("lab-b12", 1, "", back(9)), lab("lab-b12", 1, "", back(5), status="cancelled")), day(9)),
        ((lab("lab-b12", 1, "", back(9)), report("done", code=first("lab-b12"), on=back(3))), day(3)),
        ((report("done", code=first("lab-b12"), on=back(3)),), day(3)),
        ((report("done", code=first("lab-b12"), on=back(3), status="cancelled"),), None),
        ((lab("lab-tsh", 1, "", back(9)),), None),
    ],
)
def test_knows_when_a_test_was_done_last(facts, last):
    """The newest result or report, whatever it says, unless it was withdrawn."""
    assert last == chart(*facts).last_done("lab-b12")


def test_counts_no_day_twice():
    """Spans that end on one day, or lie in one another."""
    assert 11 == days_covered([(day(10), day(0)), (day(5), day(0)), (day(0), day(0))])
    assert 0 == days_covered([])


def test_notes_an_issue_as_a_warning_unless_told_otherwise():
    """Each issue once, in the order in which they came up."""
    asked = chart()

    asked.note("a", "b")
    asked.note("c", "d", level="information")
    asked.note("a", "b")

    assert {Issue("warning", "a", "b"): None, Issue("information", "c", "d"): None} == asked.issues


# --- results ---


@pytest.mark.parametrize(("value", "used"), [(39.9, False), (40, True), (180, True), (180.1, False)])
def test_believes_values_up_to_the_limits_of_the_plausible(value, used):
    """The limits themselves are plausible."""
    assert used == (ask(HIGH_MCV, chart(lab("lab-mcv", value, "fL"))).truth is not U)


def test_lets_an_older_result_be_no_rival():
    """Only results of the newest moment may contradict each other."""
    same = [lab("lab-platelets", value, "10*9/L", back(3), ref=f"o/{value}") for value in (100, 120)]

    assert P is ask(LOW_PLATELETS, chart(*same, lab("lab-platelets", 300, "10*9/L", back(9)))).truth


def test_weighs_three_results_of_one_moment():
    """One of three against the others leaves the question open."""
    same = [lab("lab-platelets", value, "10*9/L", back(3), ref=f"o/{value}") for value in (100, 120, 300)]

    assert U is ask(LOW_PLATELETS, chart(*same)).truth


@pytest.mark.parametrize(
    ("within", "truth"),
    [("P1D", U), ("P29D", U), ("P30D", P), ("P60D", P)],
)
def test_looks_for_a_computed_count_in_the_window(within, truth):
    """A computed count has the day of its percentage; the first day of the window counts."""
    low = Lab(value_set="lab-lymphocytes-abs", within=within, below=Limit(value=1.0, unit="10*9/L"))
    share, total = lab("lab-lymphocytes-pct", 10, "%", back(30)), lab("lab-wbc", 5.0, "10*9/L", back(30))

    assert truth is ask(low, chart(share, total)).truth


@pytest.mark.parametrize(("within", "truth"), [("P29D", U), ("P30D", P)])
def test_looks_for_any_computed_count_in_the_window(within, truth):
    """Where any result would do, the window holds for computed counts too."""
    low = Lab(value_set="lab-lymphocytes-abs", within=within, below=Limit(value=1.0, unit="10*9/L"), take="any")
    share, total = lab("lab-lymphocytes-pct", 10, "%", back(30)), lab("lab-wbc", 5.0, "10*9/L", back(30))

    assert truth is ask(low, chart(share, total)).truth


def test_takes_the_newest_of_measured_and_computed_counts():
    """Whichever is newer; an undated one only where no other is."""
    low = Lab(value_set="lab-lymphocytes-abs", within="P24M", below=Limit(value=1.0, unit="10*9/L"))
    computed = (lab("lab-lymphocytes-pct", 10, "%", back(30)), lab("lab-wbc", 5.0, "10*9/L", back(30)))
    measured = {ago: lab("lab-lymphocytes-abs", 2.0, "10*9/L", back(ago) if ago else None) for ago in (60, 20, None)}

    found = {ago: ask(low, chart(*computed, one)).truth for ago, one in measured.items()}

    assert {60: P, 20: A, None: P} == found


@pytest.mark.parametrize(("totals", "truth"), [((lab("lab-wbc", 20.0, "10*9/L", back(30)),), A), ((), P)])
def test_takes_an_undated_count_only_where_none_can_be_computed(totals, truth):
    """An undated low count stands behind one that is computed, and is used alone."""
    low = Lab(value_set="lab-lymphocytes-abs", within="P24M", below=Limit(value=1.0, unit="10*9/L"), take="any")
    facts = [lab("lab-lymphocytes-pct", 50, "%", back(30)), lab("lab-lymphocytes-abs", 0.5, "10*9/L", None)]

    assert truth is ask(low, chart(*facts, *totals)).truth


def test_shows_a_computed_count_in_two_places():
    """12.3 % of 4.56 is 0.56088, and is shown as no more than it is."""
    low = Lab(value_set="lab-lymphocytes-abs", within="P24M", below=Limit(value=1.0, unit="10*9/L"))

    found = ask(low, chart(lab("lab-lymphocytes-pct", 12.3, "%", back(30)), lab("lab-wbc", 4.56, "10*9/L", back(30))))

    assert ["0.56 10*9/L"] == [one.value for one in found.evidence]


# --- limits ---

HB = "lab-hemoglobin"
LONG = "P24M"


@pytest.mark.parametrize(
    ("criterion", "value", "truth"),
    [
        (Lab(value_set=HB, within=LONG, below=Limit(value=100, unit="g/L")), 9.9, P),
        (Lab(value_set=HB, within=LONG, below=Limit(value=100, unit="g/L")), 10, A),
        (Lab(value_set=HB, within=LONG, above=Limit(value=100, unit="g/L")), 10.1, P),
        (Lab(value_set=HB, within=LONG, at_least=Limit(value=100, unit="g/L")), 10, P),
        (Lab(value_set=HB, within=LONG, at_most=Limit(value=100, unit="g/L")), 10, P),
        (Lab(value_set=HB, within=LONG, at_most=Limit(value=100, unit="g/L")), 10.1, A),
        (Lab(value_set=HB, within=LONG, above_upper_limit=1), 17.1, P),
        (Lab(value_set=HB, within=LONG, above_upper_limit=1), 17, A),
        (Lab(value_set=HB, within=LONG), 10, U),
    ],
)
def test_compares_in_one_unit(criterion, value, truth):
    """A limit in g/L, a range in the laboratory's unit and a result in g/dL are one scale."""
    assert truth is ask(criterion, chart(lab(HB, value, "g/dL", upper_limit=17))).truth


@pytest.mark.parametrize(("value", "truth"), [(171, P), (170, A), (0, U)])
def test_converts_the_laboratorys_own_limit_with_its_result(value, truth):
    """The range stands in the unit of the result, whatever that is."""
    assert truth is ask(Lab(value_set=HB, within=LONG, above_upper_limit=1), chart(lab(HB, value, "g/L", upper_limit=170))).truth


FALLING = Persistence(results=2, apart="P28D", latest=Limit(male=14, female=13, unit="g/dL"))
ANEMIC = Lab(value_set=HB, within=LONG, below=Limit(value=12, unit="g/dL"), persists=FALLING)


@pytest.mark.parametrize(
    ("sex", "latest", "truth"),
    [("male", 13.9, P), ("male", 14, A), ("female", 12.9, P), ("female", 13, A)],
)
def test_lets_a_persistent_finding_ease_to_its_milder_limit(sex, latest, truth):
    """The latest result may lie between the two limits; the milder one may differ for men and women."""
    results = [lab(HB, value, "g/dL", back(ago)) for value, ago in ((latest, 1), (11, 30), (11, 90))]

    assert truth is ask(ANEMIC, chart(*results, sex=sex)).truth


RISING = Lab(value_set="lab-mcv", within=LONG, above=Limit(value=100, unit="fL"), persists=Persistence(results=2, apart="P28D"))


@pytest.mark.parametrize(
    ("results", "truth", "shown"),
    [
        ([(1, 105, ""), (40, 104, ""), (90, 103, "")], P, ["105 fL", "104 fL"]),
        ([(1, 105, ""), (10, 104, ""), (90, 103, "")], P, ["105 fL", "103 fL"]),
        ([(1, 90, ""), (40, 95, "")], A, ["90 fL"]),
        ([(1, 101, "<"), (40, 105, ""), (90, 103, "")], P, ["105 fL", "103 fL"]),
        ([(1, 101, "<"), (40, 105, "")], A, ["105 fL"]),
        ([(1, 101, "<")], U, []),
        ([], U, []),
    ],
)
def test_shows_the_results_that_make_a_finding_persistent(results, truth, shown):
    """Those that are far enough apart from the newest backwards; else the newest that could be judged."""
    labs = [lab("lab-mcv", value, "fL", back(ago), comparator=sign) for ago, value, sign in results]

    found = ask(RISING, chart(*labs))

    assert (truth, shown) == (found.truth, [one.value for one in found.evidence])
