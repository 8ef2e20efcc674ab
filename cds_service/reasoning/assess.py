"""The pure function at the heart: (knowledge, patient record, today) to an explained assessment."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.references import leaves, value_sets_of
from cds_service.reasoning.chart import COUNTED_VERIFICATION, Chart
from cds_service.reasoning.criteria import condition_evidence
from cds_service.reasoning.expressions import Formula
from cds_service.reasoning.findings import Advice, Assessment, Evidence, GeneticState, GeneticStatus
from cds_service.reasoning.genetics import GeneReader, genetic_status
from cds_service.reasoning.plan import AdvicePlan, OrderPlan, Plan, Scope
from cds_service.reasoning.truth import Truth
from cds_service.record.dates import Day, period
from cds_service.record.facts import PatientRecord

_OPEN_ORDER = frozenset({"active", "on-hold", "draft"})
_LEVELS = ("test", "consider", None)


class Reasoner:
    """Evaluates records with one knowledge module."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.plan = Plan(knowledge)
        self._genes = GeneReader(knowledge)
        self._shown_on_cards = (*knowledge.red_flags, *knowledge.alternatives)

    def evaluate(self, record: PatientRecord, today: Day, *, full: bool = False) -> Assessment:
        """Assess one patient on one day; `full` answers every flag even where no card needs it."""
        plan = self.plan
        chart = Chart(self.knowledge, record, today)
        scope = Scope(plan, chart)
        rules = {name: scope.rule(name) for name in plan.rules}
        tier, criteria, met, lowered = self._tier(scope, full=full)
        withheld = tuple(name for name, holds in plan.no_card_when if holds(scope) is Truth.PRESENT)
        genetics = genetic_status(self._genes, chart, compatible=plan.compatible(scope) is Truth.PRESENT)
        topics = () if withheld else self._topics(chart, scope, tier, genetics)
        advice = tuple(a for item in plan.advice if (a := _advise(item, scope))) if "confirmed" in topics else ()
        # What warns stands on the card of the diagnosis.
        due = {self.knowledge.recommendations[a.id].topic for a in advice if a.truth is Truth.PRESENT and not a.warns}
        if "supportive" not in due:
            topics = tuple(t for t in topics if t != "supportive")
        bearing = plan.bearing[criteria[0]] if criteria else frozenset()
        if topics or full:
            for name in self.knowledge.flags if full else (*self._shown_on_cards, *sorted(bearing)):
                if name not in scope.findings:
                    scope.finding(name)
            for name, holds in plan.qualified.items():
                if scope.findings[name].truth is Truth.PRESENT and (texts := _holding(holds, scope)):
                    flag = self.knowledge.flags[name]
                    scope.findings[name] = structs.replace(scope.findings[name], remarks=tuple(flag.qualified[i].text for i in texts))
        return Assessment(
            today=today,
            findings=scope.findings,
            terms={name: scope.truth(name) for name in (plan.terms if full else plan.said)},
            rules=rules,
            tier=tier,
            criteria=criteria,
            met=met,
            bearing=bearing,
            lowered=lowered,
            genetics=genetics,
            topics=topics,
            advice=advice,
            orders=self._orders(chart, scope, topics, genetics) if topics else (),
            latest=self._latest(chart, advice) if advice else {},
            uncounted=tuple(self._uncounted(chart)) if chart.uncounted and (topics or full) else (),
            withheld=withheld,
            issues=tuple(chart.issues),
        )

    def _tier(self, scope: Scope, *, full: bool) -> tuple[str | None, tuple[str, ...], frozenset[str], bool]:
        """The highest tier whose criteria are met, these criteria, all that were asked and are met, and whether something lowered it.

        Criteria of a lower tier are asked only where none of a higher one was met, or all are wanted.
        """
        reached: dict[str | None, list[str]] = {}
        lowered_ids = set()
        for criterion, level, when, lowered_by in self.plan.criteria:
            if level and _LEVELS[0] in reached and not full:
                break
            if when(scope) is Truth.PRESENT:
                lowered = lowered_by is not None and lowered_by(scope) is Truth.PRESENT
                lowered_ids.update([criterion.id] if lowered else [])
                reached.setdefault(_LEVELS[level + lowered], []).append(criterion.id)
        met = frozenset(name for names in reached.values() for name in names)
        for level_name in _LEVELS:
            if level_name in reached:
                ids = tuple(reached[level_name])
                return level_name, ids, met, bool(lowered_ids & set(ids))
        return None, (), met, False

    def _topics(self, chart: Chart, scope: Scope, tier: str | None, genetics: GeneticStatus) -> tuple[str, ...]:
        """Which cards: exactly one of consider, test, confirmed, uncertain, negative; supportive care only beside confirmed."""
        if genetics.state is GeneticState.CONFIRMED:
            return ("confirmed", "supportive")
        if genetics.state is GeneticState.UNCERTAIN:
            return ("uncertain",)
        if genetics.state is GeneticState.NEGATIVE and self._silences(chart, genetics):
            open_again = genetics.limited or genetics.on is None or self._new_strong_organ(scope, genetics)
            return ("negative",) if open_again and tier == "test" else ()
        return (tier,) if tier else ()

    def _silences(self, chart: Chart, genetics: GeneticStatus) -> bool:
        return genetics.on is None or genetics.on >= period(self.knowledge.genetics.silence).before(chart.today)

    def _new_strong_organ(self, scope: Scope, genetics: GeneticStatus) -> bool:
        """Whether a strong organ stands in the chart only since the result."""
        systems: dict[str, list[Evidence]] = {}
        for name, flag in self.knowledge.flags.items():
            if flag.organ and flag.organ.strength == "strong" and scope.finding(name).truth is Truth.PRESENT:
                systems.setdefault(flag.organ.system, []).extend(scope.finding(name).evidence)
        day = genetics.on
        return day is not None and any(all((e.recorded or e.on or day) > day for e in evidence) for evidence in systems.values())

    def _latest(self, chart: Chart, advice: tuple[Advice, ...]) -> dict[str, Evidence]:
        """The newest usable value of each test that the advice given shows, if it is not too old."""
        start = chart.window(self.knowledge.assessment.shown_within)
        found: dict[str, Evidence] = {}
        for name in dict.fromkeys(n for a in advice for n in self.knowledge.recommendations[a.id].shows if n in self.knowledge.measurements):
            value = chart.latest(name, start)
            if value and value.day:
                found[name] = value.evidence
        return found

    def _uncounted(self, chart: Chart) -> Iterator[Evidence]:
        """Red flags that stand in the chart only as provisional or doubtful diagnoses."""
        for condition, sets in chart.uncounted:
            for flag in self.knowledge.red_flags.values():
                named = {s for c in leaves(flag.when) for s in value_sets_of(c)}
                if flag.shown and not named.isdisjoint(sets):
                    evidence = condition_evidence(chart, condition, tuple(sets))
                    doubt = "doubtful" if condition.verification in COUNTED_VERIFICATION else condition.verification
                    yield structs.replace(evidence, what=flag.label, value=doubt)
                    break

    def _orders(self, chart: Chart, scope: Scope, topics: tuple[str, ...], genetics: GeneticStatus) -> tuple[str, ...]:
        if genetics.ordered and genetics.state is not GeneticState.CONFIRMED:
            return ()  # what is under way is waited for
        return tuple(
            plan.order.id
            for plan in self.plan.orders
            if not plan.topics.isdisjoint(topics) and plan.when(scope) is Truth.PRESENT and not _done_or_ordered(plan, chart)
        )


