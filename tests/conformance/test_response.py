"""What every answer is, whether it holds cards, none, or an error."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import build
from tests.fakes import empty_members, read_strictly

JSON = "application/json"
EXCHANGES = {
    "discovery": (200, "GET", "/cds-services", None, JSON),
    "cards": (200, "POST", build.SERVICE, build.body_of(build.request(build.suspect())), JSON),
    "cards of a confirmed patient": (200, "POST", build.SERVICE, build.body_of(build.request(build.confirmed())), JSON),
    "no cards": (200, "POST", build.SERVICE, build.body_of(build.request(build.healthy())), JSON),
    "no cards and data that lacked": (
        200,
        "POST",
        build.SERVICE,
        build.body_of(build.request({**build.healthy(), "reports": build.outcome()})),
        JSON,
    ),
    "no request": (400, "POST", build.SERVICE, b"{}", JSON),
    "no JSON": (400, "POST", build.SERVICE, b"<hook/>", JSON),
    "no service": (404, "POST", "/cds-services/other", b"{}", JSON),
    "no such method": (405, "GET", build.SERVICE, None, JSON),
    "no data": (412, "POST", build.SERVICE, build.body_of(build.request()), JSON),
    "sent as XML": (415, "POST", build.SERVICE, b"<hook/>", "application/xml"),
    "JSON sent as a form": (415, "POST", build.SERVICE, build.body_of(build.request(build.suspect())), "application/x-www-form-urlencoded"),
}


@pytest.mark.requirement("cds-hooks_2.0@1", "cds-hooks_2.0@76")
@pytest.mark.parametrize("name", EXCHANGES)
def test_speaks_json_alone(client, name):
    """Answers and errors are JSON and say so; a body that is sent as anything else is refused."""
    status, method, path, body, kind = EXCHANGES[name]

    answer = client.open(path, method=method, data=body, content_type=kind)

    assert (status, JSON) == (answer.status_code, answer.content_type)
    assert dict is type(read_strictly(answer.data))


@pytest.mark.requirement("cds-hooks_2.0@3")
@pytest.mark.parametrize("name", EXCHANGES)
def test_sends_no_empty_member(client, name):
    """No answer and no error holds null, an empty text, an empty object, or an empty array but that of the cards."""
    _, method, path, body, kind = EXCHANGES[name]

    answer = client.open(path, method=method, data=body, content_type=kind)

    assert [] == list(empty_members(answer.json))


@pytest.mark.requirement("cds-hooks_2.0@3")
def test_sends_no_empty_member_to_any_fixture_patient(answers):
    """The same holds for every card."""
    assert [] == [place for answer in answers for place in empty_members(answer.json)]


@pytest.mark.requirement("cds-hooks_2.0@74")
def test_is_an_object_with_an_array_of_cards(answers):
    """Every successful answer is 200, an object, and has its cards as an array of objects."""
    assert {(200, dict, list)} == {(a.status_code, type(a.json), type(a.json["cards"])) for a in answers}
    assert {dict} == {type(card) for a in answers for card in a.json["cards"]}


def test_takes_no_action_by_itself(answers):
    """An answer holds cards and at most an extension: system actions are not used."""
    assert {"cards", "extension"} == {member for a in answers for member in a.json}


@pytest.mark.requirement("cds-hooks_2.0@27")
@pytest.mark.parametrize("name", build.fixture_names())
def test_is_quick(client, name):
    """The best of three answers to a fixture patient comes within half a second."""
    body = build.body_of(build.fixture_request(name))
    spent = []

    for _ in range(3):
        started = time.perf_counter()
        client.post(build.SERVICE, data=body, content_type=JSON)
        spent.append(time.perf_counter() - started)

    assert min(spent) < 0.5


def extensions(value: Any) -> Iterator[Any]:
    """The value of every member called extension."""
    if isinstance(value, dict):
        yield from (inner for name, inner in value.items() if name == "extension")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from extensions(inner)


@pytest.mark.requirement("cds-hooks_2.0@214")
def test_extends_by_an_object_of_a_known_shape(answers):
    """An extension is an object with one member, which lists what was missing and the remedy."""
    found = [e for answer in answers for e in extensions(answer.json)]

    assert {dict} == {type(e) for e in found}
    assert {("org.vexas-cds.unavailable", ("unavailable",))} == {(name, tuple(value)) for e in found for name, value in e.items()}
    assert {("what", "remedy")} == {tuple(gap) for e in found for value in e.values() for gap in value["unavailable"]}


@pytest.mark.requirement("cds-hooks_2.0@215")
def test_names_its_extensions_by_a_reversed_domain(answers):
    """The name of an extension begins with a top-level domain."""
    names = {name for answer in answers for e in extensions(answer.json) for name in e}

    assert names
    assert [] == [name for name in names if not re.fullmatch(r"(org|com|net)(\.[a-z0-9-]+)+", name)]
