"""A timeline that names what is not there is refused, with file, line and remedy."""

import pytest

from cds_service.knowledge.loader import load
from tests.knowledge.test_loader_refuses import assert_refused, replace

DAMAGED = {
    "period": ("longest: P10Y", "longest: ten years", "P24M"),
    "test": ("{test: lab-wbc}", "{test: lab-unicorn}", "lab-unicorn"),
    "test that is drawn twice": ("{test: lab-wbc}", "{test: lab-mcv}", "drawn twice"),
    "threshold that is none": ("thresholds: [macrocytosis]", "thresholds: [unicorn]", "'unicorn' sets no limit to lab-mcv"),
    "threshold of another test": ("thresholds: [macrocytosis]", "thresholds: [crp]", "'crp' sets no limit to lab-mcv"),
    "finding that is none": ("findings: [mds, ", "findings: [unicorn, ", "'unicorn' looks for no condition"),
    "finding that is no condition": ("findings: [mds, ", "findings: [crp, ", "'crp' looks for no condition"),
    "value set": ("drugs: [rx-anticoagulant]", "drugs: [rx-unicorn]", "rx-unicorn"),
    "lane of two kinds": ("drugs: [rx-anticoagulant]", "drugs: [rx-anticoagulant], gene: true", "exactly one"),
    "lane of no kind": (", drugs: [rx-anticoagulant]", "", "exactly one"),
}


@pytest.mark.parametrize(("old", "new", "because"), DAMAGED.values(), ids=DAMAGED)
def test_refuses_what_cannot_be_drawn(module, old, new, because):
    """Tests, findings with a threshold, conditions and value sets must be there."""
    replace(module, "timeline.yaml", old, new)

    assert_refused(module, "timeline.yaml:", because)


def test_takes_a_module_without_a_timeline(module):
    """A module need not say what is drawn."""
    (module / "timeline.yaml").unlink()

    assert load(module).timeline is None
