"""What a UBA1 report says, by its words: the expectations are those of a molecular pathologist who reads the same line.

Two rules stand above all: what is in doubt is never taken for a pathogenic variant, and a clear positive is never read as negative.
`P` pathogenic, `L` low fraction, `U` fraction unclear, `V` variant of uncertain meaning, `N` not detected, `?` not conclusive; several letters: any of these.
"""

import pytest

from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.genetics import Call, GeneReader
from cds_service.record.codes import Code
from tests.reasoning.charts import KNOWLEDGE, LOINC, TODAY, UBA1_TEST, condition, lab, record, report

READER = GeneReader(KNOWLEDGE)
REASONER = Reasoner(KNOWLEDGE)
NGS = Code(LOINC, "51969-4")
LETTER = {Call.PATHOGENIC: "P", Call.UNSURE: "U", Call.LOW: "L", Call.UNCERTAIN: "V", Call.NEGATIVE: "N", Call.UNCLEAR: "?"}

POSITIVE = [
    ("POSITIVE: UBA1 c.121A>G p.Met41Val detected, VAF 46% (NGS, peripheral blood).", 0.46),
    ("UBA1 c.122T>C (p.Met41Thr) detected at a VAF of 72%.", 0.72),
    ("Pathogenic variant identified in UBA1: NM_003334.4:c.121A>C, p.(Met41Leu).", None),
    ("A somatic UBA1 mutation, p.M41T, was found in peripheral blood.", None),
    ("UBA1 M41V mutation present.", None),
    ("UBA1: p.Met41Thr, variant allele frequency 0.55", 0.55),
    ("UBA1 p.(Met41Leu) detected, allele fraction 0,38", 0.38),
    ("UBA1 c.118-1G>C splice acceptor variant detected, VAF 30 %.", 0.30),
    ("UBA1 c.118-9_118-2del detected.", None),
    ("UBA1 p.Ser56Phe detected, classified as likely pathogenic.", None),
    ("UBA1 c. 121 A > G (p. Met41Val) detected", None),
    ("UBA1 MUTATION DETECTED: C.122T>C (P.MET41THR)", None),
    ("Gene: UBA1\nVariant: c.122T>C p.(Met41Thr)\nVAF: 72 %\nInterpretation: Pathogenic", 0.72),
    ("Result: Positive for the UBA1 p.Met41Thr variant.", None),
    ("A pathogenic UBA1 variant, c.121A>G p.(Met41Val), has been identified in this patient's DNA, consistent with VEXAS syndrome.", None),
    ("Variant detected: UBA1 NM_003334.4 c.122T>C p.(Met41Thr) VAF 68%. No other variants detected.", 0.68),
    ("UBA1 p.Met41Leu was identified (VAF 33%). No additional pathogenic variants were identified.", 0.33),
    ("No additional pathogenic variants were identified. UBA1 p.Met41Leu was identified (VAF 33%).", 0.33),
    ("UBA1 p.Met41Val detected. No pathogenic variants were detected in DNMT3A, TET2 or ASXL1.", None),
    ("TET2 c.3500C>T VAF 12%; UBA1 p.Met41Thr VAF 61%; DNMT3A not detected", 0.61),
    ("Positive for UBA1 p.Met41Val. The assay covers exon 3 only; limit of detection 1%.", None),
    ("Method: ddPCR for UBA1 c.121A>G; c.121A>C; c.122T>C. Result: Positive, c.122T>C, VAF 44%.", 0.44),
    ("UBA1 p.Met41Thr detected, VAF 10%", 0.10),
    ("UBA1 p.Met41Val detected, VAF 46", None),
    ("UBA1 p.Met41Thr detected, hemizygous, reported as germline, VAF 98%", 0.98),
    ("UBA1 p.Met41Thr detected. Variant allele frequency (%): 46", 0.46),
    ("UBA1 p.Met41Thr detected, variant allele fraction (VAF): 62 %", 0.62),
    ("UBA1 p.Met41Thr detected in 46% of reads", 0.46),
    ("UBA1 p.Met41Thr detected, VAF 400 \u2030", 0.40),
    ("UBA1 p.Met41Thr detected, VAF 46 Prozent", 0.46),
    ("UBA1 p.Met41Thr detected, VAF of p.Met41Thr: 62 %", 0.62),
    ("UBA1 p.Met41Thr detected, VAF 40%, repeat VAF 35%", 0.35),
    ("UBA1 p.Met41Thr detected, VAF > 50 %", 0.50),
    ("UBA1 p.Met41Thr detected, VAF 62 %. Marrow with 4 % blasts, 98 % coverage.", 0.62),
    ("UBA1 p.Met41Thr detected, VAF 62 %. Variants with a VAF below 5 % are not reported.", 0.62),
    ("UBA1 p.Met41Thr detected, VAF 62 %. Low-level variants may be missed.", 0.62),
]

