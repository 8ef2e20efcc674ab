"""Every sentence that a card can show, with its file and place; none may say what a card must never say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Place = tuple[str | int, ...]


class Sentence(NamedTuple):
    """A text of the module that may stand on a card."""

    group: str
    of: str
    file: str
    place: Place
    text: str


def sentences(knowledge: Knowledge) -> Iterator[Sentence]:
    """Every text that a card can show, grouped."""
    for i, card in enumerate(knowledge.cards.values()):
        yield from (Sentence("Cards", card.topic, "cards.yaml", (i, key), getattr(card, key)) for key in ("summary", "lead"))
    for i, item in enumerate(knowledge.recommendations.values()):
        for key in ("short", "text", "strength", "alert"):
            if text := getattr(item, key):
                yield Sentence("Recommendations", item.id, "recommendations.yaml", (i, key), text)
        for kind, word in (("variations", "otherwise"), ("parts", "missing"), ("cautions", "caution")):
            listed = enumerate(getattr(item, kind))
            yield from (Sentence("Recommendations", f"{item.id}, {word}", "recommendations.yaml", (i, kind, j), one.text) for j, one in listed)
        yield from (Sentence("Recommendations", f"{item.id}, alert", "recommendations.yaml", (i,), v.alert) for v in item.variations if v.alert)
    for i, item in enumerate(knowledge.recommendations.values()):
        yield from (Sentence("Pages of recommendations", item.id, "recommendations.yaml", (i, "more", j), text) for j, text in enumerate(item.more))
    for i, rate in enumerate(knowledge.response_rates.values()):
        for key in ("study", "figures", "definition", "unclear"):
            if text := getattr(rate, key):
                yield Sentence("Response rates", rate.id, "response_rates.yaml", (i, key), text)
    for name, text in knowledge.genetics.messages.items():
        yield Sentence("Results of the gene", name, "genetics.yaml", ("messages", name), text)
    files = (("red_flags.yaml", knowledge.red_flags), ("alternatives.yaml", knowledge.alternatives), ("facts.yaml", knowledge.facts))
    for file, flags in files:
        for i, flag in enumerate(flags.values()):
            texts = {"label": flag.label, "short": flag.short, "note": flag.note, "evidence": flag.evidence}
            texts["provisional"] = flag.provisional.text if flag.provisional else None
            yield from (Sentence("Findings", flag.id, file, (i, key), text) for key, text in texts.items() if text)
            yield from (Sentence("Findings", f"{flag.id}, beside it", file, (i, "qualified", j), q.text) for j, q in enumerate(flag.qualified))
    for i, order in enumerate(knowledge.orders.values()):
        yield from (Sentence("Draft orders", order.id, "orders.yaml", (i, key), getattr(order, key)) for key in ("label", "description", "text"))
    for i, rule in enumerate(knowledge.rules.values()):
        texts = {key: getattr(rule, key) for key in ("label", "performance", "population", "caution")}
        yield from (Sentence("Rules", rule.id, "rules.yaml", (i, key), text) for key, text in texts.items() if text)
    for i, tier in enumerate(knowledge.assessment.tiers):
        yield from (Sentence("Criteria", c.id, "assessment.yaml", ("tiers", i, "any", j), c.label) for j, c in enumerate(tier.any))


def sentence_faults(knowledge: Knowledge) -> Iterator[tuple[str, Place, str]]:
    """Sentences that hold a forbidden phrase, and forbidden phrases that cannot be read."""
    patterns: list[re.Pattern[str]] = []
    for index, text in enumerate(knowledge.guards.forbidden):
        try:
            patterns.append(re.compile(text, re.IGNORECASE))
        except re.error as error:
            yield "guards.yaml", ("forbidden", index), f"no regular expression: {error}. Correct it."
    for one in sentences(knowledge):
        for pattern in patterns:
            if hit := pattern.search(one.text):
                yield one.file, one.place, f"a card must not say '{hit[0]}' ({one.of}). Say what was found and what may be considered."
