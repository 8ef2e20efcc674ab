"""Which look-backs cases prove: the fact on the edge must decide, whatever kind of fact it is."""

from __future__ import annotations

import pytest

from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning import casebook
from cds_service.reasoning.edges import unproved_look_backs
from tests.reasoning.toys import LOW_POTASSIUM, TETANY, case, flag, part, toy

LOW = "low-potassium"
OLDEST, FIRST = "the oldest day that counts", "the first day that is too old"


def knowing(when: dict, *cases: dict, **files) -> Knowledge:
    """The toy module with one more fact, `sign`, that is told so."""
    return toy(*cases, facts=[flag("sign", when)], **files)


def missing(knowledge: Knowledge, name: str = "sign") -> list[str]:
    """Which edges of a flag's look-backs are not proved."""
    found = [one for one in unproved_look_backs(knowledge, list(casebook.run(knowledge))) if f": {name} looks back" in one]
    return [which for one in found for which in (OLDEST, FIRST) if f" on {which}. " in one]


def dated(kind: str, date: str, truth: str, **members) -> dict:
    """A case of one fact of tetany."""
    return case(f"{kind} {date} {truth}", record={kind: [{"code": "cond-tetany", "date": date, **members}]}, expect={"sign": truth})


RECENT = {**TETANY, "within": "P6M"}


@pytest.mark.parametrize(
    ("cases", "open_edges"),
    [
        ([], [OLDEST, FIRST]),
        ([dated("conditions", "P6M", "present")], [FIRST]),
        ([dated("conditions", "P6M1D", "absent")], [OLDEST]),
        ([dated("conditions", "P6M", "present"), dated("conditions", "P6M1D", "absent")], []),
        ([dated("conditions", "P5M", "present"), dated("conditions", "P7M", "absent")], [OLDEST, FIRST]),
        ([dated("conditions", "P6M1D", "present"), dated("conditions", "P6M", "absent")], [OLDEST, FIRST]),
        ([dated("conditions", "2026-05-22", "present"), dated("conditions", "2026-05-21", "absent")], []),
        ([dated("conditions", "P6M", "present", verification="refuted")], [OLDEST, FIRST]),
        ([dated("conditions", "none", "present")], [OLDEST, FIRST]),
        ([dated("procedures", "P6M", "present"), dated("procedures", "P6M1D", "absent")], [OLDEST, FIRST]),
    ],
)
def test_wants_a_problem_on_each_edge(cases, open_edges):
    """Only a fact that counts, on the very day, in a case that asks for the flag."""
    assert open_edges == missing(knowing(RECENT, *cases))


def test_counts_procedures_where_the_criterion_does():
    """A criterion that reads procedures is proved by one."""
    cases = [dated("procedures", "P6M", "present"), dated("procedures", "P6M1D", "absent")]

    assert [] == missing(knowing({**RECENT, "procedures": True}, *cases))


def test_wants_a_problem_on_the_edge_and_not_what_it_is_close_to():
    """Where a problem counts only close to a procedure, the day of the procedure is not that of the problem."""
    close = {**RECENT, "close_to": {"value_sets": ["disease-codes"], "within": "P1M", "procedures": True}}
    chart = {"conditions": [{"code": "cond-tetany", "date": "P5M"}], "procedures": [{"code": "disease-codes", "date": "P6M"}]}

    assert [OLDEST, FIRST] == missing(knowing(close, case(record=chart, expect={"sign": "present"})))


def test_takes_the_words_of_a_fact_for_its_code():
    """A problem known by its text proves an edge like a coded one."""
    said = [
        case(f"{date}", record={"conditions": [{"text": "Carpopedal spasms", "date": date}]}, expect={"sign": truth})
        for date, truth in (("P6M", "present"), ("P6M1D", "absent"))
    ]

    assert [] == missing(knowing(RECENT, *said))


@pytest.mark.parametrize("second", ["P1M", "P6M1D"])
def test_wants_the_fact_to_decide(second):
    """On the oldest day a fact proves nothing beside a newer one; one that is too old for itself does not matter."""
    two = [{"code": "cond-tetany", "date": date} for date in ("P6M", second)]
    one = case("Two.", record={"conditions": two}, expect={"sign": "present"})

    assert ([OLDEST, FIRST] if second == "P1M" else [FIRST]) == missing(knowing(RECENT, one))


