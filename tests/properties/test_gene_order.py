"""Whatever results a chart holds: neither their order nor another gene's result changes the answer."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reasoning.genomics import (
    OTHER,
    answer,
    ask_prefetch,
    chart,
    fraction,
    gene,
    hgvs,
    implication,
    observation,
    own_fraction,
    panel,
    part,
    problem,
    report,
    significance,
    transplant,
    variant,
)

pytestmark = pytest.mark.long

STEADY = {"deadline": None, "derandomize": True, "database": None, "max_examples": 100, "suppress_health_check": [HealthCheck.too_slow]}
DAYS = ("2026-09-01", "2026-10-01")
OURS = (
    variant(),
    variant(gene(), hgvs("p.Ser56Phe"), id="var-2"),
    variant(gene(), hgvs("p.Met41Leu"), fraction(0.04), id="var-3", effectiveDateTime=DAYS[0]),
    variant(gene(), value="absent", id="var-4"),
    variant(gene(), hgvs("c.121A>G"), id=None),
    variant(gene(), hgvs("c.122T>C"), id="var-5", valueCodeableConcept=answer("no-call"), effectiveDateTime=DAYS[0]),
    implication("pathogenic", "Observation/var-2"),
    implication("uncertain", "Observation/var-1", id="imp-2"),
    implication("pathogenic", "Observation/var-1", "Observation/var-2", id="imp-3", status="preliminary"),
    own_fraction(4, "%", "Observation/var-1"),
    own_fraction(46, "%", id="vaf-2"),
    own_fraction(3, "%", id="vaf-3", effectiveDateTime=DAYS[0]),
    panel("Observation/var-1", "Observation/vaf-2"),
    panel("Observation/var-1", "Observation/var-2", id="panel-2"),
    panel("#v", id="panel-3", contained=[variant(id="v", subject=None)]),
    observation("104268-8", id="told-1", valueString="Not detected. All coding exons."),
    observation("104268-8", id="told-2", valueString="p.Met41Val detected, VAF 40 %", effectiveDateTime=DAYS[0]),
    observation("104268-8", id="told-3", valueString="Not detected, buccal swab."),
    report("UBA1 p.Met41Thr detected, VAF 60 %."),
    report("UBA1: no pathogenic variant.", id="report-2", effectiveDateTime=DAYS[0]),
    report(id="report-3", result=[{"reference": "Observation/var-2"}], conclusionCode=[answer("pathogenic")]),
    report(id="report-4", status="entered-in-error", result=[{"reference": "Observation/var-1"}]),
    problem("VEXAS syndrome"),
    transplant(),
)
# Results of another gene, complete in themselves.
OTHERS = (
    (variant(gene(OTHER), hgvs("p.Met41Thr"), id="other-1"),),
    (variant(gene(OTHER), hgvs("p.Arg1Ala"), fraction(0.02), significance("pathogenic"), id="other-2"),),
    (variant(gene(OTHER), value="absent", id="other-3"),),
    (variant(gene(OTHER), hgvs("p.Arg1Ala"), id="other-4"), implication("benign", "Observation/other-4", id="other-5")),
    (variant(gene(OTHER), hgvs("p.Arg1Ala"), id="other-6"), own_fraction(2, "%", "Observation/other-6", id="other-7")),
    (
        variant(gene(OTHER), hgvs("p.Arg1Ala"), id="other-8"),
        own_fraction(2, id="other-9"),
        panel("Observation/other-8", "Observation/other-9", id="other-10"),
    ),
    (own_fraction(2, id="other-11", component=[gene(OTHER)]),),
    (report("TET2 p.Arg1Ala detected, VAF 3 %, pathogenic, germline.", id="other-12"),),
    (report("JAK2 V617F not detected.", id="other-13"),),
    (observation({"text": "TET2 sequencing"}, id="other-14", valueString="p.Met41Thr detected"),),
    (observation({"text": "Myeloid NGS"}, id="other-15", component=[{"code": {"text": "TET2"}, "valueString": "p.Met41Thr detected"}]),),
    (variant(gene(OTHER), part("48002-0", valueCodeableConcept=answer("germline")), id="other-16", specimen={"display": "Buccal swab"}),),
)
RESULTS = st.lists(st.sampled_from(range(len(OURS))), unique=True, min_size=1, max_size=6)


def told(resources: list[dict[str, Any]]) -> tuple[str, str]:
    """The topic and the words of the answer."""
    return ask_prefetch(chart(*copy.deepcopy(resources)))


@settings(**STEADY)
@given(RESULTS, st.randoms(use_true_random=False))
def test_the_order_of_results_changes_nothing(chosen, chance):
    """The same results in any order give the same card, word for word."""
    resources = [OURS[i] for i in chosen]
    shuffled = chance.sample(resources, len(resources))

    assert told(resources) == told(shuffled)


@settings(**STEADY)
@given(RESULTS, st.sampled_from(OTHERS), st.randoms(use_true_random=False))
def test_a_result_of_another_gene_changes_nothing(chosen, others, chance):
    """Whatever another gene's result says, and wherever it stands, the answer stays as it is."""
    resources = [OURS[i] for i in chosen]
    with_others = chance.sample([*resources, *others], len(resources) + len(others))

    assert told(resources) == told(with_others)
