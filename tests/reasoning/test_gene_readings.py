"""One result of the gene: what it says, why, and what is shown of it; then what all results of a patient say together."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.reasoning.chart import Chart
from cds_service.reasoning.findings import Evidence, GeneticState
from cds_service.reasoning.gene_links import Said
from cds_service.reasoning.genetics import Call, GeneReader, genetic_status
from cds_service.record.codes import Code
from cds_service.record.dates import Day
from cds_service.record.facts import Issue, ReportItem
from tests.reasoning.charts import KNOWLEDGE, LOINC, TODAY, UBA1_TEST, VARIANT, back, condition, first, item, order, procedure, record, report
from tests.reasoning.test_gene_results import GENE, MET41LYS, MET41THR, OTHER_GENE, SER56PHE, observed, unread, vaf

THR = "p.(Met41Thr)"


@pytest.fixture
def reader() -> GeneReader:
    """A reader of the shipped module's gene."""
    return GeneReader(KNOWLEDGE)


def called(answer):
    """A component with the laboratory's class."""
    return item("significance", answer=answer)


def source(answer):
    """A component that says whether the variant is germline or somatic."""
    return item("source_class", answer=answer)


def said(text, **members):
    """A report of the gene's own test in words."""
    return report(text, code=UBA1_TEST, **members)


def told(name, *, text="", answers=(), number=None, unit="", codes=()):
    """A result of the gene's own test with one component that has a name of its own."""
    values = tuple(Code(LOINC, KNOWLEDGE.genetics.answers[a]) for a in answers)
    return said("", items=(ReportItem(text=name, codes=codes, value_codes=values, value_text=text, number=number, unit=unit),))


GERMLINE = source("germline")
PANEL = Code(LOINC, "51969-4")
OMIM = ReportItem(value_codes=(Code("x", "1"), Code("http://www.omim.org", "301830")))
CODED_CLASS = (Code(LOINC, KNOWLEDGE.genetics.answers["likely-pathogenic"]),)

