"""Every chart of the example packages sent through the service, and what came back."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec

from tests.integration.answers import Answer, Service, faults, names_gene
from tests.integration.calls import Call, of_bundles, of_patients, of_resources
from tests.integration.fate import Fate, fate_of, of_drugs_fate, of_patients_fate
from tests.integration.packages import PACKAGES, documents, fetch
from tests.integration.resources import Charts, charts
from tests.integration.signs import age_of, expected_topics, with_signs

UBA1 = {"coding": [{"system": "http://www.genenames.org", "code": "HGNC:12469", "display": "UBA1"}]}
CANONICAL = {"coding": [{"system": "http://varnomen.hgvs.org", "code": "NM_003334.4:c.122T>C"}]}
GENE, C_HGVS, P_HGVS, FRACTION, PRESENT = "48018-6", "48004-6", "48005-3", "81258-6", "LA9633-4"
LOW_FRACTION = 0.10


@dataclass
class Tally:
    """What came of many calls, counted."""

    calls: Counter[tuple[str, int]] = field(default_factory=Counter)
    cards: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    def add(self, answer: Answer, *, expected: tuple[str, ...] | None = None) -> None:
        """Count an answer; one that is not what was expected is a surprise."""
        self.calls[answer.call.way, answer.status] += 1
        self.cards.update((answer.call.way, topic) for topic in answer.topics)
        self.refusals.update([answer.refusal] if answer.refusal else [])
        self.faults += faults(answer)
        if expected is not None and answer.status == 200 and answer.topics != expected:
            self.surprises.append(f"{answer.call.label}, {answer.call.way}: {answer.topics}, not {expected}")


@dataclass
class Examples:
    """The whole run over the packages."""

    tally: Tally = field(default_factory=Tally)
    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # package, type, seen | copies | read | of use
    whys: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    renamed: Tally = field(default_factory=Tally)
    in_decimals: Tally = field(default_factory=Tally)
    naming: list[str] = field(default_factory=list)
    sample: list[Call] = field(default_factory=list)


def every_chart() -> Iterator[Charts]:
    """What each package holds. Raises Unfetchable."""
    for package in PACKAGES:
        yield charts(f"{package.name} {package.version}", documents(fetch(package)))


def run(service: Service) -> Examples:
    """Send everything, and remember what a started server is to be asked again."""
    found = Examples()
    for held in every_chart():
        found.seen.update({(held.package, kind, "copies"): count for kind, count in held.copies.items() if count and kind != "Bundle"})
        patients, resources, bundles = list(of_patients(held)), list(of_resources(held)), list(of_bundles(held))
        for call in chain(patients, bundles, (call for _, adult, child in resources for call in (adult, child))):
            found.tally.add(service.answer(call))
        for call in chain(patients, (call for _, adult, child in resources for call in (adult, child))):
            found.tally.add(service.answer(with_signs(call)), expected=expected(call))
        for one, adult, _ in resources:
            note(found, held.package, one.kind, fate_of(adult, one.resource))
        for call, topics, in_decimals in renamed(held):
            (found.in_decimals if in_decimals else found.renamed).add(service.answer(call), expected=topics)
        for fates in (of_patients_fate(patients), of_drugs_fate(held)):
            for kind, fate in fates:
                note(found, held.package, kind, fate)
        found.naming += [f"{held.package} {one.kind}" for one in held.found if names_gene(msgspec.json.encode(one.resource).decode())]
        found.sample += [*patients, *bundles[::9], *(adult for _, adult, _ in resources[::9])]
    return found


def expected(call: Call) -> tuple[str, ...]:
    """The card that the signs must give this patient."""
    patient = call.patient or {}
    return () if call.needs_silence else expected_topics(patient.get("gender"), age_of(patient, call.day), 120)


def note(found: Examples, package: str, kind: str, fate: Fate) -> None:
    """Count how far a resource came."""
    found.seen[package, kind, "seen"] += 1
    found.seen[package, kind, "read"] += fate.read
    found.seen[package, kind, "of use"] += fate.of_use
    if fate.why:
        found.whys[package, kind, fate.why] += 1


# --- results of other genes, renamed ---


def renamed(held: Charts) -> Iterator[tuple[Call, tuple[str, ...], bool]]:
    """Results of a gene as if it were UBA1 and, where a variant was found, c.122T>C; the card due; a fraction without a UCUM unit."""
    of_gene = [f for f in held.of("Observation") if coded(f.resource.get("component") or (), GENE)]
    for change, way in ((about_uba1, "another variant, renamed to UBA1"), (canonical, "a variant found, renamed to UBA1 c.122T>C")):
        changed = [f._replace(resource=r) for f in of_gene if (r := change(f.resource))]
        for one, adult, child in of_resources(Charts(held.package, tuple(changed), Counter())):
            in_decimals = any(p["valueQuantity"].get("unit") == "decimal" for p in coded(one.resource["component"], FRACTION))
            told = f"{way}, fraction in decimals" if in_decimals else way
            yield with_signs(adult)._replace(way=told), card_of(one.resource), in_decimals
            yield with_signs(child)._replace(way=f"{way}, of a child"), (), False


def coded(parts: Iterable[dict[str, Any]], *codes: str) -> list[dict[str, Any]]:
    """The components with one of these codes."""
    return [p for p in parts if any(c.get("code") in codes for c in p.get("code", {}).get("coding", ()))]


def about_uba1(resource: dict[str, Any]) -> dict[str, Any]:
    """The result with UBA1 as the gene studied."""
    changed = copy.deepcopy(resource)
    for part in coded(changed["component"], GENE):
        part["valueCodeableConcept"] = UBA1
    return changed


def canonical(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The result of UBA1 with the commonest variant; None where no variant in HGVS was found."""
    value = resource.get("valueCodeableConcept") or {}
    present = any(c.get("code") == PRESENT for c in value.get("coding", ()))
    if not present or not coded(resource["component"], C_HGVS):
        return None
    changed = about_uba1(resource)
    changed["component"] = [p for p in changed["component"] if not coded([p], P_HGVS)]
    for part in coded(changed["component"], C_HGVS):
        part["valueCodeableConcept"] = CANONICAL
    return changed


def card_of(resource: dict[str, Any]) -> tuple[str, ...]:
    """The card that a renamed result must give someone with signs of the disease; a mere number says nothing of a variant."""
    fractions = [p["valueQuantity"]["value"] for p in coded(resource["component"], FRACTION)]
    if CANONICAL in [p.get("valueCodeableConcept") for p in resource["component"]] and min(fractions, default=1) >= LOW_FRACTION:
        return ("vexas-confirmed", "vexas-supportive-care")
    number = "valueQuantity" in resource and not coded(resource["component"], C_HGVS)
    return ("vexas-test-uba1",) if number else ("vexas-uncertain",)
