"""What every hook has: a name, a schema, the shape of its context, and the way from there to the patient it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cds_service.record.facts import Issue


class HookContext(NamedTuple):
    """The patient a hook is about, and what was odd about its context."""

    patient_id: str
    issues: tuple[Issue, ...] = ()


class Hook(NamedTuple):
    """One hook of the CDS Hooks library.

    `shape` is a struct that a context as the standard has it fits; what does not fit is judged by the schema alone.
    """

    name: str
    schema: str
    shape: type
    parse_context: Callable[[Mapping[str, Any]], HookContext]
