"""Hints: that something has changed, never what. A lost one costs latency, not correctness."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.ids import ChargePointKey, SiteId, TransactionId


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """A load, a limit or a measurement of this site has changed: allocate again."""

    site_id: SiteId


@dataclass(frozen=True, slots=True)
class LimitsDesired:
    """A charge point of this site has a new desired limit: reconcile."""

    site_id: SiteId


@dataclass(frozen=True, slots=True)
class StationChanged:
    """A charge point's row or connection has changed."""

    charge_point: ChargePointKey


@dataclass(frozen=True, slots=True)
class StationConnected:
    """A charge point has (re)connected here and may be called."""

    charge_point: ChargePointKey


@dataclass(frozen=True, slots=True)
class DialectChanged:
    """How this charge point wants to be spoken to has changed; None: any may be concerned."""

    charge_point: ChargePointKey | None


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """Transactions have started, been metered or stopped: one hint for all of a commit."""

    transaction_ids: frozenset[TransactionId]


Event = (
    SiteChanged
    | LimitsDesired
    | StationChanged
    | StationConnected
    | DialectChanged
    | SessionsChanged
)
