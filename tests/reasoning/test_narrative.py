"""The parts of reading a report's words: fractions with their units and bounds, variants and their spellings, pieces of sentences."""

from __future__ import annotations

import pytest

from cds_service.knowledge.model import Variant, VariantPattern
from cds_service.reasoning.narrative import Fraction, NarrativeReader, fraction_of, scale_of, shortest
from tests.reasoning.charts import KNOWLEDGE

VAGUE = Fraction(None)
THR, VAL = "p.(Met41Thr)", "p.(Met41Val)"
THR_IN_FULL, VAL_IN_FULL = f"c.122T>C {THR}", f"c.121A>G {VAL}"


@pytest.fixture
def reader() -> NarrativeReader:
    """A reader with the shipped module's patterns."""
    rules = KNOWLEDGE.genetics
    return NarrativeReader(rules.words, rules.confirming_patterns, rules.variants)


# --- units ---


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("%", 100), (" % ", 100), ("percent", 100), ("per cent", 100), ("Per Cent", 100), ("Prozent", 100), ("pct", 100), ("10*-2", 100),
        ("10^-2", 100), ("{percent}", 100), ("\u2030", 1000), ("per mille", 1000), ("permille", 1000), ("Promille", 1000),
        ("10*-3", 1000), ("10^-3", 1000), ("ppth", 1000), ("", 1), ("1", 1), ("{}", 1), ("ratio", 1), ("{Ratio}", 1), ("decimal", 1),
        ("fraction", 1), ("ppm", None), ("furlong", None), ("10*-6", None), ("spctx", None), ("xprozent", None),
    ],
)  # fmt: skip
def test_knows_how_many_of_a_unit_make_a_whole(unit, scale):
    """A hundred for percent and a thousand for per mille, in several languages and in UCUM; nothing is guessed."""
    assert scale == scale_of(unit)


@pytest.mark.parametrize(
    ("number", "unit", "sign", "expected"),
    [
        (0.46, "", "", Fraction(0.46, 0.46, 0.46)),
        (46, "%", "", Fraction(0.46, 0.46, 0.46)),
        (46, " {%} ", "", Fraction(0.46, 0.46, 0.46)),
        (460, "\u2030", "", Fraction(0.46, 0.46, 0.46)),
        (0, "%", "", Fraction(0.0, 0.0, 0.0)),
        (100, "%", "", Fraction(1.0, 1.0, 1.0)),
        (1, "1", "", Fraction(1.0, 1.0, 1.0)),
        (1, "", "", Fraction(None, 0.01)),
        (5, "%", "<", Fraction(0.05, 0.0, 0.05, "<")),
        (50, "%", ">", Fraction(0.5, 0.5, 1.0, ">")),
        (1, "1", "<", Fraction(1.0, 0.0, 1.0, "<")),
        (46, "", "", Fraction(None, 0.46)),
        (46, "", ">", Fraction(None, 0.46)),
        (46, "", "<", VAGUE),
        (1.5, "ratio", "", Fraction(None, 0.015)),
        (1.5, "{ratio}", "", Fraction(None, 0.015)),
        (100, "", "", Fraction(None, 1.0)),
        (100.5, "", "", VAGUE),
        (101, "%", "", VAGUE),
        (-1, "", "", VAGUE),
        (-1, "%", "", VAGUE),
        (0.46, "furlong", "", Fraction(0.46, 0.46, 0.46)),
        (46, "furlong", "", VAGUE),
        (0.4, "ppm", "", VAGUE),
        (0.4, "ppb", "", VAGUE),
        (0.4, "[ppm]", "", VAGUE),
        (0.4, "[PPB]", "", VAGUE),
        (0.4, "10*-6", "", VAGUE),
        (0.4, "10^-6", "", VAGUE),
    ],
)
def test_reads_a_number_with_its_unit_and_its_bound(number, unit, sign, expected):
    """What it is, the least and the most that it can be; a number above 1 without a unit can only be percent, and is not read."""
    assert expected == fraction_of(number, unit, sign=sign)


