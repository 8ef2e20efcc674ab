"""The ratios of the last recorded run, and whether new ones are much worse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILE = Path(__file__).with_name("recorded.json")
_MOST_TIMES_WORSE = 1.5


def record(ratios: Mapping[str, float]) -> None:
    """Keep the ratios of a run."""
    _FILE.write_text(json.dumps({name: round(value, 2) for name, value in ratios.items()}, indent=2) + "\n", encoding="utf-8")


def worse(ratios: Mapping[str, float]) -> Iterator[str]:
    """Each ratio that is more than one and a half times its recorded value."""
    kept: dict[str, float] = json.loads(_FILE.read_text(encoding="utf-8"))
    for name, value in ratios.items():
        if value > kept[name] * _MOST_TIMES_WORSE:
            yield f"{name}: {value:.2f} is more than {_MOST_TIMES_WORSE} times the recorded {kept[name]:.2f}. Find what became slower."
