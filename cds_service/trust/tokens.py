"""Who calls, by the signed token of the call: "Trusting CDS Clients" of CDS Hooks.

To the caller every refusal is the same, in its words and in the time that it takes; the reason goes to the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial

from joserfc.jwk import Key

from cds_service.errors import Unauthenticated
from cds_service.trust.addresses import origin_of
from cds_service.trust.claims import check_claims
from cds_service.trust.clients import Client, Clients
from cds_service.trust.identity import Identity
from cds_service.trust.jwt import Token, read_token
from cds_service.trust.key_server import fetch
from cds_service.trust.keys import FetchedKeys, KeySource, PinnedKeys, read_keys
from cds_service.trust.reasons import Refusal
from cds_service.trust.replay import UsedTokens
from cds_service.trust.signatures import fitting, spend, verify

Fetch = Callable[[str, str | None], bytes]


class Authenticator:
    """Lets registered clients in by their tokens, each token once."""

    def __init__(self, clients: Clients, base_url: str, used: UsedTokens, now: Callable[[], dt.datetime], fetch: Fetch = fetch) -> None:
        self._known = [(client, client.identity) for client in clients.registered if client.identity]
        self._base_url = base_url
        self._used = used
        self._now = now
        self._keys: Mapping[str, KeySource] = {client.name: self._source(client, identity, fetch) for client, identity in self._known}
        for algorithm in {name for _, identity in self._known for name in identity.algorithms}:
            spend(algorithm)  # what it needs is made now, so that the first refusal takes no longer than the next

    def authenticate(self, authorization: str | None, *paths: str) -> Client:
        """The client of an Authorization header, sent to one of these paths of the service. Raises Unauthenticated or TokensUnchecked."""
        token = None
        try:
            token = read_token(authorization)
            client, identity = self._client(token)
            key = self._key(client, identity, token)
        except Refusal as refusal:
            spend(token.algorithm if token else None)
            raise _unauthenticated(refusal, token) from None
        try:
            verify(token.signed, token.algorithm, key)
            self._check(token, client, identity, paths)
        except Refusal as refusal:
            raise _unauthenticated(refusal, token) from None
        return client

    def _client(self, token: Token) -> tuple[Client, Identity]:
        """Whose token it would be, by its issuer and tenant."""
        issued = [(client, identity) for client, identity in self._known if identity.issuer == token.claims.iss]
        if not issued:
            listed = ", ".join(sorted({repr(identity.issuer) for _, identity in self._known}))
            raise Refusal("issuer", f"iss is {token.claims.iss!r}; registered is {listed}")
        tenant = token.claims.tenant
        for client, identity in issued:
            if not identity.tenants or (isinstance(tenant, str) and tenant in identity.tenants):
                return client, identity
        listed = ", ".join(sorted(repr(one) for _, identity in issued for one in identity.tenants))
        raise Refusal("tenant", f"tenant is {tenant!r}; registered is {listed}")

    def _key(self, client: Client, identity: Identity, token: Token) -> Key:
        """The registered key by which it would be signed. Where the keys are pinned, the token's jku is not looked at."""
        if token.algorithm not in identity.algorithms:
            raise Refusal("algorithm", f"alg is {token.algorithm!r}; taken is {', '.join(identity.algorithms)}")
        if identity.jku is not None and token.jku not in (None, identity.jku):
            raise Refusal("jku", f"jku is {token.jku!r}; registered is {identity.jku!r}")
        return fitting(token.algorithm, self._keys[client.name].find(token.kid))

    def _check(self, token: Token, client: Client, identity: Identity, paths: tuple[str, ...]) -> None:
        now = self._now().timestamp()
        urls = [f"{base}{path}" for base in identity.audiences or (self._base_url,) for path in paths]
        check_claims(token.claims, identity, urls, now)
        if not self._used.use(client.name, token.claims.jti, token.claims.exp + identity.leeway, now):
            raise Refusal("replayed", f"jti is {token.claims.jti!r}")

    def _source(self, client: Client, identity: Identity, fetch: Fetch) -> KeySource:
        if identity.jwks_file:
            return PinnedKeys(read_keys(identity.jwks_file.read_bytes()))
        url = identity.jku or ""
        return FetchedKeys(client.name, partial(fetch, url, _authorities(client, url)), lambda: self._now().timestamp())


def _authorities(client: Client, jku: str) -> str | None:
    """The client's own certificate authorities, which hold for its keys if these stand on the host of its FHIR server."""
    return client.ca_file if client.server is None or origin_of(jku).host == client.server.host else None


def _unauthenticated(refusal: Refusal, token: Token | None) -> Unauthenticated:
    return Unauthenticated(refusal.reason, detail=refusal.detail, said=token.said if token else None)
