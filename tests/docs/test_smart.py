"""docs/smart.md: its examples are files that load, and its tables have every member, reason and limit."""

from __future__ import annotations

import re

import msgspec

from cds_service.smart import exchange, pending
from cds_service.smart.reasons import REASONS
from cds_service.trust import clients, key_server
from cds_service.trust.app import AppEntry
from cds_service.web import smart
from tests.build import KNOWLEDGE
from tests.docs import pages
from tests.smart.ehr import private_key

PAGE = pages.DOCS / "smart.md"
SHORT, WHOLE = pages.blocks(PAGE, "toml")


def names(tmp_path, text: str) -> list[str]:
    """The names of the clients in an example; its files are put where the test may write."""
    for name in ("south-authority.pem", "south-login.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
    private_key(tmp_path)
    path = tmp_path / "clients.toml"
    path.write_text(text.replace("/etc/cds", str(tmp_path)), encoding="utf-8")
    return [one.name for one in clients.load(path, clients.ours(KNOWLEDGE)).registered if one.app]


def test_shows_registrations_that_load(tmp_path):
    """Both examples register the app."""
    assert ["north"] == names(tmp_path, SHORT)
    assert ["south"] == names(tmp_path, WHOLE)


def test_lists_every_member_with_its_default():
    """The table of members is that of the code, and the long example has each."""
    fields = msgspec.structs.fields(AppEntry)

    rows = [row[:3] for row in pages.rows(pages.section(PAGE, "Members"))]

    assert [[f"`{f.name}`", "yes" if f.required else "no", "`false`" if f.default is False else ""] for f in fields] == rows
    assert [] == [f.name for f in fields if not re.search(rf"\b{f.name} =", WHOLE)]


def test_lists_every_reason():
    """What a page says and what its administrator does are those of the code."""
    told = {row[0].strip("`"): row[1:] for row in pages.rows(pages.section(PAGE, "Where it does not open"))}

    assert {reason: [said.what, said.remedy] for reason, said in REASONS.items()} == told


def test_says_the_limits():
    """Times and sizes are those of the code."""
    text = pages.text_of(PAGE)

    assert f"{key_server.SECONDS:g} seconds, {key_server.LARGEST_SET >> 10} kB" in text
    assert f"{exchange.SECONDS:g} seconds, {exchange.LARGEST_ANSWER >> 10} kB" in text
    assert f"within {smart.SECONDS_TO_READ:g} seconds" in text
    assert (600, 60) == (pending.SECONDS, pending.SECONDS_OF_A_CODE)
    assert "ten minutes, and one minute with a code" in text
    assert f"at most {pending.LONGEST_CODE} characters" in text
