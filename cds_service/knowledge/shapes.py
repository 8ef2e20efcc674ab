"""The shape of each file of a module as a JSON Schema, so that editors complete and check what authors write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cds_service.knowledge import model
from cds_service.knowledge.loader import Terms

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The kind of each file: one object, or a list of entries.
SHAPES: Mapping[str, Any] = {
    "module": model.Module,
    "about": model.About,
    "flags": tuple[model.Flag, ...],
    "rules": tuple[model.Rule, ...],
    "assessment": model.AssessmentRules,
    "recommendations": tuple[model.Recommendation, ...],
    "response_rates": tuple[model.ResponseRate, ...],
    "orders": tuple[model.DraftOrder, ...],
    "cards": tuple[model.CardText, ...],
    "citations": tuple[model.Citation, ...],
    "units": tuple[model.Quantity, ...],
    "measurements": tuple[model.Measurement, ...],
    "requirements": tuple[model.Requirement, ...],
    "guards": model.Guards,
    "terms": Terms,
    "genetics": model.Genetics,
    "article": tuple[model.Point, ...],
    "timeline": model.Timeline,
    "cases": tuple[model.Case, ...],
}
_FLAG_FILES = frozenset({"red_flags", "alternatives", "facts"})


def shape_of(file: str) -> str:
    """The name of the shape that a file of a module has: cases-blood.yaml has the shape cases."""
    stem = file.removesuffix(".yaml")
    return "flags" if stem in _FLAG_FILES else stem.partition("-")[0]


def schema_of(shape: str) -> dict[str, Any]:
    """The JSON Schema of a shape; its objects are closed."""
    (body,), definitions = msgspec.json.schema_components([SHAPES[shape]], ref_template="#/$defs/{name}")
    told: dict[str, Any] = _told({"$schema": DIALECT, "title": shape, **body, "$defs": dict(sorted(definitions.items()))})
    return told


def _told(part: Any) -> Any:
    """A schema whose descriptions are one paragraph each."""
    if isinstance(part, dict):
        return {k: re.sub(r"\s+", " ", v) if k == "description" and isinstance(v, str) else _told(v) for k, v in part.items()}
    return [_told(inner) for inner in part] if isinstance(part, list) else part
