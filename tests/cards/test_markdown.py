"""Whatever comes from a chart is inert on a card."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.markdown import escape, link, quantity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert\\(1\\)&lt;/script&gt;"),
        ("<img src=x onerror=y>", "&lt;img src\\=x onerror\\=y&gt;"),
        ("[click](javascript:alert(1))", "\\[click\\]\\(javascript\\:alert\\(1\\)\\)"),
        ("![x](http://evil)", "\\!\\[x\\]\\(http\\://evil\\)"),
        ("http://evil.example", "http\\://evil\\.example"),
        ("**bold** _it_ `code`", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\`"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("> quote", "&gt; quote"),
        ("a | b", "a \\| b"),
        ("~~x~~", "\\~\\~x\\~\\~"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ('say "x"', "say &quot;x&quot;"),
        ("one\ntwo\r\n\tthree", "one two three"),
        ("a\x00b\x1bc", "abc"),
        ("a\u202eb\u200bc", "abc"),
        ("caf\u00e9 \u00b5", "caf\u00e9 \u00b5"),
        ("a\\b", "a\\\\b"),
        ("", ""),
    ],
)
def test_neutralises_markup(text, expected):
    """Markdown, HTML, links, line breaks and control characters become plain words."""
    found = escape(text)

    assert expected == found


@given(st.text(max_size=400))
def test_leaves_no_live_sign_in_any_text(text):
    """No text escapes: every sign of markdown is behind a backslash, every sign of HTML is an entity, and it is one line."""
    found = escape(text)

    bare = re.sub(r"\\.", "", found)
    assert [] == re.findall(r"[`*_{}\[\]()#+\-!|~<>\"\n\r]", bare)
    assert [] == re.findall(r"&(?!amp;|lt;|gt;|quot;)", bare)


@given(st.text(max_size=3000), st.integers(2, 200))
def test_keeps_a_text_short(text, longest):
    """What is too long is cut, with an ellipsis that says so."""
    found = escape(text, longest)

    words = re.sub(r"\\(.)", r"\1", found)
    words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert len(words) <= longest


def test_cuts_a_long_text_with_an_ellipsis():
    """A cut text ends with an ellipsis, a whole one does not."""
    found = (escape("a" * 10, 5), escape("a" * 5, 5))

    assert ("aaaa\u2026", "aaaaa") == found


@pytest.mark.parametrize(("text", "expected"), [("150 10*9/L", "150 10\\*9/L"), ("150 10*9/L{WBC}", "150 10\\*9/L"), ("108 fL", "108 fL")])
def test_writes_a_unit_without_markup(text, expected):
    """The asterisk of a power is no emphasis and an annotation is left out."""
    found = quantity(text)

    assert expected == found


def test_links_only_where_there_is_a_page():
    """A source with an address is a link, one without is its name."""
    assert ("[Beck 2020](https://x)", "Beck 2020") == (link("Beck 2020", "https://x"), link("Beck 2020", None))
