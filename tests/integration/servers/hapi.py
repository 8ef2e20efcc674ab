"""HAPI FHIR's JPA server from Maven Central: R4, in memory, empty at each start."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.servers.process import CACHE, Unstartable, running
from tests.smoke import free_port

PROJECT = Path(__file__).parent / "hapi-server"
LONGEST_BUILD, LONGEST_START = 900.0, 240.0
# Small, and soon up: a heap of 1 GiB at most, one collector thread, and only the quick compiler.
_JVM = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


@contextmanager
def hapi(cache: Path = CACHE) -> Iterator[str]:
    """The base URL of an empty server, which is built on first use. Raises Unstartable."""
    java = _tool("java")
    classpath = built(cache)
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory() as folder:
        command = [java, *_JVM, "-cp", classpath, "hapi.Server", str(port)]
        with running(command, base, Path(folder), {}, LONGEST_START):
            yield base


def built(cache: Path, search: str | None = None) -> str:
    """The class path of the server, from the cache or else from Maven, which is looked for on a search path. Raises Unstartable."""
    home = cache / f"hapi-{_digest()}"
    if not _is_whole(home):
        maven = _tool("mvn", search)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            _build(maven, Path(made))
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(made, home)
    return f"{home / 'classes'}:{(home / 'classpath').read_text()}"


def _digest() -> str:
    """What tells this state of the project from every other."""
    files = sorted(path for path in PROJECT.rglob("*") if path.is_file())
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _is_whole(home: Path) -> bool:
    """Whether everything on the class path is still there."""
    listed = home / "classpath"
    return listed.exists() and all(Path(jar).exists() for jar in listed.read_text().split(":"))


def _build(maven: str, target: Path) -> None:
    goals = ["compiler:compile", "dependency:build-classpath", f"-Dtarget={target}", f"-Dmdep.outputFile={target / 'classpath'}"]
    ran = subprocess.run([maven, "-B", "-q", *goals], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=LONGEST_BUILD)
    if ran.returncode:
        raise Unstartable(f"Maven could not build {PROJECT}: {(ran.stdout + ran.stderr).strip()[-2000:]}")


def _tool(name: str, search: str | None = None) -> str:
    found = shutil.which(name, path=search)
    if found is None:
        raise Unstartable(f"{name} was not found, and HAPI needs it. Install Java 17 or newer and Maven (Debian: default-jre-headless, maven).")
    return found
