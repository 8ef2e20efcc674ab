"""The commands about what is kept: the database's schema, its export and purge, the report, the snoozes of a patient, and the accesses to charts."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from cds_service.errors import SettingsError
from cds_service.settings import Settings, from_environment

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge
    from cds_service.storage.database import Database


@click.group("database")
def database_commands() -> None:
    """What the service keeps: decisions, feedback, and which charts were asked for (CDS_DATABASE)."""


@database_commands.command()
def upgrade() -> None:
    """Bring the schema up to date; what is stored stays."""
    from cds_service.storage.database import Database

    found = Database(from_environment(os.environ).database)
    before = found.version()
    found.upgrade()
    print(f"{found.shown}: schema {before or 'none'} -> {found.version()}")
    found.close()


@database_commands.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def export(folder: Path) -> None:
    """Write every table as CSV into a new or empty folder; docs/storage.md says what each column holds."""
    from cds_service.storage import export

    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"{folder} holds something. Name a new or an empty folder.")
    found = there(from_environment(os.environ))
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in export.tables(found):
        count = export.write(folder / f"{name}.csv", rows)
        print(f"{name}.csv: {count} {'row' if count == 1 else 'rows'}")
    found.close()


@click.command("snoozes")
@click.option("--client", required=True, help="The client's name in clients.toml.")
@click.option("--patient", required=True, help="The patient's id, as the EHR's FHIR server has it.")
@click.option("--lift", is_flag=True, help="Let what was answered so far silence nothing any more.")
def snoozes_command(client: str, patient: str, *, lift: bool) -> None:
    """What clinicians answered about a patient, and until when it keeps cards away."""
    from cds_service.knowledge.loader import load
    from cds_service.snoozes import Snoozes
    from cds_service.storage import opening
    from cds_service.trust import clients

    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    registered = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox)
    database = there(settings)
    snoozes = Snoozes(database, opening.pseudonyms(database, settings.pseudonym_key_file), knowledge, registered)
    try:
        if lift:
            count = snoozes.lift(client, patient, settings.now())
            print(f"{count} {'answer' if count == 1 else 'answers'} lifted")
            return
        running = snoozes.running(client, patient, settings.today())
    finally:
        database.close()
    lines = [f"{topic}: answered on {s.answered}, silent until {s.until} unless something strong is new" for topic, s in running]
    print("\n".join(lines) or "nothing is silent")


@click.command("purge")
@click.option("--older-than", required=True, help="How much is kept, as an ISO 8601 period: P24M, P2Y or P400D.")
@click.option("--snoozes-too", is_flag=True, help="Also delete answers that still keep cards away.")
def purge_command(older_than: str, *, snoozes_too: bool) -> None:
    """Delete what is older than a period: decisions, cards, feedback, lifts, counts and accesses."""
    from cds_service.knowledge.loader import load
    from cds_service.record.dates import period

    settings = from_environment(os.environ)
    today = settings.today()
    try:
        before = period(older_than).before(today)
    except (ValueError, OverflowError):
        raise SettingsError(f"--older-than {older_than} is no period. Write for example P24M, P2Y or P400D.") from None
    reasons = load(settings.knowledge).module.override_reasons
    silences = [reasons.otherwise, *(reason.silent for reason in reasons.reasons if reason.silent)]
    longest = min(silences, key=lambda text: period(text).before(today))
    if before > period(longest).before(today) and not snoozes_too:
        raise SettingsError(f"--older-than {older_than} would end snoozes: an answer silences for up to {longest}. Keep more, or add --snoozes-too.")
    database = there(settings)
    try:
        for table, count in database.purge(before).items():
            print(f"{table}: {count} {'row' if count == 1 else 'rows'} from before {before} deleted")
    finally:
        database.close()


@click.command("report")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; by default four weeks before the last.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day; by default today.")
@click.option("--client", help="Only this client of clients.toml.")
@click.option("--format", "form", type=click.Choice(["html", "csv", "json"]), default="html", show_default=True, help="A page with charts, or data.")
def report_command(first: dt.datetime | None, last: dt.datetime | None, client: str | None, form: str) -> None:
    """Print the governance report: how often cards are shown, what clinicians do with them, where data are missing."""
    from cds_service.governance import files
    from cds_service.governance.report import report
    from cds_service.governance.words import labels
    from cds_service.knowledge.loader import load
    from cds_service.storage.reading import Span
    from cds_service.web.governance import USUAL_DAYS, rendered

    settings = from_environment(os.environ)
    today = settings.today()
    until = _day("--to", last) or today
    since = _day("--from", first) or until - dt.timedelta(days=USUAL_DAYS - 1)
    if since > until:
        raise SettingsError(f"--from {since} is after --to {until}. Exchange them.")
    knowledge = load(settings.knowledge)
    database = there(settings)
    try:
        found = report(database, knowledge, Span(knowledge.module.service.id, since, until, client), today)
    finally:
        database.close()
    if client is not None and client not in found.clients:
        raise SettingsError(f"no call of a client '{client}' was ever counted. Use one of {', '.join(found.clients) or 'none: there was no call'}.")
    named = labels(knowledge)
    text = {
        "html": lambda: rendered(found, knowledge),
        "csv": lambda: files.as_csv(found, named),
        "json": lambda: files.as_json(found, named).decode(),
    }
    click.echo(text[form](), nl=form != "csv")


@click.command("audit")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; by default that of the oldest record.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day; by default that of the newest record.")
@click.option("--client", help="Only queries for this client of clients.toml.")
@click.option("--patient", help="Only queries about this patient, by the id that the EHR's FHIR server has; --client says whose.")
def audit_command(first: dt.datetime | None, last: dt.datetime | None, client: str | None, patient: str | None) -> None:
    """Print every query of an EHR's FHIR server as a FHIR AuditEvent, one a line; docs/audit.md says what it holds."""
    from cds_service.auditing import export
    from cds_service.fhir.audit import Observer
    from cds_service.knowledge.loader import load
    from cds_service.storage.reading import Accessed

    settings = from_environment(os.environ)
    since, until = _day("--from", first), _day("--to", last)
    if since and until and since > until:
        raise SettingsError(f"--from {since} is after --to {until}. Exchange them.")
    if patient is not None and client is None:
        raise SettingsError("--patient names nobody without --client: another client's patient may have the same id. Add --client NAME.")
    knowledge = load(settings.knowledge)
    us = Observer(settings.base_url, knowledge.module.source_label, f"{knowledge.module.namespace}fhir/patient-pseudonym")
    end = until + dt.timedelta(days=1) if until else None
    database = there(settings)
    try:
        _require_asked_for(client, settings, knowledge, database)
        which = Accessed(_start_of(since, settings), _start_of(end, settings), client, _names_of(patient, client, settings, database))
        count = export(database, which, us, click.echo)
    finally:
        database.close()
    click.echo(f"{count} {'event' if count == 1 else 'events'}", err=True)


