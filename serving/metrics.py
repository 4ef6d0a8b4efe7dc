"""Counters and latencies per model, as Prometheus reads them; summed over the worker processes of one server."""

from __future__ import annotations

import os
from functools import lru_cache

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What was asked and how long it took.

    BentoML sets ``PROMETHEUS_MULTIPROC_DIR`` for its workers, where prometheus_client keeps every process's numbers; without it
    (in a test, say) this process's own are shown.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "foretell_requests",
            "Requests answered, by model (a further question: model/question) and HTTP status; 400 and above are errors.",
            ["model", "status"],
            registry=self._registry,
        )
        self._queries = Counter("foretell_queries", "Queries answered with a prediction.", ["model"], registry=self._registry)
        self._seconds = Histogram(
            "foretell_request_seconds",
            "From the whole request received to the answer ready.",
            ["model"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._dropped = Counter(
            "foretell_predictions_dropped",
            "Predictions that want feedback and were not stored: the store was away or too slow for too long.",
            ["model"],
            registry=self._registry,
        )
        self._children = lru_cache(maxsize=None)(self._children_of)

    def count(self, model: str, status: int, queries: int, seconds: float) -> None:
        """Note one answered request."""
        requests, answered, latency = self._children(model, status)
        requests.inc()
        answered.inc(queries)
        latency.observe(seconds)

    def count_dropped(self, model: str, predictions: int) -> None:
        """Note predictions whose outcome cannot be learned from."""
        self._dropped.labels(model).inc(predictions)

    def page(self) -> bytes:
        """All numbers in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)

    def _children_of(self, model: str, status: int) -> tuple[Counter, Counter, Histogram]:
        """Looking labels up costs more than counting; once is enough."""
        return self._requests.labels(model, str(status)), self._queries.labels(model), self._seconds.labels(model)
