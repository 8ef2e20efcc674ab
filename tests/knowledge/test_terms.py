"""Free text to value sets: the longest phrase is meant, a denied one is not, and half a word is none."""

import pytest

from cds_service.knowledge.loader import load
from cds_service.knowledge.terms import plain


@pytest.fixture(scope="module")
def knowledge():
    """The shipped module."""
    return load()


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("Relapsing polychondritis", {"cond-relapsing-polychondritis"}),
        ("relapsing  POLYCHONDRITIS, ear", {"cond-relapsing-polychondritis"}),
        ("Sweet\u2019s syndrome", {"cond-neutrophilic-dermatosis"}),
        ("Sweet's syndrome", {"cond-neutrophilic-dermatosis"}),
        ("Leukocytoclastic vasculitis", {"cond-cutaneous-vasculitis"}),
        ("Retinal vasculitis", {"cond-ocular"}),
        ("Vasculitis", {"cond-systemic-vasculitis"}),
        ("Giant cell arteritis and retinal vasculitis", {"cond-systemic-vasculitis", "cond-ocular"}),
        ("Macrocytic anaemia", {"cond-macrocytic-anemia", "cond-macrocytic-anemia-only", "cond-macrocytosis-text-needed", "cond-cytopenia"}),
        ("Anemia", {"cond-cytopenia"}),
        ("Auricular chondritis", {"cond-chondritis-other"}),
        ("(auricular chondritis)", {"cond-chondritis-other"}),
        ("Pinna chondritis", {"cond-chondritis-other"}),
        ("Chondritis of the pinna, left", {"cond-chondritis-other"}),
        ("Ear and nose chondritis", {"cond-chondritis-other"}),
        ("Intermittent fevers", {"cond-fever", "cond-recurrent-fever"}),
        ("chondritis of the ribs", set()),
        ("Pulmonary infiltrates, bilateral", {"cond-pulmonary"}),
        ("Acute pulmonary embolism", {"cond-vte"}),
        ("VEXAS syndrome", {"disease-codes", "uba1-test"}),
        ("", set()),
    ],
)
def test_finds_what_a_text_names(knowledge, text, sets):
    """A phrase is found on word boundaries whatever the case; within a longer phrase of any set only the longer one is meant."""
    found = knowledge.reading(text).value_sets

    assert sets == found


@pytest.mark.parametrize(
    "text",
    [
        "No pulmonary infiltrates",
        "no new focal pulmonary infiltrates",
        "No evidence for any pulmonary infiltrates",
        "Without deep vein thrombosis",
        "denies arthralgia",
        "Patient denied any joint pain",
        "negative for deep vein thrombosis",
        "Absence of scleritis",
        "Never deep vein thrombosis",
        "not scleritis",
        "no scleritis or uveitis",
        "non scleritis",
    ],
)
def test_does_not_count_what_a_text_denies(knowledge, text):
    """A phrase within four words after a negation is denied."""
    found = knowledge.reading(text).value_sets

    assert set() == found


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("No fever; pulmonary infiltrates", {"cond-pulmonary"}),
        ("No fever. Scleritis of the left eye", {"cond-ocular"}),
        ("No response to colchicine in a man with known long-standing scleritis", {"cond-ocular"}),
        ("Not smoking, scleritis", {"cond-ocular"}),
        ("Nodular scleritis", {"cond-ocular"}),
    ],
)
def test_counts_what_only_follows_a_negation_from_afar(knowledge, text, sets):
    """A negation ends at a stop, a comma or after four words, and half a word negates nothing."""
    found = knowledge.reading(text).value_sets

    assert sets == found


@pytest.mark.parametrize(
    "text",
    [
        "Costo-chondritis",
        "costochondritis",
        "perichondritisoid",
        "polychondritislike",
        "dvts-free survival study",
        "mildly",
        "childhood illness",
        "VEXASED",
    ],
)
def test_does_not_find_half_a_word(knowledge, text):
    """A phrase inside a longer or a hyphenated word is not that phrase."""
    found = knowledge.reading(text).value_sets

    assert set() == found


def test_says_which_phrase_it_found(knowledge):
    """A match carries the phrase of the module, not the words of the chart."""
    found = knowledge.matcher.matches("Pulmonary EMBOLISM of the left lung")

    assert [("cond-vte", "pulmonary embol")] == [tuple(match) for match in found]


def test_reads_only_the_beginning_of_a_very_long_text(knowledge):
    """A problem's name is short: beyond 2,000 characters nothing is read, and it takes no time."""
    found = knowledge.reading("x " * 500_000 + "scleritis").value_sets

    assert set() == found


def test_writes_a_text_plainly():
    """Case, white space and apostrophes do not matter."""
    found = plain("  Sweet\u2019s\n SYNDROME ")

    assert "sweet's syndrome" == found
