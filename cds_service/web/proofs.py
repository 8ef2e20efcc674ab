"""The cases of a module by the entry that they prove, with what each expects of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Case, Recommendation
from cds_service.web.entries import Entry, Proof

# Flags, terms and rules share one namespace; the others have their own.
_KINDS: Mapping[str, str] = {"criteria": "criteria", "recommendations": "recommendations", "orders": "orders"}
_FINDINGS = "findings"


class Proofs:
    """What the cases expect, by entry."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._found: dict[tuple[str, str], list[Proof]] = {}
        for _, case in knowledge.cases():
            for kind, name, expected in _expected(case, knowledge):
                self._found.setdefault((kind, name), []).append(Proof(case=case.name, expected=expected))

    def of(self, entry: Entry) -> tuple[Proof, ...]:
        """The cases that expect something of an entry."""
        return tuple(self._found.get((_KINDS.get(entry.kind, _FINDINGS), entry.id), ()))


def _expected(case: Case, knowledge: Knowledge) -> Iterator[tuple[str, str, str]]:
    """The kind and id of each entry that a case names, and what it expects."""
    if case.criterion is not None:
        yield "criteria", case.criterion, "met"
    for name in dict.fromkeys((*case.expect, *case.remarks)):
        said: list[str] = [case.expect[name]] if name in case.expect else []
        if name in case.remarks:
            said += [f"remark: {text}" for text in case.remarks[name]] or ["no remark"]
        yield _FINDINGS, name, "; ".join(said)
    for name in dict.fromkeys((*case.recommends, *case.silent, *case.no_cautions)):
        if name in knowledge.recommendations:
            yield "recommendations", name, "; ".join(_of_advice(case, knowledge.recommendations[name]))
    for names, expected in ((case.offers, "offered"), (case.not_offered, "not offered")):
        yield from (("orders", name, expected) for name in names)


def _of_advice(case: Case, item: Recommendation) -> Iterator[str]:
    """What a case expects of a recommendation. Texts are named by themselves, so they count only where it is given."""
    given = item.id in case.recommends
    if given or item.id in case.silent:
        yield "recommended" if given else "silent"
    texts = {c.text for c in item.cautions}
    yield from (f"caution: {text}" for text in case.cautions if given and text in texts)
    yield from (f"missing: {p.text}" for p in item.parts if given and p.text in case.parts)
    if item.id in case.no_cautions:
        yield "no caution"
    yield from (f"not cautioned: {text}" for text in case.no_cautions if given and text in texts)
