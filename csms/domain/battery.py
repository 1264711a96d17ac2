"""Site batteries: they help when the grid connection is short, and are filled from what it spares.

They are never filled beyond the energy that they started with.
Pure: the caller brings the time that has passed. Power in W, positive = discharging; energy in mWh
(thousandths of a Wh), because a site is accounted each second and whole Wh would round the energy
away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType

BatteryId = NewType("BatteryId", str)

MWH_PER_WH = 1000
HORIZON = timedelta(seconds=10)
"""How long a decision may have to stand until the next one is in force."""

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery behind the grid connection.

    Attributes:
        capacity_wh: The energy it starts with, and is charged back to.
        power_w: Most that it gives and most that it takes.
    """

    id: BatteryId
    capacity_wh: int
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState:
    """Energy in a battery now, in mWh, from 0 to its capacity."""

    energy_mwh: int

    @property
    def energy_wh(self) -> int:
        """Whole Wh in it."""
        return self.energy_mwh // MWH_PER_WH


def full(battery: Battery) -> BatteryState:
    """Return the state of a battery that holds its initial energy."""
    return BatteryState(energy_mwh=battery.capacity_wh * MWH_PER_WH)


def advance(battery: Battery, state: BatteryState, power_w: int, dt: timedelta) -> BatteryState:
    """Return the state after `dt` at a constant power; never below 0 nor above the capacity.

    The odd part of a mWh is rounded down, that is against us: a discharge never counts for less.

    Args:
        battery: Gives the capacity.
        state: Before.
        power_w: Positive empties it, negative fills it.
        dt: 0 or more.

    Raises:
        ValueError: Time runs backwards.
    """
    if dt < timedelta(0):
        msg = f"a battery cannot be taken back in time ({dt})"
        raise ValueError(msg)
    change = -power_w * MWH_PER_WH * (dt // _MICROSECOND) // (_HOUR // _MICROSECOND)
    energy = min(battery.capacity_wh * MWH_PER_WH, max(0, state.energy_mwh + change))
    return BatteryState(energy_mwh=energy)


def dischargeable_w(battery: Battery, state: BatteryState, horizon: timedelta = HORIZON) -> int:
    """Return the power it can give without fail until the horizon.

    Near its end it gives less and less, so it is empty only after the loads were taken back; a
    battery that stopped in the middle of a decision would leave its share to the grid connection.
    """
    return min(battery.power_w, _power_over(state.energy_mwh, horizon))


def chargeable_w(battery: Battery, state: BatteryState, horizon: timedelta = HORIZON) -> int:
    """Return the power it can take until the horizon without passing its initial energy."""
    missing = battery.capacity_wh * MWH_PER_WH - state.energy_mwh
    return min(battery.power_w, _power_over(max(0, missing), horizon))


def state_of(battery: Battery, states: Mapping[BatteryId, BatteryState]) -> BatteryState:
    """Return the state of one battery; one without a state has not been used and is full."""
    return states.get(battery.id) or full(battery)


def flows(
    batteries: Sequence[Battery],
    states: Mapping[BatteryId, BatteryState],
    *,
    shortage_w: int,
    horizon: timedelta = HORIZON,
) -> dict[BatteryId, int]:
    """Return the power of each battery: as much as is needed, and as much as can be.

    The batteries are used in the order given, so a second one rests until the first is not enough.

    Args:
        batteries: Of one site.
        states: A battery that is not in it counts as full.
        shortage_w: Consumption beyond the grid limit, which they give; negative is what the grid
            connection can spare, which they may take.
        horizon: Until when the answer must hold.
    """
    left = shortage_w
    powers = {}
    for battery in batteries:
        state = state_of(battery, states)
        if left >= 0:
            power = min(left, dischargeable_w(battery, state, horizon))
        else:
            power = -min(-left, chargeable_w(battery, state, horizon))
        powers[battery.id] = power
        left -= power
    return powers


def _power_over(energy_mwh: int, time: timedelta) -> int:
    """Return the whole W that use up an energy in a time, rounded down."""
    return energy_mwh * (_HOUR // _MICROSECOND) // (MWH_PER_WH * (time // _MICROSECOND))
