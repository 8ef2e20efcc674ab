"""Every point of the source article is carried by something that is there and that a case proves."""

import pytest

from cds_service.check import check
from cds_service.knowledge.article import carriers
from cds_service.knowledge.loader import load
from cds_service.reasoning import casebook
from cds_service.reasoning.proofs import PROVED_BY_CASES, proofs
from tests.knowledge.test_loader_refuses import append, assert_refused, flag

POINT = "- {{id: toy, section: Toy, point: Toy, carried_by: {{{carriers}}}}}\n"


@pytest.mark.parametrize(
    ("named", "because"),
    [
        ("", "nothing carries 'toy'. Name"),
        ("findings: []", "nothing carries 'toy'. Name"),
        ("findings: [unicorn]", "there is no 'unicorn' among the findings. Define"),
        ("findings: [T01]", "there is no 'T01' among the findings"),
        ("rules: [S9]", "among the rules"),
        ("recommendations: [X9]", "among the recommendations"),
        ("orders: [luck]", "among the orders"),
        ("cards: [luck]", "among the cards"),
        ("messages: [luck]", "among the messages"),
        ("response_rates: [luck]", "among the response_rates"),
        ("module: [luck]", "among the module"),
        ("luck: [luck]", "unknown field"),
    ],
)
def test_refuses_a_point_that_nothing_carries(module, named, because):
    """A point names at least one carrier, and each of them is there."""
    append(module, "article.yaml", POINT.format(carriers=named))

    assert_refused(module, "article.yaml:", because)


def test_refuses_a_point_twice(module):
    """A point has one id."""
    append(module, "article.yaml", POINT.format(carriers="findings: [male]") * 2)

    assert_refused(module, "article.yaml:", "stands twice")


def test_takes_a_module_without_an_article(module):
    """A module need not follow an article."""
    (module / "article.yaml").unlink()

    assert {} == load(module).article


def test_asks_for_a_case_that_proves_a_carrier(whole_module):
    """A carrier that no case expects to be present is named with the point and the case to write."""
    append(whole_module, "facts.yaml", flag("{kind: deceased}", cited="", confidence="definition"))
    append(whole_module, "article.yaml", POINT.format(carriers="findings: [toy], orders: [cbc]"))

    faults = check(whole_module, None).faults

    assert ["no case proves toy, which carries 'toy' of the article. Add one with expect: {toy: present}."] == [f.partition(": ")[2] for f in faults]


def test_proves_every_carrier_of_the_shipped_module():
    """Each carrier of the kinds that cases can prove has one."""
    knowledge = load()
    outcomes = list(casebook.run(knowledge))
    open_ones = [
        (point.id, name)
        for point in knowledge.article.values()
        for kind, name in carriers(point)
        if kind in PROVED_BY_CASES and not proofs(outcomes, kind, name)
    ]

    assert [] == open_ones
    assert len(knowledge.article) >= 40