def test_takes_a_bare_number_for_what_it_is():
    """Without a unit and a bound a number up to 1 is the fraction."""
    assert Fraction(0.3, 0.3, 0.3) == fraction_of(0.3)
    assert Fraction(None, 0.46) == fraction_of(46)


@pytest.mark.parametrize(
    ("fraction", "vague"),
    [
        (VAGUE, True),
        (Fraction(None, 0.2), False),
        (Fraction(None, 0.0, 0.9), False),
        (Fraction(0.5, 0.0, 1.0), False),
    ],
)
def test_calls_vague_what_says_nothing_of_its_size(fraction, vague):
    """A bound on either side says something."""
    assert vague is fraction.is_vague


HALF, FIFTH, TWENTIETH = (fraction_of(n) for n in (0.5, 0.2, 0.05))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], None),
        ([HALF], HALF),
        ([HALF, FIFTH], FIFTH),
        ([FIFTH, HALF], FIFTH),
        ([TWENTIETH, fraction_of(0.04)], fraction_of(0.04)),
        ([fraction_of(0.04), TWENTIETH], fraction_of(0.04)),
        ([HALF, TWENTIETH], Fraction(None, 0.05)),
        ([VAGUE], VAGUE),
        ([VAGUE, HALF], VAGUE),
        ([VAGUE, TWENTIETH], TWENTIETH),
        ([fraction_of(0.1)], fraction_of(0.1)),
        ([fraction_of(0.1, sign="<")], Fraction(None, 0.0)),
        ([fraction_of(0.05, sign="<"), TWENTIETH], fraction_of(0.05, sign="<")),
        ([fraction_of(46)], Fraction(None, 0.46)),
        ([fraction_of(46), HALF], HALF),
        ([fraction_of(46), fraction_of(30)], Fraction(None, 0.3)),
    ],
)
def test_takes_the_least_of_what_is_stated(stated, expected):
    """Several statements of one fraction: the least counts; what disagrees about the limit, here a tenth, is vague."""
    assert expected == shortest(stated, 0.1)


