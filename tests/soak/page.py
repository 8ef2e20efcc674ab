"""The figures of a run, and the page that has them."""

from __future__ import annotations

import os
import re
import statistics
from collections import defaultdict
from pathlib import Path

from cds_service.settings import Settings
from tests.soak.disasters import Disasters
from tests.soak.play import Diary

PAGE = Path(__file__).parent.parent.parent / "docs" / "soak.md"
_FIGURES = re.compile(r"(<!-- figures: written by make -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def figures(diary: Diary, disasters: Disasters, seconds: float, warm: int, end: int) -> list[str]:
    """What happened, in lines of Markdown."""
    waits = sorted(diary.waits)
    cut = statistics.quantiles(waits, n=100) if len(waits) > 1 else [0.0] * 99
    by_kind: dict[str, dict[str, int]] = defaultdict(dict)
    for (kind, what), number in sorted(diary.counts.items()):
        if kind:
            by_kind[kind][what] = number
    total = sum(n for (_, what), n in diary.counts.items() if what.isdigit())
    broken = sum(n for (_, what), n in diary.counts.items() if what == "broken")
    away = sum(end - start for start, end in disasters.database_away)
    return [
        f"{Settings().today()}, {os.cpu_count()} cores, {seconds / 60:g} minutes, two processes on PostgreSQL, four connections, four slow senders.",
        "",
        f"- {total:,} requests were answered or refused, {total / seconds:.0f} a second; {diary.counts['', 'fault']} of them wrongly.",
        f"- Answers with 200: p50 {cut[49] * 1000:.1f} ms, p95 {cut[94] * 1000:.1f} ms, p99 {cut[98] * 1000:.1f} ms.",
        f"- {len(disasters.kills)} processes were killed: {broken} connections broke, and each request was answered when it was sent again.",
        f"- The database was away {len(disasters.database_away)} times, {away:.0f} seconds in all, the keys of one client once.",
        f"- {len(diary.acknowledged):,} entries of feedback were acknowledged; all are there, each once.",
        f"- Memory of both processes: {warm} MiB after a tenth of the time, {end} MiB at the end.",
        "",
        "| sent | answered |",
        "|---|---|",
        *(f"| {kind} | {', '.join(f'{what}: {number:,}' for what, number in found.items())} |" for kind, found in by_kind.items()),
    ]


def record(lines: list[str]) -> None:
    """Write the figures into the page."""
    text = PAGE.read_text(encoding="utf-8")
    written = "\n".join(lines) + "\n"
    PAGE.write_text(_FIGURES.sub(lambda found: f"{found[1]}{written}{found[2]}", text), encoding="utf-8")
