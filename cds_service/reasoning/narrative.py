"""What a report's sentences say of one gene. In doubt nothing is pathogenic, and a clear positive is never negative.

A sentence is read in pieces; a piece belongs to the gene it names or, naming none, to the gene named before it. Pieces
about another gene, a relative, the method or the literature say nothing of this patient's result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from cds_service.knowledge.model import Variant, VariantPattern, Words

_LONGEST = 20000
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|[\n\r;|]+")
_PERCENT = re.compile(r"%|per\s?cent|\bprozent|\bpct\b|10[*^]-2")
_PER_MILLE = re.compile(r"\u2030|per\s?mill?e|\bpromille|10[*^]-3|ppth")
_OTHER_SCALE = re.compile(r"\bpp[mb]\b|\[pp[mb]|10[*^]")
_LIMIT_BEFORE = 18  # characters before a number in which "<" or "less than" is about it
_LIMIT_AFTER = 12
_WORD = re.compile(r"[A-Za-z]+")
_UNIT_BETWEEN = re.compile(r"%|\u2030")
_LOOKS_BACK = re.compile(r"\s*[(,]?\s*(?:or|max|at most)\b", re.IGNORECASE)  # "15 % or less"
_OF_WHAT = 24  # characters beside a percentage in which it says what it is of
_PERCENTAGE = re.compile(
    r"(?<![a-z0-9.,])(?:(\d{1,3}(?:[.,]\d{1,8})?)\s*)?(%|\u2030|per ?cent\b|prozent\b|pct\b|per ?mille?\b|promille\b)", re.IGNORECASE
)
_SPAN = re.compile(
    r"(?:\b(range|between|from|ci)\b[^0-9]{0,10})?(?<![\w.,/-])(\d{1,3}(?:[.,]\d{1,8})?)\s*(?:%|per ?cent)?\s*(?:-|\u2013|\u2014|to|and)\s*"
    r"\d{1,3}(?:[.,]\d{1,8})?(?![\w/-])\s*(%|\u2030|per ?cent\b)?",
    re.IGNORECASE,
)
_WITHOUT_UNIT = frozenset({"", "1", "ratio", "decimal", "fraction"})
_PIECE = re.compile(r",(?![0-9])\s*|\s+(?:and|but|while|whereas)\s+")
_PROTEIN = re.compile(r"^p(?:[.]|(?=\(|(?:[a-z]|[a-z]{3})\d))", re.IGNORECASE)  # "p." and "p" of "pM41T", but not that of "P41T" or "Pro41Thr"

# Each amino acid by its letter.
_AMINO_ACIDS = dict(
    re.findall(
        r"(.):(...)", "A:Ala R:Arg N:Asn D:Asp C:Cys Q:Gln E:Glu G:Gly H:His I:Ile L:Leu K:Lys M:Met F:Phe P:Pro S:Ser T:Thr W:Trp Y:Tyr V:Val"
    )
)


class Fraction(NamedTuple):
    """An allele fraction as stated, 0 to 1: what it is, if it can be read, and the least and most that it can be."""

    share: float | None
    least: float = 0.0
    most: float = 1.0
    sign: str = ""  # "<" or ">" where only a bound is stated

    @property
    def is_vague(self) -> bool:
        """Whether it is stated in a way that says nothing of its size."""
        return self.share is None and (self.least, self.most) == (0.0, 1.0)


def fraction_of(number: float, unit: str = "", *, sign: str = "") -> Fraction:
    """A number up to 1 is a fraction, whatever its unit is called, unless that is percent or per mille.

    Above 1 and without a unit it is not read, though it can only be percent; in any other unit it may be anything.
    """
    unit = unit.strip(" {}").lower()
    scale = scale_of(unit)
    if scale is None and _OTHER_SCALE.search(unit):
        return Fraction(None)
    if number == 1 and not unit:
        return Fraction(None, 0.01)  # all of it, or 1 %
    share = number / (scale or 1)
    if 0 <= share <= 1:
        return Fraction(share, 0.0 if sign == "<" else share, 1.0 if sign == ">" else share, sign)
    in_percent = unit in _WITHOUT_UNIT and sign != "<" and 0 <= number <= 100
    return Fraction(None, number / 100 if in_percent else 0.0)


def scale_of(unit: str) -> int | None:
    """How many of a unit make a whole: 100 for percent; None for a unit that is not known."""
    unit = unit.strip(" {}").lower()
    if _PERCENT.search(unit):
        return 100
    if _PER_MILLE.search(unit):
        return 1000
    return 1 if unit in _WITHOUT_UNIT else None


def shortest(stated: Iterable[Fraction], limit: float) -> Fraction | None:
    """What several statements of one fraction say together: the least counts, and what disagrees about a limit is vague."""
    told = list(stated)
    if not told:
        return None
    sized = [f for f in told if not f.is_vague]
    least = min(f.least for f in told)
    if sized and all(f.most < limit for f in sized):
        return min(sized, key=lambda f: f.most)
    if least < limit:
        return Fraction(None, least)
    shown = [f for f in told if f.share is not None]
    return min(shown, key=lambda f: f.share or 0.0) if shown else Fraction(None, least)


class Spoken(NamedTuple):
    """What a narrative says of the gene."""

    negative: bool
    positive: bool
    no_call: bool
    confirming: bool
    germline: bool
    classes: frozenset[str]
    variant: str
    fractions: tuple[Fraction, ...]
    other_person: bool


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

    def entry(self, text: str) -> Variant | None:
        """The catalogue's entry of a variant: by its c. name, else by its p. name."""
        bare = _bare(_tidy(text))
        return self._by("c", bare) or self._by("p", bare)

    def known(self, text: str) -> str:
        """The catalogue's own spelling of a variant, so that no words of a chart reach a card; the c. name only where the text has it."""
        bare = _bare(_tidy(text))
        variant = self._by("c", bare)
        if variant is None:
            return ((variant := self._by("p", bare)) and variant.p) or ""
        return " ".join(n for n in (variant.c, variant.p) if n)

    def change(self, text: str) -> str:
        """What a variant does, by which different spellings of it are one: its p. name, else its c. name."""
        variant = self.entry(text)
        return (variant.p or variant.c or "") if variant else ""

    def _by(self, kind: Literal["c", "p"], bare: str) -> Variant | None:
        named = ((v, v.c if kind == "c" else v.p) for v in self._variants)
        return next((v for v, name in named if name and re.search(rf"(?<![a-z0-9]){re.escape(_bare(name))}(?![a-z])", bare)), None)

    def _as_written(self, change: str, text: str) -> str:
        """A change with its c. name, where the text has that, too."""
        bare = _bare(_tidy(text[:_LONGEST]))
        same = (v for v in self._variants if v.c and v.p == change)
        return next((f"{v.c} {change}" for v in same if _bare(v.c or "") in bare), change)

    def detection_limit(self, text: str) -> str:
        """The smallest fraction that the assay can see, in percent, if the text states it."""
        found = self._word["detection_limit"].search(text[:_LONGEST])
        return found.group(1).replace(",", ".") if found else ""

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
        sentences = [self._word["unlisted"].sub(" ", sentence) for sentence in _SENTENCE.split(_tidy(text[:_LONGEST]))]
        told.fractions = self.fractions(sentences)
        for sentence in sentences:
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
            variant=self._as_written(min(left), text) if left else "",
            fractions=tuple(told.fractions),
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
        told.negative = told.negative or (bool(pieces) and self.matches("open_denial", sentence))
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
            classes = self.classes(piece)
            told.classes |= classes
            asserted = self.matches("positive", piece) or "pathogenic" in classes or any(f.share for f in self._labelled(piece)[0])
            told.asserted = told.asserted or asserted
            waiting = set() if asserted else waiting | named
            told.germline = told.germline or self.matches("germline", piece)

    def _named(self, text: str) -> set[str]:
        """The confirming variants that a text names, in the catalogue's spelling."""
        hits = [m.group() for pattern in self._confirming for m in pattern.finditer(text)]
        return {self.change(_spelled(hit)) or hit for hit in hits}

    def _is_bare_result(self, text: str) -> bool:
        """Whether a text is nothing but one variant's name."""
        tidy = _tidy(text)
        return len(self._named(tidy)) == 1 and all(
            self._word["bare"].fullmatch(token.strip(",;:()")) for token in tidy.split() if token.strip(",;:()")
        )

    # --- allele fractions ---

    def fractions(self, sentences: Iterable[str]) -> list[Fraction]:
        """Every allele fraction that a text states of the gene, or a vague one where it speaks of it without a number.

        They are read in every piece after which no other gene was named, be it a finding, a doubt or a remark. A percentage
        that does not say what it is of counts beside a fraction in the same sentence, or where no fraction is named at all.
        """
        labelled: list[Fraction] = []
        bare: list[Fraction] = []
        mentioned = False
        for pieces in self._pieces_of_gene(sentences):
            here = any(self.matches("fraction_word", piece) for piece in pieces)
            for piece in pieces:
                found, rest = self._labelled(piece)
                percentages = self._bare(rest)
                labelled += [*found, *([*percentages, *self._spans(piece)] if here else [])]
                labelled += [Fraction(None)] if self.matches("fraction_low", piece) else []
                bare += percentages
            mentioned = mentioned or here
        return labelled or bare or ([Fraction(None)] if mentioned else [])

    def _pieces_of_gene(self, sentences: Iterable[str]) -> Iterator[list[str]]:
        """The pieces of each sentence that may tell of a finding in the gene."""
        other = False
        for sentence in sentences:
            pieces = []
            for piece in _PIECE.split(self._word["assay_limit"].sub(" ", sentence)):
                other = not self.names_gene(piece) and (other or self.matches("other_gene", piece))
                if not other and not self._is_no_finding(piece):
                    pieces.append(piece)
            yield pieces

    def _is_no_finding(self, piece: str) -> bool:
        """Whether a piece tells of the method or denies the variant, so that a fraction in it is none of a finding."""
        denied = self.matches("negation", piece) and not self.matches("germline_word", piece)
        return denied or self.matches("method", piece)

    def _labelled(self, text: str) -> tuple[list[Fraction], str]:
        """The fractions that are called so, and the text without them."""
        found = []
        for name, number_at, unit_at in (("fraction_before", 1, 2), ("fraction", 2, 3)):
            for match in self._word[name].finditer(text):
                between = match.group(1) if number_at == 2 else ""
                unit = match.group(unit_at) or next(iter(_UNIT_BETWEEN.findall(between)), "")
                number = match.group(number_at)
                stated = self._fraction_at(text, match.start(number_at), match.end(), number, unit)
                far = number.isdigit() and not unit and not all(map(self._word["fraction_between"].fullmatch, _WORD.findall(between)))
                found.append(Fraction(None) if far else stated)
            text = self._word[name].sub(" ", text)
        return found, text

    def _bare(self, text: str) -> list[Fraction]:
        """Percentages that do not say what they are of."""
        return [
            self._fraction_at(text, m.start(), m.end(), m.group(1), m.group(2)) if m.group(1) else Fraction(None)
            for m in _PERCENTAGE.finditer(text)
            if not self.matches("not_fraction", f"{text[max(0, m.start() - _OF_WHAT) : m.start()]}#{text[m.end() : m.end() + _OF_WHAT]}")
        ]

    def _spans(self, text: str) -> list[Fraction]:
        """The lower ends of "4 to 20 %" and "range 4-20"."""
        return [fraction_of(_number(m.group(2)), m.group(3) or "") for m in _SPAN.finditer(text) if m.group(1) or m.group(3)]

    def _fraction_at(self, text: str, start: int, end: int, number: str, unit: str) -> Fraction:
        after = text[end : end + _LIMIT_AFTER]
        beside = f"{text[max(0, start - _LIMIT_BEFORE) : start]} {after if _LOOKS_BACK.match(after) else ''}"
        sign = "<" if self.matches("at_most", beside) else ">" if self.matches("at_least", beside) else ""
        return fraction_of(_number(number), unit, sign=sign)


class _Told:
    """What has been read so far."""

    def __init__(self) -> None:
        self.negative = self.asserted = self.no_call = self.germline = self.only_denials = self.other_person = False
        self.named: set[str] = set()
        self.denied: set[str] = set()
        self.classes: set[str] = set()
        self.fractions: list[Fraction] = []


def _number(text: str) -> float:
    return float(text.replace(",", "."))


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
    return f"p.{_three_letters(_PROTEIN.sub('', hit, count=1).strip('()'))}"


def _three_letters(name: str) -> str:
    """A protein change in three-letter code: M1V as Met1Val; other spellings stay."""
    match = re.fullmatch(r"\(?([A-Za-z]{1,3})(\d+)([A-Za-z]{1,3})\)?", name)
    if not match:
        return name
    before, place, after = match.groups()
    return f"{_AMINO_ACIDS.get(before.upper(), before)}{place}{_AMINO_ACIDS.get(after.upper(), after)}"
