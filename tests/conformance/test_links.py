"""Links: to the SMART app, on the cards of a client that has registered it, and on no others."""

from __future__ import annotations

import copy
from urllib.parse import urlsplit

import pytest

from cds_service.protocol import schema
from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app

SERVER = "https://fhir.north.example/r4"


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """Every card of every fixture patient, for a client that has registered the app."""
    path = tmp_path_factory.mktemp("links") / "clients.toml"
    path.write_text(f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n[client.smart]\nclient_id = "app"\n', encoding="utf-8")
    asked = checked_app(Settings(clients=path), lambda: build.TODAY).test_client()
    charts = [{**build.fixture_request(name), "fhirServer": SERVER} for name in build.fixture_names()]
    return [card for chart in charts for card in asked.post(build.SERVICE, json=chart).json["cards"]]


@pytest.mark.requirement("cds-hooks_2.0@103", "cds-hooks_2.0@104")
def test_links_by_an_array_or_not_at_all(linked, cards):
    """Every card of such a client has one link; of others, none has."""
    assert {list} == {type(card["links"]) for card in linked}
    assert {1} == {len(card["links"]) for card in linked}
    assert [] == [card for card in cards if "links" in card]


@pytest.mark.requirement("cds-hooks_2.0@138", "cds-hooks_2.0@139", "cds-hooks_2.0@141", "cds-hooks_2.0@142")
def test_names_label_url_and_type(linked):
    """The link is labelled, absolute, and of type smart, so that the EHR launches it."""
    links = [link for card in linked for link in card["links"]]

    assert {("Evidence in this chart, over time", "smart")} == {(link["label"], link["type"]) for link in links}
    assert {("http", "127.0.0.1:8080", "/smart/launch", "")} == {tuple(urlsplit(link["url"]))[:4] for link in links}


@pytest.mark.requirement("cds-hooks_2.0@110")
def test_leads_to_more_of_the_chart_by_a_link_and_not_by_the_source(linked):
    """The source's page is the same for every patient; the link opens the evidence of this one."""
    assert {"http://127.0.0.1:8080/about"} == {card["source"]["url"] for card in linked}
    assert {"http://127.0.0.1:8080/smart/launch"} == {card["links"][0]["url"] for card in linked}


@pytest.mark.requirement("cds-hooks_2.0@140", "cds-hooks_2.0@144", "cds-hooks_2.0@145", "cds-hooks_2.0@146", "cds-hooks_2.0@147")
def test_needs_no_context_beside_the_launch(linked):
    """The EHR's launch brings the patient, so no link has an appContext, and no URL a part that speaks of somebody."""
    links = [link for card in linked for link in card["links"]]

    assert {("label", "type", "url")} == {tuple(sorted(link)) for link in links}
    assert {("", "")} == {tuple(urlsplit(link["url"]))[3:] for link in links}


@pytest.mark.parametrize(
    ("changed", "sound"),
    [
        ({"appContext": "x"}, True),
        ({"appContext": 1}, False),
        ({"appContext": "x", "type": "absolute"}, False),
        ({"type": "other"}, False),
        ({"url": "/smart/launch"}, False),
        ({"label": ""}, False),
    ],
)
def test_is_held_to_the_standard_in_every_test(linked, changed, sound):
    """The schema that checks every answer takes a context of a SMART link as a text, and refuses the rest."""
    card = copy.deepcopy(linked[0])
    card["links"][0].update(changed)

    assert sound == (not list(schema.faults("service-response.schema.json", {"cards": [card]})))
