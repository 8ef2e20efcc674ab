"""Coded results of the gene, and all results of a patient taken together."""

import msgspec
import pytest

from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.gene_links import Said
from cds_service.reasoning.genetics import Call, GeneReader
from cds_service.record.codes import Code, code
from tests.reasoning.charts import (
    HGNC_UBA1,
    KNOWLEDGE,
    LOINC,
    TODAY,
    UBA1_TEST,
    VARIANT,
    back,
    condition,
    item,
    lab,
    order,
    procedure,
    record,
    report,
)

READER = GeneReader(KNOWLEDGE)
REASONER = Reasoner(KNOWLEDGE)
GENE = item("gene", codes=(HGNC_UBA1,))
SYMBOL = item("gene", text="UBA1")
OLD_GENE = item("gene", codes=(code("http://www.genenames.org/geneId", "HGNC:12469"),))
BARE_GENE = item("gene", codes=(code("http://www.genenames.org", "12469"),), text="UBA1")
OTHER_GENE = item("gene", codes=(code("http://www.genenames.org", "HGNC:6192"),), text="JAK2")
MISNAMED_GENE = item("gene", codes=(code("http://www.genenames.org", "HGNC:6192"),), text="UBA1")
MET41THR = item("c_hgvs", codes=(Code("http://varnomen.hgvs.org", "NM_003334.4:c.122T>C"),))
MET41LEU = item("p_hgvs", text="p.Met41Leu")
MET41LYS = item("p_hgvs", text="p.(Met41Lys)")
SER56PHE = item("p_hgvs", text="p.(Ser56Phe)")


def vaf(number, unit):
    """A component with the allele fraction."""
    return item("fraction", number=number, unit=unit)


def unread():
    """A component in which an allele fraction stands that was not understood."""
    return msgspec.structs.replace(item("fraction"), unread=True)


def observed(*items, answer=None, flag=(), text="", code=VARIANT, **members):
    """A variant observation."""
    answers = (Code(LOINC, KNOWLEDGE.genetics.answers[answer]),) if answer else ()
    return report(text, code=code, items=items, conclusion_codes=answers, interpretations=flag, **members)


