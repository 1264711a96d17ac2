"""What an operator may set for a site, and limits from outside that come and go.

Owns the defaults, and what a site's supply is at an instant: the least of the connection and of all
limits that hold, the building's load taken off. What cannot be known counts at its configured
maximum, and is said in plain words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

METER_LOST_AFTER = timedelta(seconds=60)
CHARGER_METER_FRESH = timedelta(minutes=2)
"""How long a charger's reading tells what it draws: older ones are taken for the building's."""

BUILDING_STEP_W = 500
BUILDING_FALLS_AFTER = CHARGER_METER_FRESH + timedelta(seconds=30)
"""Longer than a reading tells: a car that has just stopped is no smaller building."""

LEAD = timedelta(seconds=90)
"""How long before a limit starts the decreases for it begin, so that it holds when it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """The rules of a site; each field has a clear default.

    Attributes:
        fallback_a: Current a phase that every charger falls back to by itself, when nobody tells it
            otherwise. None: its maximum where all maxima fit together, else 0.
        lease_s: How long a limit holds without word from us before the charger falls back; 0: until
            the session ends.
        building_max_w: Most that may be drawn behind the connection beside the chargers. It counts
            while no meter tells the real load.
        daily_writes: Limits that a charger may be sent a day before raises wait for the next one:
            its memory wears out. Decreases and renewals go out all the same.
        reclaim: Whether power that a car does not take is given to others.
        steady: Whether a limit near its fair share stays: fewer changes, less exact.
        wake_up: Whether a car that sleeps through the end of its pause is woken, in the end by a
            new transaction.
    """

    fallback_a: Decimal | None = None
    lease_s: int = 900
    building_max_w: int = 0
    daily_writes: int = 1000
    reclaim: bool = True
    wake_up: bool = True
    steady: bool = False


DEFAULT_RULES = SiteRules()


def read_rules(document: Mapping[str, Any]) -> SiteRules:
    """Return the rules of a JSON object; what is missing has its default.

    >>> read_rules({"fallback_a": "6", "lease_s": 0}).fallback_a
    Decimal('6')
    """
    known = {each.name for each in fields(SiteRules)}
    values = {name: value for name, value in document.items() if name in known}
    if values.get("fallback_a") is not None:
        values["fallback_a"] = Decimal(str(values["fallback_a"]))
    return SiteRules(**values)


def written_rules(rules: SiteRules) -> dict[str, Any]:
    """Return rules as a JSON object, without what has its default.

    >>> written_rules(SiteRules(fallback_a=Decimal(6)))
    {'fallback_a': '6'}
    """
    values = {each.name: getattr(rules, each.name) for each in fields(SiteRules)}
    changed = {
        name: value for name, value in values.items() if value != getattr(DEFAULT_RULES, name)
    }
    if "fallback_a" in changed:
        changed["fallback_a"] = str(changed["fallback_a"])
    return changed


