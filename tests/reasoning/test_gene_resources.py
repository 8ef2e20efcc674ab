"""From FHIR JSON to the card: every shape in which a result of the gene may come, and everything that it may say.

The patient is a man of 70 with Sweet syndrome, a high MCV and a high CRP: without a result the test is suggested.
"""

import pytest

from tests import build
from tests.reasoning.genomics import (
    HGNC,
    INTERPRETATION,
    OTHER,
    answer,
    ask,
    concept,
    fraction,
    gene,
    hgvs,
    implication,
    observation,
    order,
    own_fraction,
    panel,
    part,
    problem,
    report,
    significance,
    transplant,
    variant,
)

TEST = "104268-8"
URN = "urn:uuid:aaaa0000-0000-4000-8000-000000000001"
NOT_ASKED = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "error"}
SER56PHE = (gene(), hgvs("p.Ser56Phe"))
FULL = "All coding exons were sequenced by NGS."
CONFIRMED, UNCERTAIN, NEGATIVE, TEST_CARD, SILENT = "confirmed", "uncertain", "negative", "test-uba1", "none"


def told(text=None, **members):
    """A result of the gene's own test in words."""
    return observation(TEST, valueString=text, **members)


def flagged(*codes, system=INTERPRETATION):
    """A result of the gene's own test that is nothing but flags."""
    return observation(TEST, interpretation=[{"coding": [{"code": code, **({"system": system} if system else {})}]} for code in codes])


def under(url, resource):
    """A Bundle entry with its full URL."""
    return {"fullUrl": url, "resource": resource}


def sampled(text):
    """A contained Specimen, and the reference to it."""
    return {"contained": [{"resourceType": "Specimen", "id": "s", "type": {"text": text}}], "specimen": {"reference": "#s"}}


def rows(*pairs):
    """Components named by a variant, each with its result."""
    return [
        {"code": {"text": name}, **({"valueString": value} if isinstance(value, str) else {"valueCodeableConcept": value})} for name, value in pairs
    ]


