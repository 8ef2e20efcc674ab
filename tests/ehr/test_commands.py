"""Playing the EHR from the command line: load patients, fire for them, see the cards, take the patients off again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from cds_service.cli import cli, main
from cds_service.dialects import DIALECTS
from cds_service.ehr.prefetch import MODES
from tests import build
from tests.ehr.store import Store, running
from tests.fakes import check_answer
from tests.fixtures_.charts import EXPECTED
from tests.integration.server import serving

pytestmark = pytest.mark.long

FIXTURES = str(build.FIXTURES)
# One of each kind of answer; tests/integration plays all patients on two other FHIR servers.
PLAYED = (
    "confirmed-everything",
    "confirmed-report-text",
    "consider-woman-chondritis",
    "healthy-man-80",
    "messy-chart",
    "negative-limited-assay",
    "test-sweet-macrocytosis",
    "uncertain-vus",
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with these patients."""
    folder = tmp_path_factory.mktemp("played")
    for name in PLAYED:
        shutil.copy(build.FIXTURES / f"{name}.json", folder)
    return str(folder)


@pytest.fixture(scope="module")
def store(played: str) -> Iterator[Store]:
    """A FHIR server with these patients, whose charts end today."""
    with running() as store:
        main(["load-fixtures", "--fhir-server", store.base, "--from", played])
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


class Fired(NamedTuple):
    """What the command printed and kept for all patients."""

    out: str
    err: str
    status: int
    kept: dict[str, bytes]  # by patient


@pytest.fixture(scope="module")
def fired(store: Store, service: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fired]:
    """Every patient with all, some and none of the prefetch."""
    return {mode: _fired(store, service, mode, tmp_path_factory.mktemp(mode)) for mode in MODES}


def _fired(store: Store, service: str, mode: str, folder: Path) -> Fired:
    command = ["fire", "--fhir-server", store.base, "--all", "--service", service, "--prefetch", mode, "--save", str(folder)]
    done = CliRunner().invoke(cli, command)
    kept = {path.name.removesuffix(".response.json"): path.read_bytes() for path in folder.glob("*.response.json")}
    return Fired(done.stdout, done.stderr, done.exit_code, kept)


@pytest.mark.parametrize("mode", MODES)
def test_fires_for_every_patient(fired, mode):
    """Each constructed patient gets the topics that were reasoned for it, however much of the prefetch is sent."""
    out, err, status, kept = fired[mode]

    topics = {name: [card["source"]["topic"]["code"] for card in json.loads(answer)["cards"]] for name, answer in kept.items()}
    assert (0, "") == (status, err)
    for answer in kept.values():
        check_answer("POST", build.SERVICE, 200, "application/json", answer)
    assert {_patient(name): EXPECTED[name]["topics"] for name in PLAYED} == topics
    assert f"{len(PLAYED)} patients: {len(PLAYED)} x 200" in out


def test_gives_the_same_cards_however_much_is_sent(fired):
    """Full, partial and no prefetch lead to the same bytes."""
    assert len(PLAYED) == len(fired["full"].kept)
    assert fired["full"].kept == fired["partial"].kept
    assert fired["full"].kept == fired["none"].kept


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


def test_loads_twice_without_a_difference(capsys, store, played):
    """Loading is idempotent: nothing is there twice."""
    before = dict(store.held)

    out, _, status = said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", played)

    assert 0 == status
    assert before == store.held
    assert f"{len(PLAYED)} patients on {store.base}" in out


def test_leaves_strangers_alone(capsys):
    """A patient who was not loaded from here is neither overwritten nor removed."""
    with running() as store:
        store.held[f"Patient/{_patient('healthy-man-80')}"] = {"resourceType": "Patient", "id": _patient("healthy-man-80"), "gender": "female"}
        for more in ((), ("--remove",)):
            _, err, status = said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", FIXTURES, *more)

            assert (2, True) == (status, "was not loaded from here" in err)

        assert "female" == store.held[f"Patient/{_patient('healthy-man-80')}"]["gender"]


def test_takes_them_off_again(capsys, tmp_path):
    """After --remove nothing of them is left."""
    for name in ("healthy-man-80", "confirmed-everything"):
        shutil.copy(build.FIXTURES / f"{name}.json", tmp_path)
    with running() as store:
        said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", str(tmp_path))
        loaded = len(store.held)
        said(capsys, "load-fixtures", "--fhir-server", store.base, "--from", str(tmp_path), "--remove")

        assert loaded > 2
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
