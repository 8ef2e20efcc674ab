"""The whole assessment of a small chart, with the toy module: tiers, cards, advice, orders, and what is shown beside them."""

from __future__ import annotations

import pytest

from cds_service.knowledge.loader import Knowledge
from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.findings import Advice, Evidence, RuleOutcome
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code
from cds_service.record.dates import Day, moment
from cds_service.record.facts import Condition, Issue, LabResult, Order, PatientRecord, Procedure, Report, Source
from tests.reasoning.toys import LOW_POTASSIUM, TETANY, advice, flag, part, toy

P, A, U = Truth.PRESENT, Truth.ABSENT, Truth.UNKNOWN
TODAY = Day(2026, 11, 22)
POTASSIUM = Code("http://loinc.org", "2823-3")


def low(value=3.4, on="2026-11-01", **members) -> LabResult:
    """A potassium result."""
    return LabResult(
        **{"ref": "o/1", "codes": (POTASSIUM,), "status": "final", "value": value, "unit": "mmol/L", "when": on and moment(on), **members}
    )


def problem(text="tetany", on="2026-09-01", **members) -> Condition:
    """A problem in words."""
    return Condition(**{"ref": "c/1", "text": text, "status": "active", "verification": "confirmed", "when": on and moment(on), **members})


def gene(conclusion, on="2026-10-01", **members) -> Report:
    """A report of the toy's gene."""
    return Report(**{"ref": "r/1", "text": "SLC12A3 analysis", "status": "final", "conclusion": conclusion, "when": on and moment(on), **members})


DISEASE = problem("Gitelman syndrome", ref="c/2")


def record(*facts, unread=()) -> PatientRecord:
    """A chart that was read in full, except for the sources that are named."""
    kinds = {"labs": LabResult, "conditions": Condition, "orders": Order, "procedures": Procedure, "reports": Report}
    held = {name: tuple(f for f in facts if type(f) is kind) for name, kind in kinds.items()}
    sources = {name: Source.UNAVAILABLE if name in unread else Source.READ for name in ("patient", "conditions", "labs")}
    return PatientRecord(patient_id="p1", sources=sources, **held)


def assess(knowledge: Knowledge, *facts, full=False, **members):
    """The assessment of a chart on the toy's day."""
    return Reasoner(knowledge).evaluate(record(*facts, **members), TODAY, full=full)


# --- tiers ---


def tiered(*criteria, consider=()):
    """The toy's assessment with other criteria."""
    tiers = [{"topic": "test", "any": list(criteria)}, {"topic": "consider", "any": list(consider)}]
    return {**part("assessment"), "tiers": tiers}


def criterion(name, when, **members):
    """One way into a tier."""
    return {"id": name, "label": name, "when": when, **members}


SPASMS = flag("spasms", {"kind": "condition", "value_sets": ["cond-tetany"]})
X = criterion("x", "T1", lowered_by="tetany")
BOTH = (low(), problem())


@pytest.mark.parametrize(
    ("tiers", "facts", "tier", "criteria", "met", "lowered"),
    [
        (tiered(criterion("x", "T1"), consider=[criterion("y", "any-sign")]), BOTH, "test", ("x",), {"x"}, False),
        (tiered(criterion("x", "T1"), consider=[criterion("y", "any-sign")]), (low(),), "consider", ("y",), {"y"}, False),
        (tiered(criterion("x", "T1"), consider=[criterion("y", "any-sign")]), (low(3.5),), None, (), set(), False),
        (tiered(X, consider=[criterion("y", "any-sign")]), BOTH, "consider", ("x", "y"), {"x", "y"}, True),
        (tiered(X, criterion("w", "tetany"), consider=[criterion("y", "any-sign")]), BOTH, "test", ("w",), {"x", "w"}, False),
        (tiered(X, criterion("w", {"not": "any-sign"})), BOTH, "consider", ("x",), {"x"}, True),
        (tiered(criterion("x", "T1", lowered_by="spasms")), BOTH, "test", ("x",), {"x"}, False),
        (tiered(criterion("v", {"not": "any-sign"}), consider=[criterion("y", "any-sign", lowered_by="tetany")]), BOTH, None, ("y",), {"y"}, True),
        (
            tiered(criterion("v", {"not": "any-sign"}), consider=[criterion("y", "any-sign", lowered_by="tetany"), criterion("z", "tetany")]),
            BOTH,
            "consider",
            ("z",),
            {"y", "z"},
            False,
        ),
    ],
)
def test_reaches_the_highest_tier_that_is_not_lowered(tiers, facts, tier, criteria, met, lowered):
    """What lowers a criterion takes it one tier down; the tier, its criteria and whether one of them was lowered."""
    cramps = {"kind": "condition", "value_sets": ["cond-tetany"], "within": "P1D"}
    found = assess(toy(assessment=tiers, facts=[flag("spasms", cramps)]), *facts)

    assert (tier, criteria, met, lowered) == (found.tier, found.criteria, found.met, found.lowered)