# What a result holds, the call and the reasons that a card would give for it.
READ = {
    "a canonical variant": (observed(GENE, MET41THR, answer="present"), "PATHOGENIC", ""),
    "a canonical variant by its flag": (observed(GENE, MET41THR, flag=("POS",)), "PATHOGENIC", ""),
    "a canonical variant and a flag that says nothing": (observed(GENE, MET41THR, flag=("H",)), "PATHOGENIC", ""),
    "a class of the laboratory": (observed(GENE, SER56PHE, called("pathogenic"), answer="present"), "PATHOGENIC", "laboratory-class"),
    "likely pathogenic": (observed(GENE, SER56PHE, called("likely-pathogenic"), answer="present"), "PATHOGENIC", "laboratory-class"),
    "a class without an answer": (observed(GENE, SER56PHE, called("pathogenic")), "PATHOGENIC", "laboratory-class"),
    "likely pathogenic without an answer": (observed(GENE, SER56PHE, called("likely-pathogenic")), "PATHOGENIC", "laboratory-class"),
    "a class as the answer": (report(code=VARIANT, items=(GENE, SER56PHE), conclusion_codes=CODED_CLASS), "PATHOGENIC", "laboratory-class"),
    "likely benign": (observed(GENE, SER56PHE, called("likely-benign"), answer="present"), "NEGATIVE", "benign"),
    "benign": (observed(GENE, SER56PHE, called("benign"), answer="present"), "NEGATIVE", "benign"),
    "a canonical variant called benign": (observed(GENE, MET41THR, called("benign"), answer="present"), "UNCLEAR", "contradictory"),
    "a canonical variant called likely benign": (observed(GENE, MET41THR, called("likely-benign"), answer="present"), "UNCLEAR", "contradictory"),
    "a variant of uncertain significance": (observed(GENE, SER56PHE, called("uncertain"), answer="present"), "UNCERTAIN", "uncertain-significance"),
    "a variant nobody has classified": (observed(GENE, MET41LYS, answer="present"), "UNCERTAIN", "not-classified"),
    "a variant nobody has classified, without an answer": (observed(GENE, MET41LYS), "UNCERTAIN", "not-classified"),
    "detected, no variant named": (observed(GENE, answer="present"), "UNCERTAIN", "not-classified"),
    "absent": (observed(GENE, answer="absent"), "NEGATIVE", ""),
    "absent, called pathogenic": (observed(GENE, called("pathogenic"), answer="absent"), "UNCLEAR", "contradictory"),
    "absent, called likely pathogenic": (observed(GENE, called("likely-pathogenic"), answer="absent"), "UNCLEAR", "contradictory"),
    "no call": (observed(GENE, MET41THR, answer="no-call"), "UNCLEAR", "no-call"),
    "indeterminate by its flag": (observed(GENE, MET41THR, flag=("IND",)), "UNCLEAR", "no-call"),
    "flags against each other": (observed(code=UBA1_TEST, flag=("POS", "NEG")), "UNCLEAR", "contradictory"),
    "nothing that can be read": (observed(code=UBA1_TEST), "UNCLEAR", "not-understood"),
    "another person's specimen": (observed(GENE, MET41THR, answer="present", specimen="Donor blood"), "UNCLEAR", "another-person"),
    "germline at the canonical codon": (observed(GENE, MET41THR, GERMLINE, answer="present"), "PATHOGENIC", "germline"),
    "somatic at the canonical codon": (observed(GENE, MET41THR, source("somatic"), answer="present"), "PATHOGENIC", ""),
    "germline where another thing is asked": (observed(GENE, MET41THR, called("germline"), answer="present"), "PATHOGENIC", ""),
    "germline elsewhere": (observed(GENE, SER56PHE, called("pathogenic"), GERMLINE, answer="present"), "UNCERTAIN", "germline-other"),
    "a low fraction": (observed(GENE, MET41THR, vaf(4, "%"), answer="present"), "LOW", "low-fraction"),
    "a low fraction of a class": (observed(GENE, SER56PHE, called("pathogenic"), vaf(4, "%"), answer="present"), "LOW", "low-fraction"),
    "a low fraction, germline": (observed(GENE, MET41THR, GERMLINE, vaf(4, "%"), answer="present"), "LOW", "germline low-fraction"),
    "a fraction that was not read": (observed(GENE, MET41THR, GERMLINE, unread(), answer="present"), "UNSURE", "fraction-ambiguous germline"),
    "a fraction that can only be percent": (observed(GENE, MET41THR, vaf(46, ""), answer="present"), "PATHOGENIC", "fraction-ambiguous"),
    "a high fraction": (observed(GENE, MET41THR, vaf(46, "%"), answer="present"), "PATHOGENIC", ""),
    "a low fraction of an uncertain variant": (observed(GENE, MET41LYS, vaf(4, "%"), answer="present"), "UNCERTAIN", "not-classified"),
    "words: detected": (said("UBA1 p.Met41Thr detected."), "PATHOGENIC", ""),
    "words: not detected": (said("UBA1 not detected."), "NEGATIVE", ""),
    "words: both": (said("UBA1 p.Met41Thr detected. UBA1 p.Met41Thr not detected."), "UNCLEAR", "contradictory"),
    "words: uncertain": (said("UBA1 p.Ser56Phe, variant of uncertain significance."), "UNCERTAIN", "uncertain-significance"),
    "words: unlikely pathogenic": (said("UBA1 p.Ser56Phe, unlikely to be pathogenic."), "UNCERTAIN", "uncertain-significance"),
    "words: no call": (said("UBA1: quantity not sufficient."), "UNCLEAR", "no-call"),
    "words: nothing": (said("See attached."), "UNCLEAR", "not-understood"),
    "words: a relative named beside a finding": (said("UBA1 p.Met41Thr detected. Sample of the brother."), "UNCLEAR", "another-person"),
    "words: pathogenic without a known variant": (said("UBA1: likely pathogenic variant."), "PATHOGENIC", "laboratory-class"),
    "words against an answer": (observed(GENE, answer="absent", text="UBA1 p.Met41Thr detected"), "UNCLEAR", "contradictory"),
    "an answer against words": (observed(GENE, MET41THR, answer="present", text="UBA1 not detected"), "UNCLEAR", "contradictory"),
    "a flag against words": (observed(GENE, MET41THR, flag=("POS",), text="UBA1 not detected"), "UNCLEAR", "contradictory"),
    "an answer, and other genes in words": (observed(GENE, MET41THR, answer="present", text="TET2 not detected"), "PATHOGENIC", ""),
    "an answer, and nothing else found": (observed(GENE, MET41THR, answer="present", text="No other variants detected"), "PATHOGENIC", ""),
    "no sample": (observed(GENE, MET41THR, absent=True), "UNCLEAR", "no-call"),
    "synonymous, called pathogenic": (observed(GENE, item("p_hgvs", text="p.(Ala15=)"), called("pathogenic")), "UNCERTAIN", "synonymous"),
    "germline, not classified": (observed(GENE, MET41LYS, GERMLINE, answer="present"), "UNCERTAIN", "not-classified"),
    "germline at the canonical codon, called uncertain": (
        observed(GENE, MET41THR, GERMLINE, called("uncertain"), answer="present"),
        "UNCERTAIN",
        "germline uncertain-significance",
    ),
    "benign and pathogenic": (observed(GENE, SER56PHE, called("benign"), called("pathogenic")), "UNCLEAR", "contradictory"),
    "benign and likely pathogenic": (observed(GENE, SER56PHE, called("benign"), called("likely-pathogenic")), "UNCLEAR", "contradictory"),
    "of two genes": (observed(GENE, OTHER_GENE, MET41THR, answer="present"), "UNCLEAR", "several-genes"),
    "the disease as the answer of a panel": (report(code=PANEL, conclusion_codes=(first("disease-codes"),)), "UNCERTAIN", "disease-named"),
    "for another disease by the second of two codes": (observed(GENE, MET41LYS, called("pathogenic"), OMIM), "UNCERTAIN", "other-disease"),
    "a component in words": (told("p.Met41Thr", text="detected"), "PATHOGENIC", ""),
    "a component with a code of its own, in words": (told("p.Met41Thr", text="detected", codes=(Code("x", "y"),)), "PATHOGENIC", ""),
    "a component of the test itself, in words": (told("p.Met41Thr", text="detected", codes=(UBA1_TEST,)), "UNCLEAR", "not-understood"),
    "a component with two answers": (told("p.Met41Thr", answers=("present", "pathogenic")), "PATHOGENIC", ""),
    "a component in a number": (told("p.Met41Thr VAF", number=46.0, unit="%"), "PATHOGENIC", ""),
    "a component without a value": (told("variant not detected"), "UNCLEAR", "not-understood"),
    "words against a class": (observed(GENE, called("likely-pathogenic"), text="UBA1 not detected"), "UNCLEAR", "contradictory"),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_says_why_it_calls_a_result_so(reader, kind):
    """The card gives the reasons in the module's words; a plain positive or negative needs none."""
    one, call, reasons = READ[kind]

    reading = reader.read(one)

    assert (call, reasons) == (reading.call.name, " ".join(reading.reasons))


FLAGS = {
    "UNCERTAIN not-classified": ("POS", "POSITIVE", "DET", "DETECTED", "A", "AA", "ABN", "ABNORMAL"),
    "NEGATIVE ": ("NEG", "NEGATIVE", "ND", "NOT DETECTED", "N", "NORMAL"),
    "UNCLEAR no-call": ("IND", "INDETERMINATE", "E", "EQUIVOCAL"),
}


@pytest.mark.parametrize(("call", "flag"), [(call, flag) for call, flags in FLAGS.items() for flag in flags])
def test_reads_each_flag_of_a_laboratory(reader, call, flag):
    """HL7's flags and the words that laboratories send in their place: positive, negative, or neither."""
    reading = reader.read(observed(GENE, flag=(flag,)))

    assert call == f"{reading.call.name} {' '.join(reading.reasons)}"


def test_needs_no_class_for_a_detected_variant_of_a_linked_interpretation(reader):
    """Classes that a separate interpretation gives count like the result's own."""
    found = [
        reader.read(observed(GENE, SER56PHE, answer="present"), Said(classes=frozenset({c}))).reasons
        for c in ("benign", "uncertain", "likely-pathogenic")
    ]

    assert [("benign",), ("uncertain-significance",), ("laboratory-class",)] == found


@pytest.mark.parametrize(
    ("items", "variant"),
    [
        ((MET41THR,), "NM_003334.4:c.122T>C"),
        ((MET41THR, item("p_hgvs", text="p.(Met41Thr)")), "NM_003334.4:c.122T>C p.(Met41Thr)"),
        ((item("c_hgvs", codes=(Code("x", "123"), Code("x", "c.122T>C")), text="see code"),), "c.122T>C"),
        ((item("c_hgvs", codes=(Code("x", "123"),), text="M41T"),), "M41T"),
        ((item("c_hgvs", codes=(Code("x", "c.999A>G"),), text="c.122T>C"),), "c.122T>C"),
        ((item("c_hgvs"), item("p_hgvs", text="p.Met41Thr")), "p.Met41Thr"),
        ((vaf(46, "%"),), ""),
        ((item("gene", text="UBA1"), MET41THR), "NM_003334.4:c.122T>C"),
    ],
)
def test_takes_the_variant_from_its_components(reader, items, variant):
    """What looks like HGVS comes first, as words or as a code; other components name no variant."""
    assert variant == reader.read(observed(GENE, *items, answer="present")).variant


@pytest.mark.parametrize(
    ("number", "unit", "comparator", "text", "fraction", "sign"),
    [
        (46, "%", "", "", 0.46, ""),
        (50, "%", ">", "", 0.5, ">"),
        (50, "%", ">=", "", 0.5, ">"),
        (5, "%", "<", "", 0.05, "<"),
        (5, "%", "<=", "", 0.05, "<"),
        (5, "%", "", "up to 5 %", 0.05, "<"),
        (0, "%", "", "", 0.0, ""),
        (100, "%", "", "", 1.0, ""),
        (1, "{ratio}", "", "", 1.0, ""),
        (1, "", "", "", None, ""),
        (101, "%", "", "", None, ""),
    ],
)
def test_reads_a_coded_fraction_with_its_comparator(reader, number, unit, comparator, text, fraction, sign):
    """A bound stays a bound, whether a comparator or words say so."""
    told = msgspec.structs.replace(vaf(number, unit), comparator=comparator, value_text=text)

    reading = reader.read(observed(GENE, MET41THR, told, answer="present"))

    assert (fraction, sign) == (reading.fraction, reading.sign)


@pytest.mark.parametrize(
    ("one", "limited"),
    [
        (observed(GENE, answer="absent"), True),
        (observed(GENE, item("c_hgvs", text="all coding exons"), answer="absent"), False),
        (observed(GENE, answer="absent", text="All coding exons."), False),
        (observed(GENE, answer="absent", text=f"{'x ' * 10_000}All coding exons."), True),  # more is not read
        (report(text="UBA1, all coding exons", code=UBA1_TEST, interpretations=("NEG",)), False),
        (observed(GENE, answer="absent", text="All coding exons by Sanger."), True),
        (observed(GENE, MET41THR, answer="present"), False),
        (observed(GENE, answer="no-call"), False),
    ],
)
def test_looks_for_the_coverage_of_a_negative_wherever_it_stands(reader, one, limited):
    """The report's name, its words and its components may say what was sequenced; only a negative can be limited."""
    assert limited is reader.read(one).limited


@pytest.mark.parametrize(
    ("one", "specific"),
    [
        (observed(GENE, answer="present"), True),
        (observed(OTHER_GENE, answer="present"), True),  # the gene studied is named, whichever it is
        (observed(vaf(46, "%"), code=Code("x", "y")), False),
        (report("UBA1 is named", code=Code("x", "y")), False),
        (report(text="UBA1 analysis"), True),
        (said(""), True),
    ],
)
def test_knows_a_result_of_the_genes_own_test(reader, one, specific):
    """By the gene that was studied, by its test's code or by its name; words inside a report of another test do not make it one."""
    assert specific is reader.is_specific(one)


# --- all results together ---

SWEET = condition("cond-neutrophilic-dermatosis", back(400))
DISEASE = condition("disease-codes", back(100), ref="Condition/v")
POSITIVE = said("UBA1 p.Met41Thr detected, VAF 60%.", on=back(30), ref="r/positive")
NEGATIVE = said("UBA1 not detected, all coding exons.", on=back(60), ref="r/negative")
HSCT = procedure("status-hsct", back(90))


def status(reader, *facts, compatible=True):
    """What is known of the gene in a chart, and the chart."""
    chart = Chart(KNOWLEDGE, record(*facts), TODAY)
    return genetic_status(reader, chart, compatible=compatible), chart


TOGETHER = {
    "nothing": ((), "none", "", False),
    "positive": ((POSITIVE,), "confirmed", "", False),
    "negative": ((NEGATIVE,), "negative", "", False),
    "negative of unknown coverage": ((said("UBA1 not detected."),), "negative", "limited-assay", True),
    "negative after a transplant": ((NEGATIVE, HSCT), "negative", "after-transplant", True),
    "negative before a transplant": ((NEGATIVE, procedure("status-hsct", back(59))), "negative", "", False),
    "negative on the day of a transplant": ((NEGATIVE, procedure("status-hsct", back(60))), "negative", "after-transplant", True),
    "negative after a transplant among the problems": ((NEGATIVE, condition("status-hsct", back(90))), "negative", "after-transplant", True),
    "negative, transplant on an unknown day": ((NEGATIVE, condition("status-hsct", None)), "negative", "after-transplant", True),
    "limited negative after a transplant": ((said("UBA1 not detected."), HSCT), "negative", "after-transplant limited-assay", True),
    "problem list only": ((DISEASE,), "confirmed", "problem-list-only", False),
    "problem list and a report that says nothing": ((DISEASE, said("See attached.")), "confirmed", "problem-list-only not-understood", False),
    "problem list and a result in doubt": ((DISEASE, said("UBA1: quantity not sufficient.")), "uncertain", "no-call", False),
    "problem list that is over": ((condition("disease-codes", status="resolved"),), "none", "", False),
    "problem list against a negative": ((DISEASE, NEGATIVE), "uncertain", "problem-list-against-result", False),
    "problem list, negative after a transplant": ((DISEASE, NEGATIVE, HSCT), "confirmed", "after-transplant", True),
    "newer positive": ((NEGATIVE, POSITIVE), "confirmed", "conflict", False),
    "newer negative": ((msgspec.structs.replace(NEGATIVE, when=report(on=back(10)).when), POSITIVE), "uncertain", "conflict", False),
    "newer negative, older low fraction": (
        (NEGATIVE, said("UBA1 p.Met41Thr detected, VAF 4%.", on=back(90))),
        "uncertain",
        "conflict",
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TOGETHER)
def test_says_why_it_weighs_results_so(reader, kind):
    """State, reasons and whether a negative leaves room for a miss."""
    facts, state, reasons, limited = TOGETHER[kind]

    found, _ = status(reader, *facts)

    assert (state, reasons, limited) == (found.state.value, " ".join(found.reasons), found.limited)


def test_asks_for_a_compatible_finding(reader):
    """A pathogenic variant in someone without any sign of the disease is for review."""
    found, _ = status(reader, POSITIVE, compatible=False)

    assert (GeneticState.UNCERTAIN, ("no-compatible-finding",)) == (found.state, found.reasons)


def shown(value, ref, on):
    """A result as evidence."""
    return Evidence(what="UBA1", ref=ref, value=value, on=Day.fromisoformat(on))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("UBA1 p.Met41Thr detected, VAF 60%.", f"pathogenic variant: {THR}, VAF 60 %"),
        ("UBA1 M41T detected", f"pathogenic variant: {THR}"),
        ("UBA1 c.121A>G detected", "pathogenic variant: c.121A>G p.(Met41Val)"),
        ("UBA1 p.Met41Thr detected, VAF 12.345 %.", f"pathogenic variant: {THR}, VAF 12.3 %"),
        ("UBA1 p.Met41Thr detected, VAF 60%. Limit of detection 2%.", f"pathogenic variant: {THR}, VAF 60 %"),
        ("UBA1 p.Met41Thr detected, VAF 4%.", f"variant at low allele fraction: {THR}, VAF 4 %"),
        ("UBA1 p.Met41Thr detected, VAF 4.", f"pathogenic variant, allele fraction unclear: {THR}"),
        ("UBA1 p.Ser56Phe detected.", "variant of uncertain meaning"),
        ("UBA1 not detected.", "not detected"),
        ("UBA1: quantity not sufficient.", "result not conclusive"),
    ],
)
def test_shows_a_result_in_the_modules_words(reader, text, value):
    """The call, the variant in the catalogue's spelling and the fraction; place and day of the result."""
    found, _ = status(reader, said(text, on=back(30), ref="r/1"))

    assert ((shown(value, "r/1", back(30)),), Day.fromisoformat(back(30))) == (found.evidence, found.on)