OTHERS = [
    # low fraction, in every way of writing it
    ("UBA1 p.Met41Leu detected, VAF 4.5%", "L"),
    ("UBA1 p.Met41Thr detected, VAF 0.045", "L"),
    ("UBA1 p.Met41Thr detected, VAF <1%", "L"),
    ("UBA1 p.Met41Thr detected, VAF 9.9 percent", "L"),
    ("UBA1 p.Met41Thr detected, variant allele fraction (VAF): 4.2%", "L"),
    ("UBA1 p.Met41Thr was detected at 3% VAF", "L"),
    ("UBA1 p.Met41Thr detected (4% variant allele frequency)", "L"),
    ("UBA1 p.Met41Thr detected with a VAF of approximately 5%", "L"),
    # a fraction that may be low
    ("UBA1 p.Met41Thr detected, VAF 4.5", "U"),
    ("UBA1 p.Met41Thr detected, VAF 9,9.", "U"),
    ("UBA1 p.Met41Thr detected, VAF <20%", "U"),
    ("UBA1 p.Met41Thr detected, VAF \u2264 20 %", "U"),
    ("UBA1 p.Met41Thr detected at < 20% VAF", "U"),
    ("UBA1 p.Met41Thr detected, VAF 460 %", "U"),
    ("UBA1 p.Met41Thr detected, VAF no more than 15%", "U"),
    ("UBA1 p.Met41Thr detected, VAF max 15%", "U"),
    ("UBA1 p.Met41Thr detected, VAF 15 % or less", "U"),
    ("UBA1 p.Met41Thr detected, VAF > 8 %", "U"),
    # a low fraction, in words that are not the usual ones
    ("UBA1 p.Met41Thr detected. Variant allele frequency (%): 4", "L"),
    ("UBA1 p.Met41Thr detected, VAF(%) 0.9", "L"),
    ("UBA1 p.Met41Thr detected, variant frequency 3 %", "L"),
    ("UBA1 p.Met41Thr detected (3 %)", "L"),
    ("UBA1 p.Met41Thr detected in 3% of reads", "L"),
    ("UBA1 p.Met41Thr detected, Allelfrequenz 4 Prozent", "L"),
    ("UBA1 p.Met41Thr detected, VAF 0.4 \u2030", "L"),
    ("UBA1 p.Met41Thr detected, VAF of c.122T>C: 4 %", "L"),
    ("UBA1 p.Met41Thr detected, VAF 4 % (LOD 1 %)", "L"),
    ("UBA1 p.Met41Thr detected. VAF 4 %, possibly lower.", "L"),
    ("UBA1 p.Met41Thr detected. We recommend a second sample. VAF 4 %.", "L"),
    # a fraction is spoken of, but not in a number that is understood
    ("UBA1 p.Met41Thr detected, VAF five percent", "U"),
    ("UBA1 p.Met41Thr detected, VAF low", "U"),
    ("UBA1 p.Met41Thr detected at a low level", "U"),
    ("UBA1 p.Met41Thr detected at low allelic burden", "U"),
    ("UBA1 p.Met41Thr detected, VAF below the reporting threshold", "U"),
    ("UBA1 p.Met41Thr detected in 12 of 400 reads", "U"),
    ("UBA1 p.Met41Thr detected, VAF 1", "U"),
    ("UBA1 p.Met41Thr detected, VAF 1 in 50", "U"),
    ("UBA1 p.Met41Thr detected, VAF 1/20", "U"),
    ("UBA1 p.Met41Thr detected, VAF at codon 41 low", "U"),
    ("UBA1 p.Met41Thr detected, VAF at codon 41 not given", "U"),
    ("UBA1 p.Met41Thr detected, fractional abundance 0.04", "L"),
    ("UBA1 p.Met41Thr detected, AF 0.04", "L"),
    ("UBA1 p.Met41Thr detected (4 % at 500x coverage)", "L"),
    ("UBA1 p.Met41Thr detected in 8 % of cells", "L"),
    # several fractions: the least counts, and both sides of the limit are unclear
    ("UBA1 p.Met41Thr detected, VAF 4%, repeat VAF 40%", "U"),
    ("UBA1 p.Met41Thr detected, VAF 40%, repeat VAF 4%", "U"),
    ("UBA1 p.Met41Thr detected, VAF previously 35%, now 4%", "U"),
    ("UBA1 p.Met41Thr detected, VAF 15 % (range 4-20)", "U"),
    ("UBA1 p.Met41Thr detected, VAF between 4 % and 20 %", "U"),
    ("UBA1 p.Met41Thr detected (3 %), VAF previously 40 %", "U"),
    ("UBA1 p.Met41Thr detected, VAF 4 to 20 %", "U"),
    ("UBA1 p.Met41Thr detected, VAF 4%, repeat VAF 5%", "L"),
    # not detected
    ("No pathogenic variants detected in UBA1 (all coding exons sequenced).", "N"),
    ("UBA1: negative.", "N"),
    ("UBA1 wild type.", "N"),
    ("UBA1 wild-type at codon 41", "N"),
    ("No UBA1 mutation was identified.", "N"),
    ("UBA1 exon 3 c.121A>G, c.121A>C and c.122T>C: not detected", "N"),
    ("UBA1 p.Met41Thr, p.Met41Val and p.Met41Leu were absent.", "N"),
    ("Negative for UBA1 p.Met41 variants by ddPCR.", "N"),
    ("Variants in UBA1 were not identified.", "N"),
    ("No evidence of a UBA1 variant.", "N"),
    ("No mutation detected in exon 3 of UBA1 by Sanger sequencing.", "N"),
    ("UBA1: none detected.", "N"),
    ("UBA1 variants: none", "N?"),
    ("UBA1 testing did not detect any variant.", "N?"),
    ("Neither p.Met41Thr nor p.Met41Val was detected in UBA1.", "N?"),
    ("UBA1 p.Met41Thr could not be detected.", "N?"),
    ("UBA1 p.Met41Val was not clearly detected.", "N?V"),
    ("UBA1 p.Met41Thr is no longer detected compared with the previous report.", "N?"),
    ("UBA1 p.Met41Thr: below the limit of detection.", "N?"),
    ("Failed to detect UBA1 p.Met41Thr.", "N?"),
    ("UBA1 p.Met41Thr is undetectable.", "N?"),
    ("Methods: NGS. Genes tested: ASXL1, DNMT3A, TET2, TP53, UBA1, SF3B1. No pathogenic variants detected.", "N"),
    ("UBA1 negative, JAK2 V617F detected, VAF 30%.", "N"),
    ("JAK2 V617F detected. UBA1 negative.", "N"),
    ("TP53 p.Met41Thr detected; UBA1 not detected", "N"),
    ("UBA1 c.121A>G, c.121A>C and c.122T>C were not detected. Internal control detected.", "N?"),
    ("UBA1 p.Met41Thr, p.Met41Val not detected. Adequate coverage present.", "N?"),
    ("UBA1 p.Met41Thr or p.Met41Leu not detected; adequate DNA found.", "N?"),
    ("No pathogenic variants were found in JAK2, CALR, MPL, or UBA1.", "N"),
    ("The following were not detected: JAK2 V617F, UBA1 p.Met41Thr.", "N?"),
    ("Pathogenic variants detected in DNMT3A (p.R882H) and TET2. UBA1: no variant.", "N"),
    # denials that are easily read as findings
    ("UBA1 sequencing did not reveal any pathogenic variant.", "N"),
    ("UBA1 without pathogenic variants.", "N"),
    ("UBA1: zero pathogenic variants identified.", "N"),
    ("UBA1: 0 variants detected", "N"),
    ("UBA1 p.Met41Thr wasn't detected", "N"),
    ("UBA1 p.Met41Thr isn\u2019t detected.", "N"),
    ("UBA1 p.Met41Thr never detected.", "N"),
    ("Nothing detected in UBA1: p.Met41Thr", "N"),
    ("No UBA1 p.Met41Thr, p.Met41Val or p.Met41Leu detected", "N?"),
    ("No UBA1 p.Met41Thr, p.Met41Val detected", "N?"),
    ("UBA1: none of p.Met41Thr, p.Met41Val or p.Met41Leu detected", "N?"),
    ("UBA1 p.Met41Thr detected previously, now cleared.", "?"),
    ("UBA1 p.Met41Thr below detection limit, detected reads 0", "N?"),
    ("UBA1 p.Met41Thr detected, not confirmed by Sanger", "?"),
    ("UBA1 p.Met41Thr may be present", "?"),
    ("If UBA1 p.Met41Thr is detected, refer to haematology.", "?"),
    ("UBA1 was sequenced to look for p.Met41Thr, result found below", "?"),
    ("UBA1 p.Met41Thr detected, ACMG class 3", "V?"),
    # a variant that does not confirm by itself
    ("UBA1 c.1861A>T p.Ser621Cys detected, variant of uncertain significance.", "V"),
    ("UBA1 VUS: p.(Asn606Ile), VAF 40%", "V"),
    ("UBA1 p.Asp506Gly detected, VAF 35%.", "V"),
    ("UBA1 p.Met41Lys detected, VAF 50%.", "V"),
    ("UBA1 p.M41K detected.", "V"),
    ("UBA1 c.123G>A p.Met41Ile detected.", "V"),
    ("UBA1 p.Met410Thr detected.", "V"),
    ("UBA1 c.1122T>C detected.", "V"),
    ("UBA1 c.122T>C detected, conflicting: VUS by one laboratory, pathogenic by another.", "V?"),
    ("UBA1 p.Ser56Phe detected, classified as non-pathogenic.", "VN?"),
    ("UBA1 p.Ser56Phe detected; unlikely to be pathogenic.", "VN?"),
    ("UBA1 p.Asn606Ile detected; there is no evidence that it is pathogenic.", "VN?"),
    ("UBA1 p.Ser56Phe detected; pathogenicity unknown.", "V?"),
    ("UBA1 p.(Met41=) synonymous variant detected, benign.", "VN"),
    ("UBA1 p.(Ala15=) polymorphism detected.", "VN"),
    # no call
    ("UBA1 testing failed due to insufficient DNA.", "?"),
    ("UBA1: no call", "?"),
    ("UBA1 analysis inconclusive; repeat sample requested.", "?"),
    ("UBA1 result indeterminate at codon 41.", "?"),
    ("Sample insufficient; UBA1 p.Met41Thr not evaluable.", "?"),
    ("Awaiting UBA1 result.", "?"),
    ("Equivocal result for UBA1 p.Met41Thr detected near background, please repeat.", "?V"),
    ("Possible UBA1 p.Met41Thr detected, confirmation pending.", "?VL"),
    ("Low-level UBA1 p.Met41Thr signal detected, possibly artefact.", "?VL"),
    ("UBA1 was not included in this panel.", "?"),
    ("This panel does not include UBA1. No pathogenic variants detected.", "?"),
    ("Consider UBA1 testing if VEXAS is suspected. No pathogenic variants detected in the genes analysed.", "?"),
    # someone else, something else
    ("The patient's brother carries UBA1 p.Met41Thr. UBA1 not detected in the patient.", "N"),
    ("Mother: UBA1 p.Met41Thr detected.", "?"),
    ("UBA1 p.Met41Thr was detected in the patient's father.", "?"),
    ("In the patient's father, UBA1 p.Met41Thr was detected.", "?"),
    ("Somatic UBA1 variants such as p.Met41Thr, p.Met41Val and p.Met41Leu cause VEXAS syndrome.", "?"),
    ("VEXAS syndrome is caused by pathogenic UBA1 variants such as p.Met41Thr.", "?V"),
    ("Pathogenic UBA1 variants (p.Met41Thr/Val/Leu) are found in VEXAS syndrome.", "?V"),
    ("VEXAS syndrome is associated with pathogenic UBA1 variants including p.Met41Val.", "?V"),
    ("UBA1: not detected. VEXAS syndrome is caused by pathogenic UBA1 variants such as p.Met41Thr.", "N?"),
    ("This assay detects UBA1 p.Met41Thr, p.Met41Val and p.Met41Leu.", "?"),
    ("The panel includes UBA1. The limit of detection is 2%.", "?"),
    ("Panel (ASXL1, UBA1, TET2): pathogenic variant detected in TET2 p.Q1034*, VAF 22%.", "?VN"),
    ("Genes analysed: ASXL1, TET2, UBA1. A pathogenic variant was detected: TET2 p.Q1034*, VAF 22%.", "?VN"),
    ("Genes analysed: ASXL1, TET2, UBA1. One pathogenic variant was detected (see table).", "?V"),
    # contradictions
    ("UBA1 p.Met41Thr detected. UBA1 p.Met41Thr not detected.", "?"),
    ("UBA1 positive. UBA1 negative.", "?"),
    ("UBA1 p.Met41Val not detected in this sample; previously detected at VAF 46%.", "N?"),
]

