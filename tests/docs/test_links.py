"""Links lead somewhere, and every page in docs/ can be reached from its index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import pages

LINKS = [(page, target) for page in pages.written() for target in pages.links(page)]
INDEX = pages.DOCS / "README.md"


def goal(page: Path, target: str) -> Path:
    """The file or folder that a link leads to."""
    path = target.partition("#")[0]
    return (page.parent / path).resolve() if path else page


def name(value: object) -> str:
    """A page by its path, a target as it is."""
    return str(value.relative_to(pages.ROOT)) if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("page", "target"), LINKS, ids=name)
def test_leads_somewhere(page, target):
    """A link's file exists in the repository, and so does its anchor."""
    path, anchor = goal(page, target), target.partition("#")[2]

    assert path.is_relative_to(pages.ROOT)
    assert path.exists()
    assert not anchor or anchor in pages.anchors(path)


def test_reaches_every_page():
    """Each page in docs/ is linked from docs/README.md, or from a page that is."""
    reached: set[Path] = set()
    front = {INDEX}
    while front:
        reached |= front
        front = {goal(page, target) for page in front for target in pages.links(page) if target.partition("#")[0].endswith(".md")} - reached

    assert set() == set(pages.DOCS.rglob("*.md")) - reached
