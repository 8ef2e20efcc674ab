"""What of a chart stands on the axis of time: results with thresholds, events, drugs and gene results, and what does not."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.evidence.timeline import Mark, Point, Row, Series, Span, Threshold, timeline_of
from cds_service.reasoning.assess import Reasoner
from tests.reasoning import charts
from tests.reasoning.charts import TODAY, condition, drug, lab, procedure
from tests.reasoning.toys import case, toy

REASONER = Reasoner(charts.KNOWLEDGE)
TOY_TIMELINE = {
    "longest": "P2Y",
    "tests": [{"test": "lab-potassium", "thresholds": ["low-potassium"]}],
    "lanes": [{"label": "Signs", "findings": ["tetany"]}],
}


def timeline(*facts, knowledge=charts.KNOWLEDGE, **members):
    """The timeline of a chart with these facts."""
    record = charts.record(*facts, **members)
    genetics = REASONER.evaluate(record, TODAY, full=True).genetics
    return timeline_of(knowledge, charts.chart(*facts, knowledge=knowledge, **members), genetics)


def series(label, *facts, **members) -> Series:
    """The results of one test."""
    return next(s for s in timeline(*facts, **members).series if s.label == label)


def rows(*facts, **members) -> dict[str, Row]:
    """Rows by their label."""
    return {row.label: row for row in timeline(*facts, **members).rows}


def day(text):
    """A day."""
    return dt.date.fromisoformat(text)


# --- results ---


def test_draws_results_oldest_first_in_one_unit():
    """Haemoglobin in g/L and g/dL is one series in g/dL."""
    found = series("Haemoglobin", lab("lab-hemoglobin", 9.5, "g/dL", "2026-05-01"), lab("lab-hemoglobin", 140, "g/L", "2024-05-01"))

    assert "g/dL" == found.unit
    assert [(day("2024-05-01"), 14.0), (day("2026-05-01"), 9.5)] == [(p.day, p.number) for p in found.points]


@pytest.mark.parametrize(
    ("test", "unit", "comparator", "value", "sign"),
    [
        ("lab-crp", "mg/L", "<", 20, "undecided"),
        ("lab-crp", "mg/L", ">", 5, "undecided"),
        ("lab-crp", "mg/L", "<", 5, "neither"),
        ("lab-crp", "mg/L", ">", 10, "beyond"),
        ("lab-mcv", "fL", ">", 90, "undecided"),
        ("lab-platelets", "10*9/L", "<", 300, "undecided"),
        ("lab-platelets", "10*9/L", ">", 120, "undecided"),
        ("lab-platelets", "10*9/L", ">", 200, "neither"),
        ("lab-platelets", "10*9/L", "<", 150, "beyond"),
    ],
)
def test_decides_nothing_that_a_comparator_leaves_open(test, unit, comparator, value, sign):
    """Below 20 may be above 10 or not: only what is certain lies beyond, or does not."""
    ((point,),) = [s.points for s in timeline(lab(test, value, unit, comparator=comparator)).series]

    assert sign == ("beyond" if point.beyond else "undecided" if point.undecided else "neither")


def test_ends_a_day_with_its_last_result():
    """Of two results of one day the later stands last, as the finding takes it."""
    times = ("2026-11-10T08:00:00Z", "2026-11-10T18:00:00Z")
    found = series("Haemoglobin", *(lab("lab-hemoglobin", value, "g/dL", on) for on, value in zip(times, (13.9, 7.9), strict=True)))

    assert [13.9, 7.9] == [p.number for p in found.points]


def test_prefers_neither_of_two_results_of_one_moment():
    """Of two newest results of a day without a time both are the newest; those of an earlier day, and a later one with its time, are not contested."""
    values = (("2026-05-01", 12.0), ("2026-05-01", 12.5), ("2026-11-10", 13.9), ("2026-11-10", 7.9))
    same_day = series("Haemoglobin", *(lab("lab-hemoglobin", value, "g/dL", on) for on, value in values))
    later = series("Haemoglobin", *(lab("lab-hemoglobin", value, "g/dL", on) for on, value in (*values, ("2026-11-10T18:00:00Z", 9.0))))

    assert ({13.9, 7.9}, ()) == ({p.number for p in same_day.newest}, later.newest)


def test_draws_nothing_of_the_future():
    """Neither a problem nor a drug of a day to come stands on the axis, and the chart says that the problem was not used."""
    facts = (
        condition("cond-neutrophilic-dermatosis", "2027-01-01"),
        condition("cond-neutrophilic-dermatosis", "2026-12"),
        drug("rx-systemic-glucocorticoid", "2027-01-01"),
    )

    assert () == timeline(*facts).rows
    assert ["A problem is dated in the future and was not used"] == [issue.what for issue in charts.chart(*facts).issues]


def test_does_not_know_the_end_of_what_holds_an_order_without_one():
    """An order that was stopped, nobody says when, leaves the end of the whole span open."""
    first = drug("rx-systemic-glucocorticoid", "2026-01-01", day("2026-06-01"))
    stopped = drug("rx-systemic-glucocorticoid", "2026-03-01", status="stopped")

    ((span,),) = [row.spans for row in timeline(first, stopped).rows]

    assert (2, True, False) == (span.orders, span.end_unknown, span.goes_on)


@pytest.mark.parametrize(("on", "shown"), [("2026", "2026"), ("2026-09", "2026-09"), ("2026-09-15", "2026-09-15")])
def test_gives_a_gene_result_the_date_that_it_has(on, shown):
    """A month stays a month."""
    report = charts.report("UBA1 c.122T>C p.(Met41Thr) detected, VAF 60 %. Pathogenic.", code=charts.UBA1_TEST, on=on)

    ((mark,),) = [row.marks for row in timeline(report).rows]

    assert shown == mark.when


@pytest.mark.parametrize(("value", "beyond"), [(99.9, False), (100, False), (100.1, True)])
def test_marks_what_lies_beyond_the_threshold(value, beyond):
    """The threshold is that of the finding: above 100 fL, and 100 itself is not beyond."""
    found = series("MCV", lab("lab-mcv", value, "fL"))

    assert (Threshold("above", 100, "Macrocytosis"),) == found.thresholds
    assert beyond is found.points[0].beyond


@pytest.mark.parametrize(("value", "beyond"), [(149, True), (150, False), (180, False)])
def test_marks_by_the_first_of_two_thresholds(value, beyond):
    """Platelets have the limit of the red flag and that of the published rule; a sign says that they are low."""
    found = series("Platelets", lab("lab-platelets", value, "10*9/L"))

    assert [150, 200] == [t.number for t in found.thresholds]
    assert beyond is found.points[0].beyond


@pytest.mark.parametrize(("sex", "limits", "beyond"), [("male", [13.0], True), ("female", [12.0], False), (None, [13.0, 12.0], False)])
def test_draws_both_thresholds_where_sex_is_unknown(sex, limits, beyond):
    """Haemoglobin of 12.5 g/dL is low in a man only; of somebody of unknown sex it is not marked, and both lines are drawn."""
    found = series("Haemoglobin", lab("lab-hemoglobin", 12.5, "g/dL"), sex=sex)

    assert limits == [t.number for t in found.thresholds]
    assert beyond is found.points[0].beyond


def test_draws_what_does_not_count_without_counting_it():
    """An MCV in the fortnight after a transfusion is on the axis, set aside, and the reason is told."""
    facts = (lab("lab-mcv", 112, "fL", "2026-06-10"), procedure("status-transfusion", "2026-06-01"), lab("lab-mcv", 101, "fL", "2026-09-01"))
    found = timeline(*facts)

    assert (Point(day("2026-06-10"), 112, counts=False), Point(day("2026-09-01"), 101, beyond=True)) == found.series[0].points
    assert ("MCV of 2026-06-10 does not count: within 14 days after a transfusion",) == found.set_aside


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_says_nothing_of_what_was_withdrawn(status):
    """Nobody will send it as final."""
    assert () == timeline(lab("lab-mcv", 101, "fL", "2026-06-01"), lab("lab-mcv", 108, "fL", "2026-05-01", status=status)).undrawn


def test_counts_what_is_not_final():
    """However many such results there are, one line tells of them, with the newest day."""
    days = (None, "2026-05-01", "2026-06-01")
    found = timeline(*[lab("lab-mcv", 108, "fL", day, status="preliminary") for day in days])

    assert ("MCV: 3 results (the newest 2026-06-01) are not final and not used. Send what is final.",) == found.undrawn


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (lab("lab-mcv", 108, "", "2026-05-01"), "MCV of 2026-05-01 has no unit and was not used. Send the unit, in UCUM if possible."),
        (lab("lab-mcv", 108, "stone", "2026-05-01"), "MCV of 2026-05-01 has a unit that is not known and was not used. Map the unit to UCUM, or add it to units.yaml."),
        (lab("lab-mcv", 1080, "fL", "2026-05-01"), "MCV of 2026-05-01 has an implausible value and was not used. Check value and unit at the source."),
        (lab("lab-mcv", 108, "fL", "2027-05-01"), "MCV of 2027-05-01 is dated in the future and was not used. Correct the date of the result."),
        (lab("lab-mcv", 108, "fL", None), "MCV: 1 result has no date. Send the date."),
        (lab("lab-mcv", 108, "fL", "2026-05-01", status="preliminary"), "MCV: 1 result (2026-05-01) is not final and not used. Send what is final."),
    ],
    ids=["no unit", "unknown unit", "implausible", "future", "no date", "preliminary"],
)  # fmt: skip
def test_says_what_could_not_be_drawn(result, said):
    """A result that has no place on the axis is told, with what would mend it; nothing is guessed."""
    found = timeline(result)

    assert ((said,), ()) == (found.undrawn, found.series)
    assert "MCV" in found.lacking


def test_begins_with_the_oldest_fact_and_shows_a_year_at_least():
    """The axis ends today; a chart of one month has an axis of a year."""
    assert [day("2021-03-01"), day("2025-11-22")] == [
        timeline(lab("lab-mcv", 95, "fL", "2021-03-01")).first,
        timeline(lab("lab-mcv", 95, "fL", "2026-11-01")).first,
    ]


def test_counts_what_is_older_than_the_axis():
    """Ten years are shown: the oldest day is drawn, results of a day earlier are told; an older event stays in its row."""
    found = timeline(lab("lab-mcv", 95, "fL", "2016-11-22"), lab("lab-mcv", 94, "fL", "2016-11-21"), condition("cond-vte", "1998-03-12"))

    assert (day("2016-11-22"), 1) == (found.first, found.series[0].whole)
    assert ("1 result from before 2016-11-22 (120 months ago).",) == found.undrawn
    assert [day("1998-03-12")] == [m.day for row in found.rows for m in row.marks]


# --- rows ---


def test_has_a_row_for_each_problem():
    """Each organ has its row with all its days; a strong one is marked as such."""
    found = rows(condition("cond-neutrophilic-dermatosis", "2024-05-06"), condition("cond-vte", "2023-01-01"), condition("cond-vte", "2025-01-01"))

    assert [("Sweet syndrome or other neutrophilic dermatosis", True), ("Venous thromboembolism", False)] == [
        (r.label, r.strong) for r in found.values()
    ]
    assert ["2023-01-01", "2025-01-01"] == [m.when for m in found["Venous thromboembolism"].marks]


def test_keeps_doubtful_problems_out():
    """A provisional diagnosis is no event."""
    assert {} == rows(condition("cond-vte", verification="provisional"))


def test_tells_a_day_as_far_as_it_is_known():
    """A year stands in the middle of its year and is told as a year; what has no date has no place."""
    marks = rows(condition("cond-vte", "2024"), condition("cond-vte", None, ref="Condition/undated"))["Venous thromboembolism"].marks

    assert [(day("2024-07-01"), "2024"), (None, "no date")] == [(m.day, m.when) for m in marks]


def test_joins_orders_that_follow_one_another():
    """Prescriptions without a gap are one band; a day between them makes two. An active one goes on until today."""
    found = rows(
        drug("rx-systemic-glucocorticoid", "2025-01-01", day("2025-01-31")),
        drug("rx-systemic-glucocorticoid", "2025-02-01", day("2025-02-28")),
        drug("rx-systemic-glucocorticoid", "2025-03-02", day("2025-03-31")),
        drug("rx-systemic-glucocorticoid", "2026-10-01", status="active"),
    )
    (row,) = found.values()

    assert "Glucocorticoids" == row.lane
    assert [
        (day("2025-01-01"), day("2025-02-28"), False, 2),
        (day("2025-03-02"), day("2025-03-31"), False, 1),
        (day("2026-10-01"), TODAY, True, 1),
    ] == [(s.first, s.last, s.goes_on, s.orders) for s in row.spans]


def test_says_that_an_end_is_not_known():
    """A stopped drug whose end nobody gave is a day on the axis with an end unknown."""
    (row,) = rows(drug("rx-csdmard", "2024-01-01", status="stopped")).values()

    assert [(day("2024-01-01"), day("2024-01-01"), True)] == [(s.first, s.last, s.end_unknown) for s in row.spans]
    assert isinstance(row.spans[0], Span)


def test_has_transfusions_and_gene_results_on_the_same_axis():
    """A transfusion, a report of the gene and an order of it have their days."""
    facts = (
        procedure("status-transfusion", "2025-01-01"),
        charts.report("UBA1 c.122T>C p.(Met41Thr) detected, VAF 60 %. Pathogenic.", code=charts.UBA1_TEST, on="2025-06-01"),
    )
    found = rows(*facts, condition("cond-neutrophilic-dermatosis"))

    assert ["procedure", "gene"] == [row.kind for row in found.values() if row.kind != "condition"]
    assert [day("2025-06-01")] == [m.day for m in found["UBA1"].marks]


# --- another disease ---


def test_draws_nothing_where_the_module_wants_nothing():
    """A module need not have a timeline."""
    assert timeline(knowledge=toy(case())) is None


def test_draws_another_disease():
    """The engine knows no test: another module's is drawn by its file alone."""
    knowledge = toy(case(), timeline=TOY_TIMELINE)
    code = knowledge.value_sets["lab-potassium"].concepts[0].code
    sign = knowledge.value_sets["cond-tetany"].concepts[0].code
    low = charts.LabResult(ref="Observation/k", codes=(code,), status="final", value=3.1, unit="mmol/L", when=charts.moment("2026-10-01"))
    spasm = charts.Condition(ref="Condition/t", codes=(sign,), verification="confirmed", when=charts.moment("2026-09-01"))
    found = timeline(low, spasm, knowledge=knowledge)

    assert [("Potassium", (Threshold("below", 3.5, "Low potassium"),))] == [(s.label, s.thresholds) for s in found.series]
    assert [Row("Signs", "condition", "Tetany", strong=True, marks=(Mark(day("2026-09-01"), "2026-09-01", found.rows[0].marks[0].what),))] == list(
        found.rows
    )
