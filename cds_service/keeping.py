"""The commands about what is kept: the database's schema, its export and purge, the report, and the snoozes of a patient."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.errors import SettingsError
from cds_service.settings import Settings, from_environment

if TYPE_CHECKING:
    from cds_service.storage.database import Database


@click.group("database")
def database_commands() -> None:
    """What the service keeps: decisions and feedback (CDS_DATABASE)."""


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
    """Delete what is older than a period: decisions, cards, feedback, lifts and counts."""
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
