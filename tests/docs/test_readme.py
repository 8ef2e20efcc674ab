"""The README's commands do what it prints, and what it shows of the service is what the service says."""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import build, golden
from tests.docs import pages, shortened
from tests.ehr.store import running
from tests.integration.server import serving
from tests.smoke import free_port, wait_for

pytestmark = pytest.mark.long

BIN = Path(sys.executable).parent
SHOWN_URL = "http://127.0.0.1:8080"
SHOWN_FHIR = "http://127.0.0.1:8090/fhir"
EXAMPLE = "test-sweet-macrocytosis"


def console() -> dict[str, str]:
    """Each command of the README's console blocks with the output printed below it."""
    sessions = [session for block in pages.blocks(pages.README, "console") for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return {command: output for command, _, output in (session.partition("\n") for session in sessions)}


def example(member: str) -> Any:
    """The JSON example with this member."""
    found = [json.loads(block) for block in pages.blocks(pages.README, "json")]
    return next(one for one in found if member in one)


def environment(**variables: str) -> dict[str, str]:
    """A shell of its own: no settings, and no make around it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CDS_", "MAKE", "MFLAGS"))}
    return {**kept, **variables}


def run(command: str, folder: Path = pages.ROOT) -> str:
    """What a command prints, with the programs of the interpreter that runs the tests."""
    words = shlex.split(command.replace(".venv/bin", shlex.quote(str(BIN))))
    done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


# --- commands ---


PLAYED = [command for command in console() if "--fhir-server" in command]
EVALUATED = [command for command in console() if "cds-service" in command and command not in PLAYED]


def test_runs_every_command():
    """No command stands in a console block without being run here."""
    assert ["make run", *EVALUATED, *PLAYED] == list(console())


def test_plays_the_ehr_as_the_readme_prints(tmp_path):
    """The commands that play the EHR print what is shown, against a FHIR server that holds nothing before."""
    with running() as store:
        clients = tmp_path / "clients.toml"
        clients.write_text(f'[[client]]\nname = "store"\nfhir_server = "{store.base}"\nopen = true\n', encoding="utf-8")
        with serving(CDS_CLIENTS=str(clients), CDS_DEADLINE="20") as service:
            for command in PLAYED:
                added = f" --service {service}{build.SERVICE}" if " fire " in command else ""
                output = run(command.replace(SHOWN_FHIR, store.base) + added).replace(store.base, SHOWN_FHIR).replace(service, SHOWN_URL)

                assert shortened.is_shortened(console()[command], output), shortened.stale(console()[command], output)


@pytest.mark.parametrize("command", EVALUATED)
def test_prints_what_the_readme_prints(command):
    """A command's output is the printed one, where `...` stands for any lines."""
    output = run(command)

    assert shortened.is_shortened(console()[command], output), shortened.stale(console()[command], output)


@contextmanager
def made_to_run(folder: Path, port: int) -> Iterator[Path]:
    """`make run` in an empty folder, where nothing is downloaded; stopped as with Ctrl-C. What it says goes to the file."""
    (folder / ".venv").mkdir()
    for name in ("fixtures", "pyproject.toml"):
        (folder / name).symlink_to(pages.ROOT / name)
    command = ["make", "-f", pages.ROOT / "Makefile", f"BIN={BIN}", "INSTALL=true", f"PYTHON={sys.executable}", "run"]
    said = folder / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment(CDS_PORT=str(port)), stdout=output, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/cds-services")
        yield said
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=15)


def test_serves_as_the_readme_prints(tmp_path):
    """`make run` prints the lines of the README, and the printed curl gets the answer that is shown, in any year."""
    assert shutil.which("curl"), "curl was not found, and the README's command needs it. Install it and try again."
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    with made_to_run(tmp_path, port) as said:
        curl = console()["make run"].splitlines()[-1].strip().replace(SHOWN_URL, url)
        answer = run(curl, tmp_path)

    assert console()["make run"] == said.read_text(encoding="utf-8").replace(url, SHOWN_URL)
    assert [] == list(shortened.differences(example("cards"), json.loads(answer.replace(url, SHOWN_URL))))


# --- what the service says ---


def recorded(name: str) -> Any:
    """The recorded answer to a fixture patient."""
    return json.loads((golden.FIXTURES / "cards" / f"{name}.json").read_text(encoding="utf-8"))


def as_read(card: dict[str, Any]) -> str:
    """A card as the README quotes it."""
    labels = [suggestion["label"] for suggestion in card.get("suggestions", [])]
    offers = f"\n\nOffers as drafts: {', '.join(labels)}." if labels else ""
    return f"**{card['summary']}** ({card['indicator']})\n\n{card['detail']}{offers}"


def test_shows_the_recorded_answer():
    """The shortened answer is that to the example patient."""
    assert [] == list(shortened.differences(example("cards"), recorded(EXAMPLE)))


@pytest.mark.parametrize("quote", pages.quotes(pages.README), ids=lambda quote: quote[:40])
def test_quotes_a_recorded_card(quote):
    """A quoted card is one of those in fixtures/cards, word for word."""
    cards = [as_read(card) for name in golden.names() for card in recorded(name)["cards"]]

    closest = difflib.get_close_matches(quote, cards, n=1, cutoff=0)[0]

    assert closest == quote


def test_counts_the_patients():
    """The README says how many constructed patients there are."""
    said = re.search(r"all (\d+) constructed patients", pages.text_of(pages.README))

    assert said
    assert len(golden.names()) == int(said[1])


# --- one request ---


def completed() -> dict[str, Any]:
    """The example request with entries where it is shortened."""
    request = example("hook")
    entries = {"conditions": [build.condition()], "bloodCounts": [build.mcv(), build.platelets()]}
    for key, resources in entries.items():
        assert [shortened.LEFT_OUT] == request["prefetch"][key]["entry"]
        request["prefetch"][key]["entry"] = [{"resource": resource} for resource in resources]
    return request


def without(request: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A request without some prefetch keys."""
    return {**request, "prefetch": {k: v for k, v in request["prefetch"].items() if k not in keys}}


def test_answers_the_example_request(client):
    """The example, once completed, is a request that gets a card."""
    response = client.post(build.SERVICE, json=completed())

    assert 200 == response.status_code
    assert 1 == len(response.json["cards"])


def test_asks_for_the_keys_of_the_example():
    """Each prefetch key of the example is one that discovery lists."""
    assert set(example("hook")["prefetch"]) <= set(build.TEMPLATES)


@pytest.mark.parametrize("absent", [("patient",), ("conditions", "bloodCounts")])
def test_answers_412_as_the_readme_says(client, absent):
    """Without the Patient, or with nothing but the Patient, the example gets 412."""
    assert 412 == client.post(build.SERVICE, json=without(completed(), *absent)).status_code


# --- what else it names ---


@pytest.mark.parametrize("path", sorted(set(re.findall(rf"{SHOWN_URL}(/[\w/.-]*)", pages.text_of(pages.README)))))
def test_has_a_page_at_every_url(client, path):
    """Each URL of the README answers; a service takes POST only."""
    assert (405 if path == build.SERVICE else 200) == client.get(path).status_code


def test_needs_the_python_of_the_package():
    """The README asks for the same Python as the package does."""
    needed = tomllib.loads(pages.text_of(pages.ROOT / "pyproject.toml"))["project"]["requires-python"]

    assert f"Python {needed.removeprefix('>=')} or newer" in pages.text_of(pages.README)
