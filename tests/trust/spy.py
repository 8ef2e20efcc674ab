"""Sees every connection that this process opens and every name that it looks up, by the interpreter's own audit events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_WATCHING: list[set[str]] = []


def _hook(event: str, given: tuple[Any, ...]) -> None:
    """Note where something goes; a hook can never be taken off again, so it is quick when nobody watches."""
    if not _WATCHING or not event.startswith("socket."):
        return
    if event in _SENDING and given[1] is not None:
        where = given[1]
        reached = ":".join(map(str, where[:2])) if isinstance(where, tuple) else str(where)
    elif event in _LOOKUPS:
        reached = ":".join(str(part) for part in given[:2] if part is not None) if isinstance(given[0], str) else str(given[0])
    else:
        return
    for seen in tuple(_WATCHING):
        seen.add(reached)


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[set[str]]:
    """Where this process goes in the meantime, in whichever thread: `host:port` of each connection and of each name looked up."""
    seen: set[str] = set()
    _WATCHING.append(seen)
    try:
        yield seen
    finally:
        _WATCHING.remove(seen)