# --- fractions in words ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UBA1 detected", []),
        ("UBA1 detected, VAF 46 %", [fraction_of(46, "%")]),
        ("UBA1 detected, VAF 46 per cent", [fraction_of(46, "%")]),
        ("UBA1 detected, 46 % VAF", [fraction_of(46, "%")]),
        ("UBA1 detected, VAF 0,46", [fraction_of(0.46)]),
        ("UBA1 detected, VAF (%): 46", [fraction_of(46, "%")]),
        ("UBA1 detected, VAF (\u2030): 460", [fraction_of(460, "\u2030")]),
        ("UBA1 detected, VAF 46", [fraction_of(46)]),
        ("UBA1 detected, VAF", [VAGUE]),
        ("UBA1 detected, VAF high", [VAGUE]),
        ("UBA1 detected, VAF of exon 3 variant", [VAGUE]),
        ("UBA1 detected, VAF is about 46", [fraction_of(46)]),
        ("UBA1 detected, VAF < 5 %", [fraction_of(5, "%", sign="<")]),
        ("UBA1 detected, VAF less than 5 %", [fraction_of(5, "%", sign="<")]),
        ("UBA1 detected, VAF 5 % or less", [fraction_of(5, "%", sign="<")]),
        ("UBA1 DETECTED, VAF 5 % OR LESS", [fraction_of(5, "%", sign="<")]),
        ("UBA1 DETECTED, VAF AT CODON 41", [VAGUE]),
        ("<5 % VAF in UBA1", [fraction_of(5, "%", sign="<")]),
        ("UBA1 detected in 46 %. UBA1 VAF 50 %", [fraction_of(50, "%")]),
        ("UBA1 DETECTED, VARIANT READS 4 TO 20 %", [fraction_of(20, "%"), fraction_of(4, "%")]),
        ("UBA1 detected, VAF 5 % (max)", [fraction_of(5, "%", sign="<")]),
        ("UBA1 detected, VAF > 50 %", [fraction_of(50, "%", sign=">")]),
        ("UBA1 detected, VAF 50 % or more", [fraction_of(50, "%", sign=">")]),
        ("UBA1 detected, VAF 50 %; at most 3 % blasts", [fraction_of(50, "%")]),
        ("UBA1 detected in 46 %", [fraction_of(46, "%")]),
        ("UBA1 detected in 46 Prozent", [fraction_of(46, "%")]),
        ("UBA1 detected in 46 pct of cells", [fraction_of(46, "%")]),
        ("UBA1 detected in 460 per mille", [fraction_of(460, "\u2030")]),
        ("UBA1 detected (%)", [VAGUE]),
        ("UBA1 detected with 4 % blasts", []),
        ("UBA1 detected, blasts 4 %", []),
        ("4 % blasts in UBA1 sample", []),
        ("UBA1 detected in 46 %, VAF 50 %", [fraction_of(50, "%"), fraction_of(46, "%")]),
        ("UBA1 detected in 46 % and 30 %", [fraction_of(46, "%"), fraction_of(30, "%")]),
        ("UBA1 detected in 46 %. Repeat 30 %", [fraction_of(46, "%"), fraction_of(30, "%")]),
        ("UBA1 detected, allele fraction 4-20 %", [fraction_of(4), fraction_of(20, "%"), fraction_of(4, "%")]),
        ("UBA1 detected, variant reads 4-20 %", [fraction_of(20, "%"), fraction_of(4, "%")]),
        ("UBA1 detected, variant reads range 4-20", [fraction_of(4)]),
        ("UBA1 detected, variant reads between 4 to 20", [fraction_of(4)]),
        ("UBA1 detected, variant reads in 4-20", [VAGUE]),
        ("UBA1 detected, VAF low", [VAGUE]),
        ("UBA1 detected at a low level", [VAGUE]),
        ("UBA1 detected. TET2 VAF 12 %", []),
        ("TET2 VAF 12 %. UBA1 detected, VAF 46 %", [fraction_of(46, "%")]),
        ("VAF 46 %", [fraction_of(46, "%")]),
        ("UBA1 detected, VAF 46 %. Limit of detection 5 %", [fraction_of(46, "%")]),
        ("UBA1 detected. Method: 5 % VAF", []),
        ("UBA1 not detected with a VAF of 5 %", []),
        ("UBA1 VAF 46 % is not in gnomAD as germline", []),
    ],
)
def test_finds_the_fractions_that_are_stated_of_the_gene(reader, text, expected):
    """With their unit and bound; those of other genes, of the method, of denials and of other things are left out."""
    assert sorted(map(str, expected)) == sorted(map(str, reader.fractions(text.split(". "))))


# --- variants ---


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("p.Met41Thr", THR), ("p.(Met41Thr)", THR), ("NM_003334.4:c.122T>C", THR_IN_FULL), ("c.122 T > C", THR_IN_FULL), ("c. 122T>C", THR_IN_FULL), ("C.122T>C", THR_IN_FULL),
        ("p. Met41Thr", THR), ("P.MET41THR", THR), ("c.121A>G", VAL_IN_FULL), ("p.Met41Val", VAL), ("c.118-1G>C", "c.118-1G>C"), ("xp.Met41Thr", ""),
        ("p.Met41Thrx", ""), ("p.Met41Lys", ""), ("", ""), ("c.\u00a0122\tT\t>\tC", THR_IN_FULL), ("c.122t>c", THR_IN_FULL), ("c.122 t > c", THR_IN_FULL),
    ],
)  # fmt: skip
def test_spells_a_variant_as_the_catalogue_does(reader, text, known):
    """However blanks, brackets and capitals are set, with the c. name where the text has it; what is not in the catalogue has no spelling."""
    assert known == reader.known(text)


@pytest.mark.parametrize(("text", "change"), [("c.122T>C", THR), ("M41T", ""), ("p.Met41Thr", THR), ("c.118-1G>C", "c.118-1G>C"), ("p.Met41Lys", "")])
def test_knows_what_a_variant_does(reader, text, change):
    """Its p. name, or its c. name where it has no other."""
    assert change == reader.change(text)


