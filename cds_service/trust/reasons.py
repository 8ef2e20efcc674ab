"""Why a token is refused: a closed list of codes for the log and the metrics, each with what mends it for `cds-service client test`."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "missing": "No token came. Let the client send Authorization: Bearer with each call; a proxy in between must pass it on.",
    "scheme": "The header Authorization is no Bearer token. Let the client send Bearer, one blank, and the token.",
    "malformed": "This is no signed JSON Web Token of at most 8 kB. Let the client send header, payload and signature in compact form.",
    "header": "The token's header needs alg, a kid, and typ with the value JWT. Correct what writes it.",
    "embedded": "The token's header brings its own key or a condition (crit, jwk, x5u, x5c, b64), which is never taken. Leave it out.",
    "claims": "The token needs iss, aud, exp, iat and jti: texts, and numbers for the times. Correct what writes it.",
    "issuer": "No client is registered with this iss. Correct issuer in clients.toml to the very same text, or the client's iss.",
    "tenant": "No client with this iss is registered for this tenant. Add it to tenants in clients.toml, or correct the client.",
    "algorithm": "The client may not sign with this alg. Let it use another, or list it in algorithms in clients.toml.",
    "jku": "The token names another jku than clients.toml. Correct one of them to the very same text.",
    "keys": "No keys of this client could be had. Look whether its jku answers by a JWK Set within 2 seconds, without a redirect.",
    "kid": "The client's JWK Set has no key of this kid that may verify a signature. Publish it; it is looked for once a minute.",
    "key": "The key of this kid does not fit the token's alg. Sign with the alg of the key, or publish a key for this alg.",
    "signature": "The signature is not by the key of this kid. Look whether two keys share a kid, or the token was changed on its way.",
    "audience": "The token is for another URL. Let aud be the URL that is called, or list the service's base URL in audiences.",
    "subject": "The token's sub is not the one in clients.toml. Correct subject there, or the client.",
    "lifetime": "The token lives too long, or ends before it begins. Let exp be soon after iat, or raise max_lifetime in clients.toml.",
    "expired": "The token has expired; everything before that was right. Send a new one for each call, and compare the clocks.",
    "early": "The token is not valid yet. Compare the clocks, or raise leeway in clients.toml.",
    "replayed": "A token with this jti was used before. Write a new one, with a jti of its own, for each call.",
}


class Refusal(Exception):
    """A token is not accepted, for a reason of the list; `detail` may quote it, so it never leaves the machine."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
