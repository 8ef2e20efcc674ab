"""Point by point, what carries the source article: a point without a carrier, or with one that is not there, is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from cds_service.knowledge.model import Point

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Place = tuple[str | int, ...]
Fault = tuple[str, Place, str]


def carriers(point: Point) -> Iterator[tuple[str, str]]:
    """What carries a point: the kind of each carrier and its id."""
    for kind in point.carried_by.__struct_fields__:
        yield from ((kind, name) for name in getattr(point.carried_by, kind))


def article_faults(knowledge: Knowledge) -> Iterator[Fault]:
    """Points that nothing carries, and carriers that are not in the module."""
    known: dict[str, Collection[str]] = {
        "findings": {*knowledge.flags, *knowledge.terms},
        "rules": knowledge.rules,
        "recommendations": knowledge.recommendations,
        "orders": knowledge.orders,
        "cards": knowledge.cards,
        "messages": knowledge.genetics.messages,
        "response_rates": knowledge.response_rates,
        "module": knowledge.module.__struct_fields__,
        "about": knowledge.about.__struct_fields__,
    }
    for index, point in enumerate(knowledge.article.values()):
        named = list(carriers(point))
        if not named:
            yield "article.yaml", (index,), f"nothing carries '{point.id}'. Name in carried_by what says or does it, or add that first."
        for kind, name in named:
            if name not in known[kind]:
                yield "article.yaml", (index, "carried_by", kind), f"there is no '{name}' among the {kind}. Define it or correct the name."
