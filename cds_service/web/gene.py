"""The page of the gene: which variants are known, how a result is read, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Variant
from cds_service.record.dates import period
from cds_service.web.entries import AssociationEntry, GenePage, Message, VariantEntry
from cds_service.web.pieces import sources, value_set_entries
from cds_service.web.thresholds import share_threshold

GENE = "/about/genetics"
_ASSOCIATIONS_ARE = "published association; no prognosis for an individual"
_CONFIRMS_BY_ITSELF = ("canonical", "splice")
# Where a message is said, by the start of its id; any other stands beside a result.
_PLACES: Mapping[str, str] = {
    "call-": "what a result is called",
    "basis-": "on what a confirmation rests",
    "reason-": "why a negative result settles nothing",
}


def gene_page(knowledge: Knowledge) -> GenePage:
    """Everything about results of the gene that is no pattern of words."""
    rules = knowledge.genetics
    sets = (rules.gene_codes, rules.test_codes, rules.report_codes, rules.disease_codes, rules.transplant)
    return GenePage(
        gene=rules.gene,
        reading=tuple(_reading(knowledge)),
        low_fraction=share_threshold("Allele fraction", rules.low_fraction),
        variants=tuple(_variant(v, knowledge) for v in rules.variants),
        associations_are=_ASSOCIATIONS_ARE,
        messages=tuple(Message(id=name, page=f"{GENE}#message-{name}", place=_place(name), text=text) for name, text in rules.messages.items()),
        value_sets=value_set_entries(knowledge, filter(None, sets)),
        citations=sources(knowledge, rules.citations),
    )


def _reading(knowledge: Knowledge) -> Iterator[str]:
    """How a result is read, from first to last."""
    rules = knowledge.genetics
    low = share_threshold("", rules.low_fraction).limit
    yield f"A result is about {rules.gene} by its test code, the gene studied, its name or its words."
    yield "A variant marked below as confirming by itself is pathogenic. Of any other variant the laboratory's own class counts."
    yield "A pathogenic variant confirms only with a compatible finding in the chart. Without one, the result is shown for review."
    yield f"A pathogenic variant with an allele fraction {low}, or one that may be, is shown for review."
    yield "What is uncertain, contradictory, unreadable or of another person is shown for review; it never confirms."
    yield "Of several results the newest counts, and one that contradicts it is shown beside it. A negative after a positive is shown for review."
    yield f"A negative result silences suspicion for {period(rules.silence)}, unless the assay is limited or a strong organ finding is new."
    yield "A negative result from a tissue that is neither blood nor marrow counts as no test."
    yield "Without a result that can be read, the disease on the problem list counts as confirmed, and the card says so."
    yield f"An order or an unfinished result of the last {period(rules.order_window)} is shown as under way."


def _variant(variant: Variant, knowledge: Knowledge) -> VariantEntry:
    return VariantEntry(
        name=" ".join(filter(None, (variant.c, variant.p))),
        classification=variant.classification,
        tier=variant.tier,
        confirms=variant.tier in _CONFIRMS_BY_ITSELF,
        confidence=variant.confidence,
        note=variant.note,
        associations=tuple(AssociationEntry(text=a.text, citations=sources(knowledge, a.citations)) for a in variant.associations),
        citations=sources(knowledge, variant.citations),
    )


def _place(message: str) -> str:
    return next((place for start, place in _PLACES.items() if message.startswith(start)), "beside a result")
