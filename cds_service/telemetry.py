"""Log events as JSON lines on stderr. Only fields on the allow-list leave, and none of them can hold a person's data."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping

import msgspec

_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "service": str,
    "hook": str,
    "client": str,
    "trigger": str,
    "status": int,
    "code": str,
    "cards": int,
    "topics": str,
    "issues": int,
    "ms": (int, float),
    "reference": str,
    "error": str,
    "where": str,
    "version": str,
    "knowledge": str,
    "digest": str,
    "workers": int,
    "stored": int,
    "known": int,
    "refused": int,
    "lost": int,
    "mode": str,
    "keys": int,
    # Of a token nothing but these, and they name nobody.
    "reason": str,
    "iss": str,
    "tenant": str,
    "jti": str,
}
_SAFE = re.compile(r"[A-Za-z0-9_.,:/@-]{0,120}")
_LOGGER = logging.getLogger("cds_service")


def configure() -> None:
    """Send our events to stderr, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOGGER.handlers[:] = [handler]
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def event(name: str, **fields: str | float | None) -> None:
    """Log one event. A field that is not allow-listed, or a text that is no plain identifier, is left out."""
    kept = {k: v for k, v in fields.items() if k in _FIELDS and isinstance(v, _FIELDS[k]) and (not isinstance(v, str) or _SAFE.fullmatch(v))}
    if _LOGGER.isEnabledFor(logging.INFO):
        line = msgspec.json.encode({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": name, **kept}).decode()
        # A record made here spares the walk up the stack for a place in the code that no line shows.
        _LOGGER.handle(logging.LogRecord(_LOGGER.name, logging.INFO, "", 0, line, None, None))
