"""The alert rules speak of metrics that are there; the page on operations has each of them, each event of the log, and a proxy to copy."""

from __future__ import annotations

import re

import pytest
import yaml

from cds_service import telemetry
from cds_service.http.body import LARGEST_BODY
from cds_service.settings import Settings
from cds_service.storage import database
from tests import build
from tests.docs import pages
from tests.docs.pages import ROOT
from tests.fakes import checked_app

RULES = [rule for group in yaml.safe_load((ROOT / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def metrics():
    """What is said of metrics after a call, a refusal, feedback and a token that was refused."""
    app = checked_app(Settings(), lambda: build.TODAY)
    app.extensions["counts"].refuse_token("signature")
    client = app.test_client()
    client.post(build.SERVICE, json=build.request({**build.suspect(), "bloodCounts": build.outcome()}))
    client.post("/cds-services/none", json=build.request(build.healthy()))
    client.post(
        f"{build.SERVICE}/feedback", json={"feedback": [{"card": build.CALL, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T08:00:00Z"}]}
    )
    return client.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_watches_what_is_there(rule, metrics):
    """Each metric of a rule is one that the service tells."""
    named = set(re.findall(r"\bcds_\w+", rule["expr"]))

    assert not [name for name in named if not re.search(rf"^{name}[ {{]", metrics, re.MULTILINE)]


def test_says_what_to_do_about_each_alarm():
    """The page has a row for every rule, and no other."""
    assert [rule["alert"] for rule in RULES] == re.findall(r"^\| `(CDS\w+)` \|", PAGE, re.MULTILINE)


# --- the log ---


def test_lists_every_event_with_its_members():
    """The table has each event that the package logs, and together its members are those that may leave; `hook` no event has."""
    logged = {
        name for path in (ROOT / "cds_service").rglob("*.py") for name in re.findall(r'event\(\s*"([a-z.]+)"', path.read_text(encoding="utf-8"))
    }
    rows = pages.rows(pages.section(pages.DOCS / "operations.md", "The log"))

    members = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}

    assert sorted(logged) == sorted(row[0].strip("`") for row in rows)
    assert set(telemetry._FIELDS) - members == {"hook", "workers"}
    assert members <= set(telemetry._FIELDS)


# --- the proxy ---


def test_shows_a_proxy_that_keeps_to_https_and_publishes_little():
    """The proxy to copy has a year of HSTS for all below its name, no redirect from HTTP, and only what callers need."""
    [shown] = pages.blocks(pages.DOCS / "operations.md", "caddyfile")

    [age, below] = re.findall(r'Strict-Transport-Security "max-age=(\d+); (includeSubDomains)"', shown)[0]
    assert (365 * 24 * 60 * 60, "includeSubDomains") == (int(age), below)
    assert "auto_https disable_redirects" in shown
    assert "http://" not in shown
    assert ["/cds-services", "/cds-services/*", "/about", "/about/*", "/about.json"] == re.findall(r"path (.*)", shown)[0].split()
    assert LARGEST_BODY < int(re.findall(r"max_size (\d)MB", shown)[0]) * 10**6
    assert re.findall(r"request_buffers (\w+)", shown) == re.findall(r"max_size (\w+)", shown)


def test_says_what_the_database_may_be_asked():
    """The table of what the service speaks to has the numbers of the code."""
    row = next(row for row in pages.rows(pages.section(pages.DOCS / "operations.md", "What it speaks to")) if "CDS_DATABASE" in row[1])
    engine = database.Database("postgresql://cds@127.0.0.1:9/cds").engine

    assert f"{engine.pool.size() + engine.pool._max_overflow} connections a process, {database._PATIENCE} second for a statement" in row[2]
    assert f"after {database.RETRY_AFTER} seconds" in row[2]