@pytest.mark.parametrize(("text", "canonical", "confirms"), [("M41T", True, True), ("c.118-1G>C", False, True), ("p.Ser56Phe", False, False)])
def test_tells_canonical_from_confirming_variants(reader, text, canonical, confirms):
    """Splice variants confirm without being canonical."""
    assert (canonical, confirms) == (reader.is_canonical(text), reader.confirms(text))


LETTERS = {
    "A": "Ala", "R": "Arg", "N": "Asn", "D": "Asp", "C": "Cys", "Q": "Gln", "E": "Glu", "G": "Gly", "H": "His", "I": "Ile", "L": "Leu",
    "K": "Lys", "M": "Met", "F": "Phe", "P": "Pro", "S": "Ser", "T": "Thr", "W": "Trp", "Y": "Tyr", "V": "Val",
}  # fmt: skip


@pytest.mark.parametrize("letter", LETTERS)
def test_knows_each_amino_acid_by_its_letter(letter):
    """Any module may name variants by one letter or by three; each is shown as the catalogue spells it."""
    before, after = Variant(p=f"p.({LETTERS[letter]}7Xaa)", **ANY), Variant(p=f"p.(Xaa9{LETTERS[letter]})", **ANY)
    pattern = VariantPattern(tier="canonical", pattern=r"\bp?\.?\(?[a-z]{1,3}[79][a-z]{1,3}\)?")
    reader = NarrativeReader(KNOWLEDGE.genetics.words, (pattern,), (before, after))

    spellings = (
        f"{letter}7Xaa",
        f"p{letter}7Xaa",
        f"{LETTERS[letter]}7Xaa",
        f"p.({letter.lower()}7Xaa)",
        f"p.Xaa9{letter.lower()}",
        f"(Xaa9{letter})",
    )

    found = [reader.read(f"UBA1 {text} detected", specific=True).variant for text in spellings]

    assert [before.p] * 4 + [after.p] * 2 == found


ANY = {"classification": "pathogenic", "tier": "canonical", "citations": (), "confidence": "verified"}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("UBA1 M41T detected", THR),
        ("UBA1 (m41t) detected", THR),
        ("UBA1 p.M41V detected", VAL),
        ("UBA1 pM41V detected", VAL),
        ("UBA1 c.122T>C detected", THR_IN_FULL),
        ("UBA1 c.122T>C and c.121A>G detected", THR_IN_FULL),
        ("UBA1 c.121A>G not detected, c.122T>C detected", THR_IN_FULL),
        ("UBA1 p.Ser56Phe detected", ""),
    ],
)
def test_takes_the_variant_that_is_found(reader, text, variant):
    """In the catalogue's spelling, and never one that is denied."""
    assert variant == reader.read(text, specific=True).variant


# --- what is said ---


def marks(spoken):
    """What a text was read as, by letters: positive, negative, no call, confirming, germline, another person."""
    told = {
        "P": spoken.positive,
        "N": spoken.negative,
        "?": spoken.no_call,
        "C": spoken.confirming,
        "G": spoken.germline,
        "O": spoken.other_person,
    }
    assert all(isinstance(value, bool) for value in told.values())
    return "".join(letter for letter, holds in told.items() if holds)