SHAPES = {
    # HL7 Genomics Reporting: the variant
    "variant": ((variant(),), CONFIRMED),
    "variant, older gene id system": ((variant(gene(concept("HGNC:12469", f"{HGNC}/geneId")), hgvs("p.Met41Leu")),), CONFIRMED),
    "variant, gene id without its prefix": ((variant(gene(concept("12469", HGNC)), hgvs("p.Met41Leu")),), CONFIRMED),
    "variant, gene by symbol": ((variant(gene({"text": "UBA1"}), hgvs("p.Met41Leu")),), CONFIRMED),
    "variant, fraction as a share": ((variant(gene(), hgvs("c.122T>C"), fraction(0.72)),), CONFIRMED),
    "variant, fraction in percent": ((variant(gene(), hgvs("c.122T>C"), fraction(46, "%")),), CONFIRMED),
    "variant, low fraction as a share": ((variant(gene(), hgvs("c.122T>C"), fraction(0.045)),), UNCERTAIN),
    "variant, low fraction in percent, marrow": (
        (variant(gene(), hgvs("p.Met41Leu"), fraction(4.5, "%"), specimen={"display": "Bone marrow"}),),
        UNCERTAIN,
    ),
    "variant, somatic": ((variant(gene(), hgvs("c.122T>C"), part("48002-0", valueCodeableConcept=answer("somatic"))),), CONFIRMED),
    "variant, allelic state": ((variant(gene(), hgvs("c.122T>C"), part("53034-5", valueCodeableConcept={"text": "Hemizygous"})),), CONFIRMED),
    "variant without an answer": ((variant(value=None),), CONFIRMED),
    "variant, class in a component": ((variant(*SER56PHE, significance("likely-pathogenic")),), CONFIRMED),
    "variant in a panel": ((panel("Observation/var-1"), variant()), CONFIRMED),
    "variant contained in a panel": ((panel("#v", contained=[variant(id="v", subject=None)]),), CONFIRMED),
    # the interpretation of a variant, as a resource of its own
    "interpretation after its variant": ((variant(*SER56PHE), implication("pathogenic")), CONFIRMED),
    "interpretation before its variant": ((implication("pathogenic"), variant(*SER56PHE)), CONFIRMED),
    "interpretation of an older edition": (
        (
            variant(*SER56PHE),
            observation("53037-8", id="imp", valueCodeableConcept=answer("pathogenic"), derivedFrom=[{"reference": "Observation/var-1"}]),
        ),
        CONFIRMED,
    ),
    "interpretation by an absolute reference": (
        (variant(*SER56PHE), implication("pathogenic", "https://x.org/Observation/var-1/_history/2")),
        CONFIRMED,
    ),
    "interpretation by a full URL": ((under(URN, variant(*SER56PHE)), implication("pathogenic", URN)), CONFIRMED),
    "interpretation by a full URL of what has no id": ((under(URN, variant(*SER56PHE, id=None)), implication("pathogenic", URN.upper())), CONFIRMED),
    "interpretation by a full URL that two resources have": (
        (under(URN, variant(*SER56PHE)), under(URN, variant(gene(), hgvs("p.Gly477Ala"), id="var-2")), implication("pathogenic", URN)),
        UNCERTAIN,
    ),
    "interpretation that contains its variant": ((implication("pathogenic", "#v", contained=[variant(*SER56PHE, id="v")]),), CONFIRMED),
    "report that contains variant and interpretation": (
        (report(contained=[variant(*SER56PHE, id="v", subject=None), implication("pathogenic", "#v", id="i", subject=None)]),),
        CONFIRMED,
    ),
    "report that contains a canonical variant and a doubt": (
        (report(contained=[variant(id="v", subject=None), implication("uncertain", "#v", id="i", subject=None)]),),
        UNCERTAIN,
    ),
    "interpretation of a panel of one variant": (
        (panel("Observation/var-1"), variant(*SER56PHE), implication("pathogenic", "Observation/panel-1")),
        CONFIRMED,
    ),
    "interpretation entered in error": ((variant(*SER56PHE), implication("pathogenic", status="entered-in-error")), UNCERTAIN),
    "preliminary interpretation": ((variant(*SER56PHE), implication("pathogenic", status="preliminary")), UNCERTAIN),
    "interpretation of a variant that is not there": ((implication("pathogenic"),), TEST_CARD),
    # diagnostic reports
    "report of a variant": ((report(result=[{"reference": "Observation/var-1"}]), variant()), CONFIRMED),
    "report that gives its only variant a class": (
        (report(result=[{"reference": "Observation/var-1"}], conclusionCode=[answer("pathogenic")]), variant(*SER56PHE)),
        CONFIRMED,
    ),
    "report that gives a class to one of two variants": (
        (
            report(result=[{"reference": "Observation/var-1"}, {"reference": "Observation/var-2"}], conclusionCode=[answer("pathogenic")]),
            variant(*SER56PHE),
            variant(gene(OTHER), hgvs("p.Arg1Ala"), id="var-2"),
        ),
        UNCERTAIN,
    ),
    "report with a coded class": ((report(code=TEST, conclusionCode=[answer("pathogenic")]),), CONFIRMED),
    "report with a coded answer": ((report(code=TEST, conclusionCode=[answer("present")]),), UNCERTAIN),
    "report with a coded negative": ((report(code=TEST, conclusionCode=[answer("absent")]),), NEGATIVE),
    "report that has the disease as its coded conclusion": ((report(conclusionCode=[concept("596753", "http://www.orpha.net")]),), UNCERTAIN),
    "report in words": ((report("POSITIVE: UBA1 c.121A>G p.Met41Val detected, VAF 46% (NGS, peripheral blood)."),), CONFIRMED),
    "report of no gene": ((report("A pathogenic variant was detected.", conclusionCode=[answer("pathogenic")]),), TEST_CARD),
    # plain observations
    "test, in words": ((told("p.Met41Thr detected, VAF 40 %"),), CONFIRMED),
    "test, negative in words": ((told("NOT DETECTED. Assay covers p.Met41Thr/Val/Leu only; LOD 0.5%"),), NEGATIVE),
    "test by its name": ((observation({"text": "UBA1 sequencing"}, valueString="p.Met41Thr detected"),), CONFIRMED),
    "test, a number in percent": ((observation(TEST, valueQuantity={"value": 46, "unit": "%", "code": "%"}),), UNCERTAIN),
    "test, a number of nothing": ((observation(TEST, valueQuantity={"value": 0, "unit": "%", "code": "%"}),), UNCERTAIN),
    "test, a row for each variant, one found": (
        (observation(TEST, component=rows(("p.Met41Thr", "Detected"), ("p.Met41Val", "Not detected"))),),
        CONFIRMED,
    ),
    "test, a row for each variant, one coded": (
        (observation(TEST, component=rows(("p.Met41Thr", answer("present")), ("p.Met41Val", answer("absent")))),),
        CONFIRMED,
    ),
    "test, a row for each variant, none found": (
        (observation(TEST, component=rows(("p.Met41Thr", "Not detected"), ("p.Met41Val", answer("absent")))),),
        NEGATIVE,
    ),
    "panel with a row for each gene, ours not": (
        (observation({"text": "Myeloid NGS"}, component=rows(("TET2", "Detected"), ("UBA1", "Not detected"))),),
        NEGATIVE,
    ),
    "panel with a row for each gene, ours": (
        (observation({"text": "Myeloid NGS"}, component=rows(("TET2", "Not detected"), ("UBA1", "p.Met41Thr detected"))),),
        CONFIRMED,
    ),
    "panel with a row for each gene, only the other": ((observation({"text": "Myeloid NGS"}, component=rows(("TET2", "Detected"))),), TEST_CARD),
    # flags alone
    **{f"flag {code}": ((flagged(code),), UNCERTAIN) for code in ("POS", "DET", "A", "AA", "ABN", "IND", "E")},
    **{f"flag {code}": ((flagged(code),), NEGATIVE) for code in ("NEG", "ND", "N")},
    "flag POS without a system": ((flagged("POS", system=None),), UNCERTAIN),
    "flag in words, positive": ((observation(TEST, interpretation=[{"text": "Positive"}]),), UNCERTAIN),
    "flag in words, negative": ((observation(TEST, interpretation=[{"text": "Negative"}]),), NEGATIVE),
    "flag A beside a negative": ((told(f"Not detected. {FULL}", interpretation=[concept("A", INTERPRETATION)]),), UNCERTAIN),
    "flag N beside a positive": ((variant(interpretation=[concept("N", INTERPRETATION)]),), UNCERTAIN),
    # no value, for a stated reason
    "absent for a reason": ((observation(TEST, dataAbsentReason={"coding": [NOT_ASKED]}),), UNCERTAIN),
    "variant that is absent for a reason": ((variant(value=None, dataAbsentReason={"coding": [NOT_ASKED]}),), UNCERTAIN),
    "gene's panel without a value of its own": (
        (panel("Observation/var-1", code=concept(TEST), dataAbsentReason={"coding": [NOT_ASKED]}), variant()),
        CONFIRMED,
    ),
    # the problem list
    "problem in words": ((problem("VEXAS syndrome"),), CONFIRMED),
    "problem by ORPHA": ((problem("", ("http://www.orpha.net", "ORPHA:596753")),), CONFIRMED),
    "problem by OMIM": ((problem("", ("http://www.omim.org", "301054")),), CONFIRMED),
    "problem by OMIM, other spelling": ((problem("", ("https://omim.org", "301054")),), CONFIRMED),
    "problem by MONDO": ((problem("", ("http://purl.obolibrary.org/obo/mondo.owl", "MONDO:0026777")),), CONFIRMED),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reads_every_shape_of_a_result(shape):
    """A result is understood in whatever resources it comes."""
    resources, topic = SHAPES[shape]

    assert topic == ask(*resources).topic


OUTCOMES = {
    # text of the result, topic, words of the card
    "positive": ((variant(),), CONFIRMED, "pathogenic variant: c.122T>C p.(Met41Thr)"),
    "negative of a limited assay": ((told("Not detected by Sanger sequencing."),), NEGATIVE, "Assay: Sanger"),
    "negative of unknown coverage": ((variant(gene(), value="absent"),), NEGATIVE, "coverage not stated (exons 3, 14, 16)"),
    "negative of full coverage": ((told(f"No pathogenic variant. {FULL}"),), SILENT, ""),
    "uncertain significance": ((variant(*SER56PHE, significance("uncertain")),), UNCERTAIN, "uncertain significance does not confirm"),
    "no call": ((variant(value="no-call"),), UNCERTAIN, "gave no call"),
    "indeterminate": ((variant(value="indeterminate"),), UNCERTAIN, "gave no call"),
    "preliminary": ((variant(status="preliminary"),), TEST_CARD, "UBA1 result pending"),
    "registered": ((told(status="registered"),), TEST_CARD, "UBA1 result pending"),
    "ordered": ((order(),), TEST_CARD, "UBA1 test ordered"),
    "order revoked": ((order(status="revoked"),), TEST_CARD, "consider UBA1"),
    "low fraction": ((variant(gene(), hgvs("c.122T>C"), fraction(0.04)),), UNCERTAIN, "below 10 %"),
    "germline label, coded": (
        (variant(gene(), hgvs("c.122T>C"), part("48002-0", valueCodeableConcept=answer("germline"))),),
        CONFIRMED,
        "non-haematopoietic tissue would settle it",
    ),
    "germline label, in words": (
        (variant(gene(), hgvs("c.122T>C"), part("48002-0", valueCodeableConcept={"text": "Germline"})),),
        CONFIRMED,
        "calls the variant germline",
    ),
    "germline label at another codon": (
        (variant(*SER56PHE, significance("pathogenic"), part("48002-0", valueCodeableConcept={"text": "Germline"})),),
        UNCERTAIN,
        "outside codon 41",
    ),
    "older positive, newer negative": ((variant(effectiveDateTime="2026-09-01"), told(f"Not detected. {FULL}")), UNCERTAIN, "contradict each other"),
    "older negative, newer positive": (
        (variant(), told(f"Not detected. {FULL}", effectiveDateTime="2026-09-01")),
        CONFIRMED,
        "contradict each other",
    ),
    "negative after a transplant": ((transplant(), told(f"Not detected. {FULL}")), NEGATIVE, "shows donor blood"),
    "diagnosis, and negative after a transplant": (
        (transplant(), problem("VEXAS syndrome"), told(f"Not detected. {FULL}")),
        CONFIRMED,
        "donor blood",
    ),
    "diagnosis against a negative": ((problem("VEXAS syndrome"), told(f"Not detected. {FULL}")), UNCERTAIN, "does not support it"),
    "diagnosis against a limited negative": ((problem("VEXAS syndrome"), told("Not detected by Sanger.")), UNCERTAIN, "Assay: Sanger"),
    "result of a relative": ((told("The patient's brother: p.Met41Thr detected."),), UNCERTAIN, "could not be read"),
    "result of another patient": ((variant(subject=build.subject("p2")),), TEST_CARD, "belongs to another patient"),
    "result whose focus is another": ((variant(focus=[{"reference": "Patient/p2"}]),), TEST_CARD, "belongs to another patient"),
    "refuted diagnosis": ((problem("VEXAS syndrome", verificationStatus={"coding": [{"code": "refuted"}]}),), TEST_CARD, ""),
    "diagnosis ruled out": ((problem("VEXAS syndrome ruled out"),), TEST_CARD, ""),
    "family history of the disease": ((problem("Family history of VEXAS syndrome"),), TEST_CARD, ""),
    "entered in error": ((variant(status="entered-in-error"),), TEST_CARD, ""),
    "listed by a report that was entered in error": (
        (variant(), report(status="entered-in-error", result=[{"reference": "Observation/var-1"}])),
        UNCERTAIN,
        "was withdrawn",
    ),
    "listed by a withdrawn report and its correction": (
        (
            variant(),
            report(status="entered-in-error", result=[{"reference": "Observation/var-1"}]),
            report(id="report-2", result=[{"reference": "Observation/var-1"}]),
        ),
        CONFIRMED,
        "",
    ),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_answers_every_outcome(outcome):
    """Whatever a result says, the card says what follows from it, and why."""
    resources, topic, words = OUTCOMES[outcome]

    found = ask(*resources)

    assert (topic, True) == (found.topic, words in found.text)


NEVER = {
    "variant of another gene": variant(gene(OTHER), hgvs("p.Met41Thr")),
    "variant of another gene that is called ours": variant(gene({**OTHER, "text": "UBA1"}), hgvs("p.Met41Thr")),
    "variant of one of two genes": variant(gene(OTHER), gene(), hgvs("p.Met41Thr")),
    "synonymous change": variant(gene(), hgvs("p.(Met41=)")),
    "synonymous change that is called pathogenic": variant(gene(), hgvs("p.(Ala15=)"), significance("pathogenic")),
    "synonymous change in three letters": variant(gene(), hgvs("p.Ala15Ala"), significance("pathogenic")),
    "synonymous change in words": told("UBA1 c.123G>A p.(Met41=) detected, likely pathogenic."),
    "benign call": variant(*SER56PHE, significance("benign")),
    "likely benign call": variant(*SER56PHE, significance("likely-benign")),
    "likely benign call of a canonical variant": variant(gene(), hgvs("c.122T>C"), significance("likely-benign")),
    "benign and pathogenic at once": variant(*SER56PHE, significance("benign"), significance("pathogenic")),
    "likely benign in words": told("UBA1 p.Ser56Phe detected, likely benign."),
    "not detected": told("UBA1 p.Met41Thr not detected."),
    "no pathogenic variant": told("No pathogenic variant in UBA1."),
    "detected by its code, not by its words": variant(valueString=None, note=[{"text": "UBA1 p.Met41Thr was not detected."}]),
    "SMAX2 in words": told("UBA1 c.1617G>T detected, pathogenic for X-linked spinal muscular atrophy 2 (SMAX2)."),
    "SMAX2 by its number": variant(
        gene(), hgvs("p.Gly9Ala"), significance("pathogenic"), part("81259-4", valueCodeableConcept=concept("301830", "http://www.omim.org"))
    ),
    "SMAX2 on the problem list": problem("X-linked spinal muscular atrophy 2 (UBA1)", ("http://www.omim.org", "301830")),
    "work-up of the disease": problem("VEXAS work-up"),
}


@pytest.mark.parametrize("case", NEVER)
def test_never_confirms_from_something_else(case):
    """Another gene, a synonymous change, a benign call, a denial or the gene's inherited disease confirms nothing."""
    assert CONFIRMED != ask(NEVER[case]).topic


def test_never_confirms_from_an_interpretation_for_the_inherited_disease():
    """A variant that is pathogenic for SMAX2 is not pathogenic for this disease."""
    meant = implication(
        "pathogenic", component=[significance("pathogenic"), part("81259-4", valueCodeableConcept=concept("301830", "http://www.omim.org"))]
    )

    found = ask(variant(gene(), hgvs("p.Gly9Ala")), meant)

    assert (UNCERTAIN, True) == (found.topic, "SMAX2" in found.text)


SECOND = variant(gene(OTHER), hgvs("p.Arg1Ala"), id="var-2")
FRACTIONS = {
    "linked to the variant": ((own_fraction(4, "%", "Observation/var-1"),), UNCERTAIN),
    "linked, and high": ((own_fraction(46, "%", "Observation/var-1"),), CONFIRMED),
    "linked, as a share": ((own_fraction(0.04, "1", "Observation/var-1"),), UNCERTAIN),
    "linked, below 5 %": ((own_fraction(4, "%", "Observation/var-1", valueQuantity=None, valueString="<5 %"),), UNCERTAIN),
    "linked, in words": ((own_fraction(4, "%", "Observation/var-1", valueQuantity=None, valueString="5 to 15 %"),), UNCERTAIN),
    "linked, in one number of words": ((own_fraction(4, "%", "Observation/var-1", valueQuantity=None, valueString="46 %"),), CONFIRMED),
    "linked, absent for a reason": (
        (own_fraction(4, "%", "Observation/var-1", valueQuantity=None, dataAbsentReason={"coding": [NOT_ASKED]}),),
        UNCERTAIN,
    ),
    "linked, preliminary": ((own_fraction(4, "%", "Observation/var-1", status="preliminary"),), UNCERTAIN),
    "linked, entered in error": ((own_fraction(4, "%", "Observation/var-1", status="entered-in-error"),), CONFIRMED),
    "beside the variant in a panel": ((own_fraction(4), panel("Observation/var-1", "Observation/vaf-1")), UNCERTAIN),
    "beside the variant in a report": (
        (own_fraction(4), report(result=[{"reference": "Observation/var-1"}, {"reference": "Observation/vaf-1"}])),
        UNCERTAIN,
    ),
    "contained in a panel with the variant": ((panel("Observation/var-1", "#f", contained=[own_fraction(4, id="f", subject=None)]),), UNCERTAIN),
    "by itself on the same day": ((own_fraction(4),), UNCERTAIN),
    "by itself on the same day, and high": ((own_fraction(46),), CONFIRMED),
    "by itself on another day": ((own_fraction(4, effectiveDateTime="2026-09-01"),), CONFIRMED),
    "linked to a variant that is not there": ((own_fraction(4, "%", "Observation/var-9"),), UNCERTAIN),
    "in a panel with two variants": ((SECOND, own_fraction(4), panel("Observation/var-1", "Observation/var-2", "Observation/vaf-1")), UNCERTAIN),
    "in a panel with two variants, and high": (
        (SECOND, own_fraction(46), panel("Observation/var-1", "Observation/var-2", "Observation/vaf-1")),
        CONFIRMED,
    ),
    "linked to another variant": ((SECOND, own_fraction(4, "%", "Observation/var-2")), CONFIRMED),
    "linked to another variant of the same panel": (
        (SECOND, own_fraction(4, "%", "Observation/var-2"), panel("Observation/var-1", "Observation/var-2", "Observation/vaf-1")),
        CONFIRMED,
    ),
    "of another gene by itself": ((own_fraction(4, component=[gene(OTHER)]),), CONFIRMED),
    "of our gene on a later day": ((own_fraction(46, component=[gene()], effectiveDateTime="2026-10-09"),), CONFIRMED),
    "of our gene by itself": ((own_fraction(4, component=[gene()]),), UNCERTAIN),
}


@pytest.mark.parametrize("case", FRACTIONS)
def test_joins_a_fraction_with_its_variant(case):
    """A fraction of its own belongs to the variant that it is linked to; one that may belong to ours and may be low never confirms."""
    others, topic = FRACTIONS[case]

    assert topic == ask(variant(), *others).topic


def test_holds_a_linked_fraction_against_none_of_the_variant_itself():
    """Where the variant states its own fraction, one that may belong to another says nothing of it."""
    ours = variant(gene(), hgvs("c.122T>C"), fraction(0.6))

    assert CONFIRMED == ask(ours, own_fraction(4)).topic


def test_a_component_of_another_variant_says_nothing_of_ours():
    """A low fraction that is a component of another gene's variant in the same panel does not touch ours."""
    other = variant(gene(OTHER), hgvs("p.Arg1Ala"), fraction(0.03), id="var-2")

    assert CONFIRMED == ask(variant(), other, panel("Observation/var-1", "Observation/var-2")).topic


def test_the_order_of_what_a_panel_contains_changes_nothing():
    """Two variants that one panel contains share its place and its day; the card is the same whichever comes first."""
    inner = [variant(gene(), hgvs(name), id=f"v{i}", subject=None) for i, name in enumerate(("c.122T>C", "c.121A>G"))]

    assert ask(panel(contained=inner)) == ask(panel(contained=inner[::-1]))


NEGATIVE_WORDS = f"UBA1 not detected. {FULL}"
TISSUES = {
    "no specimen": ((told(NEGATIVE_WORDS),), SILENT),
    "blood": ((told(NEGATIVE_WORDS, specimen={"display": "Peripheral blood"}),), SILENT),
    "marrow, contained": ((told(NEGATIVE_WORDS, **sampled("Bone marrow aspirate")),), SILENT),
    "blood and buccal swab": ((told(NEGATIVE_WORDS, specimen={"display": "Blood, with buccal swab as germline control"}),), SILENT),
    "buccal swab": ((told(NEGATIVE_WORDS, specimen={"display": "Buccal swab"}),), TEST_CARD),
    "skin fibroblasts, contained": ((told(NEGATIVE_WORDS, **sampled("Cultured skin fibroblasts")),), TEST_CARD),
    "fibroblasts in the words": ((told(f"{NEGATIVE_WORDS} Sample: fibroblasts."),), TEST_CARD),
    "lymphocytes": ((told(NEGATIVE_WORDS, specimen={"display": "Sorted T cells"}),), TEST_CARD),
    "specimen of a report": ((report(NEGATIVE_WORDS, specimen=[{"display": "Buccal swab"}]),), TEST_CARD),
    "specimen of a report, blood": ((report(NEGATIVE_WORDS, specimen=[{"display": "EDTA blood"}]),), SILENT),
    "buccal swab beside a positive in blood": (
        (variant(), told(NEGATIVE_WORDS, specimen={"display": "Buccal swab"}, effectiveDateTime="2026-10-20")),
        CONFIRMED,
    ),
    "buccal swab, and the diagnosis": ((problem("VEXAS syndrome"), told(NEGATIVE_WORDS, specimen={"display": "Buccal swab"})), CONFIRMED),
    "positive in fibroblasts": ((variant(specimen={"display": "Fibroblasts"}),), UNCERTAIN),
    "positive in blood": ((variant(specimen={"display": "EDTA blood"}),), CONFIRMED),
}


@pytest.mark.parametrize("tissue", TISSUES)
def test_weighs_a_result_by_its_tissue(tissue):
    """A negative from what carries no blood cells silences nothing and contradicts nothing; a positive there is for review."""
    resources, topic = TISSUES[tissue]

    assert topic == ask(*resources).topic


def test_shows_one_negative_of_another_tissue():
    """Of several the newest is enough."""
    found = ask(*(told(NEGATIVE_WORDS, specimen={"display": "Buccal swab"}, id=f"n-{n}", effectiveDateTime=f"2026-10-0{n}") for n in (1, 2)))

    assert (False, True) == ("2026-10-01" in found.text, "2026-10-02" in found.text)


def test_says_why_a_negative_of_another_tissue_does_not_count():
    """The card shows the negative and says that its sample was not blood or marrow."""
    found = ask(told(NEGATIVE_WORDS, specimen={"display": "Buccal swab"}))

    assert [True, True] == ["not detected (2026-10-01)" in found.text, "not blood or marrow" in found.text]


@pytest.mark.parametrize("sentence", ["Benign and likely benign variants are not reported.", "Variants of uncertain significance were not listed."])
def test_reads_what_the_laboratory_does_not_list_as_no_class(sentence):
    """What a laboratory leaves out of its reports is no class of the variant found."""
    assert CONFIRMED == ask(told(f"p.Met41Thr detected, VAF 60 %. {sentence}")).topic


@pytest.mark.parametrize("said", ["VAF 1", "VAF not reported", "VAF not applicable"])
def test_a_fraction_that_is_spoken_of_without_a_size_is_for_review(said):
    """A fraction of 1 may be 1 % or all of it, and "not reported" may be too low to report: in doubt nothing is confirmed."""
    assert UNCERTAIN == ask(told(f"p.Met41Thr detected, {said}")).topic


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p.Met41Leu detected", "pathogenic variant: p.(Met41Leu) "),
        ("c.121A>C detected", "pathogenic variant: c.121A>C p.(Met41Leu) "),
        ("c.121A>T p.Met41Leu detected", "pathogenic variant: c.121A>T p.(Met41Leu) "),
        ("c.121A>G (p.Met41Val) detected", "pathogenic variant: c.121A>G p.(Met41Val) "),
        ("c.118-1G>C detected", "pathogenic variant: c.118-1G>C "),
    ],
)
def test_never_shows_a_base_change_that_the_report_does_not_name(text, shown):
    """Two base changes make Met41Leu; the c. name is shown only where the report has it."""
    assert shown in ask(told(text)).text


