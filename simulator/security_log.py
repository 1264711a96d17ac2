"""Security events: what a charge point notices, keeps in its log and tells (whitepaper A04, 3.6).

Events wait here until they are told: in order, one at a time, over any number of reconnects. A
central system that answers with CALLERROR does not get the same one again.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocpp.v16 import call

from simulator.clock import Clock, iso, parse_iso
from simulator.errors import CallRefused
from simulator.transactions import Send

MAX_WAITING = 500
MAX_KEPT = 500
MAX_TECH_INFO = 255

EVENTS = frozenset(
    {
        "FirmwareUpdated",
        "FailedToAuthenticateAtCentralSystem",
        "CentralSystemFailedToAuthenticate",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "ReconfigurationOfSecurityParameters",
        "MemoryExhaustion",
        "InvalidMessages",
        "AttemptedReplayAttacks",
        "TamperDetectionActivated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
    }
)
"""All that the whitepaper names."""

TOLD_ALWAYS = frozenset(
    {
        "FirmwareUpdated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "TamperDetectionActivated",
        "SecurityLogWasCleared",
    }
)
"""Told by every charge point; the others by those that tell all events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """One event; ``tech_info`` may be empty."""

    type: str
    at: datetime
    tech_info: str = ""


class SecurityLog:
    """The security events of one charge point.

    Args:
        clock: stamps them.
        tells_all: whether also events are told that no message of the security extension caused.
    """

    def __init__(self, clock: Clock, *, tells_all: Callable[[], bool]) -> None:
        self._clock = clock
        self._tells_all = tells_all
        self.kept: deque[SecurityEvent] = deque(maxlen=MAX_KEPT)
        self._waiting: deque[SecurityEvent] = deque(maxlen=MAX_WAITING)
        self._filled = asyncio.Event()
        self.revision = 0

    def memo(self) -> dict[str, Any]:
        """Return the log and what waits to be told, JSON-ready; ``revision`` counts changes."""
        return {
            name: [[one.type, iso(one.at), one.tech_info] for one in events]
            for name, events in (("kept", self.kept), ("waiting", self._waiting))
        }

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Have the log, and what is still to be told, that ``memo`` holds."""
        for name, events in (("kept", self.kept), ("waiting", self._waiting)):
            for kind, at, tech_info in memo[name]:
                events.append(SecurityEvent(type=kind, at=parse_iso(at), tech_info=tech_info))

    def __len__(self) -> int:
        """Return how many wait to be told."""
        return len(self._waiting)

    def record(self, kind: str, tech_info: str = "") -> None:
        """Keep an event, and have it told if it is one to tell.

        Raises:
            ValueError: the whitepaper knows no such event.
        """
        if kind not in EVENTS:
            msg = f"there is no security event {kind}"
            raise ValueError(msg)
        event = SecurityEvent(type=kind, at=self._clock.now(), tech_info=tech_info[:MAX_TECH_INFO])
        self.kept.append(event)
        self.revision += 1
        if kind in TOLD_ALWAYS or self._tells_all():
            self._waiting.append(event)
            self._filled.set()

    def clear(self) -> None:
        """Empty the log, which is an event itself."""
        self.kept.clear()
        self.record("SecurityLogWasCleared")

    async def deliver(self, send: Send) -> None:
        """Tell what waits, and what comes, until cancelled.

        Raises:
            NoAnswer: from ``send``; the event still waits.
        """
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._clock.wait(self._filled, None)
            event = self._waiting[0]
            payload = call.SecurityEventNotification(
                type=event.type, timestamp=iso(event.at), tech_info=event.tech_info or None
            )
            with contextlib.suppress(CallRefused):
                await send(payload)
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
                self.revision += 1
