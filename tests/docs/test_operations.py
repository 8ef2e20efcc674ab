"""The alert rules speak of metrics that are there, and the page on operations of each of them."""

from __future__ import annotations

import re

import pytest
import yaml

from cds_service.settings import Settings
from tests import build
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
