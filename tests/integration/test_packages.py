"""Packages are taken only as they were recorded."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from tests.integration.packages import PACKAGES, Package, Unfetchable, documents, fetch, integrity


def test_refuses_a_package_that_was_changed(tmp_path):
    """An archive with another digest than the recorded one is refused and removed."""
    archive = tmp_path / "changed-1.tgz"
    archive.write_bytes(b"something else")
    changed = Package("changed", "1", PACKAGES[0].integrity, cache=tmp_path)

    with pytest.raises(Unfetchable, match="has the digest sha512-"):
        fetch(changed)

    assert not archive.exists()


def test_takes_a_package_that_is_as_recorded(tmp_path):
    """An archive with the recorded digest is taken from the cache without asking the registry."""
    archive = tmp_path / "kept-1.tgz"
    archive.write_bytes(b"kept")

    assert archive == fetch(Package("kept", "1", integrity(archive), cache=tmp_path))


def test_reads_only_files_of_charts_and_writes_none(tmp_path):
    """Links, other files and files without a resource of a chart are passed over; nothing is unpacked."""
    archive = tmp_path / "any.tgz"
    patient = {"resourceType": "Patient"}
    with tarfile.open(archive, "w:gz") as packed:
        for name, text in (("../patient.json", json.dumps(patient)), ("package/other.json", "{}"), ("package/notes.txt", "x")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("package/link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)

    found = list(documents(archive))

    assert [("../patient.json", patient)] == found
    assert [archive] == list(tmp_path.iterdir())
