"""A small hospital, played over HTTP through two processes on this database: every answer foreseen, every number counted twice."""

import datetime as dt

from tests.hospital.__main__ import played
from tests.hospital.patients import Period


def test_reports_what_was_played(url, tmp_path):
    """Ten weeks of three clients with a new release of the knowledge in the middle: no number differs from the count of the diary."""
    period = Period(dt.date(2026, 9, 14), 70)

    assert [] == played(tmp_path, url, 250, period)
