"""Copies of the shipped module that tests may damage."""

import shutil

import pytest

from cds_service.knowledge.loader import shipped


@pytest.fixture
def module(tmp_path):
    """A copy of the shipped module that a test may damage."""
    folder = tmp_path / "module"
    shutil.copytree(next(iter(shipped())), folder, ignore=shutil.ignore_patterns("cases*"))
    return folder


@pytest.fixture
def whole_module(tmp_path):
    """A copy with its cases."""
    folder = tmp_path / "whole"
    shutil.copytree(next(iter(shipped())), folder)
    return folder
