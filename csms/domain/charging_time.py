"""When a vehicle will be full: an estimate from its state of charge and what it has taken. Pure.

The vehicle tells its state of charge in whole percents and never its battery's size, so the size
comes from the energy that went in while the state of charge rose. Until it has risen by some
percents there is no estimate: a wrong one is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_LEAST_RISE_PERMILLE = 30
_LEAST_POWER_W = 100
_LONGEST = timedelta(days=2)
_DC_TARGET_PERMILLE = 800
_FULL_PERMILLE = 1000
_AC_KNEE_PERMILLE = 950
_DC_KNEE_PERMILLE = 800
_TAPER = 2  # above the knee it takes about twice as long
_SMALLEST_BATTERY_WH, _LARGEST_BATTERY_WH = 200, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is known of a session's battery.

    Attributes:
        first_permille: State of charge at the first reading that named it.
        first_wh: What the session had taken by then.
    """

    first_permille: int
    first_wh: int
    now_permille: int
    now_wh: int
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """When the vehicle will have reached a state of charge."""

    remaining: timedelta
    target_percent: int


def estimate(progress: Progress, *, dc: bool) -> Estimate | None:
    """Return when the battery will be full (DC: at 80 %, where fast charging ends), or None.

    The power is taken to stay as it is up to a knee, and to be half of it on average above.

    >>> at_7_kw = Progress(first_permille=200, first_wh=0, now_permille=300, now_wh=6000,
    ...                    power_w=7200)
    >>> estimate(at_7_kw, dc=False)
    Estimate(remaining=datetime.timedelta(seconds=22500), target_percent=100)
    """
    rise = progress.now_permille - progress.first_permille
    taken = progress.now_wh - progress.first_wh
    if rise < _LEAST_RISE_PERMILLE or taken <= 0 or progress.power_w < _LEAST_POWER_W:
        return None
    battery_wh = taken * 1000 / rise
    if not _SMALLEST_BATTERY_WH <= battery_wh <= _LARGEST_BATTERY_WH:
        return None
    target = _FULL_PERMILLE
    if dc and progress.now_permille < _DC_TARGET_PERMILLE:
        target = _DC_TARGET_PERMILLE
    if progress.now_permille >= target:
        return None
    knee = _DC_KNEE_PERMILLE if dc else _AC_KNEE_PERMILLE
    below = max(0, min(target, knee) - progress.now_permille)
    above = max(0, target - max(knee, progress.now_permille))
    energy_wh = battery_wh * (below + _TAPER * above) / 1000
    remaining = timedelta(seconds=round(energy_wh / progress.power_w * 3600))
    if remaining > _LONGEST:
        return None
    return Estimate(remaining=remaining, target_percent=target // 10)