def test_shows_the_problem_list_where_there_is_no_result(reader):
    """The newest entry of the disease, with its day."""
    older = condition("disease-codes", back(300), ref="Condition/old")

    found, _ = status(reader, DISEASE, older)

    expected = Evidence(what="VEXAS syndrome on the problem list", ref="Condition/v", on=Day.fromisoformat(back(100)))
    assert ((expected,), Day.fromisoformat(back(100))) == (found.evidence, found.on)


def test_shows_three_results_of_a_conflict_at_most(reader):
    """The newest, then those against it from the newest backwards."""
    others = [msgspec.structs.replace(NEGATIVE, ref=f"r/{days}", when=report(on=back(days)).when) for days in (90, 60, 70)]

    found, _ = status(reader, POSITIVE, *others)

    assert ["r/positive", "r/60", "r/70"] == [one.ref for one in found.evidence]


def test_completes_a_result_that_names_no_variant_from_an_earlier_one(reader):
    """A repeat that only says `detected, 55 %` is shown with the variant of the earlier result and its own fraction."""
    first = said("UBA1 p.Met41Thr detected, VAF 60%.", on=back(90), ref="r/first")
    coded = observed(GENE, vaf(55, "%"), code=VARIANT, answer="present", on=back(30), ref="r/repeat")
    repeats = [msgspec.structs.replace(coded, items=(GENE, called("pathogenic"), *items)) for items in ((vaf(55, "%"),), ())]

    found = [status(reader, first, repeat)[0].evidence[0] for repeat in repeats]

    assert [f"pathogenic variant: {THR}, VAF 55 %", f"pathogenic variant: {THR}, VAF 60 %"] == [one.value for one in found]
    assert ["r/repeat", "r/repeat"] == [one.ref for one in found]


