"""What it costs an answer that its decision is recorded: the same calls with and without a database, in alternation."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import workload
from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from cds_service.recording import Recorder
from cds_service.storage import opening

_HARMLESS = ("I10", "E78.5")


class Line(NamedTuple):
    """Milliseconds of an answer at the median, without and with a database."""

    answer: str
    without: float
    recorded: float


def measure(seconds: float) -> Iterator[Line]:
    """Calls that show a card, and calls that show none; each of a hook instance of its own, on SQLite in a file."""
    knowledge, today = load(None), dt.datetime.now(dt.UTC).date()
    bodies = {"with a card": workload.body(20, today), "without": _unsuspicious(today)}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/cds.db"
        opening.prepared(url, None)
        database = opening.opened(url)
        recorder = Recorder(database, opening.pseudonyms(database, None), knowledge, lambda: dt.datetime.now(dt.UTC))
        plain, keeping = (Service(knowledge, "http://127.0.0.1:8080", lambda: today, recorder=one) for one in (None, recorder))
        for name, body in bodies.items():
            if bool(plain.call("vexas", body).topics) is not (name == "with a card"):
                raise RuntimeError(f"the answer {name} is none: correct the chart")
            spent: tuple[list[float], list[float]] = ([], [])
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                for service, found in zip((plain, keeping), spent, strict=True):
                    call = body.replace(workload.INSTANCE.encode(), str(uuid.uuid4()).encode())
                    started = time.perf_counter()
                    service.call("vexas", call)
                    found.append((time.perf_counter() - started) * 1000)
            yield Line(name, *map(statistics.median, spent))
        recorder.close()


def _unsuspicious(today: dt.date) -> bytes:
    """A call for a chart of hypertension and high cholesterol."""
    call = json.loads(workload.body(20, today))
    for key in ("bloodCounts", "inflammation", "conditions"):
        call["prefetch"][key]["entry"] = [
            e for e in call["prefetch"][key]["entry"] if key == "conditions" and e["resource"]["code"]["coding"][0]["code"] in _HARMLESS
        ]
    return json.dumps(call).encode()


def table(lines: list[Line]) -> Iterator[str]:
    """The lines as a Markdown table."""
    yield "| answer | p50 ms without a database | p50 ms with SQLite | more |"
    yield "|---|---|---|---|"
    yield from (f"| {x.answer} | {x.without:.2f} | {x.recorded:.2f} | {x.recorded - x.without:.2f} |" for x in lines)
