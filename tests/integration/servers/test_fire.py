"""The service against real FHIR servers, as an EHR would use it: load the constructed patients, fire for each, compare."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from cds_service.cli import main
from cds_service.dialects import DIALECTS
from cds_service.dialects.dialect import Dialect, Search
from cds_service.ehr.prefetch import MODES, by_kind, searched
from cds_service.fhir.search import PATIENT_ID, prefetch_templates
from tests import build
from tests.fakes import answer_of, check_answer
from tests.faults import matrix
from tests.fixtures_.charts import EXPECTED, NAMES, bundle
from tests.integration.server import serving
from tests.integration.servers.upload import FHIR_JSON

SERVERS = ("hapi_server", "sekmet_server")
FIXTURES = str(build.FIXTURES)
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


class Played(NamedTuple):
    """What firing for every patient of a server brought: each answer's bytes, by the fullness of the prefetch."""

    base: str
    answers: Mapping[str, Mapping[str, bytes]]


@cache
def patient_of(name: str) -> str:
    """The id of a fixture's patient."""
    return next(str(e["resource"]["id"]) for e in bundle(name)["entry"] if e["resource"]["resourceType"] == "Patient")


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Both servers with every constructed patient, put there twice by the command that users have."""
    servers = {name: str(request.getfixturevalue(name)) for name in SERVERS}
    for base in servers.values():
        for _ in range(2):
            main(["load-fixtures", "--fhir-server", base, "--from", FIXTURES])
    return servers


@pytest.fixture(scope="module")
def played(loaded: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Played]]:
    """Every patient of both servers, opened with all, half and none of the prefetch, at one service that may ask both servers."""
    folder = tmp_path_factory.mktemp("played")
    clients = folder / "clients.toml"
    dialects = {"hapi_server": "hapi", "sekmet_server": "spec"}
    entries = [
        f'[[client]]\nname = "{name.replace("_", "-")}"\nfhir_server = "{base}"\ndialect = "{dialects[name]}"\nopen = true\n'
        for name, base in loaded.items()
    ]
    clients.write_text("\n".join(entries), encoding="utf-8")
    with serving(CDS_CLIENTS=str(clients), CDS_DEADLINE="30") as service:
        yield {name: _played(base, service + build.SERVICE, folder / name) for name, base in loaded.items()}


def _played(base: str, url: str, folder: Path) -> Played:
    answers = {}
    for mode in MODES:
        kept = folder / mode
        main(["fire", "--fhir-server", base, "--all", "--service", url, "--prefetch", mode, "--save", str(kept)])
        answers[mode] = {path.name.removesuffix(".response.json"): path.read_bytes() for path in sorted(kept.glob("*.response.json"))}
        for body in answers[mode].values():
            check_answer("POST", build.SERVICE, 200, "application/json", body)
    return Played(base, answers)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mode", MODES)
def test_gives_every_patient_the_expected_topics(played, server, mode):
    """However much is sent along, each patient gets the cards that were reasoned for it."""
    found = {name: _topics(played[server].answers[mode][patient_of(name)]) for name in NAMES}

    assert {name: EXPECTED[name]["topics"] for name in NAMES} == found


@pytest.mark.parametrize("server", SERVERS)
def test_gives_the_same_bytes_however_much_is_sent(played, server, record_property):
    """Full, partial and no prefetch lead to the same answer, byte for byte; two answers without a card prove nothing and are not counted."""
    full, partial, none = (played[server].answers[mode] for mode in MODES)
    counted = [name for name in NAMES if json.loads(full[patient_of(name)])["cards"]]
    record_property("cards", (server, played[server].answers))

    assert len(counted) == len([name for name in NAMES if EXPECTED[name]["topics"]])
    for name in counted:
        assert full[patient_of(name)] == partial[patient_of(name)] == none[patient_of(name)], name


def test_gives_the_same_cards_on_both_servers(played):
    """It is not one server that is fitted: after the ids are taken out, both lead to the same cards."""
    hapi, sekmet = (played[server].answers["none"] for server in SERVERS)

    assert {name: _without_ids(hapi[patient_of(name)]) for name in NAMES} == {name: _without_ids(sekmet[patient_of(name)]) for name in NAMES}


@pytest.mark.parametrize("server", SERVERS)
def test_reads_page_after_page(loaded, server):
    """With pages so small that some key takes three, the cards are those of one page."""
    paged = 0
    for name in (name for name in NAMES if EXPECTED[name]["topics"]):
        size = max(1, math.ceil(_most(name) / 3))
        one, three = (_asked(loaded[server], name, _dialect(server, count)) for count in (100, size))
        paged += _most(name) > size

        assert one == three, name
    assert paged


@pytest.mark.parametrize("server", SERVERS)
def test_says_what_stands_beyond_the_third_page(loaded, server):
    """With two results a page, what three pages do not hold is said to be missing."""
    long = [name for name in NAMES if _most(name) > 6 and EXPECTED[name]["topics"]]
    answers = [_asked(loaded[server], name, _dialect(server, 2)) for name in long]

    assert long
    assert all(b"Not available" in answer or b"unavailable" in answer for answer in answers)


def test_emits_orders_that_hapi_finds_valid(played, hapi_server):
    """Every resource that a suggestion offers for any patient passes HAPI's $validate against FHIR R4."""
    offered = {
        json.dumps(r, sort_keys=True) for answers in played["hapi_server"].answers.values() for body in answers.values() for r in _resources(body)
    }

    assert len(offered) > len(NAMES)
    for text in sorted(offered):
        kind = json.loads(text)["resourceType"]
        answer = requests.post(f"{hapi_server}/{kind}/$validate", data=text.encode(), headers={"Content-Type": FHIR_JSON}, timeout=120)
        wrong = [issue["diagnostics"] for issue in answer.json()["issue"] if issue["severity"] in ("error", "fatal")]
        assert [] == wrong, text


def _topics(body: bytes) -> list[str]:
    return [card["source"]["topic"]["code"] for card in json.loads(body)["cards"]]


def _resources(body: bytes) -> Iterator[dict[str, Any]]:
    for card in json.loads(body)["cards"]:
        for suggestion in card.get("suggestions", ()):
            yield from (action["resource"] for action in suggestion["actions"] if "resource" in action)


def _without_ids(body: bytes) -> str:
    return re.sub(r'"uuid":"[0-9a-f-]{36}"', '"uuid":""', body.decode())


def _dialect(server: str, count: int) -> Dialect:
    """The server's dialect with pages of another size."""

    def adapt(search: Search) -> Search | None:
        return search.with_("_count", str(count)) if search.parameters else search

    return DIALECTS["hapi" if server == "hapi_server" else "spec"]._replace(adapt=adapt)


def _most(name: str) -> int:
    """The most resources that any key finds in a fixture's chart."""
    entries = bundle(name)["entry"]
    queries = [template.replace(PATIENT_ID, patient_of(name)) for template in prefetch_templates(build.KNOWLEDGE).values()]
    return max(len(searched(by_kind(entries), query)["entry"]) for query in queries if "?" in query)


def _asked(base: str, name: str, dialect: Dialect) -> bytes:
    """The answer to a call without prefetch, by a service that asks in a dialect."""
    service = matrix.service_for(base, deadline=30.0, dialect=dialect)
    context = {"userId": "Practitioner/example", "patientId": patient_of(name)}
    call = {"hook": "patient-view", "hookInstance": INSTANCE, "fhirServer": base, "context": context}
    try:
        return answer_of(service, json.dumps(call).encode()).body
    finally:
        service.fallback.close()