def test_wants_a_case_that_asks_for_the_flag():
    """A case about another thing proves no edge, and one that could not be read proves none either."""
    silent = case("Silent.", record={"conditions": [{"code": "cond-tetany", "date": "P6M"}]}, expect={"tetany": "present"})
    unread = case("Unread.", record={"conditions": [{"code": "cond-spasm", "date": "P6M"}]}, expect={"sign": "present"})

    assert [OLDEST, FIRST] == missing(knowing(RECENT, silent, unread))


def test_asks_nothing_of_a_criterion_without_look_back():
    """What counts for ever has no edge."""
    assert [] == missing(knowing(TETANY))


def result(date: str, truth: str, value: float = 3.4, **members) -> dict:
    """A case of one potassium result."""
    lab = {"code": "lab-potassium", "value": value, "unit": "mmol/L", "date": date, **members}
    return case(f"{value} {date} {truth}", record={"labs": [lab]}, expect={"sign": truth})


@pytest.mark.parametrize(
    ("when", "cases", "open_edges"),
    [
        (LOW_POTASSIUM, [result("P12M", "present"), result("P12M1D", "unknown")], []),
        (LOW_POTASSIUM, [result("P12M", "present", 3.6), result("P12M1D", "unknown", 3.6)], [OLDEST, FIRST]),
        (LOW_POTASSIUM, [result("P12M", "present")], [FIRST]),
        ({"kind": "resulted", "value_sets": ["lab-potassium"], "within": "P12M"}, [result("P12M", "present", 3.6)], [FIRST]),
    ],
)
def test_wants_a_result_on_each_edge(when, cases, open_edges):
    """A result beyond the limit, or any where a result is all that is asked for."""
    assert open_edges == missing(knowing(when, *cases))


def suggested(when: dict, **files) -> list[tuple[str, str]]:
    """What is said of each edge of a look-back, and the case that is offered."""
    parts = [one.partition(". Add for example: ") for one in unproved_look_backs(knowing(when, **files), []) if ": sign looks back" in one]
    return [(before.removeprefix("cases.yaml: sign looks back "), after) for before, _, after in parts]


def offered(facts: str, truth: str) -> str:
    """A case to paste."""
    return f'- {{name: "...", record: {{{facts}}}, expect: {{sign: {truth}}}}}.'


POTASSIUM = "labs: [{{code: lab-potassium, date: {}, {}}}{}]"
LIMIT = {"value": 3.5, "unit": "mmol/L", "since": "2026-11-22"}
NEWER = {"results": 2, "apart": "P28D"}


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ({"below": LIMIT}, '3.15, unit: "mmol/L"'),
        ({"above": LIMIT}, '3.85, unit: "mmol/L"'),
        ({"at_least": LIMIT}, '3.5, unit: "mmol/L"'),
        ({"at_most": LIMIT}, '3.5, unit: "mmol/L"'),
        ({"above_upper_limit": 2}, '3, upper_limit: 1, unit: "mmol/L"'),
    ],
)
def test_offers_a_result_beyond_the_limit(limit, value):
    """The value in the case that is offered meets the criterion, in the unit of the limit."""
    found = suggested({"kind": "lab", "value_set": "lab-potassium", "within": "P12M", **limit})

    assert [
        (f"P12M: no case decides it by a lab (lab-potassium) on {OLDEST}", offered(POTASSIUM.format("P12M", f"value: {value}", ""), "present")),
        (f"P12M: no case decides it by a lab (lab-potassium) on {FIRST}", offered(POTASSIUM.format("P12M1D", f"value: {value}", ""), "unknown")),
    ] == found


SEXED = {"male": 5, "female": 4, "unit": "mmol/L", "since": "2026-11-22"}


@pytest.mark.parametrize(("limit", "value"), [("below", "3.6"), ("above", "5.5"), ("at_least", "5"), ("at_most", "4")])
def test_offers_a_result_beyond_the_limits_of_men_and_of_women(limit, value):
    """The case that is offered says nothing of sex, so its value meets both limits."""
    about = part("about")
    next(one for one in about["source_attributes"] if one["id"] == "sex")["used"] = True

    found = suggested({"kind": "lab", "value_set": "lab-potassium", "within": "P12M", limit: SEXED}, about=about)

    assert offered(POTASSIUM.format("P12M", f'value: {value}, unit: "mmol/L"', ""), "present") == found[0][1]


