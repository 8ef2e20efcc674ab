"""What the cases of a module leave unproved is said, each with its remedy, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning import casebook
from cds_service.reasoning.coverage import uncited, uncovered
from cds_service.reasoning.proofs import proofs
from tests.reasoning.toys import LOW_POTASSIUM, TETANY, advice, case, flag, part, toy

LOW = "low-potassium"
AGO = {"within": ("P12M", "present"), "past": ("P12M1D", "unknown")}
EDGES = [
    case(f"Potassium {name} the look-back.", record={"labs": [{"code": "lab-potassium", "value": 3.4, "unit": "mmol/L", "date": ago}]}, expect={LOW: state})
    for name, (ago, state) in AGO.items()
]  # fmt: skip
# Both red flags in each of the three states, potassium on each side of the limit, both criteria met.
COMPLETE = (
    case("Both.", labs=(3.4,), tetany=True, expect={LOW: "present", "tetany": "present"}, criterion="x"),
    case("At the limit.", labs=(3.5,), tetany=True, expect={LOW: "absent"}, criterion="y"),
    case("Above it.", labs=(3.6,), expect={LOW: "absent", "tetany": "absent"}),
    case("Not read.", record={"unavailable": ["conditions", "labs"]}, expect={LOW: "unknown", "tetany": "unknown"}),
)


def without(index: int) -> list[dict]:
    """The complete cases but one."""
    return [one for i, one in enumerate(COMPLETE) if i != index]


def said(knowledge: Knowledge) -> list[str]:
    """What is missing, without the file's name."""
    missing = list(uncovered(knowledge, list(casebook.run(knowledge))))
    assert all(sentence.startswith("cases.yaml: ") for sentence in missing)
    return [sentence.removeprefix("cases.yaml: ") for sentence in missing]


def placed(knowledge: Knowledge) -> list[str]:
    """What is missing about thresholds."""
    return [sentence for sentence in said(knowledge) if " lies " in sentence]


def sides(bound: str, places: Iterable[str], name: str = LOW) -> list[str]:
    """No case lies on these sides of a threshold."""
    return [f"no case of {name} lies {place} {bound}. Add one with such a value and {name} in its expect." for place in places]


LIMIT = "3.5 mmol/L of lab-potassium"
ROUND = ("below", "at", "above")


def test_asks_for_everything_where_there_are_no_cases():
    """Three states of each red flag, three sides of each threshold, both ends of each look-back, each criterion, with what to write."""
    states = [
        f"no case expects {name} to be {state}. Add one with expect: {{{name}: {state}}}."
        for name in (LOW, "tetany")
        for state in ("present", "absent", "unknown")
    ]
    written = 'Add for example: - {{name: "...", record: {{labs: [{{code: lab-potassium, date: {}, value: 3.15, unit: "mmol/L"}}]}}, expect: {{low-potassium: {}}}}}.'
    edges = [
        f"{LOW} looks back P12M: no case decides it by a lab (lab-potassium) on the {which}. {written.format(ago, state)}"
        for which, ago, state in (("oldest day that counts", "P12M", "present"), ("first day that is too old", "P12M1D", "unknown"))
    ]
    criteria = [f"no case meets criterion {c}. Add one with criterion: {c}." for c in ("x", "y")]

    assert [*states, *sides(LIMIT, ROUND), *edges, *criteria] == said(toy())


def test_is_content_with_complete_cases():
    """Where each thing has its case, nothing is asked for; each case holds."""
    knowledge = toy(*COMPLETE, *EDGES)

    assert [] == said(knowledge)
    assert [] == [(one.case.name, one.faults) for one in casebook.run(knowledge) if one.faults]


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        (0, ["tetany to be present", "criterion x"]),
        (1, ["lies at 3.5", "criterion y"]),
        (2, ["tetany to be absent", "lies above 3.5"]),
        (3, ["tetany to be unknown"]),
    ],
)
def test_names_what_a_missing_case_would_prove(left_out, missing):
    """Each case that is taken away is missed for what it alone proved."""
    found = said(toy(*without(left_out), *EDGES))

    assert len(missing) == len(found)
    assert all(what in sentence for what, sentence in zip(missing, found, strict=True))


