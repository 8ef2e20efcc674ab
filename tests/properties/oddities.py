"""Odd values, and ways to damage a call: what property tests and the fuzz draw from."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from tests import build

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


_KINDS = (
    "Observation", "Condition", "MedicationRequest", "MedicationStatement", "ServiceRequest", "DiagnosticReport", "Procedure",
    "Immunization", "AllergyIntolerance", "DocumentReference",
)  # fmt: skip
_MEMBERS = (
    "id", "status", "code", "effectiveDateTime", "onsetDateTime", "authoredOn", "valueQuantity", "valueString", "valueInteger", "component",
    "contained", "medicationCodeableConcept", "medicationReference", "dosageInstruction", "dispenseRequest", "conclusion", "result",
    "presentedForm", "reaction", "verificationStatus", "type", "content", "context", "description", "note", "referenceRange", "meta",
    "subject",
)  # fmt: skip
RESOURCES = st.builds(
    lambda kind, members: {"resourceType": kind, "subject": build.subject(), "patient": build.subject(), **members},
    st.sampled_from(_KINDS),
    st.dictionaries(st.sampled_from(_MEMBERS), JSON_VALUES, max_size=5),
)


@lru_cache(maxsize=64)
def chart_of(name: str) -> str:
    """The request of a fixture patient as JSON."""
    return json.dumps(build.fixture_request(name))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""
    found: list[tuple[Any, Any]] = []
    left = [value] if isinstance(value, dict | list) else []
    for holder in left:
        pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, inner in pairs:
            found.append((holder, key))
            if isinstance(inner, dict | list):
                left.append(inner)
    return found


def damage(root: Any, how: str, at: float, value: Any) -> None:
    """Change one place of a value in place."""
    found = places(root)
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


DAMAGE = st.tuples(st.sampled_from(["replace", "replace", "drop", "double", "empty"]), st.floats(0, 1), JSON_VALUES)
DAMAGES = st.lists(DAMAGE, min_size=1, max_size=6)