@pytest.mark.parametrize(("full", "met"), [(False, {"x"}), (True, {"x", "y"})])
def test_asks_lower_tiers_only_where_all_is_wanted(full, met):
    """Once a test is due, what would only be worth a thought is not asked, unless the whole table is wanted."""
    found = assess(toy(), *BOTH, full=full)

    assert ("test", ("x",), met) == (found.tier, found.criteria, found.met)


@pytest.mark.parametrize(("sign", "tier"), [("any-sign", "test"), ({"organs": {"at_least": 1}}, "test"), ({"organs": {"at_least": 2}}, None)])
def test_counts_organs_by_their_strength(sign, tier):
    """Two findings of one organ are one organ."""
    weakness = flag("weakness", LOW_POTASSIUM, organ={"system": "nerve", "strength": "strong"})
    flags = [*part("red_flags"), {**SPASMS, "organ": {"system": "muscle", "strength": "strong"}}, weakness]

    assert tier == assess(toy(assessment=tiered(criterion("x", sign)), red_flags=flags), problem()).tier


ORGAN = {"not": {"not": {"organs": {"at_least": 1}}}}


def test_counts_organs_wherever_an_expression_stands():
    """In rules and their requirements, in what makes a result compatible, in advice, cautions and orders."""
    rule = part("rules")[0]
    rules = [{**rule, "items": [ORGAN, "low-potassium"]}, {**rule, "id": "T2", "at_least": 1, "requires": [ORGAN]}]
    item = advice("rest", ORGAN, cautions=[{"when": ORGAN, "text": "organ"}])
    order = {**MAGNESIUM, "when": ORGAN}
    knowledge = toy(rules=rules, recommendations=[item], orders=[order], assessment={**part("assessment"), "compatible": "T2"})

    suspect, confirmed = assess(knowledge, *BOTH), assess(knowledge, DISEASE, *BOTH)

    assert [P, P] == [suspect.rules[name].truth for name in ("T1", "T2")]
    assert ("magnesium",) == suspect.orders
    assert [Advice(id="rest", truth=P, cautions=(0,))] == list(confirmed.advice)


@pytest.mark.parametrize(
    ("when", "bearing"),
    [
        ("T1", {"low-potassium", "tetany"}),
        ("any-sign", {"low-potassium", "tetany"}),
        ({"not": {"not": "tetany"}}, {"tetany"}),
        ({"organs": {"at_least": 1}}, {"tetany", "spasms"}),
        ({"organs": {"at_least": 1, "strength": "strong"}}, {"tetany"}),
        ({"all": [{"organs": {"at_least": 1, "strength": "strong"}}, {"organs": {"at_least": 1, "strength": "moderate"}}]}, {"tetany", "spasms"}),
    ],
)
def test_knows_which_flags_bear_on_the_criterion(when, bearing):
    """Through terms, rules and organs; the card shows these first."""
    flags = [*part("red_flags"), {**SPASMS, "organ": {"system": "nerve", "strength": "moderate"}}]

    assert bearing == assess(toy(assessment=tiered(criterion("x", when)), red_flags=flags), *BOTH).bearing


def test_has_nothing_bear_on_no_criterion():
    """Where no criterion is met, nothing bears on it."""
    assert frozenset() == assess(toy()).bearing


# --- what is answered ---


