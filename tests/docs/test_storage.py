"""The page about what is kept says every column."""

import re

from cds_service.storage.tables import METADATA
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")


def test_says_what_each_column_holds():
    """The table has every column of every table, in their order."""
    columns = [f"{table.name}.{column.name}" for table in METADATA.tables.values() for column in table.columns]

    assert columns == re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE, re.MULTILINE)