def test_offers_the_newer_result_of_a_persistent_finding():
    """A finding that must persist is offered with the result that repeats it; without the old one it is absent."""
    value = 'value: 3.15, unit: "mmol/L"'
    newer = f", {{code: lab-potassium, {value}}}"

    found = [case for _, case in suggested({**LOW_POTASSIUM, "persists": NEWER})]

    assert [offered(POTASSIUM.format(ago, value, newer), truth) for ago, truth in (("P12M", "present"), ("P12M1D", "absent"))] == found


@pytest.mark.parametrize(
    ("extra", "status", "more"),
    [
        ({}, "", ""),
        ({"or_active": True}, ", status: resolved", ""),
        ({"or_active": True, "not_resolved": True}, ", status: remission", ""),
        ({"code_needs_text_of": "cond-tetany"}, ', text: "carpopedal spasm"', ""),
        ({"or_active": True, "code_needs_text_of": "disease-codes"}, ', status: resolved, text: "gitelman syndrome"', ""),
        ({"entries": {"results": 3, "apart": "P28D"}}, "", ", {{code: cond-tetany}}, {{code: cond-tetany}}"),
        ({"close_to": {"value_sets": ["disease-codes", "status-transplant"], "within": "P3M"}}, "", ", {{code: disease-codes, date: {}}}"),
    ],
)
def test_offers_problems_with_what_they_need(extra, status, more):
    """The entry on the edge, with the state, the words and the other entries that the criterion asks for."""
    found = [case for _, case in suggested({**RECENT, **extra})]

    assert [
        offered(f"conditions: [{{code: cond-tetany, date: {ago}{status}}}{more.format(ago)}]", truth)
        for ago, truth in (("P6M", "present"), ("P6M1D", "absent"))
    ] == found


def test_says_every_value_set_and_the_file_of_the_flag():
    """Several value sets are all named; the case belongs in the file that speaks of the flag."""
    ((first, _), _) = suggested({"kind": "condition", "value_sets": ["cond-tetany", "disease-codes"], "within": "P1M2D"})

    assert f"P1M2D: no case decides it by a condition (cond-tetany or disease-codes) on {OLDEST}" == first


@pytest.mark.parametrize(("within", "longer"), [("P6M", "P6M1D"), ("P28D", "P29D"), ("P1M2D", "P1M3D")])
def test_writes_one_day_more(within, longer):
    """A look-back in months, in days or in both has a first day that is too old."""
    (_, (_, case)) = suggested({**TETANY, "within": within})

    assert f"date: {longer}" in case


# --- drugs and reports ---


def drug(start: str, truth: str, **members) -> dict:
    """A case of one drug."""
    salt = {"code": "cond-tetany", "date": start, **members}
    return case(f"{start} {members} {truth}", record={"medications": [salt]}, expect={"sign": truth})


DRUG = {"kind": "medication", "value_sets": ["cond-tetany"], "within": "P6M"}


@pytest.mark.parametrize(
    ("when", "cases", "open_edges"),
    [
        (DRUG, [drug("P8M", "present", until="P6M", status="completed"), drug("P8M", "absent", until="P6M1D", status="completed")], []),
        (DRUG, [drug("P6M", "present", status="completed"), drug("P6M1D", "absent", status="completed")], []),
        (DRUG, [drug("P6M", "present"), drug("P6M1D", "absent")], [OLDEST, FIRST]),  # an active one goes on until today
        ({**DRUG, "current": True}, [], []),
        ({**DRUG, "covered": "P30D"}, [drug("P8M", "present", until="P5M1D", status="completed")], [OLDEST, FIRST]),
        ({**DRUG, "covered": "P31D"}, [drug("P8M", "present", until="2026-06-21", status="completed")], [FIRST]),
        ({**DRUG, "covered": "P31D"}, [drug("P6M", "present", until="2026-06-21", status="completed")], [FIRST]),
        ({**DRUG, "covered": "P2D"}, [drug("P8M", "absent", until="P6M", status="completed")], [OLDEST]),
        ({**DRUG, "covered": "P30D"}, [drug("P8M", "present")], [OLDEST, FIRST]),
        ({**DRUG, "covered": "P12M"}, [drug("P8M", "absent")], [OLDEST, FIRST]),
        ({**DRUG, "covered": "P30D"}, [drug("none", "absent")], [OLDEST, FIRST]),
    ],
)
def test_wants_a_drug_that_ends_on_each_edge(when, cases, open_edges):
    """The day on which it ended counts; where days are counted, one that covers the edge with none to spare."""
    assert open_edges == missing(knowing(when, *cases))