# Positives that also say no to something else: they may be in doubt, but they are not negative.
NEVER_NEGATIVE = [
    "DNMT3A R882H 22%, UBA1 M41T 61%",
    "JAK2 V617F not detected, UBA1 p.Met41Thr detected, VAF 50%.",
    "UBA1 p.Met41Thr detected, DNMT3A not detected.",
    "UBA1 p.Met41Thr detected (VAF 62%), no evidence of germline variants.",
    "UBA1 c.122T>C p.Met41Thr, absent from gnomAD, was detected at VAF 62%.",
    "UBA1 p.Met41Thr (VAF 62%) was detected; the variant is absent from population databases.",
    "UBA1 p.Met41Thr detected. This variant was not present in the germline sample.",
    "UBA1 p.Met41Leu detected. Wild-type sequence in exons 14 and 16.",
    "UBA1 exon 3: c.121A>G p.Met41Val detected. UBA1 exons 14 and 16: no variants detected.",
    "UBA1 p.Met41Thr detected with no other pathogenic mutation.",
    "UBA1 p.Met41Thr detected, VAF 55%, JAK2 negative.",
    "Positive: UBA1 p.Met41Val VAF 40%, wild-type TP53.",
    "UBA1 p.Met41Thr detected with no TET2 variant.",
    "UBA1 p.Met41Thr detected without TET2 mutation.",
    "UBA1 p.Met41Thr detected without additional variants.",
    "No p.Met41Val or p.Met41Leu, but UBA1 p.Met41Thr detected.",
    "UBA1 p.Met41Thr detected. Treatment may be considered if symptoms are present.",
]

