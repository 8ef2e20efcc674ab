"""Reading the results of one gene: which results are about it, what each says, and what they say together."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Genetics
from cds_service.reasoning.chart import Chart, is_resolved
from cds_service.reasoning.documents import note_reports
from cds_service.reasoning.findings import Evidence, GeneticState, GeneticStatus
from cds_service.reasoning.gene_links import FINAL, WITHDRAWN, Links, Said, is_future, name_of
from cds_service.reasoning.narrative import Fraction, NarrativeReader, Spoken, fraction_of, scale_of, shortest
from cds_service.record.codes import Code
from cds_service.record.dates import period
from cds_service.record.facts import Condition, Report, ReportItem

_MOST_REPORTS = 100
_LONGEST = 20_000
_PENDING = frozenset({"registered", "preliminary", "partial", "unknown", None})
# What HL7's flags, and the words that laboratories send in their place, say of a test that is positive or negative.
_FLAGS = {
    **dict.fromkeys(("POS", "POSITIVE", "DET", "DETECTED", "A", "AA", "ABN", "ABNORMAL"), "present"),
    **dict.fromkeys(("NEG", "NEGATIVE", "ND", "NOT DETECTED", "N", "NORMAL"), "absent"),
    **dict.fromkeys(("IND", "INDETERMINATE", "E", "EQUIVOCAL"), "indeterminate"),
}


class Call(IntEnum):
    """What one result says, from the weakest to the strongest; of equal days the strongest holds."""

    NEGATIVE = 1
    UNCLEAR = 2
    UNCERTAIN = 3
    LOW = 4
    UNSURE = 5  # pathogenic, but its allele fraction may be low
    PATHOGENIC = 6


class Reading(NamedTuple):
    """One result of the gene as it was read."""

    call: Call
    report: Report
    variant: str
    fraction: float | None
    reasons: tuple[str, ...]
    limited: bool
    sign: str = ""  # of the fraction
    stated: tuple[Fraction, ...] = ()
    elsewhere: bool = False  # a negative in a tissue that does not carry the variant


_NOTHING = Said()


class GeneReader:
    """Reads results of the gene that a knowledge module is about."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.rules: Genetics = knowledge.genetics
        self.narratives = NarrativeReader(self.rules.words, self.rules.confirming_patterns, self.rules.variants)
        self.low_fraction = self.rules.low_fraction.value or 0.0
        codes = self.rules.codes
        self.codes = {name: Code("http://loinc.org", getattr(codes, name)) for name in codes.__struct_fields__}
        self.answers = {Code("http://loinc.org", value): name for name, value in self.rules.answers.items()}

    # --- which results are about the gene ---

    def about_gene(self, report: Report) -> bool:
        """Whether a report is about the gene: by test code, by the gene studied, by its name or its words."""
        if self.is_fraction(report):
            return False  # it is read with its variant
        studied = self._studied(report)
        if studied:
            return any(self._is_gene(item) for item in studied)
        if any(self.rules.test_codes in self.knowledge.sets_of(c) for c in report.codes):
            return True
        texts = (report.text, report.conclusion, *(t for i in report.items for t in (i.text, i.value_text)))
        return any(self.narratives.names_gene(t) for t in texts if t) or self._names_disease(report)

    def _studied(self, report: Report) -> list[ReportItem]:
        return [item for item in report.items if self.codes["gene"] in item.codes]

    def _names_disease(self, report: Report) -> bool:
        """Whether a genetic report has the disease as its coded conclusion."""
        genetic = any(self.rules.report_codes in self.knowledge.sets_of(c) for c in report.codes)
        return genetic and any(self.rules.disease_codes in self.knowledge.sets_of(c) for c in report.conclusion_codes)

    def is_fraction(self, report: Report) -> bool:
        """Whether a report is an allele fraction by itself."""
        return self.codes["fraction"] in report.codes

    def is_finding(self, report: Report) -> bool:
        """Whether a report is about a variant or a gene, whatever gene it is; what only interprets one is not."""
        if self.is_fraction(report) or (report.derived_from and (self.classes(report) or self.codes["significance"] in report.codes)):
            return False
        named = [self.codes[name] for name in ("gene", "c_hgvs", "p_hgvs")]
        return any(c in item.codes for item in report.items for c in named) or self.is_specific(report)

    def is_other_gene(self, report: Report) -> bool:
        """Whether a report names only other genes as studied."""
        studied = self._studied(report)
        return bool(studied) and not any(map(self._is_gene, studied))

    def _is_gene(self, item: ReportItem) -> bool:
        codes = self.knowledge.value_sets[self.rules.gene_codes].concepts
        if any(c.code in item.value_codes for c in codes):
            return True
        return not item.value_codes_of("http://www.genenames.org") and self.narratives.names_gene(item.value_text)

    # --- what one result says ---

    def read(self, report: Report, said: Said = _NOTHING) -> Reading:
        """Read one result; `said` is what linked results say of it."""
        variant = self._variant_text(report)
        classes = said.classes | self.classes(report)
        spoken = self.narratives.read(self._told(report), specific=self.is_specific(report))
        canonical = self.narratives.is_canonical(variant) or self.narratives.is_canonical(spoken.variant)
        confirming = self.narratives.confirms(variant) or spoken.confirming
        call, why = self._judge(
            self._answers(report), classes | spoken.classes, spoken, confirming=confirming, named=bool(variant) or spoken.positive
        )
        germline = self._germline(report) or spoken.germline
        call, why = self._doubt(report, said, call, by_class=why == "laboratory-class", canonical=canonical, germline=germline) or (call, why)
        labels = ["germline"] if germline and (canonical or call is not Call.UNCERTAIN) else []
        reasons = (*labels, *([why] if why else []))
        negative = call is Call.NEGATIVE
        elsewhere = negative and self._is_elsewhere(report)
        reading = Reading(call, report, variant or spoken.variant, None, reasons, negative and self._limited(report), elsewhere=elsewhere)
        return self.with_fractions(reading, self._stated(report, spoken, said))

    def _doubt(self, report: Report, said: Said, call: Call, *, by_class: bool, canonical: bool, germline: bool) -> tuple[Call, str] | None:
        """What puts a call in doubt: whose sample it is, of which gene, what was withdrawn, and what only looks like the disease."""
        if self.narratives.matches("relative", report.specimen):
            return Call.UNCLEAR, "another-person"
        if said.withdrawn:
            return Call.UNCLEAR, "report-withdrawn"
        if report.absent:
            return Call.UNCLEAR, "no-call"
        if call is Call.UNCLEAR and self._names_disease(report):
            return Call.UNCERTAIN, "disease-named"
        if call is not Call.PATHOGENIC:
            return None
        if not all(map(self._is_gene, self._studied(report))):
            return Call.UNCLEAR, "several-genes"
        if by_class and self.narratives.matches("synonymous", f"{self._variant_text(report)} {report.conclusion}"[:_LONGEST]):
            return Call.UNCERTAIN, "synonymous"
        if not canonical and (said.other_disease or self.speaks_of_other_disease(report)):
            return Call.UNCERTAIN, "other-disease"
        if not canonical and germline:
            # Only at the canonical codon is a germline label known to be a misread somatic variant.
            return Call.UNCERTAIN, "germline-other"
        return (Call.UNCERTAIN, "tissue-positive") if self._is_elsewhere(report) else None

    def _is_elsewhere(self, report: Report) -> bool:
        """Whether a sample is, by its name or by the report's words, of a tissue that does not carry a somatic variant of blood cells."""
        text = f"{report.specimen} {report.text} {report.conclusion}"[:_LONGEST]
        return self.narratives.matches("other_tissue", text) and not self.narratives.matches("blood", text)

    def speaks_of_other_disease(self, report: Report) -> bool:
        """Whether a report names another disease of the gene, which is inherited."""
        items = (f"{i.value_text} {' '.join(c.value for c in i.value_codes)}" for i in report.items)
        coded = (c.value for c in report.conclusion_codes)
        return self.narratives.matches("other_disease", " ".join((report.conclusion, *items, *coded))[:_LONGEST])

    def _told(self, report: Report) -> str:
        """A report's words, with a line for each component that has a name of its own: "p.Gly12Ala: not detected"."""
        known = frozenset(self.codes.values())
        lines = []
        for item in report.items:
            if item.text and known.isdisjoint(item.codes) and not any(self.rules.test_codes in self.knowledge.sets_of(c) for c in item.codes):
                coded = (self.answers[c] for c in item.value_codes if c in self.answers)
                shown = item.value_text or " ".join(coded) or (f"{item.number:g} {item.unit}" if item.number is not None else "")
                lines += [f"{item.text}: {shown}"] if shown else []
        return "\n".join((report.conclusion, *lines)) if lines else report.conclusion

    def with_fractions(self, reading: Reading, stated: tuple[Fraction, ...]) -> Reading:
        """A reading by the fractions that are stated of its variant: a pathogenic one of a low or unclear fraction is not pathogenic."""
        said = shortest(stated, self.low_fraction)
        if said is None:
            return reading
        call, reasons = reading.call, [r for r in reading.reasons if r not in ("fraction-ambiguous", "low-fraction")]
        if said.share is None:
            reasons.insert(0, "fraction-ambiguous")
        if call >= Call.LOW:
            call = Call.PATHOGENIC
            if said.most < self.low_fraction:
                call, reasons = Call.LOW, [*(r for r in reasons if r != "laboratory-class"), "low-fraction"]
            elif said.least < self.low_fraction:
                call = Call.UNSURE
        return reading._replace(call=call, fraction=said.share, sign=said.sign, reasons=tuple(reasons), stated=stated)

    def _judge(self, answers: frozenset[str], classes: frozenset[str], spoken: Spoken, *, confirming: bool, named: bool) -> tuple[Call, str | None]:
        """From the parts of one result to a call; in doubt it is never pathogenic."""
        negative = "absent" in answers or spoken.negative
        positive = "present" in answers or spoken.positive or bool(classes & {"pathogenic", "likely-pathogenic"})
        if positive and spoken.other_person:
            return Call.UNCLEAR, "another-person"
        if negative and positive:
            return Call.UNCLEAR, "contradictory"
        if negative:
            return Call.NEGATIVE, None
        if "no-call" in answers or "indeterminate" in answers or (spoken.no_call and not positive):
            return Call.UNCLEAR, "no-call"
        if classes & {"benign", "likely-benign"}:
            against = confirming or classes & {"pathogenic", "likely-pathogenic"}
            return (Call.UNCLEAR, "contradictory") if against else (Call.NEGATIVE, "benign")
        if "uncertain" in classes:
            return Call.UNCERTAIN, "uncertain-significance"
        if confirming or classes & {"pathogenic", "likely-pathogenic"}:
            return Call.PATHOGENIC, None if confirming else "laboratory-class"
        if named or "present" in answers:
            return Call.UNCERTAIN, "not-classified"
        return Call.UNCLEAR, "not-understood"

    def _answers(self, report: Report) -> frozenset[str]:
        found = {self.answers[c] for c in report.conclusion_codes if c in self.answers}
        return frozenset(found | {_FLAGS[i] for i in report.interpretations if i in _FLAGS})

    def classes(self, report: Report) -> frozenset[str]:
        """The clinical significance that a result states."""
        items = [i for i in report.items if self.codes["significance"] in i.codes]
        found = {self.answers.get(c, "") for i in items for c in i.value_codes}
        found |= {self.answers.get(c, "") for c in report.conclusion_codes}
        found |= {c for i in items if not i.value_codes for c in self.narratives.classes(i.value_text)}
        return frozenset(found & {"pathogenic", "likely-pathogenic", "uncertain", "likely-benign", "benign"})

    def _variant_text(self, report: Report) -> str:
        wanted = (self.codes["c_hgvs"], self.codes["p_hgvs"])
        parts = []
        for item in report.items:
            if any(c in item.codes for c in wanted):
                coded = next((c.value for c in item.value_codes if "." in c.value), "")
                parts.append(item.value_text if "." in item.value_text else coded or item.value_text)
        return " ".join(p for p in parts if p)

    def _stated(self, report: Report, spoken: Spoken, said: Said) -> tuple[Fraction, ...]:
        """The variant allele fractions: coded, spoken and linked; where there is none, one that may be of another variant is vague."""
        stated = (*self._coded_fractions(report), *spoken.fractions, *said.fractions)
        return stated or tuple(Fraction(None, f.least) for f in said.perhaps)

    def _coded_fractions(self, report: Report) -> list[Fraction]:
        items = [i for i in report.items if self.codes["fraction"] in i.codes]
        return [self._coded(i) for i in items if i.value_codes or i.value_text.strip() or i.number is not None or i.unread]

    def fractions_of(self, report: Report) -> tuple[Fraction, ...]:
        """What an allele fraction by itself states; one that is absent or not understood is vague."""
        spoken = self.narratives.fractions([f"VAF {report.conclusion}"]) if report.conclusion else []
        return (*self._coded_fractions(report), *spoken) or (Fraction(None),)

    def _coded(self, item: ReportItem) -> Fraction:
        """A coded fraction; one that was not understood, or whose unit and code contradict each other, is vague."""
        shown = scale_of(item.unit_words) if item.unit_words else None
        if item.number is None or item.unread or (shown is not None and shown != scale_of(item.unit)):
            return Fraction(None)
        at_most = self.narratives.matches("at_most", item.value_text)
        return fraction_of(item.number, item.unit, sign="<" if at_most else item.comparator[:1])

    def _germline(self, report: Report) -> bool:
        items = [i for i in report.items if self.codes["source_class"] in i.codes]
        return any(self.answers.get(c) == "germline" for i in items for c in i.value_codes) or any(
            self.narratives.matches("germline", i.value_text) for i in items
        )

    def _limited(self, report: Report) -> bool:
        """Whether a negative leaves room for a miss: Sanger, partial, or of unstated coverage."""
        texts = " ".join((report.text, report.conclusion, *(i.value_text for i in report.items)))[:_LONGEST]
        return self.narratives.matches("partial", texts) or not self.narratives.matches("complete", texts)

    def is_specific(self, report: Report) -> bool:
        """Whether a report is a result of this gene's own test."""
        if any(self.codes["gene"] in item.codes for item in report.items):
            return True
        return any(self.rules.test_codes in self.knowledge.sets_of(c) for c in report.codes) or self.narratives.names_gene(report.text)