def test_takes_the_stronger_and_then_the_later_reference_of_one_day(reader):
    """Of one day the strongest call is shown; of equal ones always the same, however they arrive."""
    same = [msgspec.structs.replace(POSITIVE, ref=f"r/{name}") for name in "ab"]

    found = [status(reader, *facts)[0].evidence[0].ref for facts in (same, same[::-1])]

    assert ["r/b", "r/b"] == found


def test_takes_the_class_from_an_interpretation_that_derives_from_the_result(reader):
    """Several interpretations of one variant add up; those not final, or of other results, say nothing of it."""
    variant = observed(GENE, SER56PHE, answer="present", ref="Observation/v")

    def judged(answer, target="Observation/v", state="final"):
        return report(code=Code("x", "y"), items=(called(answer),), derived_from=(target,), status=state, ref=f"Observation/{answer}")

    found = {
        "pathogenic": [judged("pathogenic")],
        "both": [judged("benign"), judged("likely-pathogenic")],
        "preliminary": [judged("pathogenic", state="preliminary")],
        "of another": [judged("pathogenic", target="Observation/w")],
    }

    assert {
        "pathogenic": ("laboratory-class",),
        "both": ("contradictory",),
        "preliminary": ("not-classified",),
        "of another": ("not-classified",),
    } == {name: status(reader, variant, *facts)[0].reasons for name, facts in found.items()}


