"""Whether an ID token was issued by this server, for this app, in answer to this login (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import hmac

import msgspec
from joserfc.errors import JoseError

from cds_service.trust.identity import ALGORITHMS
from cds_service.trust.keys import KeySource
from cds_service.trust.reasons import Refusal
from cds_service.trust.signatures import fitting, signed, verify

_LEEWAY = 60  # seconds by which the clocks may be apart


class _Claims(msgspec.Struct, gc=False):
    """Those that decide."""

    iss: str
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str
    azp: str | None = None


def check(text: str, keys: KeySource, *, issuer: str, audience: str, nonce: str, now: float) -> None:
    """Raises Refusal for an ID token that is not the one that was asked for."""
    try:
        token = signed(text)
        header = token.headers()
        claims = msgspec.json.decode(token.payload or b"", type=_Claims)
        algorithm, kid = header["alg"], header["kid"]
    except (JoseError, ValueError, KeyError, RecursionError):
        raise Refusal("malformed") from None
    if algorithm not in ALGORITHMS or not isinstance(kid, str) or "crit" in header:
        raise Refusal("algorithm")
    verify(token, algorithm, fitting(algorithm, keys.find(kid)))
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != issuer:
        raise Refusal("issuer")
    if audience not in audiences or claims.azp not in (None, audience) or (len(audiences) > 1 and claims.azp is None):
        raise Refusal("audience")
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        raise Refusal("replayed")
    if claims.exp <= now - _LEEWAY:
        raise Refusal("expired")
    if claims.iat > now + _LEEWAY:
        raise Refusal("early")