# --- all results together ---


def genetic_status(reader: GeneReader, chart: Chart, *, compatible: bool) -> GeneticStatus:
    """Weigh all results of the gene, the problem list and open orders together."""
    about = [r for r in reversed(chart.record.reports) if r.status not in WITHDRAWN and reader.about_gene(r)]
    for early in (r for r in about if is_future(r, chart.today)):
        chart.note(f"{reader.rules.gene} result of {early.on} is dated in the future and was not used", "Correct the date of the result.")
    about = [r for r in about if not is_future(r, chart.today)]
    # A document that only speaks of the gene is no report of it; what does stand in one was not read.
    unread = [r for r in about if r.attached and reader.rules.test_codes in chart.sets_of_report(r)]
    note_reports(chart, reader.rules.test_codes, unread)
    about = [r for r in about if not r.attached]
    if len(about) > _MOST_REPORTS:
        chart.note(f"only the newest {_MOST_REPORTS} of {len(about)} reports about the gene were read", "Send fewer reports.")
        about = about[:_MOST_REPORTS]
    told = [r for r in about if r.status in FINAL and _says_something(r)]
    said = Links(reader, (r for r in chart.record.reports if not is_future(r, chart.today))).said() if told else {}
    readings = [reader.read(r, said.get(name_of(r), _NOTHING)) for r in told]
    # A report that only mentions the gene ("sequencing is recommended") is no result of it.
    readings = [r for r in readings if "not-understood" not in r.reasons or r.variant or reader.is_specific(r.report)]
    readings = [_with_same_day(reader, r, readings) for r in readings]
    elsewhere, readings = [r for r in readings if r.elsewhere], [r for r in readings if not r.elsewhere]
    diagnosis = [c for c in chart.conditions(reader.rules.disease_codes) if not is_resolved(c)]
    ordered = _ordered(reader, chart, [*unread, *about], readings)
    unreadable = bool(readings) and all("not-understood" in r.reasons for r in readings)
    if readings and not (diagnosis and unreadable):
        newest = max(readings, key=lambda r: (_day(r), r.call, r.report.ref or "", name_of(r.report), r.variant))
        return _weigh(reader, chart, newest, readings, diagnosis, ordered, compatible=compatible)
    if diagnosis:
        latest = max(diagnosis, key=lambda c: c.order)
        return GeneticStatus(
            state=GeneticState.CONFIRMED,
            reasons=("problem-list-only", *(["not-understood"] if unreadable else [])),
            evidence=(_diagnosis(reader, latest),),
            on=latest.on,
            ordered=ordered,
        )
    # A negative from a tissue that does not carry the variant leaves the question as open as none.
    newest_elsewhere = elsewhere[:1]
    return GeneticStatus(
        state=GeneticState.PENDING if ordered else GeneticState.NONE,
        reasons=("other-tissue",) if elsewhere else (),
        evidence=tuple(_reading_evidence(reader, r) for r in newest_elsewhere),
        ordered=ordered,
    )


