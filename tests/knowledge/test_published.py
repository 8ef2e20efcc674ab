"""A case made of a published patient says where he was read and what of his chart is invented, or it is refused."""

import pytest

from cds_service.check import check
from cds_service.errors import KnowledgeError
from cds_service.knowledge.cases import record_of
from cds_service.knowledge.loader import load

pytestmark = pytest.mark.long

WHOLE = {
    "source": '"DOI 10.1000/example"',
    "address": '"https://example.org/article"',
    "says": '"Man, 60."',
    "invented": "[all dates]",
}
INCOMPLETE = {
    "source that is none": ("source", '"a colleague"', "source 'a colleague' is none. Write 'PMID 123'"),
    "number without its kind": ("source", '"12345678"', "source '12345678' is none."),
    "address that is none": ("address", '"in print"', "address 'in print' is no URL. Write"),
    "nothing that it says": ("says", '" "', "says is empty. Write what the text says"),
    "nothing invented": ("invented", "[]", "invented names nothing. Name the parts"),
    "an empty invention": ("invented", '[all dates, ""]', "invented names nothing. Name the parts"),
}


def _faults(module, name, published):
    """The faults that the check finds in a case of this name and provenance."""
    source = f"published: {{{', '.join(f'{key}: {value}' for key, value in published.items())}}}, " if published else ""
    text = f'- {{name: "{name}", {source}record: {{patient: {{sex: male, age: 60}}}}, expect: {{male: present}}}}\n'
    (module / "cases-toy.yaml").write_text(text, encoding="utf-8")
    return [fault for fault in check(module, None).faults if fault.startswith("cases-toy.yaml:1: ")]


def test_takes_a_published_patient_that_is_complete(module):
    """A case with a source, an address, what it says and what is invented is sound."""
    assert [] == _faults(module, "constructed-after-toy: a man.", WHOLE)


@pytest.mark.parametrize("source", ["PMID 12345678", "DOI 10.1000/example", "no PMID or DOI: A title"])
def test_takes_each_kind_of_source(module, source):
    """A source is a PMID, a DOI, or the title where the text has neither."""
    assert [] == _faults(module, "constructed-after-toy: a man.", {**WHOLE, "source": f'"{source}"'})


@pytest.mark.parametrize("damage", INCOMPLETE)
def test_refuses_a_published_patient_that_is_not_complete(module, damage):
    """What is empty or of the wrong form is named, with the remedy."""
    key, value, words = INCOMPLETE[damage]

    (fault,) = _faults(module, "constructed-after-toy: a man.", {**WHOLE, key: value})

    assert words in fault


@pytest.mark.parametrize("key", WHOLE)
def test_refuses_a_published_patient_without_one_of_its_parts(module, key):
    """A missing part is refused with the file and the key."""
    with pytest.raises(KnowledgeError, match=rf"^cases-toy.yaml:1: .*`{key}`"):
        _faults(module, "constructed-after-toy: a man.", {k: v for k, v in WHOLE.items() if k != key})


def test_refuses_a_name_that_claims_a_source(module):
    """A case whose name speaks of a publication has a source."""
    for name in ("constructed-after-toy: a man.", "published-toy: a man."):
        (fault,) = _faults(module, name, None)

        assert "has no source. Add published (source, address, says, invented), or name it constructed-" in fault


def test_calls_published_only_what_it_quotes(module):
    """A case is called published with a quotation, and only then."""
    quoting = {**WHOLE, "quote": '"A man of 60 years."'}

    assert [] == _faults(module, "published-toy: a man.", quoting)
    for name, published in (("published-toy: a man.", WHOLE), ("constructed-after-toy: a man.", quoting)):
        (fault,) = _faults(module, name, published)

        assert "only a case that quotes its source is called published-, and each that does" in fault


@pytest.mark.parametrize("name", ["A man.", "constructed-toy: a man."])
def test_refuses_a_source_that_the_name_hides(module, name):
    """A published patient is called so, and never constructed."""
    (fault,) = _faults(module, name, WHOLE)

    assert "its name does not say so. Begin the name with constructed-after-" in fault


def test_ships_published_patients_with_dated_charts():
    """The module that is shipped has published patients, and each of their charts can be made."""
    knowledge = load()

    published = [case for _, case in knowledge.cases() if case.published]

    assert len({case.published.address for case in published}) >= 3
    assert all(record_of(knowledge, case).patient_id for case in published)
