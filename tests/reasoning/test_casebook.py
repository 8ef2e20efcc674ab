"""Of a case that does not hold it is said why."""

from __future__ import annotations

import pytest

from cds_service.reasoning import casebook
from tests.reasoning.toys import TETANY, advice, case, flag, part, toy

GIVEN = {"labs": (3.4,), "tetany": True}
NO_RESULT = {"code": "gene-test", "text": "SLC12A3 analysis", "conclusion": "SLC12A3 not detected, all coding exons.", "date": "2026-10-01"}
DIAGNOSIS = {"code": "disease-codes"}
REST = advice("rest", "tetany", cautions=[{"when": "low-potassium", "text": "low potassium"}])
SALT = advice("salt", "low-potassium")


def order(name, when):
    """A draft order of the toy module."""
    return {"id": name, "topics": ["test"], "label": name, "description": name, "text": f"{name} in serum", "when": when, "reason": ["tetany"]}


ORDERS = [order("magnesium", "tetany"), order("calcium", {"not": "tetany"})]


def faults(one, **files):
    """What is said of one case."""
    (outcome,) = casebook.run(toy(one, **files))
    return list(outcome.faults)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (case(**GIVEN, expect={"low-potassium": "present", "T1": "present", "any-sign": "present"}), []),
        (case(**GIVEN, expect={"low-potassium": "absent"}), ["low-potassium should be absent and is present"]),
        (case(**GIVEN, expect={"T1": "unknown"}), ["T1 should be unknown and is present"]),
        (
            case(**GIVEN, expect={"thirst": "present", "tetany": "absent"}),
            ["expect: there is no red flag, alternative, fact, term or rule 'thirst'. Use one of T1, any-sign, low-potassium, tetany"],
        ),
        (case(**GIVEN, topic="toy-test", criterion="x"), []),
        (case(**GIVEN, topic="none"), ["the card should be none and is toy-test (criteria x)"]),
        (case(**GIVEN, topic="toy-consider"), ["the card should be toy-consider and is toy-test (criteria x)"]),
        (case(topic="none"), []),
        (case(topic="toy-test"), ["the card should be toy-test and is none (criteria none)"]),
        (case(**GIVEN, criterion="y"), ["criterion y should be met; met are x"]),
        (case(**GIVEN, criterion="z"), ["criterion: there is no criterion 'z'. Use one of x, y"]),
        (case(criterion="x"), ["criterion x should be met; met are none"]),
        (case(**GIVEN, genetics="none"), []),
        (case(**GIVEN, genetics="negative"), ["the gene should be negative and is none ()"]),
        (
            case(record={"conditions": [DIAGNOSIS], "reports": [NO_RESULT]}, genetics="confirmed"),
            ["the gene should be confirmed and is uncertain (problem-list-against-result)"],
        ),
    ],
)
def test_says_what_was_found_instead(one, said):
    """An author reads what the case asked for and what came out; a case that holds has nothing to say."""
    assert said == faults(one)


CONFIRMED = {"conditions": [DIAGNOSIS, {"code": "cond-tetany"}]}
LOW = [{"code": "lab-potassium", "value": 3.4, "unit": "mmol/L"}]
DOUBTED = {"conditions": [{"code": "cond-tetany"}], "reports": [{**NO_RESULT, "conclusion": "SLC12A3 detected and not detected."}]}


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (case(record=CONFIRMED, recommends=["rest"], silent=["salt"]), []),
        (case(record=CONFIRMED, recommends=["rest", "salt"]), ["salt should be recommended"]),
        (case(record=CONFIRMED, silent=["rest", "salt"]), ["rest should be silent"]),
        (case(record={**CONFIRMED, "labs": LOW}, cautions=["low potassium"]), []),
        (case(record=CONFIRMED, cautions=["low potassium"]), ["the caution 'low potassium' should be raised"]),
        (case(**GIVEN, offers=["magnesium"]), []),
        (case(**GIVEN, offers=["calcium"]), ["the order calcium should be offered"]),
        (case(**GIVEN, not_offered=["magnesium", "calcium"]), ["the order magnesium should not be offered"]),
        (
            case(record={**CONFIRMED, "reports": [NO_RESULT]}, genetics="none"),
            ["the gene should be none and is uncertain (problem-list-against-result)"],
        ),
        (case(record=DOUBTED, genetics="none"), ["the gene should be none and is uncertain (contradictory)"]),
    ],
)
def test_says_what_advice_or_order_differs(one, said):
    """Advice, cautions, orders and the reading of the gene are held to the case."""
    assert said == faults(one, recommendations=[REST, SALT], orders=ORDERS)


NEVER = {"id": "z", "label": "z", "when": {"not": "tetany"}}


def test_lists_all_criteria_and_all_reasons():
    """Where several were met or stated, all of them are named."""
    tiers = [{"topic": "test", "any": [{"id": "x", "label": "x", "when": "T1"}, {"id": "w", "label": "w", "when": "tetany"}, NEVER]}]
    limited = {**NO_RESULT, "conclusion": "SLC12A3 not detected."}
    transplanted = {"conditions": [{"code": "status-transplant", "date": "2026-01-01"}], "reports": [limited]}

    found = faults(case(**GIVEN, topic="none", criterion="z"), assessment={**part("assessment"), "tiers": tiers})
    reasons = faults(case(record=transplanted, genetics="none"))

    assert ["the card should be none and is toy-test (criteria x, w)", "criterion z should be met; met are x, w"] == found
    assert ["the gene should be none and is negative (after-transplant, limited-assay)"] == reasons