@pytest.mark.parametrize(("index", "which"), [(0, "the oldest day that counts"), (1, "the first day that is too old")])
def test_asks_for_each_end_of_a_look_back(index, which):
    """A value of another day proves neither end."""
    (found,) = said(toy(*COMPLETE, EDGES[1 - index]))

    assert which in found


def test_counts_only_cases_that_ask_about_the_flag():
    """A value beyond the limit proves nothing of a flag that its case does not mention."""
    silent = case("Both.", labs=(3.4,), tetany=True, expect={"tetany": "present"}, criterion="x")

    assert sides(LIMIT, ["below"]) == placed(toy(silent, *COMPLETE[1:]))


UNITS = [{"id": "potassium", "unit": "mmol/L", "plausible": {"low": 1, "high": 10}, "factors": {"mmol/L": 1, "umol/L": 0.001}}]


def test_counts_values_in_any_unit_and_by_any_code():
    """A result in another unit, or under a real code of the test, lies where it lies."""
    micro = {"code": "lab-potassium", "value": 3500, "unit": "umol/L"}
    coded = {"system": "http://loinc.org", "code": "2823-3", "value": 3.6, "unit": "mmol/L"}
    cases = [
        COMPLETE[0],
        case("At the limit.", tetany=True, record={"labs": [micro]}, expect={LOW: "absent"}, criterion="y"),
        case("Above it.", record={"labs": [coded]}, expect={LOW: "absent", "tetany": "absent"}),
        COMPLETE[3],
    ]

    assert [] == said(toy(*cases, *EDGES, units=UNITS))


def test_compares_a_limit_and_its_cases_in_one_unit():
    """A limit in micromoles is held against cases in millimoles, and named as it is written."""
    low = {**LOW_POTASSIUM, "below": {"value": 3500, "unit": "umol/L", "since": "2026-11-22"}}
    files = {"units": UNITS, "red_flags": [flag(LOW, low), flag("tetany", TETANY)]}

    assert [] == placed(toy(*COMPLETE, **files))
    assert sides("3500 umol/L of lab-potassium", ["at"]) == placed(toy(*without(1), **files))


def test_does_not_count_other_tests_or_values_it_cannot_place():
    """A result of another test, in a unit that is not known or without one lies on no side."""
    strangers = [
        {"system": "http://loinc.org", "code": "787-2", "value": 3.4, "unit": "mmol/L"},
        {"code": "lab-potassium", "value": 3.6, "unit": "furlong"},
        {"code": "lab-potassium", "value": 3.4},
        {"code": "cond-tetany", "value": 3.5, "unit": "mmol/L"},
    ]

    assert sides(LIMIT, ROUND) == placed(toy(case(record={"labs": strangers}, expect={LOW: "unknown"})))


def reading(*ids: str) -> dict:
    """The toy's page about itself, with source attributes that are used."""
    about = part("about")
    for one in about["source_attributes"]:
        if one["id"] in ids:
            one["used"] = True
    return about


SEXED = {**LOW_POTASSIUM, "below": {"male": 3.5, "female": 3.2, "unit": "mmol/L", "since": "2026-11-22"}}
MALE, FEMALE = "3.5 mmol/L (male) of lab-potassium", "3.2 mmol/L (female) of lab-potassium"


def of_sex(sex: str | None, *labs: float) -> dict:
    """A case of a man or a woman with these results."""
    return case(f"A {sex}.", labs=labs, record={"patient": {"sex": sex}} if sex else {}, expect={LOW: "unknown"})


