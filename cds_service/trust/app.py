"""How the evidence page is registered with a client as a SMART app: under which name, how it proves that, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cds_service.errors import SettingsError
from cds_service.record.secret import Secret
from cds_service.settings import is_loopback
from cds_service.trust.addresses import Address, origin_of

_TEXT = re.compile(r"[!-~]{1,500}")
_SCOPE = re.compile(r"[!#-\[\]-~]{1,500}")  # RFC 6749, appendix A.4
_NEVER = frozenset({"openid", "fhirUser", "profile", "launch", "launch/patient", "online_access", "offline_access"})


class AppEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A [client.smart] of clients.toml."""

    client_id: str
    client_secret_file: str | None = None
    private_key_file: str | None = None
    scopes: list[str] = []
    openid: bool = False
    framed_by: list[str] = []
    ca_file: str | None = None


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The app at one client's authorization server: public, or confidential by a `secret` or by the private key in `key_file`.

    Without `scopes` they follow from what the knowledge reads. `openid` asks for an ID token besides.
    `framed_by` are the origins of the EHR's pages that may show the app inside them.
    """

    client_id: str
    secret: Secret | None = None
    key_file: Path | None = None
    scopes: tuple[str, ...] = ()
    openid: bool = False
    framed_by: tuple[str, ...] = ()
    ca_file: str | None = None


def app(where: str, said: AppEntry | None, server: Address | None, client_ca_file: str | None) -> App | None:
    """The app that a registration gives; None for one that has none. Raises SettingsError with the remedy."""
    if said is None:
        return None
    if server is None:
        raise SettingsError(f"{where}: smart needs fhir_server, by which a launch is known and from which the chart is read. Add it.")
    if not safe(server, server):
        raise SettingsError(f"{where}: smart: fhir_server is http, so access tokens would travel in clear. Use https, or leave smart out.")
    if not _TEXT.fullmatch(said.client_id):
        raise SettingsError(f"{where}: smart: client_id is empty, or has a blank or more than 500 characters. Write it as the EHR gave it.")
    if said.client_secret_file is not None and said.private_key_file is not None:
        raise SettingsError(
            f"{where}: smart has client_secret_file and private_key_file. Keep the one that the EHR knows; the key is the better one."
        )
    if said.ca_file is not None and not Path(said.ca_file).is_file():
        raise SettingsError(f"{where}: smart: ca_file {said.ca_file} is no file. Name a PEM file with the authorities of the authorization server.")
    return App(
        client_id=said.client_id,
        secret=_secret(where, said.client_secret_file),
        key_file=_key_file(where, said.private_key_file),
        scopes=tuple(_scope(where, text) for text in said.scopes),
        openid=said.openid,
        framed_by=tuple(_origin(where, text) for text in said.framed_by),
        ca_file=said.ca_file or client_ca_file,
    )


def safe(url: str, server: Address) -> bool:
    """Whether a code or a token may travel to a URL: by https, or inside this machine if the FHIR server stands there, too."""
    here = [host == "localhost" or is_loopback(host) for host in (origin_of(url).host.strip("[]"), server.host)]
    return url.startswith("https://") or all(here)


def public_keys(found: App) -> Mapping[str, Any]:
    """The JWK Set by which an authorization server knows the app."""
    from cds_service.trust.app_key import read_key

    return {"keys": [read_key(found.key_file.read_bytes()).public] if found.key_file else []}


def _secret(where: str, name: str | None) -> Secret | None:
    if name is None:
        return None
    text = _content(where, "client_secret_file", name).decode("utf-8", "replace").strip()
    if not _TEXT.fullmatch(text):
        raise SettingsError(f"{where}: smart: client_secret_file {name} does not hold one secret of printable characters. Save the EHR's in it.")
    return Secret(text)


def _key_file(where: str, name: str | None) -> Path | None:
    """The file of the private key, once it can be used."""
    if name is None:
        return None
    from cds_service.trust.app_key import read_key

    try:
        read_key(_content(where, "private_key_file", name))
    except ValueError:
        raise SettingsError(
            f"{where}: smart: private_key_file {name} holds no private key in PEM for ES384 or RS384. "
            "Write one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384"
        ) from None
    return Path(name)


def _content(where: str, member: str, name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SettingsError(f"{where}: smart: {member} {name} cannot be read: {error.strerror}. Name a file that the service may read.") from None


def _scope(where: str, text: str) -> str:
    if not _SCOPE.fullmatch(text) or text in _NEVER:
        raise SettingsError(
            f"{where}: smart: scopes has '{text}'. List only what the chart is read by, as patient/Observation.rs; launch and openid are added."
        )
    return text


def _origin(where: str, text: str) -> str:
    try:
        origin = origin_of(text)
        if origin != text.lower().removesuffix("/") or not safe(origin, origin):
            raise ValueError(text)
    except ValueError:
        raise SettingsError(f"{where}: smart: framed_by has '{text}', which is no https origin. Write for example https://ehr.example.org.") from None
    return str(origin)
