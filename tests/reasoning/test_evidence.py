"""What is shown for a finding: the fact in our words, its place, code, value and day, and what qualifies it."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.knowledge.model import (
    Age,
    Allergic,
    AnyOf,
    BeforeResult,
    CloseTo,
    Coded,
    Deceased,
    Drug,
    GeneTested,
    Lab,
    Limit,
    Persistence,
    ReportText,
    Resulted,
    Sex,
    Vaccinated,
)
from cds_service.reasoning.findings import Evidence
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code
from cds_service.record.dates import Day, moment
from cds_service.record.facts import Allergy, Immunization, Issue
from tests.reasoning.charts import KNOWLEDGE, LOINC, TODAY, UBA1_TEST, ask, back, chart, condition, drug, first, lab, procedure, report
from tests.reasoning.test_labs import HIGH_MCV, LOW_PLATELETS

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN
STEROID = "rx-systemic-glucocorticoid"
SWEET = "cond-neutrophilic-dermatosis"
ON = Day(2026, 11, 1)
MARROW = Code(LOINC, "33721-2")


def shown(criterion, *facts, **members):
    """The truth of a criterion and the evidence that is shown for it."""
    answer = ask(criterion, chart(*facts, **members))
    return answer.truth, list(answer.evidence)


# --- laboratory results ---


def mcv(**members):
    """An MCV of 108 fL as evidence."""
    return Evidence(**{"what": "MCV", "ref": "o/1", "code": first("lab-mcv"), "value": "108 fL", "on": ON, **members})


@pytest.mark.parametrize(
    ("members", "differs"),
    [
        ({}, {}),
        ({"status": "amended"}, {}),
        ({"status": "unknown"}, {"remarks": ("status unknown",)}),
        ({"status": None}, {"remarks": ("status unknown",)}),
        ({"on": None}, {"on": None, "remarks": ("undated",)}),
        ({"on": "2026-11"}, {"on": Day(2026, 11, 15), "remarks": ("date incomplete",)}),
        ({"on": "2026-11", "status": None}, {"on": Day(2026, 11, 15), "remarks": ("status unknown", "date incomplete")}),
        ({"comparator": ">"}, {"value": ">108 fL"}),
        ({"value": 108.12345678912, "unit": "fl"}, {"value": "108.1234568 fl"}),
    ],
)
def test_shows_a_result_as_the_chart_has_it(members, differs):
    """Label, number and unit as written, code, day; and what qualifies a result that is used all the same."""
    one = lab("lab-mcv", **{"value": 108, "unit": "fL", "on": "2026-11-01", "ref": "o/1", **members})

    assert (P, [mcv(**differs)]) == shown(HIGH_MCV, one)


def test_shows_the_result_that_speaks_against_a_finding():
    """A value within limits is evidence too."""
    assert (A, [mcv(value="90 fL")]) == shown(HIGH_MCV, lab("lab-mcv", 90, "fL", ref="o/1"))


def test_shows_nothing_where_there_is_nothing():
    """Without a result the finding is unknown and nothing is shown for it."""
    assert (U, []) == shown(HIGH_MCV)


def test_goes_back_to_a_result_that_can_be_judged():
    """Where the newest result only says `below 200`, the one before it answers, unless it is too old."""
    bound = lab("lab-platelets", 200, "10*9/L", back(2), comparator="<", ref="o/2")
    older, outdated = (lab("lab-platelets", 120, "10*9/L", back(days), ref="o/1") for days in (30, 800))

    found = [shown(LOW_PLATELETS, *facts) for facts in ((bound, older), (bound, outdated), (bound,))]

    assert [P, U, U] == [truth for truth, _ in found]
    assert ["120 10*9/L", "<200 10*9/L", "<200 10*9/L"] == [evidence[0].value for _, evidence in found]


ANY_LOW = Lab(value_set="lab-platelets", within="P24M", below=Limit(value=150, unit="10*9/L"), take="any")


@pytest.mark.parametrize(
    ("values", "truth", "value"),
    [
        ([(5, 200, ""), (9, 120, ""), (20, 90, "")], P, "120 10*9/L"),
        ([(5, 200, ""), (9, 180, "")], A, "200 10*9/L"),
        ([(5, 200, "<"), (9, 180, "")], A, "180 10*9/L"),
        ([(5, 200, "<")], U, None),
        ([(800, 90, "")], U, None),
    ],
)
def test_shows_the_newest_result_of_any_that_would_do(values, truth, value):
    """Where any result counts, the newest beyond the limit is shown, else the newest that was judged."""
    labs = [lab("lab-platelets", number, "10*9/L", back(days), comparator=sign) for days, number, sign in values]

    found, evidence = shown(ANY_LOW, *labs)

    assert (truth, [value] if value else []) == (found, [one.value for one in evidence])


def test_shows_where_a_computed_count_comes_from():
    """A count that was worked out says so, with the percentage's place and code, and rounds to two places."""
    low = Lab(value_set="lab-lymphocytes-abs", within="P12M", below=Limit(value=1.0, unit="10*9/L"))
    share, total = lab("lab-lymphocytes-pct", 11.1, "%", ref="o/1", status=None), lab("lab-wbc", 5.5, "10*9/L")

    expected = Evidence(
        what="Lymphocytes",
        ref="o/1",
        code=first("lab-lymphocytes-pct"),
        value="0.61 10*9/L",
        on=ON,
        remarks=("status unknown", "computed from a percentage"),
    )
    assert (P, [expected]) == shown(low, share, total)


