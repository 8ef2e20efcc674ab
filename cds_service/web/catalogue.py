"""A knowledge module as governance reads it: its standing, and an entry for everything that decides or is said. No patient is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Clause, Expression, Flag, Lab, Rule, TierCriterion
from cds_service.knowledge.references import leaves, names_in, value_sets_of
from cds_service.knowledge.standing import answers, notices, readers
from cds_service.knowledge.wording import Wording, criterion_in_words, expression_in_words, rule_in_words, tier_in_words
from cds_service.web.advice import advice_entry, order_entry, rates
from cds_service.web.article import article_points, card_entries
from cds_service.web.entries import (
    CONFIDENCE,
    AboutModule,
    Attribute,
    Entry,
    Input,
    Reference,
    Saying,
    Standing,
    ValueSetEntry,
)
from cds_service.web.gene import GENE, gene_page
from cds_service.web.pieces import concepts, page_of, reference, saying, sources, value_set_entries, value_set_entry
from cds_service.web.proofs import Proofs
from cds_service.web.thresholds import thresholds_of

# Only flags, terms and rules are named by expressions; ids of the others may be the same as one of theirs.
_NEVER_NAMED = ("criteria", "recommendations", "orders")


class Detail(NamedTuple):
    """One entry with its codes and cases; its definition, and when it says what, as trees whose names are linked."""

    entry: Entry
    wording: Wording
    whens: Mapping[str, Wording]


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
        systems = (c.system for group in (entry.codes, *(s.concepts for s in sets)) for c in group)
        full = msgspec.structs.replace(entry, value_sets=sets, licences=notices(self.knowledge, systems), proofs=self.proofs.of(entry))
        named = (expression_in_words(e, self.knowledge) for e in self._conditions(kind, name))
        return Detail(full, self._worded[kind, name], {str(wording): wording for wording in named})

    def value_set(self, name: str) -> ValueSetEntry:
        """A value set with its codes and where it is used."""
        found = self.knowledge.value_sets[name]
        used = [reference(e) for group in self.entries.values() for e in group.values() if any(s.id == name for s in e.value_sets)]
        if any(s.id == name for s in self.about.genetics.value_sets):
            used.append(Reference(id="genetics", label=f"Results of {self.knowledge.genetics.gene}", page=GENE))
        excluded = tuple(str(code) for code in found.excluded)
        licences = notices(self.knowledge, (c.code.system for c in found.concepts))
        entry = value_set_entry(found)
        return msgspec.structs.replace(entry, concepts=tuple(concepts(found)), excluded=excluded, licences=licences, used_in=tuple(used))

    @cached_property
    def proofs(self) -> Proofs:
        """The cases by the entry that they prove."""
        return Proofs(self.knowledge)

    @cached_property
    def pages(self) -> Mapping[str, str]:
        """The page of each flag, term and rule that expressions name."""
        knowledge = self.knowledge
        homes = {**self._flags, "terms": knowledge.terms, "rules": knowledge.rules}
        return {name: page_of(kind, name) for kind, home in homes.items() for name in home}

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, Entry]]:
        """Every entry by kind and id, with the entries that use it."""
        plain = {kind: {entry.id: entry for entry in made} for kind, made in self._made().items()}
        users: dict[str, list[Reference]] = {}
        for user, names in self._uses(plain):
            for name in dict.fromkeys(names):
                users.setdefault(name, []).append(reference(user))
        return {
            kind: {
                name: msgspec.structs.replace(
                    entry, cases=len(self.proofs.of(entry)), used_in=() if kind in _NEVER_NAMED else tuple(users.get(name, ()))
                )
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
            orders=groups["orders"],
            cards=tuple(card_entries(knowledge)),
            response_rates=tuple(rates(knowledge)),
            genetics=gene_page(knowledge),
            article=tuple(article_points(knowledge, self.entries)),
            value_sets=value_set_entries(knowledge, knowledge.value_sets),
            citations=sources(knowledge, knowledge.citations),
            decisions=about.decisions,
            open_questions=about.open_questions,
            licences=about.licences,
        )

    # --- entries ---

    @cached_property
    def _flags(self) -> Mapping[str, Mapping[str, Flag]]:
        knowledge = self.knowledge
        return {"red-flags": knowledge.red_flags, "alternatives": knowledge.alternatives, "facts": knowledge.facts}

    def _made(self) -> Mapping[str, list[Entry]]:
        knowledge = self.knowledge
        return {
            "criteria": [self._criterion(tier.topic, c) for tier in knowledge.assessment.tiers for c in tier.any],
            "rules": [self._rule(rule) for rule in knowledge.rules.values()],
            **{kind: [self._flag(kind, flag) for flag in group.values()] for kind, group in self._flags.items()},
            "terms": [
                Entry(id=t.id, kind="terms", label=t.label, page=page_of("terms", t.id), definition=self._words("terms", t.id), text=t.definition)
                for t in knowledge.terms.values()
            ],
            "recommendations": [advice_entry(item, knowledge, self.pages) for item in knowledge.recommendations.values()],
            "orders": [order_entry(order, knowledge, self.pages) for order in knowledge.orders.values()],
        }

    @cached_property
    def _worded(self) -> Mapping[tuple[str, str], Wording]:
        knowledge = self.knowledge
        found = {(kind, f.id): criterion_in_words(f.when, knowledge) for kind, group in self._flags.items() for f in group.values()}
        found |= {("terms", t.id): expression_in_words(t.when, knowledge) for t in knowledge.terms.values()}
        found |= {("rules", r.id): rule_in_words(r, knowledge) for r in knowledge.rules.values()}
        found |= {("criteria", c.id): tier_in_words(c, knowledge) for tier in knowledge.assessment.tiers for c in tier.any}
        found |= {("recommendations", r.id): expression_in_words(r.when, knowledge) for r in knowledge.recommendations.values()}
        return found | {("orders", o.id): expression_in_words(o.when, knowledge) for o in knowledge.orders.values()}

    def _words(self, kind: str, name: str) -> str:
        return str(self._worded[kind, name])

    def _flag(self, kind: str, flag: Flag) -> Entry:
        knowledge = self.knowledge
        tests = [knowledge.measurements[c.value_set] for c in leaves(flag.when) if isinstance(c, Lab)]
        return Entry(
            id=flag.id,
            kind=kind,
            label=flag.label,
            page=page_of(kind, flag.id),
            definition=self._words(kind, flag.id),
            organ=f"{flag.organ.system}, {flag.organ.strength}" if flag.organ else None,
            weight=flag.weight if kind == "red-flags" else None,
            evidence=flag.evidence,
            note=flag.note,
            confidence=flag.confidence,
            thresholds=tuple(dict.fromkeys(t for c in leaves(flag.when) for t in thresholds_of(c, knowledge))),
            not_counted=tuple(dict.fromkeys(f"{test.label} {u.because}" for test in tests for u in test.unusable)),
            citations=sources(self.knowledge, flag.citations),
            remarks=tuple(self._remarks(flag)),
            value_sets=value_set_entries(knowledge, (s for c in leaves(flag.when) for s in value_sets_of(c))),
        )

    def _rule(self, rule: Rule) -> Entry:
        return Entry(
            id=rule.id,
            kind="rules",
            label=rule.label,
            page=page_of("rules", rule.id),
            definition=self._words("rules", rule.id),
            published=rule.published,
            performance=rule.performance,
            population=rule.population,
            caution=rule.caution,
            confidence=rule.confidence,
            citations=sources(self.knowledge, rule.citations),
        )

    def _criterion(self, topic: str, criterion: TierCriterion) -> Entry:
        rule = self.knowledge.rules.get(criterion.rule or "")
        return Entry(
            id=criterion.id,
            kind="criteria",
            label=criterion.label,
            page=page_of("criteria", criterion.id),
            definition=self._words("criteria", criterion.id),
            topic=topic,
            published=rule.published if rule else False,
            performance=rule.performance if rule else "expert framing, no published performance",
            population=rule.population if rule else None,
            caution=rule.caution if rule else None,
            confidence=rule.confidence if rule else None,
            citations=sources(self.knowledge, rule.citations) if rule else (),
        )

    def _remarks(self, flag: Flag) -> Iterator[Saying]:
        """What a card adds to a finding, and when."""
        if flag.provisional:
            yield saying(self.knowledge, Clause(not_found=flag.provisional.unless), flag.provisional.text)
        yield from (saying(self.knowledge, q.when, q.text) for q in flag.qualified)

    # --- what belongs to an entry ---

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
        expressions |= {
            ("recommendations", r.id): (r.when, *self._conditions("recommendations", r.id), *(n for n in r.shows if n in self.pages))
            for r in knowledge.recommendations.values()
        }
        expressions |= {("orders", o.id): (o.when, *o.reason) for o in knowledge.orders.values()}
        expressions |= {(kind, name): tuple(self._conditions(kind, name)) for kind, group in self._flags.items() for name in group}
        for (kind, name), held in expressions.items():
            yield plain[kind][name], [n for e in held for n in names_in(e)]

    def _conditions(self, kind: str, name: str) -> Iterator[Expression]:
        """When an entry says what it says: the remarks of a flag; the wordings, parts and cautions of advice."""
        flag = self._flags.get(kind, {}).get(name)
        if flag:
            yield from (Clause(not_found=flag.provisional.unless),) if flag.provisional else ()
            yield from (q.when for q in flag.qualified)
        if kind == "recommendations":
            item = self.knowledge.recommendations[name]
            yield from (v.when for v in item.variations)
            yield from (p.when for p in item.parts)
            yield from (c.when for c in item.cautions)
