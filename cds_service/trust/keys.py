"""The keys of a client, pinned in a file or fetched at most once a minute, and kept for a while when they cannot be had."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.util import urlsafe_b64decode

from cds_service.telemetry import event
from cds_service.trust.key_server import SECONDS, KeySetUnavailable
from cds_service.trust.reasons import Refusal

FRESH = 60 * 60.0  # seconds for which a set is used as it is
PAUSE = 60.0  # seconds between two fetches, so that tokens with made-up kids do not hammer the server
KEPT = 24 * 60 * 60.0  # seconds for which a set is used although its server fails
_EAGER = 0.8 * FRESH  # from then on it is fetched while nobody waits
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "Ed448")}
_MODULUS = (2048, 8192)  # bits
_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops")

Keys = Mapping[str, tuple[Key, ...]]


class KeySource(Protocol):
    """Where the keys of one client come from."""

    def find(self, kid: str) -> tuple[Key, ...]:
        """The keys of this kid. Raises Refusal if there are none, or no keys can be had."""
        ...


def read_keys(body: bytes) -> Keys:
    """The keys of a JWK Set that may verify a signature, by their kid. Raises ValueError for what is no JWK Set."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError("is no JWK Set")  # noqa: TRY004 - one kind of error for what is not read
    keys: dict[str, tuple[Key, ...]] = {}
    for raw in found["keys"]:
        key = _usable(raw)
        if key is not None:
            kid = str(raw["kid"])
            keys[kid] = (*keys.get(kid, ()), key)
    return keys


def _usable(raw: Any) -> Key | None:
    """A public key for signatures; None for anything else, so that an odd key costs only itself."""
    if not isinstance(raw, dict) or not isinstance(raw.get("kid"), str) or not raw["kid"]:
        return None
    if raw.get("use", "sig") != "sig" or "d" in raw:  # a private key that is published is nobody's any more
        return None
    try:
        fits = _MODULUS[0] <= _bits(raw["n"]) <= _MODULUS[1] if raw["kty"] == "RSA" else raw["crv"] in _CURVES[raw["kty"]]
        return import_key({name: raw[name] for name in _MEMBERS if name in raw}) if fits else None
    except (JoseError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _bits(modulus: Any) -> int:
    if not isinstance(modulus, str):
        raise TypeError
    return int.from_bytes(urlsafe_b64decode(modulus.encode()), "big").bit_length()


class PinnedKeys:
    """The keys of a file, as they were at the start."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, kid: str) -> tuple[Key, ...]:
        """The keys of this kid. Raises Refusal."""
        return _of(self._keys, kid)


class FetchedKeys:
    """The keys behind a client's jku: one thread fetches, whoever needs a new key waits for it, for two seconds at most."""

    def __init__(self, client: str, fetch: Callable[[], bytes], now: Callable[[], float]) -> None:
        self._client = client
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._since = 0.0
        self._asked: float | None = None
        self._failing = ""  # why the last fetch brought nothing
        self._under_way: threading.Event | None = None

    def find(self, kid: str) -> tuple[Key, ...]:
        """The keys of this kid. Raises Refusal."""
        with self._lock:
            age = self._now() - self._since
            found = (self._keys or {}).get(kid, ()) if self._keys is not None and age < KEPT else ()
            if found and 0 <= age < _EAGER:
                return found
            under_way = self._under_way or self._begin()
        # Where the server fails, a call with a known key does not wait for it to fail once more.
        if under_way and not (found and (age < FRESH or self._failing)):
            under_way.wait(SECONDS)
        with self._lock:
            usable = self._keys if self._now() - self._since < KEPT else None
        if usable is None:
            raise Refusal("keys", self._failing or "late")
        return _of(usable, kid)

    def _begin(self) -> threading.Event | None:
        """A fetch in a thread of its own, unless the last one began a moment ago."""
        now = self._now()
        if self._asked is not None and 0 <= now - self._asked < PAUSE:
            return None
        self._asked, self._under_way = now, threading.Event()
        threading.Thread(target=self._ask, args=(now, self._under_way), name="keys", daemon=True).start()
        return self._under_way

    def _ask(self, began: float, done: threading.Event) -> None:
        found, reason = None, "failed"
        try:
            found, reason = read_keys(self._fetch()), ""
        except KeySetUnavailable as error:
            reason = error.reason
        except ValueError:
            reason = "unreadable"
        finally:
            self._settle(found, reason, began)
            done.set()

    def _settle(self, found: Keys | None, reason: str, began: float) -> None:
        """Whatever became of a fetch, the next one may begin."""
        with self._lock:
            self._failing, self._under_way = reason, None
            if found is not None:
                self._keys, self._since = found, began
        if found is None:
            event("keys.unavailable", client=self._client, code=reason)
        else:
            event("keys.fetched", client=self._client, keys=len(found))


def _of(keys: Keys, kid: str) -> tuple[Key, ...]:
    found = keys.get(kid)
    if not found:
        raise Refusal("kid", f"kid is {kid!r}; there are {', '.join(sorted(map(repr, keys))) or 'none'}")
    return found