# Positives in a list of variants: whatever they are read as, a clinician must get to see them.
LISTED = [
    "Variants: DNMT3A p.Arg882His 22%, UBA1 p.Met41Thr 61%",
    "UBA1 p.Met41Thr and DNMT3A R882H detected",
    "Detected: DNMT3A R882H, UBA1 M41T",
    "DNMT3A R882H VAF 22%\nUBA1 c.121A>G p.Met41Val VAF 61%\nTET2: no variant",
    "Tier I: UBA1 c.122T>C p.(Met41Thr). Tier III: none.",
    "UBA1 p.Met41Thr, 61 %",
]

# Under the specific test code a bare line is a result; these lines are none.
UNDER_THE_TEST_CODE = [
    ("NOT DETECTED. Assay covers p.Met41Thr/Val/Leu only; LOD 0.5%", "N"),
    ("Not detected", "N"),
    ("Undetected", "N"),
    ("None detected", "N"),
    ("Negative", "N"),
    ("p.Met41Leu", "P"),
    ("c.122T>C p.(Met41Thr), 61 %", "P"),
    ("Detected", "V"),
    ("Positive", "V"),
    ("Method: ddPCR for UBA1 c.121A>G, c.121A>C, c.122T>C. Result: Not detected.", "N"),
    ("Absence of UBA1 p.Met41Thr, p.Met41Val and p.Met41Leu.", "N?"),
    ("p.Met41Thr neg, p.Met41Val neg, p.Met41Leu neg", "N?"),
    ("p.Met41Thr: no. p.Met41Val: no. p.Met41Leu: no.", "N?"),
    ("Tested for c.121A>C, c.121A>G and c.122T>C.", "?V"),
    ("Clinical question: UBA1 p.Met41Thr?", "?V"),
    ("Indication: father with UBA1 p.Met41Thr.", "?"),
    ("Equivocal for p.Met41Thr, please repeat.", "?V"),
    ("Suspicious for p.Met41Val; confirmation to follow.", "?V"),
    ("The following were not detected: p.Met41Thr, p.Met41Val, p.Met41Leu", "N"),
    ("Sample haemolysed, test cancelled", "?"),
    ("see PDF", "?"),
    ("p.Met41Thr/Val/Leu: 0 %", "N?VL"),
]


