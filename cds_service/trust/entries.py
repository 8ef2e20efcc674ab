"""What stands in a clients.toml, as it is written: each [[client]] with its members, not yet compared with anything."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from cds_service.errors import SettingsError
from cds_service.trust.app import AppEntry
from cds_service.trust.identity import Registration


class SiteCode(msgspec.Struct, forbid_unknown_fields=True):
    """The site's own code of something that can be ordered."""

    system: str
    code: str
    display: str | None = None


class Entry(Registration, kw_only=True, forbid_unknown_fields=True):
    """One [[client]] of clients.toml."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z")]
    fhir_server: str | None = None
    dialect: str = "spec"
    open: bool = False
    connections: Annotated[int, msgspec.Meta(ge=1, le=64)] = 64
    ca_file: str | None = None
    calls_per_minute: Annotated[int, msgspec.Meta(ge=1, le=600_000)] | None = None
    silent: bool | list[str] = False
    prefetch: dict[str, str] = msgspec.field(default_factory=dict)
    orders: dict[str, SiteCode] = msgspec.field(default_factory=dict)
    smart: AppEntry | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A clients.toml."""

    client: list[Entry] = []


def text_of(path: Path) -> str:
    """The text of a clients.toml. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{path}: cannot be read: {reason}. Name a clients.toml with CDS_CLIENTS.") from None


def entries(path: Path, text: str) -> list[Entry]:
    """The entries of a text that stands in a file, or is to stand there. Raises SettingsError."""
    try:
        return msgspec.convert(tomllib.loads(text), _File).client
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}. Correct the TOML there.") from None
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_plainly(error)}. Correct it; docs/clients.md shows every member.") from None


def _plainly(error: msgspec.ValidationError) -> str:
    """The sentence of msgspec with the place as an author of the file knows it."""
    what, _, place = str(error).partition(" - at ")
    return f"{place.strip('`').removeprefix('$.')}: {what}" if place else what
