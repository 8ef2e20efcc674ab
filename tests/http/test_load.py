"""Large and malicious charts: the time of an answer grows with the chart and not with its square."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import build

pytestmark = pytest.mark.long

LONGEST = 2.0


def day(index: int) -> str:
    """One of many days, newest first."""
    return (build.TODAY - dt.timedelta(days=index)).isoformat()


def long_code() -> dict[str, Any]:
    """A diagnosis with a very long code."""
    return {**build.suspect(), "conditions": build.bundle(build.condition(), build.condition(f"M94.1{'0' * 80_000}", id="long"))}


def results_without_unit() -> dict[str, Any]:
    """Many results that each become an issue."""
    labs = [build.mcv(100, "", day(i), id=str(i)) for i in range(16_000)]
    return {**build.suspect(), "bloodCounts": build.bundle(build.mcv(), build.platelets(), *labs)}


def results_and_infections() -> dict[str, Any]:
    """Many results, each to be compared with many infections."""
    infections = [build.condition("J12.9", day(i), id=f"i{i}") for i in range(2_000)]
    results = [build.crp(60, on=day(i), id=f"r{i}") for i in range(2_000)]
    return {**build.suspect(), "conditions": build.bundle(build.condition(), *infections), "inflammation": build.bundle(*results)}


def lung_disease_and_infections() -> dict[str, Any]:
    """Many diagnoses, each to be compared with many others."""
    conditions = [build.condition("J84.9" if i % 2 else "J12.9", day(i * 15), id=f"c{i}") for i in range(2_000)]
    return {**build.suspect(), "conditions": build.bundle(build.condition(), *conditions)}


def long_report() -> dict[str, Any]:
    """One report of millions of words that all might matter."""
    words = "UBA1 p.Met41Thr c.122T>C not ruled out 45 % vacuoles in myeloid precursors ? " * 60_000
    return {**build.suspect(), "reports": build.bundle(build.report(words))}


def many_drugs() -> dict[str, Any]:
    """Many orders of one drug."""
    return {**build.suspect(), "medicationRequests": build.bundle(*(build.medication(on=day(i), id=str(i)) for i in range(10_000)))}


def many_contained() -> dict[str, Any]:
    """One report with many results inside."""
    return {**build.suspect(), "reports": build.bundle(build.report("x", contained=[build.mcv(90 + i % 40, on=day(i)) for i in range(10_000)]))}


def many_unreadable() -> dict[str, Any]:
    """Many resources that cannot be read, at many places."""
    bad = [{"resourceType": "Condition", "id": str(i), "code": {"coding": [{}] * (i % 50) + [5]}} for i in range(10_000)]
    return {**build.suspect(), "conditions": build.bundle(build.condition(), *bad)}


CHARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "a code of 80,000 characters": long_code,
    "results without a unit": results_without_unit,
    "results and infections": results_and_infections,
    "lung disease and infections": lung_disease_and_infections,
    "a report of 5 MB": long_report,
    "many drugs": many_drugs,
    "many contained results": many_contained,
    "many unreadable resources": many_unreadable,
}


@pytest.mark.parametrize("name", CHARTS)
def test_answers_a_large_chart_in_time(client, name):
    """A chart near the size limit is answered within the hard budget of two seconds, and the answer stays small."""
    body = build.body_of(build.request(CHARTS[name]()))

    started = time.process_time()
    response = client.post(build.SERVICE, data=body, content_type="application/json")
    spent = time.process_time() - started

    assert 200 == response.status_code
    assert spent < LONGEST
    assert len(response.data) < 20_000
