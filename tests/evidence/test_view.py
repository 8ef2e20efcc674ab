"""The page of three constructed patients, by hand: what they have, which rules hold, what is offered, and what is not known."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pytest

from cds_service.cards.compose import Composer
from cds_service.cards.snooze import Snooze
from cds_service.evidence.bundle import record_of
from cds_service.evidence.view import silenced, view_of
from cds_service.evidence.why import Told, criteria_of
from cds_service.reasoning.assess import Reasoner
from tests import build
from tests.reasoning import charts
from tests.reasoning.charts import condition, lab

REASONER, COMPOSER = Reasoner(build.KNOWLEDGE), Composer(build.KNOWLEDGE, "https://cds.example.org")


@cache
def patient(name):
    """The view of a constructed patient on the day on which the fixtures are true."""
    return view(record_of((build.FIXTURES / f"{name}.json").read_bytes(), build.KNOWLEDGE, build.TODAY, name))


def view(record):
    """The view of a record."""
    assessment = REASONER.evaluate(record, build.TODAY, full=True)
    return view_of(build.KNOWLEDGE, record, assessment, COMPOSER.compose(assessment, record, build.CALL))


def outcomes(found):
    """Rules or criteria by their id: the truth, and the labels of the items by theirs."""
    return {o.id: (o.truth, {t: [i.label for i in o.items if i.truth == t] for t in ("present", "absent", "unknown")}) for o in found}


# --- Sweet syndrome with macrocytosis: five years, four specialties ---


def test_tells_who_the_patient_is():
    """Sex, age, birth and id as the chart gives them."""
    assert ("fx-sweet-macrocytosis", "Man", "70 years", "1956-03-14", False) == patient("test-sweet-macrocytosis").person


def test_draws_five_years_of_counts():
    """Ten results of each blood count since 2021; MCV crosses 100 fL and platelets fall below 150."""
    found = {s.label: s for s in patient("test-sweet-macrocytosis").drawn.timeline.series}

    assert ["MCV", "Haemoglobin", "Platelets", "CRP", "White cells"] == [label for label, s in found.items() if not s.folded]
    assert (92.4, 108, 7) == (found["MCV"].points[0].number, found["MCV"].points[-1].number, sum(p.beyond for p in found["MCV"].points))
    assert (248, 139, 2) == (
        found["Platelets"].points[0].number,
        found["Platelets"].points[-1].number,
        sum(p.beyond for p in found["Platelets"].points),
    )


def test_draws_organs_and_drugs_on_the_same_axis():
    """Arthritis, lung, skin and four courses of prednisone, the last of which goes on."""
    found = {row.label: row for row in patient("test-sweet-macrocytosis").drawn.timeline.rows}

    assert ["2025-05-06"] == [m.when for m in found["Sweet syndrome or other neutrophilic dermatosis"].marks]
    assert ["2024-05-14"] == [m.when for m in found["Lung infiltrates or interstitial disease"].marks]
    assert [False, False, False, True] == [s.goes_on for s in found["Prednisone"].spans]
    assert {"Hydroxychloroquine", "Colchicine"} == {row.label for row in found.values() if row.lane == "Steroid-sparing drugs"}


def test_tells_what_of_each_rule_is_met_and_missing():
    """The polychondritis rule lacks polychondritis; the Japanese score has two of three."""
    found = outcomes(patient("test-sweet-macrocytosis").ruled.rules)

    assert ("absent", ["Relapsing polychondritis"]) == (found["S1"][0], found["S1"][1]["absent"])
    assert (["Skin lesions", "Lung involvement"], ["Chondritis", "Macrocytic anaemia"]) == (found["S2"][1]["present"][1:], found["S2"][1]["absent"])


def test_names_only_the_criterion_that_decides():
    """Criterion e leads to the card; those of the lower tier, met or not, stand apart."""
    found = patient("test-sweet-macrocytosis")

    assert ["e"] == [o.id for o in found.ruled.criteria]
    assert {"c", "d", "f", "g", "h", "i", "k", "l"} == {o.id for o in found.ruled.other_criteria}
    assert "70 years" in found.ruled.criteria[0].items[0].facts


def test_shows_facts_with_value_unit_and_day():
    """Facts read as on the card, with units as people write them."""
    found = {line.label: line.facts for line in patient("test-sweet-macrocytosis").explained.found}

    assert ("Platelets 139 ×10³/µL (2026-11-10)",) == found["Low platelets"]
    assert ("MCV 108 fL (2026-11-10)", "MCV 107.5 fL (2026-08-11)") == found["Macrocytosis"]


def test_keeps_not_assessed_apart_from_not_found():
    """Alcohol and copper were never looked at; B12 was, and is told with its value."""
    found = {line.label: line for line in patient("test-sweet-macrocytosis").explained.alternatives}

    assert ("unknown", "absent") == (found["Alcohol use disorder"].truth, found["B12 or folate deficiency"].truth)
    assert "Vitamin B12 468 pg/mL (2025-11-18)" in found["B12 or folate deficiency"].facts


# --- confirmed, with a thrombosis and no anticoagulant ---


def test_puts_what_warns_first():
    """Thrombosis without anticoagulation is the first recommendation; each caution shows the fact that raises it."""
    found = patient("confirmed-variant-observation")
    jak = next(a for a in found.suggested if a.text.startswith("JAK inhibitor"))

    assert (True, "VTE on record") == (found.suggested[0].warns, found.suggested[0].text[:13])
    assert "History of VTE (2025-03-04)" in [text for text, _ in jak.cautions]


def test_tells_the_gene_and_places_it():
    """The variant with its fraction stands on top and has its day on the axis."""
    found = patient("confirmed-variant-observation")

    assert ("UBA1", "confirmed") == found.gene[:2]
    assert "VAF 72 %" in found.gene.facts[0]
    assert ["2026-05-29"] == [m.when for row in found.drawn.timeline.rows if row.kind == "gene" for m in row.marks]


def test_no_criterion_decides_once_the_gene_is_known():
    """The card rests on the gene, so every criterion stands apart."""
    assert () == patient("confirmed-variant-observation").ruled.criteria


def test_every_number_of_a_source_leads_to_it():
    """Each citation on the page has a source of that number."""
    found = patient("confirmed-variant-observation")
    cited = {name for one in (*found.ruled.rules, *found.explained.found, *found.suggested) for name in one.citations}

    assert cited <= set(found.sources)
    assert [*found.sources] == [c.id for c in found.sources.values()]
    assert [*range(1, len(found.sources) + 1)] == found.cite(found.sources)


# --- an imperfect chart ---


def test_says_what_of_an_imperfect_chart_was_not_used():
    """A result of another patient, an unknown unit and an incomplete date are told; the incomplete date is shown as incomplete."""
    found = patient("messy-chart")
    said = " ".join(what for what, _ in found.issues)

    assert "belongs to another patient" in said
    assert [line for line in found.drawn.timeline.undrawn if line.startswith("Neutrophils")]
    assert "1957" == found.person.born
    assert ["2025-06"] == [m.when for row in found.drawn.timeline.rows if row.label.startswith("Sweet") for m in row.marks]


# --- what was answered before ---


def test_tells_what_was_answered_in_words():
    """A card is silent for its client; with something new it is not, and the page names it; answers to nobody keep nothing away."""
    plain = Snooze(build.TODAY, dt.date(2026, 12, 6), (), "not-now")
    again = Snooze(build.TODAY, dt.date(2026, 12, 6), ("neutrophilic-dermatosis",), None)
    told = [("north", "vexas-consider", plain, True), ("north", "vexas-test-uba1", again, True), ("open", "vexas-consider", plain, False)]
    found = [(s.card, s.silent, s.reason, s.new) for s in silenced(build.KNOWLEDGE, told)]

    assert [
        ("VEXAS syndrome: consider", True, "Not now", ""),
        ("VEXAS syndrome: consider UBA1 testing", False, "", "Sweet syndrome or other neutrophilic dermatosis"),
        ("VEXAS syndrome: consider", False, "Not now", ""),
    ] == found


# --- nothing to show ---


def test_says_why_there_is_no_card():
    """A healthy man meets nothing; a dead one gets no card whatever is met."""
    dead = view(charts.record(lab("lab-mcv", 108, "fL"), condition("cond-relapsing-polychondritis"), deceased=True))

    assert "No criterion is met by what is in this chart." == patient("healthy-man-80").nothing
    assert dead.nothing.startswith("No card may be shown: ")


def test_says_that_nobody_knows():
    """Of an empty chart without age and sex nothing is claimed."""
    found = view(charts.record(birth=None, sex=None, unread=tuple({r.domain for r in build.KNOWLEDGE.requirements.values()} - {"patient"})))

    assert ("Sex unknown", "age unknown", "") == found.person[1:4]
    assert {"unknown"} == {line.truth for line in found.explained.alternatives}
    assert () == found.explained.found


@pytest.mark.parametrize("name", build.fixture_names())
def test_criteria_hold_as_they_decided(name):
    """Each criterion's truth on the page is the one by which the tier was found."""
    found = patient(name)
    deciding, others = criteria_of(Told(build.KNOWLEDGE, found.assessment))

    ruled = {c.id for tier in build.KNOWLEDGE.assessment.tiers for c in tier.any if c.rule}
    assert found.assessment.met - ruled == {o.id for o in (*deciding, *others) if o.truth == "present"}
