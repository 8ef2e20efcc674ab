"""The command line: evaluate, check, request, export-knowledge.

The one that serves is in serving.py, those that play an EHR are in firing.py, those about clients in registering.py,
those about what is kept in keeping.py. A command imports what it alone needs, so that the service is soon up.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import click

from cds_service import __version__
from cds_service.ehr.files import read_content, read_json
from cds_service.ehr.prefetch import by_kind, hook_request, shifted
from cds_service.errors import CDSServiceError
from cds_service.firing import days_since_fixtures, fire_command, load_fixtures_command, show_prefetch_command
from cds_service.keeping import audit_command, database_commands, purge_command, report_command, snoozes_command
from cds_service.knowledge.loader import load
from cds_service.registering import client_commands
from cds_service.serving import serve_command
from cds_service.settings import from_environment


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
for _command in (*_OF_OTHERS, serve_command, snoozes_command, audit_command):
    cli.add_command(_command)


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Evaluate as of this day.")
def evaluate(bundle: Path, *, as_json: bool, today: dt.datetime | None) -> None:
    """Explain one patient's FHIR Bundle: every red flag, which rule fired, what is missing."""
    from cds_service.evidence.bundle import record_of
    from cds_service.explain import as_data, as_table
    from cds_service.reasoning.assess import Reasoner

    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    day = today.date() if today else settings.today()
    record = record_of(read_content(bundle), knowledge, day, str(bundle))
    assessment = Reasoner(knowledge).evaluate(record, day, full=True)
    _say(json.dumps(as_data(knowledge, assessment), indent=2, ensure_ascii=False) if as_json else "\n".join(as_table(knowledge, assessment)))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--as-is", is_flag=True, help="Keep the dates; by default the chart moves so that its last day is today.")
def request(bundle: Path, *, as_is: bool) -> None:
    """Print the hook request that an EHR would send for a fixture patient."""
    from cds_service.evidence.bundle import entries, patient_id
    from cds_service.fhir.search import prefetch_templates

    chart = entries(read_json(bundle), str(bundle))
    patient_id(by_kind(chart["entry"]), str(bundle))
    days = 0 if as_is else days_since_fixtures()
    try:
        chart = shifted(chart, days)
    except OverflowError:
        raise CDSServiceError(f"{bundle}: a date cannot be moved by {days} days. Correct it, or keep all dates with --as-is.") from None
    knowledge = load(from_environment(os.environ).knowledge)
    name = bundle.stem.encode(errors="backslashreplace").decode()  # a file name need not be UTF-8
    call = hook_request(chart, prefetch_templates(knowledge), knowledge.module.service.hooks[0], str(uuid.uuid5(uuid.NAMESPACE_URL, name)))
    _say(json.dumps(call, indent=2, ensure_ascii=False))


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
