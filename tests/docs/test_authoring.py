"""docs/authoring.md can be followed as it is written: its example is run, its fragments are read, its lists are complete."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import yaml

from cds_service.check import check
from cds_service.knowledge.loader import load
from cds_service.knowledge.model import Case, Clause, Criterion, Expression, Limit, Published
from cds_service.knowledge.references import names_in
from tests.docs import pages

PAGE = pages.DOCS / "authoring.md"
MODULE = pages.ROOT / "cds_service" / "knowledge" / "vexas"
FLAG, CASES = (textwrap.dedent(block) for block in re.findall(r"^   ```yaml\n(.*?)^   ```$", pages.text_of(PAGE), re.MULTILINE | re.DOTALL))
CRITERIA, EXPRESSIONS, LIMITS = (yaml.safe_load(b) for b in re.findall(r"^```yaml\n(.*?)^```$", pages.text_of(PAGE), re.MULTILINE | re.DOTALL))


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A copy of the module with the flag of the page at the end of its file."""
    shutil.copytree(MODULE, tmp_path / "module")
    with (tmp_path / "module" / "red_flags.yaml").open("a", encoding="utf-8") as file:
        file.write(FLAG)
    return tmp_path / "module"


def test_asks_for_what_the_page_says(module):
    """After the first step the check says what the page shows, and nothing else."""
    (shown,) = pages.blocks(PAGE, "text")
    found = [fault.partition(": ")[2].partition(". Add")[0] for fault in check(module, None).faults]

    assert sorted(textwrap.dedent(shown).strip().splitlines()) == sorted(found)


def test_is_sound_at_the_end(module):
    """With the cases of the page the check is content."""
    with (module / "cases-organs.yaml").open("a", encoding="utf-8") as file:
        file.write(CASES)

    assert () == check(module, None).faults


def test_shows_every_kind_of_criterion():
    """The examples of criteria are read as they stand, one of each kind."""
    kinds = [type(c) for c in msgspec.convert(CRITERIA, tuple[Criterion, ...])]

    assert list(get_args(Criterion)) == kinds


def test_shows_every_way_to_combine_findings():
    """The examples of expressions are read as they stand, name what there is, and use every clause."""
    found = msgspec.convert(EXPRESSIONS, tuple[Expression, ...])
    knowledge = load()

    assert set(Clause.__struct_encode_fields__) == {key for e in EXPRESSIONS if isinstance(e, dict) for key in e}
    assert {name for e in found for name in names_in(e)} <= {*knowledge.flags, *knowledge.terms, *knowledge.rules}


def test_shows_thresholds_that_can_be_read():
    """The examples of thresholds are read as they stand."""
    changed, _ = msgspec.convert(LIMITS, tuple[Limit, ...])

    assert changed.formerly


def test_lists_every_file():
    """The table of files names every file of the module."""
    listed = {row[0].strip("`") for row in pages.rows(pages.section(PAGE, "Which file says what"))}
    there = {re.sub(r"^cases-.*", "cases-*.yaml", path.name) for path in MODULE.glob("*.yaml")} | {"valuesets/*.json"}

    assert there == listed


def test_lists_every_expectation():
    """The table of expectations has every field of a case that can fail."""
    listed = {name for row in pages.rows(pages.section(PAGE, "Cases")) for name in re.findall(r"`(\w+)`", row[0])}

    assert set(Case.__struct_fields__) - {"name", "record", "today", "published"} == listed


def test_lists_every_part_of_a_published_patient():
    """The table of published patients has every field, all of which are required."""
    listed = {name for row in pages.rows(pages.section(PAGE, "Published patients")) for name in re.findall(r"`(\w+)`", row[0])}

    assert set(Published.__struct_fields__) == listed
