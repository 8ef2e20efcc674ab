"""Tokens that tests mint, good ones and bad ones, and the registrations by whose keys they are signed."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import int_to_base64, urlsafe_b64encode

from cds_service.settings import Settings
from tests import build

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
NOW = int(NOON.timestamp())
BASE = Settings().base_url
SERVICE_URL = f"{BASE}{build.SERVICE}"
ISSUER = "https://ehr.north.example/r4"
EPIC_KID = "a+b/c=="  # as Epic's kids look
EC = ECKey.generate_key("P-384", parameters={"kid": EPIC_KID, "use": "sig"})
OTHER_EC = ECKey.generate_key("P-384", parameters={"kid": "other"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa", "alg": "RS384"})
ED = OKPKey.generate_key("Ed25519", parameters={"kid": "ed"})
SECRET = OTHER_EC.as_dict(private=True)
WEAK = {"kty": "RSA", "kid": "weak", "n": int_to_base64((1 << 1023) + 1), "e": "AQAB"}
ENCRYPTS = {**OTHER_EC.as_dict(private=False), "kid": "encrypts", "use": "enc"}


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, moment: dt.datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> dt.datetime:
        """This moment."""
        return self.moment

    def seconds(self) -> float:
        """This moment in seconds since 1970."""
        return self.moment.timestamp()

    def go(self, seconds: float) -> None:
        """Some time passes."""
        self.moment += dt.timedelta(seconds=seconds)


def key_set(*keys: Key | dict[str, Any]) -> bytes:
    """A JWK Set with the public part of keys, and with others as they are."""
    return json.dumps({"keys": [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]}).encode()


def header(**members: Any) -> dict[str, Any]:
    """A good header; None takes a member off."""
    return _without_none({"alg": "ES384", "kid": EPIC_KID, "typ": "JWT", **members})


def payload(**members: Any) -> dict[str, Any]:
    """A good payload; None takes a member off."""
    usual = {"iss": ISSUER, "aud": SERVICE_URL, "exp": NOW + 300, "iat": NOW, "jti": str(uuid.uuid4())}
    return _without_none({**usual, **members})


def mint(head: Any = None, body: Any = None, *, key: Any = EC, sign: str = "ES384") -> str:
    """A signed token; what is given as bytes stands in it as it is."""
    parts = [_encoded(header() if head is None else head), _encoded(payload() if body is None else body)]
    signature = JWSRegistry.algorithms[sign].sign(".".join(parts).encode(), key)
    return ".".join([*parts, urlsafe_b64encode(signature).decode()])


def bearer(token: str | None = None, **claims: Any) -> dict[str, str]:
    """The header of a call with a token, or with a good one that has these claims."""
    return {"Authorization": f"Bearer {token or mint(body=payload(**claims))}"}


def pinned(folder: Path) -> str:
    """The path of a file with every key that is registered."""
    path = folder / "jwks.json"
    path.write_bytes(key_set(EC, RSA, ED, WEAK, ENCRYPTS))
    return str(path)


def entry(name: str, **members: Any) -> str:
    """One [[client]] of clients.toml."""
    return "\n".join(["[[client]]", f'name = "{name}"', *(f"{key} = {json.dumps(value)}" for key, value in members.items()), ""])


def registered(folder: Path, *entries: str) -> Path:
    """A clients.toml."""
    path = folder / "clients.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


def _encoded(part: Any) -> str:
    return urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).decode()


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