@pytest.mark.parametrize(
    ("cases", "missing"),
    [
        ([], [*sides(MALE, ROUND), *sides(FEMALE, ROUND)]),
        ([of_sex(None, 3.1, 3.2, 3.5, 3.6)], [*sides(MALE, ROUND), *sides(FEMALE, ROUND)]),
        ([of_sex("male", 3.4, 3.5, 3.6)], sides(FEMALE, ROUND)),
        ([of_sex("female", 3.1, 3.2, 3.3)], sides(MALE, ROUND)),
        ([of_sex("male", 3.4, 3.5, 3.6), of_sex("female", 3.1, 3.2, 3.3)], []),
    ],
)
def test_asks_for_men_and_women_where_limits_differ(cases, missing):
    """A limit with one value for men and one for women needs the three sides in both."""
    assert missing == placed(toy(*cases, red_flags=[flag(LOW, SEXED), flag("tetany", TETANY)], about=reading("sex")))


def test_asks_for_each_limit_of_a_persistent_finding():
    """The milder limit that the latest result must keep is a threshold too."""
    latest = {"value": 3.7, "unit": "mmol/L", "since": "2026-11-22"}
    persistent = {**LOW_POTASSIUM, "persists": {"results": 2, "apart": "P28D", "latest": latest}}

    found = placed(toy(*COMPLETE, red_flags=[flag(LOW, persistent), flag("tetany", TETANY)]))

    assert sides("3.7 mmol/L of lab-potassium", ("at", "above")) == found


def aged(*ages: int) -> list[dict]:
    """Cases of these ages about the flag `old`, and one without a patient."""
    return [case(f"Age {age}.", record={"patient": {"age": age}} if age else {}, expect={"old": "present"}) for age in (0, *ages)]


@pytest.mark.parametrize("bound", ["at_least", "below"])
@pytest.mark.parametrize(("ages", "missing"), [((49, 50, 51), []), ((49,), ["at", "above"]), ((50,), ["below", "above"]), ((51,), ["below", "at"])])
def test_asks_for_ages_on_each_side(bound, ages, missing):
    """An age limit needs a patient below, at and above it."""
    old = flag("old", {"kind": "age", bound: 50, "since": "2026-11-22"})

    found = said(toy(*aged(*ages), facts=[old], about=reading("date-of-birth")))

    assert sides("50 years", missing, "old") == [sentence for sentence in found if "of old lies" in sentence]


def test_asks_for_both_ends_of_a_span_of_ages():
    """Where a criterion has a lowest and a highest age, each needs its three sides."""
    old = flag("old", {"kind": "age", "at_least": 50, "below": 60, "since": "2026-11-22"})

    found = said(toy(*aged(49, 50, 51), facts=[old], about=reading("date-of-birth")))

    assert sides("60 years", ["at", "above"], "old") == [sentence for sentence in found if "of old lies" in sentence]


def test_looks_inside_a_flag_of_several_criteria():
    """A threshold counts wherever in the flag it stands."""
    either = {"kind": "any", "of": [TETANY, LOW_POTASSIUM]}

    assert sides(LIMIT, ROUND, "either") == placed(toy(red_flags=[flag(LOW, TETANY), flag("tetany", TETANY)], facts=[flag("either", either)]))


GIVEN, SILENT = "no case recommends rest. Add one with recommends: [rest].", "no case keeps rest silent. Add one with silent: [rest]."


@pytest.mark.parametrize(("members", "missing"), [({}, [GIVEN, SILENT]), ({"recommends": ["rest"]}, [SILENT]), ({"silent": ["rest"]}, [GIVEN])])
def test_asks_for_advice_given_and_kept_silent(members, missing):
    """A recommendation needs a case that gives it and one that does not."""
    cases = [*COMPLETE, *EDGES, case(expect={LOW: "absent"}, **members)]

    assert missing == said(toy(*cases, recommendations=[advice("rest", "tetany")]))


CAUTIOUS = advice("rest", "tetany", cautions=[{"when": LOW, "text": "low potassium"}, {"when": "tetany", "text": "cramps"}])
CONFIRMED = [{"code": "disease-codes"}, {"code": "cond-tetany"}]


def unraised(text: str) -> str:
    """No case raises a caution."""
    return (
        f'no case raises the caution "{text}" of rest. Add one with recommends: [rest] and cautions: ["{text}"], or list it in a case that raises it.'
    )


