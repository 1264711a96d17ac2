"""Which transaction a stop means that names none: 0, -1, 2^63-1, or no id at all (M44).

Charge points that never got an id, or have lost it, stop all the same. What else they say decides:
the same message again is a repetition; a tag, a meter and a time that fit only one of the running
transactions point at it. Where nothing decides, nothing is stopped and the message is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from csms.domain.registers import is_of_session, taken_wh
from csms.domain.transactions import (
    CLOCK_UNSET_BEFORE_YEAR,
    MISREAD_WH,
    MISSED_WH,
    MOST_ENERGY_WH,
    ROUNDING_WH,
    Finding,
    OpenTransaction,
    StopFact,
    is_foreign_tag,
)

_BEGIN = "Transaction.Begin"
_KILO = 1000

_SINCE_READING_WH = 20_000
_SINCE_START_WH = 200_000
_CLOCK_STEP = timedelta(minutes=5)


def repeated(fact: StopFact, stopped: Sequence[OpenTransaction]) -> OpenTransaction | None:
    """Return the transaction that an equal stop has ended, if one has.

    Args:
        fact: A stop without a usable id.
        stopped: Transactions of its charge point that have their stop.
    """
    return next(
        (
            row
            for row in stopped
            if row.charge_point == fact.charge_point
            and row.stopped_at == fact.stopped_at
            and row.meter_stop_wh == with_meter_that_can_be(fact, row).meter_stop_wh
        ),
        None,
    )


def meant(fact: StopFact, active: Sequence[OpenTransaction]) -> OpenTransaction | None:
    """Return the one running transaction that a stop without a usable id can mean, or None.

    Args:
        fact: The stop.
        active: Running transactions, of its charge point and of others.
    """
    own = [
        row
        for row in active
        if row.charge_point == fact.charge_point and not _stopped_before(fact, row)
    ]
    if len(own) == 1:
        only = own[0]
        # a foreign tag may stop (M42), a register may be reset; both at once is another session
        return None if _foreign_tag(fact, only) and not _meter_fits(fact, only) else only
    if fact.id_tag:
        same = [row for row in own if not _foreign_tag(fact, row)]
        own = same or own
    if len(own) > 1:
        own = [row for row in own if _meter_fits(fact, row)]
    if len(own) > 1:
        own = [row for row in own if _meter_is_near(fact, row)]
    return own[0] if len(own) == 1 else None


def with_meter_that_can_be(fact: StopFact, opened: OpenTransaction) -> StopFact:
    """Return a stop with the register at its end, where it tells none or one that cannot be.

    What is put in its place is what the session's own readings say; it stays in doubt.
    """
    told, start = fact.meter_stop_wh, opened.meter_start_wh
    register = opened.register_wh
    wh: int | None = None
    if Finding.METER_SUSPECT in fact.doubts:  # it told nothing
        wh = last_known_wh(fact, opened)
    elif told < 0 or told == 0 < start:
        if _is_measured(fact, opened):
            wh = last_known_wh(fact, opened)
    elif told == start and (taken := taken_wh(start, register)) > MISSED_WH:
        wh = start + taken  # the start's value again (Fronius Wattpilot)
    elif register is not None and register > MISREAD_WH:
        if told < start and _is_of_session(start, register, told):
            wh = start + told
        elif start <= told and abs(register - told * _KILO) <= 2 * MISREAD_WH:
            wh = start + (told - start) * _KILO
    if wh is None:
        return fact
    return replace(fact, meter_stop_wh=wh, doubts=(*fact.doubts, Finding.METER_SUSPECT))


def _is_of_session(start_wh: int, register_wh: int, told_wh: int) -> bool:
    """Return whether both the newest reading and the stop count the session alone."""
    both = is_of_session(start_wh, register_wh) and is_of_session(start_wh, told_wh)
    return both and register_wh <= told_wh + MISREAD_WH


def _is_measured(fact: StopFact, opened: OpenTransaction) -> bool:
    """Return whether there is a reading of the session to go by."""
    return opened.register_wh is not None or any(r.energy_wh is not None for r in fact.readings)


def last_known_wh(fact: StopFact, opened: OpenTransaction) -> int:
    """Return what the register is best taken for at the end when the stop does not say."""
    told = [r for r in fact.readings if r.energy_wh is not None and r.context != _BEGIN]
    newest = [r.energy_wh for r in sorted(told, key=lambda r: r.measured_at)][-1:]
    known = [wh for wh in (*newest, opened.register_wh, opened.meter_start_wh) if wh is not None]
    return max(known[0], opened.meter_start_wh)


def _foreign_tag(fact: StopFact, row: OpenTransaction) -> bool:
    return is_foreign_tag(fact.id_tag, row.id_tag)


def _stopped_before(fact: StopFact, row: OpenTransaction) -> bool:
    """Return whether the stop is older than the start, by a clock that was set at both."""
    if min(fact.stopped_at.year, row.started_at.year) < CLOCK_UNSET_BEFORE_YEAR:
        return False
    return fact.stopped_at < row.started_at - _CLOCK_STEP


def _meter_fits(fact: StopFact, row: OpenTransaction) -> bool:
    begun = _begun_wh(fact)
    if begun is not None and begun != row.meter_start_wh:
        return False
    taken_wh = fact.meter_stop_wh - row.meter_start_wh
    return -ROUNDING_WH <= taken_wh <= MOST_ENERGY_WH


def _meter_is_near(fact: StopFact, row: OpenTransaction) -> bool:
    if row.register_wh is None:
        return fact.meter_stop_wh - row.meter_start_wh <= _SINCE_START_WH
    return -ROUNDING_WH <= fact.meter_stop_wh - row.register_wh <= _SINCE_READING_WH


def _begun_wh(fact: StopFact) -> int | None:
    """Return the register at the beginning, where the stop's own readings tell it."""
    return next(
        (r.energy_wh for r in fact.readings if r.context == _BEGIN),
        None,
    )
