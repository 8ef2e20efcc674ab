"""Cards in a terminal, as far as one can show them: indicator, summary, detail, what is offered, how long it took."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from cds_service.ehr.client import Answer, Fired, Shown

_WIDTH = 100
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]*)\)")
_MARKS = re.compile(r"\*\*|(?<!\w)_|_(?!\w)|\\(?=[\\`*_{}\[\]()#+.!|<>~-])")


def in_full(fired: Fired) -> Iterator[str]:
    """Everything that one answer says."""
    yield headline(fired)
    for card in fired.answer.cards or ():
        yield ""
        yield harmless(f"{card.indicator.upper()}  {card.summary}")
        yield from (line for text in _plain(card.detail or "") for line in _wrapped(text))
        for suggestion in card.suggestions or ():
            yield harmless(f"  [ ] {suggestion.label}")
        for link in card.links or ():
            yield harmless(f"  {link.label}: {link.url}")
        yield harmless(f"  -- {card.source.label} {card.source.url or ''}").rstrip()
    yield from _gaps(fired.answer)


def headline(fired: Fired) -> str:
    """One answer on one line: whose, the status, the time, and what it shows."""
    said = [f"{card.indicator}: {card.summary}" for card in fired.answer.cards or ()]
    if not fired.answered:
        said = [next((issue.diagnostics or "" for issue in fired.answer.issue or ()), "no CDS Hooks answer")]
    elif not said:
        said = ["no card, and some data could not be read" if list(_gaps(fired.answer)) else "no card"]
    return harmless(f"{fired.patient}  {fired.status}  {fired.milliseconds:.0f} ms  {' | '.join(said)}")


def summary(every: Sequence[Fired]) -> Iterator[str]:
    """What many answers came to: statuses, cards by topic, and how long they took."""
    times = sorted(one.milliseconds for one in every)
    statuses = Counter(one.status for one in every)
    topics = Counter(_topic(card) for one in every for card in one.answer.cards or ())
    yield f"{len(every)} patients: " + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    odd = sum(one.status == HTTPStatus.OK and not one.answered for one in every)
    if odd:
        yield f"no CDS Hooks answer: {odd}"
    yield harmless("cards: " + (", ".join(f"{count} {topic}" for topic, count in sorted(topics.items())) or "none"))
    if times:
        yield f"time: median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms"


def harmless(text: str) -> str:
    """A text of others on one line, without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _topic(card: Shown) -> str:
    return (card.source.topic and card.source.topic.code) or card.source.label or "without a topic"


def _gaps(answer: Answer) -> Iterator[str]:
    """What an answer without cards says it could not read, and which cards an earlier answer keeps away."""
    for value in (answer.extension or {}).values():
        for gap in _listed(value, "unavailable"):
            yield harmless(f"  not read: {gap.get('what', '')}. {gap.get('remedy', '')}").rstrip()
        for kept in _listed(value, "silenced"):
            yield harmless(f"  {kept.get('topic', '')}: answered on {kept.get('answered', '')}, silent until {kept.get('until', '')}")


def _listed(value: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a member that should be a list of them."""
    found = value.get(name) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _plain(detail: str) -> Iterator[str]:
    """Markdown as lines of plain text; a link keeps its address."""
    for line in detail.splitlines():
        yield _MARKS.sub("", _LINK.sub(r"\1 (\2)", harmless(line)))


def _wrapped(line: str) -> list[str]:
    indent = "    - " if line.startswith("- ") else "  "
    return textwrap.wrap(line.removeprefix("- "), _WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent), break_long_words=False) or [""]
