"""Cards as an EHR shows them: the detail's Markdown as HTML that can do nothing, and the words of an indicator."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from markupsafe import Markup

INDICATORS = {"info": "Information", "warning": "Warning", "critical": "Critical"}
_SAFE = ("https://", "http://")
# What a card needs none of, or what would reach out of it: headings would stand among the page's, pictures would be fetched.
_NOT = ("html_block", "html_inline", "image", "heading", "lheading", "code", "fence", "reference", "autolink")


@lru_cache(maxsize=1)
def _renderer() -> Callable[[str], str]:
    """CommonMark without HTML; links lead to the web only. Loaded with the first card: calls need it not."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).disable(list(_NOT))
    renderer.validateLink = lambda url: url.startswith(_SAFE)  # type: ignore[method-assign]
    return renderer.render


def as_html(detail: str | None) -> Markup:
    """The detail of a card."""
    return Markup(_renderer()(detail or ""))  # noqa: S704 - the renderer lets no HTML through


def leads_to_the_web(url: str | None) -> bool:
    """Whether an address is one that a page may link to."""
    return bool(url) and str(url).startswith(_SAFE)
