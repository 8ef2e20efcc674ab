"""A login that is under way: what the browser carries, sealed, from its beginning to the chart."""

from __future__ import annotations

import hmac
import secrets

import msgspec

from cds_service.trust.sealing import Seal

SECONDS = 600.0  # from the launch to the code: time enough to sign in
SECONDS_OF_A_CODE = 60.0
LONGEST_CODE = 2500  # characters: a sealed cookie holds no more


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """One login at one client: good until a moment, and once."""

    client: str
    state: str
    verifier: str
    nonce: str
    until: float
    code: str = ""

    @property
    def step(self) -> str:
        """What it waits for."""
        return "chart" if self.code else "code"

    def with_code(self, code: str, now: float) -> Pending:
        """The same login one step further."""
        return msgspec.structs.replace(self, code=code, until=now + SECONDS_OF_A_CODE)


def begun(client: str, now: float) -> Pending:
    """A new login, with 256 bits each of state, PKCE verifier and nonce."""
    return Pending(client, secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), now + SECONDS)


def sealed(login: Pending, seal: Seal) -> str:
    """As a browser carries it."""
    return seal.closed(msgspec.json.encode(login))


def opened(text: str | None, seal: Seal, client: str, step: str, now: float) -> Pending | None:
    """What a browser brought back, if it is of this client, waits for this step and is not too old."""
    content = seal.opened(text) if text else None
    if content is None:
        return None
    try:
        login = msgspec.json.decode(content, type=Pending)
    except msgspec.DecodeError:
        return None
    return login if hmac.compare_digest(login.client, client) and login.step == step and now < login.until else None
