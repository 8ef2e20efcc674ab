"""Figures with their conditions, and the place in the documentation where they stand."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

_PACKAGES = ("flask", "granian", "msgspec", "orjson")


def conditions(runs: int, seconds: float) -> Iterator[str]:
    """What a figure was measured on."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    yield f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, {versions}."
    yield f"Medians of {runs} runs of {seconds:g} s, servers in alternation, load from a second process on the same machine."


def _processor() -> str:
    """The name of the processor, where the system tells it."""
    told = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in told.read_text().splitlines() if line.startswith("model name")] if told.exists() else []
    return names[0] if names else platform.machine()


def write(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put lines between the marks of a block of a page. Raises ValueError if the page has no such block."""
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- {name}: written by make -->", f"<!-- end of {name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"{page} has no block '{name}'. Add the lines '{start}' and '{end}'.")
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{start}\n{chr(10).join(lines)}\n{end}{tail}", encoding="utf-8")
