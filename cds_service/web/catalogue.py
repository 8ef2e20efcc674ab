"""A knowledge module as governance reads it: its standing, and an entry for everything that decides or is said. No patient is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Age, Case, Criterion, Expression, Flag, Lab, Limit, Recommendation, Rule, TierCriterion
from cds_service.knowledge.references import leaves, names_in, value_sets_of
from cds_service.knowledge.standing import answers, notices, readers
from cds_service.knowledge.valueset import ValueSet
from cds_service.knowledge.wording import (
    Wording,
    beyond_in_words,
    criterion_in_words,
    expression_in_words,
    limit_in_words,
    rule_in_words,
    tier_in_words,
    title_of,
)
from cds_service.web.entries import (
    CONFIDENCE,
    AboutModule,
    Attribute,
    ConceptEntry,
    Entry,
    FormerThreshold,
    Input,
    Objection,
    Proof,
    Reference,
    Source,
    Standing,
    Threshold,
    ValueSetEntry,
    VariantEntry,
)


class Detail(NamedTuple):
    """One entry with its codes and cases, and its definition as a tree whose names are linked."""

    entry: Entry
    wording: Wording


class Catalogue:
    """The entries of a module, worked out when a page is first asked for."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def detail(self, kind: str, name: str) -> Detail | None:
        """One entry in full; None if there is none."""
        entry = self.entries.get(kind, {}).get(name)
        if entry is None:
            return None
        sets = tuple(self.value_set(s.id) for s in entry.value_sets)
        found = tuple(self._proofs(entry))
        return Detail(msgspec.structs.replace(entry, value_sets=sets, proofs=found), self._worded[kind, name])

    def value_set(self, name: str) -> ValueSetEntry:
        """A value set with its codes and where it is used."""
        found = self.knowledge.value_sets[name]
        used = tuple(_reference(e) for group in self.entries.values() for e in group.values() if any(s.id == name for s in e.value_sets))
        excluded = tuple(str(code) for code in found.excluded)
        licences = notices(self.knowledge, (c.code.system for c in found.concepts))
        return msgspec.structs.replace(_value_set(found), concepts=tuple(_concepts(found)), excluded=excluded, licences=licences, used_in=used)

    @cached_property
    def pages(self) -> Mapping[str, str]:
        """The page of each flag, term and rule that expressions name."""
        return {name: entry.page for kind in ("red-flags", "alternatives", "facts", "terms", "rules") for name, entry in self.entries[kind].items()}

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, Entry]]:
        """Every entry by kind and id, with the entries that use it."""
        plain = {kind: {entry.id: entry for entry in made} for kind, made in self._made().items()}
        users: dict[str, list[Reference]] = {}
        for user, names in self._uses(plain):
            for name in dict.fromkeys(names):
                users.setdefault(name, []).append(_reference(user))
        return {
            kind: {
                name: msgspec.structs.replace(entry, used_in=tuple(users.get(name, ()) if kind not in ("criteria", "recommendations") else ()))
                for name, entry in made.items()
            }
            for kind, made in plain.items()
        }

    @cached_property
    def about(self) -> AboutModule:
        """Everything that /about shows."""
        knowledge, about, module = self.knowledge, self.knowledge.about, self.knowledge.module
        groups = {kind: tuple(made.values()) for kind, made in self.entries.items()}
        standing = {name: getattr(module, name) for name in Standing.__struct_fields__ if name != "digest"}
        return AboutModule(
            module=Standing(digest=knowledge.digest, **standing),
            intended_use=about.intended_use,
            intended_users=about.intended_users,
            intended_population=about.intended_population,
            out_of_scope=about.not_for,
            inputs=tuple(Input(key=r.key, resource=r.resource, value_sets=r.codes_of) for r in knowledge.requirements.values()),
            when_missing=about.when_missing,
            logic=about.logic,
            limits=about.limits,
            automation_bias=about.automation_bias,
            source_attributes=tuple(self._attributes()),
            confidence=CONFIDENCE,
            criteria=groups["criteria"],
            rules=groups["rules"],
            red_flags=groups["red-flags"],
            alternatives=groups["alternatives"],
            facts=groups["facts"],
            terms=groups["terms"],
            recommendations=groups["recommendations"],
            gene=knowledge.genetics.gene,
            variants=tuple(_variants(knowledge)),
            value_sets=tuple(_value_set(v) for v in knowledge.value_sets.values()),
            citations=self._sources(knowledge.citations),
            decisions=about.decisions,
            open_questions=about.open_questions,
            licences=about.licences,
        )

    # --- entries ---

    def _made(self) -> Mapping[str, list[Entry]]:
        knowledge = self.knowledge
        flags = {"red-flags": knowledge.red_flags, "alternatives": knowledge.alternatives, "facts": knowledge.facts}
        return {
            "criteria": [self._criterion(tier.topic, c) for tier in knowledge.assessment.tiers for c in tier.any],
            "rules": [self._rule(rule) for rule in knowledge.rules.values()],
            **{kind: [self._flag(kind, flag) for flag in group.values()] for kind, group in flags.items()},
            "terms": [
                Entry(id=t.id, kind="terms", label=t.label, page=_page("terms", t.id), definition=self._words("terms", t.id), text=t.definition)
                for t in knowledge.terms.values()
            ],
            "recommendations": [self._recommendation(item) for item in knowledge.recommendations.values()],
        }

    @cached_property
    def _worded(self) -> Mapping[tuple[str, str], Wording]:
        knowledge = self.knowledge
        flags = {"red-flags": knowledge.red_flags, "alternatives": knowledge.alternatives, "facts": knowledge.facts}
        found = {(kind, f.id): criterion_in_words(f.when, knowledge) for kind, group in flags.items() for f in group.values()}
        found |= {("terms", t.id): expression_in_words(t.when, knowledge) for t in knowledge.terms.values()}
        found |= {("rules", r.id): rule_in_words(r, knowledge) for r in knowledge.rules.values()}
        found |= {("criteria", c.id): tier_in_words(c, knowledge) for tier in knowledge.assessment.tiers for c in tier.any}
        return found | {("recommendations", r.id): expression_in_words(r.when, knowledge) for r in knowledge.recommendations.values()}

    def _words(self, kind: str, name: str) -> str:
        return str(self._worded[kind, name])

    def _flag(self, kind: str, flag: Flag) -> Entry:
        knowledge = self.knowledge
        tests = [knowledge.measurements[c.value_set] for c in leaves(flag.when) if isinstance(c, Lab)]
        return Entry(
            id=flag.id,
            kind=kind,
            label=flag.label,
            page=_page(kind, flag.id),
            definition=self._words(kind, flag.id),
            organ=f"{flag.organ.system}, {flag.organ.strength}" if flag.organ else None,
            weight=flag.weight if kind == "red-flags" else None,
            evidence=flag.evidence,
            note=flag.note,
            confidence=flag.confidence,
            thresholds=tuple(dict.fromkeys(t for c in leaves(flag.when) for t in _thresholds(c, knowledge))),
            not_counted=tuple(dict.fromkeys(f"{test.label} {u.because}" for test in tests for u in test.unusable)),
            citations=self._sources(flag.citations),
            value_sets=tuple(_value_set(knowledge.value_sets[s]) for s in dict.fromkeys(s for c in leaves(flag.when) for s in value_sets_of(c))),
            cases=len(self._expecting(flag.id)),
        )

    def _rule(self, rule: Rule) -> Entry:
        return Entry(
            id=rule.id,
            kind="rules",
            label=rule.label,
            page=_page("rules", rule.id),
            definition=self._words("rules", rule.id),
            published=rule.published,
            performance=rule.performance,
            population=rule.population,
            caution=rule.caution,
            confidence=rule.confidence,
            citations=self._sources(rule.citations),
            cases=len(self._expecting(rule.id)),
        )

    def _criterion(self, topic: str, criterion: TierCriterion) -> Entry:
        rule = self.knowledge.rules.get(criterion.rule or "")
        return Entry(
            id=criterion.id,
            kind="criteria",
            label=criterion.label,
            page=_page("criteria", criterion.id),
            definition=self._words("criteria", criterion.id),
            topic=topic,
            published=rule.published if rule else False,
            performance=rule.performance if rule else "expert framing, no published performance",
            population=rule.population if rule else None,
            caution=rule.caution if rule else None,
            confidence=rule.confidence if rule else None,
            citations=self._sources(rule.citations) if rule else (),
            cases=sum(case.criterion == criterion.id for case in self._cases),
        )

    def _recommendation(self, item: Recommendation) -> Entry:
        cautions = (Objection(text=c.text, when=str(expression_in_words(c.when, self.knowledge)), warns=c.warns) for c in item.cautions)
        return Entry(
            id=item.id,
            kind="recommendations",
            label=item.short[:1].upper() + item.short[1:],
            page=_page("recommendations", item.id),
            definition=self._words("recommendations", item.id),
            text=item.text,
            topic=item.topic,
            strength=item.strength,
            confidence=item.confidence,
            cautions=tuple(cautions),
            citations=self._sources(item.citations),
            cases=sum(item.id in (*case.recommends, *case.silent) for case in self._cases),
        )

    # --- what belongs to an entry ---

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        return tuple(case for _, case in self.knowledge.cases())

    def _expecting(self, name: str) -> list[Case]:
        return [case for case in self._cases if name in case.expect]

    def _proofs(self, entry: Entry) -> Iterator[Proof]:
        """The cases that expect something of an entry."""
        for case in self._cases:
            if entry.kind == "criteria" and case.criterion == entry.id:
                yield Proof(case=case.name, expected="met")
            elif entry.kind == "recommendations" and entry.id in (*case.recommends, *case.silent):
                yield Proof(case=case.name, expected="recommended" if entry.id in case.recommends else "silent")
            elif entry.kind not in ("criteria", "recommendations") and entry.id in case.expect:
                yield Proof(case=case.name, expected=case.expect[entry.id])

    def _sources(self, names: Iterable[str]) -> tuple[Source, ...]:
        found = (self.knowledge.citations[name] for name in names)
        return tuple(Source(id=c.id, short=c.short, source=c.source, read=c.read, url=c.url) for c in found)

    def _attributes(self) -> Iterator[Attribute]:
        about = self.knowledge.about
        for number, (attribute, answer) in enumerate(zip(about.source_attributes, answers(self.knowledge), strict=True), 1):
            read_by = tuple(Reference(id=f.id, label=f.label, page=self.pages[f.id]) for f in readers(self.knowledge, attribute.id))
            yield Attribute(number=number, id=attribute.id, name=attribute.name, answer=answer, used=attribute.used, read_by=read_by)

    def _uses(self, plain: Mapping[str, Mapping[str, Entry]]) -> Iterator[tuple[Entry, list[str]]]:
        """Each entry with the names that its expressions hold."""
        knowledge = self.knowledge
        expressions: dict[tuple[str, str], tuple[Expression, ...]] = {("terms", t.id): (t.when,) for t in knowledge.terms.values()}
        expressions |= {("rules", r.id): (*r.items, *r.requires) for r in knowledge.rules.values()}
        expressions |= {
            ("criteria", c.id): (c.when, *([c.lowered_by] if c.lowered_by else [])) for tier in knowledge.assessment.tiers for c in tier.any
        }
        expressions |= {("recommendations", r.id): (r.when, *(c.when for c in r.cautions)) for r in knowledge.recommendations.values()}
        for (kind, name), held in expressions.items():
            yield plain[kind][name], [n for e in held for n in names_in(e)]


