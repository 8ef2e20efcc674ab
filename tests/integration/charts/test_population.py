"""A synthetic population gets the cards that the tiers ask for, and no others."""

from __future__ import annotations

from tests.integration.population import PATIENTS


def test_answers_every_patient_without_fault(cohort):
    """Every answer is valid and none fails, with defects in the chart or without."""
    assert [] == cohort.tally.faults
    assert {"as generated": PATIENTS, "with defects": PATIENTS, "as generated, with signs": PATIENTS} == {
        way: count for (way, status), count in cohort.tally.calls.items() if status == 200
    }


def test_gives_each_patient_the_card_of_the_tiers(cohort):
    """Nobody gets a card as generated; with signs of the disease sex, age and their own platelets decide which."""
    assert [] == cohort.tally.surprises


def test_finds_as_many_red_flags_as_the_raw_charts_hold(cohort):
    """A count of the raw numbers and codes agrees with what the service finds."""
    assert cohort.counted == cohort.flags
