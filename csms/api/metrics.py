"""`/metrics` for Prometheus: the counts of this process and a few numbers of the whole system."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from itertools import accumulate
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from csms.api.authentication import Authentication
from csms.metrics import METRICS, Histogram, Metrics
from csms.services.access import Role
from csms.services.overview import Health, Overview

_FRAME_TYPES = {2: "call", 3: "callResult", 4: "callError", 0: "other"}
_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


class MetricsPage:
    """The page. Open to programs of this machine, else for viewers."""

    def __init__(
        self,
        overview: Overview,
        authentication: Authentication,
        version: str,
        metrics: Metrics = METRICS,
    ) -> None:
        self._overview = overview
        self._authentication = authentication
        self._version = version
        self._metrics = metrics

    def add_to(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the route and return it."""
        return [router.add_get("/metrics", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        if not is_of_this_machine(request):
            await self._authentication.require(request, Role.VIEWER)
        health = await self._overview.health()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self._metrics, health, self._version))
        ProcessCollector(registry=registry)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})


def is_of_this_machine(request: web.Request) -> bool:
    """Return whether a program of this machine asks, neither a proxy nor a page in a browser.

    A page may point its own name at 127.0.0.1 (DNS rebinding): so the name must be ours too.
    """
    if any(name in request.headers for name in _OF_PROXIES) or "Origin" in request.headers:
        return False
    return _is_loopback(request.remote or "") and _is_loopback(
        urlsplit(f"//{request.host}").hostname or ""
    )


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class _Collector:
    """Turns the counts into families of Prometheus."""

    def __init__(self, metrics: Metrics, health: Health, version: str) -> None:
        self._m = metrics
        self._health = health
        self._version = version

    def collect(self) -> Iterator[Metric]:
        m, health = self._m, self._health
        yield _info("csms_build", "Version of the program.", {"version": self._version})
        frames = CounterMetricFamily("csms_frames", "OCPP frames.", labels=("direction", "type"))
        for direction, counts in (("in", m.frames_in), ("out", m.frames_out)):
            for number, name in _FRAME_TYPES.items():
                frames.add_metric((direction, name), counts[number])
        yield frames
        yield _by("csms_repairs", "Repairs that frames and handshakes needed.", "repair", m.repairs)
        yield _by(
            "csms_handshakes_refused", "Charge points turned away.", "reason", m.handshakes_refused
        )
        yield CounterMetricFamily(
            "csms_connections_opened", "Charge points let in.", m.connections_opened
        )
        yield GaugeMetricFamily("csms_connections", "Charge points connected.", health.online)
        yield _gauge("csms_stations", "Stations in the database.", health.stations)
        yield _gauge("csms_sessions_active", "Sessions that run.", health.active_sessions)
        yield _histogram("csms_intake_batch_facts", "Facts a commit.", m.batch_facts)
        yield _histogram("csms_intake_commit_seconds", "Time of a commit.", m.commit_seconds)
        yield GaugeMetricFamily("csms_intake_facts_waiting", "Facts that wait.", m.facts_waiting)
        yield CounterMetricFamily(
            "csms_intake_facts_refused", "Facts that the database refused.", m.facts_refused
        )
        yield CounterMetricFamily(
            "csms_messages_quarantined", "Messages refused and kept.", m.messages_quarantined
        )
        yield _gauge("csms_quarantine_open", "Refused messages to be settled.", health.quarantined)
        yield CounterMetricFamily(
            "csms_message_log_lost", "Frames missing in the message log.", m.log_frames_lost
        )
        yield _by("csms_calls", "Calls to charge points that have ended.", "outcome", m.calls)
        yield _histogram("csms_call_seconds", "From sending to the answer.", m.call_seconds)
        yield CounterMetricFamily(
            "csms_allocator_steps", "Decisions about a site.", m.allocator_steps
        )
        yield _histogram("csms_allocator_step_seconds", "Time of a step.", m.allocator_seconds)
        yield GaugeMetricFamily(
            "csms_limits_in_flight", "Limits that are sent and not settled.", m.limits_in_flight
        )
        yield _by("csms_limits", "Limits sent, by what came back.", "status", m.limits)
        yield GaugeMetricFamily(
            "csms_database_up", "Whether the database answers.", float(m.database_up)
        )
        yield CounterMetricFamily(
            "csms_database_away_seconds", "Time without a database.", m.database_away_seconds
        )
        yield _histogram(
            "csms_event_loop_lag_seconds", "How late the event loop was.", m.loop_lag_seconds
        )


def _by(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for key, count in sorted(counts.items()):
        family.add_metric((key,), count)
    return family


def _gauge(name: str, text: str, value: int | None) -> Metric:
    """Return a gauge; without a value (the database is away) it has no sample."""
    family = GaugeMetricFamily(name, text, labels=())
    if value is not None:
        family.add_metric((), value)
    return family


def _info(name: str, text: str, labels: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(f"{name}_info", text, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), 1)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.total)
