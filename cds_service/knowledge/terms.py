"""Free text to value sets: the phrases that name a concept, and the words that keep a text from counting."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cds_service.knowledge.model import Guards

_LONGEST_TEXT = 2000  # a problem's name is short; the rest of a longer text is not read


class Reading(NamedTuple):
    """What a short text says: the phrases in it, the value sets it names, and the words that keep it from counting."""

    matches: tuple[Match, ...]
    value_sets: frozenset[str]
    problems: frozenset[str]  # the value sets that it may stand for as a problem's name
    excluded: bool  # another person had it, or nobody has
    doubtful: bool
    not_systemic: bool


class Match(NamedTuple):
    """A phrase found in a text and the value sets it stands for."""

    value_set: str
    phrase: str


def plain(text: str) -> str:
    """Lower case, single spaces, straight apostrophes; at most the first 2,000 characters."""
    text = unicodedata.normalize("NFKC", text[:_LONGEST_TEXT])
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").replace("\u02bc", "'") if not text.isascii() else text
    return " ".join(text.lower().replace("\u2019", "'").split())


@lru_cache(maxsize=256)
def phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """A pattern for phrases on word boundaries, longest first; a trailing * matches the rest of the word.

    What follows a hyphen is no word of its own: "costo-chondritis" is not chondritis.
    """
    ordered = sorted(set(phrases), key=lambda p: (-len(p), p))
    if not ordered:
        return None
    parts = [re.escape(p.rstrip("*")) + (r"\w*" if p.endswith("*") else "") for p in ordered]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?!\w)")


def anywhere(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """A pattern for phrases on word boundaries; a phrase of punctuation (such as ?) matches where it stands."""
    words = phrase_pattern(tuple(p for p in phrases if p[:1].isalnum()))
    marks = [re.escape(p) for p in phrases if not p[:1].isalnum()]
    parts = [*([words.pattern] if words else []), *marks]
    return re.compile("|".join(parts)) if parts else None


class TermMatcher:
    """Finds the value sets that a text names, skipping phrases that the text negates; without guards it skips none."""

    def __init__(self, terms: Mapping[str, tuple[str, ...]], guards: Guards | None) -> None:
        self._sets: dict[str, list[str]] = {}
        for value_set, phrases in terms.items():
            for phrase in phrases:
                self._sets.setdefault(phrase, []).append(value_set)
        self._stems = sorted((p.rstrip("*") for p in self._sets if p.endswith("*")), key=len, reverse=True)
        self._pattern = phrase_pattern(tuple(self._sets))
        negations = phrase_pattern(guards.negations) if guards else None
        self._negated = re.compile(rf"{negations.pattern}(?:\s+[\w'/-]+){{0,4}}\s*$") if negations else None
        after = phrase_pattern(guards.after) if guards else None
        self._denied_after = re.compile(rf"\W{{0,3}}(?:(?:is|was|are|were) )?{after.pattern}") if after else None

    def matches(self, text: str) -> tuple[Match, ...]:
        """The phrases in a text that are not negated, each with its value sets; a long text is cut."""
        return self._matches(text[:_LONGEST_TEXT])

    def _matches(self, text: str) -> tuple[Match, ...]:
        if not text or self._pattern is None:
            return ()
        words = plain(text)
        found: list[Match] = []
        for hit in self._pattern.finditer(words):
            before = re.split(r"[.;,:]", words[max(0, hit.start() - 80) : hit.start()])[-1]
            if self._negated and self._negated.search(before):
                continue
            if self._denied_after and self._denied_after.match(words, hit.end()):
                continue
            phrase = hit.group()
            if phrase not in self._sets:
                phrase = next(stem + "*" for stem in self._stems if hit.group().startswith(stem))
            found.extend(Match(value_set, phrase.rstrip("*")) for value_set in self._sets[phrase])
        return tuple(found)
