"""Counters and gauges under exactly the names they were given."""

from __future__ import annotations

from ctower_desktop.kernel.metrics import Metrics


def test_names_are_as_given():
    metrics = Metrics()
    metrics.counter("app_requests", "Requests").inc()
    metrics.gauge("app_sse_connections_total", "Open streams").set(3)
    metrics.counter("app_route_requests", "By route", "route").labels(route="/projects/:id").inc(2)
    metrics.histogram("app_held_seconds", "Stalls", buckets=(0.1, 1.0)).observe(0.05)
    text = metrics.text().decode()
    for line in (
        "app_requests_total 1.0",
        "app_sse_connections_total 3.0",
        'app_route_requests_total{route="/projects/:id"} 2.0',
        'app_held_seconds_bucket{le="0.1"} 1.0',
        "# TYPE app_sse_connections_total gauge",
    ):
        assert line in text.splitlines()


def test_two_towers_in_one_process_do_not_mix():
    first, second = Metrics(), Metrics()
    first.counter("app_requests", "Requests").inc()
    second.counter("app_requests", "Requests")
    assert "app_requests_total 0.0" in second.text().decode()
