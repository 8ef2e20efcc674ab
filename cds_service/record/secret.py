"""A value that no log, error or representation shows."""

from __future__ import annotations


class Secret:
    """A text that is only given out by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Secret(...)"