SHAPES = {
    "present, canonical, coded": (observed(GENE, MET41THR, answer="present"), {Call.PATHOGENIC}),
    "present, gene by symbol": (observed(SYMBOL, MET41LEU, answer="present"), {Call.PATHOGENIC}),
    "present, older gene system": (observed(OLD_GENE, MET41LEU, answer="present"), {Call.PATHOGENIC}),
    "present, fraction 0.72": (observed(GENE, MET41THR, vaf(0.72, "1"), answer="present"), {Call.PATHOGENIC}),
    "present, fraction 46 with unit 1": (observed(GENE, MET41THR, vaf(46, "1"), answer="present"), {Call.PATHOGENIC}),
    "present, fraction 4.5 %": (observed(GENE, MET41LEU, vaf(4.5, "%"), answer="present"), {Call.LOW}),
    "present, fraction 0.045": (observed(GENE, MET41LEU, vaf(0.045, "1"), answer="present"), {Call.LOW}),
    "present, fraction 9.9 %": (observed(GENE, MET41LEU, vaf(9.9, "%"), answer="present"), {Call.LOW}),
    "present, fraction 10 %": (observed(GENE, MET41LEU, vaf(10, "%"), answer="present"), {Call.PATHOGENIC}),
    "present, fraction 0.075 in decimals": (observed(GENE, MET41THR, vaf(0.075, "decimal"), answer="present"), {Call.LOW}),
    "present, fraction 0.075 as a ratio": (observed(GENE, MET41THR, vaf(0.075, "ratio"), answer="present"), {Call.LOW}),
    "present, fraction 0.5 percent": (observed(GENE, MET41THR, vaf(0.5, "Per cent"), answer="present"), {Call.LOW}),
    "present, fraction 0.46 in decimals": (observed(GENE, MET41THR, vaf(0.46, "decimal"), answer="present"), {Call.PATHOGENIC}),
    "present, fraction 4.5 with unit 1": (observed(GENE, MET41THR, vaf(4.5, "1"), answer="present"), {Call.UNSURE}),
    "present, fraction 9.9 without a unit": (observed(GENE, MET41THR, vaf(9.9, ""), answer="present"), {Call.UNSURE}),
    "present, fraction 10 without a unit": (observed(GENE, MET41THR, vaf(10, ""), answer="present"), {Call.PATHOGENIC}),
    "present, fraction 46 of an unknown unit": (observed(GENE, MET41THR, vaf(46, "furlong"), answer="present"), {Call.UNSURE}),
    "present, fraction 146 %": (observed(GENE, MET41THR, vaf(146, "%"), answer="present"), {Call.UNSURE}),
    "present, fraction in words": (observed(GENE, MET41THR, item("fraction", text="5 to 15 %"), answer="present"), {Call.UNSURE}),
    "present, fraction below 20 %": (observed(GENE, MET41THR, item("fraction", text="<20 %", number=20, unit="%"), answer="present"), {Call.UNSURE}),
    "present, fraction with a comparator": (
        observed(GENE, MET41THR, msgspec.structs.replace(vaf(20, "%"), comparator="<"), answer="present"),
        {Call.UNSURE},
    ),
    "present, fraction below 5 %": (observed(GENE, MET41THR, item("fraction", text="<5 %", number=5, unit="%"), answer="present"), {Call.LOW}),
    "present, two fractions": (observed(GENE, MET41THR, vaf(0.46, "1"), vaf(0.05, "1"), answer="present"), {Call.UNSURE}),
    "present, two low fractions": (observed(GENE, MET41THR, vaf(0.04, "1"), vaf(0.05, "1"), answer="present"), {Call.LOW}),
    "present, fraction not understood": (observed(GENE, MET41THR, unread(), answer="present"), {Call.UNSURE}),
    "present, fraction without any value": (observed(GENE, MET41THR, item("fraction"), answer="present"), {Call.PATHOGENIC}),
    "present, fraction not understood, and 4 % in the words": (
        observed(GENE, MET41THR, unread(), answer="present", text="UBA1 p.Met41Thr detected, VAF 4 %"),
        {Call.LOW},
    ),
    "present, fraction of 0.9 % by its unit and of 0.9 by its code": (
        observed(GENE, MET41THR, msgspec.structs.replace(vaf(0.9, "1"), unit_words="%"), answer="present"),
        {Call.UNSURE},
    ),
    "present, fraction of 46 % by unit and code": (
        observed(GENE, MET41THR, msgspec.structs.replace(vaf(46, "%"), unit_words="percent"), answer="present"),
        {Call.PATHOGENIC},
    ),
    "present, fraction of 46 % by its code, and a unit in other words": (
        observed(GENE, MET41THR, msgspec.structs.replace(vaf(46, "%"), unit_words="VAF"), answer="present"),
        {Call.PATHOGENIC},
    ),
    "present, fraction above 8 %": (
        observed(GENE, MET41THR, msgspec.structs.replace(vaf(8, "%"), comparator=">"), answer="present"),
        {Call.UNSURE},
    ),
    "present, specimen of a donor": (
        observed(GENE, MET41THR, answer="present", specimen="Bone marrow, stem cell donor (sister)"),
        {Call.UNCLEAR},
    ),
    "variant without an answer, specimen of another person": (
        observed(GENE, MET41THR, specimen="Blood of another person"),
        {Call.UNCLEAR},
    ),
    "absent, specimen of a donor": (observed(GENE, answer="absent", specimen="Donor blood"), {Call.UNCLEAR}),
    "present, specimen of the patient": (observed(GENE, MET41THR, answer="present", specimen="Bone marrow aspirate"), {Call.PATHOGENIC}),
    "present, fraction 46 with unit 1, and 46 % in the words": (
        observed(GENE, MET41THR, vaf(46, "1"), answer="present", text="UBA1 p.Met41Thr detected, VAF 46 %"),
        {Call.PATHOGENIC},
    ),
    "present, fraction 4.5 with unit 1, and 46 % in the words": (
        observed(GENE, MET41THR, vaf(4.5, "1"), answer="present", text="UBA1 p.Met41Thr detected, VAF 46 %"),
        {Call.UNSURE},
    ),
    "present, fraction 0.46, and 4 % in the words": (
        observed(GENE, MET41THR, vaf(0.46, "1"), answer="present", text="UBA1 p.Met41Thr detected, VAF 4 %"),
        {Call.UNSURE},
    ),
    "present, other base of codon 41": (observed(GENE, MET41LYS, answer="present"), {Call.UNCERTAIN}),
    "present, no variant named": (observed(GENE, answer="present"), {Call.UNCERTAIN}),
    "present, class uncertain": (observed(GENE, SER56PHE, item("significance", answer="uncertain"), answer="present"), {Call.UNCERTAIN}),
    "present, canonical, class uncertain": (observed(GENE, MET41THR, item("significance", answer="uncertain"), answer="present"), {Call.UNCERTAIN}),
    "present, canonical, class benign": (
        observed(GENE, MET41THR, item("significance", answer="benign"), answer="present"),
        {Call.UNCERTAIN, Call.UNCLEAR},
    ),
    "present, class pathogenic": (observed(GENE, SER56PHE, item("significance", answer="pathogenic"), answer="present"), {Call.PATHOGENIC}),
    "present, class likely pathogenic in words": (
        observed(GENE, SER56PHE, item("significance", text="Likely pathogenic"), answer="present"),
        {Call.PATHOGENIC},
    ),
    "present, class not pathogenic in words": (
        observed(GENE, SER56PHE, item("significance", text="Not pathogenic"), answer="present"),
        {Call.UNCERTAIN},
    ),
    "present, class benign": (observed(GENE, SER56PHE, item("significance", answer="benign"), answer="present"), {Call.NEGATIVE, Call.UNCERTAIN}),
    "absent": (observed(GENE, answer="absent"), {Call.NEGATIVE}),
    "absent, with the variant that was looked for": (observed(GENE, MET41THR, answer="absent"), {Call.NEGATIVE}),
    "no call": (observed(GENE, MET41THR, answer="no-call"), {Call.UNCLEAR}),
    "indeterminate": (observed(GENE, MET41THR, answer="indeterminate"), {Call.UNCLEAR}),
    "variant without an answer": (observed(GENE, MET41THR), {Call.PATHOGENIC, Call.UNCERTAIN}),
    "flag POS only": (observed(code=UBA1_TEST, flag=("POS",)), {Call.UNCERTAIN}),
    "flag NEG only": (observed(code=UBA1_TEST, flag=("NEG",)), {Call.NEGATIVE}),
    "flag IND only": (observed(code=UBA1_TEST, flag=("IND",)), {Call.UNCLEAR}),
    "flags POS and NEG": (observed(code=UBA1_TEST, flag=("POS", "NEG")), {Call.UNCLEAR}),
    "answer absent and flag POS": (observed(GENE, MET41THR, answer="absent", flag=("POS",)), {Call.UNCLEAR}),
    "answer absent and words positive": (observed(GENE, answer="absent", text="UBA1 p.Met41Thr detected"), {Call.UNCLEAR}),
    "nothing at all": (observed(code=UBA1_TEST), {Call.UNCLEAR}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reads_a_coded_result(shape):
    """Answer, variant, class and fraction together make the call; what contradicts or is missing never confirms."""
    one, expected = SHAPES[shape]

    reading = READER.read(one)

    assert reading.call in expected
    assert READER.about_gene(one)


@pytest.mark.parametrize(("implied", "expected"), [("uncertain", Call.UNCERTAIN), ("pathogenic", Call.PATHOGENIC)])
def test_takes_the_class_from_a_linked_interpretation(implied, expected):
    """A separate Observation may carry the class of a variant."""
    reading = READER.read(observed(GENE, SER56PHE, answer="present"), Said(classes=frozenset({implied})))

    assert expected is reading.call


@pytest.mark.parametrize(
    ("gene", "expected"), [(GENE, True), (SYMBOL, True), (OLD_GENE, True), (BARE_GENE, True), (OTHER_GENE, False), (MISNAMED_GENE, False)]
)
def test_knows_the_gene_by_code_or_symbol(gene, expected):
    """The gene studied decides; a code of another gene outweighs any words."""
    found = READER.about_gene(observed(gene, MET41THR, answer="present"))

    assert expected == found


@pytest.mark.parametrize(
    ("number", "unit", "fraction", "ambiguous"),
    [
        (0.72, "1", 0.72, False),
        (0.72, "", 0.72, False),
        (0.72, "{ratio}", 0.72, False),
        (72, "%", 0.72, False),
        (0.5, "%", 0.005, False),
        (46, "1", None, True),
        (46, "", None, True),
        (46, "furlong", None, True),
        (0.46, "furlong", 0.46, False),
        (46, "Prozent", 0.46, False),
        (0.4, "\u2030", 0.0004, False),
        (400, "per mille", 0.4, False),
        (0.4, "[ppm]", None, True),
        (0.46, "decimal", 0.46, False),
        (0.075, "fraction", 0.075, False),
        (1, "1", 1, False),
        (1, "", None, True),
        (1.01, "1", None, True),
        (0.5, "percent", 0.005, False),
        (0.5, "{Percent}", 0.005, False),
        (50, "10*-2", 0.5, False),
        (-0.1, "1", None, True),
        (146, "%", None, True),
        (-4, "%", None, True),
    ],
)
def test_never_guesses_the_unit_of_a_fraction(number, unit, fraction, ambiguous):
    """Up to 1 a number is a fraction, unless it is in percent; above 1 without a percent sign, or outside 0 to 100 %, it is ambiguous."""
    reading = READER.read(observed(GENE, MET41THR, vaf(number, unit), answer="present"))

    assert (fraction, ambiguous) == (reading.fraction, "fraction-ambiguous" in reading.reasons)


POSITIVE = report("UBA1 p.Met41Thr detected, VAF 60%.", code=UBA1_TEST, on=back(30))
NEGATIVE = report("UBA1 not detected, all coding exons sequenced.", code=UBA1_TEST, on=back(60))
SWEET = condition("cond-neutrophilic-dermatosis", back(400))
VEXAS = condition("disease-codes", back(100))


CODED = observed(GENE, MET41THR, answer="present", on=back(30))
LOW_WORDS = report("UBA1 c.122T>C detected, VAF 2 %", code=UBA1_TEST, on=back(30))
TODAYS = report(POSITIVE.conclusion, code=UBA1_TEST, on=back(0))
TOMORROWS = report(POSITIVE.conclusion, code=UBA1_TEST, on=back(-1))
CONFIRMED = ("confirmed", ("vexas-confirmed",))
UNCERTAIN = ("uncertain", ("vexas-uncertain",))


def moved(one, days, **members):
    """The same result on another day."""
    return report(one.conclusion, code=one.codes[0], on=back(days), **members)


PATIENTS = {
    "nothing": ((), "none", ()),
    "positive with disease": ((POSITIVE, SWEET), "confirmed", ("vexas-confirmed",)),
    "positive without disease": ((POSITIVE,), "uncertain", ("vexas-uncertain",)),
    "low fraction with disease": ((report("UBA1 p.Met41Thr detected, VAF 4%.", code=UBA1_TEST), SWEET), "uncertain", ("vexas-uncertain",)),
    "unclear fraction with disease": ((report("UBA1 p.Met41Thr detected, VAF 4.", code=UBA1_TEST), SWEET), "uncertain", ("vexas-uncertain",)),
    "older unclear fraction, newer negative": (
        (report("UBA1 p.Met41Thr detected, VAF 4.", code=UBA1_TEST, on=back(90)), NEGATIVE, SWEET),
        "uncertain",
        ("vexas-uncertain",),
    ),
    "germline with disease": ((report("UBA1 p.Met41Thr detected, germline, VAF 98%.", code=UBA1_TEST), SWEET), "confirmed", ("vexas-confirmed",)),
    "preliminary positive": ((moved(POSITIVE, 30, status="preliminary"), SWEET), "pending", ()),
    "registered": ((moved(POSITIVE, 30, status="registered"), SWEET), "pending", ()),
    "unknown status": ((moved(POSITIVE, 30, status="unknown"), SWEET), "pending", ()),
    "no status": ((moved(POSITIVE, 30, status=None), SWEET), "pending", ()),
    "entered in error": ((moved(POSITIVE, 30, status="entered-in-error"), SWEET), "none", ()),
    "cancelled": ((moved(POSITIVE, 30, status="cancelled"), SWEET), "none", ()),
    "amended": ((moved(POSITIVE, 30, status="amended"), SWEET), "confirmed", ("vexas-confirmed",)),
    "corrected": ((moved(POSITIVE, 30, status="corrected"), SWEET), "confirmed", ("vexas-confirmed",)),
    "older negative, newer positive": ((NEGATIVE, POSITIVE, SWEET), "confirmed", ("vexas-confirmed",)),
    "older positive, newer negative": ((moved(POSITIVE, 90), NEGATIVE, SWEET), "uncertain", ("vexas-uncertain",)),
    "both on one day": ((moved(POSITIVE, 60), NEGATIVE, SWEET), "confirmed", ("vexas-confirmed",)),
    "low fraction in words beside a coded result of that day": ((LOW_WORDS, CODED, SWEET), *UNCERTAIN),
    "low fraction in words beside a coded result of a later day": (
        (LOW_WORDS, observed(GENE, MET41THR, answer="present", on=back(29)), SWEET),
        *CONFIRMED,
    ),
    "low fraction of another variant on that day": (
        (LOW_WORDS, observed(GENE, item("c_hgvs", text="c.121A>G"), vaf(46, "%"), answer="present", on=back(30)), SWEET),
        *CONFIRMED,
    ),
    "low fraction of a variant without a name on that day": (
        (report("UBA1 variant detected, VAF 2 %", code=UBA1_TEST, on=back(30)), CODED, SWEET),
        *UNCERTAIN,
    ),
    "fractions on both sides of the limit on one day": (
        (LOW_WORDS, observed(GENE, MET41THR, vaf(46, "%"), answer="present", on=back(30)), SWEET),
        *UNCERTAIN,
    ),
    "high fraction in words beside a coded result of that day": ((POSITIVE, CODED, SWEET), *CONFIRMED),
    "positive of today": ((TODAYS, SWEET), *CONFIRMED),
    "positive of tomorrow": ((TOMORROWS, SWEET), "none", ()),
    "positive of this year": ((report(POSITIVE.conclusion, code=UBA1_TEST, on=str(TODAY.year)), SWEET), *CONFIRMED),
    "positive of next year": ((report(POSITIVE.conclusion, code=UBA1_TEST, on=str(TODAY.year + 1)), SWEET), "none", ()),
    "negative, and a positive of tomorrow": ((NEGATIVE, TOMORROWS, SWEET), "negative", ()),
    "negative": ((NEGATIVE, SWEET), "negative", ()),
    "ordered": ((order("uba1-test"), SWEET), "pending", ()),
    "ordered long ago": ((order("uba1-test", back(400)), SWEET), "none", ()),
    "problem list only": ((VEXAS,), "confirmed", ("vexas-confirmed",)),
    "problem list against a negative": ((VEXAS, NEGATIVE), "uncertain", ("vexas-uncertain",)),
    "problem list and negative after transplant": ((VEXAS, NEGATIVE, procedure("status-hsct", back(90))), "confirmed", ("vexas-confirmed",)),
    "problem list refuted": ((condition("disease-codes", verification="refuted"),), "none", ()),
    "problem list provisional": ((condition("disease-codes", verification="provisional"),), "none", ()),
    "problem list query": ((condition("disease-codes", codes=(), text="?VEXAS"),), "none", ()),
    "problem list rule out": ((condition("disease-codes", codes=(), text="Rule out VEXAS syndrome"),), "none", ()),
    "problem list excluded": ((condition("disease-codes", codes=(), text="VEXAS excluded"),), "none", ()),
    "problem list family history": ((condition("disease-codes", codes=(), text="Family history of VEXAS"),), "none", ()),
    "problem list by text": ((condition("disease-codes", codes=(), text="VEXAS syndrome"),), "confirmed", ("vexas-confirmed",)),
}


@pytest.mark.parametrize("patient", PATIENTS)
def test_weighs_all_results_together(patient):
    """The newest final result holds, the stronger of one day; pending, mistaken or doubted entries confirm nothing."""
    facts, state, topics = PATIENTS[patient]

    assessment = REASONER.evaluate(record(*facts), TODAY)

    cards = tuple(getattr(KNOWLEDGE.module.topics, t).code for t in assessment.topics if t != "supportive")
    assert (state, topics) == (assessment.genetics.state.value, cards if state not in ("none", "pending") else ())


@pytest.mark.parametrize(("days", "silent"), [(0, True), (365, True), (366, False)])
def test_keeps_silent_for_a_year_after_a_complete_negative(days, silent):
    """Twelve months after a complete negative the same findings speak again."""
    suspect = (SWEET, lab("lab-mcv", 108, "fL"), lab("lab-crp", 50, "mg/L"))

    assessment = REASONER.evaluate(record(moved(NEGATIVE, days), *suspect), TODAY)

    assert (() if silent else ("test",)) == assessment.topics


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        ((), ()),
        ((condition("cond-relapsing-polychondritis", back(10)),), ("negative",)),
        ((condition("cond-relapsing-polychondritis", back(200)),), ()),
    ],
)
def test_speaks_again_when_a_strong_organ_is_new(change, topics):
    """A strong organ that was recorded after the negative result reopens the question."""
    suspect = (SWEET, lab("lab-mcv", 108, "fL"), lab("lab-crp", 50, "mg/L"))

    assessment = REASONER.evaluate(record(NEGATIVE, *suspect, *change), TODAY)

    assert topics == assessment.topics


