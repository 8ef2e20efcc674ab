"""CONTRIBUTING.md's way to add a red flag works as it is written, and its lists are complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from cds_service.check import check
from cds_service.knowledge.model import Clause, Criterion
from tests.docs import pages

MODULE = pages.ROOT / "cds_service" / "knowledge" / "vexas"
FLAGS, CASES = (yaml.safe_load(block) for block in pages.blocks(pages.CONTRIBUTING, "yaml"))
NEW = "contributed"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A copy of the module with the flag of the page, under another id since the module has it already."""
    shutil.copytree(MODULE, tmp_path / "module")
    append(tmp_path / "module" / "red_flags.yaml", [{**flag, "id": NEW} for flag in FLAGS])
    return tmp_path / "module"


def append(path: Path, items: list[Any]) -> None:
    """Write more items at the end of a YAML file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(yaml.safe_dump(items, allow_unicode=True, sort_keys=False))


def test_shows_a_flag_of_the_module():
    """The example is an entry of red_flags.yaml as it stands there."""
    shipped = yaml.safe_load(pages.text_of(MODULE / "red_flags.yaml"))

    assert FLAGS == [flag for flag in shipped if flag["id"] == FLAGS[0]["id"]]


def test_asks_for_its_cases(module):
    """A flag without cases is named by the check for each truth and for both edges of its look-back, and nothing else is."""
    found = check(module, None).faults

    assert len(found) == 5
    assert sum(f"{NEW} looks back P60M" in fault for fault in found) == 2
    for truth in ("present", "absent", "unknown"):
        assert any(f"no case expects {NEW} to be {truth}" in fault for fault in found)


def test_accepts_the_flag_with_its_cases(module):
    """With the cases of the page the module is sound."""
    (flag,) = (flag["id"] for flag in FLAGS)
    append(module / "cases-organs.yaml", [{**case, "expect": {NEW: case["expect"][flag]}} for case in CASES])

    assert () == check(module, None).faults


def listed(opening: str) -> list[str]:
    """The words between backticks in the sentence that begins so, without what stands in brackets."""
    sentence = re.search(rf"{re.escape(opening)}(.*?)\.(?:\s|$)", pages.text_of(pages.CONTRIBUTING))
    assert sentence
    return re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", sentence[1]))


def test_lists_the_kinds_of_criterion():
    """The kinds of criterion are those of the model."""
    kinds = [kind.__struct_config__.tag for kind in get_args(Criterion)]

    assert kinds == listed("Kinds of criterion:")


def test_lists_the_ways_to_combine_findings():
    """The ways to combine findings are those of the model."""
    assert list(Clause.__struct_encode_fields__) == listed("`assessment.yaml`:")
