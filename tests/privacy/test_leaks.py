"""A copy of the service that leaks in every way, and each test of the canaries that has to notice."""

from __future__ import annotations

import shutil

import pytest

from tests.docs.pages import ROOT
from tests.privacy import test_canaries
from tests.privacy.planted import LEAKS, plant
from tests.privacy.test_canaries import Evidence, walked


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A walk through a copy of the service that leaks in every way."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("cds_service", "tests", "fixtures"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    plant(copy / "cds_service")
    return walked(tmp_path_factory.mktemp("leaking"), copy)


@pytest.mark.parametrize("way", LEAKS)
def test_notices_a_leak(leaking, way):
    """What was planted in a copy of the service is noticed by the test that stands against it."""
    notices = getattr(test_canaries, LEAKS[way].test)

    with pytest.raises(AssertionError):
        notices(leaking)