@pytest.mark.parametrize(
    ("share", "total"),
    [
        (lab("lab-lymphocytes-pct", 10, "%", comparator="<"), lab("lab-wbc", 5.0, "10*9/L")),
        (lab("lab-lymphocytes-pct", 10, "%"), lab("lab-wbc", 5.0, "10*9/L", comparator="<")),
        (lab("lab-lymphocytes-pct", 10, "%", None), lab("lab-wbc", 5.0, "10*9/L", None)),
    ],
)
def test_computes_nothing_from_bounds_or_undated_results(share, total):
    """A bound or a result without its moment is no basis for a count."""
    low = Lab(value_set="lab-lymphocytes-abs", within="P12M", below=Limit(value=1.0, unit="10*9/L"))

    assert (U, []) == shown(low, share, total)


WHAT = "MCV of 2026-11-01"
WARNED = {
    "no unit": ({"unit": ""}, f"{WHAT} has no unit and was not used", "Send the unit, in UCUM if possible."),
    "an unknown unit": (
        {"unit": "furlong"},
        f"{WHAT} has a unit that is not known and was not used",
        "Map the unit to UCUM, or add it to units.yaml.",
    ),
    "beyond belief": ({"value": 1080}, f"{WHAT} has an implausible value and was not used", "Check value and unit at the source."),
    "a flaw": ({"flaw": "has no value"}, f"{WHAT} has no value and was not used", "Correct the result at its source."),
    "the future": ({"on": "2026-11-23"}, "MCV of 2026-11-23 is dated in the future and was not used", "Correct the date of the result."),
    "no date and no unit": ({"on": None, "unit": ""}, "MCV has no unit and was not used", "Send the unit, in UCUM if possible."),
}


@pytest.mark.parametrize("kind", WARNED)
def test_names_a_result_that_it_could_not_use(kind):
    """The issue says which result, why it was not used, and what would mend it."""
    members, what, remedy = WARNED[kind]
    asked = chart(lab("lab-mcv", **{"value": 108, "unit": "fL", **members}))

    assert (U, ()) == ask(HIGH_MCV, asked)
    assert [Issue("warning", what, remedy)] == list(asked.issues)


def test_tells_what_does_not_count_from_what_is_wrong():
    """A result that is sound but does not count here is information, not a warning."""
    asked = chart(lab("lab-platelets", 90, "10*9/L", remark="clumping"))

    assert U is ask(LOW_PLATELETS, asked).truth
    assert [Issue("information", "Platelets of 2026-11-01 does not count: platelets marked as clumped", "")] == list(asked.issues)


def test_says_how_to_settle_results_of_one_day():
    """Contradicting results of one day come with the remedy and the value that is shown."""
    low, high = (lab("lab-platelets", value, "10*9/L", ref=f"o/{value}") for value in (100, 200))
    asked = chart(low, high)

    found = ask(LOW_PLATELETS, asked)

    assert [Issue("warning", "Platelets of 2026-11-01: results of the same time contradict each other", "Send results with their time.")] == list(
        asked.issues
    )
    assert (U, ["200 10*9/L"]) == (found.truth, [one.value for one in found.evidence])


# --- the patient ---


@pytest.mark.parametrize(
    ("birth", "truth", "evidence"),
    [
        ("1956-11-22", P, Evidence(what="Age", value="70 years")),
        ("1956-11-23", A, Evidence(what="Age", value="69 years")),
        ("1956", P, Evidence(what="Age", value="70 years", remarks=("date of birth incomplete",))),
        ("1956-12", A, Evidence(what="Age", value="69 years", remarks=("date of birth incomplete",))),
    ],
)
def test_shows_the_age(birth, truth, evidence):
    """Completed years, with a remark where the date of birth is not whole."""
    assert (truth, [evidence]) == shown(Age(at_least=70), birth=birth)


@pytest.mark.parametrize(("age", "truth"), [(Age(below=70), A), (Age(below=71), P), (Age(at_least=60, below=70), A), (Age(at_least=60, below=80), P)])
def test_holds_the_age_to_both_limits(age, truth):
    """A patient of 70 is not below 70; both limits must hold."""
    assert truth is ask(age, chart(birth="1956-11-22")).truth