@pytest.mark.parametrize(
    ("text", "specific", "read"),
    [
        ("", True, ""),
        ("UBA1 p.Met41Thr detected", False, "PC"),
        ("p.Met41Thr detected", False, ""),
        ("p.Met41Thr detected", True, "PC"),
        ("UBA1 not detected", False, "N"),
        ("Not detected", True, "N"),
        ("Not detected", False, ""),
        ("UBA1 p.Met41Thr not detected", False, "N"),
        ("UBA1 p.Met41Thr, p.Met41Val not detected", False, "N"),
        ("UBA1 p.Met41Thr detected, p.Met41Val not detected", False, "PC"),
        ("UBA1 p.Met41Val not detected. UBA1 p.Met41Leu not detected. UBA1 p.Met41Thr detected", False, "PC"),
        ("UBA1 p.Met41Thr detected. UBA1 not detected", False, "PNC"),
        ("UBA1 p.Met41Thr, p.Met41Val detected", False, "PC"),
        ("UBA1 p.Met41Thr, VAF 46 %", False, "PC"),
        ("UBA1 p.Met41Thr, VAF 0 %", False, ""),
        ("UBA1 p.Met41Thr", False, ""),
        ("UBA1: p.Met41Thr (somatic)", True, "PC"),
        ("UBA1, p.Met41Thr, 46 %", True, "PC"),
        ("UBA1 : p.Met41Thr ;", True, "PC"),
        ("UBA1 p.Met41Thr p.Met41Val", True, ""),
        ("UBA1 p.Met41Thr is a word", True, ""),
        ("UBA1: insufficient DNA", False, "?"),
        ("UBA1 p.Met41Thr detected, equivocal", False, "?"),
        ("UBA1 p.Met41Thr detected, germline", False, "PCG"),
        ("UBA1 p.Met41Thr detected in the mother", False, "O"),
        ("Sample of the mother. UBA1 p.Met41Thr detected", False, "PCO"),
        ("UBA1 p.Met41Thr detected. Sample of the mother.", False, "PCO"),
        ("UBA1 p.Met41Val detected. UBA1 p.Met41Val not detected. UBA1 p.Met41Leu not detected", False, "PN"),
        ("UBA1  not \t detected", False, "N"),
        ("UBA1 sequencing is recommended. p.Met41Thr detected", True, "PC"),
        ("Genes tested: UBA1, TET2. Coverage was complete, no variants detected", False, "N"),
        ("TET2 detected. UBA1 not detected", False, "N"),
        ("UBA1, TET2 not detected", False, "N"),
        ("No variants in TET2, ASXL1 or UBA1", False, "N"),
        ("No variants in TET2, ASXL1 or DNMT3A", True, ""),
        ("The method does not detect variants in TET2 or UBA1", False, ""),
        ("UBA1 sequencing is recommended. Not detected", False, ""),
        ("Genes tested: UBA1, TET2. Not detected.", False, "N"),
        ("Genes tested: UBA1, TET2. p.Met41Thr detected.", False, ""),
        ("Genes tested: UBA1, TET2. UBA1 p.Met41Thr detected.", False, "PC"),
        ("Method: control detected; UBA1 p.Met41Thr detected", True, "PC"),
        ("UBA1 was tested for by the method, p.Met41Thr detected", True, "PC"),
        ("UBA1: pathogenic variant", False, "P"),
        ("UBA1 M41T present", False, "PC"),
        ("TET2 mutated, p.Met41Thr detected", True, ""),
        ("TET2 mutated. UBA1 p.Met41Thr detected", True, "PC"),
        (f"{'x ' * 9990}UBA1 p.Met41Thr detected", False, ""),
    ],
)
def test_reads_what_a_text_says(reader, text, specific, read):
    """Piece by piece of each sentence, in a report of the gene's own test or of another one."""
    assert read == marks(reader.read(text, specific=specific))


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("pathogenic", {"pathogenic"}),
        ("likely pathogenic", {"pathogenic"}),
        ("unlikely to be pathogenic", {"uncertain"}),
        ("not pathogenic", set()),
        ("VUS", {"uncertain"}),
        ("of uncertain significance, perhaps pathogenic", {"uncertain"}),
        ("likely benign", {"benign"}),
        ("a word", set()),
    ],
)
def test_reads_the_class_in_words(reader, text, classes):
    """What is called pathogenic in doubt is uncertain."""
    assert classes == reader.classes(text)


def test_collects_the_classes_of_all_pieces(reader):
    """Each piece may bring a class of its own."""
    spoken = reader.read("UBA1 p.Ser56Phe, pathogenic. UBA1 p.Ser56Phe, uncertain significance.", specific=True)

    assert {"pathogenic", "uncertain"} == spoken.classes