def test_takes_a_drug_that_covers_the_edge_only_where_days_are_counted():
    """A drug that just reaches the time before a result says nothing of the look-back that it reaches over, too."""
    before = {**DRUG, "before_result": {"value_set": "lab-potassium", "within": "P1M"}}
    salt = {"code": "cond-tetany", "date": "P8M", "until": "P5M", "status": "completed"}
    potassium = {"code": "lab-potassium", "value": 3.4, "unit": "mmol/L", "date": "P4M"}
    one = case(record={"medications": [salt], "labs": [potassium]}, expect={"sign": "present"})

    assert [OLDEST, FIRST] == missing(knowing(before, one))


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        (DRUG, ["{code: cond-tetany, date: P7M, until: P6M, status: completed}"]),
        ({**DRUG, "within": "P1M2D"}, ["{code: cond-tetany, date: P2M2D, until: P1M2D, status: completed}"]),
        (
            {**DRUG, "courses": 3},
            [
                "{code: cond-tetany, date: P7M, until: P6M, status: completed}",
                "{code: cond-tetany, date: P2M, until: P1M, status: completed}",
                "{code: cond-tetany, date: P4M, until: P3M, status: completed}",
            ],
        ),
    ],
)
def test_offers_a_drug_that_ended_then(when, facts):
    """A course of a month that ended on the edge, and newer ones where several are asked for."""
    assert offered(f"medications: [{', '.join(facts)}]", "present") == suggested(when)[0][1]


TOLD = {"kind": "report-text", "value_set": "gene-test", "pattern": "detected", "near": "slc12a3", "words": 3, "within": "P12M"}


@pytest.mark.parametrize(("words", "open_edges"), [("SLC12A3 variant detected.", []), ("SLC12A3 analysed.", [OLDEST, FIRST])])
def test_wants_a_report_on_each_edge(words, open_edges):
    """A report proves an edge only where its words are those that count."""
    cases = [
        case(f"A report {date}.", record={"reports": [{"code": "gene-test", "conclusion": words, "date": date}]}, expect={"sign": truth})
        for date, truth in (("P12M", "present"), ("P12M1D", "absent"))
    ]

    assert open_edges == missing(knowing(TOLD, *cases))


def test_offers_a_plausible_result():
    """Where any result is asked for, one with a value that can be."""
    found = suggested({"kind": "resulted", "value_sets": ["lab-potassium"], "within": "P12M"})

    assert offered(POTASSIUM.format("P12M", 'value: 2, unit: "mmol/L"', ""), "present") == found[0][1]


def test_offers_a_report_where_the_set_is_no_measurement():
    """Reports are told by their words."""
    found = suggested({"kind": "resulted", "value_sets": ["gene-test"], "within": "P12M"})

    written = offered('reports: [{code: gene-test, date: P12M, conclusion: "..."}]', "present")
    assert (f"P12M: no case decides it by a report (gene-test) on {OLDEST}", written) == found[0]


def test_offers_a_number_where_the_set_is_searched_as_a_laboratory_test():
    """A test that is asked for by its codes is offered as a result, of a number without a unit where none is known."""
    searched = [{**one, "codes_of": ["lab-potassium", "gene-test"]} if one["key"] == "labs" else one for one in part("requirements")]

    found = suggested({"kind": "resulted", "value_sets": ["gene-test"], "within": "P12M"}, requirements=searched)

    assert offered('labs: [{code: gene-test, date: P12M, value: 1, unit: "1"}]', "present") == found[0][1]


def test_names_the_file_of_the_flag():
    """The case belongs where the flag is spoken of."""
    outcomes = list(casebook.run(toy(case(expect={"tetany": "absent"}), **{"cases-blood": [case("B.", expect={LOW: "unknown"})]})))

    assert all(one.startswith("cases-blood.yaml: ") for one in unproved_look_backs(toy(), outcomes))
