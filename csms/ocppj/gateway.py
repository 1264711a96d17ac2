"""Calls to charge points whose sockets are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.clock import Clock, SystemClock
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.metrics import METRICS
from csms.ocppj.registry import Registry
from csms.ocppj.turns import FIRST, IN_LINE, Line
from csms.services.ports.dialects import Paces
from csms.services.ports.gateway import Answer, Gateway

LIMITS_PATIENCE_S = 600.0
"""How long a limit waits for its turn; the control loop counts it as open meanwhile."""


class LocalGateway:
    """Implements `csms.services.ports.gateway.Gateway` for the sockets of this process.

    Concurrency: any number of tasks may call at once; calls to one station queue (R22), stations
    never wait for each other.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        call_timeout_s: float,
        paces: Paces | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Serve the sessions of `registry`.

        Args:
            registry: Live sessions.
            call_timeout_s: For calls that name none.
            paces: Which charge points want their calls spaced; None: nobody does.
            clock: The machine's when None.
        """
        self._registry = registry
        self._call_timeout_s = call_timeout_s
        self._paces = paces
        self._clock = clock or SystemClock()
        self._lines: dict[ChargePointKey, Line] = {}

    @property
    def limits(self) -> Gateway:
        """The way for limits: first in the line where calls are spaced, and patient there."""
        return _LimitGateway(self)

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
        rank: int = IN_LINE,
        patience_s: float | None = None,
    ) -> Answer:
        """Send one call, wait for its answer and return it; see the port.

        Where the charge point's dialect names a spacing or a quiet time, the call waits for its
        turn, `patience_s` at most (None: as long as for its answer), else it fails with `too_early`
        and was not sent.
        """
        if timeout_s is None:
            timeout_s = self._call_timeout_s
        try:
            session = await self._registry.connected(charge_point)
            if session is None:
                raise CallFailed("station_offline", "the station is not connected")
            if self._paces is None or not await self._paces.of(charge_point):
                answer = await session.call(
                    action,
                    payload,
                    message_id=message_id,
                    timeout_s=timeout_s,
                    first=rank == FIRST,
                )
            else:
                line = self._lines.setdefault(charge_point, Line(self._clock))
                async with line.turn(
                    self._paces,
                    charge_point,
                    rank=rank,
                    patience_s=timeout_s if patience_s is None else patience_s,
                    is_alive=lambda: self._registry.get(charge_point) is session,
                ):
                    answer = await session.call(
                        action, payload, message_id=message_id, timeout_s=timeout_s
                    )
        except CallFailed as error:
            METRICS.calls[error.code] += 1
            raise
        METRICS.calls["answered" if answer.error_code is None else "callError"] += 1
        METRICS.call_seconds.observe((answer.answered_at - answer.sent_at).total_seconds())
        return answer

    def is_online(self, charge_point: ChargePointKey) -> bool:
        """Return whether this charge point is connected."""
        return self._registry.is_connected(charge_point)

    def online(self) -> int:
        """Return how many charge points are connected here."""
        return len(self._registry)

    def lost(self, charge_point: ChargePointKey) -> None:
        """Note that a connection has ended: calls that wait for their turn need not wait on."""
        line = self._lines.get(charge_point)
        if line is not None:
            line.look_again()


class _LimitGateway:
    """See `LocalGateway.limits`."""

    def __init__(self, gateway: LocalGateway) -> None:
        self._gateway = gateway

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        """See the port."""
        return await self._gateway.call(
            charge_point,
            action,
            payload,
            message_id=message_id,
            timeout_s=timeout_s,
            rank=FIRST,
            patience_s=LIMITS_PATIENCE_S,
        )

    def is_online(self, charge_point: ChargePointKey) -> bool:
        """See the port."""
        return self._gateway.is_online(charge_point)

    def online(self) -> int:
        """See the port."""
        return self._gateway.online()
