"""A fixture's chart put onto a server."""

from __future__ import annotations

from typing import Any

import requests

FHIR_JSON = "application/fhir+json"


def put_chart(base: str, bundle: dict[str, Any]) -> None:
    """Put every resource of a Bundle under its own id, all or none. Raises requests.HTTPError."""
    answer = requests.post(base, json=transaction(bundle), headers={"Content-Type": FHIR_JSON}, timeout=120)
    answer.raise_for_status()


def transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    """The same resources as a transaction."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_put(entry) for entry in bundle["entry"]]}


def _put(entry: dict[str, Any]) -> dict[str, Any]:
    resource = entry["resource"]
    return {**entry, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
