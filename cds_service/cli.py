"""The command line: serve, evaluate, check, request, export-knowledge.

Those that play an EHR are in firing.py, those about clients in registering.py, those about what is kept in keeping.py.
A command imports what it alone needs, so that the service is soon up.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from cds_service import __version__
from cds_service.ehr.files import read_json
from cds_service.ehr.prefetch import hook_request, shifted, whole_chart
from cds_service.errors import CDSServiceError
from cds_service.firing import PATIENT_ID, days_since_fixtures, fire_command, load_fixtures_command, show_prefetch_command
from cds_service.keeping import database_commands, purge_command, report_command, snoozes_command
from cds_service.knowledge.loader import load
from cds_service.registering import client_commands
from cds_service.settings import Settings, from_environment, is_loopback, require_known_callers
from cds_service.trust import clients


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a known error is one sentence and exit status 2."""
    try:
        cli(arguments, standalone_mode=False)
    except CDSServiceError as error:
        from cds_service.ehr.terminal import harmless

        print(harmless(error.public), file=sys.stderr)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


_MOST_ACCOUNTS = 10  # failing cases that are shown whole


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """CDS Hooks service: serve it, explain a patient, check the knowledge, play the EHR."""


_OF_OTHERS = (fire_command, load_fixtures_command, show_prefetch_command, client_commands, database_commands, purge_command, report_command)
for _command in (*_OF_OTHERS, snoozes_command):
    cli.add_command(_command)


@cli.command()
@click.option("--try", "example", type=click.Path(path_type=Path), help="A request file to show in a ready-to-paste curl.")
def serve(example: Path | None) -> None:
    """Serve on CDS_HOST:CDS_PORT (127.0.0.1:8080)."""
    from cds_service.app import preload

    settings = from_environment(os.environ)
    _refuse_taken(settings)
    knowledge = preload(settings.knowledge)  # a module that is not sound stops the start here, with one sentence
    kept_in = settings.database if settings.database.startswith("sqlite:") else _prepared(settings)
    registered = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox)
    require_known_callers(settings, authenticated=registered.authenticated)
    url = settings.base_url
    print(f"{knowledge.module.source_label}: {url}/  (discovery {url}/cds-services, about {url}/about)")
    if registered.authenticated:
        _refuse_separate_memories(settings)
        print(f"Callers are authenticated: every call needs a token of {', '.join(client.name for client in registered.registered)}.")
    elif is_loopback(settings.host):
        print("Callers are not authenticated: for trying out on this machine only.")
    else:
        print("Callers are not authenticated (CDS_ALLOW_OPEN=1): something in front must decide who may call.")
    print(f"Decisions and feedback are kept in {kept_in}.")
    if example and not registered.authenticated:
        print(f"Try it:\n  curl -s -H 'Content-Type: application/json' -d @{example} {url}/cds-services/{knowledge.module.service.id}")
    sys.stdout.flush()
    _run(settings)


def _prepared(settings: Settings) -> str:
    """A database server that can be used, without its password; a file is opened by the workers, who say what is wrong with it."""
    from cds_service.storage import opening

    return opening.prepared(settings.database, settings.pseudonym_key_file)


def _refuse_separate_memories(settings: Settings) -> None:
    """Say in words that several processes would each take a token once, before the workers fail on it."""
    from cds_service.storage.database import Database
    from cds_service.trust.replay import used_tokens

    database = Database(settings.database)
    used_tokens(database, settings.workers)
    database.close()


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
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    class Stoppable(Server):  # type: ignore[misc, valid-type]
        """A server whose signal handler cannot meet its own lock."""

        def signal_handler_interrupt(self, *_arguments: object, **_named: object) -> None:
            """Ask the main loop to end.

            Event.set() inside a signal handler blocks for ever if the signal arrives while the main thread holds the
            event's lock, as it does when a worker ends at the same moment (Ctrl-C reaches both); so another thread sets it.
            """
            self.interrupt_signal = True
            threading.Thread(target=self.main_loop_interrupt.set, daemon=True).start()

    server = Stoppable(
        "cds_service.app:server_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
    )
    server.serve()


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Evaluate as of this day.")
def evaluate(bundle: Path, *, as_json: bool, today: dt.datetime | None) -> None:
    """Explain one patient's FHIR Bundle: every red flag, which rule fired, what is missing."""
    from cds_service.explain import as_data, as_table
    from cds_service.fhir.gather import gather
    from cds_service.reasoning.assess import Reasoner

    settings = from_environment(os.environ)
    chart = _bundle(bundle)
    patient = _patient_id(chart, bundle)
    knowledge = load(settings.knowledge)
    kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
    prefetch = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in whole_chart(chart, kinds).items()}
    day = today.date() if today else settings.today()
    record = gather(knowledge.requirements, prefetch, patient, day, paged=False)
    assessment = Reasoner(knowledge).evaluate(record, day, full=True)
    _say(json.dumps(as_data(knowledge, assessment), indent=2, ensure_ascii=False) if as_json else "\n".join(as_table(knowledge, assessment)))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--as-is", is_flag=True, help="Keep the dates; by default the chart moves so that its last day is today.")