def test_counts_an_incomplete_birth_as_its_last_day_where_the_module_asks_for_the_youngest():
    """Someone born in 2008 may still be 17 in November 2026."""
    found = [ask(Age(below=18, youngest=youngest), chart(birth="2008")).truth for youngest in (True, False)]

    assert [P, A] == found


def test_knows_no_age_or_gender_that_is_not_given():
    """Without them the questions stay open."""
    found = [shown(Age(at_least=50), birth=None), shown(Sex(equals="male"), sex=None), shown(Sex(equals="male"), sex="other")]

    assert [(U, [])] * 3 == found


@pytest.mark.parametrize(("sex", "truth"), [("male", P), ("female", A)])
def test_shows_the_administrative_gender(sex, truth):
    """The card says what the record says."""
    assert (truth, [Evidence(what="Administrative gender", value=sex)]) == shown(Sex(equals="male"), sex=sex)


@pytest.mark.parametrize(("deceased", "truth"), [(True, P), (False, A)])
def test_knows_whether_the_patient_has_died(deceased, truth):
    """Who is not marked as dead is alive."""
    assert (truth, []) == shown(Deceased(), deceased=deceased)


# --- problems and procedures ---


def problem(**members):
    """A neutrophilic dermatosis as evidence."""
    told = {"what": "Condition", "ref": "c/1", "code": first(SWEET), "on": Day(2026, 1, 10), "recorded": Day(2026, 1, 10)}
    return Evidence(**{**told, **members})


@pytest.mark.parametrize(
    ("members", "differs"),
    [
        ({}, {}),
        ({"recorded": moment("2026-02-01")}, {"recorded": Day(2026, 2, 1)}),
        ({"on": "2026-01"}, {"on": Day(2026, 1, 15), "recorded": Day(2026, 1, 15), "precision": "month"}),
        ({"on": None}, {"on": None, "recorded": None, "remarks": ("undated",)}),
        ({"verification": None}, {"remarks": ("verification status not given",)}),
        ({"codes": (Code("x", "y"), first(SWEET))}, {}),
        ({"codes": (), "text": "Sweet syndrome"}, {"code": None, "remarks": ("by its text",), "quote": "Sweet syndrome"}),
        ({"text": "Sweet syndrome"}, {}),
        (
            {"codes": (Code("x", "y"),), "text": "Sweet syndrome", "on": None, "verification": None},
            {
                "code": None,
                "on": None,
                "recorded": None,
                "remarks": ("by its text", "undated", "verification status not given"),
                "quote": "Sweet syndrome",
            },
        ),
    ],
)
def test_shows_a_problem(members, differs):
    """By its code, or in the words of the chart where only they name it; with what qualifies it."""
    one = condition(SWEET, **{"ref": "c/1", **members})

    assert (P, [problem(**differs)]) == shown(Coded(value_sets=(SWEET,)), one)


def test_shows_a_procedure():
    """A procedure is called one."""
    asked = Coded(value_sets=("status-transfusion",), procedures=True)

    expected = Evidence(
        what="Procedure", ref="Procedure/status-transfusion", code=first("status-transfusion"), on=Day(2026, 10, 1), recorded=Day(2026, 10, 1)
    )
    assert (P, [expected]) == shown(asked, procedure("status-transfusion", "2026-10-01"))


def test_shows_each_problem_once_and_the_newest_first():
    """A problem in two value sets is one; several are shown by their day."""
    asked = Coded(value_sets=(SWEET, SWEET, "cond-relapsing-polychondritis"))
    facts = (condition(SWEET, "2024-01-01"), condition("cond-relapsing-polychondritis", "2025-01-01"), condition(SWEET, "2026-01-01"))

    _, evidence = shown(asked, *facts)

    assert [Day(2026, 1, 1), Day(2025, 1, 1), Day(2024, 1, 1)] == [one.on for one in evidence]


@pytest.mark.parametrize(
    ("asked", "unread", "truth"),
    [
        (Coded(value_sets=(SWEET,)), (), A),
        (Coded(value_sets=(SWEET,)), ("conditions",), U),
        (Coded(value_sets=(SWEET,)), ("procedures",), A),
        (Coded(value_sets=(SWEET,), procedures=True), ("procedures",), U),
        (Coded(value_sets=(SWEET,), procedures=True), (), A),
        (Coded(value_sets=(SWEET,), absent_means="unknown"), (), U),
    ],
)
def test_calls_a_problem_absent_only_where_the_lists_were_read(asked, unread, truth):
    """What was not found in a list that was not read is unknown."""
    assert (truth, []) == shown(asked, unread=unread)


