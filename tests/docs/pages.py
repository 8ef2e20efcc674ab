"""The written pages, and the parts of a Markdown page that tests ask for: blocks, tables, code spans, links, headings."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
README, CONTRIBUTING, ARCHITECTURE, GLOSSARY = (ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "ARCHITECTURE", "GLOSSARY"))
DOCS = ROOT / "docs"

_FENCED = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def written() -> list[Path]:
    """Every page: those in the root, the fixtures' and all in docs/."""
    return sorted([README, CONTRIBUTING, ARCHITECTURE, GLOSSARY, *(ROOT / "fixtures").rglob("README.md"), *DOCS.rglob("*.md")])


def text_of(page: Path) -> str:
    """The Markdown of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [textwrap.dedent(text) for _, found, text in _FENCED.findall(text_of(page)) if found == language]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCED.sub("", text_of(page))


def spans(page: Path) -> list[str]:
    """What stands between backticks in the text of a page."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """The targets of a page's links that are no URLs."""
    return [target for target in _LINK.findall(prose(page)) if not re.match(r"\w+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have on GitHub."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(page))}


def section(page: Path, heading: str) -> str:
    """The text under a heading, to the next of the same level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text_of(page), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section '{heading}'"
    return found.group(1)


def rows(text: str) -> list[list[str]]:
    """The cells of a text's tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {number - before for number, line in enumerate(lines) if _RULE.fullmatch(line) for before in (0, 1)}
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for number, line in enumerate(lines) if number not in heads]


def quotes(page: Path) -> list[str]:
    """The quoted passages of a page."""
    found = re.findall(r"(?:^>.*\n)+", text_of(page), re.MULTILINE)
    return [re.sub(r"^> ?", "", quote, flags=re.MULTILINE).strip() for quote in found]
