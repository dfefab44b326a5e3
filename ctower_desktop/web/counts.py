"""What the doors count for /metrics."""

from __future__ import annotations

from typing import Self

from ctower_desktop.kernel.errors import Invalid, ProjectAccessDenied, TowerError
from ctower_desktop.kernel.tower import Tower


class Counts:
    """Requests, answers and open streams of all doors of one tower, in the contract's names."""

    def __init__(self, tower: Tower) -> None:
        metrics = tower.metrics
        self._requests = metrics.counter("app_requests", "Requests that arrived.")
        self._responses = metrics.counter("app_responses", "Requests that were answered.")
        self._errors = metrics.counter("app_errors", "Answers of status 500 and above.")
        self._foreign = metrics.counter(
            "app_scope_violation", "Requests for a project that the caller may not see."
        )
        self._misshapen = metrics.counter(
            "app_contract_error", "Requests that do not have the documented shape."
        )
        self._classes = {
            digit: metrics.gauge(f"app_status_{digit}xx", f"Answers of status {digit}xx so far.")
            for digit in (2, 3, 4, 5)
        }
        self._statuses = metrics.counter("app_response_status", "Answers by status.", "status")
        self._routes = metrics.counter("app_route_requests", "Requests by route.", "route")
        self._mean = metrics.gauge("app_route_response_avg_ms", "Mean time to answer, by route.", "route")
        self._slowest = metrics.gauge(
            "app_route_response_max_ms", "Longest time to answer, by route.", "route"
        )
        self._streams = metrics.gauge("app_sse_connections_total", "Streams that are open.")
        self._streamed = metrics.gauge("app_sse_projects_subscribed", "Projects somebody has a stream of.")
        labels = ("method", "endpoint")
        self._graph_requests = metrics.counter(
            "http_requests", "Requests to the knowledge graph.", *labels, "status"
        )
        self._graph_times = metrics.histogram(
            "http_request_duration_seconds",
            "How long requests to the knowledge graph took, streams to their end.",
            *labels,
            buckets=(0.1, 0.5, 1.0, 5.0),
        )
        self._times: dict[str, tuple[int, float, float]] = {}  # how many, together, the longest
        self._open: dict[str, int] = {}  # streams by project

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Everything at nought."""
        return cls(tower)

    async def stop(self) -> None:
        """Nothing to end."""

    def arrived(self) -> None:
        """A request came in."""
        self._requests.inc()

    def refused(self, error: TowerError) -> None:
        """A request was refused; some reasons are worth counting."""
        if isinstance(error, ProjectAccessDenied):
            self._foreign.inc()
        elif isinstance(error, Invalid):
            self._misshapen.inc()

    def answered(self, route: str, status: int, milliseconds: float | None) -> None:
        """A request was answered; streams have no time to answer."""
        self._responses.inc()
        self._statuses.labels(str(status)).inc()
        self._routes.labels(route).inc()
        kind = self._classes.get(status // 100)
        if kind is not None:
            kind.inc()
        if status >= 500:
            self._errors.inc()
        if milliseconds is None:
            return
        count, total, longest = self._times.get(route, (0, 0.0, 0.0))
        count, total, longest = count + 1, total + milliseconds, max(longest, milliseconds)
        self._times[route] = (count, total, longest)
        self._mean.labels(route).set(round(total / count, 3))
        self._slowest.labels(route).set(round(longest, 3))

    def graph_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request to the knowledge graph came to its end."""
        self._graph_requests.labels(method, route, str(status)).inc()
        self._graph_times.labels(method, route).observe(seconds)

    def streams_of(self, project_id: str) -> int:
        """How many streams of a project are open."""
        return self._open.get(project_id, 0)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(self._open.values())

    def stream_opened(self, project_id: str) -> None:
        """Somebody watches a project."""
        self._open[project_id] = self.streams_of(project_id) + 1
        self._show_streams()

    def stream_closed(self, project_id: str) -> None:
        """Somebody stopped watching."""
        left = self._open.pop(project_id, 1) - 1
        if left > 0:
            self._open[project_id] = left
        self._show_streams()

    def _show_streams(self) -> None:
        self._streams.set(self.streams)
        self._streamed.set(sum(1 for project_id in self._open if project_id))