def _page(kind: str, name: str) -> str:
    return f"/about/{kind}/{name}"


def _reference(entry: Entry) -> Reference:
    return Reference(id=entry.id, label=entry.label, page=entry.page)


def _value_set(found: ValueSet) -> ValueSetEntry:
    unverified = sum(c.verification == "unverified-high" for c in found.concepts)
    title = found.title.rpartition(": ")[2]
    return ValueSetEntry(
        id=found.id, title=title, url=found.url, page=_page("value-sets", found.id), codes=len(found.concepts), unverified=unverified
    )


def _concepts(found: ValueSet) -> Iterator[ConceptEntry]:
    for concept in found.concepts:
        name = str(concept.code).removesuffix(concept.code.value).strip() or concept.code.system
        yield ConceptEntry(
            system=concept.code.system, system_name=name, code=concept.code.value, display=concept.display, verification=concept.verification
        )


def _thresholds(criterion: Criterion, knowledge: Knowledge) -> Iterator[Threshold]:
    if isinstance(criterion, Age):
        yield Threshold(of="Age", limit=criterion_in_words(criterion, knowledge).text.removeprefix("age in completed years "), since=criterion.since)
    if isinstance(criterion, Lab):
        label = title_of(criterion.value_set, knowledge)
        limit = criterion.above or criterion.below or criterion.at_least or criterion.at_most
        yield _threshold(label, beyond_in_words(criterion), limit)
        if criterion.persists and criterion.persists.latest:
            latest = criterion.persists.latest
            yield _threshold(label, f"the latest still {'above' if criterion.above else 'below'} {limit_in_words(latest)}", latest)


def _threshold(label: str, words: str, limit: Limit | None) -> Threshold:
    if limit is None:
        return Threshold(of=label, limit=words)
    former = ((f, Limit(unit=limit.unit, value=f.value, male=f.male, female=f.female)) for f in limit.formerly)
    held = tuple(FormerThreshold(limit=limit_in_words(old), since=f.since, why=f.why) for f, old in former)
    return Threshold(of=label, limit=words, since=limit.since, formerly=held)


def _variants(knowledge: Knowledge) -> Iterator[VariantEntry]:
    for v in knowledge.genetics.variants:
        name = " ".join(filter(None, (v.c, v.p)))
        cited = tuple(knowledge.citations[c].short for c in v.citations)
        confirms = v.tier in ("canonical", "splice")
        yield VariantEntry(name=name, classification=v.classification, confirms=confirms, confidence=v.confidence, citations=cited)