def always(*texts: str) -> str:
    """No case gives the advice without cautions."""
    few = " or ".join(f'"{text}"' for text in texts)
    return f"no case recommends rest without {few}. Add one in which none of these holds, with recommends: [rest] and no_cautions: [rest]."


def given(name: str, *labs: float, **members) -> dict:
    """A case of the disease with tetany, to which rest is recommended."""
    return case(name, labs=labs, record={"conditions": CONFIRMED}, recommends=["rest"], **members)


@pytest.mark.parametrize(
    ("cases", "missing"),
    [
        ([given("Free.", no_cautions=["low potassium"])], [unraised("low potassium"), unraised("cramps"), always("cramps")]),
        ([given("All.", 3.4, cautions=["low potassium", "cramps"])], [always("low potassium", "cramps")]),
        ([given("All.", 3.4, cautions=["low potassium", "cramps"]), given("None.", no_cautions=["rest"])], []),
        (
            # the caution is named in a case that does not give the advice
            [given("One.", 3.4, cautions=["cramps"], no_cautions=["rest"]), case("Other.", labs=(3.4,), cautions=["low potassium"])],
            [unraised("low potassium")],
        ),
    ],
)
def test_asks_for_each_caution_raised_and_not_raised(cases, missing):
    """A caution is raised where its advice is given, and the advice is given without it; each with what to write."""
    silent = case("Silent.", expect={LOW: "absent"}, silent=["rest"])

    assert missing == said(toy(*COMPLETE, *EDGES, silent, *cases, recommendations=[CAUTIOUS]))


def test_wants_a_caution_raised_for_its_own_advice():
    """That another advice raises a caution in the same words proves nothing."""
    rest = advice("rest", "tetany", cautions=[{"when": LOW, "text": "low potassium"}])
    salt = advice("salt", "tetany", cautions=[{"when": "tetany", "text": "low potassium"}])

    found = said(toy(given("Salt raises it.", cautions=["low potassium"]), recommendations=[rest, salt]))

    assert [unraised("low potassium")] == [sentence for sentence in found if "of rest." in sentence]


RULE = {**part("rules")[0], "published": True}
MET = "no case meets the rule T1. Add one with expect: {T1: present}."
MISSED = (
    "no case just misses the rule T1. Add one with exactly 1 of the 2 items present, the others absent, and expect: {T1: absent}."
)  # fmt: skip


@pytest.mark.parametrize(
    ("cases", "missing"),
    [
        ([], [MET, MISSED]),
        ([case(labs=(3.4,), tetany=True, expect={"T1": "present"})], [MISSED]),
        ([case(labs=(3.6,), tetany=True, expect={"T1": "absent"})], [MET]),
        ([case(labs=(3.6,), expect={"T1": "absent"})], [MET, MISSED]),
        ([case(tetany=True, record={"unavailable": ["labs"]}, expect={"T1": "unknown"})], [MET, MISSED]),
    ],
)
def test_asks_for_a_published_rule_met_and_just_missed(cases, missing):
    """Too few items, or one that is unknown, is not a near miss; a rule of our own needs no such cases."""
    assert missing == said(toy(*COMPLETE, *EDGES, *cases, rules=[RULE]))


POINT = {"id": "p1", "section": "Signs", "point": "Tetany occurs.", "carried_by": {"findings": ["tetany"], "rules": ["T1"], "messages": ["benign"]}}


def test_asks_for_a_case_of_what_carries_the_article():
    """A finding or rule that carries a point is proved by a case; words need none."""
    found = said(toy(article=[POINT]))

    assert [f"no case proves {name}, which carries 'p1' of the article. Add one with expect: {{{name}: present}}." for name in ("tetany", "T1")] == [
        sentence for sentence in found if "article" in sentence
    ]