def test_answers_no_more_than_a_card_needs():
    """A card needs the red flags, the alternatives and what bears on its criterion; facts that no card names are left out."""
    facts = [flag("spasms", TETANY), flag("cramps", TETANY)]
    knowledge = toy(facts=facts, assessment=tiered(criterion("x", "spasms")), alternatives=[flag("thirst", TETANY)])

    found = {full: assess(knowledge, *BOTH, full=full) for full in (False, True)}

    assert {"low-potassium", "tetany", "thirst", "spasms"} == set(found[False].findings)
    assert {*found[False].findings, "cramps"} == set(found[True].findings)


def test_answers_nothing_more_where_there_is_no_card():
    """Without a card only what was asked on the way is there, unless the whole table is wanted."""
    knowledge = toy(alternatives=[flag("cramps", TETANY)], assessment=tiered(criterion("x", {"not": "any-sign"})))

    found = [assess(knowledge, problem(), full=full) for full in (False, True)]

    assert [False, True] == ["cramps" in one.findings for one in found]


def test_is_not_full_unless_asked():
    """The short way is the usual one."""
    found = Reasoner(toy(facts=[flag("cramps", TETANY)])).evaluate(record(*BOTH), TODAY)

    assert "cramps" not in found.findings


def test_gives_the_terms_that_a_cards_words_depend_on():
    """All terms in the table; on a card only those on which a remark depends."""
    plain, remarked = (
        toy(),
        toy(red_flags=[{**part("red_flags")[0], "provisional": {"unless": "any-sign", "text": "alone"}}, part("red_flags")[1]]),
    )
    two = [*part("assessment")["terms"], {"id": "no-sign", "label": "No sign", "definition": "None.", "when": {"not": "any-sign"}}]
    knowledge = toy(assessment={**part("assessment"), "terms": two}, red_flags=[flag("low-potassium", LOW_POTASSIUM), flag("tetany", TETANY)])

    assert {"any-sign": P, "no-sign": A} == dict(assess(knowledge, *BOTH, full=True).terms)
    assert {"any-sign": P} == dict(assess(remarked, *BOTH).terms)
    assert [{}, {"any-sign": P}] == [dict(assess(plain, *BOTH, full=full).terms) for full in (False, True)]


def test_gives_each_rule_with_its_items():
    """A rule shows which of its items hold, also where it does not."""
    found = assess(toy(), low(), unread=("conditions",))

    assert {"T1": RuleOutcome(id="T1", truth=U, items=(P, U))} == dict(found.rules)


def test_holds_a_rule_to_what_it_requires():
    """Enough items are not enough where a requirement fails."""
    rules = [{**part("rules")[0], "at_least": 1, "requires": ["tetany"]}]
    knowledge = toy(rules=rules)

    assert [A, P] == [assess(knowledge, *facts).rules["T1"].truth for facts in ((low(),), BOTH)]


def test_says_the_truth_of_anything_by_its_name():
    """Findings, terms and rules share one name space."""
    found = assess(toy(), *BOTH, full=True)

    assert [P, P, P] == [found.truth(name) for name in ("tetany", "any-sign", "T1")]
    with pytest.raises(KeyError):
        found.truth("thirst")


def test_names_each_finding():
    """A finding carries its name, also where the chart does not touch it."""
    found = assess(toy(), low(), full=True)

    assert {name: name for name in ("low-potassium", "tetany")} == {name: one.id for name, one in found.findings.items()}
    assert () == found.findings["tetany"].evidence


def test_keeps_the_day_and_the_issues():
    """The assessment is of one day and says what could not be used."""
    found = assess(toy(), low(unit="furlong"))

    issue = Issue(
        "warning", "Potassium of 2026-11-01 has a unit that is not known and was not used", "Map the unit to UCUM, or add it to units.yaml."
    )
    assert (TODAY, (issue,)) == (found.today, found.issues)


def test_withholds_every_card_where_the_module_says_so():
    """The reason is named, and there is no card, not even of a confirmed disease."""
    knowledge = toy(module={**part("module"), "no_card_when": ["tetany", "low-potassium"]})

    found = [assess(knowledge, DISEASE, *facts) for facts in ((), (problem(),), BOTH)]

    assert [(), ("tetany",), ("tetany", "low-potassium")] == [one.withheld for one in found]
    assert [("confirmed",), (), ()] == [one.topics for one in found]


# --- advice ---


def advised(knowledge, *facts, **members):
    """The advice for someone with the disease on the problem list."""
    return assess(knowledge, DISEASE, *facts, **members).advice


