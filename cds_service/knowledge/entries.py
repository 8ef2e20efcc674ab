"""What the words of an allergy entry or of a document's name stand for; both are read by rules of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from cds_service.knowledge.model import Guards
from cds_service.knowledge.terms import TermMatcher, phrase_pattern, plain

_REMEMBERED = 200  # characters; a longer text, which may tell of a person, is not remembered
_READ = 2000  # characters, all that `plain` keeps
_PIECE = re.compile(r"[.;,:]+(?:\s|$)|[;()\[\]]|\s[-/\u2013\u2014]\s")
_NONE: frozenset[str] = frozenset()


class AllergyEntry(NamedTuple):
    """What an allergy entry says: the value sets it names, and whether it is too long to be read to its end."""

    value_sets: frozenset[str]
    cut: bool


class AllergyTexts:
    """Reads allergy entries: a drug in one counts unless its whole piece denies an allergy, for a doubt is a caution as well."""

    def __init__(self, matcher: TermMatcher, denials: tuple[str, ...]) -> None:
        self._matcher = matcher
        self._denial = re.compile("|".join(f"(?:{p})" for p in denials)) if denials else None
        self._remembered = lru_cache(maxsize=1024)(self._read)

    def read(self, text: str) -> AllergyEntry:
        """The value sets that an entry's words name."""
        return self._remembered(text) if len(text) <= _REMEMBERED else self._read(text)

    def _read(self, text: str) -> AllergyEntry:
        pieces = [piece for piece in map(str.strip, _PIECE.split(plain(text))) if piece]
        told = [piece for piece in pieces if not (self._denial and self._denial.fullmatch(piece))]
        named = frozenset(match.value_set for piece in told for match in self._matcher.matches(piece))
        return AllergyEntry(named, cut=len(text) > _READ)


class DocumentTexts:
    """Reads the names of documents: which of the wanted reports they hold, whatever these say ("negative" is a result as well)."""

    def __init__(self, matcher: TermMatcher, phrases: Mapping[str, tuple[str, ...]], guards: Guards, wanted: AbstractSet[str]) -> None:
        self._matcher = matcher
        self._wanted = frozenset(wanted)
        # Most documents hold none of these reports, which a few phrases tell sooner than all of them.
        self._any = phrase_pattern(tuple(p for s in sorted(wanted) for p in phrases.get(s, ())))
        self._other = phrase_pattern(guards.no_report)
        self._remembered = lru_cache(maxsize=1024)(self._read)

    def reports_in(self, text: str) -> frozenset[str]:
        """The value sets of the reports that a document's name says it holds; one that only speaks of a report holds none."""
        return self._remembered(text) if len(text) <= _REMEMBERED else self._read(text)

    def _read(self, text: str) -> frozenset[str]:
        words = plain(text)
        if self._any is None or not self._any.search(words) or (self._other and self._other.search(words)):
            return _NONE
        return self._wanted & {match.value_set for match in self._matcher.matches(text)}
