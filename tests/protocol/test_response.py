"""What is sent: members without a value are left out."""

from __future__ import annotations

import json

from cds_service.protocol.response import Card, Response, Source, encode, operation_outcome


def test_leaves_out_what_has_no_value():
    """A card with the least has only the least."""
    card = Card(uuid="u", summary="s", indicator="info", source=Source(label="l"))

    assert {"cards": [{"uuid": "u", "summary": "s", "indicator": "info", "source": {"label": "l"}}]} == json.loads(encode(Response(cards=(card,))))


def test_keeps_an_empty_array_of_cards():
    """Nothing to say is an empty array and no missing member."""
    assert b'{"cards":[]}' == encode(Response(cards=()))


def test_leaves_out_an_unknown_place():
    """An OperationOutcome without a place has no expression."""
    assert "expression" not in operation_outcome("code", "invalid", "A sentence.")["issue"][0]


def test_names_a_place_as_expression():
    """An OperationOutcome with a place has it as expression."""
    assert ["/hook"] == operation_outcome("code", "invalid", "A sentence.", "/hook")["issue"][0]["expression"]
