"""The YAML that authors write: nothing turns into something else behind their back, and every fault has its line."""

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.yaml12 import read


@pytest.fixture
def write(tmp_path):
    """Writes a YAML file and gives its path."""

    def written(content):
        path = tmp_path / "rules.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("on: 1", {"on": 1}),
        ("no: yes", {"no": "yes"}),
        ("code: 0123", {"code": "0123"}),
        ("code: 1_000", {"code": "1_000"}),
        ("time: 12:30", {"time": "12:30"}),
        ("date: 2026-11-22", {"date": "2026-11-22"}),
        ("hex: 0x1F", {"hex": "0x1F"}),
        ("octal: 0o17", {"octal": "0o17"}),
        ("infinite: .inf", {"infinite": ".inf"}),
        ("flag: true", {"flag": True}),
        ("flag: True", {"flag": "True"}),
        ("nothing: ~", {"nothing": None}),
        ("nothing:", {"nothing": None}),
        ("number: -3", {"number": -3}),
        ("number: 1.5", {"number": 1.5}),
        ("number: 1e3", {"number": 1000.0}),
        ('text: "100.0"', {"text": "100.0"}),
        ("text: '0'", {"text": "0"}),
        ("104268-8: x", {"104268-8": "x"}),
        ("- a\n- 1", ["a", 1]),
        ("\ufefftext: a", {"text": "a"}),
    ],
)
def test_reads_the_core_types_only(write, written, expected):
    """Only null, true, false and plain numbers are more than text; on, yes, 0123 and dates stay what they are."""
    path = write(written)

    found = read(path).value

    assert expected == found


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a: 1\nb: 2\na: 3", "rules.yaml:3: the key 'a' stands twice. Keep one"),
        ("- x: 1\n- when:\n    y: 1\n    y: 2", "rules.yaml:4: the key 'y' stands twice. Keep one"),
        ("- {x: 1, x: 1}", "rules.yaml:1: the key 'x' stands twice. Keep one"),
        ("a: 1\n\tb: 2", "rules.yaml:2: "),
        ("a: [1, 2\nb: 3", "rules.yaml:2: "),
        ('a: "open\nb: 1', "rules.yaml:2: "),
        ("a: 1\n b: 2", "rules.yaml:2: "),
        ("a: 1\n---\nb: 2", "rules.yaml:2: "),
        ("", "rules.yaml:1: the file is empty. Write"),
        ("# only a comment\n", "rules.yaml:1: the file is empty. Write"),
        ("a: \x00", "rules.yaml:1: "),
        (b"a: caf\xe9", "rules.yaml: the file is not UTF-8. Save it as UTF-8"),
        ("a: &loop [*loop]", "rules.yaml:1: "),
    ],
)
def test_refuses_what_is_no_sound_yaml(write, written, message):
    """A duplicate key, a tab, an open bracket, an empty file or a foreign encoding is refused with file, line and remedy."""
    path = write(written)

    with pytest.raises(KnowledgeError) as refused:
        read(path)

    assert message in refused.value.public
    assert any(remedy in refused.value.public for remedy in ("Check", "Keep", "Save", "Write"))


def test_says_which_file_is_missing(tmp_path):
    """A file that is not there is named, with the reason why it is needed."""
    with pytest.raises(KnowledgeError) as refused:
        read(tmp_path / "rules.yaml")

    assert "rules.yaml: the file is missing. Every module needs it." == refused.value.public


def test_knows_the_line_of_every_value(write):
    """Each place in a document has its line, and a place that is missing has that of the nearest one above it."""
    document = read(write("- id: a\n  when:\n    kind: lab\n- id: b\n"))

    faults = [document.fault(place, "x").public for place in ((0, "when", "kind"), (0, "when", "unit"), (1, "id"), (7,))]

    assert ["rules.yaml:3: x", "rules.yaml:3: x", "rules.yaml:4: x", "rules.yaml:1: x"] == faults


def test_knows_what_was_written_without_quotes(write):
    """Bare scalars are remembered, so that a code without quotes can be refused."""
    document = read(write('code: 1.0\nsystem: "http://loinc.org"\n'))

    assert frozenset({("code",)}) == document.bare


def test_refuses_what_is_nested_a_thousand_times(write):
    """Brackets within brackets are refused in our words, not by the depth of the machine."""
    with pytest.raises(KnowledgeError, match="nested too deeply"):
        read(write("[" * 5000 + "]" * 5000))


def test_refuses_aliases_that_multiply(write):
    """Ten aliases of ten aliases of ten do not fill the memory."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 7))]

    with pytest.raises(KnowledgeError, match="aliases counted"):
        read(write("\n".join(levels)))
