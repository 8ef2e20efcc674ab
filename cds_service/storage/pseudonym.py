"""Patients under another name: an HMAC of client and patient id, by a key that is not in the database."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cds_service.errors import SettingsError

SHORTEST_KEY = 32  # bytes


class Pseudonyms:
    """Gives each patient of each client one name that nobody can turn back without the key.

    The first 8 digits of a name tell which key made it. What was kept under a retired key is still found.
    """

    def __init__(self, key: bytes, *retired: bytes) -> None:
        self._keys = [(hashlib.sha256(b"id|" + one).hexdigest()[:8], one) for one in (key, *retired)]

    def of(self, client: str, patient_id: str) -> str:
        """64 hexadecimal digits by the key in use; the same patient id of another client is another patient."""
        return next(self._names(client, patient_id))

    def every(self, client: str, patient_id: str) -> tuple[str, ...]:
        """The patient's name by each key, that in use first."""
        return tuple(self._names(client, patient_id))

    def to_count(self, client: str, patient_id: str) -> str:
        """16 hexadecimal digits under which a patient is counted; they are no part of the other name."""
        return hmac.new(self._keys[0][1], f"\0{client}|{patient_id}".encode(), "sha256").hexdigest()[:16]

    def other_key(self, purpose: str) -> bytes:
        """32 bytes for something else than names; they tell nothing of the key in use, nor of any name."""
        return hmac.new(self._keys[0][1], f"\1{purpose}".encode(), "sha256").digest()

    def _names(self, client: str, patient_id: str) -> Iterator[str]:
        for key_id, key in self._keys:
            yield key_id + hmac.new(key, f"{client}|{patient_id}".encode(), "sha256").hexdigest()[:56]


def read_keys(path: Path) -> list[bytes]:
    """The keys in a file, one a line: that in use first, then those that were retired. Raises SettingsError."""
    keys = read_key(path).split()
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise SettingsError(f"CDS_PSEUDONYM_KEY_FILE={path} has a line of fewer than {SHORTEST_KEY} bytes. Write each key with: openssl rand -hex 32")
    return keys


def read_key(path: Path) -> bytes:
    """The key in a file. Raises SettingsError."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"CDS_PSEUDONYM_KEY_FILE={path} cannot be read: {error.strerror}. Name a file that the service may read.") from None
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"CDS_PSEUDONYM_KEY_FILE={path} holds fewer than {SHORTEST_KEY} bytes. Write it with: openssl rand -hex 32")
    return key


def kept_key(path: Path) -> bytes:
    """The key in a file, which is written with a random one if it is not there; only its owner may read it."""
    if not path.exists():
        whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(SHORTEST_KEY) + "\n")
            with suppress(FileExistsError):  # of two processes that start at once the first one's key stands
                os.link(whole, path)
            whole.unlink()
        except OSError as error:
            raise SettingsError(f"{path} cannot be written: {error.strerror}. Name a file with CDS_PSEUDONYM_KEY_FILE.") from None
    return read_key(path)
