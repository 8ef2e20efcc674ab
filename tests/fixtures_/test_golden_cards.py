"""What clinicians see for each fixture patient changes only on purpose."""

from __future__ import annotations

import json

import pytest

from tests import golden

SERVICE = golden.service()


@pytest.mark.parametrize("name", golden.names())
def test_answers_with_the_golden_card(name):
    """The answer to a fixture patient is the recorded one (`make golden` records anew)."""
    recorded = json.loads((golden.FIXTURES / "cards" / f"{name}.json").read_text(encoding="utf-8"))

    assert recorded == golden.answer_for(SERVICE, name)


@pytest.mark.parametrize("name", golden.KEPT_REQUESTS)
def test_sends_the_golden_request(name):
    """A kept request is what an EHR would send for the fixture patient today."""
    recorded = (golden.FIXTURES / "requests" / f"{name}.json").read_text(encoding="utf-8")

    assert recorded == golden.pretty(golden.request_for(SERVICE, name))


def test_has_an_answer_for_every_patient():
    """No recorded card is left of a patient that is gone."""
    assert golden.names() == sorted(path.stem for path in (golden.FIXTURES / "cards").glob("*.json"))
