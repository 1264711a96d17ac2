"""Energy out of registers that do not all mean the same.

Start and stop tell the lifetime register of the meter. What comes between may be that one, the
energy of the session alone (Grizzl-E), or a register whose upper half was lost or set (Zaptec).
"""

from __future__ import annotations

_ROUNDING = 10_000
"""A register that is this much below its start runs on from a moment before: nothing was taken."""

_MOST_SESSION_WH = 300_000
_OVERFLOW = 2**32
_MOST_PLAUSIBLE_WH = 2_000_000


def taken_wh(meter_start_wh: int, register_wh: int | None) -> int:
    """Return what a running session has taken by its newest reading; never negative.

    Args:
        meter_start_wh: Of the StartTransaction.
        register_wh: The newest reading; None: there was none.

    >>> taken_wh(1_000_000, 1_007_000), taken_wh(1_000_000, 999_990)  # a lifetime register
    (7000, 0)
    >>> taken_wh(1_000_000, 7_000)  # the register of the session
    7000
    >>> taken_wh(1_977_000, 4_296_944_685)  # 2^32 too high
    389
    """
    if register_wh is None or meter_start_wh < 0:  # below zero: the station did not say
        return 0
    taken = register_wh - meter_start_wh
    if taken > _MOST_PLAUSIBLE_WH and 0 <= taken - _OVERFLOW <= _MOST_PLAUSIBLE_WH:
        return taken - _OVERFLOW
    if taken >= 0:
        return taken
    if is_of_session(meter_start_wh, register_wh):
        return register_wh
    return 0


def is_of_session(meter_start_wh: int, register_wh: int) -> bool:
    """Return whether a register counts the session alone, though the start did not.

    >>> is_of_session(1_000_000, 7_000), is_of_session(1_000_000, 999_990)
    (True, False)
    """
    return (
        0 <= register_wh <= _MOST_SESSION_WH
        and register_wh < meter_start_wh // 2
        and meter_start_wh - register_wh > _ROUNDING
    )
