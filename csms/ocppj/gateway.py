"""Calls to charge points whose sockets are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.metrics import METRICS
from csms.ocppj.registry import Registry
from csms.services.ports.gateway import Answer


class LocalGateway:
    """Implements `csms.services.ports.gateway.Gateway` for the sockets of this process.

    Concurrency: any number of tasks may call at once; calls to one station queue (R22), stations
    never wait for each other.
    """

    def __init__(self, registry: Registry, *, call_timeout_s: float) -> None:
        """Serve the sessions of `registry`; `call_timeout_s` is for calls that name none."""
        self._registry = registry
        self._call_timeout_s = call_timeout_s

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send one call, wait for its answer and return it; see the port."""
        session = self._registry.get(charge_point)
        if session is None:
            METRICS.calls["station_offline"] += 1
            raise CallFailed("station_offline", "the station is not connected")
        try:
            answer = await session.call(
                action,
                payload,
                message_id=message_id,
                timeout_s=self._call_timeout_s if timeout_s is None else timeout_s,
            )
        except CallFailed as error:
            METRICS.calls[error.code] += 1
            raise
        METRICS.calls["answered" if answer.error_code is None else "callError"] += 1
        METRICS.call_seconds.observe((answer.answered_at - answer.sent_at).total_seconds())
        return answer

    def is_online(self, charge_point: ChargePointKey) -> bool:
        """Return whether this charge point is connected."""
        return self._registry.get(charge_point) is not None

    def online(self) -> int:
        """Return how many charge points are connected here."""
        return len(self._registry)