def _done_or_ordered(plan: OrderPlan, chart: Chart) -> bool:
    """Whether a test was done not long ago, or is on order."""
    order = plan.order
    for request in chart.record.orders:
        if request.status in _OPEN_ORDER:
            if order.ordered_as and order.ordered_as in chart.sets_of_fact(request):
                return True
            if plan.ordered_text and plan.ordered_text.search(request.text.lower()):
                return True
    if not order.within:
        return False
    start = chart.window(order.within)
    return any((day := chart.last_done(value_set)) and day >= start for value_set in order.unless_result)


def _advise(plan: AdvicePlan, scope: Scope) -> Advice | None:
    """A recommendation that applies, or that could not be checked for want of data; None when it does not apply."""
    item = plan.item
    truth = plan.when(scope)
    if truth is Truth.ABSENT:
        return None
    variation = next((i for i, holds in enumerate(plan.variations) if holds(scope) is Truth.PRESENT), None)
    parts, cautions = _holding(plan.parts, scope), _holding(plan.cautions, scope)
    warns = truth is Truth.PRESENT and (item.warns or any(item.cautions[i].warns for i in cautions))
    return Advice(id=item.id, truth=truth, variation=variation, parts=parts, cautions=cautions, warns=warns)


def _holding(formulas: tuple[Formula, ...], scope: Scope) -> tuple[int, ...]:
    """The positions of those that hold."""
    return tuple(i for i, holds in enumerate(formulas) if holds(scope) is Truth.PRESENT)
