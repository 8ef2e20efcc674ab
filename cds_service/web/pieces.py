"""What every entry is made of: pages, references, sources, value sets, and what is said where something holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import DraftCode, Expression
from cds_service.knowledge.valueset import ValueSet
from cds_service.knowledge.wording import expression_in_words
from cds_service.record.codes import Code
from cds_service.web.entries import ConceptEntry, Entry, Reference, Saying, Source, ValueSetEntry


def page_of(kind: str, name: str) -> str:
    """The path of an entry's page."""
    return f"/about/{kind}/{name}"


def reference(entry: Entry) -> Reference:
    """A link to an entry."""
    return Reference(id=entry.id, label=entry.label, page=entry.page)


def sources(knowledge: Knowledge, names: Iterable[str]) -> tuple[Source, ...]:
    """The citations of these names."""
    found = (knowledge.citations[name] for name in names)
    return tuple(Source(id=c.id, short=c.short, source=c.source, read=c.read, url=c.url) for c in found)


def saying(knowledge: Knowledge, when: Expression, text: str, *, warns: bool = False, alert: str | None = None) -> Saying:
    """What is said, and when, in words."""
    return Saying(text=text, when=str(expression_in_words(when, knowledge)), warns=warns, alert=alert)


def value_set_entry(found: ValueSet) -> ValueSetEntry:
    """A value set with counts."""
    unverified = sum(c.verification == "unverified-high" for c in found.concepts)
    title = found.title.rpartition(": ")[2]
    return ValueSetEntry(
        id=found.id, title=title, url=found.url, page=page_of("value-sets", found.id), codes=len(found.concepts), unverified=unverified
    )


def value_set_entries(knowledge: Knowledge, names: Iterable[str]) -> tuple[ValueSetEntry, ...]:
    """The value sets of these names, each once."""
    return tuple(value_set_entry(knowledge.value_sets[name]) for name in dict.fromkeys(names))


def concepts(found: ValueSet) -> Iterator[ConceptEntry]:
    """The codes of a value set."""
    for concept in found.concepts:
        yield _concept(concept.code, concept.display, concept.verification)


def order_code(knowledge: Knowledge, found: DraftCode) -> ConceptEntry:
    """A code of a draft order, verified as the value set says that holds it."""
    code = Code(found.system, found.code)
    held = (c.verification for v in knowledge.value_sets.values() for c in v.concepts if c.code == code)
    return _concept(code, found.display, next(held, "in no value set"))


def _concept(code: Code, display: str, verification: str) -> ConceptEntry:
    name = str(code).removesuffix(code.value).strip() or code.system
    return ConceptEntry(system=code.system, system_name=name, code=code.value, display=display, verification=verification)
