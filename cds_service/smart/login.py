"""A login from its beginning to the access that it brings: begin, the code comes back, the code is changed for a token."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from cds_service.knowledge.loader import Knowledge
from cds_service.smart import pending
from cds_service.smart.configuration import Configuration, Configurations, Fetch, authorities
from cds_service.smart.exchange import Access, address_of, exchanged
from cds_service.smart.pending import Pending
from cds_service.smart.reasons import failed
from cds_service.smart.scopes import wanted
from cds_service.trust.addresses import Address
from cds_service.trust.app import App
from cds_service.trust.clients import Client, Clients
from cds_service.trust.id_token import check
from cds_service.trust.key_server import fetch
from cds_service.trust.keys import FetchedKeys, KeySource
from cds_service.trust.reasons import Refusal
from cds_service.trust.replay import UsedTokens
from cds_service.trust.sealing import Seal

LONGEST_LAUNCH = 4000  # characters
_LEAST = 1


class Door(NamedTuple):
    """A client whose EHR may launch the app."""

    client: Client
    server: Address
    app: App


class Begun(NamedTuple):
    """Where the browser goes, and what it carries meanwhile."""

    url: str
    state: str
    sealed: str


class Logins:
    """The logins of every client; nothing of one stays here but that it was used."""

    def __init__(
        self,
        clients: Clients,
        knowledge: Knowledge,
        base_url: str,
        seal: Seal,
        used: UsedTokens,
        now: Callable[[], dt.datetime],
        fetch: Fetch = fetch,
    ) -> None:
        self.doors = {c.name: Door(c, c.server, c.app) for c in clients.registered if c.app and c.server is not None}
        self._requirements = knowledge.requirements
        self._base_url = base_url
        self._seal = seal
        self._used = used
        self._now = now
        self._fetch = fetch
        self._configurations = Configurations(fetch, self._seconds)
        self._keys: dict[tuple[str, str], KeySource] = {}

    def launched_by(self, issuers: Sequence[str], launches: Sequence[str]) -> tuple[Door, str]:
        """The EHR that launches, and its launch. Raises LoginFailed for one that is not registered: nothing is asked of it."""
        if len(issuers) != _LEAST or len(launches) != _LEAST or not 0 < len(launches[0]) <= LONGEST_LAUNCH:
            raise failed("launch")
        door = next((door for door in self.doors.values() if door.client.calls_for(issuers[0])), None)
        if door is None:
            raise failed("issuer")
        return door, launches[0]

    def begin(self, door: Door, launch: str | None) -> Begun:
        """The way to the sign-in of a client, from a `launch` of its EHR or without one. Raises LoginFailed."""
        where = self._where(door)
        login = pending.begun(door.client.name, self._seconds())
        more = {"aud": str(door.server), **({"launch": launch} if launch is not None else {})}
        scopes = self._scopes(door, where, launched=launch is not None)
        url = address_of(door.app, where, self.redirect_uri(door), login, scopes, **more)
        return Begun(url, login.state, pending.sealed(login, self._seal))

    def redirect_uri(self, door: Door) -> str:
        """Where a client's authorization server sends the browser back to; each has its own, so that none answers for another."""
        return f"{self._base_url}/smart/callback/{door.client.name}"

    def came_back(self, door: Door, said: Mapping[str, Sequence[str]], carried: str | None) -> str:
        """What the browser carries to the chart, for the answer of an authorization server. Raises LoginFailed or TokensUnchecked."""
        one = {name: values[0] for name, values in said.items() if len(values) == 1}
        login = self._opened(door, carried, "code")
        if not hmac.compare_digest(login.state.encode(), one.get("state", "").encode()):
            raise failed("state")
        self._use(login)
        where = self._where(door)
        named = "iss" in said or where.authorization_response_iss_parameter_supported
        if named and (where.issuer is None or one.get("iss") != where.issuer):
            raise failed("mixed")
        if "error" in said:
            raise failed("denied" if one.get("error") == "access_denied" else "refused")
        if not 0 < len(one.get("code", "")) <= pending.LONGEST_CODE:
            raise failed("code")
        return pending.sealed(login.with_code(one["code"], self._seconds()), self._seal)

    def finish(self, door: Door, carried: str | None) -> Access:
        """The access that a code brings. Raises LoginFailed or TokensUnchecked."""
        login = self._opened(door, carried, "chart")
        self._use(login)
        where = self._where(door)
        asked = self._scopes(door, where, launched=True)
        ca_file = authorities(door.client, door.app, where.token_endpoint)
        access = exchanged(door.app, where, self.redirect_uri(door), login, ca_file, asked)
        if door.app.openid:
            self._check(door, where, login, access)
        return access

    def _seconds(self) -> float:
        return self._now().timestamp()

    def _where(self, door: Door) -> Configuration:
        return self._configurations.of(door.client, door.server, door.app)

    def _scopes(self, door: Door, where: Configuration, *, launched: bool) -> str:
        return wanted(door.app, self._requirements.values(), launched=launched, first=where.first_scopes)

    def _opened(self, door: Door, carried: str | None, step: str) -> Pending:
        login = pending.opened(carried, self._seal, door.client.name, step, self._seconds())
        if login is None:
            raise failed("state")
        return login

    def _use(self, login: Pending) -> None:
        """Raises LoginFailed for a step that was taken before."""
        if not self._used.use(f"smart {login.step} {login.client}", login.state, login.until, self._seconds()):
            raise failed("state")

    def _check(self, door: Door, where: Configuration, login: Pending, access: Access) -> None:
        """Raises LoginFailed unless the ID token is that of this login."""
        url = where.jwks_uri or ""
        place = (door.client.name, url)
        if place not in self._keys:
            asks = partial(self._fetch, url, authorities(door.client, door.app, url))
            self._keys[place] = FetchedKeys(door.client.name, asks, self._seconds)
        try:
            check(
                access.id_token or "",
                self._keys[place],
                issuer=where.issuer or "",
                audience=door.app.client_id,
                nonce=login.nonce,
                now=self._seconds(),
            )
        except Refusal:
            raise failed("identity") from None