MAGNESIUM = {
    "id": "magnesium", "topics": ["test"], "label": "Magnesium", "description": "Magnesium.", "text": "Magnesium", "when": "tetany", "reason": ["tetany"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "remedy", "proving"),
    [
        ("recommendations", "rest", "Add one with recommends: [rest].", case(record={"conditions": CONFIRMED}, recommends=["rest"])),
        ("orders", "magnesium", "Add one with offers: [magnesium].", case(labs=(3.4,), tetany=True, offers=["magnesium"])),
        ("rules", "T1", "Add one with expect: {T1: present}.", case(labs=(3.4,), tetany=True, expect={"T1": "present"})),
    ],
)
def test_takes_advice_orders_and_rules_for_proved_by_their_cases(kind, name, remedy, proving):
    """Each kind has its own way to be proved, and the words to write."""
    point = {**POINT, "carried_by": {kind: [name]}}
    files = {"article": [point], "recommendations": [advice("rest", "tetany")], "orders": [MAGNESIUM]}
    expected = f"no case proves {name}, which carries 'p1' of the article. {remedy}"

    found = [[one for one in said(toy(*cases, **files)) if "article" in one] for cases in ((), (proving,))]

    assert [[expected], []] == found


def test_takes_no_case_for_a_proof_of_words():
    """What a message says is carried by its words; no case expects it."""
    outcomes = list(casebook.run(toy(*COMPLETE)))

    assert [] == proofs(outcomes, "messages", "benign")


def test_names_the_file_in_which_a_case_belongs():
    """A flag's missing cases belong where it is spoken of; what nobody speaks of, where most cases are."""
    others = [case(f"Rule {i}.", expect={"T1": "absent"}) for i in range(3)]
    knowledge = toy(*others, **{"cases-blood": [COMPLETE[1]]})

    found = list(uncovered(knowledge, list(casebook.run(knowledge))))

    assert {"cases-blood.yaml"} == {one.partition(":")[0] for one in found if LOW in one}
    assert ["cases.yaml: no case meets criterion x. Add one with criterion: x."] == [one for one in found if "criterion" in one]


def test_names_the_file_that_speaks_of_a_criterion_a_rule_or_a_point():
    """What a criterion, a published rule or a point of the article lacks belongs where its name is spoken of."""
    others = [case(f"Potassium {i}.", expect={LOW: "unknown"}) for i in range(3)]
    signs = case("Signs.", expect={"tetany": "absent", "T1": "absent"})
    tiers = [{"topic": "test", "any": [{"id": "tetany", "label": "Tetany", "when": "tetany"}]}]
    files = {"assessment": {**part("assessment"), "tiers": tiers}, "rules": [RULE], "article": [POINT]}
    knowledge = toy(*others, **{"cases-signs": [signs]}, **files)

    found = list(uncovered(knowledge, list(casebook.run(knowledge))))

    wanted = [one.partition(":")[0] for one in found if any(what in one for what in ("criterion tetany", "the rule T1", "of the article"))]
    assert ["cases-signs.yaml"] * 5 == wanted


def test_lists_citations_that_nothing_cites():
    """A citation is in use wherever one may stand: finding, rule, advice, card, variant or the reading of the gene."""
    idle = {"id": "idle", "ref": "R2", "short": "Idle 2026", "source": "Another paper that does not exist.", "read": "invented"}
    paper = part("citations")[0]
    citations = [*({**paper, "id": name, "ref": f"R{i}"} for i, name in enumerate(("toy-paper", "f", "r", "a", "c", "v", "g"))), idle]
    genetics = part("genetics")
    genetics["citations"] = ["g"]
    genetics["variants"][0]["citations"] = ["v"]
    files = {
        "red_flags": [flag(LOW, LOW_POTASSIUM, citations=["f"]), flag("tetany", TETANY)],
        "rules": [{**part("rules")[0], "citations": ["r"]}],
        "recommendations": [advice("rest", "tetany", citations=["a"])],
        "cards": [{**card, "citations": ["c"]} for card in part("cards")],
        "genetics": genetics,
    }

    assert ["idle"] == list(uncited(toy(citations=citations, **files)))
