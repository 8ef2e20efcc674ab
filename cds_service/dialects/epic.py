"""Epic. From its documents and from practitioners, as of 2026-11; not run against the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.dialects.dialect import Dialect, Search

# What made Epic call: 60 the chart was opened, 18 and 23 an order is entered or signed, 6 a problem, 7 a diagnosis. All but
# those of orders arrive as patient-view (CDS Hooks tutorial, 2026).
_TRIGGER = "com.epic.cdshooks.request.bpa-trigger-action"
# Its OperationOutcomes 4127 and 59133 speak of searches beyond this size.
_MOST = 100


def _adapt(search: Search) -> Search | None:
    """None for MedicationStatement, which its CapabilityStatement (2026-05) has not; nor has it _sort, for which Observation may answer 400."""
    if search.path == "MedicationStatement":
        return None
    count = search.get("_count")
    search = search.without("_sort")
    return search.with_("_count", str(min(int(count), _MOST))) if count else search


def _topic_code(code: str) -> str:
    """Topics are letters and digits only, at most 100 (CDS Hooks tutorial, 2026)."""
    return "".join(c for c in code if c.isalnum())[:100]


def _trigger(extension: Mapping[str, Any]) -> str:
    value = extension.get(_TRIGGER)
    return str(value) if isinstance(value, int | str) else ""


def _feedback(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reason under the standard's name: Epic says overrideReasons, and means one object (practitioners, 2026-11)."""
    if "overrideReasons" not in entry or "overrideReason" in entry:
        return entry
    said = entry["overrideReasons"]
    rest = {k: v for k, v in entry.items() if k != "overrideReasons"}
    return {**rest, "overrideReason": said[0] if isinstance(said, list) and len(said) == 1 else said}


DIALECT = Dialect(
    "epic",
    "Epic",
    adapt=_adapt,
    # 4119: not the whole record; 59204: a kind of this resource that the client may not see, beside real results (seen in
    # answers of its public sandbox, 2026-04). Both are warnings in a Bundle that looks whole. 4101 says that nothing was
    # found, which is an answer.
    partial=frozenset({"4119", "59204"}),
    # 4130, 4131, 4134: somebody has to break the glass; 4107: the patient was merged into another; 4113: the session is over.
    final=frozenset({"4130", "4131", "4134", "4107", "4113"}),
    topic_code=_topic_code,
    trigger=_trigger,
    feedback=_feedback,
)
