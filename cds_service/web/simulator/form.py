"""What the form of the simulator says: whose chart, which hook, how much prefetch, and what was done with a card."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from cds_service.ehr.prefetch import MODES
from cds_service.record.secret import Secret

CONSTRUCTED, BUNDLE, SERVER = SOURCES = ("constructed", "bundle", "server")
CHOSEN = "chosen"  # in place of a mode: the keys that are ticked
_KEY, _SUGGESTION, _REASON, _COMMENT = "key.", "suggestion.", "reason.", "comment."


class Wanted(NamedTuple):
    """A filled form. Its token is never shown again."""

    source: str = CONSTRUCTED
    constructed: str = ""
    bundle: str = ""
    server: str = ""
    patient: str = ""
    token: Secret | None = None
    hook: str = ""
    mode: str = MODES[0]
    keys: frozenset[str] = frozenset()
    instance: str = ""
    kept: bool = False  # the browser still has the Bundle, so the page need not carry it

    @property
    def typed(self) -> str:
        """The Bundle as far as a page can show it, where it has to."""
        return "" if self.kept else self.bundle.encode(errors="replace").decode()


class Deed(NamedTuple):
    """What a clinician did: `accept` or `override` a card, or `lift` what is silent; `fire` and `request` ask for a call."""

    act: str
    card: str = ""
    suggestions: tuple[str, ...] = ()
    reason: str = ""
    comment: str = ""


def wanted(fields: Mapping[str, bytes]) -> Wanted:
    """What a form asks for; anything odd in it becomes what is usual."""
    # A file that is not UTF-8 is kept as it is, so that it can be said.
    said = {name: value.decode("utf-8-sig", "surrogateescape") for name, value in fields.items()}
    token = said.get("token", "").strip()
    source, mode = said.get("source", ""), said.get("prefetch", "")
    return Wanted(
        source=source if source in SOURCES else CONSTRUCTED,
        constructed=said.get("constructed", ""),
        bundle=said["file"] if said.get("file", "").strip() else said.get("bundle", ""),
        server=said.get("server", ""),
        patient=said.get("patient", "").strip().removeprefix("Patient/"),
        token=Secret(token) if token else None,
        hook=said.get("hook", ""),
        mode=mode if mode in (*MODES, CHOSEN) else MODES[0],
        keys=frozenset(name.removeprefix(_KEY) for name in said if name.startswith(_KEY)),
        instance=_uuid(said.get("instance", "")),
        kept=said.get("kept") == "1",
    )


def _uuid(text: str) -> str:
    """A text that is a UUID, or nothing."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def deed(fields: Mapping[str, bytes]) -> Deed:
    """What was done, by the button that was pressed."""
    said = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    act, _, card = said.get("act", "fire").partition(".")
    several = f"{_SUGGESTION}{card}."
    one = said.get(f"{_SUGGESTION}{card}", "")
    return Deed(
        act=act,
        card=card,
        suggestions=(*((one,) if one else ()), *(name.removeprefix(several) for name in said if name.startswith(several))),
        reason=said.get(f"{_REASON}{card}", ""),
        comment=said.get(f"{_COMMENT}{card}", "").strip(),
    )
