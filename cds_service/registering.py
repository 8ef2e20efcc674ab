"""The commands about CDS clients: register one, and try whether a token of it would be let in."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

import click

from cds_service.ehr.terminal import harmless
from cds_service.errors import SettingsError, Unauthenticated
from cds_service.knowledge.loader import load
from cds_service.settings import Settings, from_environment
from cds_service.trust import clients
from cds_service.trust.clients import Client, Clients
from cds_service.trust.entries import text_of
from cds_service.trust.identity import Identity
from cds_service.trust.reasons import REASONS

_LARGEST_FILE = 64 * 1024


@click.group("client")
def client_commands() -> None:
    """CDS clients (CDS_CLIENTS): register one with `add`, and see with `test` whether a token of it would be let in, and if not, why."""


@client_commands.command()
@click.option("--name", required=True, help="Short name for the log: small letters, digits and hyphens.")
@click.option("--issuer", help="The claim iss of the client's tokens.")
@click.option("--jku", help="URL of the client's JWK Set.")
@click.option("--jwks-file", help="File with the client's JWK Set, where it has no URL.")
@click.option("--fhir-server", help="Base URL of the client's FHIR server.")
@click.option("--audience", multiple=True, help="Base URL of this service as the client calls it; by default CDS_BASE_URL.")
@click.option("--dialect", help="The vendor's dialect.")
def add(name: str, audience: tuple[str, ...], **members: str | None) -> None:
    """Register a client: append it to the file CDS_CLIENTS, once all of that is sound."""
    path = Path(os.environ.get("CDS_CLIENTS", "").strip())
    if path == Path():
        raise SettingsError("CDS_CLIENTS is not set. Name the clients.toml to which the client is added; it need not be there yet.")
    # The others may stand in the way of each other until the client is there.
    settings = from_environment({"CDS_KNOWLEDGE": os.environ.get("CDS_KNOWLEDGE", "")})
    given = {"name": name, **{key: value for key, value in members.items() if value is not None}, **({"audiences": audience} if audience else {})}
    before = text_of(path) if path.exists() else ""
    entry = "\n".join(["[[client]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in given.items()), ""])
    text = f"{before.rstrip()}\n\n{entry}" if before.strip() else entry
    clients.parsed(path, text, clients.ours(load(settings.knowledge)))
    _replace(path, text)
    print(f"{path}: '{name}' is registered. Start the service again to let it in.")
    if given.get("issuer"):
        print(f"Try a token of it: CDS_CLIENTS={path} cds-service client test --client {name} TOKENFILE")


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, so that a service that starts meanwhile reads the old one or the new one."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise SettingsError(f"{path}: cannot be written: {error.strerror}. Name a file that you may write with CDS_CLIENTS.") from None


@client_commands.command("key")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def new_key_command(folder: Path) -> None:
    """Make a key for a trial client in a folder: private.jwk.json to sign with (fire --key), jwks.json to register (jwks_file)."""
    from cds_service.trust.signing import new_key

    private, public = new_key()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(folder / "private.jwk.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
            kept.write(private)
        (folder / "jwks.json").write_bytes(public)
    except FileExistsError:
        raise SettingsError(f"{folder}: there is a private.jwk.json already. Name another folder, so that no key is lost.") from None
    except OSError as error:
        raise SettingsError(f"{folder}: the key cannot be written: {error.strerror}. Name a folder that you may write.") from None
    print(f"{folder}/private.jwk.json signs, and stays secret. Register {folder}/jwks.json as the client's jwks_file.")


@client_commands.command("test")
@click.option("--client", "name", required=True, help="The client's name in clients.toml.")
@click.option("--endpoint", help="URL that the client calls; by default the service's own, or its feedback's.")
@click.argument("tokenfile", type=click.File(encoding="utf-8", errors="replace"))
def try_token(name: str, endpoint: str | None, tokenfile: TextIO) -> None:
    """Say whether a token in a file, or on stdin with -, would be let in now, and if not why and what to change; exit status 1 if not."""
    from cds_service.trust.replay import InMemory
    from cds_service.trust.tokens import Authenticator

    settings = from_environment(os.environ)
    client, identity, service_id = _registered(settings, name)
    paths = _paths(endpoint, identity.audiences or (settings.base_url,), f"/cds-services/{service_id}")
    text = tokenfile.read(_LARGEST_FILE).strip().removeprefix("Authorization:").strip()
    authorization = text if not text or text.lower().startswith("bearer ") else f"Bearer {text}"
    try:
        Authenticator(Clients([client]), settings.base_url, InMemory(), settings.now).authenticate(authorization, *paths)
    except Unauthenticated as refusal:
        detail = f" {refusal.detail}." if refusal.detail else ""
        print(harmless(f"refused: {refusal.reason}.{detail} {REASONS[refusal.reason]}"))
        sys.exit(1)
    print(f"let in as '{name}'. Whether the token was used before is not looked up.")


def _registered(settings: Settings, name: str) -> tuple[Client, Identity, str]:
    """A client with its identity, and the id of the service. Raises SettingsError."""
    knowledge = load(settings.knowledge)
    found = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox).registered
    client = next((one for one in found if one.name == name), None)
    if client is None:
        raise SettingsError(f"no client '{name}' is registered. Use one of {', '.join(c.name for c in found) or 'none: CDS_CLIENTS has no client'}.")
    if client.identity is None:
        raise SettingsError(f"client '{name}' has no issuer, so its calls need no token. Give it an issuer with jku or jwks_file.")
    return client, client.identity, knowledge.module.service.id


def _paths(endpoint: str | None, bases: tuple[str, ...], service: str) -> tuple[str, ...]:
    """The paths of an endpoint behind one of the base URLs. Raises SettingsError."""
    if endpoint is None:
        return service, f"{service}/feedback"
    for base in bases:
        if endpoint.startswith(f"{base}/"):
            return (endpoint.removeprefix(base),)
    raise SettingsError(f"--endpoint {endpoint} begins with none of {', '.join(bases)}. List its base URL in audiences, or correct CDS_BASE_URL.")
