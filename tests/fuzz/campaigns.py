"""What is sent besides what Schemathesis makes of the OpenAPI document: real calls that were damaged, feedback, and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests import build
from tests.fuzz.served import FEEDBACK, KEY, issued
from tests.fuzz.witness import Sent
from tests.properties.oddities import (
    DAMAGE,
    DAMAGES,
    DATES,
    JSON_VALUES,
    MEMBERS,
    NUMBERS,
    RESOURCES,
    chart_of,
    damage,
    dates_of,
    dumped,
    numbers_of,
    places,
)
from tests.properties.test_tokens import JSON, NAMES
from tests.trust.minting import BASE, OTHER_EC, header, mint, payload

UNITS = ("", " ", "fl", "FL", "fL ", "10*9/L", "10^9/L", "/nL", "{cells}/uL", "G/L", "g%", "mmol/mol", "\u00b5L", "%%", "1", "fL\x00", "x" * 3000)
REFERENCES = (
    "", "/", "Patient/", "Patient/p1", "Patient/p2", "Patient/p1/_history/2", "https://ehr.example.org/r4/Patient/p1", "urn:uuid:", "urn:uuid:x", "urn:oid:1.2", "#",
    "#p1", "../Patient/p1", "Patient/p1?x=1", "Patient/p1#x", "patient/p1", "Group/1", "http://", "\u202ePatient/p1", "Patient/" + "p" * 5000,
)  # fmt: skip
# What is put behind an opening brace: members that stand twice, nothing that JSON has, and depth.
SPLICES = (
    '"resourceType":"Patient",', '"id":"p2",', '"status":"entered-in-error",', '"subject":{"reference":"Patient/p2"},', '"prefetch":null,', '"hook":"order-sign",',
    '"context":{},', '"value":1,', '"":"",', '"a":NaN,', '"a":-Infinity,', '"a":1e999,', '"a":' + "9" * 5000 + ",", '"a":0.' + "1" * 5000 + ",", '"a":01,', '"a":"\\ud800",',
    '"\\udfff":1,', '"a":"\\u0000",', "/* */", ",", '"a":tru,', "'a':1,", *(f'"a":{"[" * n}{"]" * n},' for n in (50, 400, 1100, 50_000)),
    *('"a":' + '{"b":' * n + "1" + "}" * n + "," for n in (50, 400, 1100, 50_000)), '"a":' + "[" * 50_000,
)  # fmt: skip
JUNK = (b"\xff\xfe", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"}", b"]", b'"', b"\\")


class Campaign(NamedTuple):
    """A kind of requests: to a service in which mode, made how, and which part of all cases."""

    mode: str
    making: st.SearchStrategy[Sent]
    share: int


@st.composite
def bytes_of(draw: st.DrawFn, value: Any) -> bytes:
    """A value as JSON, mostly as it should be, sometimes cut off, overwritten, or with something spliced in."""
    body = dumped(value)
    how = draw(st.sampled_from(("whole",) * 6 + ("cut", "junk", "splice", "splice")))
    at = draw(st.floats(0, 1)) if how != "whole" else 0.0
    if how == "cut":
        return body[: int(at * len(body))]
    if how == "junk":
        place, junk = int(at * len(body)), draw(st.one_of(st.sampled_from(JUNK), st.binary(min_size=1, max_size=6)))
        return body[:place] + junk + body[place + draw(st.sampled_from((0, len(junk)))) :]
    if how == "splice":
        place = body.find(b"{", int(at * (len(body) - 1))) + 1
        return body[:place] + draw(st.sampled_from(SPLICES)).encode() + body[place:]
    return body


@st.composite
def charts(draw: st.DrawFn) -> Sent:
    """The call for a fixture patient with odd dates, numbers, units and references, and members that were replaced, dropped, doubled or emptied."""
    request = json.loads(chart_of(draw(st.sampled_from(build.fixture_names()))))
    kept = draw(st.one_of(st.just(build.KEYS), st.sets(st.sampled_from(build.KEYS), min_size=1, max_size=6)))
    prefetch = {key: value for key, value in request["prefetch"].items() if key == "patient" or key in kept}
    request["prefetch"] = prefetch
    key = draw(st.sampled_from(("", "", *prefetch)))
    root = prefetch[key] if key else request
    odd = draw(st.lists(st.tuples(st.sampled_from(tuple(ODD)), st.floats(0, 1), st.integers(0, 99)), max_size=4))
    for what, at, which in odd:
        find, values = ODD[what]
        found = find(root)
        if found:
            holder, key = found[int(at * (len(found) - 1))]
            holder[key] = values[which % len(values)]
    for how, at, value in draw(st.lists(DAMAGE, min_size=not odd, max_size=3)):
        damage(root, how, at, value)
    if draw(st.integers(0, 19)) == 0 and isinstance(request.get("context"), dict):
        request["context"]["patientId"] = draw(st.sampled_from(("p2", "Patient/p2", "x" * 256)))
    return Sent("POST", build.SERVICE, draw(bytes_of(request)))


def units_of(root: Any) -> list[tuple[Any, Any]]:
    """Every place of a unit."""
    return [(holder, key) for holder, key in places(root) if key in ("unit", "code") and isinstance(holder, dict) and "value" in holder]


def references_of(root: Any) -> list[tuple[Any, Any]]:
    """Every place of a reference."""
    return [(holder, key) for holder, key in places(root) if key == "reference"]


ODD: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    "date": (dates_of, DATES),
    "number": (numbers_of, NUMBERS),
    "unit": (units_of, UNITS),
    "reference": (references_of, REFERENCES),
}


@st.composite
def resources(draw: st.DrawFn) -> Sent:
    """A call with resources of arbitrary members under its prefetch keys."""
    found = draw(st.lists(st.tuples(st.sampled_from(build.KEYS), RESOURCES), min_size=1, max_size=4))
    prefetch = {**build.suspect(), **{key: build.bundle(*[r for k, r in found if k == key]) for key, _ in found}}
    return Sent("POST", build.SERVICE, draw(bytes_of(build.request(prefetch))))


@st.composite
def envelopes(draw: st.DrawFn) -> Sent:
    """A call whose members and prefetch keys are any JSON."""
    request = build.request(build.suspect())
    for member, value in draw(st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=2)).items():
        name, _, inner = member.partition("/")
        request[name] = {**request[name], inner: value} if inner and isinstance(request.get(name), dict) else value
    for key, value in draw(st.dictionaries(st.one_of(st.sampled_from(tuple(build.TEMPLATES)), st.text(max_size=6)), JSON_VALUES, max_size=2)).items():
        if isinstance(request.get("prefetch"), dict):
            request["prefetch"] = {**request["prefetch"], key: value}
    return Sent("POST", build.SERVICE, draw(bytes_of(request)))


ANY_BYTES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=150).map(lambda text: text.encode("utf-8", "surrogatepass")),
    JSON_VALUES.map(dumped),
    JSON_VALUES.flatmap(bytes_of),
).map(lambda body: Sent("POST", build.SERVICE, body))


def feedback(card: str, suggestions: list[str]) -> st.SearchStrategy[Sent]:
    """Feedback on a card that was issued, with entries that were damaged."""
    entry = {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": one} for one in suggestions],
        "overrideReason": {"reason": {"code": "not-now", "system": "urn:x", "display": "Not now"}, "userComment": "Next visit."},
        "outcomeTimestamp": "2026-11-22T08:00:00Z",
        "extension": {"a": {"b": [1]}},
    }

    @st.composite
    def sent(draw: st.DrawFn) -> Sent:
        whole = {"feedback": [json.loads(json.dumps(entry)) for _ in range(draw(st.integers(1, 3)))]}
        for one in whole["feedback"]:
            one["outcome"] = draw(st.sampled_from(("accepted", "overridden", "overridden")))
            one["outcomeTimestamp"] = draw(st.one_of(MOMENTS, MOMENTS, st.sampled_from(DATES)))
        for how, at, value in draw(st.one_of(st.just([]), DAMAGES)):
            damage(whole, how, at, value)
        return Sent("POST", FEEDBACK, draw(bytes_of(whole)))

    return sent()


MOMENTS = st.builds(
    "2026-11-{:02}T{:02}:{:02}:00{}".format,
    st.integers(0, 31),
    st.integers(0, 24),
    st.integers(0, 60),
    st.sampled_from(("Z", "z", "+14:00", "-00:00", "+99:99", "")),
)


@st.composite
def tokens(draw: st.DrawFn) -> Sent:
    """A good call or feedback with any Authorization header: texts, tokens of strangers, tokens of a client with odd claims, tokens of which a letter was changed."""
    path, body = draw(st.sampled_from(((build.SERVICE, CALL), (FEEDBACK, b'{"feedback":[]}'), ("/cds-services", b""))))
    named = {"aud": f"{BASE}{path}", "jti": str(draw(st.uuids()))}
    claims, head = draw(st.dictionaries(NAMES, JSON, max_size=3)), draw(st.one_of(st.just({}), st.just({}), st.dictionaries(NAMES, JSON, max_size=2)))
    key = KEY if draw(st.integers(0, 4)) else OTHER_EC
    good = mint(json.dumps({**header(), **head}).encode(), json.dumps({**payload(**named), **claims}).encode(), key=key)
    text = draw(
        st.one_of(
            st.just(f"Bearer {good}"),
            st.just(f"Bearer {good}"),
            st.sampled_from(("bearer", "BEARER", "Basic", "DPoP", "")).map(lambda word: f"{word} {good}"),
            st.tuples(st.integers(0, len(good) - 1), st.sampled_from("ABCXYZabcxyz0189-_.= ")).map(
                lambda c: f"Bearer {good[: c[0]]}{c[1]}{good[c[0] + 1 :]}"
            ),
            st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60).map(lambda text: f"Bearer {text}"),
            st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60),
        )
    )
    kind = (("CONTENT_TYPE", "application/json"), ("HTTP_AUTHORIZATION", text))
    return Sent("GET" if path == "/cds-services" else "POST", path, body, kind)


CALL = build.body_of(build.request(build.healthy()))


def campaigns() -> Iterator[tuple[str, Campaign]]:
    """Every campaign by its name."""
    yield "charts", Campaign("open", charts(), 12)
    yield "more charts", Campaign("signed", charts(), 12)
    yield "resources", Campaign("open", resources(), 16)
    yield "envelopes", Campaign("open", envelopes(), 20)
    yield "bytes", Campaign("open", ANY_BYTES, 12)
    yield "feedback", Campaign("signed", feedback(*issued()), 12)
    yield "tokens", Campaign("strangers", tokens(), 13)