class LimitScope(StrEnum):
    """What a limit from outside is about: all that the site draws, or its chargers alone."""

    SITE = "site"
    CHARGING = "charging"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLimit:
    """A limit with a start and an end, such as a grid operator's.

    Attributes:
        circuit_id: None: of the grid connection.
        ends_at: None: until it is removed.
    """

    limit_w: int
    starts_at: datetime
    ends_at: datetime | None = None
    scope: LimitScope = LimitScope.SITE
    circuit_id: str | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether it has to be kept, the lead before its start included."""
        return now >= self.starts_at - LEAD and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """The newest word of a site's meter, and what is kept free by it.

    Attributes:
        power_w: Through the grid connection, positive = import.
        building_w: Kept free for what is not a charger: rises at once, falls when it was not needed
            for a while, so that a kettle does not move all limits.
        building_at: When the load last came near it.
        recent_w: The most that was needed since; it falls to that.
        at: When we heard it.
        solar_w: What solar panels give, where somebody tells; for people, nothing is shared by it.
    """

    power_w: int
    building_w: int
    building_at: datetime
    at: datetime
    recent_w: int = 0
    solar_w: int | None = None

    def counts(self, now: datetime) -> bool:
        """Return whether it is neither too old nor ahead of our clock."""
        return timedelta(0) <= now - self.at <= METER_LOST_AFTER


def heard(
    before: MeterReading | None,
    power_w: int,
    chargers_w: int,
    now: datetime,
    solar_w: int | None = None,
    *,
    may_draw_w: int | None = None,
) -> MeterReading:
    """Return what a new word of the meter makes of the one before.

    Cars that were just told more draw more before their own meters have told so. What they may draw
    by now is no building: taken for one, it would stop them again, and again after each try.

    Args:
        before: None: the first.
        power_w: Through the grid connection, positive = import.
        chargers_w: What all chargers draw, as far as their meters have told.
        now: When we heard it.
        solar_w: What solar panels give; None: nobody has told.
        may_draw_w: What they may draw by now, where they were told more since; None: no more.
    """
    needed = _stepped(power_w - chargers_w)
    kept = needed
    if before is not None and needed > before.building_w and before.counts(now):
        surely = _stepped(power_w - max(chargers_w, may_draw_w or 0))
        kept = max(before.building_w, surely)
    elif before is not None and needed < before.building_w:
        recent = max(needed, before.recent_w)
        # later than now only where our clock was set back
        if timedelta(0) <= now - before.building_at < BUILDING_FALLS_AFTER:
            return replace(before, power_w=power_w, recent_w=recent, at=now, solar_w=solar_w)
        kept = recent
    return MeterReading(power_w=power_w, building_w=kept, building_at=now, at=now, solar_w=solar_w)


def _stepped(load_w: int) -> int:
    return -(-max(0, load_w) // BUILDING_STEP_W) * BUILDING_STEP_W


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What a site has at an instant.

    Attributes:
        grid_limit_w: Of the connection, with all that holds.
        circuits_w: Of the circuits that a limit from outside narrows.
        building_w: Kept free for what is not a charger.
        warnings: What is not as it should be, for people.
    """

    grid_limit_w: int
    building_w: int
    circuits_w: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def supply(
    *,
    grid_limit_w: int,
    rules: SiteRules,
    limits: Iterable[OutsideLimit],
    meter: MeterReading | None,
    now: datetime,
) -> Supply:
    """Return what a site has now.

    The building's load is what its meter tells beside the chargers; without a word for 60 s, or
    where a clock has jumped, its configured maximum counts (the whole connection where none is).

    Args:
        grid_limit_w: Of the connection as it was built.
        rules: For the building's maximum.
        limits: Those from outside, also of other times.
        meter: None: there is none.
        now: Of the step.
    """
    warnings = []
    building = rules.building_max_w
    if meter is not None:
        age = now - meter.at
        if meter.counts(now):
            building = meter.building_w
            if rules.building_max_w and building > rules.building_max_w:
                warnings.append(
                    f"the building draws {building / 1000:g} kW, more than the "
                    f"{rules.building_max_w / 1000:g} kW that are configured"
                )
        else:
            building = rules.building_max_w or grid_limit_w
            why = (
                f"has been silent for {int(age.total_seconds())} s"
                if age > METER_LOST_AFTER
                else "is ahead of our clock"
            )
            warnings.append(f"the site meter {why}: the building counts for {building / 1000:g} kW")
    grid = grid_limit_w
    circuits: dict[str, int] = {}
    for limit in limits:
        if not limit.holds(now):
            continue
        most = limit.limit_w
        if limit.circuit_id is not None:
            circuits[limit.circuit_id] = min(most, circuits.get(limit.circuit_id, most))
        elif limit.scope is LimitScope.CHARGING:
            grid = min(grid, most + building)
        else:
            grid = min(grid, most)
    return Supply(
        grid_limit_w=grid, building_w=building, circuits_w=circuits, warnings=tuple(warnings)
    )
