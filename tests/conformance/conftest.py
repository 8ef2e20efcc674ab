"""What the service says of itself and to every fixture patient, asked once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests import build


@pytest.fixture(scope="session")
def services(client: FlaskClient) -> list[dict[str, Any]]:
    """The services that discovery lists."""
    return client.get("/cds-services").json["services"]


@pytest.fixture(scope="session")
def answers(client: FlaskClient) -> list[Any]:
    """A successful answer for each fixture patient, each of a call of its own, and one without cards from data that lacked."""
    charts = [{**build.fixture_request(name), "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, name))} for name in build.fixture_names()]
    lacking = {key: value for key, value in build.healthy().items() if key != "conditions"}
    return [client.post(build.SERVICE, json=call) for call in (*charts, build.request(lacking))]


@pytest.fixture(scope="session")
def cards(answers: list[Any]) -> list[dict[str, Any]]:
    """Every card of every answer."""
    return [card for answer in answers for card in answer.json["cards"]]


@pytest.fixture(scope="session")
def suggestions(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every suggestion of every card."""
    return [suggestion for card in cards for suggestion in card.get("suggestions", [])]


@pytest.fixture(scope="session")
def actions(suggestions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every action of every suggestion."""
    return [action for suggestion in suggestions for action in suggestion["actions"]]
