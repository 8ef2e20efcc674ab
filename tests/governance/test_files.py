"""The report as data: JSON and CSV hold the same figures, and what is not shown is empty in both."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest

from cds_service.governance import files
from cds_service.governance.words import labels
from tests import build
from tests.governance.books import DIGEST, OTHER, TEST, TODAY, ago, in_memory

LABELS = labels(build.KNOWLEDGE)
COLUMNS = ["section", "item", "label", "column", "number", "of", "per", "rate"]


@pytest.fixture(scope="module")
def report():
    """A report of two releases, with numbers that are not shown, an alarm, weeks, times and results."""
    with in_memory() as book:
        for number in range(1, 15):
            book.calls(32, "shown", day=ago(number))
            book.calls(32, "nothing", day=ago(number))
        book.calls(48, "shown", digest=OTHER)
        book.calls(16, "nothing", digest=OTHER)
        book.calls(50, "25", what="ms", digest=OTHER)
        book.calls(50, "longer", what="ms", digest=OTHER)
        book.calls(3, "malformed-body", what="refused", client="open", digest=OTHER)
        book.cards(15, day=ago(10))
        book.answer(book.cards(30, day=ago(10), first=20)[:7])
        book.results(1, 12, seen=ago(3), resulted=ago(4))
        yield book.report(ago(20))


@pytest.fixture(scope="module")
def data(report):
    """The JSON."""
    return json.loads(files.as_json(report, LABELS))


@pytest.fixture(scope="module")
def rows(report):
    """The rows of the CSV."""
    return list(csv.DictReader(io.StringIO(files.as_csv(report, LABELS))))


def test_tells_the_same_in_json_and_csv(report, data, rows):
    """Every figure stands in both, in the same order, with the same numbers."""
    told = [{name: "" if value is None else str(value) for name, value in figure.items()} for figure in data["figures"]]

    assert len(report.figures) == len(told)
    assert told == rows


def test_names_its_columns(report, data):
    """The first line of the CSV has the names of the JSON's members."""
    assert COLUMNS == files.as_csv(report, LABELS).splitlines()[0].split(",")
    assert {tuple(COLUMNS)} == {tuple(figure) for figure in data["figures"]}


def test_tells_what_was_counted(rows):
    """A number, of how many, and its rate; 45 cards of 960 calls are 46.875 of 1,000."""
    found = {(row["section"], row["item"], row["column"]): row for row in rows}

    assert ["960", "", ""] == [found["calls", "calls", "all"][name] for name in ("number", "of", "rate")]
    assert ["48", "64", "100", "75.0"] == [found["outcomes", "shown", OTHER][name] for name in ("number", "of", "per", "rate")]
    assert ["45", "960", "1000", "46.875"] == [found["cards", TEST, "all"][name] for name in ("number", "of", "per", "rate")]
    assert LABELS[TEST] == found["cards", TEST, DIGEST]["label"]


def test_leaves_what_is_not_shown_empty(data, rows):
    """Seven overridden cards of 45 are null in JSON and empty in CSV, and have no rate."""
    item = f"{TEST}: overridden"

    assert [(None, None)] * 2 == [(f["number"], f["rate"]) for f in data["figures"] if f["item"] == item and f["column"] != OTHER]
    assert [("", "")] * 2 == [(row["number"], row["rate"]) for row in rows if row["item"] == item and row["column"] != OTHER]


def test_says_what_it_is_about(data):
    """The span, the client, the day on which it was made and the releases stand beside the figures."""
    assert ["vexas", str(ago(20)), str(TODAY), None, str(TODAY)] == [data[name] for name in ("service", "from", "to", "client", "made")]
    assert ["north", "open"] == data["clients"]
    assert [{"version": "0.1.0", "digest": DIGEST, "first": str(ago(14)), "last": str(ago(1))}, OTHER] == [
        data["releases"][0],
        data["releases"][1]["digest"],
    ]


def test_tells_alarms_weeks_times_and_days(data):
    """48 of 64 calls with a card are too many: 32 are expected, and three sigma are 12 of them."""
    (alarm,) = data["alarms"]
    waits = {waits["column"]: (waits["p50"], waits["p95"]) for waits in data["latency"]}
    days = {days["column"]: days["median"] for days in data["daysToResult"]}

    assert {"client": "north", "day": str(TODAY), "above": True, "share": 0.75, "low": 0.3125, "high": 0.6875} == alarm
    assert {"all": (25, None), OTHER: (25, None)} == waits
    assert {"all": 6.0, DIGEST: 6.0, OTHER: None} == days
    assert 960 == sum(week["calls"] for week in data["weeks"])
    assert {0} == {dt.date.fromisoformat(week["monday"]).weekday() for week in data["weeks"]}


def test_writes_no_empty_line(report):
    """One line for each figure and one for the names, each ended by a newline."""
    text = files.as_csv(report, LABELS)

    assert 1 + len(report.figures) == text.count("\n")
    assert text.endswith("\n")
    assert "" not in text.splitlines()
