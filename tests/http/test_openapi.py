"""The OpenAPI document says what the service answers: every route, every error, and the schemas by which answers are checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.errors import CDSServiceError, KnowledgeError, MethodNotAllowed, SettingsError
from cds_service.protocol import schema
from cds_service.settings import Settings
from tests import build, golden
from tests.fakes import checked_app
from tests.fuzz.witness import operation_of
from tests.trust.minting import ISSUER, Clock, bearer, entry, pinned, registered

COMPONENTS = "#/components/schemas/"
NOT_OF_ONE_PATH = {KnowledgeError, SettingsError, MethodNotAllowed}  # at the start only; of a path that does not take the method


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    """An open service, and one whose clients sign their calls, with a closed discovery, a SMART app, and pages behind a token."""
    folder = tmp_path_factory.mktemp("closed")
    token = folder / "governance.token"
    token.write_text("0123456789abcdef0123", encoding="utf-8")
    app = '[client.smart]\nclient_id = "app"\n'
    clients = registered(folder, entry("north", issuer=ISSUER, jwks_file=pinned(folder), fhir_server="https://ehr.example/r4"), app)
    closed = Settings(clients=clients, authenticate_discovery=True, governance_token_file=token)
    return {name: checked_app(settings, lambda: build.TODAY, Clock()) for name, settings in {"open": Settings(), "closed": closed}.items()}


def document(app: Any) -> dict[str, Any]:
    """The document of a service."""
    return dict(app.test_client().get("/openapi.json").json)


def references(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        yield from [inner for name, inner in value.items() if name == "$ref" and isinstance(inner, str)]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_has_every_route_and_no_other(apps, mode):
    """Each route with each method is an operation, under the same path."""
    routes = {
        (re.sub(r"<\w+>", "{}", str(rule)), method.lower())
        for rule in apps[mode].url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    found = document(apps[mode])["paths"]

    assert routes == {(re.sub(r"\{\w+\}", "{}", path), method) for path, item in found.items() for method in item if method != "parameters"}


def errors(kind: type[CDSServiceError] = CDSServiceError) -> Iterator[type[CDSServiceError]]:
    """Every kind of error that has a code of its own."""
    for one in kind.__subclasses__():
        if "code" in vars(one):
            yield one
        yield from errors(one)


def test_names_every_error(apps):
    """Each error that a call can end in stands under its status in some operation."""
    text = {(status, name) for item in document(apps["closed"])["paths"].values() for status, name in named(item)}

    assert {(str(error.status), error.code) for error in errors() if error not in NOT_OF_ONE_PATH} == text


def named(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The codes of errors in the operations of a path, with their statuses."""
    for method, operation in item.items():
        if method != "parameters":
            for status, answer in operation["responses"].items():
                yield from ((status, code) for code in re.findall(r"`([a-z-]+)`:", answer["description"]))


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_refers_only_to_what_it_holds(apps, mode):
    """Each reference leads to a component."""
    whole = document(apps[mode])

    assert {reference.removeprefix(COMPONENTS) for reference in references(whole)} <= whole["components"]["schemas"].keys()


def resolved(value: Any, components: dict[str, Any]) -> dict[str, Any]:
    """A component as a schema of its own, which the validator of the service takes."""
    text = json.dumps({**value, "$defs": components}).replace(COMPONENTS, "#/$defs/")
    return dict(json.loads(text))


@pytest.mark.parametrize("name", golden.names())
def test_judges_an_answer_as_the_schemas_of_the_service_do(apps, name):
    """A recorded answer is valid by the document's schema; with a member that no card has it is valid by neither."""
    components = document(apps["open"])["components"]["schemas"]
    judge = type(schema.validator("service-response.schema.json"))(resolved(components["service-response"], components))
    answer = json.loads((golden.FIXTURES / "cards" / f"{name}.json").read_text(encoding="utf-8"))
    odd = {**answer, "cards": [{**card, "odd": 1} for card in answer["cards"]], "more": 1}

    assert [True, False] == [judge.is_valid(value) for value in (answer, odd)]
    assert [True, False] == [not list(schema.faults("service-response.schema.json", value)) for value in (answer, odd)]


def test_says_which_calls_need_a_token(apps):
    """In an open service none does; in a closed one calls, feedback and, where that is closed, discovery, and the page has a token of its own."""
    secured = {
        mode: {path: operation["security"] for path, item in document(app)["paths"].items() for operation in item.values() if "security" in operation}
        for mode, app in apps.items()
    }

    client, page = [{"clientToken": []}], [{"governanceToken": []}]
    calls = dict.fromkeys(("/cds-services", "/cds-services/{service}", "/cds-services/{service}/feedback"), client)
    assert {"open": {}, "closed": {**calls, **dict.fromkeys(("/governance", "/governance/snoozes", "/simulator"), page)}} == secured


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (bearer(), 200)])
def test_documents_what_a_call_gets(apps, headers, status):
    """The status of an answer and its content stand in the document."""
    response = apps["closed"].test_client().post(build.SERVICE, json=build.request(build.suspect()), headers=headers)

    found = (operation_of(document(apps["closed"]), "POST", build.SERVICE) or {})["responses"][str(status)]
    assert status == response.status_code
    assert [response.mimetype] == list(found["content"])
    assert found.get("headers", {}).keys() <= set(response.headers.keys())


def test_is_linked(client):
    """The start page and the page about the service lead to it."""
    assert all('href="/openapi.json"' in client.get(path).get_data(as_text=True) for path in ("/", "/about"))
