"""Discovery, by the sentences of the standard."""

from __future__ import annotations

import pytest

from tests import build

DISCOVERY = "/cds-services"


@pytest.mark.requirement("cds-hooks_2.0@4", "cds-hooks_2.0@5", "cds-hooks_2.0@13")
def test_answers_whatever_came_before(client):
    """GET /cds-services is 200 at the start, after a call that was answered, and after calls that were refused."""
    statuses = [client.get(DISCOVERY).status_code]
    for body in (build.request(build.suspect()), build.request(), {}):
        client.post(build.SERVICE, json=body)
        statuses.append(client.get(DISCOVERY).status_code)

    assert [200, 200, 200, 200] == statuses


@pytest.mark.requirement("cds-hooks_2.0@6")
def test_is_an_object_that_holds_an_array_of_services(client):
    """The body is an object, its services an array of objects."""
    listing = client.get(DISCOVERY).json

    assert (dict, list) == (type(listing), type(listing["services"]))
    assert {dict} == {type(service) for service in listing["services"]}


@pytest.mark.requirement("cds-hooks_2.0@7")
def test_names_the_hook_of_each_service(client, services):
    """A service takes calls of the hook that it is listed with and refuses those of another."""
    calls = [(s["id"], hook) for s in services for hook in (s["hook"], "com.example.other-hook")]

    statuses = [client.post(f"{DISCOVERY}/{name}", json=build.request(build.healthy(), hook=hook)).status_code for name, hook in calls]

    assert {str} == {type(service["hook"]) for service in services}
    assert [200, 400] * len(services) == statuses


@pytest.mark.requirement("cds-hooks_2.0@8", "cds-hooks_2.0@9", "cds-hooks_2.0@12")
@pytest.mark.parametrize("member", ["title", "description", "usageRequirements"])
def test_describes_each_service_in_words(services, member):
    """Title, description and usage requirements are texts of more than one word."""
    assert {str} == {type(service[member]) for service in services}
    assert [] == [service[member] for service in services if len(service[member].split()) < 2]


@pytest.mark.requirement("cds-hooks_2.0@10", "cds-hooks_2.0@16")
def test_serves_each_service_at_its_id(client, services):
    """The id of a service is a text and the last part of its URL; there is nothing at another one."""
    ids = [service["id"] for service in services]

    statuses = [client.post(f"{DISCOVERY}/{name}", json=build.request(build.healthy())).status_code for i in ids for name in (i, f"{i}-other")]

    assert {str} == {type(i) for i in ids}
    assert [200, 404] * len(ids) == statuses


@pytest.mark.requirement("cds-hooks_2.0@11")
def test_lists_its_queries_by_key(services):
    """The prefetch of a service is an object of texts."""
    templates = [service["prefetch"] for service in services]

    assert {dict} == {type(t) for t in templates}
    assert {(str, str)} == {(type(key), type(query)) for t in templates for key, query in t.items()}


@pytest.mark.requirement("cds-hooks_2.0@14")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_refuses_what_is_no_question(client, method):
    """Discovery takes GET; another method is 405."""
    assert 405 == client.open(DISCOVERY, method=method).status_code
