"""Entries of advice and draft orders, and the response rates of the treatments that are advised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.knowledge.article import carriers
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import DraftOrder, Recommendation, ResponseRate
from cds_service.knowledge.wording import expression_in_words, label_of, title_of
from cds_service.record.dates import period
from cds_service.web.entries import Entry, Rate, Reference
from cds_service.web.pieces import order_code, page_of, saying, sources, value_set_entries

RATES = "/about/response-rates"


def advice_entry(item: Recommendation, knowledge: Knowledge, pages: Mapping[str, str]) -> Entry:
    """Everything that a recommendation holds; `pages` are those of the flags it shows."""
    return Entry(
        id=item.id,
        kind="recommendations",
        label=_label(item),
        page=page_of("recommendations", item.id),
        definition=str(expression_in_words(item.when, knowledge)),
        text=item.text,
        topic=item.topic,
        strength=item.strength,
        confidence=item.confidence,
        variations=tuple(saying(knowledge, v.when, v.text, warns=item.warns, alert=v.alert) for v in item.variations),
        parts=tuple(saying(knowledge, p.when, p.text) for p in item.parts),
        cautions=tuple(saying(knowledge, c.when, c.text, warns=c.warns) for c in item.cautions),
        shows=tuple(_shown(name, knowledge, pages) for name in item.shows),
        warns=item.warns,
        alert=item.alert,
        more=item.more,
        response_rates=tuple(rate for rate in rates(knowledge) if rate.advice.id == item.id),
        citations=sources(knowledge, item.citations),
    )


def order_entry(order: DraftOrder, knowledge: Knowledge, pages: Mapping[str, str]) -> Entry:
    """Everything that a draft order holds; `pages` are those of the findings that it names as reasons."""
    sets = filter(None, (order.ordered_as, *order.unless_result))
    return Entry(
        id=order.id,
        kind="orders",
        label=order.label,
        page=page_of("orders", order.id),
        definition=str(expression_in_words(order.when, knowledge)),
        topic=", ".join(order.topics),
        text=order.text,
        description=order.description,
        codes=tuple(order_code(knowledge, c) for c in order.codes),
        silenced_by=tuple(_silences(order, knowledge)),
        preselected=order.recommended,
        reasons=tuple(Reference(id=name, label=label_of(name, knowledge), page=pages[name]) for name in order.reason),
        value_sets=value_set_entries(knowledge, sets),
    )


def rates(knowledge: Knowledge) -> Iterator[Rate]:
    """The response rates by treatment, in the order of the file. Those that carry a point of the source article are its own figures."""
    own = {name for point in knowledge.article.values() for kind, name in carriers(point) if kind == "response_rates"}
    treatments = list(dict.fromkeys(rate.treatment for rate in knowledge.response_rates.values()))
    for rate in sorted(knowledge.response_rates.values(), key=lambda rate: treatments.index(rate.treatment)):
        yield _rate(rate, knowledge, of_article=rate.id in own)


def _rate(rate: ResponseRate, knowledge: Knowledge, *, of_article: bool) -> Rate:
    item = knowledge.recommendations[rate.recommendation]
    return Rate(
        id=rate.id,
        page=f"{RATES}#{rate.id}",
        treatment=rate.treatment,
        study=rate.study,
        figures=rate.figures,
        definition=rate.definition,
        unclear=rate.unclear,
        of_article=of_article,
        advice=Reference(id=item.id, label=_label(item), page=page_of("recommendations", item.id)),
        confidence=rate.confidence,
        citations=sources(knowledge, rate.citations),
    )


def _shown(name: str, knowledge: Knowledge, pages: Mapping[str, str]) -> Reference:
    """The newest value of a test, or the evidence of a finding, that stands behind a sentence of advice."""
    if name in knowledge.measurements:
        within = period(knowledge.assessment.shown_within)
        return Reference(id=name, label=f"the newest {title_of(name, knowledge)} of the last {within}", page=page_of("value-sets", name))
    return Reference(id=name, label=f"the evidence of “{label_of(name, knowledge)}”", page=pages[name])


def _silences(order: DraftOrder, knowledge: Knowledge) -> Iterator[str]:
    """What keeps a draft order from being offered although its condition holds."""
    if order.ordered_as:
        yield f"an open order, by code or text: {title_of(order.ordered_as, knowledge)}"
    if order.ordered_text:
        yield f"an open order with a text like “{order.ordered_text}”"
    if order.within:
        tests = " or ".join(title_of(s, knowledge) for s in order.unless_result)
        yield f"a result of the last {period(order.within)}: {tests}"
    if set(order.topics) != {"supportive"}:  # beside a confirmed disease nothing is waited for
        yield f"a test of {knowledge.genetics.gene} that is ordered or pending, until the disease is confirmed"


def _label(item: Recommendation) -> str:
    return item.short[:1].upper() + item.short[1:]