def _start_of(day: dt.date | None, settings: Settings) -> dt.datetime | None:
    """The moment at which a day begins where the service is."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.time_zone)) if day else None


def _require_asked_for(client: str | None, settings: Settings, knowledge: Knowledge, database: Database) -> None:
    """Raises SettingsError for a client that nobody knows: nothing would be found, which would reassure wrongly."""
    from cds_service.storage import reading
    from cds_service.trust import clients

    if client is None:
        return
    registered = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox).registered
    known = sorted({one.name for one in registered}.union(database.read(reading.accessing)))
    if client not in known:
        raise SettingsError(f"there is no client '{client}', and no FHIR server was ever asked for one. Use one of {', '.join(known) or 'none'}.")


def _names_of(patient: str | None, client: str | None, settings: Settings, database: Database) -> tuple[str, ...] | None:
    """The pseudonyms of a client's patient, by every key; None for all patients."""
    from cds_service.storage import opening

    if patient is None or client is None:
        return None
    return opening.pseudonyms(database, settings.pseudonym_key_file).every(client, patient.strip().removeprefix("Patient/"))


def _day(option: str, given: dt.datetime | None) -> dt.date | None:
    """The day that an option names. Raises SettingsError."""
    from cds_service.storage.reading import EARLIEST, LATEST

    if given is not None and not EARLIEST <= given.date() <= LATEST:
        raise SettingsError(f"{option} {given.date()} is too far away. Name a day from {EARLIEST} to {LATEST}.")
    return given.date() if given else None


def there(settings: Settings) -> Database:
    """The database, if there is one: a command that reads makes none."""
    from cds_service.storage import opening
    from cds_service.storage.database import Database

    file = Database(settings.database).file
    if file is not None and not file.is_file():
        raise SettingsError(f"CDS_DATABASE: {file} is not there. Name the file that the service uses.")
    return opening.opened(settings.database)