def request(bundle: Path, *, as_is: bool) -> None:
    """Print the hook request that an EHR would send for a fixture patient."""
    from cds_service.fhir.search import prefetch_templates

    chart = _bundle(bundle)
    _patient_id(chart, bundle)
    days = 0 if as_is else days_since_fixtures()
    try:
        chart = shifted(chart, days)
    except OverflowError:
        raise CDSServiceError(f"{bundle}: a date cannot be moved by {days} days. Correct it, or keep all dates with --as-is.") from None
    knowledge = load(from_environment(os.environ).knowledge)
    name = bundle.stem.encode(errors="backslashreplace").decode()  # a file name need not be UTF-8
    call = hook_request(chart, prefetch_templates(knowledge), knowledge.module.service.hooks[0], str(uuid.uuid5(uuid.NAMESPACE_URL, name)))
    _say(json.dumps(call, indent=2, ensure_ascii=False))


def _bundle(path: Path) -> dict[str, Any]:
    """The Bundle of a file, whose entries are objects."""
    chart = read_json(path)
    if not isinstance(chart, dict) or chart.get("resourceType") != "Bundle" or not isinstance(chart.get("entry"), list):
        raise CDSServiceError(f"{path}: no FHIR Bundle with entries. Give a Bundle that holds the Patient and the chart.")
    chart["entry"] = [e for e in chart["entry"] if isinstance(e, dict)]
    return chart


def _patient_id(chart: dict[str, Any], path: Path) -> str:
    """The id of the one patient of a file."""
    resources = [e["resource"] for e in chart["entry"] if isinstance(e.get("resource"), dict)]
    ids = [r.get("id") for r in resources if r.get("resourceType") == "Patient"]
    usable = [i for i in ids if isinstance(i, str) and PATIENT_ID.fullmatch(i)]
    found = set(usable)
    if len(found) != 1 or len(usable) != len(ids):
        raise CDSServiceError(
            f"{path}: {len(ids)} Patients with {len(found)} usable ids. Give a Bundle of one patient, with an id without blanks, / ? or #."
        )
    return found.pop()


def _say(text: str) -> None:
    """Print an answer, or refuse in a sentence where the output cannot hold its characters."""
    try:
        print(text)
    except UnicodeEncodeError as error:
        raise CDSServiceError(f"The output is in {error.encoding}, which cannot hold the answer. Set PYTHONIOENCODING=utf-8.") from None


@cli.command()
@click.option("--fixtures", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Check this folder of fixtures too.")
def check(fixtures: Path | None) -> None:
    """Check knowledge, value sets, cases and fixtures; each fault has its place and remedy."""
    from cds_service.check import check as run_check

    report = run_check(from_environment(os.environ).knowledge, fixtures)
    for fault in report.faults:
        print(fault)
    for account in report.accounts[:_MOST_ACCOUNTS]:
        print(f"\n{account}\n")
    for note in report.notes:
        print(note)
    print(", ".join(f"{count} {name}" for name, count in report.counts.items()))
    if report.faults:
        print(f"{len(report.faults)} faults")
        sys.exit(1)
    print("sound")


@cli.command("export-knowledge")
@click.argument("folder", type=click.Path())
def export_knowledge(folder: str) -> None:
    """Write the knowledge as FHIR R4 into a new or empty folder: its ValueSets, and a Library with the authored files."""
    from cds_service.export import write as write_export

    if not folder:
        raise CDSServiceError("no folder is named. Name a new or an empty folder.")
    knowledge = load(from_environment(os.environ).knowledge)
    count, module = len(write_export(knowledge, Path(folder))), knowledge.module
    _say(f"{folder}: {count} resources of {module.id} {module.version} ({module.status}), SHA-256 {knowledge.digest}")
