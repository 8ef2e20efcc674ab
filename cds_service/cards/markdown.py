"""Markdown that is safe in an EHR: whatever comes from a chart is escaped for markdown and HTML, and shortened."""

from __future__ import annotations

import re
import unicodedata

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_PUNCTUATION = frozenset("\\`*_{}[]()#+-.!|~:@$^='")


def escape(text: str, longest: int = 160) -> str:
    """A text from a chart as inert words: no markup, no links, no control characters, at most so long."""
    plain = "".join(c for c in text[: longest * 4] if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") or c in "\n\t")
    words = " ".join(plain.split())
    if len(words) > longest:
        words = words[: longest - 1].rstrip() + "\u2026"
    return "".join(_ENTITIES.get(c) or (f"\\{c}" if c in _PUNCTUATION else c) for c in words)


def quantity(text: str) -> str:
    """A value with a unit that the module knows: annotations are dropped, and the asterisk of 10*9/L is no markup."""
    return re.sub(r"\{[^{}]*\}", "", text).replace("*", "\\*").replace("<", "&lt;")


def link(label: str, url: str | None) -> str:
    """A link to a source of the knowledge module, or its plain name."""
    return f"[{label}]({url})" if url else label
