"""Sites and their status as the API spells them: kW and kWh."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from csms.api.fields import Out, PreciseTime, kilo
from csms.domain.battery import MWH_PER_WH
from csms.domain.site_status import SiteStatus
from csms.services.records import Site


class CircuitOut(Out):
    """A limit within the site."""

    id: str
    parent_id: str | None
    name: str | None
    limit_kw: float
    limit_a: float | None


class BatteryOut(Out):
    """A battery; `energyKwh` is what is in it now, `flowKw` is positive while discharging."""

    id: str
    capacity_kwh: float
    power_kw: float
    energy_kwh: float
    flow_kw: float


class ChargerOut(Out):
    """A charger of the site."""

    id: str
    max_power_kw: float | None
    connectors: int | None
    circuit_id: str | None
    controlled_by: Literal["csms", "other"]


class SiteOut(Out):
    """A site."""

    id: str
    name: str
    time_zone: str
    grid_capacity_kw: float
    grid_limit_a: float | None
    circuits: list[CircuitOut]
    batteries: list[BatteryOut]
    policy: str
    chargers: list[ChargerOut]

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return a site in the API's units."""
        return cls(
            id=site.id,
            name=site.name,
            time_zone=site.time_zone,
            grid_capacity_kw=site.grid_limit_w / 1000,
            grid_limit_a=_amperes(site.grid_phase_limit_da),
            circuits=[
                CircuitOut(
                    id=circuit.id,
                    parent_id=circuit.parent_id,
                    name=circuit.name,
                    limit_kw=circuit.limit_w / 1000,
                    limit_a=_amperes(circuit.phase_limit_da),
                )
                for circuit in site.circuits
            ],
            batteries=[
                BatteryOut(
                    id=battery.id,
                    capacity_kwh=battery.capacity_wh / 1000,
                    power_kw=battery.power_w / 1000,
                    energy_kwh=battery.energy_mwh // MWH_PER_WH / 1000,
                    flow_kw=battery.flow_w / 1000,
                )
                for battery in site.batteries
            ],
            policy=site.policy,
            chargers=[
                ChargerOut(
                    id=charger.id,
                    max_power_kw=kilo(charger.max_power_w),
                    connectors=charger.connector_count,
                    circuit_id=charger.circuit_id,
                    controlled_by="other" if charger.external else "csms",
                )
                for charger in site.chargers
            ],
        )


class LoadOut(Out):
    """One load and its share; `reason` says why it gets it.

    `phases` are the grid's phases that it counts on, null where the site does not share phases.
    """

    id: str
    charger_id: str
    connector_id: int
    allocated_power_kw: float
    measured_power_kw: float | None
    limit_a: float | None
    reason: str
    phases: list[int] | None


class CircuitStatusOut(Out):
    """One circuit; the grid connection is `grid`.

    `limitA` is that of each phase, `loadA` what L1, L2, L3 carry; null where phases are not shared.
    """

    id: str
    limit_kw: float
    load_kw: float
    headroom_kw: float
    limit_a: float | None
    load_a: list[float] | None


class BatteryStatusOut(Out):
    """All batteries together; power is positive while discharging."""

    energy_kwh: float
    power_kw: float


class StatusOut(Out):
    """How a site's power is shared; `gridPowerKw` is positive for import.

    `warnings` says in plain words what is not as it should be: a silent meter, a charger that does
    not follow its limit, a clock that is wrong.
    """

    sessions: list[LoadOut]
    circuits: list[CircuitStatusOut]
    battery: BatteryStatusOut | None
    grid_power_kw: float
    decided_at: PreciseTime
    warnings: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, status: SiteStatus) -> Self:
        """Return a decision in the API's units."""
        battery = status.battery
        return cls(
            sessions=[
                LoadOut(
                    id=load.id,
                    charger_id=load.charger_id,
                    connector_id=load.connector_id,
                    allocated_power_kw=load.allocated_w / 1000,
                    measured_power_kw=kilo(load.measured_w),
                    limit_a=None if load.limit_a is None else float(load.limit_a),
                    reason=load.reason,
                    phases=None if load.phases is None else list(load.phases),
                )
                for load in status.loads
            ],
            circuits=[
                CircuitStatusOut(
                    id=circuit.id,
                    limit_kw=circuit.limit_w / 1000,
                    load_kw=circuit.load_w / 1000,
                    headroom_kw=circuit.headroom_w / 1000,
                    limit_a=_amperes(circuit.phase_limit_da),
                    load_a=None
                    if circuit.load_da is None
                    else [current / 10 for current in circuit.load_da],
                )
                for circuit in status.circuits
            ],
            battery=None
            if battery is None
            else BatteryStatusOut(
                energy_kwh=battery.energy_wh / 1000, power_kw=battery.power_w / 1000
            ),
            grid_power_kw=status.grid_power_w / 1000,
            decided_at=status.decided_at,
            warnings=list(status.warnings),
        )


def _amperes(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10
