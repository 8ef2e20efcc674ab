"""`python -m benchmarks.peers`: the same call against HealthChain's CDS Hooks service, which answers with one constant card."""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks import comparison, report, workload
from benchmarks.servers import BARE, OURS, Server

_FOLDER = Path(".run/healthchain")
_PINNED = Path(__file__).with_name("healthchain.txt")
_RUNS, _SECONDS = 5, 3.0


def main() -> int:
    """Run and print; with `--record` write the figures to docs/performance.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the figures to docs/performance.md")
    options = parser.parse_args()
    peer = _healthchain()
    bodies = workload.sizes(dt.datetime.now(dt.UTC).date())
    lines = list(comparison.compare((BARE, OURS, peer), bodies, runs=_RUNS, seconds=_SECONDS))
    ratios = [
        f"{peer.name} / {other.name}, CPU, {size}, {c} connection{'s' * (c > 1)}: {comparison.ratio(lines, peer.name, other.name, size, c):.2f}"
        for other in (OURS, BARE)
        for size in bodies
        for c in comparison.CONNECTIONS
    ]
    block = [*report.conditions(_RUNS, _SECONDS), f"{_PINNED.read_text().split()[0]} on uvicorn, one process.", "", *comparison.table(lines)]
    print("\n".join([*block, "", *ratios]))
    if options.record:
        report.write(Path("docs/performance.md"), "peers", [*block, "", *(f"- {line}" for line in ratios)])
    return 0


def _healthchain() -> Server:
    """HealthChain in an environment of its own: its pins are not ours."""
    python = _FOLDER / "bin" / "python"
    installed = _FOLDER / _PINNED.name
    if not installed.exists() or installed.read_text() != _PINNED.read_text():
        print(f"Installing {_PINNED.read_text().split()[0]} into {_FOLDER} ...", file=sys.stderr)
        venv.create(_FOLDER, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", _PINNED], check=True)
        installed.write_text(_PINNED.read_text())
    command = [
        str(python),
        "-m",
        "uvicorn",
        "--app-dir",
        str(Path(__file__).parent),
        "--port",
        "{port}",
        "--log-level",
        "error",
        "healthchain_peer:app",
    ]
    return Server("HealthChain", command, {}, "/cds/cds-services/vexas", b"A constant card")


if __name__ == "__main__":
    sys.exit(main())
