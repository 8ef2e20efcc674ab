"""Cards of every fixture: short, sourced, sober, and with drafts that are sound FHIR."""

import copy
import json
import re

import pytest
import yaml

from cds_service.cards.compose import LONGEST_DETAIL, LONGEST_SUMMARY
from cds_service.fhir.strict import faults
from tests.fixtures_.charts import EXPECTED, KNOWLEDGE, NAMES, answer, answer_to, bundle

WITH_CARDS = [name for name in NAMES if EXPECTED[name]["topics"]]
FORBIDDEN = re.compile(
    r"patient has vexas|rules? out|\bstart |eligible for (a |the )?trial|safe to stop|excludes vexas|\.\./|\bsession\b", re.IGNORECASE
)
SPOKEN = (
    "cards.yaml",
    "recommendations.yaml",
    "orders.yaml",
    "rules.yaml",
    "assessment.yaml",
    "red_flags.yaml",
    "alternatives.yaml",
    "facts.yaml",
    "module.yaml",
)


def texts(value):
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def crowded():
    """A confirmed patient with everything: every organ, every caution, every gap."""
    chart = copy.deepcopy(bundle("confirmed-variant-observation"))
    patient = next(e["resource"]["id"] for e in chart["entry"] if e["resource"]["resourceType"] == "Patient")
    me = {"reference": f"Patient/{patient}"}
    sets = [name for name in KNOWLEDGE.value_sets if name.startswith(("cond-", "caut-", "support-", "alt-")) and name != "alt-treated-malignancy"]
    for name in sets:
        one = KNOWLEDGE.value_sets[name].concepts[0].code
        code = {"coding": [{"system": one.system, "code": one.value}]}
        chart["entry"].append(
            {"resource": {"resourceType": "Condition", "id": f"x-{name}", "subject": me, "code": code, "recordedDate": "2026-11-01"}}
        )
    low = {
        "777-3": (8, "10*9/L"),
        "718-7": (7.1, "g/dL"),
        "751-8": (0.4, "10*9/L"),
        "731-0": (0.3, "10*9/L"),
        "1988-5": (120, "mg/L"),
        "787-2": (118, "fL"),
    }
    for loinc, (value, unit) in low.items():
        code = {"coding": [{"system": "http://loinc.org", "code": loinc}]}
        lab = {
            "resourceType": "Observation",
            "id": f"x-{loinc}",
            "status": "final",
            "subject": me,
            "code": code,
            "effectiveDateTime": "2026-11-20",
            "valueQuantity": {"value": value, "unit": unit},
        }
        chart["entry"].append({"resource": lab})
    for name in (n for n in KNOWLEDGE.value_sets if n.startswith("rx-")):
        one = KNOWLEDGE.value_sets[name].concepts[0].code
        code = {"coding": [{"system": one.system, "code": one.value}]}
        drug = {
            "resourceType": "MedicationRequest",
            "id": f"x-{name}",
            "status": "active",
            "intent": "order",
            "subject": me,
            "authoredOn": "2026-02-01",
            "medicationCodeableConcept": code,
        }
        chart["entry"].append({"resource": drug})
    return chart


def suspect_with_everything():
    """The same crowd without a gene result, as a suspicion."""
    chart = crowded()
    kinds = ("Observation", "DiagnosticReport")
    chart["entry"] = [
        e for e in chart["entry"] if not ((e["resource"]["resourceType"] in kinds and "69548-6" in json.dumps(e)) or "UBA1" in json.dumps(e))
    ]
    return chart


CROWDS = {"confirmed": crowded, "suspect": suspect_with_everything}


@pytest.fixture(params=[*WITH_CARDS, *CROWDS])
def cards(request):
    """The cards of one fixture, or of a patient with everything."""
    return answer_to(CROWDS[request.param]())["cards"] if request.param in CROWDS else answer(request.param)["cards"]


def test_makes_the_crowded_patients_speak():
    """The patients with everything do get their cards."""
    found = [[c["source"]["topic"]["code"] for c in answer_to(make())["cards"]] for make in CROWDS.values()]

    assert ["vexas-confirmed", "vexas-supportive-care"] == found[0]
    assert found[1]


