"""What results say of each other: how much work their links are, and how sure a class is that comes by a link."""

from __future__ import annotations

from time import process_time

import pytest

from cds_service.reasoning.gene_links import Links
from cds_service.reasoning.genetics import GeneReader
from tests.fhir.charting import gathered
from tests.reasoning.charts import KNOWLEDGE
from tests.reasoning.genomics import OTHER, answer, ask, gene, hgvs, implication, own_fraction, panel, report, variant

VARIANTS = [f"Observation/var-{n}" for n in range(1500)]


def variants():
    """Fifteen hundred variants of one day."""
    return [variant(gene(), hgvs("p.Ala100Gly"), id=name.split("/")[1]) for name in VARIANTS]


CHARTS = {
    "fractions that nothing links": lambda: [*variants(), *(own_fraction(40, id=f"f-{n}") for n in range(2000))],
    "fractions of a panel": lambda: [
        *variants(),
        panel(*VARIANTS),
        *(own_fraction(40, "%", "Observation/panel-1", id=f"f-{n}") for n in range(2000)),
    ],
    "fractions of a panel and something of their own": lambda: [
        *variants(),
        panel(*VARIANTS),
        *(own_fraction(40, "%", "Observation/panel-1", f"Observation/x-{n}", id=f"f-{n}") for n in range(2000)),
    ],
    "fractions of panels of a panel": lambda: [
        *variants(),
        panel(*VARIANTS),
        *(panel("Observation/panel-1", id=f"p-{n}") for n in range(1000)),
        *(own_fraction(40, "%", f"Observation/p-{n}", id=f"f-{n}") for n in range(1000)),
    ],
    "fractions of one variant": lambda: [variant(), *(own_fraction(40, "%", "Observation/var-1", id=f"f-{n}") for n in range(3000))],
    "interpretations of a panel many times over": lambda: [
        *variants(),
        panel(*VARIANTS),
        *(implication("pathogenic", *["Observation/panel-1"] * 120, id=f"i-{n}") for n in range(100)),
    ],
    "interpretations of every variant": lambda: [*variants(), *(implication("benign", *VARIANTS[n : n + 50], id=f"i-{n}") for n in range(300))],
}


@pytest.mark.parametrize("name", CHARTS)
def test_joins_a_large_chart_in_little_time(name):
    """Results are joined in the time that it takes to read them, however they are linked."""
    reports = gathered(*CHARTS[name]()).reports
    start = process_time()

    said = Links(GeneReader(KNOWLEDGE), reports).said()

    assert process_time() - start < 1.5
    assert set(said) <= {r.ref for r in reports}


OURS = variant(gene(), hgvs("p.Ala100Gly"), id="ours")
THEIRS = variant(gene(OTHER), hgvs("p.Gln1034Arg"), id="theirs")
CLASSED = {"code": "51969-4", "conclusionCode": [answer("pathogenic")]}


def listing(*names):
    """A report of a pathogenic result that lists these."""
    return report(result=[{"reference": name} for name in names], **CLASSED)


UNSURE = {
    "a report that lists what was not sent": [OURS, listing("Observation/ours", "Observation/not-sent")],
    "a report of a panel that holds what was not sent": [OURS, panel("Observation/ours", "Observation/not-sent"), listing("Observation/panel-1")],
    "a report that lists two genes": [OURS, THEIRS, listing("Observation/ours", "Observation/theirs")],
    "an interpretation of two genes": [OURS, THEIRS, implication("pathogenic", "Observation/ours", "Observation/theirs")],
    "an interpretation of what was not sent, too": [OURS, implication("pathogenic", "Observation/ours", "Observation/not-sent")],
    "a benign one of two genes": [OURS, THEIRS, implication("benign", "Observation/ours", "Observation/theirs")],
}
SURE = {
    "a report that lists it alone": [OURS, listing("Observation/ours")],
    "a report that lists it with its fraction": [OURS, own_fraction(46, "%", "Observation/ours"), listing("Observation/ours", "Observation/vaf-1")],
    "an interpretation of it": [OURS, implication("pathogenic", "Observation/ours")],
    "an interpretation of it and of a sequence": [OURS, implication("pathogenic", "Observation/ours", "MolecularSequence/s")],
    "a canonical one beside another gene": [variant(), THEIRS, implication("pathogenic", "Observation/var-1", "Observation/theirs")],
}


@pytest.mark.parametrize("name", UNSURE)
def test_takes_no_class_that_may_be_of_another_gene(name):
    """A class that may have been meant for another variant neither confirms nor clears ours."""
    assert "uncertain" == ask(*UNSURE[name]).topic


@pytest.mark.parametrize("name", SURE)
def test_takes_a_class_that_can_only_be_meant_for_ours(name):
    """Where everything listed was found and one thing alone is a variant, the class is that one's."""
    assert "confirmed" == ask(*SURE[name]).topic


def test_a_benign_class_of_two_genes_keeps_a_canonical_variant_for_review():
    """A class that is doubtful still counts against a confirmation."""
    told = ask(variant(), THEIRS, implication("benign", "Observation/var-1", "Observation/theirs"))

    assert "uncertain" == told.topic
