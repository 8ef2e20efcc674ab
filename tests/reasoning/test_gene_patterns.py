"""The patterns of a module's gene words: none of them takes long over any text."""

from __future__ import annotations

import re
from time import process_time

import pytest

from cds_service.knowledge.loader import load
from tests.reasoning.charts import KNOWLEDGE
from tests.reasoning.toys import TOY

LIMIT = 0.25  # seconds of processor time; a pattern without a fault takes a twentieth of it
REPEATED = (24, 2000)  # few first, so that an exponential pattern fails and does not hang
SEPARATORS = (" ", ", ")


def named_patterns():
    """Every pattern of the shipped and of the toy module, with its name."""
    for module in (KNOWLEDGE, load(TOY)):
        rules = module.genetics
        for name in rules.words.__struct_fields__:
            yield pytest.param(getattr(rules.words, name), id=f"{rules.gene} {name}")
        for number, confirming in enumerate(rules.confirming_patterns):
            yield pytest.param(confirming.pattern, id=f"{rules.gene} confirming {number}")


def own_words(pattern):
    """The words that stand in a pattern, each by itself, and all in a row."""
    plain = re.sub(r"\\u[0-9a-f]{4}|\\[a-zA-Z]|\(\?[a-zA-Z-]*:", " ", pattern)
    words = list(dict.fromkeys(re.findall(r"[A-Za-z0-9%<>]+", plain)))
    return [*words, " ".join(words)]


@pytest.mark.cost
@pytest.mark.parametrize("pattern", [*named_patterns()])
def test_takes_no_time_over_its_own_words(pattern):
    """A pattern's own words again and again, which is what makes nested repetitions explode, cost next to nothing."""
    compiled = re.compile(pattern, re.IGNORECASE)

    for word in own_words(pattern):
        for separator in SEPARATORS:
            for times in REPEATED:
                text = "UBA1 " + ((word + separator) * times)[:8_000]
                start = process_time()
                compiled.sub(" ", text)
                assert process_time() - start < LIMIT, f"{word!r} {times} times"
