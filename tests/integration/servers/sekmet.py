"""SEKMET from PyPI, a small hospital for tests, as a mere R4 server: in memory, empty at each start, without its simulated staff."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.servers.process import CACHE, Unstartable, running
from tests.smoke import free_port

REQUIREMENTS = Path(__file__).with_name("sekmet.txt")
LONGEST_INSTALL, LONGEST_START = 600.0, 60.0


@contextmanager
def sekmet(cache: Path = CACHE) -> Iterator[str]:
    """The base URL of an empty server, which is installed on first use. Raises Unstartable."""
    python = installed(cache)
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings.yaml")
        # Its simulator would answer orders and prescriptions with results and doses of its own.
        settings.write_text(json.dumps({"base_url": base, "db_path": ":memory:", "log_inbound": False, "simulator": {"enabled": False}}))
        command = [
            python,
            "-m",
            "uvicorn",
            "--factory",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "warning",
            "sekmet.main:app_factory",
        ]
        with running(command, base, Path(folder), {"SEKMET_CONFIG": str(settings)}, LONGEST_START):
            yield base


def installed(cache: Path) -> str:
    """The Python of an environment of its own that holds the server, from the cache or else from PyPI. Raises Unstartable."""
    asked = REQUIREMENTS.read_bytes() + sys.version.encode()
    home = cache / f"sekmet-{hashlib.sha256(asked).hexdigest()[:16]}"
    python, whole = str(home / "bin" / "python"), home / "whole"
    if not whole.exists():
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)])
        _run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r", str(REQUIREMENTS)])
        whole.touch()
    return python


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_INSTALL)
    if ran.returncode:
        raise Unstartable(f"SEKMET could not be installed: {(ran.stdout + ran.stderr).strip()[-2000:]}")
