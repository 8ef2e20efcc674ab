"""`python -m tests.soak`: minutes of calls without a pause, with disasters; fails unless every one was answered or refused rightly."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from cds_service.ehr.prefetch import shifted
from cds_service.storage.database import Database
from tests import build
from tests.fakes import check_answer
from tests.faults.servers import Chart, serving
from tests.integration.server import wait_until_ready
from tests.smoke import free_port
from tests.soak import kinds
from tests.soak.disasters import Disasters, KeyServer
from tests.soak.page import figures, record
from tests.soak.play import Diary, Player, slow_senders
from tests.storage import postgresql
from tests.storage.samples import rows
from tests.trust.minting import entry, pinned, registered

CONNECTIONS = 4
SLOW_SENDERS = 4
WARM = 0.1  # part of the time after which memory is looked at first
MOST_GROWTH = 1.10
LEAST_MINUTES = 5  # below that a process has not lived long enough to tell whether it grows
_AROUND = 40  # lines of the log that are shown from where a sign stands


def main() -> int:
    """Play, print the figures, and say what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--record", action="store_true", help="write the figures into docs/soak.md")
    given = parser.parse_args()
    seconds = given.minutes * 60
    with tempfile.TemporaryDirectory(prefix="cds-soak-") as name, postgresql.running() as database:
        lines, faults = play(Path(name), database, seconds)
    print("\n".join(lines))
    if given.record and not faults:
        record(lines)
    for fault in faults:
        print(f"fault: {fault}")
    print(f"{len(faults)} faults" if faults else "every request was answered or refused rightly")
    return 1 if faults else 0


def play(folder: Path, database: postgresql.Server, seconds: float) -> tuple[list[str], list[str]]:
    """The figures of a run, and what was wrong in it."""
    keys, diary, over = KeyServer(), Diary(), threading.Event()
    chart = Chart({"entry": [{"resource": r} for r in _ehr()]})
    with serving(keys.behave, "/keys") as key_server, serving(chart.honest) as ehr:
        clients = registered(
            folder,
            entry("north", issuer=kinds.ISSUERS["north"], jku=f"{key_server.base}/jwks.json", fhir_server=ehr.base, calls_per_minute=600_000),
            entry("south", issuer=kinds.ISSUERS["south"], jwks_file=pinned(folder), calls_per_minute=600_000),
            entry("chatty", issuer=kinds.ISSUERS["chatty"], jwks_file=pinned(folder), calls_per_minute=60),
        )
        with service(folder, database.url, clients) as (base, process):
            disasters = Disasters(seconds, process, database, keys)
            players = [Player(base, ehr.base, diary, disasters, number) for number in range(1, CONNECTIONS + 1)]
            threads = [threading.Thread(target=player.play, args=(over,)) for player in players]
            watch = threading.Thread(target=watched, args=(base, diary, disasters, over))
            with slow_senders(base, SLOW_SENDERS):
                disasters.begin()
                for thread in (*threads, watch):
                    thread.start()
                time.sleep(seconds * WARM)
                warm = memory(disasters)
                time.sleep(seconds * (1 - WARM))
                over.set()
                for thread in (*threads, watch):
                    thread.join()
            disasters.end()
            end = memory(disasters)
    diary.faults += list(lost(diary, database.url)) + list(complaints(folder / "log"))
    if seconds >= LEAST_MINUTES * 60 and end > warm * MOST_GROWTH:
        diary.faults.append(f"memory grew from {warm} to {end} MiB")
    return figures(diary, disasters, seconds, warm, end), diary.faults


def _ehr() -> list[dict[str, object]]:
    """What the EHR's FHIR server has of the one patient."""
    return [shifted(r, kinds.DAYS) for r in (build.patient(), build.condition(), build.mcv(), build.platelets())]


@contextmanager
def service(folder: Path, database: str, clients: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The service as it is started in production, in two processes; its URL and the parent of both."""
    (folder / "key").write_text("k" * 64, encoding="utf-8")
    kept = Database(database)
    kept.upgrade()
    kept.close()
    port = free_port()
    settings = {
        "CDS_PORT": str(port),
        "CDS_BASE_URL": kinds.BASE,
        "CDS_WORKERS": "2",
        "CDS_CLIENTS": str(clients),
        "CDS_DATABASE": database,
        "CDS_PSEUDONYM_KEY_FILE": str(folder / "key"),
    }
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            with requests.Session() as session:
                wait_until_ready(session, f"http://127.0.0.1:{port}/cds-services")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def watched(base: str, diary: Diary, disasters: Disasters, over: threading.Event) -> None:
    """Ask for metrics and readiness all the while: they answer, and no count ever falls."""
    before = 0.0
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        while not over.wait(2):
            try:
                metrics, ready = (checked(pool, base, path) for path in ("/metrics", "/readyz"))
            except urllib3.exceptions.HTTPError as error:
                if not disasters.breaks(time.monotonic()):
                    diary.fault(f"metrics: {type(error).__name__} while no process was killed")
                continue
            now = sum(
                s.value for family in text_string_to_metric_families(metrics.data.decode()) if family.name == "cds_calls" for s in family.samples
            )
            if now < before or (metrics.status, ready.status) != (200, 200):
                diary.fault(f"metrics: {before} calls became {now}, status {metrics.status}, ready {ready.status}")
            before = now


def checked(pool: urllib3.PoolManager, base: str, path: str) -> urllib3.BaseHTTPResponse:
    """The answer to a GET, checked as every other answer is."""
    response = pool.request("GET", f"{base}{path}")
    check_answer("GET", path, response.status, response.headers.get("Content-Type", ""), response.data)
    return response


def memory(disasters: Disasters) -> int:
    """What the processes that answer hold in memory, in MiB."""
    return sum(worker.memory_info().rss for worker in disasters.workers()) >> 20


def lost(diary: Diary, url: str) -> Iterator[str]:
    """Feedback that was acknowledged and is not there, or is there twice."""
    database = Database(url)
    stored = [(row["card"], row["at"]) for row in rows(database, "feedback")]
    database.close()
    there = {(card, at.isoformat(timespec="milliseconds")) for card, at in stored}
    if len(there) < len(stored):
        yield f"{len(stored) - len(there)} entries of feedback are there twice"
    missing = diary.acknowledged - there
    if missing:
        yield f"{len(missing)} entries of feedback were acknowledged and are not there"


def complaints(log: Path) -> Iterator[str]:
    """Failures that only the log tells."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for sign in ('"event":"hook.failed"', "Traceback", "crash loop", "<script", "live-"):
        at = next((number for number, line in enumerate(lines) if sign in line), None)
        if at is not None:
            yield f"the log holds {sign!r}: " + "\n".join(line[:300] for line in lines[max(at - 2, 0) : at + _AROUND])


if __name__ == "__main__":
    sys.exit(main())
