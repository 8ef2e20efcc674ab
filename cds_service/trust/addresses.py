"""Addresses of FHIR servers, compared in one form: an address that has no such form is equal to none; and of keys."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from cds_service.settings import is_loopback

_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\]")
# One spelling for each path: no percent-encoding, no empty or dotted segment, no parameters.
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_TARGET = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%|-]*")
_LONGEST = 2000


class Address(str):
    """A base URL in its one form: scheme and host in small letters, no default port, no slash at its end."""

    __slots__ = ()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        scheme, _, rest = self.partition("://")
        return f"{scheme}://{rest.split('/', 1)[0]}"

    @property
    def host(self) -> str:
        """The host without its port."""
        return urlsplit(self).hostname or ""


def address(text: str) -> Address:
    """The one form of a base URL. Raises ValueError for anything that is more or less than scheme, host, port and a plain path."""
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or any(c in ' \\"<>^`{}' for c in text):
        raise ValueError("is no plain URL")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has a host or port that is not plain") from None
    if parts.scheme not in _PORTS or "?" in text or "#" in text or "@" in parts.netloc:
        raise ValueError("is no http(s) URL of host, port and path")
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
    host = host.lower()
    path = parts.path.removesuffix("/")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        raise ValueError("has a host or path that is not plain")
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return Address(f"{parts.scheme}://{host}{shown}{path}")


def origin_of(url: str) -> Address:
    """Scheme, host and port of a URL, in their one form. Raises ValueError."""
    scheme, _, rest = url.partition("://")
    return address(f"{scheme}://{rest.split('/', 1)[0]}")


def key_address(text: str) -> str:
    """The URL of a JWK Set, as it is written. Raises ValueError unless it is plain, and https or on this machine."""
    server = origin_of(text)
    target = text.partition("://")[2].partition("/")[2]
    if len(text) > _LONGEST or not _TARGET.fullmatch(target) or ".." in target:
        raise ValueError("is no plain URL")
    if server.startswith("http://") and server.host != "localhost" and not is_loopback(server.host):
        raise ValueError("is http, so whoever stands between could send keys of their own")
    return text


def same(one: Address, text: str) -> bool:
    """Whether a text means an address."""
    try:
        return one == address(text)
    except ValueError:
        return False


def target_on(server: Address, link: str) -> str | None:
    """What a link means on a server, behind its origin (`/r4?page=2`); None for one that leads to another origin or is no plain link."""
    if len(link) > 4 * _LONGEST or not _TARGET.fullmatch(link):
        return None
    try:
        scheme, _, rest = urljoin(f"{server}/", link).partition("://")
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        own = address(f"{scheme}://{authority}") == server.origin
    except ValueError:
        return None
    target = rest[len(authority) :]
    return (target if target.startswith("/") else f"/{target}") if own else None
