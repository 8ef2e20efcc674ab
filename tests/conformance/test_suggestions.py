"""Suggestions and their actions."""

from __future__ import annotations

import pytest

from cds_service.fhir import strict


@pytest.mark.requirement("cds-hooks_2.0@92", "cds-hooks_2.0@94")
def test_suggests_by_an_array_or_not_at_all(cards):
    """Some cards have suggestions, as an array of objects, and some have none."""
    assert {list, type(None)} == {type(card.get("suggestions")) for card in cards}
    assert {dict} == {type(suggestion) for card in cards for suggestion in card.get("suggestions", [])}


@pytest.mark.requirement("cds-hooks_2.0@93", "cds-hooks_2.0@95", "cds-hooks_2.0@96")
def test_says_how_many_may_be_selected(cards):
    """A card with suggestions says that any number of them may be taken; one without says nothing."""
    assert {(True, "any"), (False, None)} == {("suggestions" in card, card.get("selectionBehavior")) for card in cards}


@pytest.mark.requirement("cds-hooks_2.0@117")
def test_labels_each_suggestion(suggestions):
    """A label is a text that is not blank."""
    assert {str} == {type(s["label"]) for s in suggestions}
    assert [] == [s for s in suggestions if not s["label"].strip()]


@pytest.mark.requirement("cds-hooks_2.0@118", "cds-hooks_2.0@119")
def test_names_each_suggestion_by_a_uuid_of_its_own(suggestions):
    """The uuid of a suggestion is a text, and no two are equal."""
    found = [s["uuid"] for s in suggestions]

    assert {str} == {type(name) for name in found}
    assert len(found) == len(set(found))


@pytest.mark.requirement("cds-hooks_2.0@120", "cds-hooks_2.0@121")
def test_marks_what_it_recommends(suggestions):
    """Some suggestions are marked, by true and by nothing else."""
    assert {"True", "None"} == {repr(s.get("isRecommended")) for s in suggestions}


def test_recommends_one_at_most(cards):
    """No card marks two suggestions: what the coverage calls not used."""
    assert {0, 1} == {sum("isRecommended" in s for s in card.get("suggestions", [])) for card in cards}


@pytest.mark.requirement("cds-hooks_2.0@123", "cds-hooks_2.0@124", "cds-hooks_2.0@125")
def test_does_one_thing_by_each_suggestion(suggestions):
    """The actions are an array of one, so who takes a suggestion takes all of it and nothing else."""
    assert {(list, 1)} == {(type(s["actions"]), len(s["actions"])) for s in suggestions}


@pytest.mark.requirement("cds-hooks_2.0@127")
def test_only_creates(actions):
    """The type of every action is create: nothing is updated or deleted."""
    assert {"create"} == {action["type"] for action in actions}
    assert set() == {member for action in actions for member in action} - {"type", "description", "resource"}


@pytest.mark.requirement("cds-hooks_2.0@128")
def test_describes_each_action(actions):
    """A description is a text of more than one word."""
    assert {str} == {type(action["description"]) for action in actions}
    assert [] == [action for action in actions if len(action["description"].split()) < 2]


@pytest.mark.requirement("cds-hooks_2.0@130")
def test_creates_sound_fhir(actions):
    """The resource of an action is valid FHIR."""
    assert {"ServiceRequest"} == {action["resource"]["resourceType"] for action in actions}
    assert [] == [fault for action in actions for fault in strict.faults(action["resource"])]


@pytest.mark.requirement("cds-hooks_2.0@131")
def test_creates_what_is_new(actions):
    """A resource to be created is a draft that has no id and no version yet."""
    assert {"draft"} == {action["resource"]["status"] for action in actions}
    assert set() == {member for action in actions for member in action["resource"]} & {"id", "meta", "identifier"}
