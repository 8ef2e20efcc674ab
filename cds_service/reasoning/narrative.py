"""What a report's sentences say of one gene. In doubt nothing is pathogenic, and a clear positive is never negative.

A sentence is read in pieces; a piece belongs to the gene it names or, naming none, to the gene named before it. Pieces
about another gene, a relative, the method or the literature say nothing of this patient's result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cds_service.knowledge.model import Variant, VariantPattern, Words

_LONGEST = 20000
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|[\n\r;|]+")
_PERCENT = re.compile(r"%|per\s?cent|\bpct\b|10[*^]-2")
_LIMIT_BEFORE = 12  # characters before a number in which "<" or "less than" is about it
_WITHOUT_UNIT = frozenset({"", "1", "ratio", "decimal", "fraction"})
_PIECE = re.compile(r",(?![0-9])\s*|\s+(?:and|but|while|whereas)\s+")

_AMINO_ACIDS = {
    "A": "Ala",
    "R": "Arg",
    "N": "Asn",
    "D": "Asp",
    "C": "Cys",
    "Q": "Gln",
    "E": "Glu",
    "G": "Gly",
    "H": "His",
    "I": "Ile",
    "L": "Leu",
    "K": "Lys",
    "M": "Met",
    "F": "Phe",
    "P": "Pro",
    "S": "Ser",
    "T": "Thr",
    "W": "Trp",
    "Y": "Tyr",
    "V": "Val",
}


class Fraction(NamedTuple):
    """An allele fraction as stated, 0 to 1: what it is, if it can be read, and the least that it can be."""

    share: float | None
    least: float = 0.0


def fraction_of(number: float, unit: str = "", *, at_most: bool = False) -> Fraction:
    """A number up to 1 is a fraction, whatever its unit is called, unless that is percent.

    Above 1 and without a unit it is not read, though it can only be percent; in any other unit it may be anything.
    """
    unit = unit.strip(" {}").lower()
    percent = _PERCENT.search(unit) is not None
    share = number / 100 if percent else number
    if 0 <= share <= 1:
        return Fraction(share, 0.0 if at_most else share)
    in_percent = unit in _WITHOUT_UNIT and not at_most and 0 <= number <= 100
    return Fraction(None, number / 100 if in_percent else 0.0)


class Spoken(NamedTuple):
    """What a narrative says of the gene."""

    negative: bool = False
    positive: bool = False
    no_call: bool = False
    confirming: bool = False
    germline: bool = False
    classes: frozenset[str] = frozenset()
    variant: str = ""
    fraction: Fraction | None = None
    other_person: bool = False


class NarrativeReader:
    """Reads report texts with one module's patterns."""

    def __init__(self, words: Words, confirming: Sequence[VariantPattern], variants: Sequence[Variant]) -> None:
        self._word = {name: re.compile(getattr(words, name), re.IGNORECASE) for name in words.__struct_fields__}
        self._confirming = [re.compile(p.pattern, re.IGNORECASE) for p in confirming]
        self._canonical = [re.compile(p.pattern, re.IGNORECASE) for p in confirming if p.tier == "canonical"]
        self._variants = variants

    def names_gene(self, text: str) -> bool:
        """Whether a text names the gene."""
        return self.matches("gene", text)

    def matches(self, word: str, text: str) -> bool:
        """Whether one of the module's patterns occurs in a text."""
        return self._word[word].search(text) is not None

    def confirms(self, text: str) -> bool:
        """Whether a text names a variant that confirms by itself."""
        return any(pattern.search(_tidy(text)) for pattern in self._confirming)

    def is_canonical(self, text: str) -> bool:
        """Whether a text names a canonical variant."""
        return any(pattern.search(_tidy(text)) for pattern in self._canonical)

    def known(self, text: str) -> str:
        """The catalogue's own spelling of a variant, so that no words of a chart reach a card."""
        bare = _bare(_tidy(text))
        for variant in self._variants:
            names = [n for n in (variant.c, variant.p) if n]
            if any(re.search(rf"(?<![a-z0-9]){re.escape(_bare(n))}(?![a-z])", bare) for n in names):
                return " ".join(names)
        return ""

    def classes(self, text: str) -> frozenset[str]:
        """The clinical significance that words give."""
        if self.matches("uncertain", text):
            return frozenset({"uncertain"})
        if self.matches("benign", text):
            return frozenset({"benign"})
        if not self.matches("pathogenic", text):
            return frozenset()
        return frozenset({"uncertain" if self.matches("doubt", text) else "pathogenic"})

    def read(self, text: str, *, specific: bool) -> Spoken:
        """Read a narrative; `specific` says that the whole report is about the gene."""
        told = _Told()
        ours = specific
        for sentence in _SENTENCE.split(_tidy(text[:_LONGEST])):
            ours = self._sentence(sentence, told, ours=ours)
            if self.matches("unread", sentence):
                ours = specific
            elif self.names_gene(sentence) and self.matches("listed", sentence):
                ours, told.only_denials = True, not specific
        if not told.asserted and not told.negative and specific and self._is_bare_result(text):
            told.asserted = True
            told.named |= self._named(_tidy(text))
        left = told.named - told.denied
        return Spoken(
            negative=told.negative or bool(told.denied and not (left and told.asserted)),
            positive=told.asserted or bool(told.negative and left),
            no_call=told.no_call,
            confirming=bool(left) and told.asserted,
            germline=told.germline,
            classes=frozenset(told.classes),
            variant=min(left, default=""),
            fraction=told.fraction,
            other_person=told.other_person,
        )

    def _sentence(self, sentence: str, told: _Told, *, ours: bool) -> bool:
        """Read one sentence into what was told; answers whether the next one still belongs to the gene."""
        if self.matches("relative", sentence):
            told.other_person = True
            return ours
        pieces = []
        for piece in _PIECE.split(sentence):
            if self.names_gene(piece):
                ours, told.only_denials = True, False
            elif self.matches("other_gene", piece):
                ours = False
            if ours and piece.strip():
                pieces.append(piece)
        if pieces and self.matches("no_call", sentence):
            told.no_call = True
            return ours
        asserted = told.asserted
        self._pieces(pieces, told)
        if (
            pieces
            and told.asserted == asserted
            and not any(map(self._named, pieces))
            and self.matches("negation", sentence)
            and self.names_gene(sentence)
        ):
            told.negative = told.negative or not (
                self.matches("method", sentence) or self.matches("unread", sentence)
            )  # "no variants in A, B or our gene"
        return ours

    def _pieces(self, pieces: Iterable[str], told: _Told) -> None:
        """Read the pieces about the gene; a denial or a finding at the end of a list holds for the whole list."""
        waiting: set[str] = set()
        for piece in pieces:
            if self.matches("method", piece):
                continue
            named = self._named(piece)
            if self.matches("negation", piece):
                if not self.matches("germline_word", piece):
                    told.negative = told.negative or not (named | waiting)
                    told.denied |= named | waiting
                continue
            if told.only_denials:  # the gene was only one of a list: a finding may be in any of them
                continue
            if len(named) == 1:
                told.named |= named
            fraction = self.fraction(piece)
            if fraction and (fraction.share is not None or told.fraction is None):
                told.fraction = fraction
            classes = self.classes(piece)
            told.classes |= classes
            asserted = self.matches("positive", piece) or "pathogenic" in classes or bool(fraction and fraction.share)
            told.asserted = told.asserted or asserted
            waiting = set() if asserted else waiting | named
            told.germline = told.germline or self.matches("germline", piece)

    def _named(self, text: str) -> set[str]:
        """The confirming variants that a text names, in the catalogue's spelling."""
        hits = [m.group() for pattern in self._confirming for m in pattern.finditer(text)]
        return {self.known(_spelled(hit)) or hit for hit in hits}

    def _is_bare_result(self, text: str) -> bool:
        """Whether a text is nothing but one variant's name."""
        tidy = _tidy(text)
        return len(self._named(tidy)) == 1 and all(
            self._word["bare"].fullmatch(token.strip(",;:()")) for token in tidy.split() if token.strip(",;:()")
        )

    def fraction(self, text: str) -> Fraction | None:
        """The variant allele fraction that a text states."""
        match = self._word["fraction"].search(text) or self._word["fraction_before"].search(text)
        if not match:
            return None
        number = float(match.group(1).replace(",", "."))
        before = text[: match.start(1)][-_LIMIT_BEFORE:]
        return fraction_of(number, match.group(2) or "", at_most=self.matches("at_most", before))


