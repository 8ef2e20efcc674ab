"""The fixture patients: sound FHIR, nobody's data, and exactly the cards that were expected before any rule ran."""

import pytest

from cds_service.fhir.strict import faults
from tests.fixtures_.charts import EXPECTED, NAMES, answer, answer_to, bundle

PERSONAL = ("name", "address", "telecom", "identifier", "photo", "contact")


def test_expects_something_of_every_fixture():
    """Every fixture has its expectation and every expectation its fixture."""
    assert sorted(EXPECTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_gives_exactly_the_expected_cards(name):
    """The topics of all cards and the indicator of the first are those that were written down by hand."""
    cards = answer(name)["cards"]

    found = ([c["source"]["topic"]["code"] for c in cards], cards[0]["indicator"] if cards else None)

    assert (EXPECTED[name]["topics"], EXPECTED[name].get("indicator")) == found


@pytest.mark.parametrize("name", NAMES)
def test_is_sound_fhir(name):
    """Every fixture is valid FHIR R4B in the eyes of a strict reader."""
    found = list(faults(bundle(name)))

    assert [] == found


@pytest.mark.parametrize("name", NAMES)
def test_holds_nobody(name):
    """A Patient has no name, no address, no number; it is marked as test data."""
    patients = [e["resource"] for e in bundle(name)["entry"] if e["resource"]["resourceType"] == "Patient"]

    found = [member for patient in patients for member in PERSONAL if member in patient]

    assert [] == found
    assert {"HTEST"} == {tag["code"] for patient in patients for tag in patient["meta"]["tag"]}


@pytest.mark.parametrize("name", NAMES)
def test_holds_no_person_elsewhere(name):
    """No other resource carries a practitioner, a relative or a display that names somebody."""
    kinds = {e["resource"]["resourceType"] for e in bundle(name)["entry"]}

    assert kinds.isdisjoint({"Practitioner", "PractitionerRole", "RelatedPerson", "Person", "Organization"})


@pytest.mark.parametrize("name", NAMES)
def test_answers_the_same_whatever_the_order(name):
    """The order of the entries in a chart plays no part."""
    reversed_chart = {**bundle(name), "entry": list(reversed(bundle(name)["entry"]))}

    assert answer(name) == answer_to(reversed_chart)