@pytest.mark.parametrize(
    ("members", "truth"),
    [
        ({"on": back(365)}, P),
        ({"on": back(366), "status": "inactive"}, A),
        ({"on": back(366)}, P),
        ({"on": back(366), "status": "recurrence"}, P),
        ({"on": back(366), "status": "relapse"}, P),
        ({"on": back(366), "status": None}, A),
        ({"on": back(366), "status": "inactive", "recorded": moment(back(365))}, P),
        ({"on": back(366), "status": "inactive", "recorded": moment(back(366))}, A),
        ({"on": back(10), "status": "inactive", "recorded": moment(back(500))}, P),
        ({"on": None, "status": "inactive"}, A),
        ({"on": None, "status": "active"}, P),
    ],
)
def test_counts_an_old_problem_that_is_still_active(members, truth):
    """Within the window by its onset or its record, or still active: then a problem counts."""
    asked = Coded(value_sets=(SWEET,), within="P12M", or_active=True)

    assert truth is ask(asked, chart(condition(SWEET, **members))).truth


@pytest.mark.parametrize(
    ("members", "truth"), [({"on": back(365)}, P), ({"on": back(366)}, A), ({"on": back(-1)}, A), ({"on": back(0)}, P), ({"on": None}, P)]
)
def test_looks_for_a_problem_in_its_window(members, truth):
    """The first day of the window counts, the day before does not, nor does tomorrow; an undated problem counts."""
    assert truth is ask(Coded(value_sets=(SWEET,), within="P12M"), chart(condition(SWEET, **members))).truth


@pytest.mark.parametrize(("status", "truth"), [("active", P), ("resolved", A), ("inactive", A), ("remission", P), (None, P)])
def test_leaves_out_a_problem_that_is_over_where_the_module_says_so(status, truth):
    """Resolved and inactive problems do not count for what must be current."""
    assert truth is ask(Coded(value_sets=(SWEET,), not_resolved=True), chart(condition(SWEET, status=status))).truth


REPEATED = Coded(value_sets=(SWEET,), entries=Persistence(results=2, apart="P28D"))


@pytest.mark.parametrize(
    ("days", "truth", "shown_days"),
    [
        ([10, 38], P, [10, 38]),
        ([10, 37], A, []),
        ([10, 20, 38], P, [10, 38]),
        ([10, 20, 30, 60, 90], P, [10, 60]),
        ([10], A, []),
        ([], A, []),
    ],
)
def test_asks_for_entries_that_are_far_enough_apart(days, truth, shown_days):
    """Repeated entries count from the newest backwards, and only those with a whole date."""
    facts = [condition(SWEET, back(n)) for n in days]

    found, evidence = shown(REPEATED, *facts, condition(SWEET, "2026-01"), condition(SWEET, None))

    assert (truth, [Day.fromisoformat(back(n)) for n in shown_days]) == (found, [one.on for one in evidence])


def test_shows_the_later_reference_of_entries_of_one_day():
    """Of two entries of one day always the same is shown."""
    facts = [condition(SWEET, back(n), ref=f"c/{n}{name}") for n in (10, 38) for name in "ab"]

    assert ["c/10b", "c/38b"] == [one.ref for one in shown(REPEATED, *facts)[1]]


@pytest.mark.parametrize(("on", "truth"), [("2026-01-15", A), ("2026-01", P), ("2026", P), (None, P)])
def test_counts_a_problem_that_may_be_close_to_its_trigger(on, truth):
    """A date without its day may be any day, so the trigger may be close."""
    close = Coded(value_sets=(SWEET,), close_to=CloseTo(value_sets=("cond-acute-infection",), within="P3D"))

    assert truth is ask(close, chart(condition(SWEET, on), condition("cond-acute-infection", "2026-01-02"))).truth


# --- drugs ---


@pytest.mark.parametrize(
    ("members", "differs"),
    [
        ({}, {}),
        ({"status": "completed"}, {"value": "completed"}),
        ({"start": None}, {"on": None, "remarks": ("start not given",)}),
        ({"codes": (), "text": "prednisolone 5 mg"}, {"what": "prednisolone", "code": None}),
    ],
)
def test_shows_a_drug(members, differs):
    """Its ingredient in our words, its status and its start."""
    one = drug(STEROID, **{"start": "2026-05-01", "status": "active", "ref": "m/1", **members})

    told = {"what": "prednisone", "ref": "m/1", "code": first(STEROID), "value": "active", "on": Day(2026, 5, 1)}
    assert (P, [Evidence(**{**told, **differs})]) == shown(Drug(value_sets=(STEROID,)), one)


def test_shows_the_two_newest_orders_of_a_drug():
    """More of the same says no more."""
    orders = [drug(STEROID, back(days), ref=f"m/{days}") for days in (90, 10, 50)]

    _, evidence = shown(Drug(value_sets=(STEROID,)), *orders)

    assert ["m/10", "m/50"] == [one.ref for one in evidence]


