"""Hook calls made of what others wrote: whole patients, each resource by itself, and whole Bundles under each prefetch key."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from tests import build
from tests.integration.resources import CLINICAL, Charts, Found

ADULT_AGE, CHILD_AGE, MAJORITY = 70, 1, 18
LARGEST_BODY = 8 * 1024 * 1024
KEY_OF = {requirement.resource: key for key, requirement in reversed(build.KNOWLEDGE.requirements.items())}
KINDS_BY_KEY = {key: requirement.resource for key, requirement in build.KNOWLEDGE.requirements.items() if key != "patient"}
NOTHING = dict.fromkeys(build.KEYS)
_DATE = re.compile(r'"(\d{4}-\d\d-\d\d)')


class Call(NamedTuple):
    """One hook call: how it was made, on which day, and the prefetch."""

    way: str
    label: str
    day: dt.date
    prefetch: dict[str, Any]
    patient_id: str = build.PATIENT_ID

    @property
    def body(self) -> bytes:
        """The request as bytes."""
        context = {"userId": "Practitioner/example", "patientId": self.patient_id}
        return msgspec.json.encode(build.request(self.prefetch, context=context))

    @property
    def patient(self) -> dict[str, Any] | None:
        """The raw Patient that the context names, sent by itself or in a Bundle; None if it was not sent."""
        sent = self.prefetch["patient"]
        several = patients_in(sent) if sent["resourceType"] == "Bundle" else [sent]
        return next((one for one in several if one.get("id") == self.patient_id), None)

    def expected_status(self, size: int) -> int:
        """The HTTP status that must come back for a body of this size: only what is too large or lacks its Patient is refused."""
        if size > LARGEST_BODY:
            return 413
        return 200 if self.patient else 412

    @property
    def needs_silence(self) -> str | None:
        """Why no card may come back: the patient is dead or a child on that day, as the raw Patient says."""
        patient = self.patient or {}
        if patient.get("deceasedBoolean") is True or patient.get("deceasedDateTime"):
            return "deceased"
        return "child" if is_child(patient.get("birthDate"), self.day) else None


def is_child(birth_date: str | None, day: dt.date) -> bool:
    """Whether someone born on a date, or at the latest in a year, was under age on a day."""
    if not birth_date:
        return False
    latest = f"{birth_date}-12-31"[:10] if len(birth_date) == 4 else f"{birth_date}-28"[:10]
    return latest > day.replace(year=day.year - MAJORITY, day=min(day.day, 28)).isoformat()


def last_day(value: Any) -> dt.date:
    """The newest day in a chart that is not in the future, so that its results are recent on the day of the call."""
    days = [d for d in _DATE.findall(msgspec.json.encode(value).decode()) if "1930" < d <= build.TODAY.isoformat()]
    for text in sorted(days, reverse=True):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            continue
    return build.TODAY


# --- whole patients ---


def of_patients(charts: Charts) -> Iterator[Call]:
    """(a) Each patient with every resource of the package that refers to them."""
    for who in charts.of("Patient"):
        names = {f"Patient/{who.resource.get('id')}", who.full_url}
        mine = [f for f in charts.of(*CLINICAL) if refers(f.resource, names)]
        entries = [f.entry for f in (who, *mine, *charts.of("Medication"))]
        prefetch = {"patient": who.resource, **whole_chart(entries, KINDS_BY_KEY)}
        day = last_day([f.resource for f in mine])
        yield Call("a whole patient", f"{charts.package} Patient/{who.resource.get('id')}", day, prefetch, who.resource.get("id", "without-id"))


def whole_chart(entries: list[dict[str, Any]], kinds: dict[str, str]) -> dict[str, Any]:
    """A prefetch of everything: for each key and its resource type all of that type, under the first key that takes it."""
    found: dict[str, Any] = {}
    placed: set[str] = set()
    for key, kind in kinds.items():
        mine = [] if kind in placed else [e for e in entries if e["resource"].get("resourceType") == kind]
        if mine:
            mine += [e for e in entries if e["resource"].get("resourceType") in ("Medication", "Patient")]
        placed.add(kind)
        found[key] = {"resourceType": "Bundle", "type": "searchset", "entry": mine}
    return found


def refers(resource: dict[str, Any], names: set[str | None]) -> bool:
    """Whether a resource names one of these as its subject."""
    subject = resource.get("subject") or resource.get("patient")
    return isinstance(subject, dict) and subject.get("reference") in names


# --- each resource by itself ---


def person(age: int, day: dt.date) -> dict[str, Any]:
    """A man of so many years on a day."""
    return build.patient(birthDate=day.replace(year=day.year - age, day=1).isoformat())


def of_resources(charts: Charts) -> Iterator[tuple[Found, Call, Call]]:
    """(b) and (c) Each clinical resource by itself, as an adult's and as a small child's."""
    drugs = [f.entry for f in charts.of("Medication")]
    for found in charts.of(*CLINICAL):
        own = {"resource": rewritten(found.resource)}
        beside = [d for d in drugs if "Medication" in found.kind and d["resource"].get("id")]
        label = f"{charts.package} {found.kind}/{found.resource.get('id')}"
        day = last_day(found.resource)
        prefetch = {**NOTHING, KEY_OF[found.kind]: {"resourceType": "Bundle", "type": "searchset", "entry": [own, *beside]}}
        adult, child = ({"patient": person(age, day), **prefetch} for age in (ADULT_AGE, CHILD_AGE))
        yield found, Call("one resource of an adult", label, day, adult), Call("one resource of a child", label, day, child)


def rewritten(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with the made patient as its subject, and so the resources contained in it."""
    member = "patient" if resource["resourceType"] in ("Immunization", "AllergyIntolerance") else "subject"
    changed = {**resource, member: build.subject()}
    if isinstance(resource.get("contained"), list):
        changed["contained"] = [{**c, "subject": build.subject()} if "subject" in c else c for c in resource["contained"]]
    return changed


# --- whole Bundles ---


def of_bundles(charts: Charts) -> Iterator[Call]:
    """(d) Each Bundle as it stands under each prefetch key, for its own patient if it has one."""
    for found in charts.of("Bundle"):
        bundle = found.resource
        day = last_day(bundle)
        own = next(patients_in(bundle), None) or person(ADULT_AGE, day)
        for key in ("patient", *build.KEYS):
            label = f"{charts.package} Bundle/{bundle.get('id')} as {key}"
            way = "a Bundle as the Patient" if key == "patient" else "a Bundle under one key"
            yield Call(way, label, day, {"patient": own, **NOTHING, key: bundle}, own["id"])


def patients_in(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The Patients with an id among a Bundle's entries."""
    entries: Iterable[Any] = bundle.get("entry") or ()
    resources = [e.get("resource") or {} for e in entries if isinstance(e, dict)]
    return (r for r in resources if r.get("resourceType") == "Patient" and r.get("id"))
