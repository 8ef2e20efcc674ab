"""What results say of each other: how much work their links are, and how sure a class is that comes by a link."""

from __future__ import annotations

from time import process_time

import msgspec
import pytest

from cds_service.reasoning.gene_links import Links, Said
from cds_service.reasoning.genetics import GeneReader
from cds_service.reasoning.narrative import Fraction, fraction_of
from cds_service.record.codes import Code
from cds_service.record.dates import moment
from cds_service.record.facts import Report
from tests.fhir.charting import gathered
from tests.reasoning.charts import KNOWLEDGE, LOINC, item
from tests.reasoning.genomics import OTHER, answer, ask, gene, hgvs, implication, own_fraction, panel, report, variant
from tests.reasoning.test_gene_results import GENE, MET41THR, vaf

TIMES = 4
MOST_TIMES = 12  # the square would be 16
SHORTEST = 0.01  # seconds; what is faster is not measured well


def names(count):
    """References to so many variants."""
    return [f"Observation/var-{n}" for n in range(count)]


def variants(count):
    """So many variants of one day."""
    return [variant(gene(), hgvs("p.Ala100Gly"), id=name.split("/")[1]) for name in names(count)]


def fractions(count, *links):
    """So many variant allele fractions, each with the same links and, where one has a place for a number, with one of its own."""
    return [own_fraction(40, "%", *(link.format(n) for link in links), id=f"f-{n}") for n in range(count)]