FUTURE = {
    back(0): True,
    back(-1): False,
    "2026-11": True,  # of this month it may be past
    "2026-12": False,
    "2026": True,
    "2027": False,
}


@pytest.mark.parametrize("on", FUTURE)
def test_uses_no_result_of_the_future(reader, on):
    """A result of this month or year without a day may be past; what is dated later was dated wrongly, and is named."""
    found, chart = status(reader, said("UBA1 p.Met41Thr detected.", on=on))

    issue = Issue("warning", f"UBA1 result of {report(on=on).on} is dated in the future and was not used", "Correct the date of the result.")
    assert ("confirmed" if FUTURE[on] else "none", [] if FUTURE[on] else [issue]) == (found.state.value, list(chart.issues))


@pytest.mark.parametrize(
    ("on", "used"),
    [
        ("2026-03-10", True),
        ("2026-03-11", False),
        ("2026-03", True),
        ("2026-04", False),
        ("2026", True),
        ("2027", False),
        ("2026-03-10T09:00:00", True),
    ],
)
def test_uses_a_result_of_this_month_or_year_early_in_it(reader, on, used):
    """On 10 March a result of March or of this year may be past, although it is counted as of the 15th or of July."""
    early = Chart(KNOWLEDGE, record(said("UBA1 p.Met41Thr detected.", on=on)), Day(2026, 3, 10))

    found = genetic_status(reader, early, compatible=True)

    assert ("confirmed" if used else "none", not used) == (found.state.value, bool(early.issues))


