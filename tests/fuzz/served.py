"""The services that are fuzzed, each made anew: open, known by tokens, and known by tokens to strangers who have none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from joserfc.jwk import ECKey

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.fuzz.witness import Sent, Witness
from tests.trust.minting import BASE, EPIC_KID, ISSUER, Clock, entry, key_set, mint, payload, registered

MODES = ("open", "signed", "strangers")
FEEDBACK = f"{build.SERVICE}/feedback"
# Always the same, so that a token of a case that was saved is good when the case is sent again.
_PRIVATE = ec.derive_private_key(20261122, ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
KEY = ECKey.import_key(_PRIVATE, {"kid": EPIC_KID, "use": "sig"})


def served(mode: str, changed: Callable[[Flask], Any] = lambda app: app) -> Witness:
    """A service in a mode, with its witness; `changed` may put something between them. One card was issued already."""
    app = checked_app(_settings(mode), lambda: build.TODAY, Clock())
    document = app.test_client().get("/openapi.json").json
    witness = Witness(changed(app), document, _signed if mode == "signed" else None)
    if mode != "strangers":
        witness.send(Sent("POST", build.SERVICE, build.body_of(build.request(build.suspect()))))
    return witness


def issued() -> tuple[str, list[str]]:
    """The uuid of the card that a fuzzed service has issued, and those of its suggestions: by construction always the same for a client."""
    settings = _settings("signed")
    headers = {"Authorization": f"Bearer {_signed(build.SERVICE)}"}
    (card,) = (
        checked_app(settings, lambda: build.TODAY, Clock())
        .test_client()
        .post(build.SERVICE, json=build.request(build.suspect()), headers=headers)
        .json["cards"]
    )
    return card["uuid"], [suggestion["uuid"] for suggestion in card["suggestions"]]


def _settings(mode: str) -> Settings:
    if mode == "open":
        return Settings()
    folder = Path(tempfile.mkdtemp(prefix="cds-fuzz-"))
    keys, token = folder / "jwks.json", folder / "governance.token"
    keys.write_bytes(key_set(KEY))
    token.write_text("0123456789abcdef0123", encoding="utf-8")
    clients = registered(folder, entry("north", issuer=ISSUER, jwks_file=str(keys), calls_per_minute=60_000))
    return Settings(clients=clients, governance_token_file=token if mode == "strangers" else None, authenticate_discovery=mode == "strangers")


def _signed(path: str) -> str:
    return mint(body=payload(aud=f"{BASE}{path}"), key=KEY)
