"""What a page shows against what there is: `...` stands for what was left out, in text and in JSON."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from typing import Any

LEFT_OUT = "..."


def is_shortened(shown: str, whole: str) -> bool:
    """Whether a text is the whole one, but for what `...` stands for."""
    return doctest.OutputChecker().check_output(f"{shown}\n", f"{whole}\n", doctest.ELLIPSIS)


def stale(shown: str, whole: str) -> str:
    """The passages of a shortened text that the whole one does not hold."""
    passages = [passage for passage in shown.split(LEFT_OUT) if passage not in whole]
    return "shown, but not said (or not in this order): " + LEFT_OUT.join(passages)


def differences(shown: Any, whole: Any, place: str = "") -> Iterator[str]:
    """Where shortened JSON differs from the whole; a member or element `...` stands for any number of others."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        named = [name for name in shown if name != LEFT_OUT]
        yield from (f"{place}/{name}: is not in the answer" for name in named if name not in whole)
        yield from (f"{place}/{name}: is not shown" for name in whole if name not in shown and LEFT_OUT not in shown)
        for name in named:
            if name in whole:
                yield from differences(shown[name], whole[name], f"{place}/{name}")
    elif isinstance(shown, list) and isinstance(whole, list):
        named = [item for item in shown if item != LEFT_OUT]
        if len(named) > len(whole) or (len(named) < len(whole) and LEFT_OUT not in shown):
            yield f"{place}: {len(named)} are shown of {len(whole)}"
        for index, (item, other) in enumerate(zip(named, whole, strict=False)):
            yield from differences(item, other, f"{place}/{index}")
    elif isinstance(shown, str) and isinstance(whole, str) and LEFT_OUT in shown:
        if not is_shortened(shown, whole):
            yield f"{place}: {shown!r} is not {whole!r}"
    elif shown != whole:
        yield f"{place}: {shown!r} is not {whole!r}"
