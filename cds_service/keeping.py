"""The commands about what is kept: the database's schema, its export, and the snoozes of a patient."""

from __future__ import annotations

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
    found = _there(from_environment(os.environ))
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
    from cds_service.cards.snooze import Snoozer
    from cds_service.invocation import ours
    from cds_service.knowledge.loader import load
    from cds_service.storage import opening
    from cds_service.trust import clients

    settings = from_environment(os.environ)
    knowledge = load(settings.knowledge)
    names = [c.name for c in clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox).registered]
    if client not in names:
        raise SettingsError(f"there is no client '{client}' in clients.toml (CDS_CLIENTS). Use one of {', '.join(names) or 'none: it is not set'}.")
    database = _there(settings)
    pseudonym = opening.pseudonyms(database, settings.pseudonym_key_file).of(client, patient.removeprefix("Patient/"))
    today = settings.today()
    found = [ours(a, knowledge, today) for a in database.work(lambda book: book.answered(client, pseudonym))]
    if lift:
        database.work(lambda book: book.lift(client, pseudonym, settings.now()), durable=True)
    database.close()
    if lift:
        print(f"{len(found)} {'answer' if len(found) == 1 else 'answers'} lifted")
        return
    running = Snoozer(knowledge).running(found, today)
    lines = [f"{topic}: answered on {s.answered}, silent until {s.until} unless something strong is new" for topic, s in running]
    print("\n".join(lines) or "nothing is silent")


def _there(settings: Settings) -> Database:
    """The database, if there is one: a command that reads makes none."""
    from cds_service.storage import opening
    from cds_service.storage.database import Database

    file = Database(settings.database).file
    if file is not None and not file.is_file():
        raise SettingsError(f"CDS_DATABASE: {file} is not there. Name the file that the service uses.")
    return opening.opened(settings.database)
