"""Cards, their sources and their codings."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from tests import build
from tests.fakes import ask

Cards = list[dict[str, Any]]


def codings(cards: Cards) -> Cards:
    """Every coding of every card: topics and override reasons."""
    return [coding for card in cards for coding in (card["source"]["topic"], *card["overrideReasons"])]


@pytest.mark.requirement("cds-hooks_2.0@80", "cds-hooks_2.0@81")
def test_names_each_card_by_a_uuid_of_its_own(cards):
    """No two cards of different calls, and no two of one call, have the same uuid."""
    found = [card["uuid"] for card in cards]

    assert found == [str(uuid.UUID(name)) for name in found]
    assert len(found) == len(set(found)) > 1


@pytest.mark.requirement("cds-hooks_2.0@83")
def test_sums_up_in_fewer_than_140_characters(cards):
    """A summary is a text of 1 to 139 characters in one line."""
    assert {str} == {type(card["summary"]) for card in cards}
    assert [] == [card["summary"] for card in cards if not 1 <= len(card["summary"].strip()) < 140 or "\n" in card["summary"]]


@pytest.mark.requirement("cds-hooks_2.0@84", "cds-hooks_2.0@85")
def test_writes_details_in_markdown(cards):
    """A detail is made of paragraphs, bullets, emphasis and links, in the signs of GitHub Flavored Markdown, and holds no HTML."""
    assert {str} == {type(card["detail"]) for card in cards}
    assert [] == [fault for card in cards for fault in markdown_faults(card["detail"])]
    assert [] == [card["detail"] for card in cards if "\n- " not in card["detail"] and "**" not in card["detail"]]


@pytest.mark.parametrize("text", ["<b>x</b>", "**x", "*x*", "[x](about)", "[x](javascript:1)", "# x", "x | y", "`x`", "~~x~~", "a_b_", "* x", "1. x"])
def test_sees_what_is_not_such_markdown(text):
    """The test above has teeth."""
    assert [] != list(markdown_faults(text))


def markdown_faults(detail: str) -> Iterator[str]:
    """Each paragraph or list in which a sign is left that is not part of a bullet, of emphasis or of a link."""
    for block in detail.split("\n\n"):
        plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", block)
        plain = re.sub(r"\[[^\[\]]+\]\(https?://[^\s()]+\)", "", plain)
        plain = re.sub(r"\*\*[^*\n]+\*\*", "", plain)
        plain = re.sub(r"^_[^_\n]+_$", "", plain)
        plain = re.sub(r"^- ", "", plain, flags=re.MULTILINE)
        if re.search(r"[*_`~|]|<(?! )|\]\(|^\s*(#|>|\d+\.\s)", plain, flags=re.MULTILINE):
            yield block


@pytest.mark.requirement("cds-hooks_2.0@87", "cds-hooks_2.0@88")
def test_gives_each_card_an_indicator(cards):
    """A card is information or a warning, and never a word that is not of the standard."""
    assert {"info", "warning"} == {card["indicator"] for card in cards}


@pytest.mark.requirement("cds-hooks_2.0@90", "cds-hooks_2.0@105", "cds-hooks_2.0@106")
def test_gives_each_card_a_source_with_a_label(cards):
    """The source is an object; its label is words that a client may show as the text of the link."""
    assert {dict} == {type(card["source"]) for card in cards}
    assert {str} == {type(card["source"]["label"]) for card in cards}
    assert [] == [card["source"]["label"] for card in cards if not re.fullmatch(r"\w+( \w+)*", card["source"]["label"])]


@pytest.mark.requirement("cds-hooks_2.0@107", "cds-hooks_2.0@108")
def test_links_each_source_by_an_absolute_url(cards):
    """The URL of a source has a scheme of the web and a host."""
    urls = [urlsplit(card["source"]["url"]) for card in cards]

    assert [True] * len(cards) == [url.scheme in ("http", "https") and bool(url.netloc) for url in urls]
    assert urls


@pytest.mark.requirement("cds-hooks_2.0@109")
def test_links_to_a_page_about_the_service_and_not_about_the_card(client, cards):
    """All cards of all patients have the same URL, without query or fragment, and it can be loaded by GET."""
    [url] = {urlsplit(card["source"]["url"]) for card in cards}

    page = client.get(url.path)

    assert ("", "") == (url.query, url.fragment)
    assert (200, "text/html") == (page.status_code, page.mimetype)


@pytest.mark.requirement("cds-hooks_2.0@115", "cds-hooks_2.0@116")
def test_gives_each_source_a_topic(cards):
    """The topic is a coding, and the topics of different kinds of card differ."""
    topics = [card["source"]["topic"] for card in cards]

    assert {("code", "system", "display")} == {tuple(topic) for topic in topics}
    assert len({topic["code"] for topic in topics}) > 3


@pytest.mark.requirement("cds-hooks_2.0@98", "cds-hooks_2.0@99", "cds-hooks_2.0@100", "cds-hooks_2.0@136", "cds-hooks_2.0@219")
def test_offers_reasons_to_override_in_words(cards):
    """The override reasons are an array of codings, each with a display that people can read."""
    reasons = [reason for card in cards for reason in card["overrideReasons"]]

    assert {list} == {type(card["overrideReasons"]) for card in cards}
    assert {("code", "system", "display")} == {tuple(reason) for reason in reasons}
    assert {str} == {type(reason["display"]) for reason in reasons}
    assert [] == [reason["display"] for reason in reasons if " " not in reason["display"].strip()]


@pytest.mark.requirement("cds-hooks_2.0@216", "cds-hooks_2.0@217", "cds-hooks_2.0@218")
def test_gives_every_coding_a_code_and_a_system(cards):
    """Code and system of a coding are texts without a blank, and the system is a URI."""
    found = codings(cards)

    assert {(str, str)} == {(type(c["code"]), type(c["system"])) for c in found}
    assert [] == [c for c in found if not re.fullmatch(r"\S+", c["code"]) or not re.fullmatch(r"[a-z]+:\S+", c["system"])]


@pytest.mark.requirement("cds-hooks_2.0@220")
def test_gives_every_topic_a_display(cards):
    """The display of a topic is a text."""
    displays = [card["source"]["topic"]["display"] for card in cards]

    assert {str} == {type(display) for display in displays}
    assert [] == [display for display in displays if not display.strip()]


def test_sends_no_icon_and_no_link(cards):
    """What the coverage calls not used, or owed, is not sent."""
    assert set() == {member for card in cards for member in (*card, *card["source"])} & {"icon", "links"}


@pytest.mark.requirement("cds-hooks_2.0@83")
def test_shortens_a_summary_that_would_be_too_long():
    """Findings with long names still make a summary of at most 139 characters."""
    knowledge = load()
    knowledge.red_flags = {name: msgspec.structs.replace(flag, short=f"{name}{'-long' * 30}") for name, flag in knowledge.red_flags.items()}
    service = Service(knowledge, "http://127.0.0.1:8080", lambda: build.TODAY)

    cards = ask(service, build.request(build.suspect()))["cards"]

    assert [139] == [len(card["summary"]) for card in cards]
    assert cards[0]["summary"].endswith("\u2026")
