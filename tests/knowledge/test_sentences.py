"""No sentence of a card says what a card must never say."""

import pytest

from cds_service.knowledge.loader import load
from tests.knowledge.test_loader_refuses import append, assert_refused, flag, replace


@pytest.mark.parametrize(
    "words",
    [
        "The patient has VEXAS",
        "To rule out leukaemia",
        "Start prednisone",
        "Eligible for the PAXIS trial",
        "Safe to stop",
        "A negative test excludes it",
    ],
)
def test_refuses_a_forbidden_phrase(module, words):
    """A label that diagnoses, orders or promises is refused with its line."""
    append(module, "facts.yaml", flag("{kind: deceased}").replace("label: Toy", f'label: "{words}"'))

    assert_refused(module, "facts.yaml:", "a card must not say")


@pytest.mark.parametrize("words", ["Drug started in May", "At the start of treatment", "VEXAS syndrome is not excluded", "Trials exist"])
def test_takes_a_phrase_that_only_looks_like_one(module, words):
    """Words that hold a forbidden one inside, or deny it, are no fault."""
    append(module, "facts.yaml", flag("{kind: deceased}").replace("label: Toy", f'label: "{words}"'))

    assert load(module)


def test_refuses_a_phrase_that_is_no_expression(module):
    """A forbidden phrase is a regular expression."""
    replace(module, "guards.yaml", '"patient has vexas"', '"patient has (vexas"')

    assert_refused(module, "guards.yaml:", "no regular expression")
