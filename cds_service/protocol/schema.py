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

_ENDING = ".schema.json"
_OF_FILES = ("$schema", "$id", "$defs")


@lru_cache(maxsize=1)
def _documents() -> dict[str, Any]:
    folder = files("cds_service.protocol").joinpath("schemas")
    return {item.name: json.loads(item.read_text(encoding="utf-8")) for item in folder.iterdir() if item.name.endswith(_ENDING)}


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


def component(file: str) -> str:
    """The name of a schema file among the components of an OpenAPI document."""
    return file.removesuffix(_ENDING)


def components(at: str) -> dict[str, Any]:
    """Every schema and its definitions as components of an OpenAPI document, which stand at `at` and refer to one another there."""
    found: dict[str, Any] = {}
    for file, document in _documents().items():
        parts = {component(file): {k: v for k, v in document.items() if k not in _OF_FILES}}
        parts |= {f"{component(file)}.{name}": part for name, part in document.get("$defs", {}).items()}
        found |= {name: _moved(part, file, at) for name, part in parts.items() if part}
    return found


def _moved(part: Any, file: str, at: str) -> Any:
    """A part of a schema file with its references turned into those of components."""
    if isinstance(part, list):
        return [_moved(inner, file, at) for inner in part]
    if not isinstance(part, dict):
        return part
    return {k: at + _named(v, file) if k == "$ref" else _moved(v, file, at) for k, v in part.items()}


def _named(reference: str, file: str) -> str:
    """The component that a reference in a schema file means."""
    of, _, name = reference.partition("#/$defs/")
    return component(of or file) + (f".{name}" if name else "")


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