def _with_same_day(reader: GeneReader, reading: Reading, readings: list[Reading]) -> Reading:
    """A reading by all the fractions of its day: what several results of one day say of one variant is one result."""
    if reading.call < Call.LOW:
        return reading
    same = [r for r in readings if r.call >= Call.UNCERTAIN and _day(r) == _day(reading) and _may_be_one(reader, r, reading)]
    return reader.with_fractions(reading, tuple(f for r in same for f in r.stated))


def _day(reading: Reading) -> str:
    """The day of a result as it was written; all results without one share it."""
    return reading.report.when.order[:10] if reading.report.when else ""


def _may_be_one(reader: GeneReader, one: Reading, other: Reading) -> bool:
    """Whether two results may be about one variant: they name the same, or one of them names none that is known."""
    names = {name for r in (one, other) if (name := reader.narratives.change(r.variant))}
    return len(names) < 2


def _says_something(report: Report) -> bool:
    """Leave out panels that only name the gene while their members carry the result."""
    told = report.conclusion or report.conclusion_codes or report.interpretations or report.items
    return not report.attached and (bool(told) or (report.absent and not report.members))


def _weigh(
    reader: GeneReader,
    chart: Chart,
    newest: Reading,
    readings: list[Reading],
    diagnosis: list[Condition],
    ordered: Evidence | None,
    *,
    compatible: bool,
) -> GeneticStatus:
    transplant = _transplanted(reader, chart, newest)
    reasons = list(newest.reasons)
    others = [r for r in readings if (r.call >= Call.LOW) != (newest.call >= Call.LOW)]
    if others:
        reasons.append("conflict")
    if newest.call is Call.PATHOGENIC:
        state = GeneticState.CONFIRMED if compatible else GeneticState.UNCERTAIN
        if not compatible:
            reasons.append("no-compatible-finding")
    elif newest.call is Call.NEGATIVE:
        # A negative after a positive is looked at by a person: it is not left to silence.
        state = GeneticState.UNCERTAIN if any(r.call >= Call.LOW for r in readings) else GeneticState.NEGATIVE
        if transplant:
            reasons.append("after-transplant")
        if diagnosis and transplant:
            state = GeneticState.CONFIRMED
        elif diagnosis:
            state = GeneticState.UNCERTAIN
            reasons.append("problem-list-against-result")
        if newest.limited:
            reasons.append("limited-assay")
    else:
        state = GeneticState.UNCERTAIN
    named = next((r for r in sorted(readings, key=lambda r: r.report.order, reverse=True) if r.call is newest.call and r.variant), newest)
    if not newest.variant:
        told = newest if newest.fraction is not None else named
        newest = newest._replace(variant=named.variant, fraction=told.fraction, sign=told.sign)
    shown = [newest, *sorted(others, key=lambda r: r.report.order, reverse=True)][:3]
    evidence = [_reading_evidence(reader, r) for r in shown]
    return GeneticStatus(
        state=state,
        reasons=tuple(dict.fromkeys(reasons)),
        evidence=tuple(evidence),
        variant=reader.narratives.entry(newest.variant) if newest.call >= Call.UNCERTAIN else None,
        on=newest.report.on,
        limited=newest.limited or transplant,
        ordered=ordered,
    )