PUBLISHED = "no individual prognosis: "


@pytest.mark.parametrize(
    ("name", "association"),
    [
        ("c.121A>G", "worse survival, n=83 (Ferrada 2022); vasculitic skin lesions (Tan 2024)."),
        ("p.Met41Leu", "pulmonary embolism, OR 4.58 (Kusne 2024); "),
        ("p.Met41Leu", "best survival"),
        ("c.122T>C", ""),
        ("c.118-1G>C", ""),
    ],
)
def test_shows_what_was_published_of_a_genotype(name, association):
    """A confirmed card shows what was published of the genotype, as a fact of groups; most have none."""
    text = ask(variant(gene(), hgvs(name))).text

    assert (bool(association), True) == (PUBLISHED in text, association in text)


@pytest.mark.parametrize(
    "resource",
    [variant(gene(), hgvs("p.Met41Leu"), fraction(0.04)), variant(gene(), hgvs("p.Met41Leu"), significance("uncertain")), told("Met41Leu absent")],
)
def test_shows_nothing_published_of_what_is_not_confirmed(resource):
    """A low fraction, a doubt or a negative has no genotype to speak of."""
    assert PUBLISHED not in ask(resource).text


@pytest.mark.parametrize(
    ("name", "told_so"), [("p.Gly477Ala", True), ("c.118-2A>G", True), ("p.Ser56Phe", False), ("c.122T>C", False), ("p.Val999Ala", False)]
)
def test_says_where_its_own_catalogue_is_from_memory(name, told_so):
    """A card that rests on an entry of low confidence says so."""
    text = ask(variant(gene(), hgvs(name), significance("likely-pathogenic"))).text

    assert told_so == ("from memory and not verified" in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Not detected. LOD 0.5%", "not detected, detection limit 0.5 % ("),
        ("Not detected. Limit of detection: 2 %.", "not detected, detection limit 2 % ("),
        ("Not detected. LOD 1,5 per cent", "not detected, detection limit 1.5 % ("),
        ("Not detected.", "not detected ("),
        ("Not detected. LOD see method; coverage 98 %", "not detected ("),
    ],
)
def test_shows_the_detection_limit_of_a_negative(text, shown):
    """A negative is shown with the smallest fraction that its assay can see, where the report states it."""
    assert shown in ask(told(text)).text
