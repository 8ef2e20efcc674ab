"""Whether what a token says, once its signature is verified, lets its client in at this URL at this moment."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import UNSET

from cds_service.trust.identity import Identity
from cds_service.trust.jwt import Claims
from cds_service.trust.reasons import Refusal


def check_claims(claims: Claims, identity: Identity, urls: Collection[str], now: float) -> None:
    """Raises Refusal. The times come last: of a token that has expired everything else was right."""
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if set(urls).isdisjoint(audiences):
        raise Refusal("audience", f"aud is {claims.aud!r}; it should be {' or '.join(sorted(urls))}")
    if identity.subject is not None and claims.sub != identity.subject:
        raise Refusal("subject", f"sub is {claims.sub!r}; registered is {identity.subject!r}")
    life = claims.exp - claims.iat
    if not 0 < life <= identity.max_lifetime:
        raise Refusal("lifetime", f"from iat to exp it lives {life} seconds; at most {identity.max_lifetime} are allowed")
    _check_times(claims, identity.leeway, now)


def _check_times(claims: Claims, leeway: int, now: float) -> None:
    for name, moment in (("iat", claims.iat), ("nbf", claims.nbf)):
        if moment is not UNSET and moment > now + leeway:
            raise Refusal("early", f"{name} is {moment - now:.0f} seconds ahead of our clock")
    if claims.exp <= now - leeway:
        raise Refusal("expired", f"exp was {now - claims.exp:.0f} seconds ago by our clock")