@pytest.mark.requirement("cds-hooks_2.0@83")
def test_keeps_every_card_short(cards):
    """A summary has at most 139 characters and a detail at most 1,200, whatever the chart holds."""
    sizes = [(len(c["summary"]) <= LONGEST_SUMMARY, len(c["detail"]) <= LONGEST_DETAIL) for c in cards]

    assert [(True, True)] * len(cards) == sizes


def test_shows_at_most_two_cards(cards):
    """Nobody reads a third card."""
    assert 1 <= len(cards) <= 2


def test_ends_no_summary_in_the_middle_of_a_word(cards):
    """A summary is a whole sentence, not one that was cut."""
    cut = [c["summary"] for c in cards if c["summary"].endswith("\u2026")]

    assert [] == cut


def test_gives_the_source_of_every_number_in_brackets(cards):
    """Each [n] of a detail stands in its line of sources, and each source is cited."""
    for card in cards:
        body, _, sources = card["detail"].partition("**Sources**")
        cited = {n for group in re.findall(r"(?<!\\)\[(\d+(?:, \d+)*)\]", body) for n in group.split(", ")}
        listed = {source.split()[0] for source in sources.split("\n")[0].split(" \u00b7 ") if source.strip()}

        assert cited == listed, card["detail"]


def test_says_nothing_that_may_not_be_said(cards):
    """No card diagnoses, excludes, prescribes or promises a trial."""
    found = [text for text in texts(cards) if FORBIDDEN.search(text)]

    assert [] == found


@pytest.mark.parametrize("name", SPOKEN)
def test_holds_no_forbidden_phrase_in_the_module(name):
    """No text of the module that may reach a reader diagnoses, excludes, prescribes or promises a trial."""
    found = [text for text in texts(yaml.safe_load((KNOWLEDGE.folder / name).read_text(encoding="utf-8"))) if FORBIDDEN.search(text)]

    assert [] == found


def test_holds_no_forbidden_phrase_in_the_messages():
    """The messages about a gene result say what was found, not what the patient has."""
    found = [text for text in KNOWLEDGE.genetics.messages.values() if FORBIDDEN.search(text)]

    assert [] == found


@pytest.mark.requirement("cds-hooks_2.0@130")
def test_offers_only_sound_drafts(cards):
    """Everything that a suggestion would create is a valid proposal in draft, for nobody else."""
    resources = [a["resource"] for c in cards for s in c.get("suggestions", ()) for a in s["actions"]]

    assert [] == [fault for resource in resources for fault in faults(resource)]
    assert {("draft", "proposal")} >= {(r["status"], r["intent"]) for r in resources}


def test_offers_no_order_twice(cards):
    """A suggestion has its own label and uuid on its card."""
    for card in cards:
        labels = [s["label"] for s in card.get("suggestions", ())]
        uuids = [s["uuid"] for s in card.get("suggestions", ())]

        assert len(labels) == len(set(labels)) == len(set(uuids))


def test_offers_nothing_while_the_test_is_pending():
    """While a UBA1 test is under way the card informs and offers no order."""
    cards = answer("test-ordered-uba1-pending")["cards"]

    assert [("info", False)] == [(c["indicator"], "suggestions" in c) for c in cards]


def test_shows_no_words_of_the_chart_alive():
    """A hostile problem text reaches the card, if at all, as inert words."""
    chart = copy.deepcopy(bundle("messy-chart"))
    for entry in chart["entry"]:
        if entry["resource"]["resourceType"] == "Condition":
            concept = entry["resource"]["code"]
            concept["text"] = concept.get("text", "") + " <script>alert(1)</script> [x](http://evil.example)"

    said = json.dumps(answer_to(chart))

    assert [] == [sign for sign in ("<script", "](http://evil", "evil.example") if sign in said]


def test_names_the_same_card_the_same_way():
    """The same call gives the same card the same uuid."""
    first, second = (answer_to(bundle("test-sweet-macrocytosis"))["cards"][0]["uuid"] for _ in range(2))

    assert first == second


def test_never_says_critical(cards):
    """A suspicion is information or a warning."""
    assert {c["indicator"] for c in cards} <= {"info", "warning"}


def test_says_that_the_knowledge_is_a_draft(cards):
    """While the module is a draft every card says so."""
    assert [True] * len(cards) == [KNOWLEDGE.module.status_line in c["detail"] for c in cards]
