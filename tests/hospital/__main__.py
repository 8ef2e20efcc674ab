"""`python -m tests.hospital`: six months of a hospital on SQLite and on PostgreSQL, and the report against a count of its own."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.hospital import count
from tests.hospital.patients import CLIENTS, Period
from tests.hospital.play import Play
from tests.storage.postgresql import server

PERIOD = Period(dt.date(2026, 5, 25), 182)


def main() -> int:
    """Play, compare, and keep the page of the report if a file is named for it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hospital", description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--page", type=Path, help="write the page of the report on SQLite to this file")
    options = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory() as folder, server() as postgresql:
        for name, url in (("SQLite", f"sqlite:///{folder}/cds.db"), ("PostgreSQL", postgresql)):
            place = Path(folder) / name
            place.mkdir()
            faults += [f"{name}: {fault}" for fault in played(place, url, options.patients, PERIOD, options.page if name == "SQLite" else None)]
    print("\n".join(faults) or "every number is as counted")
    return 1 if faults else 0


def played(folder: Path, url: str, patients: int, period: Period, page: Path | None = None) -> list[str]:
    """What differs between the reports of a play and its own count."""
    play = Play(folder, url, patients=patients, period=period)
    run(play, "database", "upgrade")
    started = time.monotonic()
    diary = play.run()
    spent = time.monotonic() - started
    last = period.day(period.days - 1)
    span = ("--from", str(period.first), "--to", str(last))
    faults = []
    whole = json.loads(run(play, "report", *span, "--format", "json"))
    digests = {r["version"]: r["digest"] for r in whole["releases"]}
    for client in (None, *CLIENTS):
        report = json.loads(run(play, "report", *span, "--format", "json", *(("--client", client) if client else ())))
        faults += [f"{client or 'all'}: {fault}" for fault in count.compare(report, count.figures(diary, digests, client))]
    shown = {f["item"]: f["number"] for f in whole["figures"] if f["section"] == "latency" and f["column"] == "all" and f["number"]}
    if shown != dict(count.latency(diary)):
        faults.append(f"latency: {shown}, the log has {dict(count.latency(diary))}")
    alarms = [(a["client"], dt.date.fromisoformat(a["day"])) for a in whole["alarms"]]
    if alarms != count.alarms(diary, period):
        faults.append(f"alarms: {alarms}, counted {count.alarms(diary, period)}")
    told = {dt.date.fromisoformat(w["monday"]): (w["calls"], w["made"]) for w in whole["weeks"]}
    for monday, counted in count.weeks(diary).items():
        calls, made = counted
        small = (0 < calls < 10, any(0 < n < 10 for n in (made, calls - made)))
        if any(n is not None and (n != right or few) for n, right, few in zip(told.get(monday, (-1, -1)), counted, small, strict=True)):
            faults.append(f"week of {monday}: {told.get(monday)}, counted {counted}")
    if page:
        page.write_text(run(play, "report", *span), encoding="utf-8")
    cards = sum(m.withheld is None for c in diary.calls for m in c.cards)
    print(
        f"{url.partition(':')[0]}: {len(diary.calls)} calls of {patients} patients, {cards} cards, {len(diary.said)} answers, {len(alarms)} alarms, {spent:.0f} s"
    )
    return faults


def run(play: Play, *arguments: str) -> str:
    """What a command of the service prints, with the settings of a play and its newest knowledge."""
    program = [sys.executable, "-c", "import sys; from cds_service.cli import main; main(sys.argv[1:])", *arguments]
    return subprocess.run(program, env={**play.environment("0.2.0")}, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