@pytest.mark.parametrize(
    ("criterion", "truth", "refs"),
    [
        (Drug(value_sets=(STEROID,), covered="P20D"), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), covered="P20D", within="P12M"), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), covered="P24D", within="P12M"), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), covered="P25D", within="P12M"), A, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), covered="P25D", within="P12M", absent_means="unknown"), U, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), courses=4), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), courses=5), A, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), courses=3, within="P92D"), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), courses=4, within="P195D"), P, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), courses=4, within="P194D"), A, ["m/10", "m/50", "m/90"]),
        (Drug(value_sets=(STEROID,), within="P5D"), P, ["m/10"]),
        (Drug(value_sets=(STEROID,), within="P4D"), A, []),
    ],
)
def test_shows_the_newest_orders_of_a_course(criterion, truth, refs):
    """Four orders of six days each: three are shown, whether they suffice or not."""
    orders = [drug(STEROID, back(days), day, ref=f"m/{days}") for days in (90, 10, 50, 200) for day in [TODAY - dt.timedelta(days=days - 5)]]

    assert (truth, refs) == with_refs(shown(criterion, *orders))


def with_refs(answer):
    """An answer with the places of its evidence."""
    truth, evidence = answer
    return truth, [one.ref for one in evidence]


@pytest.mark.parametrize(
    ("spans", "courses"),
    [
        ([(90, 80), (79, 70)], 1),
        ([(90, 80), (78, 70)], 2),
        ([(90, 80), (85, 82), (81, 70)], 1),
        ([(90, 60), (85, 82), (70, 65)], 1),
        ([(90, 60), (85, 82), (59, 50), (40, 30)], 2),
        ([(None, 60)], 0),
        ([], 0),
    ],
)
def test_counts_courses_by_their_gaps(spans, courses):
    """A day without the drug begins another course; an order inside another one is none."""
    orders = [drug(STEROID, start and back(start), TODAY - dt.timedelta(days=end), ref=f"m/{i}") for i, (start, end) in enumerate(spans)]

    found = [n for n in range(1, 4) if ask(Drug(value_sets=(STEROID,), courses=n), chart(*orders)).truth is P]

    assert list(range(1, courses + 1)) == found


@pytest.mark.parametrize(
    ("criterion", "unread", "truth"),
    [
        (Drug(value_sets=(STEROID,)), (), A),
        (Drug(value_sets=(STEROID,), none_means="unknown"), (), U),
        (Drug(value_sets=(STEROID,), absent_means="unknown"), (), A),
        (Drug(value_sets=(STEROID,), covered="P9D"), (), A),
        (Drug(value_sets=(STEROID,), covered="P9D", none_means="unknown"), (), U),
        (Drug(value_sets=(STEROID,), covered="P9D"), ("medications",), U),
        (Drug(value_sets=(STEROID,), courses=1), ("medications",), U),
        (Drug(value_sets=(STEROID,), distinct=1), (), A),
        (Drug(value_sets=(STEROID,), distinct=1), ("medications",), U),
    ],
)
def test_knows_what_no_order_means(criterion, unread, truth):
    """A list that was read and holds no such drug, one that was not read, and a module that takes neither for an answer."""
    assert (truth, []) == shown(criterion, unread=unread)


@pytest.mark.parametrize(("wanted", "unread", "truth"), [(1, (), P), (2, (), P), (3, (), A), (3, ("medications",), U), (2, ("medications",), P)])
def test_counts_different_ingredients(wanted, unread, truth):
    """Two orders of one drug are one ingredient, shown by its newest order."""
    texts = (("prednisone", 30), ("prednisone", 10), ("dexamethasone", 20))
    orders = [drug(STEROID, back(days), codes=(), text=text, ref=f"m/{days}") for text, days in texts]

    assert (truth, ["m/10", "m/20"]) == with_refs(shown(Drug(value_sets=(STEROID,), distinct=wanted), *orders, unread=unread))


BEFORE = Drug(value_sets=(STEROID,), before_result=BeforeResult(value_set="lab-mcv", within="P30D"))


@pytest.mark.parametrize(
    ("orders", "truth", "refs"),
    [
        ([("a", 60, 55, "completed")], P, ["a"]),
        ([("a", 60, 40, "completed")], P, ["a"]),
        ([("a", 50, 49, "completed")], P, ["a"]),
        ([("a", 90, 81, "completed")], A, []),
        ([("a", 90, 80, "completed")], P, ["a"]),
        ([("a", 49, 40, "completed")], A, []),
        ([("a", None, None, "active")], P, ["a"]),
        ([("a", None, None, "completed")], A, []),
        ([("a", None, None, "active"), ("b", 60, 55, "completed")], P, ["b"]),
        ([("a", 60, 55, "completed"), ("b", 61, 55, "completed"), ("c", 62, 55, "completed")], P, ["a", "b"]),
        ([("a", 90, None, "completed")], U, ["a"]),
        ([("a", 49, None, "completed")], A, []),
        ([("a", 100, None, "completed"), ("b", 101, None, "completed"), ("c", 102, None, "completed")], U, ["a", "b"]),
        ([], A, []),
    ],
)
def test_shows_a_drug_that_was_given_before_a_result(orders, truth, refs):
    """On the day of the result, 50 days ago, or in the 30 days before; an order of which nobody says when it ended may reach that far."""
    drugs = [
        drug(STEROID, start and back(start), end and TODAY - dt.timedelta(days=end), status=status, ref=ref) for ref, start, end, status in orders
    ]

    assert (truth, refs) == with_refs(shown(BEFORE, lab("lab-mcv", 100, "fL", back(50)), *drugs))