class _Told:
    """What has been read so far."""

    def __init__(self) -> None:
        self.negative = self.asserted = self.no_call = self.germline = self.only_denials = self.other_person = False
        self.named: set[str] = set()
        self.denied: set[str] = set()
        self.classes: set[str] = set()
        self.fraction: Fraction | None = None


def _tidy(text: str) -> str:
    """HGVS names without the blanks that some reports put into them."""
    text = re.sub(r"[^\S\n\r]+", " ", text)
    joined = re.sub(r"\b([cp])\.\s+", r"\1.", text, flags=re.IGNORECASE)
    return re.sub(r"(?<=[ACGTacgt])\s*>\s*(?=[ACGTacgt])", ">", re.sub(r"\b(c\.\d+)\s+(?=[ACGT]\s*>)", r"\1", joined, flags=re.IGNORECASE))


def _bare(name: str) -> str:
    return re.sub(r"[().]", "", name).lower()


def _spelled(hit: str) -> str:
    """A hit of a pattern as HGVS writes it."""
    if hit.lower().startswith("c."):
        return hit
    return f"p.{_three_letters(re.sub(r'^p[.]?', '', hit, flags=re.IGNORECASE).strip('()'))}"


def _three_letters(name: str) -> str:
    """A protein change in three-letter code: M1V as Met1Val; other spellings stay."""
    match = re.fullmatch(r"\(?([A-Za-z]{1,3})(\d+)([A-Za-z]{1,3})\)?", name)
    if not match:
        return name
    before, place, after = match.groups()
    return f"{_AMINO_ACIDS.get(before.upper(), before)}{place}{_AMINO_ACIDS.get(after.upper(), after)}"