def letter(text, code=NGS):
    """How one report is read."""
    return LETTER[READER.read(report(text, code=code)).call]


@pytest.mark.parametrize(("text", "fraction"), POSITIVE)
def test_reads_a_clear_positive(text, fraction):
    """A named pathogenic variant that is said to be there is pathogenic, with the fraction of that variant and no other."""
    reading = READER.read(report(text, code=NGS))

    assert (Call.PATHOGENIC, fraction) == (reading.call, pytest.approx(reading.fraction) if fraction is not None else reading.fraction)


@pytest.mark.parametrize(("text", "expected"), OTHERS)
def test_reads_everything_else_with_caution(text, expected):
    """Low, denied, uncertain, failed, foreign or explained: none of it confirms, and what is denied is negative."""
    found = letter(text)

    assert found in expected


@pytest.mark.parametrize("text", NEVER_NEGATIVE)
def test_never_reads_a_clear_positive_as_negative(text):
    """A detected pathogenic variant stays one when the report denies something else in the same breath."""
    found = letter(text)

    assert found != "N"


@pytest.mark.parametrize("text", [*NEVER_NEGATIVE, *LISTED])
def test_never_loses_a_clear_positive(text):
    """A pathogenic variant in any report leads to a card about the result, confirmed or for review, and never to another test."""
    patient = record(report(text, code=NGS), condition("cond-neutrophilic-dermatosis"), lab("lab-mcv", 108, "fL"), lab("lab-crp", 50, "mg/L"))

    topics = REASONER.evaluate(patient, TODAY).topics

    assert topics[0] in ("confirmed", "uncertain")


