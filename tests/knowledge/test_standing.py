"""A module may stand only as it says: signed before it is active, and true about the data of a person that it uses."""

import shutil
from pathlib import Path

import pytest

from cds_service.fhir.resources import Element, Patient, Resource
from cds_service.knowledge.loader import load, shipped
from cds_service.knowledge.standing import answers, readers
from tests.knowledge.test_loader_refuses import assert_refused, replace

APPROVED = 'approved: {on: "2026-12-01", by: "Head of haematology"}'
SIGNED = ((("status: draft", "status: active")), ("approved: null", APPROVED), ("last_review: null", 'last_review: "2026-12-01"'))
REVIEWED = ("next_review: null", 'next_review: "2027-12-01"')


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped module that a test may change."""
    copy = tmp_path / "module"
    shutil.copytree(next(iter(shipped())), copy, ignore=shutil.ignore_patterns("cases*"))
    return copy


def changed(folder, *changes):
    """The module with other lines in module.yaml."""
    for old, new in changes:
        replace(folder, "module.yaml", old, new)
    return folder


def test_takes_an_active_module_that_is_signed(folder):
    """With approval and reviews a module may be active, and its answers say who signed it."""
    knowledge = load(changed(folder, *SIGNED, REVIEWED))

    assert "Approved: 2026-12-01 by Head of haematology." in " ".join(answers(knowledge))


REFUSED = {
    "active and not approved": ([SIGNED[0], SIGNED[2], REVIEWED], "module.yaml:6: ", "nobody has approved"),
    "active and approved by nobody": ([*SIGNED, REVIEWED, ("Head of haematology", " ")], "module.yaml:6: ", "nobody has approved"),
    "active without a last review": ([*SIGNED[:2], REVIEWED], "module.yaml:6: ", "last_review is not given"),
    "active without a next review": ([*SIGNED], "module.yaml:6: ", "next_review is not given"),
    "a draft that is approved": ([SIGNED[1]], "module.yaml:8: ", "the status is draft"),
    "a next review that is past": ([*SIGNED, ("next_review: null", 'next_review: "2026-12-01"')], "module.yaml:10: ", "is not after"),
    "a next review before the version": ([("next_review: null", 'next_review: "2026-11-22"')], "module.yaml:10: ", "is not after"),
    "a date that is none": ([("last_review: null", 'last_review: "2026-02-30"')], "module.yaml:9: ", "no day"),
    "a version of no day": ([('date: "2026-11-22"', 'date: "22 Nov 2026"')], "module.yaml:5: ", "is no date"),
    "an approval of no day": ([SIGNED[1], SIGNED[0], ('"2026-12-01"', '"December"')], "module.yaml:8: ", "no day"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_a_standing_that_does_not_hold(name, folder):
    """The file, the line and the remedy are named."""
    changes, place, because = REFUSED[name]

    assert_refused(changed(folder, *changes), place, because)


UNTRUE = {
    "sex is not used": ("    name: Use of sex\n    used: true", "    name: Use of sex\n    used: false", "anemia reads it"),
    "age is not used": ("    name: Use of date of birth\n    used: true", "    name: Use of date of birth\n    used: false", "age-50 reads it"),
    "race without an answer": ("name: Use of race, used: false", "name: Use of race", "true or false in each"),
    "a developer that is used": (
        "    name: Developer of the intervention\n",
        "    name: Developer of the intervention\n    used: true\n",
        "'used' is for",
    ),
    "an attribute twice": ("{id: ethnicity,", "{id: race,", "Write each once"),
    "an unknown place": ("Version {version}", "Version {edition}", "unknown place"),
    "a place without a name": ("Version {version}", "Version {}", "unknown place"),
    "an attribute that is none": ("{id: ethnicity,", "{id: shoe-size,", "shoe-size"),
    "an unknown key": ("automation_bias:", "automation_bios:", "automation_bi"),
}


@pytest.mark.parametrize("name", UNTRUE)
def test_refuses_untrue_source_attributes(name, folder):
    """What is said of a person's data is complete, and what the criteria do."""
    old, new, because = UNTRUE[name]
    replace(folder, "about.yaml", old, new)

    assert_refused(folder, "about.yaml:", because)


def test_refuses_a_use_that_nothing_makes(tmp_path):
    """A module without a word about sex does not say that it uses it."""
    toy = tmp_path / "toy"
    shutil.copytree(Path(__file__).parents[1] / "reasoning" / "toy", toy)
    replace(toy, "about.yaml", "name: Sex, used: false", "name: Sex, used: true")

    assert_refused(toy, "about.yaml:", "nothing reads it")


def test_names_who_reads_sex_and_age(knowledge):
    """A limit for men and one for women reads sex as much as a criterion of sex does."""
    assert {"anemia", "male", "female"} == {flag.id for flag in readers(knowledge, "sex")}
    assert {"age-50", "child", "age-over-50"} <= {flag.id for flag in readers(knowledge, "date-of-birth")}


def test_fills_the_answers(knowledge):
    """Each of the 13 answers is a sentence without a place left open."""
    said = list(answers(knowledge))

    assert 13 == len(said)
    assert f"Version {knowledge.module.version} of {knowledge.module.date}, draft. Approved: not yet." in said[3]
    assert said[0].startswith(f"{len(knowledge.citations)} sources")
    assert [] == [text for text in said if "{" in text or not text.endswith(".")]


def test_reads_no_more_of_a_patient_than_the_attributes_admit():
    """Of the Patient resource the service reads gender, birth date and death: no race, language or other datum."""
    inherited = {*Resource.__struct_fields__, *Element.__struct_fields__}

    assert {"birthDate", "gender", "deceasedBoolean", "deceasedDateTime"} == set(Patient.__struct_fields__) - inherited
