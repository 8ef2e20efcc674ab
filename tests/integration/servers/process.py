"""A server in a process group of its own for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vexas-cds"


class Unstartable(Exception):
    """A server could not be had, or did not start."""


@contextmanager
def running(command: list[str], base: str, folder: Path, environment: Mapping[str, str], longest_start: float) -> Iterator[None]:
    """A server that answers under a base URL until the block ends or this process dies. Raises Unstartable with the end of its log."""
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*leash(), *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, f"{base}/metadata", time.monotonic() + longest_start, log)
        yield
    finally:
        _end(process)


def leash() -> list[str]:
    """What to put before a command so that it ends with the process that started it, however that ends; nothing where the system has no such tool."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, deadline: float, log: Path) -> None:
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unstartable(f"the server ended with {process.returncode} instead of starting; its log ends:\n{_end_of(log)}")
        with suppress(requests.RequestException):
            if requests.get(url, timeout=30).ok:
                return
        time.sleep(0.2)
    raise Unstartable(f"{url} did not answer in time; the server's log ends:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
            return
