"""What is written from the code or the knowledge is current."""

import pytest

from tests.docs import generated
from tests.docs.pages import ROOT


@pytest.mark.parametrize("path", generated.written(), ids=lambda path: str(path.relative_to(ROOT)))
def test_is_current(path):
    """The file says what the code and the knowledge say."""
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: run `make docs`"
    assert generated.written()[path]() == path.read_text(encoding="utf-8"), f"{path.relative_to(ROOT)} is not current: run `make docs`"


def test_has_no_other_schema():
    """No schema is left of what is gone."""
    assert {path for path in generated.written() if path.parent == generated.SCHEMAS} == set(generated.SCHEMAS.iterdir())
