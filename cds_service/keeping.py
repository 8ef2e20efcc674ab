"""The commands about what is kept: the database's schema, and the snoozes of a patient."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cds_service.errors import SettingsError
from cds_service.settings import from_environment


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
    from cds_service.storage import export, opening

    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"{folder} holds something. Name a new or an empty folder.")
    found = opening.opened(from_environment(os.environ).database)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in export.tables(found):
        count = export.write(folder / f"{name}.csv", rows)
        print(f"{name}.csv: {count} {'row' if count == 1 else 'rows'}")
    found.close()


@click.command("snoozes")
@click.option("--client", required=True, help="The client's name in clients.toml; open for callers who are not registered.")
@click.option("--patient", required=True, help="The patient's id, as the EHR's FHIR server has it.")
@click.option("--lift", is_flag=True, help="Let what was answered so far silence nothing any more.")
def snoozes_command(client: str, patient: str, *, lift: bool) -> None:
    """What clinicians answered about a patient, and until when it keeps cards away."""
    from cds_service.cards.snooze import Answered, Snoozer
    from cds_service.knowledge.loader import load
    from cds_service.storage import opening

    settings = from_environment(os.environ)
    database = opening.opened(settings.database)
    pseudonym = opening.pseudonyms(database, settings.pseudonym_key_file).of(client, patient)
    if lift:
        database.work(lambda book: book.lift(client, pseudonym, settings.now()), durable=True)
    found = [Answered(a.topic, a.at.date(), a.reason, a.evidence) for a in database.work(lambda book: book.answered(client, pseudonym))]
    database.close()
    running = Snoozer(load(settings.knowledge)).running(found, settings.today())
    lines = [f"{topic}: answered on {s.answered}, silent until {s.until} unless something strong is new" for topic, s in running]
    print("\n".join(lines) or "nothing is silent")
