"""Being a client, for a trial: a key of one's own, and tokens signed with it as CDS Hooks describes them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey, import_key

LIFE = 300  # seconds
_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def new_key() -> tuple[bytes, bytes]:
    """A private key for ES384 as a JWK, and the JWK Set that the service needs to know it by."""
    key = ECKey.generate_key("P-384", parameters={"kid": uuid.uuid4().hex, "use": "sig", "alg": "ES384"})
    return _written(key.as_dict(private=True)), _written({"keys": [key.as_dict(private=False)]})


def read_private_key(text: bytes) -> Key:
    """A private key with a kid. Raises ValueError for anything else."""
    try:
        raw = json.loads(text)
        key = import_key(raw) if raw["kty"] in ("EC", "RSA") else None
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ValueError("is no JWK") from None
    if not isinstance(key, ECKey | RSAKey) or not key.is_private or not isinstance(raw.get("kid"), str):
        raise ValueError("is no private EC or RSA key with a kid")
    return key


def signed(key: Key, issuer: str, audience: str, now: int) -> str:
    """A token for one call."""
    algorithm = _ALGORITHMS[key.curve_name] if isinstance(key, ECKey) else "RS384"
    claims = {"iss": issuer, "aud": audience, "iat": now, "exp": now + LIFE, "jti": uuid.uuid4().hex}
    return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[algorithm])


def _written(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