VARIED = advice("rest", "tetany", variations=[{"when": "T1", "text": "Rest, and salt."}, {"when": "low-potassium", "text": "Rest."}])
EITHER_WAY = advice("rest", "tetany", variations=[{"when": {"not": "low-potassium"}, "text": "Rest."}, {"when": "tetany", "text": "Sit."}])


@pytest.mark.parametrize(
    ("item", "facts", "variation"), [(VARIED, BOTH, 0), (VARIED, (problem(),), None), (EITHER_WAY, BOTH, 1), (EITHER_WAY, (problem(), low(3.6)), 0)]
)
def test_takes_the_first_wording_that_holds(item, facts, variation):
    """Another wording takes the place of the text only where its condition is known to hold."""
    assert (Advice(id="rest", truth=P, variation=variation),) == advised(toy(recommendations=[item]), *facts)


CAUTIONED = advice(
    "rest",
    "tetany",
    cautions=[{"when": "T1", "text": "both"}, {"when": "low-potassium", "text": "low", "warns": True}],
)


def test_gives_advice_that_applies_or_could_not_be_checked():
    """What does not apply is left out; what is unknown for want of data is told as such."""
    knowledge = toy(recommendations=[advice("rest", "tetany"), advice("salt", "low-potassium")])

    assert (Advice(id="rest", truth=P), Advice(id="salt", truth=U)) == advised(knowledge, problem(), unread=("labs",))
    assert (Advice(id="salt", truth=P),) == advised(knowledge, low())


@pytest.mark.parametrize(
    ("item", "facts", "expected"),
    [
        (CAUTIONED, BOTH, (0, 1, True)),
        (CAUTIONED, (problem(),), (None, None, False)),
        (advice("rest", "tetany", warns=True), (problem(),), (None, None, True)),
        ({**CAUTIONED, "when": "low-potassium"}, (low(),), (1, None, True)),
    ],
)
def test_warns_where_the_advice_or_a_caution_does(item, facts, expected):
    """Cautions are named by their place in the list."""
    (found,) = advised(toy(recommendations=[item]), *facts)

    cautions = tuple(i for i in expected[:2] if i is not None)
    assert (cautions, expected[2]) == (found.cautions, found.warns)


def test_does_not_warn_by_advice_that_could_not_be_checked():
    """A warning needs that the advice applies."""
    (found,) = advised(toy(recommendations=[advice("salt", {"unknown": "low-potassium"}, warns=True)]), low(on=None, unit=""))
    (unknown,) = advised(toy(recommendations=[advice("salt", "low-potassium", warns=True)]))

    assert (P, True) == (found.truth, found.warns)
    assert (U, False) == (unknown.truth, unknown.warns)


@pytest.mark.parametrize(
    ("topic", "facts", "topics"),
    [
        ("confirmed", (problem(),), ("confirmed",)),
        ("supportive", (problem(),), ("confirmed", "supportive")),
        ("supportive", (), ("confirmed",)),
    ],
)
def test_shows_supportive_care_only_where_some_is_due(topic, facts, topics):
    """The second card stands only beside the first and holds advice that applies."""
    assert topics == assess(toy(recommendations=[advice("rest", "tetany", topic=topic)]), DISEASE, *facts).topics


def test_shows_no_supportive_card_for_what_could_not_be_checked():
    """Advice of which nobody knows whether it applies is no reason for a card."""
    knowledge = toy(recommendations=[advice("salt", "low-potassium", topic="supportive")])

    assert ("confirmed",) == assess(knowledge, DISEASE).topics


def test_advises_nobody_without_the_disease():
    """Advice is for a confirmed disease."""
    found = assess(toy(recommendations=[advice("rest", "tetany", shows=["lab-potassium"])]), *BOTH)

    assert ((), {}) == (found.advice, dict(found.latest))


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ((low(4.2), low(4.0, "2026-08-01", ref="o/2")), "4.2 mmol/L"),
        ((low(4.2, "2024-11-22"),), "4.2 mmol/L"),
        ((low(4.2, "2024-11-21"),), None),
        ((low(4.2, None),), None),
        ((low(4.2, unit="furlong"),), None),
        ((), None),
    ],
)
def test_shows_the_newest_value_beside_advice(facts, shown):
    """A value that the advice needs, with its place and day, unless it is too old or undated."""
    rules = {**part("assessment"), "shown_within": "P24M"}
    item = advice("rest", "tetany", shows=["tetany", "lab-potassium"])

    found = assess(toy(recommendations=[item], assessment=rules), DISEASE, problem(), *facts).latest

    assert ({"lab-potassium": shown} if shown else {}) == {name: one.value for name, one in found.items()}