CHARTS = {
    "fractions that nothing links": lambda n: [*variants(n), *fractions(n)],
    "fractions of a panel": lambda n: [*variants(n), panel(*names(n)), *fractions(n, "Observation/panel-1")],
    "fractions of a panel and something of their own": lambda n: [
        *variants(n),
        panel(*names(n)),
        *fractions(n, "Observation/panel-1", "Observation/x-{}"),
    ],
    "fractions of panels of a panel": lambda n: [
        *variants(n),
        panel(*names(n)),
        *(panel("Observation/panel-1", id=f"p-{i}") for i in range(n)),
        *fractions(n, "Observation/p-{}"),
    ],
    "fractions of one variant": lambda n: [variant(), *fractions(n, "Observation/var-1")],
    "interpretations of a panel many times over": lambda n: [
        *variants(n),
        panel(*names(n)),
        *(implication("pathogenic", *["Observation/panel-1"] * 120, id=f"i-{i}") for i in range(n // 15)),
    ],
    "interpretations of every variant": lambda n: [
        *variants(n),
        *(implication("benign", *names(n)[i : i + 50], id=f"i-{i}") for i in range(n // 5)),
    ],
}


def cost(reports):
    """Seconds of work for joining what was gathered."""
    start = process_time()
    said = Links(GeneReader(KNOWLEDGE), reports).said()
    spent = process_time() - start
    assert set(said) <= {r.ref for r in reports}
    return spent


@pytest.mark.cost
@pytest.mark.parametrize("name", CHARTS)
def test_joins_in_proportion_to_the_chart(name):
    """Four times the results cost far less than sixteen times the work, however they are linked."""
    small, large = (gathered(*CHARTS[name](count)).reports for count in (375, 375 * TIMES))

    most = MOST_TIMES * max(min(cost(small) for _ in range(3)), SHORTEST)
    # Something else in the way makes a measurement too high, so the first of three that fits is enough.
    assert any(cost(large) < most for _ in range(3))


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


@pytest.mark.parametrize("kind", ["DocumentReference", "ImagingStudy", "Media", "MolecularSequence", "QuestionnaireResponse"])
def test_needs_no_result_where_a_class_derives_from_none(kind):
    """A file, an image, a sequence or answers are no variants, so the class is still that of the only variant."""
    assert "confirmed" == ask(OURS, implication("pathogenic", "Observation/ours", f"{kind}/x")).topic


def test_keeps_a_canonical_variant_beside_another_gene_that_is_likely_pathogenic_with_it():
    """A class that may be another variant's is no doubt about ours, be it pathogenic or likely so."""
    assert "confirmed" == ask(variant(), THEIRS, implication("likely-pathogenic", "Observation/var-1", "Observation/theirs")).topic


# --- what is said of each, link by link ---

FRACTION = Code(LOINC, KNOWLEDGE.genetics.codes.fraction)
LOW, HIGH = fraction_of(4, "%"), fraction_of(60, "%")


def found(name, *items, on="2026-10-01", **members):
    """A result of a day, or of none."""
    return Report(ref=name, codes=(Code("x", "y"),), status="final", when=moment(on) if on else None, items=items, **members)


def thr(name, **members):
    """A variant."""
    return found(name, MET41THR, **members)


def listed(name, *names, **members):
    """A panel of results."""
    return found(name, members=names, **members)


def share(number, *names, **members):
    """An allele fraction in percent by itself, of the results named."""
    value = (vaf(number, "%"),) if number is not None else ()
    return msgspec.structs.replace(found(f"f-{number}", *value, derived_from=names, **members), codes=(FRACTION,))


def classed(*names, answer="pathogenic", text=""):
    """An interpretation of results."""
    return found(f"i-{answer}-{text}", item("significance", answer=answer), derived_from=names, conclusion=text)


def said(*reports):
    """What is said of the result v."""
    return Links(GeneReader(KNOWLEDGE), reports).said().get("v", Said())


FRACTIONS = {
    "each that derives from it": ((thr("v"), share(4, "v"), share(60, "v")), (LOW, HIGH), ()),
    "each of a panel of two": ((thr("v"), thr("w"), listed("p", "v", "w"), share(4, "p"), share(60, "p")), (), (LOW, HIGH)),
    "each of two panels of two": (
        (thr("v"), thr("w"), listed("p", "v", "w"), listed("q", "v", "w"), share(4, "p"), share(60, "q")),
        (),
        (LOW, HIGH),
    ),
    "of two by name, by panel and by day": (
        (thr("v"), thr("w"), listed("p", "v", "w"), share(4, "v", "w"), share(60, "p"), share(30)),
        (),
        (LOW, HIGH),
    ),
    "held with it, of another day": ((thr("v"), listed("p", "v", "f-4"), share(4, on="2026-09-01")), (LOW,), ()),
    "each of its day": ((thr("v"), share(4), share(60)), (), (LOW, HIGH)),
    "the extremes of three, one of them vague": ((thr("v"), share(30), share(None), share(60)), (), (Fraction(None), HIGH)),
    "of another day": ((thr("v"), share(4, on="2026-10-02")), (), ()),
    "of its day, with a time": ((thr("v", on="2026-10-01T08:00:00"), share(4)), (), (LOW,)),
    "without a day": ((thr("v"), share(4, on=None)), (), (LOW,)),
    "of any day, where it has none": ((thr("v", on=None), share(4), share(60, on="2026-10-02")), (), (LOW, HIGH)),
    "after one that was withdrawn": ((thr("v"), msgspec.structs.replace(share(30), status="cancelled"), share(4)), (), (LOW,)),
}


@pytest.mark.parametrize("name", FRACTIONS)
def test_gathers_the_fractions_of_a_variant(name):
    """Those that are of it, and those that may be of it or of another."""
    reports, fractions, perhaps = FRACTIONS[name]

    assert (fractions, perhaps) == (said(*reports).fractions, said(*reports).perhaps)


NESTED = (listed("a", "v", "b"), listed("b", "c"), listed("c"))
DEPTHS = {
    "a panel of a panel of a panel": ((listed("a", "b"), listed("b", "v")), {"pathogenic"}),
    "one panel more": ((listed("a", "b"), listed("b", "c"), listed("c", "v")), set()),
    "an empty panel at the end": (NESTED, {"pathogenic"}),
    "one panel more at the end": ((*NESTED[:2], listed("c", "d"), listed("d")), set()),
}


@pytest.mark.parametrize("name", DEPTHS)
def test_follows_a_link_through_three_results(name):
    """What lies deeper was not looked at, so a class may be of something else."""
    panels, classes = DEPTHS[name]

    assert classes == said(thr("v"), *panels, classed("a")).classes


def test_keeps_another_disease_that_one_interpretation_names():
    """A second interpretation that names none takes nothing back."""
    assert said(thr("v"), classed("v", text="SMAX2"), classed("v")).other_disease


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_knows_what_only_a_withdrawn_report_lists(status):
    """However it was withdrawn."""
    panel = msgspec.structs.replace(listed("p", "v"), status=status)

    assert said(thr("v"), panel).withdrawn
    assert not said(thr("v"), panel, listed("q", "v")).withdrawn


FINDINGS = {
    "a fraction of the gene": (msgspec.structs.replace(found("x", GENE, vaf(4, "%")), codes=(FRACTION,)), False),
    "a variant": (thr("x"), True),
    "a variant with its class": (found("x", GENE, item("significance", answer="pathogenic")), True),
    "a variant that derives from a sequence": (thr("x", derived_from=("MolecularSequence/s",)), True),
    "an interpretation": (found("x", GENE, item("significance", answer="pathogenic"), derived_from=("v",)), False),
    "an interpretation without a class": (
        msgspec.structs.replace(found("x", GENE, derived_from=("v",)), codes=(Code(LOINC, KNOWLEDGE.genetics.codes.significance),)),
        False,
    ),
    "a result of something else": (found("x", item("significance", text="a word")), False),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_tells_variants_from_what_is_said_of_them(name):
    """A fraction or an interpretation is no finding of its own, though it names the gene."""
    report, finding = FINDINGS[name]

    assert finding is GeneReader(KNOWLEDGE).is_finding(report)
