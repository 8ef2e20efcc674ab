"""The commit of the last recorded run, and whether the service has become much slower since.

A recorded time, or its ratio to another program's, holds only for the machine and the hour: when memory is slow, a service
that walks a chart suffers several times more than an endpoint that only decodes JSON. So the recorded commit is run again
beside today's code.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILE = Path(__file__).with_name("recorded.json")
_CODE = Path(".run/benchmarks/recorded")
_MOST_TIMES_SLOWER = 1.4


def record(ratios: Mapping[str, float]) -> None:
    """Keep the ratios of a run and the commit that it measured."""
    commit = _git("rev-parse", "HEAD").decode().strip()
    kept = {"commit": commit, **{name: round(value, 2) for name, value in ratios.items()}}
    _FILE.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def code() -> Path:
    """A folder with the package as it was at the recorded commit."""
    commit = json.loads(_FILE.read_text(encoding="utf-8"))["commit"]
    archive = _git("archive", commit, "cds_service")
    shutil.rmtree(_CODE, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(_CODE, filter="data")
    return _CODE.resolve()


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S607 - the git of whoever measures
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)}: {done.stderr.decode().strip()}. The benchmark needs a clone with its history.")
    return done.stdout


def slower(ratios: Mapping[str, float]) -> Iterator[str]:
    """Each size, and the start, at which the service now takes much more CPU than the recorded commit does here and now."""
    for name, value in ratios.items():
        if value > _MOST_TIMES_SLOWER:
            yield f"{name}: {value:.2f} times the CPU of the recorded commit, more than {_MOST_TIMES_SLOWER}. Find what became slower."
