"""The command line: serve, evaluate, check, request."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import click
import msgspec

from cds_service import __version__
from cds_service.check import check as run_check
from cds_service.ehr.prefetch import hook_request, shifted, whole_chart
from cds_service.errors import CDSServiceError
from cds_service.explain import as_data, as_table
from cds_service.fhir.gather import gather
from cds_service.knowledge.loader import load
from cds_service.protocol.discovery import prefetch_templates
from cds_service.reasoning.assess import Reasoner
from cds_service.settings import Settings, from_environment

# The day on which the fixtures are true.
FIXTURE_DAY = dt.date(2026, 11, 22)


def main() -> None:
    """Run a command; a known error is one sentence and exit status 2."""
    try:
        cli(standalone_mode=False)
    except CDSServiceError as error:
        print(error.public, file=sys.stderr)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """CDS Hooks service: serve it, explain a patient, check the knowledge."""


@cli.command()
@click.option("--try", "example", type=click.Path(path_type=Path), help="A request file to show in a ready-to-paste curl.")
def serve(example: Path | None) -> None:
    """Serve on CDS_HOST:CDS_PORT (127.0.0.1:8080)."""
    settings = from_environment(os.environ)
    _refuse_taken(settings)
    knowledge = load(settings.knowledge)  # a module that is not sound stops the start here, with one sentence
    url = settings.base_url
    print(f"{knowledge.module.source_label}: {url}/  (discovery {url}/cds-services, about {url}/about)")
    if not settings.allow_open or settings.host in ("127.0.0.1", "::1", "localhost"):
        print("Callers are not authenticated: for trying out on this machine only.")
    else:
        print("Callers are not authenticated (CDS_ALLOW_OPEN=1): something in front must decide who may call.")
    if example:
        print(f"Try it:\n  curl -s -H 'Content-Type: application/json' -d @{example} {url}/cds-services/{knowledge.module.service.id}")
    sys.stdout.flush()
    _run(settings)


def _refuse_taken(settings: Settings) -> None:
    """Say in words that the port is taken or the address is not ours, before the server fails on it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CDSServiceError(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with CDS_PORT or CDS_HOST."
            ) from None


def _run(settings: Settings) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "cds_service.app:server_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=1,
        log_level=LogLevels.warning,
    )
    server.serve()


@cli.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Evaluate as of this day.")
def evaluate(bundle: Path, *, as_json: bool, today: dt.datetime | None) -> None:
    """Explain one patient's FHIR Bundle: every red flag, which rule fired, what is missing."""
    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    chart = _bundle(bundle)
    patient = _patient_id(chart, bundle)
    kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
    prefetch = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in whole_chart(chart, kinds).items()}
    day = today.date() if today else settings.today()
    record = gather(knowledge.requirements, prefetch, patient, day, paged=False)
    assessment = Reasoner(knowledge).evaluate(record, day, full=True)
    if as_json:
        print(json.dumps(as_data(knowledge, assessment), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_table(knowledge, assessment)))


def _patient_id(chart: dict[str, Any], path: Path) -> str:
    """The one patient of a file."""
    resources = [e["resource"] for e in chart["entry"] if isinstance(e.get("resource"), dict)]
    ids = {r.get("id") for r in resources if r.get("resourceType") == "Patient"}
    if len(ids) != 1 or not isinstance(next(iter(ids)), str):
        raise CDSServiceError(f"{path}: {len(ids)} patients with an id. Give a Bundle of exactly one patient.")
    return str(next(iter(ids)))


@cli.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-is", is_flag=True, help="Keep the dates; by default the chart moves so that its last day is today.")
def request(bundle: Path, *, as_is: bool) -> None:
    """Print the hook request that an EHR would send for a fixture patient."""
    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    days = 0 if as_is else (settings.today() - FIXTURE_DAY).days
    chart = shifted(_bundle(bundle), days)
    print(json.dumps(_request(chart, prefetch_templates(knowledge), knowledge.module.service.hooks[0], bundle), indent=2, ensure_ascii=False))


def _bundle(path: Path) -> dict[str, Any]:
    try:
        chart = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CDSServiceError(f"{path}: not JSON ({error}). Give a FHIR R4 Bundle.") from None
    if not isinstance(chart, dict) or chart.get("resourceType") != "Bundle" or not isinstance(chart.get("entry"), list):
        raise CDSServiceError(f"{path}: no FHIR Bundle with entries. Give a Bundle that holds the Patient and the chart.")
    chart["entry"] = [e for e in chart["entry"] if isinstance(e, dict)]
    return chart


def _request(chart: dict[str, Any], templates: Any, hook: str, path: Path) -> dict[str, Any]:
    try:
        return hook_request(chart, templates, hook, str(uuid.uuid5(uuid.NAMESPACE_URL, path.stem)))
    except ValueError as error:
        raise CDSServiceError(f"{path}: {error}. Add one.") from None


@cli.command()
@click.option("--fixtures", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Check this folder of fixtures too.")
def check(fixtures: Path | None) -> None:
    """Check knowledge, value sets, cases and fixtures; each fault has its place and remedy."""
    report = run_check(from_environment(os.environ).knowledge, fixtures)
    for fault in report.faults:
        print(fault)
    print(", ".join(f"{count} {name}" for name, count in report.counts.items()))
    if report.faults:
        print(f"{len(report.faults)} faults")
        sys.exit(1)
    print("sound")
