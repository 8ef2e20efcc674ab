"""The Patient of a record: the one whom the context names, out of one version or several."""

from __future__ import annotations

from cds_service.errors import PatientMismatch, RequiredDataUnavailable
from cds_service.fhir import resources as fhir
from cds_service.fhir.prefetch import Fetched, Prefetched, kind_of
from cds_service.record.dates import Day, Moment, age_on, last_day, moment

_OLDEST = 120
_LONGEST_AHEAD = 365  # days for which who is not born yet may be entered


def versions_of(key: str, prefetched: Prefetched, patient_id: str, asked: Fetched) -> list[fhir.Patient]:
    """The Patient, who must be the one the context names; hardly ever in more than one version."""
    candidates = [e.resource for e in prefetched.entries if kind_of(e.resource) == "Patient"]
    if not candidates:
        own = prefetched.issues if key in asked.found else ()
        told = "".join(f" {issue.what[:1].upper()}{issue.what[1:]}." for issue in (*asked.issues, *own) if key in asked.found or not asked.found)
        raise RequiredDataUnavailable(f"The Patient is needed and was not sent.{told} Fill the prefetch key '{key}'.", place=f"/prefetch/{key}")
    if not any(c.id for c in candidates):
        raise RequiredDataUnavailable(
            f"The Patient in '{key}' has no id, so it cannot be matched with the context. Send it with its id.", place=f"/prefetch/{key}/id"
        )
    mine = [c for c in candidates if c.id == patient_id]
    if not mine and key in asked.found:
        raise RequiredDataUnavailable(
            f"The EHR's FHIR server sent another Patient than it was asked for. Fill the prefetch key '{key}'.", place=f"/prefetch/{key}"
        )
    if not mine:
        raise PatientMismatch(
            f"The Patient in '{key}' is not the one that context.patientId names. Send the same patient in both.", place=f"/prefetch/{key}/id"
        )
    unread = next((c for c in mine if isinstance(c, fhir.Unread)), None)
    if unread:
        place = f" at {unread.place}" if unread.place else ""
        raise RequiredDataUnavailable(f"The Patient in '{key}' could not be read{place}. Send a valid FHIR R4 Patient.", place=f"/prefetch/{key}")
    return mine


def one_of(versions: list[fhir.Patient]) -> fhir.Patient:
    """Of several versions of the patient what all agree on; a death that one of them knows holds, and the youngest birth, for it may be a child."""
    if len(versions) == 1:
        return versions[0]
    births = {v.birthDate: last_day(birth) for v in versions if v.birthDate and (birth := moment(v.birthDate))}
    genders = {v.gender for v in versions}
    return fhir.Patient(
        id=versions[0].id,
        birthDate=max(births, key=lambda text: (births[text], text)) if births else None,
        gender=genders.pop() if len(genders) == 1 else None,
        deceasedBoolean=any(bool(v.deceasedBoolean) or bool(v.deceasedDateTime) for v in versions),
    )


def birth_of(patient: fhir.Patient, today: Day) -> tuple[Moment | None, bool]:
    """The date of birth as far as it may be used, and whether it can be right; who is entered ahead of the birth is a newborn."""
    birth = moment(patient.birthDate) if patient.birthDate else None
    if birth is None or age_on(birth.day, today) > _OLDEST or (birth.day - today).days > _LONGEST_AHEAD:
        return None, False
    return (birth, True) if birth.day <= today else (Moment(today, "day", today.isoformat()), False)
