"""docs/independent-input.md tells the figures of the run."""

from __future__ import annotations

from tests.integration import figures


def test_document_has_the_figures_of_this_run(examples, cohort, record_property, pytestconfig):
    """The figures are those of this run; `make test-integration UPDATE=1` writes them anew."""
    written = figures.written(examples, cohort)
    record_property("figures", written)
    if pytestconfig.getoption("--update-figures"):
        figures.record(written)

    assert written == figures.recorded(), "docs/independent-input.md is not current. Write it anew: make test-integration UPDATE=1"
