"""The reference pages are current, and the words they take from elsewhere fit what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cds_service import errors
from cds_service.errors import CDSServiceError
from cds_service.settings import Settings
from tests.docs import reference
from tests.docs.pages import text_of
from tests.http.test_error_shape import FAILURES


@pytest.mark.parametrize("name", reference.PAGES)
def test_is_current(name):
    """A reference page says what the code says."""
    path = reference.FOLDER / name

    assert path.exists(), f"docs/reference/{name} is missing: run `make docs`"
    assert reference.written(name) == text_of(path), f"docs/reference/{name} is not current: run `make docs`"


def test_has_the_schema_of_the_data_about_the_module():
    """docs/about.schema.json is that of /about.json."""
    assert reference.about_schema() == text_of(reference.SCHEMA), "docs/about.schema.json is not current: run `make docs`"


def test_has_no_other_page():
    """No reference page is left of what is gone."""
    assert sorted(reference.PAGES) == sorted(path.name for path in reference.FOLDER.iterdir())


def test_describes_every_setting():
    """The docstring of Settings names each variable, and no other."""
    assert [f"CDS_{field.upper()}" for field in Settings._fields] == list(reference.settings())


def test_has_words_for_every_error():
    """words.yaml says for each error code what a client does, and for no other."""
    assert {kind.code for kind in reference.coded_errors()} == set(reference.WORDS["errors"])


def test_has_words_for_every_topic():
    """words.yaml says of each topic when it is shown, and of no other."""
    assert list(reference.topics()) == list(reference.WORDS["cards"])


def test_lists_what_callers_meet():
    """The code and status of each known way to fail stand in the table of errors."""
    page = reference.errors_page()
    met = {f"| `{failure.code}` | {failure.status} |" for failure in FAILURES}

    assert set() == {row for row in met if row not in page}


def test_draws_the_tree_of_errors():
    """The tree at the top of errors.py has every error at its place, with its own status."""
    drawing = str(errors.__doc__).partition("\n")[2]
    drawn = re.findall(r"^([│├└─ ]*)(\w+)(?: (\d{3}))?(?: |$)", drawing, re.MULTILINE)

    assert list(tree(CDSServiceError)) == [(len(branch) // 4, name, status) for branch, name, status in drawn]


def tree(kind: type[CDSServiceError], depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """Each error with its depth and its status where that is not the root's."""
    yield depth, kind.__name__, str(kind.status) if kind.status != CDSServiceError.status else ""
    for narrower in reference.error_kinds():
        if kind in narrower.__bases__:
            yield from tree(narrower, depth + 1)
