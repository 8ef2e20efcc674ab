"""The JSON Schemas of CDS Hooks, compiled once, and faults in words that echo nothing of the input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource


@lru_cache(maxsize=1)
def _documents() -> dict[str, Any]:
    folder = files("cds_service.protocol").joinpath("schemas")
    return {item.name: json.loads(item.read_text(encoding="utf-8")) for item in folder.iterdir() if item.name.endswith(".schema.json")}


@lru_cache(maxsize=16)
def validator(name: str) -> Draft202012Validator:
    """The compiled schema of a file, for example `hook-request.schema.json`."""
    documents = _documents()
    registry: Registry[Any] = Registry().with_resources([(d["$id"], Resource.from_contents(d)) for d in documents.values()])
    return Draft202012Validator(documents[name], registry=registry)


def fault(name: str, value: Any) -> tuple[str, str] | None:
    """The most telling fault of a value as (JSON pointer, sentence), or None."""
    error = best_match(validator(name).iter_errors(value))
    return (_pointer(error), _sentence(error)) if error else None


def faults(name: str, value: Any) -> Iterator[str]:
    """Every fault of a value, for tests and checks of what we ship."""
    for error in validator(name).iter_errors(value):
        yield f"{_pointer(error) or '/'}: {error.message[:200]}"


def _pointer(error: ValidationError) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.absolute_path)


def _sentence(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in wanted if isinstance(error.instance, dict) and name not in error.instance]
            return f"the member {', '.join(missing)} is missing; add it"
        case "dependentRequired":
            return "fhirAuthorization needs fhirServer beside it; add it"
        case "type":
            return f"must be of type {wanted}"
        case "minProperties" | "minItems" | "minLength":
            return "must not be empty"
        case "maxLength":
            return f"must have at most {wanted} characters"
        case "const":
            return f"must be '{wanted}'"
        case "enum":
            return f"must be one of {', '.join(map(str, wanted))}"
        case "pattern":
            return f"must match the pattern {wanted}"
        case "anyOf" | "oneOf":
            return "must be null or a FHIR resource with a resourceType"
        case _:
            return f"breaks the rule '{error.validator}' of the schema"
