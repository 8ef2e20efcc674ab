"""docs/source-article.md: what the source article says, what carries it here, and the cases that prove it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cds_service.knowledge.article import carriers
from cds_service.knowledge.loader import Knowledge, load
from cds_service.knowledge.model import Point
from cds_service.reasoning import casebook
from cds_service.reasoning.proofs import proofs

_MOST = 2  # cases shown per carrier
_SINGULAR = {
    "findings": "finding",
    "rules": "rule",
    "recommendations": "recommendation",
    "orders": "order",
    "cards": "card",
    "messages": "message",
    "response_rates": "response rate",
    "module": "module.yaml",
    "about": "about.yaml",
}
HEAD = """# The source article, point by point

Each point of the article in its own words (shortened), what carries it in this module, and cases that prove the carrier: they expect it and would fail without it. Words alone (cards, messages, response rates, `module.yaml`, `about.yaml`) have no cases. `cds-service check` refuses a point without a carrier, and a finding, rule, recommendation or order in this list that no case proves. The article says what its authors say; where this module differs, the carrier's own text and citations tell why.
"""


@lru_cache(maxsize=1)
def _outcomes() -> tuple[Knowledge, tuple[casebook.Outcome, ...]]:
    knowledge = load()
    return knowledge, tuple(casebook.run(knowledge))


def page() -> str:
    """The page as it should be."""
    knowledge, outcomes = _outcomes()
    return (
        "\n".join(["<!-- Written by `make docs`; change knowledge/vexas/article.yaml instead. -->\n", HEAD, *_body(knowledge, outcomes)]).rstrip()
        + "\n"
    )


def _body(knowledge: Knowledge, outcomes: Sequence[casebook.Outcome]) -> Iterator[str]:
    section = ""
    for point in knowledge.article.values():
        if point.section != section:
            section = point.section
            yield f"## {section}\n"
        yield f"**{point.point}** (`{point.id}`)\n"
        yield from _carried(knowledge, outcomes, point)
        yield ""


def _carried(knowledge: Knowledge, outcomes: Sequence[casebook.Outcome], point: Point) -> Iterator[str]:
    for kind, name in carriers(point):
        yield f"- {_SINGULAR[kind]} `{name}`{_words(knowledge, kind, name)}"
        found = proofs(outcomes, kind, name)
        yield from (f"  - `{o.place}` {o.case.name}" for o in found[:_MOST])
        if len(found) > _MOST:
            yield f"  - and {len(found) - _MOST} more"


def _words(knowledge: Knowledge, kind: str, name: str) -> str:
    """The carrier's own words."""
    if kind == "findings":
        text = knowledge.flags[name].label if name in knowledge.flags else knowledge.terms[name].label
    elif kind == "rules":
        text = knowledge.rules[name].label
    elif kind == "recommendations":
        text = knowledge.recommendations[name].text
    elif kind == "orders":
        text = knowledge.orders[name].label
    elif kind == "cards":
        text = knowledge.cards[name].lead
    elif kind == "messages":
        text = knowledge.genetics.messages[name]
    elif kind == "response_rates":
        rate = knowledge.response_rates[name]
        text = f"{rate.study}: {rate.figures}.{f' {rate.unclear}' if rate.unclear else ''}"
    else:
        return ""
    return f": {text}"