@pytest.mark.parametrize(("text", "expected"), UNDER_THE_TEST_CODE)
def test_reads_a_bare_line_of_the_specific_test(text, expected):
    """Under the code of the UBA1 test a line need not name the gene; but a question, a method or a doubt is no result."""
    found = letter(text, code=UBA1_TEST)

    assert found in expected


@pytest.mark.parametrize("text", [t for t, _ in POSITIVE[:6]] + [t for t, _ in OTHERS[8:14]])
def test_reads_a_report_the_same_in_capitals(text):
    """Capitals change nothing."""
    found = letter(text.upper().replace("%", " %"))

    assert letter(text) == found


@pytest.mark.parametrize(
    ("text", "limited"),
    [
        ("UBA1 not detected. All coding exons were sequenced by NGS.", False),
        ("UBA1 not detected (exons 3, 14 and 16).", False),
        ("UBA1 not detected by Sanger sequencing of all coding exons.", True),
        ("UBA1 not detected (hotspot assay).", True),
        ("UBA1 not detected. Exon 3 was covered.", True),
        ("UBA1 not detected.", True),
    ],
)
def test_knows_what_a_negative_may_have_missed(text, limited):
    """A negative is limited when the assay is Sanger, partial, or does not say what it covers."""
    reading = READER.read(report(text, code=NGS))

    assert (Call.NEGATIVE, limited) == (reading.call, reading.limited)


@pytest.mark.parametrize(
    ("text", "germline"),
    [
        ("UBA1 p.Met41Thr detected, hemizygous germline variant.", True),
        ("UBA1 p.Met41Thr detected, somatic.", False),
        ("UBA1 p.Met41Thr detected, non-germline.", False),
        ("UBA1 p.Met41Thr detected, not germline.", False),
        ("UBA1 p.Met41Thr detected; this is not a germline variant.", False),
        ("UBA1 p.Met41Thr detected, not of germline origin.", False),
        ("UBA1 p.Met41Thr detected, non germline.", False),
    ],
)
def test_notes_a_call_as_germline(text, germline):
    """A germline label is kept as a caution; it does not change the call."""
    reading = READER.read(report(text, code=NGS))

    assert (Call.PATHOGENIC, germline) == (reading.call, "germline" in reading.reasons)


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("UBA1 not detected", NGS, True),
        ("Not detected", UBA1_TEST, True),
        ("JAK2 V617F detected", NGS, False),
        ("UBA10 and UBA1A are other names", NGS, False),
        ("Chest radiograph: clear", None, False),
        ("", NGS, False),
    ],
)
def test_knows_which_reports_are_about_the_gene(text, code, expected):
    """A report is about the gene by its code or by its words."""
    found = READER.about_gene(report(text, code=code))

    assert expected == found


def test_reads_a_very_long_report_in_no_time():
    """A report of a million characters is read to a limit and neither fails nor hangs."""
    found = letter("UBA1 p.Met41Thr detected. " + "not a word about it " * 50_000)

    assert found in "P?V"


@pytest.mark.parametrize(
    "text", ["UBA1 " + "(" * 20_000, "UBA1 no " + "a" * 20_000, "UBA1 " + "not " * 5_000, "vaf" * 7_000, "UBA1 c.121A" + " " * 19_000 + ">G"]
)
def test_stands_hostile_text(text):
    """No run of characters makes the patterns hang or confirms anything."""
    found = letter(text)

    assert found not in "PL"
