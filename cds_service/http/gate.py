"""Who calls, asked before a body is read; without registered tokens everybody may, and nobody is known."""

from __future__ import annotations

from typing import Protocol

from flask import request

from cds_service.counting import Counts
from cds_service.errors import TooManyRequests, Unauthenticated
from cds_service.trust.clients import Client
from cds_service.trust.rates import Rates


class Doorkeeper(Protocol):
    """Knows clients by their tokens, as trust/tokens.py does."""

    def authenticate(self, authorization: str | None, *paths: str) -> Client:
        """The client of an Authorization header, sent to one of these paths."""
        ...


class Gate:
    """Lets calls in, as many as their clients may send, and discovery without a token unless `discovery` asks for one."""

    def __init__(self, doorkeeper: Doorkeeper | None, counts: Counts, *, discovery: bool = False) -> None:
        self._doorkeeper = doorkeeper
        self._rates = Rates()
        self._counts = counts
        self._discovery = discovery

    @property
    def mode(self) -> str:
        """Whether callers are known."""
        return "authenticated" if self._doorkeeper else "open"

    def discover(self) -> None:
        """Let a discovery in. Raises Unauthenticated."""
        if self._discovery:
            self.caller()

    def caller(self, within: str = "") -> Client | None:
        """Who calls this path, by a token for it or, `within` taken from its end, for the service; None where nobody is known.

        Raises Unauthenticated, TokensUnchecked or TooManyRequests.
        """
        if self._doorkeeper is None:
            return None
        path = request.path
        plain = path.rstrip("/")
        try:
            client = self._doorkeeper.authenticate(request.headers.get("Authorization"), *{path, plain, plain.removesuffix(within)})
        except Unauthenticated as error:
            self._counts.refuse_token(error.reason)
            raise
        if wait := self._rates.wait(client.name, client.calls_per_minute):
            raise TooManyRequests(wait)
        return client
