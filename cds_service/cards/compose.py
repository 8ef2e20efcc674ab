"""Composes the cards of an assessment: at most two, each readable in ten seconds."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from cds_service.cards import wording
from cds_service.cards.drafts import service_request
from cds_service.cards.snooze import Snooze
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import CardText, Recommendation, Word
from cds_service.protocol.response import Action, Card, Coding, Link, Response, Source, Suggestion
from cds_service.reasoning.findings import Advice, Assessment
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import period
from cds_service.record.facts import PatientRecord
from cds_service.record.facts import Source as DataSource

LONGEST_SUMMARY = 139
LONGEST_DETAIL = 1200
_MOST_FACTS = 6
_FIRST_ADVICE = 3
_MOST_NAMED = 8
_NOT_SENT = re.compile("was not (sent|asked)")  # gaps of the prefetch that only a card-less answer tells of


class _Room(NamedTuple):
    """How much of each kind a detail may hold."""

    facts: int
    against: int
    lacking: int
    linked: bool = True
    evidence: int = 2  # of each fact


def _room(resting: int) -> Iterator[_Room]:
    """From the most to the least: what the criterion rests on is cut last, after the links and the second evidence of each fact."""
    steps = [_Room(max(most, resting), min(most, 4), lacking) for most, lacking in ((_MOST_FACTS, 6), (5, 4), (4, 3), (3, 2), (3, 1), (2, 1), (1, 1))]
    yield from steps
    yield from (step._replace(linked=False) for step in steps)
    yield from (step._replace(linked=False, evidence=1) for step in steps)
    yield from (_Room(facts, 1, 1, linked=False, evidence=1) for facts in range(resting - 1, 0, -1))


class Composer:
    """Writes cards in the words of one knowledge module."""

    def __init__(self, knowledge: Knowledge, base_url: str) -> None:
        self.knowledge = knowledge
        self._wording = wording.Wording(knowledge)
        self._about = f"{base_url}/about"
        self._app = (Link(label="Evidence in this chart, over time", url=f"{base_url}/smart/launch", type="smart"),)
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, knowledge.module.namespace)
        reasons = knowledge.module.override_reasons
        self._reasons = tuple(Coding(code=r.code, system=reasons.system, display=r.display) for r in reasons.reasons)

    def compose(
        self,
        assessment: Assessment,
        record: PatientRecord,
        hook_instance: str,
        client: str = "open",
        site: Mapping[str, Coding] | None = None,
        *,
        linked: bool = False,
    ) -> Response:
        """The answer for one patient; without cards it says what could not be read, if that could have mattered.

        `site` are the site's own codes of draft orders, by order. `linked` says that the EHR launches our SMART app.
        """
        links = self._app if linked else None
        cards = tuple(self._card(topic, assessment, record, f"{client}|{hook_instance}", site or {}, links) for topic in assessment.topics)
        return Response(cards=cards) if cards or assessment.withheld else self.nothing_shown(assessment, record)

    def nothing_shown(self, assessment: Assessment, record: PatientRecord, silenced: Mapping[str, Snooze] = MappingProxyType({})) -> Response:
        """An answer without a card, which says what could not be read, if that could have mattered, and which cards an earlier answer keeps away."""
        gaps = self._gaps(assessment, record)
        kept = [{"topic": code, "answered": s.answered, "until": s.until} for code, s in silenced.items()]
        said = {**({"unavailable": gaps} if gaps else {}), **({"silenced": kept} if kept else {})}
        return Response(cards=(), extension={self.knowledge.module.extension: said} if said else None)

    def _gaps(self, assessment: Assessment, record: PatientRecord) -> list[dict[str, str]]:
        """What was missing when nothing is shown: a failure is never an empty answer alone."""
        unread = {d for d, s in record.sources.items() if s is not DataSource.READ}
        care = tuple(f"'{key}'" for key, requirement in self.knowledge.requirements.items() if requirement.care)
        return [
            {"what": i.what, "remedy": i.remedy}
            for i in assessment.issues
            if i.remedy and (i.level == "warning" or (unread and _NOT_SENT.search(i.what) and not i.what.startswith(care)))
        ]

    def _card(
        self,
        topic: str,
        assessment: Assessment,
        record: PatientRecord,
        call: str,
        site: Mapping[str, Coding],
        links: tuple[Link, ...] | None,
    ) -> Card:
        text = self.knowledge.cards[topic]
        word: Word = getattr(self.knowledge.module.topics, topic)
        suggestions = self._suggestions(topic, assessment, record, f"{call}|{word.code}", site)
        found = self._wording.found(assessment)
        return Card(
            uuid=self._uuid(f"{call}|{word.code}"),
            summary=self._summary(text, assessment, found),
            indicator=self._indicator(topic, text, assessment),
            source=Source(
                label=self.knowledge.module.source_label,
                url=self._about,
                topic=Coding(code=word.code, system=self.knowledge.module.topics.system, display=word.display),
            ),
            detail=self._detail(topic, text, assessment, record, found),
            suggestions=suggestions or None,
            selectionBehavior="any" if suggestions else None,
            overrideReasons=self._reasons,
            links=links,
        )

    def _uuid(self, name: str) -> str:
        """The same call gives the same card the same uuid."""
        service = self.knowledge.module.service.id
        return str(uuid.uuid5(self._namespace, f"{service}|{name}"))

    def _indicator(self, topic: str, text: CardText, assessment: Assessment) -> Literal["info", "warning"]:
        if assessment.genetics.ordered and topic == "test":
            return "info"
        if topic == "confirmed" and any(a.warns for a in assessment.advice):
            return "warning"
        return text.indicator

    # --- summary ---

    def _summary(self, text: CardText, assessment: Assessment, found: wording.Found) -> str:
        words = [flag.short or flag.label for flag, _ in found.pairs if flag.weight >= 1]
        messages = self.knowledge.genetics.messages
        basis = messages[self._basis(assessment)]
        reason = messages["reason-limited" if assessment.genetics.limited or assessment.genetics.on is None else "reason-new"]
        ordered = assessment.genetics.ordered
        template = text.summary
        if ordered and text.topic == "test":
            when = f" on {wording.day_text(ordered)}" if ordered.on else ""
            template = f"{{findings}}: {ordered.what}{when}"
        warnings = self._warnings(assessment) if text.topic == "confirmed" else [""]
        # The basis gives way to the first warning in full, and stands again beside its short name.
        for warning, based, count in itertools.product(warnings, (basis, ""), (3, 2, 1)):
            named = " + ".join(_distinct(words)[:count])
            summary = template.format(findings=named[:1].upper() + named[1:] or "Findings", warning=warning, basis=based, reason=reason)
            summary = summary if based else summary.replace(", ,", ",").replace(", :", ":")
            if len(summary) <= LONGEST_SUMMARY:
                return summary
        return summary[: LONGEST_SUMMARY - 1].rstrip() + "\u2026"

    def _basis(self, assessment: Assessment) -> str:
        """The message that says on what the diagnosis rests."""
        by_reason = {"problem-list-only": "basis-problem-list", "after-transplant": "basis-transplant"}
        return next((by_reason[r] for r in assessment.genetics.reasons if r in by_reason), "basis-result")

    def _warnings(self, assessment: Assessment) -> list[str]:
        """What a summary may say of the warnings: the first one in full or by its short name, and how many there are besides."""
        found = []
        for advice in (a for a in assessment.advice if a.warns):
            item = self.knowledge.recommendations[advice.id]
            brief = f"{item.short} warning"
            found += [(item.cautions[i].text, brief) for i in advice.cautions if item.cautions[i].warns]
            if item.warns and advice.truth is Truth.PRESENT and (alert := self._alert(advice, item)):
                found.append((alert, brief))
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return [f", {said}{more}" for said in found[0]] if found else [""]

    # --- detail ---

    def _detail(self, topic: str, text: CardText, assessment: Assessment, record: PatientRecord, found: wording.Found) -> str:
        if topic in ("confirmed", "supportive"):
            return self._advice_detail(topic, text, assessment, record)
        sources = wording.Sources(self.knowledge)
        ordered = assessment.genetics.ordered if topic in ("test", "consider", "negative") else None
        head = f"{ordered.what} ({wording.day_text(ordered)}). No order is offered." if ordered else text.lead + sources.cite(text.citations)
        gene = self._gene_lines(topic, assessment)
        why = self._wording.rule_line(assessment, sources) if assessment.criteria and topic != "uncertain" else ""
        against = list(self._wording.against(assessment, found))
        lacking = self._wording.missing(assessment, record)
        pairs, resting = found.pairs[: max(_MOST_FACTS, found.resting)], found.resting
        detail = ""
        for room in _room(resting):
            facts = [wording.finding_line(flag, finding, assessment, most=room.evidence) for flag, finding in pairs[: room.facts]]
            detail = self._joined(
                head,
                *gene,
                _block("Found", facts, room.facts, len(found.pairs)),
                _block("Against", against, room.against, len(against)),
                f"**Not available** {'; '.join(lacking[: room.lacking])}{_more(lacking, room.lacking)}" if lacking else "",
                why,
                sources.line(linked=room.linked),
            )
            if len(detail) <= LONGEST_DETAIL:
                break
        return detail

    def _advice_detail(self, topic: str, text: CardText, assessment: Assessment, record: PatientRecord) -> str:
        """Every line of advice that fits, with links to the sources if they fit too; what does not fit is at least named.

        What warns comes first and always stands in full words; of its other cautions a long card gives only the number.
        """
        mine = [(a, r) for a in assessment.advice if self._topic(a, r := self.knowledge.recommendations[a.id]) == topic]
        # After what warns comes what the patient is on already.
        present = sorted(((a, r) for a, r in mine if a.truth is Truth.PRESENT), key=lambda pair: (not pair[0].warns, pair[0].variation is None))
        warned = sum(a.warns for a, _ in present)
        unread = self._wording.unread(assessment, record, care=True)
        unchecked = [r.short for a, r in mine if a.truth is Truth.UNKNOWN] if unread else []
        published = self._published(assessment) if topic == "confirmed" else []
        gene = self._gene_lines(topic, assessment) if topic == "confirmed" else []
        sources = wording.Sources(self.knowledge)
        lines = [(f"- {self._advice_line(a, r, assessment, sources)}", sources.count) for a, r in present]
        short = [self._short(a, r) for a, r in present]
        # What was published of the variant gives way to the first lines of advice, and links give way to both.
        counts = range(len(present), warned - 1, -1)
        room = [*((n, published, False) for n in counts if n >= _FIRST_ADVICE), *((n, [], False) for n in counts), (warned, [], True)]
        around = (
            f"**Not checked** for want of data: {', '.join(unchecked)}" if unchecked else "",
            f"**Not available** {'; '.join(unread[:4])}{_more(unread, 4)}" if unread else "",
        )
        detail = ""
        for count, told, brief in room:
            shown = [line for line, _ in lines[:count]]
            if brief:
                shown = [f"- {self._advice_line(a, r, assessment, sources, brief=True)}" for a, r in present[:count]]
            rest = short[count:]
            head = (
                *gene,
                f"{self.knowledge.genetics.messages['association']} {'; '.join(told)}." if told else "",
                text.lead,
                "\n".join([*shown, *([f"- Also: {'; '.join(rest[:_MOST_NAMED])}{_more(rest, _MOST_NAMED)}"] if rest else [])]),
            )
            most = lines[count - 1][1] if count else 0
            detail = self._joined(*head, *around, sources.line(most=most, linked=False))
            if len(detail) <= LONGEST_DETAIL:
                linked = self._joined(*head, *around, sources.line(most=most))
                return linked if len(linked) <= LONGEST_DETAIL else detail
        return self._warnings_detail(gene, present, around)

    def _warnings_detail(self, gene: list[str], present: list[tuple[Advice, Recommendation]], around: tuple[str, ...]) -> str:
        """A card with no room for more than its warnings: facts go first, then sentences, then sources.

        No warning ever goes: where the bare warnings are too long by themselves (30 drugs and 20 warnings), so is the card.
        """
        warned = [(a, r) for a, r in present if a.warns]
        others = [f"- And {len(present) - len(warned)} more to review."] if len(present) > len(warned) else []
        for full, cited, once in ((True, True, False), (False, True, False), (False, True, True), (False, False, True)):
            sources = wording.Sources(self.knowledge)
            lines = [self._warning_line(a, r, sources if cited else None, full=full, once=once) for a, r in warned]
            detail = self._joined(*gene, "\n".join([*lines, *others]), *around, sources.line(linked=False))
            if len(detail) <= LONGEST_DETAIL:
                return detail
        lacking = "**Not available** in part; not everything was checked." if any(around) else ""
        return self._joined(gene[0] if gene else "", "\n".join([*lines, *others]), lacking)

    def _warning_line(self, advice: Advice, item: Recommendation, sources: wording.Sources | None, *, full: bool, once: bool) -> str:
        """What warns in one advice, without facts: after its sentence, or after its name."""
        texts = [item.cautions[i].text for i in advice.cautions if item.cautions[i].warns]
        said = "; ".join(wording.told_once(texts) if once else texts)
        cited = sources.cite(item.citations) if sources else ""
        if full:
            return f"- {wording.advice_text(item, advice)}{f' **Caution:** {said}.' if said else ''}{cited}"
        own = (self._alert(advice, item) or item.short) if item.warns else None
        return f"- {'; '.join(filter(None, (own, said)))}.{cited}"

    def _alert(self, advice: Advice, item: Recommendation) -> str | None:
        """What an advice that warns by itself says in few words."""
        return item.alert if advice.variation is None else item.variations[advice.variation].alert

    def _topic(self, advice: Advice, item: Recommendation) -> str:
        """The card of an advice: what warns stands on the card that warns."""
        return "confirmed" if advice.warns else item.topic

    def _short(self, advice: Advice, item: Recommendation) -> str:
        return f"{item.short} (with cautions)" if advice.cautions else item.short

    def _advice_line(self, advice: Advice, item: Recommendation, assessment: Assessment, sources: wording.Sources, *, brief: bool = False) -> str:
        """One line of advice: its sentence, what it shows, the cautions of this patient (those that warn first), its sources."""
        raised = sorted((item.cautions[i] for i in advice.cautions), key=lambda c: not c.warns)
        said = ([c for c in raised if c.warns] or raised[:1]) if brief else raised
        cautions = [wording.caution_text(c, assessment) for c in said]
        if len(said) < len(raised):
            cautions.append(f"and {len(raised) - len(said)} more")
        shown = "" if brief else "".join(self._shown(name, assessment) for name in item.shows)
        caution = f" **Caution:** {'; '.join(cautions)}." if cautions else ""
        return f"{wording.advice_text(item, advice)}{shown}{caution}{sources.cite(item.citations)}"

    def _shown(self, name: str, assessment: Assessment) -> str:
        """Facts that a sentence asks for: the newest usable value of a test, or the evidence of a finding."""
        if name in self.knowledge.measurements:
            value = assessment.latest.get(name)
            label = wording.inside_a_sentence(self.knowledge.measurements[name].label)
            return f" {wording.evidence_text(value)}." if value else f" No usable {label} in {period(self.knowledge.assessment.shown_within)}."
        finding = assessment.findings.get(name)
        facts = "; ".join(wording.evidence_text(e) for e in finding.evidence[:1]) if finding and finding.truth is Truth.PRESENT else ""
        return f" {facts}." if facts else ""

    def _published(self, assessment: Assessment) -> list[str]:
        """What was published of groups of patients with the variant found, each with its source."""
        variant = assessment.genetics.variant
        named = self.knowledge.citations
        return [f"{a.text} ({', '.join(named[c].short for c in a.citations)})" for a in variant.associations] if variant else []

    def _gene_lines(self, topic: str, assessment: Assessment) -> list[str]:
        """The results of the gene with what qualifies them."""
        status = assessment.genetics
        messages = self.knowledge.genetics.messages
        lines = [wording.evidence_text(e) if e.value else f"{e.what} ({wording.day_text(e)})" for e in status.evidence]
        said = [messages[r] for r in status.reasons if r in messages]
        if topic == "negative" and not status.limited and status.on is not None:
            said.append(messages["new-organ"])
        if status.variant and status.variant.confidence != "verified":
            said.append(messages["entry-unverified"])
        return ["**" + "; ".join(lines) + "**" if lines else "", " ".join(said)]

    def _joined(self, *parts: str) -> str:
        standing = f"_{self.knowledge.module.status_line}_" if self.knowledge.module.status == "draft" else ""
        return "\n\n".join(p for p in (*parts, standing) if p)

    # --- suggestions ---

    def _suggestions(
        self, topic: str, assessment: Assessment, record: PatientRecord, call: str, site: Mapping[str, Coding]
    ) -> tuple[Suggestion, ...]:
        offered = [o for o in (self.knowledge.orders[name] for name in assessment.orders) if topic in o.topics]
        return tuple(
            Suggestion(
                label=order.label,
                uuid=self._uuid(f"{call}|{order.id}"),
                isRecommended=True if order.recommended else None,
                actions=(
                    Action(
                        type="create",
                        description=order.description,
                        resource=service_request(order, record.patient_id, assessment, site.get(order.id)),
                    ),
                ),
            )
            for order in offered
        )


def _block(title: str, lines: list[str], most: int, count: int) -> str:
    """A list of at most so many lines, which says how many there are besides."""
    if not lines:
        return ""
    shown = [f"- {line}" for line in lines[:most]]
    return "\n".join([f"**{title}**", *shown, *([f"- and {count - most} more"] if count > most else [])])


def _more(items: list[str], most: int) -> str:
    return f"; and {len(items) - most} more" if len(items) > most else ""


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
