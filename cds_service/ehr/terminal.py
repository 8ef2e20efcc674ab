"""Cards in a terminal, as far as one can show them: indicator, summary, detail, what is offered, how long it took."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cds_service.ehr.client import Fired

_WIDTH = 100
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]*)\)")
_MARKS = re.compile(r"\*\*|(?<!\w)_|_(?!\w)|\\(?=[\\`*_{}\[\]()#+.!|<>~-])")


def in_full(fired: Fired) -> Iterator[str]:
    """Everything that one answer says."""
    yield headline(fired)
    for card in fired.answer.get("cards") or ():
        yield ""
        yield f"{str(card.get('indicator', '')).upper()}  {card.get('summary', '')}"
        yield from (line for text in _plain(str(card.get("detail", ""))) for line in _wrapped(text))
        for suggestion in card.get("suggestions") or ():
            yield f"  [ ] {suggestion.get('label', '')}"
        for link in card.get("links") or ():
            yield f"  {link.get('label', '')}: {link.get('url', '')}"
        source = card.get("source") or {}
        yield f"  -- {source.get('label', '')} {source.get('url', '')}".rstrip()
    yield from _gaps(fired.answer)


def headline(fired: Fired) -> str:
    """One answer on one line: whose, the status, the time, and what it shows."""
    said = [f"{card.get('indicator')}: {card.get('summary')}" for card in fired.answer.get("cards") or ()]
    if fired.status >= 400 or not isinstance(fired.answer.get("cards"), list):
        said = [next((str(i.get("diagnostics", "")) for i in fired.answer.get("issue") or ()), "no CDS Hooks answer")]
    elif not said:
        said = ["no card, and some data could not be read" if list(_gaps(fired.answer)) else "no card"]
    return f"{fired.patient}  {fired.status}  {fired.milliseconds:.0f} ms  {' | '.join(said)}"


def summary(every: Sequence[Fired]) -> Iterator[str]:
    """What many answers came to: statuses, cards by topic, and how long they took."""
    times = sorted(one.milliseconds for one in every)
    statuses = Counter(one.status for one in every)
    topics = Counter(_topic(card) for one in every for card in one.answer.get("cards") or ())
    yield f"{len(every)} patients: " + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    yield "cards: " + (", ".join(f"{count} {topic}" for topic, count in sorted(topics.items())) or "none")
    if times:
        yield f"time: median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms"


def _topic(card: dict[str, Any]) -> str:
    source = card.get("source") or {}
    return str((source.get("topic") or {}).get("code") or source.get("label") or "without a topic")


def _gaps(answer: dict[str, Any]) -> Iterator[str]:
    """What an answer without cards says it could not read."""
    for value in (answer.get("extension") or {}).values():
        for gap in value.get("unavailable") or () if isinstance(value, dict) else ():
            yield f"  not read: {gap.get('what', '')}. {gap.get('remedy', '')}".rstrip()


def _plain(detail: str) -> Iterator[str]:
    """Markdown as lines of plain text; a link keeps its address."""
    for line in detail.splitlines():
        yield _MARKS.sub("", _LINK.sub(r"\1 (\2)", line))


def _wrapped(line: str) -> list[str]:
    indent = "    - " if line.startswith("- ") else "  "
    return textwrap.wrap(line.removeprefix("- "), _WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent), break_long_words=False) or [""]
