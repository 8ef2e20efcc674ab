"""The cases prove the module: what is left unproved is named with the file and with a case that can be pasted."""

import functools
import re

import msgspec
import pytest

from cds_service.knowledge import yaml12
from cds_service.knowledge.model import Case
from cds_service.reasoning import casebook
from cds_service.reasoning.coverage import uncited, uncovered
from cds_service.reasoning.edges import unproved_look_backs
from tests import build

pytestmark = pytest.mark.long

KNOWLEDGE = build.KNOWLEDGE
REASONER = casebook.Reasoner(KNOWLEDGE)
LOOK_BACKS = list(unproved_look_backs(KNOWLEDGE, []))
# A single fact cannot meet these, or another part of the flag answers first; their message says the kind of fact and its day.
NEED_MORE = ("steroid-dependence looks back P12M: no case decides it by a medication", "multi-dmard looks back")


@functools.cache
def outcomes() -> list[casebook.Outcome]:
    """What the cases of the shipped module come to."""
    return list(casebook.run(KNOWLEDGE))


def edited(name: str, **changes):
    """The outcomes with the case of this name changed and run anew."""
    case = next(o.case for o in outcomes() if o.case.name == name)
    return [o for o in outcomes() if o.case.name != name] + [run(msgspec.structs.replace(case, **changes))]


def run(case: Case) -> casebook.Outcome:
    """The outcome of one more case."""
    record = casebook.record_of(KNOWLEDGE, case)
    assessment = REASONER.evaluate(record, casebook.Day.fromisoformat(case.today), full=True)
    return casebook.Outcome("cases-new.yaml:1", case, tuple(casebook._faults(KNOWLEDGE, case, assessment)), record, assessment)


def test_finds_the_shipped_module_proved():
    """The cases of the shipped module leave nothing open."""
    assert [] == list(uncovered(KNOWLEDGE, outcomes()))


def test_asks_for_two_cases_at_every_look_back():
    """Without cases each look-back lacks the oldest day that counts and the first that is too old."""
    asked = [re.search(r": ([\w-]+) looks back (\w+): .* on the (oldest|first)", fault) for fault in LOOK_BACKS]

    assert all(asked)
    assert len(asked) == 2 * sum(m.group(3) == "oldest" for m in asked if m)
    assert len(asked) > 100


@pytest.mark.parametrize("fault", LOOK_BACKS, ids=lambda fault: fault[:90])
def test_suggests_a_case_that_can_be_pasted(fault, tmp_path):
    """The case in the message holds as it stands, and closes the gap that it was suggested for."""
    path = tmp_path / "cases-new.yaml"
    path.write_text(fault.partition("Add for example: ")[2].removesuffix("."), encoding="utf-8")
    (case,) = msgspec.convert(yaml12.read(path).value, tuple[Case, ...])
    outcome = run(case)
    if any(known in fault for known in NEED_MORE) or ("macrocytosis looks back" in fault and "}, {" in fault):
        return

    assert () == outcome.faults
    assert fault not in {one.replace("cases-new.yaml", "cases.yaml") for one in unproved_look_backs(KNOWLEDGE, [outcome])}


@pytest.mark.parametrize("place", [place for place, _ in KNOWLEDGE.cases() if place.startswith("cases-edges")])
def test_misses_each_case_of_an_edge(place):
    """Each case about an edge proves something that no other case does."""
    others = [o for o in outcomes() if o.place != place]

    assert [] != list(uncovered(KNOWLEDGE, others))


def test_is_not_content_with_a_fact_that_does_not_decide():
    """A fact on the right day proves nothing where the flag is present by another fact anyway."""
    name = "Zoster of three months ago to the day is an infection now."
    case = next(o.case for o in outcomes() if o.case.name == name)
    conditions = (*case.record.conditions, msgspec.structs.replace(case.record.conditions[0], date="2026-11-01"))
    kept = edited(name, record=msgspec.structs.replace(case.record, conditions=conditions))

    assert any("infection-now looks back P3M" in fault for fault in uncovered(KNOWLEDGE, kept))


def test_wants_a_published_rule_met_and_missed_by_one_item():
    """A rule is proved by a case that meets it and by one that lacks exactly one item, the others being known."""
    without = [o for o in outcomes() if "S1" not in o.case.expect]
    far = [o for o in outcomes() if o.case.expect.get("S1") != "absent" or o.assessment.rules["S1"].items.count(casebook.Truth.PRESENT) != 3]

    assert ["no case meets the rule S1", "no case just misses the rule S1"] == said(without, "the rule S1")
    assert ["no case just misses the rule S1"] == said(far, "the rule S1")


def said(kept, about):
    """What is said of something, without file and remedy."""
    return [fault.partition(": ")[2].partition(". Add")[0] for fault in uncovered(KNOWLEDGE, kept) if about in fault]


def test_wants_each_caution_raised():
    """A caution that no case raises for its own recommendation is named, though another recommendation has the same words."""
    text = "infection active or recorded in the last 3 months"
    kept = [o for o in outcomes() if not ("T20" in o.case.recommends and text in o.case.cautions)]

    missing = ((text, "T20"), ("eGFR below 30", "T20"), (text, "T21"))
    assert [f'no case raises the caution "{words}" of {item}' for words, item in missing] == said(kept, "raises the caution")


def test_wants_each_recommendation_without_its_cautions():
    """Advice whose cautions are always raised, or never denied, is not proved."""
    kept = [o for o in outcomes() if "S12" not in o.case.no_cautions]

    on_one = "on an erythropoiesis-stimulating agent with"
    cautions = (
        f"{on_one} a history of VTE",
        f"{on_one} haemoglobin above 11",
        "history of VTE: these agents raise the risk",
        "hypertension: not while uncontrolled",
    )
    named = '" or "'.join(cautions)
    assert [f'no case recommends S12 without "{named}"'] == said(kept, "S12")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("T10",), "T10 should be free of the caution 'history of VTE'"),
        (("history of VTE",), "T10 should be free of the caution 'history of VTE'"),
    ],
)
def test_fails_a_case_whose_caution_is_raised_after_all(words, fault):
    """What a case says is not raised must not be."""
    name = "Steroid-dependent man of 65 with thrombosis, infarction, smoking, cancer and sepsis: each speaks against a JAK inhibitor."
    outcome = edited(name, no_cautions=words)[-1]

    assert fault in outcome.faults


def test_names_the_file_in_which_the_case_belongs():
    """A message begins with the file that says most of the thing already."""
    kept = [o for o in outcomes() if "S12" not in o.case.no_cautions]

    assert "cases-care.yaml" == next(f for f in uncovered(KNOWLEDGE, kept) if "S12" in f).partition(":")[0]


def test_lists_citations_that_nothing_cites():
    """A citation in use is not among them, one that nobody names is."""
    idle = set(uncited(KNOWLEDGE))

    assert "beck-2020" not in idle
    assert idle < set(KNOWLEDGE.citations)
