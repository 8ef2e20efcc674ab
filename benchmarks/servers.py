"""The servers that are compared, each in its own process, and the CPU that a process and its workers have used."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

_START_UP = 60.0


def free_port() -> int:
    """A port on this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and all its workers so far."""
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)


@contextmanager
def serving(command: Sequence[str], port: int, environment: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    """A server that listens on a port until the block ends. Raises RuntimeError with its log if it does not start."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        started = subprocess.Popen(command, env={**os.environ, **environment}, stdout=sink, stderr=sink)
        try:
            _wait(started, port, log)
            yield psutil.Process(started.pid)
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(15)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def _wait(started: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_UP
    while time.monotonic() < until and started.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start; its log:\n{log.read_text(errors='replace')[-2000:]}")


def ours(port: int) -> tuple[list[str], dict[str, str]]:
    """The service as `cds-service serve` starts it."""
    return [str(Path(sys.executable).with_name("cds-service")), "serve"], {"CDS_PORT": str(port), "CDS_HOST": "127.0.0.1"}


def bare(port: int) -> tuple[list[str], dict[str, str]]:
    """The bare endpoint on the same server with the same threads."""
    arguments = ["--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-access-log"]
    return [sys.executable, "-m", "granian", *arguments, "--blocking-threads", "16", "benchmarks.bare:bare_app"], {}