@pytest.mark.parametrize(
    ("facts", "unread", "truth"), [((), (), U), ((lab("lab-mcv", 100, "fL", None),), (), U), ((lab("lab-mcv", 100, "fL"),), ("medications",), U)]
)
def test_asks_for_no_drug_before_a_result_that_is_not_there(facts, unread, truth):
    """Without a dated result, or without the list, the question stays open."""
    assert truth is ask(BEFORE, chart(*facts, unread=unread)).truth


# --- reports ---

VACUOLES = ReportText(value_set="report-marrow", pattern="vacuol", near="myeloid|erythroid", words=4, unless="macrophage", within="P24M")


def marrow(text, on="2026-10-01", **members):
    """A marrow report."""
    return report(text, code=MARROW, on=on, **members)


def test_quotes_the_sentence_of_a_report():
    """The one sentence that says it, not the report."""
    told = marrow("Aspirate, good quality. Vacuoles are seen   in myeloid precursors. No blasts.")

    expected = Evidence(what="Report", ref="DiagnosticReport/2026-10-01", on=Day(2026, 10, 1), quote="Vacuoles are seen in myeloid precursors.")
    assert (P, [expected]) == shown(VACUOLES, told)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Vacuolated myeloid cells.", P),
        ("Cellularity normal.", U),
        ("Vacuoles in macrophages near myeloid cells.", U),
        ("Vacuoles in macrophages near myeloid cells, vacuoles in erythroid cells.", P),
        ("Vacuoles one two three myeloid.", P),
        ("Vacuoles one two three four myeloid.", U),
        ("Myeloid one two three vacuoles.", P),
        ("Myeloid one two three four vacuoles.", U),
        ("No vacuoles in myeloid cells.", A),
        ("No one two three four five vacuoles in myeloid cells.", A),
        ("No one two three four five six vacuoles in myeloid cells.", P),
        ("Vacuoles in myeloid cells not seen.", A),
        ("Vacuoles in myeloid cells: absent.", A),
        ("No vacuoles in myeloid cells but vacuoles in erythroid cells.", P),
        ("No vacuoles in erythroid cells. Vacuoles in myeloid cells.", P),
        ("No vacuoles in erythroid cells\nVacuoles in myeloid cells", P),
        ("Vacuoles in myeloid cells, not increased blasts.", P),
        ("Possible vacuoles in myeloid cells.", U),
        ("Vacuoles in lymphocytes, vacuoles in myeloid cells.", P),
        ("No vacuoles in myeloid cells; blasts are not seen", A),
        (f"{'x ' * 9984}vacuoles myeloid", P),
        (f"{'x ' * 10000}vacuoles myeloid", U),
    ],
)
def test_reads_a_report_piece_by_piece(text, truth):
    """Present where a piece says it, absent where it denies it, open where it is doubted or not spoken of."""
    assert truth is ask(VACUOLES, chart(marrow(text))).truth


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ([marrow("Vacuoles in myeloid cells.", "2024-11-22")], P),
        ([marrow("Vacuoles in myeloid cells.", "2024-11-21")], U),
        ([marrow("Vacuoles in myeloid cells.", "2024-11-21"), marrow("Vacuolated myeloid cells.", "2026-01-01")], P),
        ([marrow("Vacuoles in myeloid cells.", status="preliminary")], U),
        ([marrow("Vacuoles in myeloid cells.", status="entered-in-error")], U),
        ([marrow("Vacuoles in myeloid cells.", status=None)], P),
        ([marrow("Vacuoles in myeloid cells.", "2026-01-01"), marrow("Cancelled.", status="cancelled")], P),
        ([marrow("No vacuoles in myeloid cells.", "2026-01-01"), marrow("Blasts 2 %.")], A),
    ],
)
def test_takes_readable_reports_of_the_window(facts, truth):
    """A report that is withdrawn, not final or too old says nothing, and does not hide another one."""
    assert truth is ask(VACUOLES, chart(*facts)).truth


@pytest.mark.parametrize("state", ["final", "amended", "corrected", "appended", "unknown", None, "registered", "partial", "preliminary", "cancelled"])
def test_reads_a_report_that_stands(state):
    """Final in any form, or of unknown state; not one that is still to change or was withdrawn."""
    stands = state in ("final", "amended", "corrected", "appended", "unknown", None)

    assert (P if stands else U) is ask(VACUOLES, chart(marrow("Vacuolated myeloid cells.", status=state))).truth


