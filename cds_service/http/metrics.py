"""What Prometheus reads: counts since the process started. No label holds anything of a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from cds_service.counting import BOUNDS, LONGER, Counts
from cds_service.record.facts import Source
from cds_service.siblings import Numbers
from cds_service.trust.clients import UNKNOWN

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_LOSSES = {
    "decisions": "Decisions that could not be recorded",
    "accesses": "Queries of FHIR servers of which no record is kept",
}
_MISSING = (Source.UNAVAILABLE.value, Source.INCOMPLETE.value)


def blueprint(counts: Counts) -> Blueprint:
    """GET /metrics: of all processes of the service."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        from prometheus_client import CollectorRegistry, generate_latest  # what only a scrape needs need not be there at the start
        from prometheus_client.exposition import CONTENT_TYPE_LATEST

        registry = CollectorRegistry()
        registry.register(_Counted(counts))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes


class _Counted:
    """Reads the counts when it is asked; nothing is counted twice."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        from prometheus_client.core import CounterMetricFamily

        found = self._counts.so_far()
        calls = CounterMetricFamily("cds_calls", "Answered hook calls by what they led to", labels=["client", "outcome"])
        missing = CounterMetricFamily(
            "cds_data_missing", "Calls in which a kind of data was not there, or only in part", labels=["client", "domain", "state"]
        )
        refused, tokens = _refused(found)
        feedback = CounterMetricFamily("cds_feedback", "Entries of feedback: stored, known already, refused", labels=["result"])
        waits: dict[str, dict[str, float]] = defaultdict(dict)
        for (client, what, which), number in sorted(found.items()):
            if what == "call":
                calls.add_metric([client, which], number)
            elif what == "ms":
                waits[client][which] = number
            elif what == "feedback":
                feedback.add_metric([which], number)
            elif what in _MISSING:
                missing.add_metric([client, which, what], number)
        lost = [CounterMetricFamily(f"cds_{kind}_lost", words, value=found.get((UNKNOWN.name, "lost", kind), 0)) for kind, words in _LOSSES.items()]
        yield from (calls, missing, refused, tokens, feedback, *lost, _latency(waits, found))


def _refused(found: Numbers) -> tuple[Metric, Metric]:
    """Calls that were refused, and tokens, of all clients together."""
    from prometheus_client.core import CounterMetricFamily

    calls = CounterMetricFamily("cds_calls_refused", "Calls that were refused, by the error's code", labels=["code"])
    tokens = CounterMetricFamily("cds_auth_refused", "Tokens that were not accepted, by the reason", labels=["reason"])
    for family, of in ((calls, "refused"), (tokens, "token")):
        numbers: dict[str, float] = defaultdict(float)
        for (_, what, which), number in found.items():
            if what == of:
                numbers[which] += number
        for which, number in sorted(numbers.items()):
            family.add_metric([which], number)
    return calls, tokens


def _latency(waits: Mapping[str, Mapping[str, float]], found: Numbers) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    latency = HistogramMetricFamily("cds_call_duration_seconds", "Time to answer a hook call", labels=["client"])
    for client, by_bound in waits.items():
        total, buckets = 0.0, []
        for bound in (*map(str, BOUNDS), LONGER):
            total += by_bound.get(bound, 0)
            buckets.append(("+Inf" if bound == LONGER else str(int(bound) / 1000), float(total)))
        latency.add_metric([client], buckets, found[client, "spent", "ms"] / 1000)
    return latency
