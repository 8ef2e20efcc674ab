"""Cards with little to say still say it, and say nothing that is not so."""

from __future__ import annotations

import pytest

from cds_service.cards.wording import inside_a_sentence
from tests import build

GENE_TEST = {"coding": [{"system": build.LOINC, "code": "104268-8"}]}


def test_gives_a_confirmed_patient_without_need_a_whole_card(client):
    """Where no treatment applies, the card still names the diagnosis, its basis and its standing."""
    labs = build.bundle(build.mcv(90), build.platelets(250), build.lab("718-7", 15, "g/dL"), build.lab("751-8", 4, "10*9/L"))
    quiet = build.bundle(build.crp(4), build.lab("4537-7", 12, "mm/h"))
    diagnosis = build.bundle(build.condition("M04.8", code={"text": "VEXAS syndrome"}))
    prefetch = {**build.healthy(), "bloodCounts": labs, "inflammation": quiet, "conditions": diagnosis}

    card = client.post(build.SERVICE, json=build.request(prefetch)).json["cards"][0]

    assert "vexas-confirmed" == card["source"]["topic"]["code"]
    assert "on the problem list" in card["detail"]
    assert "Shared care" in card["detail"]
    assert "Draft knowledge" in card["detail"]


def test_does_not_call_an_old_finding_new_beside_an_old_negative(client):
    """A negative result of two years ago is shown on the test card, without a word about new organs."""
    negative = build.report("UBA1: no variant detected. All coding exons sequenced.", on="2024-10-01", code=GENE_TEST)
    prefetch = {**build.suspect(), "reports": build.bundle(negative)}

    card = client.post(build.SERVICE, json=build.request(prefetch)).json["cards"][0]

    assert "vexas-test-uba1" == card["source"]["topic"]["code"]
    assert "UBA1 not detected (2024-10-01)" in card["detail"]
    assert "new since" not in card["detail"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("CRP", "CRP"),
        ("eGFR", "eGFR"),
        ("Body weight", "body weight"),
        ("Vitamin B12", "vitamin B12"),
        ("ALT or AST", "ALT or AST"),
        ("Ferritin", "ferritin"),
    ],
)
def test_keeps_the_capitals_of_an_abbreviation(label, expected):
    """A test that has no usable result is named as it is written: CRP, not crp."""
    assert expected == inside_a_sentence(label)


def test_names_a_missing_test_as_it_is_written(client):
    """With fever and no CRP the card says so in capitals."""
    fever = build.condition("R50.9", on="2026-11-10", id="fever")
    named = build.condition(id="named", code={"text": "VEXAS syndrome"})

    card = client.post(build.SERVICE, json=build.request({**build.healthy(), "conditions": build.bundle(named, fever)})).json["cards"][0]

    assert "No usable CRP in" in card["detail"]
    assert "No usable body weight in" in card["detail"]
