"""docs/clients.md: its examples are files that load, and its tables have every member, dialect, limit and reason."""

from __future__ import annotations

import re

import msgspec

from cds_service import invocation, transport
from cds_service.dialects import DIALECTS
from cds_service.fhir import client, fallback
from cds_service.settings import Settings
from cds_service.trust import clients
from cds_service.trust.entries import Entry
from cds_service.trust.reasons import REASONS
from tests.build import KNOWLEDGE
from tests.docs import pages
from tests.trust.minting import pinned

PAGE = pages.DOCS / "clients.md"
SHORT, WHOLE, *PROFILES = pages.blocks(PAGE, "toml")
AUTHORITY, KEYS = "/etc/cds/south-authority.pem", "/etc/cds/test-server.jwks.json"


def names(tmp_path, text: str) -> list[str]:
    """The names of the clients in an example; the files of its authority and its keys are put where the test may write."""
    (tmp_path / "authority.pem").write_text("", encoding="utf-8")
    path = tmp_path / "clients.toml"
    path.write_text(text.replace(AUTHORITY, str(tmp_path / "authority.pem")).replace(KEYS, pinned(tmp_path)), encoding="utf-8")
    return [one.name for one in clients.load(path, clients.ours(KNOWLEDGE)).registered]


def test_shows_files_that_load(tmp_path):
    """Both examples register whom they say."""
    assert ["north-hospital"] == names(tmp_path, SHORT)
    assert ["south-hospital", "test-server"] == names(tmp_path, WHOLE)


def test_shows_registrations_to_copy(tmp_path):
    """Each profile loads by itself, and all of them together; the sandbox's tells that its key is known to everybody."""
    every = [name for text in PROFILES for name in names(tmp_path, text)]

    assert ["cds-hooks-sandbox", "inferno", "epic-site", "oracle-site"] == every == names(tmp_path, "\n".join(PROFILES))
    assert "anybody can sign as the sandbox" in pages.text_of(PAGE)


def test_lists_every_reason_of_a_refused_token():
    """The table has each reason of the closed list, with the words that `client test` says."""
    told = {row[0].strip("`"): row[1] for row in pages.rows(pages.section(PAGE, "Who may call"))}

    assert dict(REASONS) == told


def test_lists_every_member_with_its_default():
    """The table of members is that of the file."""
    fields = msgspec.structs.fields(Entry)
    shown = {"spec": "`spec`", False: "`false`", 64: "`64`", 3600: "`3600`", 60: "`60`"}

    rows = [row[:3] for row in pages.rows(pages.section(PAGE, "Members"))]

    expected = [[f"`{f.name}`", "yes" if f.required else "no", shown.get(f.default, "") if isinstance(f.default, str | int) else ""] for f in fields]
    assert sorted(expected) == sorted(rows)


def test_uses_every_member_in_its_example():
    """Who copies the long example has seen each member once."""
    assert [] == [f.name for f in msgspec.structs.fields(Entry) if not re.search(rf"^(\[client\.)?{f.name}\b", WHOLE, re.MULTILINE)]


def test_names_every_dialect():
    """The row of `dialect` has all that there are."""
    row = next(row for row in pages.rows(pages.section(PAGE, "Members")) if row[0] == "`dialect`")

    assert list(DIALECTS) == re.findall(r"`(\w+)`", row[3])


def test_lists_every_reason():
    """Whatever an answer may say of a query stands in the table, in the order of the code."""
    told = [row[0] for row in pages.rows(pages.section(PAGE, "How to see it"))]

    assert [*(what for what, _ in fallback._REASONS.values()), invocation._NOT_REGISTERED.what] == told


def test_says_the_limits():
    """The table of limits has the numbers of the code."""
    limits = dict(pages.rows(pages.section(PAGE, "How long, how often, how much")))

    assert f"`CDS_DEADLINE`, {Settings().deadline:g} seconds" in limits["time for a whole answer"]
    assert f"{fallback._MOST_PAGES}, with one that was sent" == limits["pages of one key"]
    assert f"{client.LARGEST_PAGE >> 20} MiB, unpacked" == limits["size of one page"]
    assert f"{transport.LARGEST_CALL >> 20} MiB, unpacked" == limits["size of all pages of a call"]
    assert 0.1 == fallback._TO_ANSWER