SAME = {
    "unclear and clear": (("VAF 46.", "VAF 46 %."), "", f"pathogenic variant: {THR}, VAF 46 %"),
    "low and high": (("VAF 46 %.", "VAF 4 %."), "fraction-ambiguous", f"pathogenic variant, allele fraction unclear: {THR}"),
    "both low": (("VAF 5 %.", "VAF 4 %."), "low-fraction", f"variant at low allele fraction: {THR}, VAF 4 %"),
    "unclear and low": (("VAF low.", "VAF 4 %."), "low-fraction", f"variant at low allele fraction: {THR}, VAF 4 %"),
}


@pytest.mark.parametrize("kind", SAME)
@pytest.mark.parametrize("on", [back(30), None])
@pytest.mark.parametrize("turned", [False, True])
def test_takes_the_fractions_of_one_day_together(reader, kind, on, turned):
    """What two results of a day, or two without one, say of a variant is one result with the reasons of both."""
    texts, reasons, value = SAME[kind]
    refs = ("r/b", "r/a") if turned else ("r/a", "r/b")
    facts = [said(f"UBA1 p.Met41Thr detected, {text}", on=back(30), ref=ref) for text, ref in zip(texts, refs, strict=True)]

    found, _ = status(reader, *(fact if on else msgspec.structs.replace(fact, when=None) for fact in facts))

    assert (reasons, value) == (" ".join(found.reasons), found.evidence[0].value)


