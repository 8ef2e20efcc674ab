"""The synthetic population sent through the service, and which findings it has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.truth import Truth
from tests import build
from tests.integration.answers import Service
from tests.integration.calls import Call
from tests.integration.examples import Tally
from tests.integration.fate import read_record
from tests.integration.population import Person, call_of, population
from tests.integration.signs import expected_topics, with_signs

HEMOGLOBIN, PLATELETS = "718-7", "777-3"
LOW_HEMOGLOBIN, LOW_PLATELETS = {"male": 13.0, "female": 12.0}, 150.0


@dataclass
class Cohort:
    """The whole run over the population."""

    tally: Tally = field(default_factory=Tally)
    people: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)  # flags, counted in the raw charts
    defects: Counter[str] = field(default_factory=Counter)


def run(service: Service) -> Cohort:
    """Send every patient: as generated, with defects, and with signs of the disease. Raises Unfetchable."""
    found = Cohort()
    reasoner = Reasoner(build.KNOWLEDGE)
    for person in population():
        sex, platelets = person.patient["gender"], person.value(PLATELETS) or 0
        found.people.update(["all", f"{'50 or more' if person.age >= 50 else 'under 50'}, {sex}"])
        found.defects.update(person.defects)
        call = call_of(person.clean, "as generated")
        found.tally.add(service.answer(call), expected=())
        found.tally.add(service.answer(call_of(person.dirty, "with defects")), expected=())
        found.tally.add(service.answer(with_signs(call, None)), expected=expected_topics(sex, person.age, platelets))
        found.flags.update(flags(reasoner, call))
        found.counted.update(counted(person))
    return found


def flags(reasoner: Reasoner, call: Call) -> list[str]:
    """The red flags and other explanations that the service finds in a chart."""
    findings = reasoner.evaluate(read_record(call), call.day, full=True).findings.values()
    shown = {**build.KNOWLEDGE.red_flags, **build.KNOWLEDGE.alternatives}
    return [shown[f.id].label for f in findings if f.truth is Truth.PRESENT and f.id in shown and shown[f.id].shown]


def counted(person: Person) -> list[str]:
    """The same flags by a look at the raw numbers and codes."""
    low = (person.value(HEMOGLOBIN) or 99) < LOW_HEMOGLOBIN[person.patient["gender"]]
    few = (person.value(PLATELETS) or 999) < LOW_PLATELETS
    anemia = "D64.9" in person.codes or "D63.1" in person.codes or "D50.9" in person.codes
    thyroid = "E03.9" in person.codes
    labels = {"Anaemia": low, "Low platelets": few, "Coded cytopenia": anemia, "Hypothyroidism": thyroid}
    return [label for label, holds in labels.items() if holds]
