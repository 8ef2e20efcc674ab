"""Copies of the shipped module that tests may damage."""

import shutil
import stat
from pathlib import Path

import pytest

from cds_service.knowledge.loader import shipped


def _copy(folder: Path, *left_out: str) -> Path:
    shutil.copytree(next(iter(shipped())), folder, ignore=shutil.ignore_patterns(*left_out))
    return folder


def _files(folder: Path) -> dict[Path, tuple[int, ...]]:
    """What is in a folder: a copy keeps the time of its original, so whatever is written later differs. A folder in it is only its kind."""
    found = ((path, path.lstat()) for path in folder.rglob("*"))
    return {path: (one.st_mode,) if stat.S_ISDIR(one.st_mode) else (one.st_mode, one.st_size, one.st_mtime_ns) for path, one in found}


@pytest.fixture(scope="session")
def _undamaged(tmp_path_factory):
    """A copy without its cases, and its files. Hundreds of tests damage a module: each process copies it once."""
    folder = _copy(tmp_path_factory.mktemp("knowledge") / "module", "cases*")
    return folder, _files(folder)


@pytest.fixture
def module(_undamaged):
    """A copy of the shipped module that a test may damage: what it wrote, added or removed is as before after it."""
    folder, files = _undamaged
    yield folder
    found = _files(folder)
    for path in sorted((path for path, file in found.items() if files.get(path) != file), reverse=True):  # what is in a folder before the folder
        if stat.S_ISDIR(found[path][0]):
            path.rmdir()
        else:
            path.unlink()
    for path in (path for path, file in files.items() if found.get(path) != file):
        shutil.copy2(next(iter(shipped())) / path.relative_to(folder), path)
    assert files == _files(folder)


@pytest.fixture
def whole_module(tmp_path):
    """A copy with its cases."""
    return _copy(tmp_path / "whole")