# --- doubtful diagnoses ---


def uncounted(*facts, full=True, flags=None, **members):
    """The diagnoses that stand in the chart only as doubtful ones."""
    return assess(toy(red_flags=flags or part("red_flags")), *facts, full=full, **members).uncounted


def doubted(value, **members):
    """A doubtful diagnosis of tetany as evidence."""
    told = {"ref": "c/1", "value": value, "on": Day(2026, 9, 1), "recorded": Day(2026, 9, 1), "remarks": ("by its text",)}
    return Evidence(what="Tetany", **{**told, "quote": "tetany", **members})


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (problem(verification="provisional"), doubted("provisional")),
        (problem(verification="differential"), doubted("differential")),
        (problem(verification="unconfirmed"), doubted("unconfirmed")),
        (problem("possible tetany"), doubted("doubtful", quote="possible tetany")),
        (
            problem("possible tetany", verification=None),
            doubted("doubtful", quote="possible tetany", remarks=("by its text", "verification status not given")),
        ),
        (problem(verification="refuted"), None),
        (problem(verification="entered-in-error"), None),
        (problem("rule out tetany"), None),
        (problem("rule out tetany", verification="provisional"), None),
        (problem("possible headache"), None),
        (problem(), None),
    ],
)
def test_shows_a_diagnosis_that_is_only_provisional(one, shown):
    """It does not count, and the card says so; what was refuted or excluded is not shown."""
    assert ((shown,) if shown else ()) == uncounted(one)


def test_shows_each_doubtful_diagnosis_once():
    """Under the first red flag that it would be, and every one of them; flags that no card shows are left out."""
    first, second = problem(verification="provisional"), problem(verification="provisional", ref="c/3")
    flags = [flag("hidden", TETANY, shown=False), *part("red_flags"), flag("spasms", TETANY)]

    assert [("Tetany", "c/1"), ("Tetany", "c/3")] == [(one.what, one.ref) for one in uncounted(first, second, flags=flags)]


@pytest.mark.parametrize(("facts", "full", "count"), [((low(),), False, 1), ((), False, 0), ((), True, 1)])
def test_shows_doubtful_diagnoses_only_beside_a_card(facts, full, count):
    """Alone they are no reason for one."""
    assert count == len(uncounted(problem(verification="provisional"), *facts, full=full))


# --- results of the gene ---

NOT_DETECTED = gene("SLC12A3 not detected, all coding exons.")
SUSPECT = (low(), problem(on="2025-01-01"))


@pytest.mark.parametrize(
    ("result", "more", "topics"),
    [
        (NOT_DETECTED, (), ()),
        (gene("SLC12A3 not detected."), (), ("negative",)),
        (gene("SLC12A3 not detected, all coding exons.", None), (), ("negative",)),
        (gene("SLC12A3 not detected, all coding exons.", "2025-11-22"), (), ()),
        (gene("SLC12A3 not detected, all coding exons.", "2025-11-21"), (), ("test",)),
        (gene("SLC12A3: quantity not sufficient."), (), ("uncertain",)),
    ],
)
def test_keeps_silent_after_a_negative_that_settles_it(result, more, topics):
    """A complete negative of the last year settles it; a limited or undated one does not."""
    assert topics == assess(toy(), *SUSPECT, result, *more).topics


@pytest.mark.parametrize(
    ("members", "again"),
    [
        ({"on": "2026-10-02"}, True),
        ({"on": "2026-10-01"}, False),
        ({"on": "2026-09-30"}, False),
        ({"on": "2026-09-30", "recorded": moment("2026-10-02")}, True),
        ({"on": "2026-10-02", "recorded": moment("2026-09-30")}, False),
        ({"on": None}, False),
    ],
)
def test_opens_the_question_again_for_an_organ_that_is_new_in_the_chart(members, again):
    """What came into the chart after the result counts as new, by its record or else by its day."""
    found = assess(toy(), low(), problem(**members), NOT_DETECTED)

    assert (("negative",) if again else ()) == found.topics


