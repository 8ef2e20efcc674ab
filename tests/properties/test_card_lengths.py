"""Whatever a chart holds, a card keeps its length, and what warns stands on it in full."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from cds_service.cards import wording
from cds_service.cards.compose import LONGEST_DETAIL, LONGEST_SUMMARY
from cds_service.invocation import Service
from cds_service.reasoning.findings import Advice
from cds_service.reasoning.truth import Truth
from tests import build

pytestmark = pytest.mark.long

STEADY = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
PROBLEMS = tuple(
    (concept.code.system, concept.code.value)
    for name, value_set in build.KNOWLEDGE.value_sets.items()
    if name.startswith(("cond-", "alt-", "support-", "caut-"))
    for concept in value_set.concepts[:3]
)
WORDS = ("Sweet syndrome of the left forearm, biopsy proven, relapsing, several times treated with steroids", "chondritis *of* [both] ears (ENT)")
LABS = (
    build.mcv(108), build.platelets(40), build.crp(120), build.lab("718-7", 7.1, "g/dL"), build.lab("751-8", 0.3, "10*9/L"), build.lab("731-0", 0.3, "10*9/L"),
    build.lab("742-7", 0.1, "10*9/L"), build.lab("4537-7", 90, "mm/h"), build.lab("2276-4", 1500, "ng/mL"), build.mcv(103, on="2026-05-01"),
)  # fmt: skip
FIVE = tuple((build.ICD_10_CM, value) for value in ("M94.1", "H61.009", "L98.2", "M79.3", "J84.116"))


def problems(codes: Any, words: Any = ()) -> list[dict[str, Any]]:
    """Conditions of these codes, each entered twice, and of these words."""
    return [
        *(
            build.condition(id=f"c{i}-{on}", code={"coding": [{"system": system, "code": value}]}, onsetDateTime=on)
            for i, (system, value) in enumerate(codes)
            for on in ("2024-05-02", "2025-06-03")
        ),
        *(build.condition(id=f"w{i}", code={"text": text}) for i, text in enumerate(words)),
    ]


def cards_of(client: Any, prefetch: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards of a chart."""
    response = client.post(build.SERVICE, json=build.request(prefetch))

    assert 200 == response.status_code

    return list(response.json["cards"])


@settings(max_examples=100, **STEADY)
@given(
    codes=st.sets(st.sampled_from(PROBLEMS), max_size=14),
    words=st.sets(st.sampled_from(WORDS)),
    labs=st.lists(st.sampled_from(LABS), unique_by=lambda lab: lab["id"]),
    unsent=st.sets(st.sampled_from(build.KEYS), max_size=6),
)
@example(codes=FIVE, words=(), labs=(), unsent=())
@example(codes=FIVE, words=(), labs=(), unsent=("bloodCounts", "inflammation", "medicationRequests", "reports"))
def test_keeps_the_cards_of_a_suspicion_short(client, codes, words, labs, unsent):
    """Any number of organs, results, other explanations and gaps leave a detail within 1,200 characters."""
    prefetch = {**build.healthy(), "conditions": build.bundle(*problems(sorted(codes), sorted(words))), "bloodCounts": build.bundle(*labs)}
    for key in sorted(set(unsent) & set(prefetch)):
        del prefetch[key]

    cards = cards_of(client, prefetch)

    assert [] == [len(c["detail"]) for c in cards if len(c["detail"]) > LONGEST_DETAIL]
    assert [] == [c["summary"] for c in cards if len(c["summary"]) > LONGEST_SUMMARY]


DRUGS = tuple(
    (concept.code.system, concept.code.value)
    for name, value_set in build.KNOWLEDGE.value_sets.items()
    if name.startswith("rx-")
    for concept in value_set.concepts[:4]
)
HARM = tuple(
    (concept.code.system, concept.code.value)
    for name, value_set in build.KNOWLEDGE.value_sets.items()
    if name.startswith(("caut-", "cond-vte", "cond-acute"))
    for concept in value_set.concepts[:2]
)
SERVICE = Service(build.KNOWLEDGE, "https://cds.example.org", lambda: build.TODAY)
REPORT = build.report("UBA1 c.122T>C p.Met41Thr detected, VAF 45 %", code={"coding": [{"system": build.LOINC, "code": "104268-8"}]})


