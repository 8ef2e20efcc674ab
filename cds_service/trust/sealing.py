"""What is given to a browser to bring back: it can neither read nor change it (JWE, AES-256-GCM by a key of the service's own)."""

from __future__ import annotations

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_HEADER = {"alg": "dir", "enc": "A256GCM"}
LONGEST = 4000  # characters that a cookie holds


class Seal:
    """Closes and opens by one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def closed(self, content: bytes) -> str:
        """A text that only this key opens."""
        return jwe.encrypt_compact(_HEADER, content, self._key, algorithms=list(_HEADER.values()))

    def opened(self, text: str) -> bytes | None:
        """What was closed; None for anything else."""
        if len(text) > LONGEST or not text.isascii():
            return None
        try:
            return jwe.decrypt_compact(text, self._key, algorithms=list(_HEADER.values())).plaintext
        except (JoseError, ValueError):
            return None
