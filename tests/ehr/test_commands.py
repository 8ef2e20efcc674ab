"""Playing the EHR from the command line: load patients, fire for them, see the cards, take the patients off again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from cds_service.cli import main
from cds_service.dialects import DIALECTS
from tests import build
from tests.ehr.store import Store, running
from tests.fakes import check_answer
from tests.fixtures_.charts import EXPECTED, NAMES
from tests.integration.server import serving

FIXTURES = str(build.FIXTURES)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A FHIR server with the constructed patients, whose charts end today."""
    with running() as store:
        main(["load-fixtures", "--fhir-server", store.base, "--from", FIXTURES])
        yield store


@pytest.fixture(scope="module")
def service(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of our service in a process of its own, with the store registered as a client's server."""
    clients = tmp_path_factory.mktemp("clients") / "clients.toml"
    clients.write_text(f'[[client]]\nname = "store"\nfhir_server = "{store.base}"\nopen = true\n', encoding="utf-8")
    with serving(CDS_CLIENTS=str(clients), CDS_DEADLINE="20") as base:
        yield base + build.SERVICE


def said(capsys, *arguments: str) -> tuple[str, str, int]:
    """What a command prints, its complaint, and its exit status."""
    status = 0
    try:
        main(list(arguments))
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return out, err, status


@pytest.mark.parametrize("mode", ["full", "partial", "none"])
def test_fires_for_every_patient(capsys, tmp_path, store, service, mode):
    """Each constructed patient gets the topics that were reasoned for it, however much of the prefetch is sent."""
    out, err, status = said(capsys, "fire", "--fhir-server", store.base, "--all", "--service", service, "--prefetch", mode, "--save", str(tmp_path))

    saved = {path.name.removesuffix(".response.json"): json.loads(path.read_text()) for path in tmp_path.glob("*.response.json")}
    topics = {name: [card["source"]["topic"]["code"] for card in answer["cards"]] for name, answer in saved.items()}
    assert (0, "") == (status, err)
    for path in tmp_path.glob("*.response.json"):
        check_answer("POST", build.SERVICE, 200, "application/json", path.read_bytes())
    assert {_patient(name): EXPECTED[name]["topics"] for name in NAMES} == topics
    assert f"{len(NAMES)} patients: {len(NAMES)} x 200" in out


def test_gives_the_same_cards_however_much_is_sent(capsys, tmp_path, store, service):
    """Full, partial and no prefetch lead to the same bytes."""
    for mode in ("full", "partial", "none"):
        said(capsys, "fire", "--fhir-server", store.base, "--all", "--service", service, "--prefetch", mode, "--save", str(tmp_path / mode))

    full, partial, none = ({p.name: p.read_bytes() for p in (tmp_path / mode).glob("*.response.json")} for mode in ("full", "partial", "none"))
    assert full == partial
    assert full == none


def test_shows_one_patient_in_full(capsys, store, service):
    """The card stands in the terminal with its summary, facts, offers and source, and no Markdown marks."""
    out, _, _ = said(capsys, "fire", "--fhir-server", store.base, "--patient", _patient("test-sweet-macrocytosis"), "--service", service)

    assert "WARNING  Neutrophilic dermatosis + macrocytosis + low platelets" in out
    assert "    - Macrocytosis: MCV 108 fL" in out
    assert "[ ] UBA1 sequencing in blood" in out
    assert "**" not in out
    assert "https://pubmed.ncbi.nlm.nih.gov/" in out
    assert re.search(r"  200  \d+ ms  ", out)


def test_saves_the_exact_bytes(capsys, tmp_path, store, service):
    """What is kept is a call that can be sent again."""
    said(capsys, "fire", "--fhir-server", store.base, "--random", "1", "--service", service, "--save", str(tmp_path / "kept"))

    call = json.loads(next((tmp_path / "kept").glob("*.request.json")).read_bytes())
    assert store.base == call["fhirServer"]
    assert set(build.TEMPLATES) == set(call["prefetch"])


def test_loads_twice_without_a_difference(capsys, store):
    """Loading is idempotent: nothing is there twice."""
    before = dict(store.held)

    out, _, status = said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", FIXTURES)

    assert 0 == status
    assert before == store.held
    assert f"{len(NAMES)} patients on {store.base}" in out


def test_leaves_strangers_alone(capsys):
    """A patient who was not loaded from here is neither overwritten nor removed."""
    with running() as store:
        store.held[f"Patient/{_patient('healthy-man-80')}"] = {"resourceType": "Patient", "id": _patient("healthy-man-80"), "gender": "female"}
        for more in ((), ("--remove",)):
            _, err, status = said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", FIXTURES, *more)

            assert (2, True) == (status, "was not loaded from here" in err)

        assert "female" == store.held[f"Patient/{_patient('healthy-man-80')}"]["gender"]


def test_takes_them_off_again(capsys):
    """After --remove nothing of them is left."""
    with running() as store:
        said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", FIXTURES)
        loaded = len(store.held)
        said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", FIXTURES, "--remove")

        assert loaded > len(NAMES)
        assert {} == store.held


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--patient", "a", "--all"], "one of --patient ID, --all and --random N"),
        ([], "one of --patient ID, --all and --random N"),
        (["--patient", "a b"], "an id has no blanks"),
        (["--patient", "a", "--service", "http://127.0.0.1:9/cds-services/vexas"], "no discovery of a CDS service"),
    ],
)
def test_refuses_what_it_cannot_do(capsys, store, arguments, sentence):
    """A wrong call is one sentence and exit status 2."""
    _, err, status = said(capsys, "fire", "--fhir-server", store.base, *arguments)

    assert 2 == status
    assert sentence in err


def test_says_that_no_server_answers(capsys, service):
    """A FHIR server that nobody listens at is named, and nothing else happens."""
    _, err, status = said(capsys, "fire", "--fhir-server", "http://127.0.0.1:9/r4", "--all", "--service", service)

    assert 2 == status
    assert "http://127.0.0.1:9/r4: no answer" in err


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_prints_what_an_analyst_has_to_enter(capsys, name):
    """Each dialect's page has the service's URL and a query for each key that the EHR has a search for."""
    out, _, _ = said(capsys, "show-prefetch", "--dialect", name)

    assert "patient-view: http://127.0.0.1:8080/cds-services/vexas" in out
    assert set(build.TEMPLATES) == set(re.findall(r"^(\w+)$", out, re.MULTILINE))
    assert ("MedicationStatement?" not in out) == (name in {"epic", "oracle_health"})
    assert ("_sort" not in out) == (name in {"epic", "oracle_health"})


def _patient(name: str) -> str:
    chart = json.loads((build.FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return next(str(e["resource"]["id"]) for e in chart["entry"] if e["resource"]["resourceType"] == "Patient")
