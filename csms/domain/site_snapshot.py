"""What one step of a site's control loop looks at: the site, its chargers, sessions and limits.

Data only; `csms.domain.site_control` decides over it. A charge point has two kinds of limits: the
*floor* (a TxDefaultProfile on connector 0) and a TxProfile for each running transaction; what is
known of one of them is a `LimitRow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from csms.domain.battery import BatteryId
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.sites import Charger, ChargerId, Site

REFUSALS_BEFORE_UNMANAGED = 3
RETRY_REFUSED_AFTER = timedelta(seconds=5)
RETRY_UNMANAGED_AFTER = timedelta(minutes=5)
HARD_REFUSALS = frozenset({"NotSupported", "callError"})
"""Answers that will be the same next time; a rejection or a time-out may not be."""


class Request(NamedTuple):
    """Names one sending of a limit; `transaction_id` None is the floor."""

    key: ChargePointKey
    connector_id: int
    transaction_id: TransactionId | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """What is known of one profile of one charge point: wished, sent, acknowledged, refused."""

    transaction_id: TransactionId | None = None
    desired_w: int | None = None
    desired_version: int = 0
    acknowledged_w: int | None = None
    in_flight_w: int | None = None
    in_flight_version: int | None = None
    earlier_w: frozenset[int] = frozenset()
    doubtful: bool = False
    may_be_unlimited: bool = False
    refused_w: int | None = None
    refused_status: str | None = None
    refused_at: datetime | None = None
    refusals: int = 0

    def gives_up(self, now: datetime) -> bool:
        """Return whether the charge point does not take limits, until it is asked again."""
        enough = self.refused_status in HARD_REFUSALS or self.refusals >= REFUSALS_BEFORE_UNMANAGED
        return bool(self.refusals) and enough and not self._passed(RETRY_UNMANAGED_AFTER, now)

    def pauses(self, now: datetime) -> bool:
        """Return whether a refused limit has to wait before it is tried again."""
        return bool(self.refusals) and not self._passed(RETRY_REFUSED_AFTER * self.refusals, now)

    def _passed(self, pause: timedelta, now: datetime) -> bool:
        return self.refused_at is None or now - self.refused_at >= pause


NOTHING_KNOWN = LimitRow()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerState:
    """A charger of the site and its charge point.

    Attributes:
        key: None when another system controls it.
        reachable: Connected and accepted, so that limits can be sent.
        settling: Has just connected and is told nothing yet; it will be in a moment.
        known: Has ever been connected; before that it is a plan and draws nothing.
        floor: Of its TxDefaultProfile.
    """

    charger: Charger
    key: ChargePointKey | None
    reachable: bool = True
    settling: bool = False
    known: bool = True
    floor: LimitRow = NOTHING_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """A running transaction on a charge point of the site.

    Attributes:
        limit: Of its connector; another transaction's when that was there before and this one has
            none yet.
    """

    transaction_id: TransactionId
    charger_id: ChargerId
    connector_id: int
    measured_w: int | None
    limit: LimitRow

    @property
    def own_limit(self) -> LimitRow:
        """What is known of this transaction's own limit."""
        return self.limit if self.limit.transaction_id == self.transaction_id else NOTHING_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedLoadState:
    """A load on a charger that another system controls."""

    id: int
    charger_id: ChargerId
    connector_id: int
    vehicle_max_w: int
    measured_w: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRow:
    """A battery's state when its flow was last set."""

    energy_mwh: int
    flow_w: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSnapshot:
    """All that one step looks at, read in one transaction."""

    site: Site
    chargers: tuple[ChargerState, ...]
    sessions: tuple[SessionState, ...]
    managed: tuple[ManagedLoadState, ...] = ()
    batteries: Mapping[BatteryId, BatteryRow] = field(default_factory=dict)
    version: int = 0

    def open_requests(self) -> Iterator[Request]:
        """Yield the requests that are stored as open."""
        keys = {}
        for state in self.chargers:
            if state.key is None:
                continue
            keys[state.charger.id] = state.key
            if state.floor.in_flight_version is not None:
                yield Request(state.key, 0, None, state.floor.in_flight_version)
        for session in self.sessions:
            version = session.own_limit.in_flight_version
            if version is not None:
                yield Request(
                    keys[session.charger_id], session.connector_id, session.transaction_id, version
                )
