"""Whatever is sent, the answer is one of a few, valid, and never a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import build

OURS = {200, 400, 412, 413, 415}
READ = {200, 400, 412}
STEADY = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

DATES = (
    "", "2026", "2026-11", "2026-11-22", "2026-13", "2026-02-30", "0000", "0000-00-00", "0001-01-01", "9999-12-31", "9999", "10000-01-01", "-0001-01-01",
    "2026-11-22T24:00:00Z", "2026-11-22T08:00:00+14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-22T", "2026-11-22T25:61", "22.11.2026",
    " 2026-11-22 ", "2027-01-01", "2026-11-22T08:00:00.123456789Z",
)  # fmt: skip
NUMBERS = (0, -0.0, -1, 1, 1e-320, 1e308, -1e308, 2**31, 2**63, 2**64, 10**400, 0.1 + 0.2, 99.99999999999999, 100, 1e16)
WORDS = (
    "final", "entered-in-error", "active", "unknown", "VEXAS", "UBA1 p.Met41Thr VAF 45 %", "negated: no", "fL", "%", "mg/L", "g/dL", "10*9/L", "<", ">=", "~",
    "http://loinc.org", "787-2", "http://hl7.org/fhir/sid/icd-10-cm", "M94.1", "L98.2", "Patient/p2", "#x", "urn:uuid:x", "Condition", "Observation", "Bundle",
    "OperationOutcome", "\x00", "\u202e", "\U0001f9ec", "<b>", "x" * 5000, "10.03.2024", "GT 45", "<0.5", "1,234", "1e5", "NaN", "prednisone 10 mg",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(DATES),
    st.sampled_from(WORDS),
    st.text(max_size=12),
)
JSON_VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)), max_leaves=8
)
MEMBERS = (
    "hook",
    "hookInstance",
    "fhirServer",
    "fhirAuthorization",
    "context",
    "prefetch",
    "extension",
    "context/userId",
    "context/patientId",
    "context/encounterId",
)


def dumped(value: Any) -> bytes:
    """JSON bytes, lone surrogates and huge numbers included."""
    return json.dumps(value).encode()


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
@given(
    key=st.sampled_from(build.KEYS),
    kind=st.sampled_from(
        [
            "Observation",
            "Condition",
            "MedicationRequest",
            "MedicationStatement",
            "ServiceRequest",
            "DiagnosticReport",
            "Procedure",
            "Immunization",
            "AllergyIntolerance",
            "DocumentReference",
        ]
    ),
    members=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "status",
                "code",
                "effectiveDateTime",
                "onsetDateTime",
                "authoredOn",
                "valueQuantity",
                "valueString",
                "valueInteger",
                "component",
                "contained",
                "medicationCodeableConcept",
                "medicationReference",
                "dosageInstruction",
                "dispenseRequest",
                "conclusion",
                "result",
                "presentedForm",
                "reaction",
                "verificationStatus",
                "type",
                "content",
                "context",
                "description",
                "note",
                "referenceRange",
                "meta",
                "subject",
            ]
        ),
        JSON_VALUES,
        max_size=5,
    ),
)
def test_takes_any_members_in_a_resource(client, key, kind, members):
    """A resource with arbitrary members costs at most itself."""
    resource = {"resourceType": kind, "subject": build.subject(), "patient": build.subject(), **members}

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


@lru_cache(maxsize=64)
def chart_of(name: str) -> str:
    """The request of a fixture patient as JSON."""
    return json.dumps(build.fixture_request(name))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with one of its keys, depth first."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from places(inner)


def damage(root: Any, how: str, at: float, value: Any) -> None:
    """Change one place of a value in place."""
    found = list(places(root))
    if not found:
        return
    holder, key = found[int(at * (len(found) - 1))]
    if how == "replace":
        holder[key] = value
    elif how == "drop":
        del holder[key]
    elif how == "double":
        if isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[f"_{key}"] = holder[key]
            holder[key] = [holder[key]]
    elif how == "empty":
        holder[key] = type(holder[key])() if holder[key] is not None else {}


def dates_of(root: Any) -> list[tuple[Any, Any]]:
    """Every place of a date."""
    return [
        (h, k)
        for h, k in places(root)
        if isinstance(k, str) and isinstance(h[k], str) and ("Date" in k or k in ("issued", "authoredOn", "start", "end", "lastUpdated"))
    ]


def numbers_of(root: Any) -> list[tuple[Any, Any]]:
    """Every place of a number."""
    return [(h, k) for h, k in places(root) if k == "value" and isinstance(h[k], int | float)]


DAMAGES = st.lists(
    st.tuples(st.sampled_from(["replace", "replace", "drop", "double", "empty"]), st.floats(0, 1), JSON_VALUES), min_size=1, max_size=6
)


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