def test_does_not_open_it_again_for_an_organ_that_was_known_before():
    """A second entry of a known organ is nothing new, nor is a moderate organ."""
    new = problem(on="2026-10-05", ref="c/3")
    flags = [part("red_flags")[0], {**part("red_flags")[1], "organ": {"system": "muscle", "strength": "moderate"}}]

    assert () == assess(toy(), low(), problem(), new, NOT_DETECTED).topics
    assert () == assess(toy(red_flags=flags), low(), new, NOT_DETECTED).topics


def test_does_not_speak_again_below_the_tier_of_the_test():
    """After a negative a mere thought of the disease is not worth a card."""
    assert () == assess(toy(), problem(on="2026-10-05"), NOT_DETECTED).topics


# --- orders ---

MAGNESIUM = {
    "id": "magnesium",
    "topics": ["test"],
    "label": "Magnesium",
    "description": "Magnesium.",
    "text": "Magnesium",
    "when": "tetany",
    "reason": ["tetany"],
}
KNOWN = {**MAGNESIUM, "unless_result": ["lab-potassium"], "within": "P1M", "ordered_as": "lab-potassium", "ordered_text": "magnes"}


def requested(text="", codes=(), status="active") -> Order:
    """A request."""
    return Order(ref="s/1", text=text, codes=codes, status=status, when=moment("2026-11-20"))


@pytest.mark.parametrize(
    ("order", "facts", "offered"),
    [
        (MAGNESIUM, (), True),
        ({**MAGNESIUM, "topics": ["consider"]}, (), False),
        ({**MAGNESIUM, "when": {"not": "tetany"}}, (), False),
        (MAGNESIUM, (requested("Magnesium"),), True),
        ({**KNOWN, "within": "P1D"}, (), True),
        (KNOWN, (), False),
        ({**KNOWN, "within": None}, (), True),
        ({**KNOWN, "within": "P21D"}, (), False),
        ({**KNOWN, "within": "P20D"}, (), True),
        ({**KNOWN, "within": "P1D"}, (requested("Serum MAGNESIUM"),), False),
        ({**KNOWN, "within": "P1D"}, (requested("Sodium"),), True),
        ({**KNOWN, "within": "P1D"}, (requested(codes=(POTASSIUM,)),), False),
        ({**KNOWN, "within": "P1D"}, (requested("Magnesium", status="on-hold"),), False),
        ({**KNOWN, "within": "P1D"}, (requested("Magnesium", status="draft"),), False),
        ({**KNOWN, "within": "P1D"}, (requested("Magnesium", status="completed"),), True),
        ({**KNOWN, "within": "P1D"}, (requested("Sodium"), requested("Magnesium")), False),
        ({**KNOWN, "within": "P1D"}, (requested("Magnesium", status="revoked"), requested("Magnesium")), False),
        ({**KNOWN, "within": "P20D"}, (Report(codes=(POTASSIUM,), status="final", when=moment("2026-11-20")),), False),
        ({**KNOWN, "within": "P20D"}, (Report(codes=(POTASSIUM,), status="cancelled", when=moment("2026-11-20")),), True),
        ({**KNOWN, "within": "P20D"}, (Report(codes=(POTASSIUM,), status="entered-in-error", when=moment("2026-11-20")),), True),
    ],
)
def test_offers_what_is_neither_done_nor_on_order(order, facts, offered):
    """A draft order is offered on its card, where it applies, and not for what was done lately or is on order."""
    order = {name: value for name, value in order.items() if value is not None}

    assert (("magnesium",) if offered else ()) == assess(toy(orders=[order]), *BOTH, *facts).orders


def test_offers_nothing_where_there_is_no_card():
    """A draft order stands on a card."""
    knowledge = toy(orders=[MAGNESIUM], module={**part("module"), "no_card_when": ["tetany"]})

    assert () == assess(knowledge, *BOTH).orders


def test_waits_for_a_gene_result_that_is_under_way():
    """While the gene's test is on order nothing else is offered."""
    assert () == assess(toy(orders=[MAGNESIUM]), *BOTH, requested("SLC12A3 analysis")).orders
