"""What reasoning says cannot be changed afterwards, and what it does not say is empty."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.reasoning.findings import Advice, Assessment, Evidence, Finding, GeneticState, GeneticStatus, RuleOutcome
from cds_service.reasoning.genetics import Call
from cds_service.reasoning.truth import Truth
from tests.reasoning.charts import TODAY

NOTHING = GeneticStatus(state=GeneticState.NONE)
SAID = {
    "evidence": Evidence(what="MCV"),
    "finding": Finding(id="a", truth=Truth.PRESENT),
    "rule": RuleOutcome(id="a", truth=Truth.PRESENT, items=()),
    "gene": NOTHING,
    "advice": Advice(id="a", truth=Truth.PRESENT),
    "assessment": Assessment(
        today=TODAY, findings={}, terms={}, rules={}, tier=None, criteria=(), met=frozenset(), lowered=False, genetics=NOTHING, topics=()
    ),
}
EMPTY = {
    "evidence": {"ref": None, "code": None, "value": None, "on": None, "precision": "day", "recorded": None, "remarks": (), "quote": None},
    "finding": {"evidence": ()},
    "rule": {},
    "gene": {"reasons": (), "evidence": (), "on": None, "limited": False, "ordered": None},
    "advice": {"cautions": (), "warns": False},
    "assessment": {
        "bearing": frozenset(), "advice": (), "orders": (), "latest": {}, "uncounted": (), "withheld": (), "issues": (),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", SAID)
def test_cannot_be_changed(kind):
    """An answer is given once; nothing downstream edits it."""
    one = SAID[kind]

    for name in one.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(one, name, None)


@pytest.mark.parametrize("kind", SAID)
def test_is_empty_where_nothing_is_said(kind):
    """None for one thing, an empty collection for many."""
    told = msgspec.structs.asdict(SAID[kind])

    assert EMPTY[kind] == {name: told[name] for name in EMPTY[kind]}


@pytest.mark.parametrize("kind", [Evidence, Finding, RuleOutcome, GeneticStatus, Advice, Assessment])
def test_is_said_by_name(kind):
    """Fields are named where they are filled, so that none takes another's place."""
    with pytest.raises(TypeError, match="positional"):
        kind("a", Truth.PRESENT)


def test_ranks_calls_from_the_weakest_to_the_strongest():
    """Of one day the strongest holds; from a low fraction upwards the variant was found."""
    assert ["NEGATIVE", "UNCLEAR", "UNCERTAIN", "LOW", "UNSURE", "PATHOGENIC"] == [call.name for call in sorted(Call)]


def test_names_the_states_of_the_gene():
    """The words that cases and pages use."""
    assert ["none", "pending", "confirmed", "uncertain", "negative"] == [state.value for state in GeneticState]
