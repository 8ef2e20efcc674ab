"""What results say of each other: how much work their links are, and how sure a class is that comes by a link."""

from __future__ import annotations

from time import process_time

import pytest

from cds_service.reasoning.gene_links import Links
from cds_service.reasoning.genetics import GeneReader
from tests.fhir.charting import gathered
from tests.reasoning.charts import KNOWLEDGE
from tests.reasoning.genomics import gene, hgvs, implication, own_fraction, panel, variant

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