SODIUM = {"labs": [{"code": "lab-sodium", "value": 1, "unit": "mmol/L"}]}
NEVERMORE = {"conditions": [{"code": "cond-tetany", "date": "nevermore"}]}


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        (SODIUM, "there is no value set 'lab-sodium'. Name one, or give system and code"),
        (NEVERMORE, "'nevermore' is no date. Write for example 2026-11-01, P24M (24 months before today) or none"),
    ],
)
def test_says_where_each_case_stands_and_goes_on_after_one_that_cannot_be_read(chart, said):
    """A case whose shorthand means nothing is told with its place, and the next one is run."""
    unread = case("Unread", record=chart, expect={"tetany": "present"})
    wrong = case("Wrong", expect={"tetany": "present"})

    first, second = casebook.run(toy(unread, wrong))

    assert ("cases.yaml:2", "Unread", (said,)) == (first.place, first.case.name, first.faults)
    assert (None, None) == (first.record, first.assessment)
    assert ("Wrong", ("tetany should be present and is absent",)) == (second.case.name, second.faults)
    assert second.place.startswith("cases.yaml:")
    assert second.place != first.place


def test_refuses_two_cases_of_one_name():
    """A name that stands twice is a slip of the second, with the place of the first."""
    one = case("Twice", expect={"tetany": "absent"})

    first, second = casebook.run(toy(one, {**one, "expect": {"tetany": "present"}}))

    assert () == first.faults
    assert (f"a case of this name stands at {first.place} already. Rename or remove one",) == second.faults


def test_gives_the_topics_of_the_cards_in_their_order():
    """Supportive care follows the card of the confirmed disease."""
    knowledge = toy(case(record=CONFIRMED), recommendations=[advice("rest", "tetany", topic="supportive")])
    (outcome,) = casebook.run(knowledge)

    assessment = casebook.Reasoner(knowledge).evaluate(casebook.record_of(knowledge, outcome.case), casebook.Day.fromisoformat(outcome.case.today))

    assert ("toy-confirmed", "toy-supportive") == casebook.topic_codes(knowledge, assessment)


PARTS = [{"when": "tetany", "text": "magnesium"}, {"when": "low-potassium", "text": "potassium"}]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (case(record=CONFIRMED, parts=["magnesium"]), []),
        (case(record={**CONFIRMED, "labs": LOW}, parts=["magnesium", "potassium"]), []),
        (case(record=CONFIRMED, parts=["potassium"]), ["potassium should be missing; it is magnesium"]),
        (case(record={**CONFIRMED, "labs": LOW}, parts=["magnesium"]), ["magnesium should be missing; it is magnesium, potassium"]),
        (case(parts=["magnesium", "potassium"]), ["magnesium, potassium should be missing; it is nothing"]),
    ],
)
def test_says_which_parts_of_advice_are_missing_instead(one, said):
    """What is due is the parts that are missing, in their order."""
    assert said == faults(one, recommendations=[advice("check", "tetany", text="Check {parts}.", parts=PARTS)])


QUALIFIED = flag("tetany", TETANY, qualified=[{"when": "low-potassium", "text": "potassium is low"}])


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (case(**GIVEN, remarks={"tetany": ["potassium is low"]}), []),
        (case(tetany=True, remarks={"tetany": []}), []),
        (case(**GIVEN, remarks={"tetany": []}), ["beside tetany should stand [] and stands ['potassium is low']"]),
        (case(tetany=True, remarks={"tetany": ["doubtful"]}), ["beside tetany should stand ['doubtful'] and stands []"]),
    ],
)
def test_says_what_stands_beside_a_finding_instead(one, said):
    """The remarks beside a finding are held to the case."""
    assert said == faults(one, red_flags=[part("red_flags")[0], QUALIFIED])


def test_names_the_file_that_says_most_of_a_thing():
    """A case belongs where its finding, rule or advice is spoken of most, else where most cases are, else in cases.yaml."""
    one = {"expect": {"tetany": "absent"}}
    files = {
        "cases-advice": [case("R.", recommends=["rest"], **one), case("S.", silent=["rest"])],
        "cases-blood": [case("P.", expect={"low-potassium": "unknown"}, silent=["rest"])],
        "cases-signs": [case(f"T {i}.", **one) for i in range(3)],
    }
    outcomes = list(casebook.run(toy(recommendations=[REST], **files)))

    found = [casebook.home_of(outcomes, name) for name in ("tetany", "rest", "low-potassium", "T1")]

    assert ["cases-signs.yaml", "cases-advice.yaml", "cases-blood.yaml", "cases-signs.yaml"] == found
    assert "cases.yaml" == casebook.home_of([], "tetany")


def test_names_a_slip_beside_a_name_that_stands_twice():
    """One case may have several slips; all are told."""
    one = case("Twice", expect={"tetany": "absent"})

    _, second = casebook.run(toy(one, {**one, "topic": "toy"}))

    assert 2 == len(second.faults)
