"""What is easily misread in a report's words: a variant that is gone or confirmed, an error, another tissue, the method's limit."""

from __future__ import annotations

import pytest

from cds_service.reasoning.genetics import Call
from tests.reasoning.charts import report
from tests.reasoning.test_gene_reports import NGS, READER

GONE = [
    "Previously reported UBA1 p.Met41Thr (VAF 60%) is no longer detectable after transplant.",
    "Previously detected UBA1 p.Met41Thr (VAF 60%) is cleared.",
    "UBA1 p.Met41Thr pathogenic variant fails to be detected.",
    "Patient lacks the UBA1 p.Met41Thr pathogenic variant.",
    "Free of UBA1 p.Met41Thr pathogenic variant.",
]
IN_DOUBT = [
    "UBA1 p.Met41Thr previously detected, VAF 60%. Current sample: below limit of detection",
    "UBA1 p.Met41Thr previously detected, VAF 60%. Current sample: below the assay LOD",
    "UBA1 p.Met41Thr detected, VAF 60% - result reported in error.",
    "UBA1 p.Met41Thr detected, VAF 60%. Result reported in error.",
    "UBA1 p.Met41Thr detected in saliva, VAF 60%, not in blood.",
]
ELSEWHERE = [
    "UBA1 p.Met41Thr detected in saliva only, VAF 60%.",
    "UBA1 p.Met41Thr pathogenic variant detected in buccal swab.",
    "In hair follicle DNA UBA1 p.Met41Thr was detected.",
    "UBA1 p.Met41Thr detected. Sample: skin biopsy.",
]
STILL_POSITIVE = [
    "UBA1 p.Met41Thr detected, VAF 60%. Indication: skin lesions, T-cell lymphoma, hair loss.",
    "UBA1 p.Met41Thr detected, VAF 60%. Variants with a VAF below the limit of detection cannot be excluded.",
    "UBA1 p.Met41Thr detected, VAF 60%. Variants below the limit of detection may not be detected.",
    "UBA1 p.Met41Thr detected, VAF 60%. Limit of detection 2%.",
    "UBA1 p.Met41Thr detected in blood, VAF 60%, and in a buccal swab.",
    "UBA1 p.Met41Thr detected, VAF 60%. The patient was cleared for transplant.",
]
CONFIRMED = [
    "Genetic testing confirmed a UBA1 gene mutation in Exon 3, specifically p.Met41Val (c.121A>G).",
    "UBA1 analysis performed confirmed the c.122T>C, p.(Met41Thr) mutation.",
    "UBA1 sequencing confirms p.Met41Leu.",
]
NOT_CONFIRMED = [
    "UBA1 p.Met41Thr to be confirmed.",
    "UBA1 testing confirmed absence of the p.Met41Thr variant.",
    "UBA1: Sanger did not confirm the p.Met41Thr variant.",
    "UBA1 testing has not convincingly confirmed the p.Met41Thr variant.",
    "UBA1 testing never confirmed a p.Met41Thr variant.",
    "UBA1: confirmed no p.Met41Thr variant.",
    "Possibly confirmed UBA1 p.Met41Thr.",
    "If confirmed, UBA1 p.Met41Thr is pathogenic.",
    "The disease is confirmed by UBA1 mutation p.Met41Thr.",
    "Sanger-confirmed variants are reported. UBA1 p.Met41Thr",
    "UBA1 testing confirmed a p.Met41Thr variant in the father.",
    "UBA1 testing confirmed the p.Met41Thr variant, VAF 4 %.",
]


def call(text):
    """How a panel's report is read."""
    return READER.read(report(text, code=NGS)).call


@pytest.mark.parametrize("text", GONE)
def test_reads_a_variant_that_is_gone_as_not_there(text):
    """What was found once and is no longer there is not detected."""
    assert Call.NEGATIVE is call(text)


@pytest.mark.parametrize("text", IN_DOUBT)
def test_confirms_nothing_that_is_taken_back(text):
    """A finding that the same report takes back is for a person to read."""
    assert Call.UNCLEAR is call(text)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_weighs_a_tissue_that_only_the_words_name(text):
    """A variant in saliva or hair may be inherited, whether the specimen or the text says where it was found."""
    reading = READER.read(report(text, code=NGS))

    assert (Call.UNCERTAIN, ("tissue-positive",)) == (reading.call, reading.reasons)


@pytest.mark.parametrize("text", STILL_POSITIVE)
def test_keeps_a_positive_beside_what_only_sounds_like_a_denial(text):
    """The assay's limits and the patient's complaints deny nothing."""
    assert Call.PATHOGENIC is call(text)


@pytest.mark.parametrize("text", CONFIRMED)
def test_takes_confirmed_before_a_variant_for_detected(text):
    """A test that "confirmed the mutation" found it."""
    assert Call.PATHOGENIC is call(text)


@pytest.mark.parametrize("text", NOT_CONFIRMED)
def test_does_not_take_every_confirmed_for_detected(text):
    """What is denied, doubted, another person's, low or still to be confirmed is not pathogenic."""
    assert call(text) not in (Call.PATHOGENIC, Call.UNSURE)
