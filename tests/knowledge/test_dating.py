"""Every threshold says since when it holds; a history in disorder is refused with its line."""

import re

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.dating import thresholds
from cds_service.knowledge.loader import load
from tests.knowledge.test_loader_refuses import append, assert_refused, flag, replace


def limit(dates: str) -> str:
    """A flag whose limit carries these dates."""
    return flag(f"{{kind: lab, value_set: lab-mcv, within: P24M, above: {{value: 100, unit: fL{dates}}}}}")


def age(dates: str) -> str:
    """A flag whose age threshold carries these dates."""
    return flag(f"{{kind: age, at_least: 50{dates}}}")


OLD = 'since: "2020-01-01", why: x'
DAMAGE = {
    "limit without since": (limit(""), "has no `since`"),
    "age without since": (age(""), "has no `since`"),
    "milder limit without since": (
        flag(
            "{kind: lab, value_set: lab-mcv, within: P24M, above: {value: 100, unit: fL, since: 2020-01-01},"
            " persists: {results: 2, apart: P28D, latest: {value: 98, unit: fL}}}"
        ),
        "has no `since`",
    ),
    "limit inside any without since": (flag("{kind: any, of: [{kind: age, at_least: 50}]}"), "has no `since`"),
    "since in words": (limit(", since: last year"), "is no date"),
    "since of a day that there is not": (age(', since: "2026-02-30"'), "is no date"),
    "since without dashes": (age(', since: "20261122"'), "is no date"),
    "since to come": (limit(', since: "2026-11-23"'), "later than the module's date"),
    "former threshold of the same day": (limit(f', since: "2020-01-01", formerly: [{{value: 98, {OLD}}}]'), "not older"),
    "former thresholds with the oldest first": (
        limit(f', since: "2026-01-01", formerly: [{{value: 98, since: "2019-01-01", why: x}}, {{value: 97, {OLD}}}]'),
        "not older",
    ),
    "former threshold with a date that is none": (age(', since: "2026-01-01", formerly: [{value: 40, since: once, why: x}]'), "is no date"),
    "former threshold without a value": (limit(f', since: "2026-01-01", formerly: [{{{OLD}}}]'), "a former threshold has a value"),
    "former threshold for men only": (limit(f', since: "2026-01-01", formerly: [{{male: 13, {OLD}}}]'), "a former threshold has a value"),
    "former threshold without a reason": (limit(', since: "2026-01-01", formerly: [{value: 98, since: "2020-01-01"}]'), "why"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_refuses_a_threshold_without_a_sound_history(module, damage):
    """A threshold has a day, no later than the module's, and what held before it is older."""
    text, because = DAMAGE[damage]
    append(module, "facts.yaml", text)

    assert_refused(module, "facts.yaml:", because)


def test_takes_a_history_in_order(module):
    """A threshold may have changed twice, the newest change first."""
    history = '[{value: 98, since: "2022-01-01", why: x}, {male: 97, female: 96, since: "2020-01-01", why: y}]'
    append(module, "facts.yaml", limit(f', since: "2024-01-01", formerly: {history}'))

    assert "toy" in load(module).facts


def test_names_the_line_of_the_threshold(module):
    """The line is that of the threshold, not of its flag."""
    text = (
        "- id: toy\n  label: Toy\n  citations: []\n  confidence: proposal\n  when:\n    kind: any\n    of:\n      - kind: age\n        at_least: 50\n"
    )
    lines = len((module / "facts.yaml").read_text(encoding="utf-8").splitlines())
    append(module, "facts.yaml", text)

    with pytest.raises(KnowledgeError, match=re.escape(f"facts.yaml:{lines + 9}: the threshold has no `since`")):
        load(module)


def test_refuses_a_module_without_a_day(module):
    """The module's own date is what thresholds are held against."""
    replace(module, "module.yaml", 'date: "2026-11-22"', "date: soon")

    assert_refused(module, "module.yaml:", "is no date")


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ('{value: 0.10, unit: "1"}', "has no `since`"),
        ('{value: 10, unit: "%", since: "2026-11-22"}', "between 0 and 1"),
        ('{male: 0.1, female: 0.1, unit: "1", since: "2026-11-22"}', "between 0 and 1"),
        ("0.10", "Expected `object`"),
    ],
)
def test_refuses_an_allele_fraction_that_is_no_limit(module, written, because):
    """The fraction below which a call is low is a threshold like any other, of unit 1."""
    replace(module, "genetics.yaml", '{value: 0.10, unit: "1", since: "2026-11-22"}', written)

    assert_refused(module, "genetics.yaml:", because)


def test_asks_every_threshold_of_the_module(module):
    """Wherever a limit or an age stands in a file of flags, it is held to this."""
    written = sum(
        len(re.findall(r"since: ", (module / name).read_text(encoding="utf-8"))) for name in ("red_flags.yaml", "alternatives.yaml", "facts.yaml")
    )

    assert written == sum(file != "genetics.yaml" for file, _, _ in thresholds(load(module)))