DENIALS = ("not seen", "not been seen", "not identified", "not observed", "not present", "not detected", "not found", "not prominent")
MORE_DENIALS = ("not conspicuous", "not significant", "not a feature", "not increased", "not been identified", "absent", "negative", "none")


@pytest.mark.parametrize("denial", [*DENIALS, *MORE_DENIALS])
def test_reads_a_denial_after_its_word(denial):
    """However a pathologist says that something is not there."""
    assert A is ask(VACUOLES, chart(marrow(f"Vacuoles in myeloid cells {denial.upper()}"))).truth


@pytest.mark.parametrize("joint", [", ", "; ", " but ", " while ", " whereas "])
def test_reads_what_is_joined_piece_by_piece(joint):
    """A denial holds for its own piece of a sentence."""
    assert P is ask(VACUOLES, chart(marrow(f"Vacuoles in myeloid cells{joint}no blasts"))).truth
    assert P is ask(VACUOLES, chart(marrow(f"Blasts absent{joint}vacuoles in myeloid cells"))).truth


def test_shows_the_newest_report_that_says_it():
    """Of two reports that say the same the newer one is quoted."""
    older, newer = marrow("Vacuolated myeloid cells, old.", "2026-01-01"), marrow("Vacuolated myeloid cells, new.", "2026-02-01")

    for facts in ((older, newer), (newer, older)):
        assert [Day(2026, 2, 1)] == [one.on for one in shown(VACUOLES, *facts)[1]]


def test_calls_nothing_absent_where_reports_were_not_read():
    """A denial in one report proves nothing where others may be missing."""
    assert (U, []) == shown(VACUOLES, marrow("No vacuoles in myeloid cells."), unread=("reports",))


# --- tests that were done ---

DONE = Resulted(value_sets=("lab-ferritin", "lab-b12"), within="P12M")


@pytest.mark.parametrize(
    ("facts", "truth", "refs"),
    [
        ([lab("lab-ferritin", 1, "", back(365), ref="o/1")], P, ["o/1"]),
        ([lab("lab-ferritin", 1, "", back(366), ref="o/1")], A, []),
        ([lab("lab-ferritin", 1, "", back(-1), ref="o/1")], A, []),
        ([lab("lab-ferritin", 1, "", back(0), ref="o/1")], P, ["o/1"]),
        ([lab("lab-ferritin", 1, "", None, ref="o/1")], U, []),
        ([lab("lab-ferritin", 1, "", back(5), ref="o/1", status="cancelled")], A, []),
        ([lab("lab-ferritin", 1, "", back(9), ref="o/1"), lab("lab-b12", 1, "", back(3), ref="o/2")], P, ["o/2"]),
        ([report("see text", code=first("lab-b12"), on=back(3), ref="r/1")], P, ["r/1"]),
        ([report("see text", code=first("lab-b12"), on=back(3), ref="r/1", status="entered-in-error")], A, []),
        ([report("see text", code=first("lab-b12"), on=back(3), ref="r/1", status="cancelled")], A, []),
        ([], A, []),
    ],
)
def test_knows_whether_a_test_was_done(facts, truth, refs):
    """A result or report in the window, whatever it says; the newest is shown under the test's name."""
    found, evidence = shown(DONE, *facts)

    assert (truth, refs) == (found, [one.ref for one in evidence])
    assert all("Ferritin" == one.what and one.on for one in evidence)


def test_does_not_know_of_a_test_whose_results_were_not_read():
    """Not found among results that were not read is unknown."""
    source = KNOWLEDGE.source_of_set["lab-ferritin"]

    assert (U, []) == shown(DONE, unread=(source,))


def test_names_a_measurement_by_its_label():
    """The label of the module, not the title of its codes."""
    found = shown(Resulted(value_sets=("lab-transaminases-ggt",), within="P12M"), lab("lab-transaminases-ggt", 30, "U/L"))

    assert ["ALT, AST or GGT"] == [one.what for one in found[1]]


def test_names_a_test_that_is_no_measurement():
    """Without a label of its own a test is called by the title of its value set."""
    found = shown(Resulted(value_sets=("uba1-test",), within="P12M"), report("x", code=UBA1_TEST, on=back(3)))

    title = KNOWLEDGE.value_sets["uba1-test"].title
    assert [title.rpartition(": ")[2]] == [one.what for one in found[1]]
    assert ": " in title


@pytest.mark.parametrize(
    ("one", "truth"), [(lab("lab-b12", 400, "pg/mL"), P), (lab("lab-b12", 400, "furlong"), U), (lab("lab-b12", 400, "pg/mL", back(400)), U)]
)
def test_asks_for_a_usable_result_where_the_module_says_so(one, truth):
    """A result without a known unit, or too old, is none."""
    usable = Resulted(value_sets=("lab-ferritin", "lab-b12"), within="P12M", usable=True)

    found = ask(usable, chart(one))

    assert (truth, ["400 pg/mL"] if truth is P else []) == (found.truth, [e.value for e in found.evidence])


