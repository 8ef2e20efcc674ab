"""The README's tables list what there is: no command, option, target or setting is missing or stale."""

from __future__ import annotations

import re

import pytest
import yaml

from cds_service.settings import from_environment
from tests.docs import pages, reference

COMMANDS = pages.rows(pages.section(pages.README, "Commands"))
SETTINGS = pages.rows(pages.section(pages.README, "Settings"))
NAMED = {span for page in pages.written() for span in pages.spans(page)}


def listed(program: str) -> dict[str, str]:
    """Each row of the table of commands for a program: its first two words, and all of it."""
    rows = [" | ".join(row) for row in COMMANDS]
    found: dict[str, str] = {}
    for row in rows:
        match = re.match(r"`([\w-]+(?: [\w-]+)?)[^`]*`", row)
        if match and match[1].split()[0] == program:
            found[match[1]] = " | ".join(filter(None, [found.get(match[1]), row]))
    return found


def test_lists_every_make_target():
    """The table of commands has what `make help` has."""
    assert {f"make {name}" for name in reference.make_targets()} == set(listed("make"))


def test_lists_every_command():
    """The table of commands has each command of the program."""
    assert set(reference.commands()) - {"cds-service"} == set(listed("cds-service"))


@pytest.mark.parametrize("name", listed("cds-service"))
def test_lists_every_option(name):
    """The row of a command names its options, and no others."""
    found = {word for option in reference.options(reference.commands()[name]) for word in option.opts}

    assert found == set(re.findall(r"--[\w-]+", listed("cds-service")[name]))


def test_lists_every_setting():
    """The table of settings has those that are read, in their order."""
    assert [f"`{name}`" for name in reference.settings()] == [row[0] for row in SETTINGS]


@pytest.mark.parametrize("row", [row for row in SETTINGS if row[1].startswith("`")], ids=lambda row: row[0])
def test_says_the_default(row):
    """A variable set to the default that the table names changes nothing."""
    name, default = (cell.strip("`") for cell in row[:2])

    found = from_environment({name: default.replace("CDS_HOST:CDS_PORT", "127.0.0.1:8080")})

    assert from_environment({}) == found


@pytest.mark.parametrize("span", sorted(span for span in NAMED if span.startswith("make ")))
def test_names_a_make_target_that_is(span):
    """Any page that tells the reader to make something names a target."""
    assert span.split()[1] in reference.make_targets()


@pytest.mark.parametrize("span", sorted(span for span in NAMED if re.match(r"(\S*/)?cds-service ", span)))
def test_names_a_command_that_is(span):
    """Any page that tells the reader to run the program names a command with its options."""
    words = span.split()[1:]
    command = reference.commands()[f"cds-service {words[0]}"]

    taken = {name for option in reference.options(command) for name in option.opts}

    assert {word for word in words if word.startswith("--")} <= taken


def test_lists_every_fixture():
    """The fixtures' table has each patient with the cards and the words of expected.yaml."""
    expected = yaml.safe_load(pages.text_of(pages.ROOT / "fixtures" / "expected.yaml"))

    wanted = [[f"[{e['fixture']}](fhir/{e['fixture']}.json)", ", ".join(f"`{t}`" for t in e["topics"]) or "none", e["shows"]] for e in expected]

    assert wanted == pages.rows(pages.text_of(pages.ROOT / "fixtures" / "README.md"))


SET_BY = [*pages.written(), *(pages.ROOT / name for name in ("Dockerfile", "docker-compose.yml", "Makefile"))]


@pytest.mark.parametrize("page", SET_BY, ids=lambda page: str(page.relative_to(pages.ROOT)))
def test_names_settings_that_are(page):
    """No page and no deployment file names a setting that is not read."""
    assert set(re.findall(r"CDS_[A-Z_]*[A-Z]", pages.text_of(page))) <= set(reference.settings())
