"""Counters and gauges of the running tower, in the names the contract gives them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The tower's own registry: no global state, so that two towers in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def counter(self, name: str, about: str, *labels: str) -> Counter:
        """A counter shown as `<name>_total`."""
        return Counter(name, about, labels, registry=self.registry)

    def gauge(self, name: str, about: str, *labels: str) -> Gauge:
        """A value that goes up and down, shown under exactly `name`."""
        return Gauge(name, about, labels, registry=self.registry)

    def histogram(self, name: str, about: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
        """A distribution in the unit its name says."""
        return Histogram(name, about, labels, registry=self.registry, buckets=buckets)

    def read(self, *names: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """The present values of some metrics, by the name and the labels they are shown with."""
        wanted = [f"{name}{ending}" for name in names for ending in ("", "_total", "_count", "_bucket")]
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for metric in self.registry.restricted_registry(wanted).collect()
            for sample in metric.samples
        }

    def text(self, *names: str) -> bytes:
        """Everything, or the named ones, in the Prometheus text format 0.0.4."""
        return generate_latest(self.registry.restricted_registry(names) if names else self.registry)
