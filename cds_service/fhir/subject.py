"""Whose data it is: only what names the patient of the request counts."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.fhir.prefetch import Entry
from cds_service.fhir.resources import Reference


class Subject:
    """The patient of a request, in every way a chart may refer to it."""

    def __init__(self, patient_id: str, entries: Iterable[Entry] = ()) -> None:
        self.patient_id = patient_id
        self._names = {f"Patient/{patient_id}", f"urn:uuid:{patient_id.lower()}"}
        for entry in entries:
            if entry.kind == "Patient" and entry.full_url and entry.full_url.startswith("urn:uuid:"):
                if entry.id == patient_id:
                    self._names.add(entry.full_url.lower())
                else:
                    self._names.discard(entry.full_url.lower())

    def is_meant_by(self, reference: Reference | None) -> bool | None:
        """True for this patient, False for another one, None when nobody is named."""
        if reference is None or not reference.reference:
            return None
        text = reference.reference.strip()
        if text in self._names or text.lower() in self._names:
            return True
        parts = text.split("/_history/")[0].rstrip("/").split("/")
        return len(parts) >= 2 and parts[-2] == "Patient" and parts[-1] == self.patient_id
