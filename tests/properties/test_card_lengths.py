"""Whatever a chart holds, a card keeps its length, and what warns stands on it in full."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cds_service.cards.compose import LONGEST_DETAIL, LONGEST_SUMMARY
from tests import build

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


@settings(max_examples=200, **STEADY)
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
