"""A failing case is told as its author would want to read it."""

import re
import shutil

import pytest
from click.testing import CliRunner

from cds_service.check import check
from cds_service.cli import cli
from cds_service.knowledge.loader import shipped

CASES = """
- name: "A man with a high MCV is no case for the rule."
  record: {patient: {sex: male, age: 70}, labs: [{code: lab-mcv, value: 108, unit: fL, date: P3M}], conditions: [{text: Sweet syndrome}], unavailable: [reports]}
  expect: {macrocytosis: absent, S1: present, two-organs: present, vte: unknown}
  topic: none
  recommends: [T01]
  offers: [crp]
"""
TOLD = [
    "cases-toy.yaml:2: A man with a high MCV is no case for the rule.",
    "patient male age 70 2026-11-22",
    "labs lab-mcv 108 fL P3M",
    'conditions "Sweet syndrome" (2026-11-01)',
    "not read reports",
    "macrocytosis should be absent and is present",
    "macrocytosis (Macrocytosis) is present, by",
    "MCV 108 fL LOINC 787-2 2026-08-22",
    "it needs 4 of",
    "Man: present",
    "Relapsing polychondritis: absent",
    "Platelets < 200 x 10^9/L: unknown",
    "two-organs is absent; it means: Two organ systems; two findings of one system are one organ.",
    "vte (Venous thromboembolism) is absent: nothing in the chart bears on it",
    "criteria met:",
    "recommended: nothing",
    "offered:",
]


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """The shipped module with one more case, which fails, and no other."""
    folder = tmp_path_factory.mktemp("account") / "failing"
    shutil.copytree(next(iter(shipped())), folder, ignore=shutil.ignore_patterns("cases*"))
    (folder / "cases-toy.yaml").write_text(CASES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def account(failing):
    """The account of that case."""
    (account,) = check(failing, None).accounts
    return re.sub(r" +", " ", account)


@pytest.mark.parametrize("words", TOLD)
def test_tells_chart_expectation_and_reason(account, words):
    """The account has the sentence, the chart, what was expected and what was found, with the evidence."""
    assert words in account


def test_prints_the_account_of_a_failing_case(failing, monkeypatch):
    """The command prints it, and fails."""
    monkeypatch.setenv("CDS_KNOWLEDGE", str(failing))
    done = CliRunner().invoke(cli, ["check"])

    assert 1 == done.exit_code
    assert "  Expected, but\n    macrocytosis should be absent and is present" in done.output


def test_tells_where_a_published_patient_was_read(whole_module):
    """The account of a published patient has the source, the address, what was read and what is invented."""
    source = 'published: {source: "PMID 12345678", address: "https://example.org/a", says: "Man, 60.", invented: [all dates, the unit]}'
    case = f'- {{name: "constructed-after-toy: a man.", {source}, record: {{patient: {{sex: male, age: 60}}}}, expect: {{male: absent}}}}\n'
    (whole_module / "cases-toy.yaml").write_text(case, encoding="utf-8")

    (account,) = check(whole_module, None).accounts

    assert (
        "  Published\n    PMID 12345678, read at https://example.org/a\n    says: Man, 60.\n    invented: all dates, the unit\n\n  Chart\n" in account
    )


def test_says_nothing_of_cases_that_hold(whole_module):
    """A sound module has no accounts."""
    assert () == check(whole_module, None).accounts
