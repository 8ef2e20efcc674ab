"""A hook request from a patient's Bundle, as an EHR would send it: each prefetch template resolved by a small search."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

MODES = ("full", "partial", "none")  # how much of the prefetch goes along with a call
# What the hook's schema takes as a patient id.
PATIENT_ID = re.compile(r"[^\s/?#\ud800-\udfff]+")  # and no lone surrogate, which no URL can hold
_DATES = (
    "effectiveDateTime",
    "effectiveInstant",
    "issued",
    "authoredOn",
    "recordedDate",
    "onsetDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "date",
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def chosen(keys: Iterable[str], mode: str) -> list[str]:
    """The prefetch keys that a mode sends along: all, every second one with the first, or none."""
    return {"full": list(keys), "partial": list(keys)[::2], "none": []}[mode]


def hook_request(bundle: Mapping[str, Any], templates: Mapping[str, str], hook: str, hook_instance: str) -> dict[str, Any]:
    """A call of a hook for the Bundle's patient with every prefetch key filled. Raises ValueError without a Patient."""
    entries = [e for e in bundle.get("entry", []) if isinstance(e.get("resource"), dict)]
    patient = next((e["resource"] for e in entries if e["resource"].get("resourceType") == "Patient"), None)
    if patient is None or "id" not in patient:
        raise ValueError("the Bundle holds no Patient with an id")
    context = {"userId": "Practitioner/example", "patientId": patient["id"]}
    held = by_kind(entries)
    prefetch = {key: searched(held, template.replace("{{context.patientId}}", patient["id"])) for key, template in templates.items()}
    return {"hook": hook, "hookInstance": hook_instance, "context": context, "prefetch": prefetch}


class Held(NamedTuple):
    """An entry, and the codes by which a search finds it."""

    entry: dict[str, Any]
    codes: frozenset[str]


def by_kind(entries: Iterable[dict[str, Any]]) -> Mapping[str, list[Held]]:
    """The entries by the type of their resource."""
    found: defaultdict[str, list[Held]] = defaultdict(list)
    for entry in entries:
        kind = entry["resource"].get("resourceType")
        found[kind if isinstance(kind, str) else ""].append(Held(entry, _codes(entry["resource"])))
    return found


def searched(held: Mapping[str, list[Held]], query: str) -> dict[str, Any]:
    """The resource of a read, or the searchset of a search by patient and code, newest first where asked for."""
    path, _, parameters = query.partition("?")
    kind, _, identity = path.partition("/")
    of_kind = held.get(kind, [])
    if identity:
        found: dict[str, Any] = next(one.entry["resource"] for one in of_kind if one.entry["resource"].get("id") == identity)
        return found
    wanted = dict(parse_qsl(parameters))
    codes = frozenset(wanted["code"].split(",")) if "code" in wanted else None
    matches = [one.entry for one in of_kind if codes is None or not codes.isdisjoint(one.codes)]
    if wanted.get("_sort") == "-date":
        matches.sort(key=lambda e: _when(e["resource"]), reverse=True)
    page = matches[: int(wanted.get("_count", "1000"))]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(matches), "entry": page}


def _codes(resource: Mapping[str, Any]) -> frozenset[str]:
    """The codes of a resource, of its components and of what it contains, as a search names them."""
    holders = [resource, *_objects(resource.get("component")), *_objects(resource.get("contained"))]
    codings = [c for holder in holders if isinstance(holder.get("code"), dict) for c in _objects(holder["code"].get("coding"))]
    return frozenset([f"{c.get('system')}|{c.get('code')}" for c in codings])


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _when(resource: Mapping[str, Any]) -> str:
    return next((resource[name] for name in _DATES if isinstance(resource.get(name), str)), "")


def shifted(value: Any, days: int) -> Any:
    """The same chart so many days later: every whole date in it moves, so that a fixture never grows old."""
    if isinstance(value, dict):
        return {k: shifted(v, days) for k, v in value.items()}
    if isinstance(value, list):
        return [shifted(v, days) for v in value]
    if isinstance(value, str) and _DATE.match(value) and days:
        try:
            moved = dt.date.fromisoformat(value[:10]) + dt.timedelta(days=days)
        except ValueError:
            return value
        return moved.isoformat() + value[10:]
    return value
