"""Signatures of tokens: verified by a registered key, or worked at in vain, so that a refusal tells nothing by its speed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import cache
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact
from joserfc.util import int_to_base64, urlsafe_b64decode

from cds_service.trust.identity import ALGORITHMS, USUAL
from cds_service.trust.reasons import Refusal

_CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}
_BITS = 2048


class _Registry(JWSRegistry):
    """What is taken of a token; the algorithm was compared with the client's own by then."""

    max_header_length = 4096
    max_payload_length = 8192

    def get_alg(self, name: str) -> Any:
        """An algorithm of ours; joserfc warns of EdDSA, whose name RFC 9864 wants to be Ed25519."""
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def signed(text: str) -> CompactSignature:
    """A token in its parts, nothing of which is verified. Raises JoseError or ValueError."""
    return extract_compact(text.encode("ascii"), None, _REGISTRY)


def fitting(algorithm: str, keys: Iterable[Key]) -> Key:
    """The first key that an algorithm may use. Raises Refusal."""
    for key in keys:
        try:
            JWSRegistry.algorithms[algorithm].check_key(key)
            key.check_key_op("verify")
        except JoseError:
            continue
        return key
    raise Refusal("key", f"alg is {algorithm}")


def verify(token: CompactSignature, algorithm: str, key: Key) -> None:
    """Whether a token is signed by a key. Raises Refusal."""
    try:
        length = len(urlsafe_b64decode(token.segments["signature"]))
        right = validate_compact(token, key, registry=_REGISTRY)
    except (JoseError, ValueError, RecursionError):
        length, right = 0, False
    if not right:
        if length != _length(key):
            spend(algorithm)  # what has no signature's length is not even looked at
        raise Refusal("signature")


def spend(algorithm: str | None) -> None:
    """Take the time that a signature takes, and learn nothing."""
    name = algorithm if algorithm in ALGORITHMS else USUAL[0]
    key, signature = _dummy(name)
    JWSRegistry.algorithms[name].verify(b"nothing", signature, key)


def _length(key: Key) -> int:
    """The bytes of a signature by a key."""
    if isinstance(key, ECKey):
        return 2 * ((key.curve_key_size + 7) // 8)
    if isinstance(key, RSAKey):
        return (key.raw_value.key_size + 7) // 8
    return 64 if key.get("crv") == "Ed25519" else 114


@cache
def _dummy(algorithm: str) -> tuple[Key, bytes]:
    """A key that nobody has, and a signature that has to be worked at."""
    if algorithm in _CURVES:
        curve, size = _CURVES[algorithm]
        return ECKey.generate_key(curve, private=False), (b"\0" + b"\1" * (size - 1)) * 2
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", private=False), b"\1" * 63 + b"\0"
    modulus = secrets.randbits(_BITS) | 1 << (_BITS - 1) | 1
    key = RSAKey.import_key({"kty": "RSA", "n": int_to_base64(modulus), "e": "AQAB"})
    return key, b"\0" + b"\1" * (_BITS // 8 - 1)