def warnings_of(prefetch: dict[str, Any]) -> list[str]:
    """The texts of the cautions that warn in a chart."""
    record = SERVICE.chart(SERVICE.read(build.body_of(build.request(prefetch))), build.TODAY)
    items = build.KNOWLEDGE.recommendations
    raised = [items[a.id].cautions[i] for a in SERVICE.reasoner.evaluate(record, build.TODAY).advice for i in a.cautions if a.warns]
    return [caution.text for caution in raised if caution.warns]


def said(detail: str, text: str) -> bool:
    """Whether a warning stands in a detail, in one piece or after the name of a drug that is told once."""
    drug, _, fact = text.partition(" with ")
    return text in detail or bool(fact and f"{drug} with" in detail and f"with {fact}" in detail)


@settings(max_examples=150, **STEADY)
@given(
    codes=st.sets(st.sampled_from(HARM), max_size=14),
    drugs=st.sets(st.sampled_from(DRUGS), max_size=14),
    labs=st.lists(st.sampled_from(LABS), unique_by=lambda lab: lab["id"]),
    tested=st.booleans(),
    unsent=st.sets(st.sampled_from(build.KEYS[2:]), max_size=3),
)
@example(codes=HARM, drugs=DRUGS[:20], labs=LABS, tested=True, unsent=())
def test_keeps_every_warning_of_a_confirmed_card(client, codes, drugs, labs, tested, unsent):
    """Any number of drugs and facts leave every warning on the card, and the card within its length."""
    named = build.condition(id="named", code={"text": "VEXAS syndrome"})
    orders = [
        build.medication(id=f"m{i}", medicationCodeableConcept={"coding": [{"system": system, "code": value}]})
        for i, (system, value) in enumerate(sorted(drugs))
    ]
    prefetch = {
        **build.healthy(),
        "conditions": build.bundle(named, build.condition(), *problems(sorted(codes))),
        "bloodCounts": build.bundle(*labs),
        "medicationRequests": build.bundle(*orders),
        "reports": build.bundle(*([REPORT] if tested else [])),
    }
    for key in sorted(set(unsent) - {"conditions", "reports"}):
        del prefetch[key]
    warnings = warnings_of(prefetch)

    cards = cards_of(client, prefetch)

    first, summary = cards[0]["detail"], cards[0]["summary"]
    assert summary.endswith(": treatment steps for review")
    assert len(summary) <= LONGEST_SUMMARY
    assert [] == [text for text in warnings if not said(first, text)]
    assert [] == [len(c["detail"]) for c in cards if len(c["detail"]) > LONGEST_DETAIL]


@pytest.mark.parametrize("basis", ["problem-list-only", "after-transplant", "canonical-variant"])
def test_says_how_many_warn_whatever_the_first_warning(basis):
    """Beside the longest basis and with many more, each warning leaves a summary whole: what warns, how many more, and the act."""
    chart = SERVICE.chart(SERVICE.read(build.body_of(build.request(build.confirmed()))), build.TODAY)
    plain = SERVICE.reasoner.evaluate(chart, build.TODAY)
    text, found = build.KNOWLEDGE.cards["confirmed"], wording.Wording(build.KNOWLEDGE).found(plain)
    genetics = structs.replace(plain.genetics, reasons=(basis,))

    for item in build.KNOWLEDGE.recommendations.values():
        for index in (i for i, caution in enumerate(item.cautions) if caution.warns):
            advice = Advice(id=item.id, truth=Truth.PRESENT, cautions=(index,), warns=True)

            summary = SERVICE.composer._summary(text, structs.replace(plain, genetics=genetics, advice=(advice,) * 13), found)

            assert len(summary) <= LONGEST_SUMMARY
            assert re.fullmatch(r"VEXAS syndrome, .* and 12 more: treatment steps for review", summary), summary
            assert item.cautions[index].text in summary or f", {item.short} warning and" in summary
            assert ", ," not in summary
