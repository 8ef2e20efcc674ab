"""How a client says who it is: who issues its tokens, which keys sign them, and what they may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET

from cds_service.errors import SettingsError
from cds_service.trust.addresses import address, key_address

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256", "ES512", "RS512", "PS256", "PS384", "PS512", "EdDSA")
USUAL = ("ES384", "RS384")  # those that CDS Hooks recommends
_TEXT = re.compile(r"[!-~]{1,500}")


class Registration(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a [[client]] of clients.toml says of its tokens."""

    issuer: str | None = None
    jku: str | None = None
    jwks_file: str | None = None
    audiences: list[str] = []
    subject: str | None = None
    tenants: list[str] = []
    algorithms: list[str] | None = None
    max_lifetime: Annotated[int, msgspec.Meta(ge=1, le=86400)] = 3600
    leeway: Annotated[int, msgspec.Meta(ge=0, le=600)] = 60


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """By what a client's tokens are known: `jku` or `jwks_file` has its keys; without `audiences` it is the service's base URL."""

    issuer: str
    jku: str | None = None
    jwks_file: Path | None = None
    audiences: tuple[str, ...] = ()
    subject: str | None = None
    tenants: frozenset[str] = frozenset()
    algorithms: tuple[str, ...] = USUAL
    max_lifetime: int = 3600
    leeway: int = 60

    def overlaps(self, other: Identity) -> bool:
        """Whether one token could be of either."""
        return self.issuer == other.issuer and not (self.tenants and other.tenants and self.tenants.isdisjoint(other.tenants))


def identity(where: str, said: Registration) -> Identity | None:
    """The identity that a registration gives; None for one that says nothing of tokens. Raises SettingsError with the remedy."""
    given = [f.name for f in msgspec.structs.fields(Registration) if getattr(said, f.name) != _default(f)]
    if not given:
        return None
    if said.issuer is None:
        raise SettingsError(f"{where}: it has {', '.join(given)} and no issuer. Add the issuer of its tokens, or leave out {', '.join(given)}.")
    if (said.jku is None) == (said.jwks_file is None):
        raise SettingsError(f"{where}: it needs exactly one of jku and jwks_file. Give the URL of its JWK Set, or a file that holds it.")
    for name, text in (("issuer", said.issuer), ("subject", said.subject), *(("tenants", tenant) for tenant in said.tenants)):
        if text is not None and not _TEXT.fullmatch(text):
            raise SettingsError(f"{where}: {name} holds an empty text, a blank or more than 500 characters. Write it as its tokens have it.")
    _check_algorithms(where, said.algorithms)
    return Identity(
        issuer=said.issuer,
        jku=_jku(where, said.jku),
        jwks_file=_jwks_file(where, said.jwks_file),
        audiences=tuple(_audience(where, text) for text in said.audiences),
        subject=said.subject,
        tenants=frozenset(said.tenants),
        algorithms=USUAL if said.algorithms is None else tuple(said.algorithms),
        max_lifetime=said.max_lifetime,
        leeway=said.leeway,
    )


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default_factory() if callable(field.default_factory) else None if field.default is UNSET else field.default


def _check_algorithms(where: str, algorithms: list[str] | None) -> None:
    if algorithms is None:
        return
    if not algorithms:
        raise SettingsError(f"{where}: algorithms is empty. Leave it out for {' and '.join(USUAL)}, or list some of {', '.join(ALGORITHMS)}.")
    for name in algorithms:
        if name not in ALGORITHMS:
            raise SettingsError(f"{where}: algorithms names '{name}', which is not taken. Use some of {', '.join(ALGORITHMS)}.")


def _jku(where: str, url: str | None) -> str | None:
    try:
        return None if url is None else key_address(url)
    except ValueError as error:
        raise SettingsError(f"{where}: jku {error}. Write for example https://ehr.example.org/jwks.json.") from None


def _jwks_file(where: str, name: str | None) -> Path | None:
    """The file of a pinned JWK Set, once it can be used."""
    from cds_service.trust import keys  # cryptography takes a while to load, and most commands need none

    if name is None:
        return None
    try:
        found = keys.read_keys(Path(name).read_bytes())
    except OSError as error:
        raise SettingsError(f"{where}: jwks_file {name} cannot be read: {error.strerror}. Name a file with the client's JWK Set.") from None
    except ValueError as error:
        raise SettingsError(f"{where}: jwks_file {name} {error}. Save the client's JWK Set in it.") from None
    if not found:
        raise SettingsError(f"{where}: jwks_file {name} holds no public key with a kid for signatures. Save the client's JWK Set in it.")
    return Path(name)


def _audience(where: str, url: str) -> str:
    try:
        address(url)
    except ValueError as error:
        raise SettingsError(f"{where}: audiences: '{url}' {error}. Write the base URL before /cds-services, as the client calls it.") from None
    return url.removesuffix("/")
