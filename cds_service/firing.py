"""The commands that play an EHR: fire hooks for a FHIR server's patients, and load the constructed patients there.

A command imports what it alone needs, so that the service is soon up.
"""

from __future__ import annotations

import os
import random
import re
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.dialects import DIALECTS
from cds_service.ehr.constructed import FIXTURE_DAY
from cds_service.ehr.prefetch import MODES, PATIENT_ID
from cds_service.errors import CDSServiceError
from cds_service.knowledge.loader import load
from cds_service.settings import from_environment
from cds_service.trust.clients import sandboxes

if TYPE_CHECKING:
    from cds_service.ehr.client import CDSService, Fired
    from cds_service.ehr.server import FHIRServer

_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")
_SERVER = click.option(
    "--fhir-server", "server", required=True, metavar="URL", help="Base URL of a FHIR R4 server, or smart or hapi for the public ones."
)


def days_since_fixtures() -> int:
    """How far the fixtures' charts move so that they end today."""
    return (from_environment(os.environ).today() - FIXTURE_DAY).days


@click.command("fire")
@_SERVER
@click.option("--patient", metavar="ID", help="Fire for this patient and show the answer in full.")
@click.option("--all", "every", is_flag=True, help="Fire for every patient of the server.")
@click.option("--random", "some", type=click.IntRange(1, 10_000), metavar="N", help="Fire for N patients, drawn from the first 10,000.")
@click.option("--service", "url", metavar="URL", help="The CDS service (default: ours, on CDS_HOST:CDS_PORT).")
@click.option("--prefetch", "mode", type=click.Choice(MODES), default="full", show_default=True, help="How much to send along.")
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the exact bytes of each call and answer here.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="Sign each call with this private JWK (client key makes one).")
@click.option("--issuer", metavar="URL", help="As whom to sign: the issuer of the registration.")
def fire_command(
    server: str,
    patient: str | None,
    some: int | None,
    url: str | None,
    mode: str,
    save: Path | None,
    key: Path | None,
    issuer: str | None,
    *,
    every: bool,
) -> None:
    """Be the EHR: open charts of a FHIR server and show the cards of a CDS service. Ends with 1 if any was not answered."""
    from cds_service.ehr import terminal
    from cds_service.ehr.client import discover
    from cds_service.ehr.server import FHIRServer

    if [patient is not None, every, some is not None].count(True) != 1:
        raise CDSServiceError("Say whose chart to open: one of --patient ID, --all and --random N.")
    if patient is not None and not PATIENT_ID.fullmatch(patient):
        raise CDSServiceError("--patient: an id has no blanks, / ? or #.")
    chart = FHIRServer(_address(server))
    service = discover(url or _own_service())
    sign = _signer(key, issuer, service.url)
    chosen = [patient] if patient is not None else _chosen(chart, some)
    fired = _fire_all(service, chart, chosen, mode, save, sign, alone=patient is not None)
    if patient is None:
        print("\n".join(terminal.summary(fired)))
    if not all(one.answered for one in fired):
        sys.exit(1)


def _signer(key: Path | None, issuer: str | None, url: str) -> Callable[[], str | None]:
    """Makes a token for each call to a service; none where calls are not signed."""
    if (key is None) != (issuer is None):
        raise CDSServiceError("Signed calls need both --key FILE and --issuer URL; others need neither.")
    if key is None or issuer is None:
        return lambda: None
    from cds_service.trust.signing import read_private_key, signed

    now = from_environment(os.environ).now
    try:
        private = read_private_key(key.read_bytes())
    except OSError as error:
        raise CDSServiceError(f"--key {key}: cannot be read: {error.strerror}. Name a file with a private JWK.") from None
    except ValueError as error:
        raise CDSServiceError(f"--key {key} {error}. Make one with cds-service client key FOLDER.") from None
    return lambda: signed(private, issuer, url, int(now().timestamp()))