def test_says_that_a_result_of_the_future_was_not_used():
    """A result that is dated after today is named among what could not be used, as a laboratory result is."""
    assessment = REASONER.evaluate(record(TOMORROWS, SWEET), TODAY)

    assert [f"UBA1 result of {TOMORROWS.on} is dated in the future and was not used"] == [i.what for i in assessment.issues if "UBA1" in i.what]


@pytest.mark.parametrize(("stated", "shown"), [("50 %", "VAF 50 %"), (">50 %", "VAF >50 %"), ("<5 %", "VAF <5 %")])
def test_shows_a_bound_as_a_bound(stated, shown):
    """A fraction of which only a bound is stated is never shown as if it were measured."""
    told = report(f"UBA1 p.Met41Thr detected, VAF {stated}", code=UBA1_TEST)

    assessment = REASONER.evaluate(record(told, SWEET), TODAY)

    assert [True] == [(e.value or "").endswith(shown) for e in assessment.genetics.evidence]


def test_shows_both_sides_of_a_conflict():
    """Contradicting results are both shown, the newest first."""
    assessment = REASONER.evaluate(record(NEGATIVE, POSITIVE, SWEET), TODAY)

    assert ("conflict" in assessment.genetics.reasons, 2) == (True, len(assessment.genetics.evidence))


def test_never_lets_the_words_of_a_chart_into_its_evidence():
    """The variant is shown in the catalogue's spelling, so that nothing of the report's text reaches a card."""
    hostile = report("UBA1 p.Met41Thr <script>alert(1)</script> detected, VAF 60%.", code=UBA1_TEST)

    assessment = REASONER.evaluate(record(hostile, SWEET), TODAY)

    assert [False] == ["script" in (e.value or "") for e in assessment.genetics.evidence]
