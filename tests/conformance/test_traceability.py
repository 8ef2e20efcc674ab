"""The coverage of the standard is whole, honest and current."""

from __future__ import annotations

import pytest

from tests.conformance.markers import Claim, MisplacedMarker, claims_of, read_claims
from tests.conformance.page import documents
from tests.conformance.requirements import Requirement, faults, read_requirements

PATH = "tests/test_x.py"
DECORATOR = '@pytest.mark.requirement("a@1")\n'


def sentence(**members: str) -> Requirement:
    """A sentence of a standard with one id."""
    return Requirement(id="a@1", section="s", url="https://example.org/#s", verb="SHALL", says="Something.", **members)


def test_has_a_test_or_a_reason_for_every_sentence():
    """Each sentence is proved by a test or says why it has none, and each marker names a sentence."""
    assert [] == list(faults(read_requirements(), read_claims()))


def test_is_current():
    """The generated files are those that `make docs` would write."""
    stale = [path.name for path, text in documents().items() if not path.exists() or path.read_text(encoding="utf-8") != text]

    assert [] == stale, "Run: make docs"


@pytest.mark.parametrize(
    ("requirements", "claims", "expected"),
    [
        ([sentence()], [], "a@1 has no test."),
        ([sentence(reason="r")], [Claim("t", ("a@1",))], "a@1 is not applicable and claimed by t."),
        ([sentence(owed="o")], [Claim("t", ("a@1",))], "a@1 is owed and claimed by t."),
        ([sentence(owed="o", reason="r")], [], "a@1 is owed and has a reason."),
        ([sentence(reason="r")], [Claim("t", ("b@2",))], "b@2 is claimed by t and is not in requirements.yaml."),
        ([sentence(reason="r"), sentence(reason="r")], [], "a@1 is listed twice."),
    ],
)
def test_finds_what_does_not_fit(requirements, claims, expected):
    """A gap, a contradiction, an unknown id and a double are each one fault."""
    [fault] = faults(requirements, claims)

    assert fault.startswith(expected)


def test_takes_a_proved_a_reasoned_and_an_owed_sentence():
    """A test, a reason or a debt is enough."""
    sentences = [sentence(), sentence(reason="r")._replace(id="a@2"), sentence(owed="o")._replace(id="a@3")]

    assert [] == list(faults(sentences, [Claim("t", ("a@1",))]))


def test_reads_the_ids_of_a_test():
    """A test may prove several sentences, in one marker or in two, and be one of a class."""
    source = (
        '@pytest.mark.requirement("a@1", "a@2")\n@pytest.mark.requirement("b@3")\ndef test_x():\n    pass\n'
        'class TestY:\n    @pytest.mark.requirement("a@1")\n    def test_z(self):\n        pass\n'
    )

    assert [Claim(f"{PATH}::test_x", ("a@1", "a@2", "b@3")), Claim(f"{PATH}::TestY::test_z", ("a@1",))] == claims_of(source, PATH)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (PATH, DECORATOR + "def sentence():\n    pass\n"),
        (PATH, DECORATOR + "class TestY:\n    pass\n"),
        (PATH, 'pytestmark = pytest.mark.requirement("a@1")\n'),
        (PATH, 'def test_x():\n    pytest.mark.requirement("a@1")\n'),
        (PATH, "@pytest.mark.requirement\ndef test_x():\n    pass\n"),
        (PATH, "@pytest.mark.requirement()\ndef test_x():\n    pass\n"),
        (PATH, "@pytest.mark.requirement(NAME)\ndef test_x():\n    pass\n"),
        (PATH, DECORATOR + "@pytest.mark.skip\ndef test_x():\n    pass\n"),
        (PATH, DECORATOR + "@pytest.mark.skipif(True, reason='r')\ndef test_x():\n    pass\n"),
        (PATH, DECORATOR + "@pytest.mark.xfail()\ndef test_x():\n    pass\n"),
        ("tests/build.py", DECORATOR + "def test_x():\n    pass\n"),
    ],
)
def test_refuses_a_marker_that_proves_nothing(path, source):
    """A marker counts only on a test that runs, with its ids written out."""
    with pytest.raises(MisplacedMarker, match=f"^{path}:"):
        claims_of(source, path)