# --- several criteria ---


def test_shows_what_holds_and_each_fact_once():
    """Of several criteria those that hold give the evidence; where none does, all that was assessed is shown."""
    higher = Lab(value_set="lab-mcv", within="P24M", above=Limit(value=105, unit="fL"))
    either = AnyOf(of=(HIGH_MCV, higher, LOW_PLATELETS))
    platelets = lab("lab-platelets", 200, "10*9/L", ref="o/2")

    found = [shown(either, lab("lab-mcv", value, "fL", ref="o/1"), platelets) for value in (108, 102, 90)]

    assert [P, P, A] == [truth for truth, _ in found]
    assert [["o/1"], ["o/1"], ["o/1", "o/2"]] == [[one.ref for one in evidence] for _, evidence in found]


def test_repeats_no_issue():
    """What two criteria complain of is said once."""
    asked = chart(lab("lab-mcv", 108, ""))

    for _ in range(2):
        ask(HIGH_MCV, asked)

    assert 1 == len(asked.issues)


# --- allergies, vaccines and results of the gene ---

JAK = Allergic(value_sets=("rx-jaki",))


@pytest.mark.parametrize(
    ("members", "differs"),
    [
        ({}, {}),
        ({"verification": None}, {}),
        ({"verification": "unconfirmed"}, {"remarks": ("unconfirmed",)}),
        ({"codes": (), "text": "Ruxolitinib"}, {"code": None, "quote": "Ruxolitinib"}),
        ({"text": "Ruxolitinib"}, {}),  # where a code says it, the chart's words are not shown
    ],
)
def test_shows_an_allergy_with_its_doubt(members, differs):
    """By its code, else by the chart's words; whether nobody has confirmed it is said."""
    jak = first("rx-jaki")
    one = Allergy(**{"ref": "a/1", "codes": (jak,), "status": "active", "verification": "confirmed", "when": moment("2026-11-01"), **members})

    assert (P, [Evidence(**{"what": "Allergy", "ref": "a/1", "code": jak, "on": ON, **differs})]) == shown(JAK, one)


def test_shows_the_two_newest_allergies():
    """Of several the newest come first, however the list arrives."""
    jak = first("rx-jaki")
    listed = [
        Allergy(ref=f"a/{day}", codes=(jak,), status="active", verification="confirmed", when=moment(day))
        for day in ("2026-02-01", "2026-03-01", "2026-01-01")
    ]

    assert ["a/2026-03-01", "a/2026-02-01"] == [one.ref for one in shown(JAK, *listed)[1]]


def vaccine(on, ref):
    """A vaccine that was given."""
    return Immunization(ref=ref, codes=(first("cvx-vaccines"),), status="completed", when=moment(on))


@pytest.mark.parametrize(
    ("within", "truth", "refs"),
    [(None, P, ["i/1", "i/2"]), ("P12M", P, ["i/1", "i/2"]), ("P6M", A, ["i/2"]), ("P1M", A, ["i/2"]), ("P20D", A, [])],
)
def test_shows_each_dose_in_the_window(within, truth, refs):
    """Two doses in the time that counts; of fewer those that were given are shown."""
    doses = [vaccine("2025-11-22", "i/1"), vaccine("2026-11-01", "i/2")]
    days = {"i/1": Day(2025, 11, 22), "i/2": ON}

    found = shown(Vaccinated(value_sets=("cvx-vaccines",), doses=2, within=within), *doses)

    assert (truth, [Evidence(what="Vaccination", ref=ref, code=first("cvx-vaccines"), on=days[ref]) for ref in refs]) == found


def test_shows_a_dose_that_only_its_name_tells():
    """An entry without a code has none to show."""
    given = Immunization(ref="i/1", text="Shingrix", status="completed", when=moment("2026-11-01"))

    expected = Evidence(what="Vaccination", ref="i/1", on=ON)
    assert (P, [expected]) == shown(Vaccinated(value_sets=("vaccine-zoster-recombinant",)), given)


@pytest.mark.parametrize(("on", "truth"), [("2025-11-22", P), ("2025-11-21", A), ("2026-11-22", P), ("2026-11-23", A)])
def test_shows_that_the_gene_was_tested(on, truth):
    """A finished result of the gene from the first day of the window until today, whatever it says; the newest is shown."""
    results = [report("UBA1 not detected.", code=UBA1_TEST, on=day, ref=f"r/{day}") for day in ("2024-01-01", on)]

    expected = [Evidence(what="UBA1", ref=f"r/{on}", on=Day.fromisoformat(on))] if truth is P else []
    assert (truth, expected) == shown(GeneTested(within="P12M"), *results)


@pytest.mark.parametrize("unread", ["genetics", "reports"])
def test_does_not_know_whether_the_gene_was_tested(unread):
    """Where results or reports were not read, a test may have been done."""
    assert (U, []) == shown(GeneTested(within="P12M"), unread=(unread,))
