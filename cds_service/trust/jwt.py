"""A token as it came: its header and claims, whose form is right and whose truth is not known yet."""

from __future__ import annotations

import json
from typing import Annotated, Any, NamedTuple

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature
from joserfc.util import urlsafe_b64decode
from msgspec import UNSET, UnsetType

from cds_service.trust.reasons import Refusal
from cds_service.trust.signatures import signed

LONGEST = 8 * 1024
_EMBEDDED = ("crit", "jwk", "x5u", "x5c", "b64")


# Seconds since 1970; nothing is taken that a float could not tell from its neighbours.
_Moment = msgspec.Meta(ge=0, le=10**11)
Seconds = Annotated[int, _Moment] | Annotated[float, _Moment]


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that are looked at. `sub` and `tenant` are compared only if the client's registration has them."""

    iss: str
    aud: str | list[str]
    exp: Seconds
    iat: Seconds
    jti: str
    nbf: Seconds | UnsetType = UNSET
    sub: Any = None
    tenant: Any = None


class Token(NamedTuple):
    """A token in its parts."""

    signed: CompactSignature
    algorithm: str
    kid: str
    jku: str | None
    claims: Claims

    @property
    def said(self) -> dict[str, str]:
        """What the log may have of a token, if it is no text of another kind."""
        claims = self.claims
        found = {"iss": claims.iss, "tenant": claims.tenant, "jti": claims.jti}
        return {name: text for name, text in found.items() if isinstance(text, str)}


def read_token(authorization: str | None) -> Token:
    """The token of an Authorization header. Raises Refusal."""
    if not authorization:
        raise Refusal("missing")
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal("scheme")
    try:
        if len(text) > LONGEST:
            raise ValueError("long")
        parts = signed(text.strip(" "))
        header, claims = _object(_header(parts)), _object(parts.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Refusal("malformed") from None
    algorithm, kid, jku = _named(header)
    return Token(parts, algorithm, kid, jku, _claims(claims))


def _named(header: dict[str, Any]) -> tuple[str, str, str | None]:
    """The algorithm, the key and its URL that a header names. Raises Refusal."""
    brought = [name for name in _EMBEDDED if name in header]
    if brought:
        raise Refusal("embedded", f"it has {', '.join(brought)}")
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if not isinstance(algorithm, str) or not isinstance(kid, str) or not kid or header.get("typ") != "JWT":
        raise Refusal("header", f"typ is {header.get('typ')!r}, kid is {kid!r}, alg is {algorithm!r}")
    if jku is not None and not isinstance(jku, str):
        raise Refusal("jku", f"jku is {jku!r}")
    return algorithm, kid, jku


def _claims(found: dict[str, Any]) -> Claims:
    try:
        claims = msgspec.convert(found, Claims)
    except msgspec.ValidationError as error:
        raise Refusal("claims", str(error)) from None
    if not claims.jti or not claims.iss:
        raise Refusal("claims", "iss or jti is empty")
    return claims


def _header(parts: CompactSignature) -> bytes:
    """The header as it was sent: joserfc has decoded it once, and of a member that stands twice kept the last."""
    return urlsafe_b64decode(parts.segments["header"])


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object with each member once. Raises ValueError."""
    found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of error for what is not read
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _refuse(_word: str) -> None:
    raise ValueError("not a number")
