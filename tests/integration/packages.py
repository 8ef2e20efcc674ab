"""Example packages that others published: fetched once with npm, checked against recorded digests, read without unpacking."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

CACHE = Path(__file__).parent.parent.parent / ".run" / "independent"
LARGEST_FILE = 64 * 1024 * 1024
_MAY_HOLD_A_CHART = re.compile(
    rb'"resourceType"\s*:\s*"(Bundle|Patient|Observation|Condition|Medication(Request|Statement)?|ServiceRequest|DiagnosticReport|Procedure|Immunization|AllergyIntolerance|DocumentReference)"'
)


class Unfetchable(Exception):
    """A package could not be had, or is not the one that was recorded."""


class Package(NamedTuple):
    """A package of the npm registry, with the sha512 that `npm view NAME dist.integrity` told when it was chosen."""

    name: str
    version: str
    integrity: str
    cache: Path = CACHE

    @property
    def archive(self) -> Path:
        """Where the package lies once it was fetched."""
        return self.cache / f"{self.name}-{self.version}.tgz"


PACKAGES = (
    Package("hl7.fhir.r4.examples", "4.0.1", "sha512-DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw=="),
    Package("hl7.fhir.uv.genomics-reporting", "3.0.0", "sha512-XNjaWxZ7ZJ3pb7FuMxNqgGjPtssigYADLNEOcAYRV2niLABCMapDdIjPy+exTfCCZGd6SOuvezNizbCtAze3IA=="),
    Package("hl7.fhir.uv.ips", "2.0.0", "sha512-4PWToJ9b1FgXsm9DIvHiU6HO9Z5m75jxk0e0MXOmhFlf2m2slk/d6RoiSYIChKJlvmtJ7GbRftt7PphlwmZcbQ=="),
)  # fmt: skip


def fetch(package: Package) -> Path:
    """The package's archive, from the cache or else from the registry. Raises Unfetchable."""
    if not package.archive.exists():
        _pack(package)
    found = integrity(package.archive)
    if found != package.integrity:
        package.archive.unlink()
        raise Unfetchable(f"{package.name} {package.version} has the digest {found} and not {package.integrity}. It was removed; do not use it.")
    return package.archive


def integrity(archive: Path) -> str:
    """The digest of a file as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()


def _pack(package: Package) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Unfetchable("npm was not found, and the example packages are fetched with it. Install Node.js, which brings npm, and try again.")
    package.cache.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(package.cache), f"{package.name}@{package.version}"]
    packed = subprocess.run(command, cwd=package.cache, capture_output=True, text=True, check=False, timeout=300)
    if packed.returncode or not package.archive.exists():
        raise Unfetchable(f"npm could not fetch {package.name}@{package.version}: {packed.stderr.strip()[-500:] or 'no word why'}")


def documents(archive: Path) -> Iterator[tuple[str, Any]]:
    """Each JSON file that may hold resources of a chart, by name; nothing of the archive is written to disk."""
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            if not member.isfile() or not member.name.endswith(".json") or member.size > LARGEST_FILE:
                continue
            opened = packed.extractfile(member)
            text = opened.read() if opened else b""
            if _MAY_HOLD_A_CHART.search(text):
                yield member.name, json.loads(text.decode("utf-8-sig"))