def _transplanted(reader: GeneReader, chart: Chart, newest: Reading) -> bool:
    facts = [*chart.conditions(reader.rules.transplant), *chart.procedures(reader.rules.transplant)]
    day = newest.report.on
    return any(f.on is None or day is None or f.on <= day for f in facts)


def _reading_evidence(reader: GeneReader, reading: Reading) -> Evidence:
    variant = reader.narratives.known(reading.variant)
    fraction = "" if reading.fraction is None else f", VAF {reading.sign}{reading.fraction * 100:.3g} %"
    limit = reader.narratives.detection_limit(reading.report.conclusion) if reading.call is Call.NEGATIVE else ""
    word = reader.rules.messages[f"call-{reading.call.name.lower()}"]
    return Evidence(
        what=reader.rules.gene,
        ref=reading.report.ref,
        value=f"{word}{': ' + variant if variant else ''}{fraction}{f', detection limit {limit} %' if limit else ''}",
        on=reading.report.on,
        precision=reading.report.precision,
    )


def _diagnosis(reader: GeneReader, condition: Condition) -> Evidence:
    return Evidence(what=reader.rules.messages["problem-list"], ref=condition.ref, on=condition.on, precision=condition.precision)


def _ordered(reader: GeneReader, chart: Chart, about: list[Report], readings: list[Reading]) -> Evidence | None:
    """The newest open order, unfinished result or result that cannot be read here (a scan, a document) of the test."""
    start = period(reader.rules.order_window).before(chart.today)
    sets = reader.rules.test_codes
    open_orders = [
        o
        for o in chart.record.orders
        if o.status in ("active", "on-hold", *([] if readings else ["completed"]))
        and sets in chart.sets_of_fact(o)
        and (o.on is None or start <= o.on <= chart.today)
    ]
    recent = [r for r in about if r.on is None or r.on >= start]
    pending = [r for r in recent if r.status in _PENDING]
    closed = [r for r in recent if r.status in FINAL and not _says_something(r) and reader.is_specific(r) and not readings]
    facts = sorted([*open_orders, *pending, *closed], key=lambda f: f.order, reverse=True)
    if not facts:
        return None
    word = "ordered" if not isinstance(facts[0], Report) else "result-pending" if facts[0].status in _PENDING else "result-unreadable"
    return Evidence(what=reader.rules.messages[word], ref=facts[0].ref, on=facts[0].on, precision=facts[0].precision)
