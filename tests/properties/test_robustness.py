"""Whatever is sent, the answer is one of a few, valid, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import build
from tests.properties.oddities import DAMAGES, DATES, JSON_VALUES, MEMBERS, NUMBERS, RESOURCES, chart_of, damage, dates_of, dumped, numbers_of

pytestmark = pytest.mark.long

OURS = {200, 400, 412, 413, 415}
READ = {200, 400, 412}
STEADY = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


def send(client: Any, body: bytes) -> Any:
    """The answer to a body."""
    return client.post(build.SERVICE, data=body, content_type="application/json")


@settings(max_examples=150, **STEADY)
@given(value=JSON_VALUES)
def test_takes_any_json_as_a_body(client, value):
    """Any JSON value as a body is refused in our words."""
    response = send(client, dumped(value))

    assert response.status_code in OURS


@pytest.mark.parametrize("member", MEMBERS)
@settings(max_examples=40, **STEADY)
@given(value=JSON_VALUES)
def test_takes_any_json_as_a_member(client, member, value):
    """Any JSON value as any member of the envelope or the context is answered or refused."""
    request = build.request(build.suspect())
    name, _, inner = member.partition("/")
    request[name] = {**request[name], inner: value} if inner else value

    response = send(client, dumped(request))

    assert response.status_code in OURS


@settings(max_examples=200, **STEADY)
@given(key=st.sampled_from(tuple(build.TEMPLATES)), value=JSON_VALUES)
def test_takes_any_json_as_a_prefetch_value(client, key, value):
    """Any JSON value under a prefetch key is answered or refused."""
    response = send(client, dumped(build.request({**build.suspect(), key: value})))

    assert response.status_code in READ


@settings(max_examples=200, **STEADY)
@given(key=st.sampled_from(build.KEYS), resource=RESOURCES)
def test_takes_any_members_in_a_resource(client, key, resource):
    """A resource with arbitrary members costs at most itself."""
    response = send(client, dumped(build.request({**build.suspect(), key: build.bundle(resource)})))

    assert 200 == response.status_code


@settings(max_examples=120, **STEADY)
@given(body=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_takes_any_bytes_as_a_body(client, body):
    """Random bytes are refused in our words."""
    response = send(client, body)

    assert response.status_code in {400, 412}


@settings(max_examples=150, **STEADY)
@given(at=st.integers(0, 10**6), junk=st.binary(min_size=1, max_size=6), cut=st.booleans())
def test_takes_a_damaged_body(client, at, junk, cut):
    """A request with bytes overwritten or cut off is answered or refused."""
    body = dumped(build.request(build.suspect()))
    at %= len(body)

    response = send(client, body[:at] + junk + (b"" if cut else body[at + len(junk) :]))

    assert response.status_code in OURS


# --- fixture patients, damaged ---


@settings(max_examples=200, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), damages=DAMAGES)
def test_takes_a_damaged_chart(client, name, damages):
    """A fixture patient with members replaced, dropped, doubled or emptied is answered or refused."""
    request = json.loads(chart_of(name))
    for how, at, value in damages:
        damage(request["prefetch"], how, at, value)

    response = send(client, dumped(request))

    assert response.status_code in READ


@settings(max_examples=150, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), key=st.sampled_from(build.KEYS), damages=DAMAGES)
def test_takes_a_damaged_prefetch_key(client, name, key, damages):
    """Damage below one key never reaches the patient's other data: the answer is a 200."""
    request = json.loads(chart_of(name))
    for how, at, value in damages:
        damage(request["prefetch"][key], how, at, value)

    response = send(client, dumped(request))

    assert 200 == response.status_code


@settings(max_examples=120, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), changes=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(DATES)), min_size=1, max_size=8))
def test_takes_odd_dates(client, name, changes):
    """Dates that are partial, impossible, far or near the end of time are answered."""
    request = json.loads(chart_of(name))
    found = dates_of(request["prefetch"])
    for at, date in changes:
        holder, key = found[int(at * (len(found) - 1))]
        holder[key] = date

    response = send(client, dumped(request))

    assert 200 == response.status_code


@settings(max_examples=25, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), date=st.sampled_from(DATES))
def test_takes_one_odd_date_everywhere(client, name, date):
    """A chart that has the same odd date in every place is answered."""
    request = json.loads(chart_of(name))
    for holder, key in dates_of(request["prefetch"]):
        holder[key] = date

    response = send(client, dumped(request))

    assert 200 == response.status_code


@settings(max_examples=150, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), changes=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(NUMBERS)), min_size=1, max_size=8))
def test_takes_odd_numbers(client, name, changes):
    """Numbers that are negative, tiny, huge or beyond any type are answered."""
    request = json.loads(chart_of(name))
    found = numbers_of(request["prefetch"])
    for at, number in changes if found else []:
        holder, key = found[int(at * (len(found) - 1))]
        holder[key] = number

    response = send(client, dumped(request))

    assert 200 == response.status_code


@settings(max_examples=60, **STEADY)
@given(name=st.sampled_from(build.fixture_names()), chance=st.randoms(use_true_random=False), strip=st.booleans())
def test_does_not_care_for_the_order_of_entries(client, name, chance, strip):
    """A shuffled chart, with or without ids, gives the same bytes."""
    request = json.loads(chart_of(name))
    if strip:
        for key in build.KEYS:
            for entry in request["prefetch"][key]["entry"]:
                entry["resource"].pop("id", None)
    expected = send(client, dumped(request)).data

    for key in build.KEYS:
        chance.shuffle(request["prefetch"][key]["entry"])

    assert expected == send(client, dumped(request)).data
