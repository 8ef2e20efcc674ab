"""SECURITY.md names every way in, every table, every algorithm, and tests and modules that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.settings import Settings
from cds_service.storage.tables import METADATA
from cds_service.trust.identity import ALGORITHMS
from tests import build
from tests.docs import pages
from tests.fakes import checked_app
from tests.trust.minting import entry, registered

PAGE = pages.ROOT / "SECURITY.md"
LINKS = pages.links(PAGE)


def spans(heading: str, column: int) -> list[str]:
    """What stands between backticks in one column of the table under a heading."""
    return [span for row in pages.rows(pages.section(PAGE, heading)) for span in re.findall(r"`([^`]+)`", row[column])]


def test_names_every_way_in(tmp_path):
    """Each path with its method has a row that says who gets in, and no row is of a path that is none."""
    clients = registered(tmp_path, entry("north", fhir_server="http://127.0.0.1:9/r4"), '[client.smart]\nclient_id = "app"\n')
    rules = checked_app(Settings(clients=clients), lambda: build.TODAY).url_map.iter_rules()

    ways = {f"{method} {rule}" for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}}

    assert sorted(ways) == sorted(set(spans("Ways in", 0)) - {"cds-service"})


def test_classifies_every_table():
    """Each table of the database has its level of protection."""
    named = set(spans("Which data, and how each is kept", 0))

    assert set(METADATA.tables) - named == set()


def test_lists_every_algorithm_of_a_signature():
    """The inventory has the algorithms that a registration may name, and no others."""
    row = pages.rows(pages.section(PAGE, "Keys and algorithms"))[0]

    assert sorted(ALGORITHMS) == sorted(re.findall(r"\b(?:[EPR]S\d{3}|EdDSA)\b", row[1]))


def test_names_modules_that_hold_what_it_says():
    """Where an algorithm or a control is said to stand there is a file, and each test that proves something is there."""
    named = re.findall(r"`((?:cds_service|tests)/[\w./]*)`", pages.text_of(PAGE))

    assert [] == [name for name in named if not (pages.ROOT / name).exists()]


@pytest.mark.parametrize("target", LINKS)
def test_leads_somewhere(target):
    """A link's file exists, and so does its anchor."""
    path, _, anchor = target.partition("#")
    goal = pages.ROOT / path if path else PAGE

    assert goal.exists()
    assert not anchor or anchor in pages.anchors(goal)


def test_uses_cryptography_of_the_inventory_alone():
    """No module but those of the inventory hashes, signs or draws secrets."""
    package = pages.ROOT / "cds_service"
    users = {
        path.relative_to(pages.ROOT)
        for path in package.rglob("*.py")
        if re.search(r"^\s*(?:import|from) (?:hashlib|hmac|secrets|ssl|joserfc|cryptography)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = {Path(name) for name in spans("Keys and algorithms", 3)}

    # The same keys and tokens, read, made ready or compared by the modules around those that are named.
    around = {"trust/jwt.py", "trust/keys.py", "trust/tokens.py", "storage/opening.py"}
    assert users - named - {Path("cds_service") / name for name in around} == set()
