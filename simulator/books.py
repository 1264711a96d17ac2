"""The two books that are compared: a ledger's transactions, and a central system's sessions.

Both are read from decoded JSON here; how they differ stands in :mod:`simulator.verify`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.clock import parse_iso
from simulator.errors import VerifyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transaction of the ledger; energies in Wh, stop fields None while it runs."""

    charge_point: str
    connector_id: int
    id_tag: str
    transaction_id: int | None
    started_at: datetime
    meter_start_wh: int
    stopped_at: datetime | None
    meter_stop_wh: int | None
    reason: str | None
    start_acknowledged: bool
    stop_acknowledged: bool
    meter_values_acknowledged: int

    @property
    def energy_wh(self) -> int | None:
        """What was delivered, None while it runs."""
        return None if self.meter_stop_wh is None else self.meter_stop_wh - self.meter_start_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """One session as the central system tells it."""

    transaction_id: int
    charge_point: str
    connector_id: int
    id_tag: str
    is_active: bool
    started_at: datetime
    meter_start_wh: int
    stopped_at: datetime | None
    meter_stop_wh: int | None
    energy_wh: int
    reason: str | None


def entries_of(content: Any) -> list[Entry]:
    """Return the transactions of a decoded ledger: a list, or a report with one as ``ledger``.

    Raises:
        VerifyError: it is neither; the text names the place.
    """
    records = content.get("ledger") if isinstance(content, dict) else content
    if not isinstance(records, list):
        msg = "this is no ledger: neither a list nor a report with one"
        raise VerifyError(msg)
    found = []
    for number, item in enumerate(records):
        try:
            found.append(_entry(item))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"transaction {number} of the ledger: {type(error).__name__} {error}"
            raise VerifyError(msg) from error
    return found


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(
        charge_point=str(item["chargePoint"]),
        connector_id=int(item["connectorId"]),
        id_tag=str(item["idTag"]),
        transaction_id=item["transactionId"],
        started_at=parse_iso(item["startTimestamp"]),
        meter_start_wh=int(item["meterStart"]),
        stopped_at=parse_iso(item["stopTimestamp"]) if item["stopTimestamp"] else None,
        meter_stop_wh=item["meterStop"],
        reason=item["reason"],
        start_acknowledged=bool(item["startAcknowledged"]),
        stop_acknowledged=bool(item["stopAcknowledged"]),
        meter_values_acknowledged=int(item.get("meterValuesAcknowledged", 0)),
    )


def session_of(item: Mapping[str, Any]) -> StoredSession:
    """Return a session of the operator API (``GET /api/sessions``).

    Raises:
        VerifyError: it is not spelled like one.
    """
    try:
        return StoredSession(
            transaction_id=int(item["transactionId"]),
            charge_point=item["stationId"],
            connector_id=int(item["connectorId"]),
            id_tag=item["idTag"],
            is_active=item["status"] == "active",
            started_at=parse_iso(item["startedAt"]),
            meter_start_wh=int(item["meterStartWh"]),
            stopped_at=parse_iso(item["stoppedAt"]) if item["stoppedAt"] else None,
            meter_stop_wh=item["meterStopWh"],
            energy_wh=round(item["energyKwh"] * 1000),
            reason=item["stopReason"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"not a session as this simulator knows them: {type(error).__name__} {error}"
        raise VerifyError(msg) from error