def _fire_all(
    service: CDSService, chart: FHIRServer, patients: Sequence[str], mode: str, save: Path | None, sign: Callable[[], str | None], *, alone: bool
) -> list[Fired]:
    """Fire for one patient after the other, showing each answer as it comes."""
    import requests

    from cds_service.ehr import terminal
    from cds_service.ehr.client import fire, request_for
    from cds_service.ehr.prefetch import chosen

    found = []
    with requests.Session() as session:
        for number, patient in enumerate(patients, 1):
            instance = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{chart.base}/{patient}"))
            one = fire(service, session, patient, request_for(service, chart, patient, instance, chosen(service.prefetch, mode)), sign())
            found.append(one)
            if save is not None:
                _keep(save, one)
            print("\n".join(terminal.in_full(one)) if alone else f"[{number}/{len(patients)}] {terminal.headline(one)}", flush=True)
    return found


def _chosen(chart: FHIRServer, some: int | None) -> list[str]:
    patients = [p for p in chart.patients(10_000 if some is not None else None) if PATIENT_ID.fullmatch(p)]
    if not patients:
        raise CDSServiceError(f"{chart.base}: there are no patients. Load the constructed ones with load-fixtures.")
    return sorted(random.sample(patients, min(some, len(patients)))) if some is not None else patients


def _keep(folder: Path, one: Fired) -> None:
    """The bytes of a call and its answer, as they went over the wire."""
    name = _FILE_NAME.sub("_", one.patient)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.request.json").write_bytes(one.request)
        (folder / f"{name}.response.json").write_bytes(one.response)
    except OSError as error:
        raise CDSServiceError(f"{folder}: an answer could not be kept: {error.strerror}. Name another folder with --save.") from None


@click.command("load-fixtures")
@_SERVER
@click.option("--from", "folder", type=click.Path(path_type=Path), default=Path("fixtures/fhir"), show_default=True, help="The folder of Bundles.")
@click.option("--as-is", is_flag=True, help="Keep the dates; by default each chart moves so that its last day is today.")
@click.option("--remove", is_flag=True, help="Take them off the server instead.")
def load_fixtures_command(server: str, folder: Path, *, as_is: bool, remove: bool) -> None:
    """Put the constructed patients on a FHIR server, as often as you like; only what was loaded so is ever overwritten or removed."""
    from cds_service.ehr import fixtures
    from cds_service.ehr.server import FHIRServer

    chart = FHIRServer(_address(server))
    act = fixtures.remove if remove else fixtures.put
    count = 0
    system = load(from_environment(os.environ).knowledge).module.namespace
    for name, resources in fixtures.charts(folder, 0 if as_is else days_since_fixtures(), system):
        act(chart, resources)
        count += 1
        print(f"{name}: {'removed' if remove else f'{len(resources)} resources'}", flush=True)
    print(f"{count} patients {'taken off' if remove else 'on'} {chart.base}")


@click.command("show-prefetch")
@click.option("--dialect", "name", type=click.Choice(sorted(DIALECTS)), default="spec", show_default=True, help="The EHR whose form is wanted.")
def show_prefetch_command(name: str) -> None:
    """Print what an EHR's analyst has to enter: the service's URL and the FHIR query of each prefetch key."""
    from cds_service.fhir.search import prefetch_templates

    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    dialect = DIALECTS[name]
    service = knowledge.module.service
    print(f"# {dialect.title}")
    for hook in service.hooks:
        print(f"{hook}: {settings.base_url}/cds-services/{service.id}")
    print()
    templates = prefetch_templates(knowledge, dialect)
    for key, template in templates.items():
        print(f"{key}\n  {template}")
    for key in knowledge.requirements.keys() - templates.keys():
        print(f"{key}\n  (none: {dialect.title} has no such search)")


def _address(server: str) -> str:
    """A server's base URL, or that of a public one by its short name."""
    found = sandboxes().get(server, server)
    if not re.fullmatch(r"https?://[^\s?#@]+", found):
        raise CDSServiceError(
            f"--fhir-server {server}: no base URL. Write for example http://127.0.0.1:8090/fhir, or one of {', '.join(sandboxes())}."
        )
    return found


def _own_service() -> str:
    settings = from_environment(os.environ)
    return f"{settings.base_url}/cds-services/{load(settings.knowledge).module.service.id}"
