"""A site's decision as the JSON document that its row keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from csms.domain.ids import SiteId
from csms.domain.pieces import Pieces, collected
from csms.domain.site_status import BatteryStatus, CircuitStatus, LoadStatus, SiteStatus


def status_document(status: SiteStatus) -> Pieces[dict[str, Any]]:
    """Return a status as JSON-ready data, in pieces; site and time have columns of their own."""
    battery = status.battery
    loads = yield from collected(
        [
            load.id,
            load.charger_id,
            load.connector_id,
            load.allocated_w,
            load.measured_w,
            None if load.limit_a is None else str(load.limit_a),
            load.reason,
            load.phases,
        ]
        for load in status.loads
    )
    return {
        "version": status.version,
        "gridPowerW": status.grid_power_w,
        "warnings": list(status.warnings),
        "battery": None
        if battery is None
        else {"energyWh": battery.energy_wh, "powerW": battery.power_w},
        "circuits": [
            [c.id, c.limit_w, c.load_w, c.phase_limit_da, c.load_da] for c in status.circuits
        ],
        "loads": loads,
    }


def read_status(site_id: SiteId, decided_at: datetime, document: Mapping[str, Any]) -> SiteStatus:
    """Return the status that a document says."""
    battery = document["battery"]
    return SiteStatus(
        site_id=site_id,
        version=document["version"],
        decided_at=decided_at,
        loads=tuple(
            LoadStatus(
                id=load_id,
                charger_id=charger_id,
                connector_id=connector_id,
                allocated_w=allocated,
                measured_w=measured,
                limit_a=None if limit is None else Decimal(limit),
                reason=reason,
                phases=tuple(more[0]) if more and more[0] is not None else None,
            )
            for load_id, charger_id, connector_id, allocated, measured, limit, reason, *more in (
                document["loads"]
            )
        ),
        circuits=tuple(
            CircuitStatus(
                id=circuit_id,
                limit_w=limit,
                load_w=load,
                phase_limit_da=more[0] if more else None,
                load_da=(more[1][0], more[1][1], more[1][2]) if more and more[1] else None,
            )
            for circuit_id, limit, load, *more in document["circuits"]
        ),
        battery=None
        if battery is None
        else BatteryStatus(energy_wh=battery["energyWh"], power_w=battery["powerW"]),
        grid_power_w=document["gridPowerW"],
        warnings=tuple(document.get("warnings", ())),
    )