def test_takes_a_time_of_day_for_its_day(reader):
    """Two results of one day at different times are of one day."""
    times = [
        said(f"UBA1 p.Met41Thr detected, {text}", on=f"{back(30)}T{hour}:00:00", ref=f"r/{hour}")
        for text, hour in (("VAF 46 %", "08"), ("VAF 4 %", "20"))
    ]
    bare = msgspec.structs.replace(times[1], when=report(on=back(30)).when)

    assert ("fraction-ambiguous",) == status(reader, *times)[0].reasons
    assert ("fraction-ambiguous",) == status(reader, times[0], bare)[0].reasons


def test_names_the_variant_of_the_newest_result_that_names_one(reader):
    """A repeat without a name takes that of the newest earlier result of the same call, and keeps its own bound."""
    older = [said(f"UBA1 {name} detected, VAF 60 %.", on=back(days), ref=f"r/{days}") for name, days in (("p.Met41Val", 200), ("p.Met41Thr", 90))]
    bound = msgspec.structs.replace(vaf(50, "%"), comparator=">")
    repeat = observed(GENE, called("pathogenic"), bound, answer="present", on=back(30), ref="r/repeat")

    assert f"pathogenic variant: {THR}, VAF >50 %" == status(reader, *older, repeat)[0].evidence[0].value


def test_takes_a_bound_with_the_fraction_of_an_earlier_result(reader):
    """A repeat without a fraction shows that of the result which names the variant, as it was stated."""
    older = said("UBA1 p.Met41Thr detected, VAF > 50 %.", on=back(90))
    repeat = observed(GENE, called("pathogenic"), answer="present", on=back(30))

    assert f"pathogenic variant: {THR}, VAF >50 %" == status(reader, older, repeat)[0].evidence[0].value


@pytest.mark.parametrize(("answer", "of", "named"), [("present", "uncertain", True), ("absent", None, False)])
def test_gives_the_variant_of_what_was_found_in_doubt_and_of_no_negative(reader, answer, of, named):
    """The catalogue's entry goes with any finding; what was looked for and not found is none."""
    one = observed(GENE, MET41THR, *((called(of),) if of else ()), answer=answer)

    assert named is (status(reader, one)[0].variant is not None)


def test_takes_a_result_without_a_date_for_older_than_any_other(reader):
    """Nobody knows when it was, so it never stands before one that is dated."""
    undated = msgspec.structs.replace(NEGATIVE, when=None)

    assert "r/positive" == status(reader, POSITIVE, undated)[0].evidence[0].ref


def test_takes_no_class_from_an_interpretation_of_the_future(reader):
    """What is dated after today says nothing today."""
    variant = observed(GENE, SER56PHE, answer="present", ref="Observation/v")
    early = report(code=Code("x", "y"), items=(called("pathogenic"),), derived_from=("Observation/v",), on=back(-5))

    assert ("not-classified",) == status(reader, variant, early)[0].reasons


@pytest.mark.parametrize(("extra", "issues"), [(0, []), (1, ["only the newest 100 of 101 reports about the gene were read"])])
def test_reads_a_hundred_reports_and_says_so(reader, extra, issues):
    """Of more reports the newest are read, whatever they say, and the rest is named."""
    # A record comes oldest first.
    others = [said("UBA1 not detected.", on=back(400 - n), ref=f"r/{n}") for n in range(100)]
    oldest = [said("UBA1 p.Met41Thr detected.", on=back(500), ref="r/oldest")] * extra

    found, chart = status(reader, *oldest, *others)

    assert ("negative", issues) == (found.state.value, [issue.what for issue in chart.issues])
    assert all("Send fewer reports." == issue.remedy and "warning" == issue.level for issue in chart.issues)


# --- what is under way ---

START = back(365)
WAITED = {
    "order": (order("uba1-test", back(3)), "UBA1 test ordered"),
    "order on hold": (order("uba1-test", back(3), status="on-hold"), "UBA1 test ordered"),
    "order of today": (order("uba1-test", back(0)), "UBA1 test ordered"),
    "order of the first day": (order("uba1-test", START), "UBA1 test ordered"),
    "order of the day before": (order("uba1-test", back(366)), None),
    "order of tomorrow": (order("uba1-test", back(-1)), None),
    "undated order": (order("uba1-test", when=None), "UBA1 test ordered"),
    "order that is done": (order("uba1-test", back(3), status="completed"), "UBA1 test ordered"),
    "order that was withdrawn": (order("uba1-test", back(3), status="revoked"), None),
    "order of another test": (order("lab-b12", back(3)), None),
    "result to come": (said("", status="registered", on=back(3)), "UBA1 result pending"),
    "result to come since the first day": (said("", status="preliminary", on=START), "UBA1 result pending"),
    "result to come since long": (said("", status="registered", on=back(366)), None),
    "a scan": (said("", on=back(3)), "UBA1 report on record, but its result cannot be read here"),
    "a scan of another test": (report(text="Panel", conclusion="", code=Code("x", "y"), on=back(3)), None),
    "a scan that was withdrawn": (said("", status="entered-in-error", on=back(3)), None),
}


