"""The detail of a card as HTML, and JSON as people read it."""

from __future__ import annotations

import json

import pytest

from cds_service.web.simulator.cards import as_html, leads_to_the_web
from cds_service.web.simulator.wire import readable, request, text_of


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("**Found**\n- MCV 108 fL\n- 139 10\\*3/uL", "<p><strong>Found</strong></p>\n<ul>\n<li>MCV 108 fL</li>\n<li>139 10*3/uL</li>\n</ul>\n"),
        ("[Tan 2024](https://doi.org/10.1)", '<p><a href="https://doi.org/10.1">Tan 2024</a></p>\n'),
        ("_Draft._", "<p><em>Draft.</em></p>\n"),
        (None, ""),
    ],
)
def test_shows_markdown(detail, shown):
    """What a card says is shown as it is meant."""
    assert shown == as_html(detail)


@pytest.mark.parametrize(
    "detail",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](x.png)",
        "# x",
        "x\n===",
        "[x](data:text/html,x)",
        "<https://x.org>",
        "```\nx\n```",
    ],
)
def test_lets_nothing_out_of_a_card(detail):
    """No HTML, no picture, no heading, and no address but those of the web."""
    shown = as_html(detail)

    assert [] == [tag for tag in ("<script", "<a ", "<img", "<h1", "<pre") if tag in shown]


@pytest.mark.parametrize(
    ("url", "safe"), [("https://a.org", True), ("http://a.org", True), ("javascript:x", False), ("/about", False), (None, False)]
)
def test_links_to_the_web_alone(url, safe):
    """An address is linked if it is absolute and of the web."""
    assert safe is leads_to_the_web(url)


def test_writes_json_in_lines_that_fit():
    """What is short stays on a line, and nothing of it is lost."""
    value = {"a": {"b": 1, "c": [True, None, "ü"]}, "long": ["x" * 50, "y" * 50], "empty": {}}

    text = readable(value)

    assert value == json.loads(text)
    assert ["{", '  "a": {"b": 1, "c": [true, null, "ü"]},', '  "long": ['] == text.splitlines()[:3]


def test_shows_what_is_no_json_as_it_is():
    """An answer that is no JSON is not hidden."""
    assert "<html>" == text_of(b"<html>")


def test_shows_no_access_token():
    """The token of a call is told nowhere."""
    said = {"hook": "x", "fhirAuthorization": {"access_token": "abc", "token_type": "Bearer"}}

    shown = request(said, {"patient": b"null", "odd": b"7"}, ("patient", "vitals"))

    assert {"access_token": "(not shown)", "token_type": "Bearer"} == json.loads(shown.envelope)["fhirAuthorization"]
    assert ["null", "no FHIR"] == [part.holds for part in shown.parts]
    assert ("vitals",) == shown.left_out


def test_leaves_to_the_file_what_is_too_much():
    """A prefetch key of many kilobytes, or of hundreds of levels, is named with its size and not shown; a small one after them is."""
    long, deep = json.dumps("x" * 70_000), "[" * 300 + "]" * 300
    prefetch = {
        name: f'{{"resourceType": "Bundle", "entry": [{inside}]}}'.encode() for name, inside in {"large": long, "deep": deep, "small": ""}.items()
    }

    large, nested, small = request({}, prefetch, ()).parts

    assert ("1 entry", "", True) == (large.holds, large.text, large.size > 70_000)
    assert ("1 entry", "") == (nested.holds, nested.text)
    assert ("no entries", '{"resourceType": "Bundle", "entry": []}') == (small.holds, small.text)
