"""The charging profiles installed in one charge point, and the limit they make together.

Owns the rules of OCPP 1.6 3.13.2-3.13.4 and 5.16: which profile replaces which, which one prevails
in its purpose (the highest stack level that says something now), and that the limit is the lowest
over the purposes. Profiles outlive a reboot (errata 3.37) because this object does; a TxProfile
ends with its transaction.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.schedule import ChargingProfile, Period, ProfileError, Purpose
from simulator.supply import RateUnit, Supply, floor_tenth

UNITS = {"Current": "A", "Power": "W"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A connector's transaction as profiles see it; the id is None until one was given."""

    transaction_id: int | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A connector's limit in A per phase or W, and the phases it allows (None: all)."""

    value: float
    phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A profile in its place: connector 0 stands for the whole charge point."""

    connector_id: int
    profile: ChargingProfile
    received_at: datetime


class ProfileStore:
    """Installed profiles of one charge point.

    Args:
        connectors: number of connectors.
        max_stack_level: highest stack level that is taken.
        max_periods: most periods of a schedule.
        max_profiles: most profiles at once; replacing one is possible when it is full.
        units: of schedules that are taken, ``Current`` (or ``A``) and ``Power`` (or ``W``).
        switches_phases: whether a period's numberPhases is obeyed (else all phases stay).
    """

    def __init__(
        self,
        *,
        connectors: int,
        max_stack_level: int = 10,
        max_periods: int = 24,
        max_profiles: int = 20,
        units: Collection[str] = ("Current", "Power"),
        switches_phases: bool = True,
    ) -> None:
        self._connectors = connectors
        self._max_stack_level = max_stack_level
        self._max_periods = max_periods
        self._max_profiles = max_profiles
        self._units = {UNITS.get(unit, unit) for unit in units}
        self._switches_phases = switches_phases
        self._installed: list[Installed] = []

    def __len__(self) -> int:
        return len(self._installed)

    @property
    def installed(self) -> tuple[Installed, ...]:
        """All profiles, oldest first."""
        return tuple(self._installed)

    def recall(self, kept: Iterable[Installed]) -> None:
        """Have what was installed before the power was lost, as far as its place is still there."""
        self._installed = [one for one in kept if one.connector_id <= self._connectors]

    def install(
        self, connector_id: int, profile: ChargingProfile, at: datetime, running: Running | None
    ) -> None:
        """Put a profile in its place; one with the same id, or purpose and stack level there, goes.

        Raises:
            ProfileError: the charge point refuses it; nothing has changed.
        """
        self._check_place(connector_id, profile, running)
        kept = [
            item
            for item in self._installed
            if item.profile.profile_id != profile.profile_id
            and not (
                item.connector_id == connector_id
                and item.profile.purpose == profile.purpose
                and item.profile.stack_level == profile.stack_level
            )
        ]
        if len(kept) >= self._max_profiles:
            msg = f"{self._max_profiles} profiles are installed already"
            raise ProfileError(msg)
        kept.append(Installed(connector_id=connector_id, profile=profile, received_at=at))
        self._installed = kept

    def _check_place(
        self, connector_id: int, profile: ChargingProfile, running: Running | None
    ) -> None:
        if not 0 <= connector_id <= self._connectors:
            msg = f"there is no connector {connector_id}"
            raise ProfileError(msg)
        if profile.stack_level > self._max_stack_level or len(profile.periods) > self._max_periods:
            msg = "the stack level is too high or there are too many periods"
            raise ProfileError(msg)
        if profile.unit not in self._units:
            msg = f"schedules in {profile.unit} are not taken"
            raise ProfileError(msg)
        if profile.purpose == "ChargePointMaxProfile" and connector_id != 0:
            msg = "a ChargePointMaxProfile belongs on connector 0"
            raise ProfileError(msg)
        if profile.purpose != "TxProfile":
            return
        if connector_id == 0 or running is None:
            msg = "a TxProfile needs a transaction that runs on its connector"
            raise ProfileError(msg)
        if profile.transaction_id is not None and profile.transaction_id != running.transaction_id:
            msg = f"transaction {profile.transaction_id} does not run here"
            raise ProfileError(msg)

    def clear(
        self,
        *,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """Remove what matches and return how many; an id alone decides, else all criteria."""

        def matches(item: Installed) -> bool:
            if profile_id is not None:
                return item.profile.profile_id == profile_id
            return (
                connector_id in (None, item.connector_id)
                and purpose in (None, item.profile.purpose)
                and stack_level in (None, item.profile.stack_level)
            )

        before = len(self._installed)
        self._installed = [item for item in self._installed if not matches(item)]
        return before - len(self._installed)

    def end_transaction(self, connector_id: int) -> None:
        """Forget the TxProfiles of a connector: they live as long as its transaction."""
        self.clear(connector_id=connector_id, purpose="TxProfile")

    def limit_at(
        self,
        connector_id: int,
        at: datetime,
        supply: Supply,
        running: Running | None,
        *,
        unit: RateUnit | None = None,
        with_station: bool = True,
    ) -> Limit | None:
        """Return the limit of a connector at ``at``, or None where no profile says anything.

        Args:
            connector_id: 0 asks for the whole charge point: ChargePointMaxProfiles only.
            at: the moment.
            supply: the connector's rating, for conversions.
            running: its transaction, which TxProfiles and relative schedules count from.
            unit: the wanted unit; None means the supply's own.
            with_station: whether ChargePointMaxProfiles count too.
        """
        wanted = unit or supply.native_unit
        found: list[tuple[float, int | None]] = []
        holding = [
            self._prevailing("ChargePointMaxProfile", [0], at, None) if with_station else None,
            self._session_period(connector_id, at, running) if connector_id > 0 else None,
        ]
        for held in holding:
            if held is not None:
                profile, period = held
                phases = period.phases if self._switches_phases else None
                value = supply.convert(period.limit, profile.unit, wanted, phases)
                found.append((value, phases))
        if not found:
            return None
        counts = [count for _, count in found if count is not None]
        return Limit(
            value=floor_tenth(min(value for value, _ in found)),
            phases=min(counts) if counts else None,
        )

    def _session_period(
        self, connector_id: int, at: datetime, running: Running | None
    ) -> tuple[ChargingProfile, Period] | None:
        """TxProfile before the connector's TxDefaultProfile before that of connector 0."""
        own = (
            self._prevailing("TxProfile", [connector_id], at, running)
            if running is not None
            else None
        )
        return (
            own
            or self._prevailing("TxDefaultProfile", [connector_id], at, running)
            or self._prevailing("TxDefaultProfile", [0], at, running)
        )

    def _prevailing(
        self, purpose: Purpose, places: list[int], at: datetime, running: Running | None
    ) -> tuple[ChargingProfile, Period] | None:
        best: tuple[ChargingProfile, Period] | None = None
        since = running.since if running is not None else None
        for item in self._installed:
            profile = item.profile
            if profile.purpose != purpose or item.connector_id not in places:
                continue
            if best is not None and best[0].stack_level >= profile.stack_level:
                continue
            period = profile.period_at(at, item.received_at, since)
            if period is not None:
                best = (profile, period)
        return best

    def next_change(
        self, since: datetime, until: datetime, running: Running | None
    ) -> datetime | None:
        """Return the first moment between ``since`` and ``until`` at which a limit may change."""
        return min(self._changes(since, until, running), default=None)

    def _changes(
        self, since: datetime, until: datetime, running: Running | None
    ) -> Iterable[datetime]:
        charging_since = running.since if running is not None else None
        for item in self._installed:
            yield from item.profile.changes(since, until, item.received_at, charging_since)

    def composite(
        self,
        connector_id: int,
        at: datetime,
        duration_s: int,
        supply: Supply,
        running: Running | None,
        unit: RateUnit,
    ) -> tuple[Period, ...]:
        """Return the limits over the next ``duration_s`` seconds, physical rating included (5.7).

        Returns:
            Periods relative to ``at``, the first at 0, neighbours different, limits in ``unit``
            with one decimal.
        """
        until = at + timedelta(seconds=duration_s)
        rating = _rating(supply, unit)

        def at_moment(moment: datetime) -> Limit:
            limit = self.limit_at(connector_id, moment, supply, running, unit=unit)
            if limit is None:
                return Limit(value=rating)
            return Limit(value=min(rating, limit.value), phases=limit.phases)

        return _periods(at, {at, *self._changes(at, until, running)}, at_moment)

    def whole_composite(
        self,
        at: datetime,
        duration_s: int,
        supply: Supply,
        running: Mapping[int, Running | None],
        unit: RateUnit,
        *,
        budget_w: int | None = None,
    ) -> tuple[Period, ...]:
        """Return what the charge point may take from its supply: the sum over its connectors.

        Args:
            at: where the schedule begins.
            duration_s: its length.
            supply: the rating of each connector.
            running: each connector's transaction.
            unit: of the limits; A are those of one phase.
            budget_w: what its connectors share in any case (None: nothing).
        """
        until = at + timedelta(seconds=duration_s)
        rating = _rating(supply, unit)
        most = math.inf if budget_w is None else supply.convert(budget_w, "W", unit, None)
        moments = {at}
        for transaction in running.values():
            moments.update(self._changes(at, until, transaction))

        def at_moment(moment: datetime) -> Limit:
            total = 0.0
            for number, transaction in running.items():
                limit = self.limit_at(number, moment, supply, transaction, unit=unit)
                total += rating if limit is None else min(rating, limit.value)
            bound = self.limit_at(0, moment, supply, None, unit=unit)
            least = min(total, most) if bound is None else min(total, most, bound.value)
            return Limit(value=floor_tenth(least))

        return _periods(at, moments, at_moment)


def _rating(supply: Supply, unit: RateUnit) -> float:
    return supply.max_a if unit == "A" else float(supply.max_w)


def _periods(
    at: datetime, moments: Iterable[datetime], at_moment: Callable[[datetime], Limit]
) -> tuple[Period, ...]:
    """Return the limits at ``moments`` as periods from ``at`` on, equal neighbours as one."""
    periods: list[Period] = []
    for moment in sorted(moments):
        limit = at_moment(moment)
        if periods and (periods[-1].limit, periods[-1].phases) == (limit.value, limit.phases):
            continue
        start = int((moment - at).total_seconds())
        periods.append(Period(start_s=start, limit=limit.value, phases=limit.phases))
    return tuple(periods)
