"""What a report's words say of a sign: present where they name it, absent where they deny it, else open."""

from __future__ import annotations

import re
from functools import lru_cache

from cds_service.knowledge.model import ReportText
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.findings import Answer, Evidence
from cds_service.reasoning.truth import Truth
from cds_service.record.facts import Report


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_READABLE = frozenset({"final", "amended", "corrected", "appended", "unknown", None})
_PIECE = re.compile(r"[,;]\s+|\s+(?:but|while|whereas)\s+")
_DENIED_AFTER = re.compile(
    r"\b(not (been )?(seen|identified|observed|present|detected|found|prominent|conspicuous|significant|a feature|increased)|absent|negative|none)\b"
)


def report_text(criterion: ReportText, chart: Chart) -> Answer:
    """What a report says is present or absent; what it does not mention stays open."""
    start = chart.window(criterion.within) if criterion.within else None
    denied = unread = False
    for report in sorted(chart.reports(criterion.value_set), key=lambda r: r.order, reverse=True):
        if report.status not in _READABLE or (start and report.on and report.on < start):
            continue
        unread = unread or report.attached
        said, sentence = _said(criterion, chart, report)
        if said is Truth.PRESENT:
            return Answer(said, (Evidence(what="Report", ref=report.ref, on=report.on, precision=report.precision, quote=sentence),))
        denied = denied or said is Truth.ABSENT
    return Answer(Truth.ABSENT if denied and not unread and chart.record.knows("reports") else Truth.UNKNOWN)


def _said(criterion: ReportText, chart: Chart, report: Report) -> tuple[Truth, str]:
    """What a report says, piece by piece of its sentences: a denial holds for its own piece."""
    answer = Truth.UNKNOWN
    for sentence in re.split(r"(?<=[.;!?])\s+|\n+", re.sub(r"[^\S\n]+", " ", report.conclusion[:20000])):
        for piece in _PIECE.split(sentence):
            words = piece.lower().split()
            hit = next((i for i, w in enumerate(words) if _compiled(criterion.pattern).search(w)), None)
            if hit is None or not any(_compiled(criterion.near).search(w) for w in words[max(0, hit - criterion.words) : hit + criterion.words + 1]):
                continue
            if (criterion.unless and _compiled(criterion.unless).search(piece.lower())) or chart.doubted(sentence):
                continue
            before = f" {' '.join(words[max(0, hit - 6) : hit])} "
            if _DENIED_AFTER.search(piece.lower()) or any(f" {n} " in before for n in chart.knowledge.guards.negations):
                answer = Truth.ABSENT
                continue
            return Truth.PRESENT, sentence.strip()
    return answer, ""
