"""What one vendor does differently, in both directions; a dialect that says nothing is the standard's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Search(NamedTuple):
    """A search of one resource type, or a read of one resource: the path below the server's base, and its parameters in order."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    def without(self, *names: str) -> Search:
        """The same search without some parameters."""
        return self._replace(parameters=tuple((n, v) for n, v in self.parameters if n not in names))

    def with_(self, name: str, value: str) -> Search:
        """The same search with a parameter set anew, in its old place if it has one."""
        if any(n == name for n, _ in self.parameters):
            return self._replace(parameters=tuple((n, value if n == name else v) for n, v in self.parameters))
        return self._replace(parameters=(*self.parameters, (name, value)))

    def get(self, name: str) -> str | None:
        """The value of a parameter."""
        return next((v for n, v in self.parameters if n == name), None)

    def __str__(self) -> str:
        """As it stands behind the base URL."""
        return self.path + ("?" + "&".join(f"{n}={v}" for n, v in self.parameters) if self.parameters else "")


def as_it_is(search: Search) -> Search | None:
    """The search as the standard has it."""
    return search


class Dialect(NamedTuple):
    """How one vendor's searches, answers and cards differ.

    `adapt` turns a search into the vendor's form, or into None where the vendor has none. `partial` are codes in an
    OperationOutcome that say an answer is not the whole, `final` those after which a query is never sent again.
    `headers` go with every query. `topic_code` is the form in which a card's topic leaves; `trigger` reads from a
    request's extension what made the EHR call. `feedback` turns an entry of feedback into the standard's form.
    """

    name: str
    title: str
    adapt: Callable[[Search], Search | None] = as_it_is
    partial: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()
    headers: Mapping[str, str] = {}
    topic_code: Callable[[str], str] = str
    trigger: Callable[[Mapping[str, Any]], str] = lambda _extension: ""
    feedback: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda entry: entry
