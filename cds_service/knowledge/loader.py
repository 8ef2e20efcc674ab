"""Reads a knowledge module from its folder, checks that everything in it resolves, and compiles it for use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from cds_service.errors import KnowledgeError
from cds_service.knowledge import valueset, yaml12
from cds_service.knowledge.entries import AllergyTexts, DocumentTexts
from cds_service.knowledge.model import (
    About,
    AssessmentRules,
    CardText,
    Case,
    Citation,
    DraftOrder,
    Flag,
    Genetics,
    Guards,
    Measurement,
    Module,
    Point,
    Quantity,
    Recommendation,
    Requirement,
    ResponseRate,
    Rule,
    Term,
    Timeline,
)
from cds_service.knowledge.references import check_references, leaves, value_sets_of
from cds_service.knowledge.standing import check_standing
from cds_service.knowledge.terms import Reading, TermMatcher, anywhere, phrase_pattern, plain
from cds_service.knowledge.units import UnitTable
from cds_service.knowledge.valueset import ValueSet
from cds_service.record.codes import Code, broader

T = TypeVar("T")
_WHERE = re.compile(r" - at `\$(.*)`$")
_REMEMBERED = 200  # characters
_REMEMBERED_CODES = 4
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[\.\.\.\]")


class Knowledge:
    """A sound knowledge module, indexed by what the reasoning asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = _Files(folder)
        self.module = files.one("module.yaml", Module)
        self.about = files.one("about.yaml", About)
        self.citations = files.named("citations.yaml", Citation)
        self.quantities = files.named("units.yaml", Quantity)
        self.measurements = {m.value_set: m for m in files.many("measurements.yaml", Measurement)}
        self.red_flags = files.named("red_flags.yaml", Flag)
        self.alternatives = files.named("alternatives.yaml", Flag)
        self.facts = files.named("facts.yaml", Flag)
        self.rules = files.named("rules.yaml", Rule)
        self.assessment = files.one("assessment.yaml", AssessmentRules)
        self.genetics = files.one("genetics.yaml", Genetics)
        self.recommendations = files.named("recommendations.yaml", Recommendation)
        self.response_rates = files.named("response_rates.yaml", ResponseRate)
        self.orders = files.named("orders.yaml", DraftOrder)
        self.cards: dict[str, CardText] = {c.topic: c for c in files.many("cards.yaml", CardText)}
        self.requirements = {r.key: r for r in files.many("requirements.yaml", Requirement)}
        self.guards = files.one("guards.yaml", Guards)
        self.article = files.named("article.yaml", Point) if (folder / "article.yaml").exists() else {}
        self.timeline = files.one("timeline.yaml", Timeline) if (folder / "timeline.yaml").exists() else None
        self.phrases = files.one("terms.yaml", Terms).terms
        self.value_sets = {path.stem: valueset.read(path) for path in sorted((folder / "valuesets").glob("*.json"))}
        self.flags: Mapping[str, Flag] = {**self.red_flags, **self.alternatives, **self.facts}
        self.terms: Mapping[str, Term] = {t.id: t for t in self.assessment.terms}
        self.files = files
        check_references(self)
        check_standing(self)
        self.units = UnitTable(self.quantities)
        self.matcher = TermMatcher(self.phrases, self.guards)
        self.never, self.maybe = anywhere(self.guards.never), anywhere(self.guards.provisional)
        self.not_systemic = phrase_pattern(self.guards.not_systemic)
        named = TermMatcher(self.phrases, None)
        self.allergy_texts = AllergyTexts(named, self.guards.no_allergy)
        self.document_texts = DocumentTexts(named, self.phrases, self.guards, {*self.guards.in_documents, self.genetics.test_codes})
        self.concepts = _concepts(self.value_sets)
        self._displays = _displays(v for v in self.value_sets.values() if v.id in self.phrases)
        self.source_of_set = {s: r.domain for r in self.requirements.values() for s in r.codes_of}
        self.domains_of_documents = frozenset(r.domain for r in self.requirements.values() if r.resource == "DocumentReference")
        self.organ_sets = {s: f.organ.strength for f in self.red_flags.values() if f.organ for c in leaves(f.when) for s in value_sets_of(c)}
        self._sets_of_all = lru_cache(maxsize=4096)(self._union)
        self._remembered = lru_cache(maxsize=4096)(self._reading)
        self._ingredients = lru_cache(maxsize=4096)(self._ingredient)
        self._whole = {s: re.compile("|".join(f"(?:{p})" for p in patterns)) for s, patterns in self.guards.whole_text.items()}
        self.digest = files.digest()

    def sets_of(self, code: Code) -> frozenset[str]:
        """The value sets that hold a code or, in ICD-10, a category above it."""
        found = self.concepts.get(code)
        if found is not None:
            return found
        for wider in broader(code)[1:]:
            found = self.concepts.get(wider)
            if found is not None:
                return found
        return frozenset()

    def sets_of_all(self, codes: tuple[Code, ...]) -> frozenset[str]:
        """The value sets that hold any of some codes; only short lists, as nearly all are, are remembered."""
        return self._sets_of_all(codes) if len(codes) <= _REMEMBERED_CODES else self._union(codes)

    def _union(self, codes: tuple[Code, ...]) -> frozenset[str]:
        return frozenset().union(*map(self.sets_of, codes))

    def reading(self, text: str) -> Reading:
        """What a text says; a long one, which may tell of a person, is not remembered."""
        return self._remembered(text) if len(text) <= _REMEMBERED else self._reading(text)

    def _reading(self, text: str) -> Reading:
        words = plain(text)
        matches = self.matcher.matches(text)
        named = frozenset(m.value_set for m in matches)
        # Some value sets are named only by a text that says nothing else.
        problems = frozenset(s for s in named if s not in self._whole or self._whole[s].fullmatch(words))
        return Reading(
            matches,
            named,
            problems,
            excluded=bool(self.never and self.never.search(words)),
            doubtful=bool(self.maybe and self.maybe.search(words)),
            not_systemic=bool(self.not_systemic and self.not_systemic.search(words)),
        )

    def cases(self) -> list[tuple[str, Case]]:
        """Every case with the place where it stands (file:line)."""
        found: list[tuple[str, Case]] = []
        for path in sorted(self.folder.glob("cases*.yaml")):
            document = self.files.document(path.name)
            cases = _convert(document, tuple[Case, ...])
            found.extend((f"{path.name}:{document.lines.get((i,), 1)}", case) for i, case in enumerate(cases))
        return found

    def ingredient(self, code: Code) -> str:
        """The ingredient that the display of a drug's code names; empty for a code of no drug."""
        return self._ingredients(code) if code in self._displays else ""

    def _ingredient(self, code: Code) -> str:
        value_set, display = self._displays[code]
        return next((m.phrase for m in self.matcher.matches(display) if m.value_set == value_set), display.lower())


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The phrases by which charts name the concepts of each value set."""

    terms: dict[str, tuple[str, ...]]


class _Files:
    """The YAML files of one module, read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._documents: dict[str, yaml12.Document] = {}

    def document(self, name: str) -> yaml12.Document:
        if name not in self._documents:
            self._documents[name] = yaml12.read(self.folder / name)
            _refuse_bare_codes(self._documents[name])
        return self._documents[name]

    def one(self, name: str, kind: type[T]) -> T:
        return _convert(self.document(name), kind)

    def many(self, name: str, kind: type[T]) -> tuple[T, ...]:
        return cast("tuple[T, ...]", _convert(self.document(name), tuple[kind, ...]))  # type: ignore[valid-type]

    def named(self, name: str, kind: type[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for index, item in enumerate(self.many(name, kind)):
            key = cast(Any, item).id
            if key in found:
                raise self.document(name).fault((index,), f"the id '{key}' stands twice. Rename or remove one.")
            found[key] = item
        return found

    def digest(self) -> str:
        """SHA-256 over every file of the module but its cases."""
        total = hashlib.sha256()
        for path in sorted(p for p in self.folder.rglob("*") if p.suffix in {".yaml", ".json"} and not p.name.startswith("cases")):
            total.update(str(path.relative_to(self.folder)).encode() + b"\0" + path.read_bytes() + b"\0")
        return total.hexdigest()


def _convert(document: yaml12.Document, kind: type[T]) -> T:
    try:
        return msgspec.convert(document.value, kind, strict=True)
    except msgspec.ValidationError as error:
        text = str(error)
        where = _WHERE.search(text)
        place = _place(where.group(1)) if where else ()
        message = _WHERE.sub("", text)
        raise document.fault(place, f"{message}{_at(place)}. Correct the value or the spelling of the key.") from None


def _place(path: str) -> yaml12.Place:
    return tuple(m.group(1) or int(m.group(2)) for m in _STEP.finditer(path) if m.group(1) or m.group(2))


def _at(place: yaml12.Place) -> str:
    return f" (at {'.'.join(map(str, place))})" if place else ""


def _refuse_bare_codes(document: yaml12.Document) -> None:
    """A code without quotes may be read as a number: 104268-8 is safe, 0123 and 1.0 are not."""
    for place in document.bare:
        if len(place) > 1 and place[-1] == "code" and place[-2] != "record" and not str(_at_place(document.value, place))[:1].isalpha():
            raise document.fault(place, "a code has no quotes. Write it in double quotes.")


def _at_place(value: Any, place: yaml12.Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _displays(value_sets: Iterable[ValueSet]) -> dict[Code, tuple[str, str]]:
    """For each code the first value set that holds it, and its display there."""
    found: dict[Code, tuple[str, str]] = {}
    for value_set in value_sets:
        for concept in value_set.concepts:
            found.setdefault(concept.code, (value_set.id, concept.display))
    return found


def _concepts(value_sets: Mapping[str, ValueSet]) -> dict[Code, frozenset[str]]:
    """For each code its value sets; a narrower ICD-10 code also belongs to those of the categories above it."""
    found: dict[Code, set[str]] = {}
    for value_set in value_sets.values():
        for concept in value_set.concepts:
            found.setdefault(concept.code, set()).add(value_set.id)
    excluded = {one: {v.id for v in value_sets.values() if one in v.excluded} for v in value_sets.values() for one in v.excluded}
    wide = {code: frozenset(sets) for code, sets in found.items()}
    none: frozenset[str] = frozenset()

    def sets(code: Code) -> frozenset[str]:
        """Those of the code and of the categories above it, but for those that leave one of them out without naming the code."""
        every = broader(code)
        left_out = none.union(*(excluded.get(c, none) for c in every)) - wide.get(code, none)
        return none.union(*(wide.get(c, none) for c in every)) - left_out

    return {code: sets(code) for code in {*wide, *excluded}}


def shipped(root: Path | None = None) -> Iterator[Path]:
    """The folders under the knowledge package that hold a module."""
    for path in sorted((root or Path(__file__).parent).glob("*/module.yaml")):
        yield path.parent


def load(folder: Path | None = None) -> Knowledge:
    """Load one module, by default the only one that is shipped. Raises KnowledgeError."""
    if folder is None:
        folders = list(shipped())
        if len(folders) != 1:
            raise KnowledgeError(f"{len(folders)} knowledge modules are shipped. Set CDS_KNOWLEDGE to the folder of one of them.")
        folder = folders[0]
    return Knowledge(folder)