@pytest.mark.parametrize("kind", WAITED)
def test_waits_for_what_is_under_way(reader, kind):
    """An open order of the last year, a result to come, or one that cannot be read here is shown with its day."""
    fact, what = WAITED[kind]

    found, _ = status(reader, fact)

    assert (Evidence(what=what, ref=fact.ref, on=fact.on) if what else None) == found.ordered
    assert (GeneticState.PENDING if what else GeneticState.NONE) is found.state


STATES = {
    **dict.fromkeys(("final", "amended", "corrected", "appended"), "confirmed"),
    **dict.fromkeys(("registered", "preliminary", "partial", "unknown", None), "pending"),
    **dict.fromkeys(("cancelled", "entered-in-error"), "none"),
}


@pytest.mark.parametrize("state", STATES)
def test_confirms_by_final_results_only(reader, state):
    """What may still change is waited for; what was withdrawn is as if it were not there."""
    assert STATES[state] == status(reader, said("UBA1 p.Met41Thr detected.", status=state, on=back(3)))[0].state.value


@pytest.mark.parametrize(
    ("fact", "what"),
    [
        (order("uba1-test", back(3)), "UBA1 test ordered"),
        (order("uba1-test", back(3), status="completed"), None),
        (said("", status="registered", on=back(3)), "UBA1 result pending"),
        (said("", on=back(3)), None),
    ],
)
@pytest.mark.parametrize("known", [NEGATIVE, DISEASE])
def test_takes_a_finished_order_for_answered_once_there_is_a_result(reader, fact, what, known):
    """Beside a result only what is still open is waited for; beside the problem list alone a finished order still is."""
    found, _ = status(reader, known, fact)

    answered = known is NEGATIVE
    assert (what is not None or not answered) == (found.ordered is not None)
    assert not (answered and what) or what == found.ordered.what


def test_shows_the_newest_of_what_is_under_way(reader):
    """Of several open orders the newest is shown, however they arrive."""
    facts = [order("uba1-test", back(days), ref=f"s/{days}") for days in (9, 3, 6)]

    found = [status(reader, *some)[0].ordered.ref for some in (facts, facts[::-1])]

    assert ["s/3", "s/3"] == found


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (said("", interpretations=("NEG",)), "negative"),
        (said("", conclusion_codes=(Code(LOINC, KNOWLEDGE.genetics.answers["absent"]),)), "negative"),
        (said("", items=(GENE, MET41THR)), "confirmed"),
        (said("UBA1 not detected"), "negative"),
        (said("Sequencing of UBA1 is recommended."), "uncertain"),
        (report("Sequencing of UBA1 is recommended.", code=Code(LOINC, "33721-2")), "none"),
    ],
)
def test_takes_any_part_of_a_report_for_its_result(reader, one, state):
    """Words, a coded answer, a flag or components; a report of another test that only mentions the gene is no result."""
    assert state == status(reader, one)[0].state.value


@pytest.mark.parametrize("call", Call)
def test_has_words_for_every_call(call):
    """Whatever a result says can be shown."""
    assert KNOWLEDGE.genetics.messages[f"call-{call.name.lower()}"]


def test_gives_a_fraction_to_the_one_variant_it_derives_from(reader):
    """A fraction by itself that derives from one variant is of it; one that derives from two may be of either."""
    found = {}
    for name, targets in {"one": ("o/thr",), "two": ("o/thr", "o/lys")}.items():
        variants = [observed(GENE, MET41THR, answer="present", ref="o/thr"), observed(GENE, MET41LYS, answer="present", ref="o/lys")]
        fraction = report(code=Code(LOINC, KNOWLEDGE.genetics.codes.fraction), items=(vaf(46, "%"),), derived_from=targets, ref="o/vaf", on=back(30))
        found[name] = status(reader, *variants, fraction)[0].evidence[0].value

    assert {
        "one": "pathogenic variant: c.122T>C p.(Met41Thr), VAF 46 %",
        "two": "pathogenic variant: c.122T>C p.(Met41Thr)",
    } == found
