"""The private key by which the app proves who it is, and its public half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

_SHORTEST = 2048  # bits


class AppKey(NamedTuple):
    """A key for signatures by one algorithm, with its public half as a JWK."""

    key: Key
    algorithm: str
    public: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its kid: the thumbprint of RFC 7638, so that it is the same wherever the key is read."""
        return str(self.public["kid"])


def read_key(pem: bytes) -> AppKey:
    """The key in a PEM file. Raises ValueError for one that SMART has no algorithm for."""
    for kind, algorithm in ((ECKey, "ES384"), (RSAKey, "RS384")):
        try:
            key = kind.import_key(pem)
            fits = key.curve_name == "P-384" if isinstance(key, ECKey) else key.raw_value.key_size >= _SHORTEST
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        if fits and key.is_private:
            public = {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": algorithm, "use": "sig"}
            return AppKey(key, algorithm, public)
    raise ValueError("no private key for ES384 or RS384")
