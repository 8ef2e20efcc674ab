"""The source article point by point, with a link to whatever carries each point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.knowledge.article import carriers
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import CardText
from cds_service.web.advice import RATES
from cds_service.web.entries import CardEntry, Carrier, Entry, PointEntry
from cds_service.web.gene import GENE
from cds_service.web.pieces import sources

# The words for a kind of carrier, and where /about shows the keys of the two files that hold only words.
_KINDS: Mapping[str, str] = {
    "findings": "finding",
    "rules": "rule",
    "recommendations": "advice",
    "orders": "draft order",
    "cards": "card",
    "messages": "words on a gene result",
    "response_rates": "response rate",
    "module": "standing",
    "about": "this description",
}
_PLACES: Mapping[str, str] = {
    "when_missing": "inputs",
    "logic": "logic",
    "limits": "logic",
    "source_attributes": "attributes",
    "licences": "licences",
    "decisions": "decisions",
    "open_questions": "decisions",
}


def card_entries(knowledge: Knowledge) -> Iterator[CardEntry]:
    """The words of each card."""
    for card in knowledge.cards.values():
        cited = sources(knowledge, card.citations)
        yield CardEntry(topic=card.topic, page=_card_page(card), indicator=card.indicator, summary=card.summary, lead=card.lead, citations=cited)


def article_points(knowledge: Knowledge, entries: Mapping[str, Mapping[str, Entry]]) -> Iterator[PointEntry]:
    """Each point of the source article with what carries it; `entries` are those of the module by kind and id."""
    for point in knowledge.article.values():
        carried = tuple(_carrier(kind, name, knowledge, entries) for kind, name in carriers(point))
        yield PointEntry(id=point.id, section=point.section, point=point.point, carriers=carried)


def _carrier(kind: str, name: str, knowledge: Knowledge, entries: Mapping[str, Mapping[str, Entry]]) -> Carrier:
    label, page = _place_of(kind, name, knowledge, entries)
    return Carrier(kind=_KINDS[kind], id=name, label=label, page=page)


def _place_of(kind: str, name: str, knowledge: Knowledge, entries: Mapping[str, Mapping[str, Entry]]) -> tuple[str, str]:
    """A carrier's label and page."""
    if kind == "cards":
        return knowledge.cards[name].topic, _card_page(knowledge.cards[name])
    if kind == "messages":
        return knowledge.genetics.messages[name], f"{GENE}#message-{name}"
    if kind == "response_rates":
        rate = knowledge.response_rates[name]
        return f"{rate.treatment}: {rate.figures}", f"{RATES}#{name}"
    if kind in ("module", "about"):
        return name.replace("_", " "), f"/about#{_PLACES.get(name, 'purpose') if kind == 'about' else 'standing'}"
    homes = ("red-flags", "alternatives", "facts", "terms") if kind == "findings" else (kind,)
    entry = next(entries[home][name] for home in homes if name in entries[home])
    return entry.label, entry.page


def _card_page(card: CardText) -> str:
    return f"/about#card-{card.topic}"
