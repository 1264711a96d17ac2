"""A site's power over time: what its chargers drew, under which limit, beside battery and meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.ids import Identity, SiteId
from csms.domain.power_series import power_series
from csms.errors import Invalid, NotFound
from csms.services.due import Due
from csms.services.ports.power import SiteSample, SiteStation
from csms.services.ports.store import UnitsOfWork

MOST_STEPS = 1_500
MOST_SERIES = 100
LONGEST = timedelta(days=366)
_MOST_STATION_HOURS = 50_000  # about three million meter values
_MOST_STATIONS = 5_000
_MOST_ROWS = 300_000
_USUAL_STEPS = 300
_NICE_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_SAMPLE_EVERY_S = 60.0
_KEPT = timedelta(days=35)
_DROP_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPower:
    """One line of the picture; `identity` None: all others together."""

    identity: Identity | None
    name: str | None
    power_w: Sequence[int | None]
    energy_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePower:
    """Power of a site by step; each list has one value a step, None: not known.

    Attributes:
        series: The stations that took the most, first.
        samples: By step; None where there is no sample.
    """

    begin: datetime
    step_s: int
    steps: int
    grid_limit_w: int
    series: Sequence[StationPower]
    samples: Sequence[SiteSample | None]


class PowerHistories:
    """Shows it, and takes the samples. Concurrency: one task runs `run`."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def of_site(
        self,
        site_id: str,
        begin: datetime | None,
        end: datetime | None,
        step_s: int | None,
        top: int,
    ) -> SitePower:
        """Return the power of a site between two times; the last day where nothing is said.

        Args:
            site_id: Of the site.
            begin: First moment, in.
            end: Last moment, out.
            step_s: None takes one that makes a good picture.
            top: How many stations get a line of their own.

        Raises:
            NotFound: There is no such site.
            Invalid: The times make no sense, or ask for too much.
        """
        now = self._clock.now()
        end = end or now
        begin = begin or end - timedelta(days=1)
        step_s = _checked_step(begin, end, step_s)
        begin = begin - timedelta(seconds=begin.timestamp() % step_s)  # whole steps
        steps = -(-int((end - begin).total_seconds()) // step_s)
        async with self._units() as unit:
            site = await unit.sites.get(site_id)
            if site is None:
                raise NotFound("site_not_found", "There is no such site.")
            stations = await unit.power.stations(SiteId(site_id), _MOST_STATIONS)
            if len(stations) * steps * step_s > _MOST_STATION_HOURS * 3600:
                raise _too_much()
            keys = [station.key for station in stations]
            measured = await unit.power.measured(keys, begin, end, step_s, _MOST_ROWS)
            if len(measured) == _MOST_ROWS:
                raise _too_much()
            named = {one.transaction for one in measured if one.transaction is not None}
            spans = await unit.power.spans(keys, named, begin)
            samples = await unit.power.samples(SiteId(site_id), begin, end, step_s, steps)
        by_station = power_series(
            measured, spans, steps=steps, step_s=step_s, now_s=(now - begin).total_seconds()
        )
        by_step = {int((one.at - begin).total_seconds()) // step_s: one for one in samples}
        return SitePower(
            begin=begin,
            step_s=step_s,
            steps=steps,
            grid_limit_w=site.grid_limit_w,
            series=_lines(stations, by_station, step_s, top),
            samples=[by_step.get(step) for step in range(steps)],
        )

    async def run(self) -> None:
        """Take a sample of each site each minute, for ever. Raises DatabaseAway."""
        due = Due(self._clock)
        while True:
            now = self._clock.now()
            async with self._units() as unit:
                await unit.power.take_samples(now)
                if due.take("drop", _DROP_EVERY_S):
                    await unit.power.drop_samples(now - _KEPT)
            await self._clock.sleep(_SAMPLE_EVERY_S - now.timestamp() % _SAMPLE_EVERY_S)


def _checked_step(begin: datetime, end: datetime, step_s: int | None) -> int:
    span_s = (end - begin).total_seconds()
    if span_s <= 0:
        raise Invalid("invalid_request", "There is no such time.", {"to": "must be after from"})
    if end - begin > LONGEST:
        raise Invalid(
            "invalid_request", "That is too long.", {"from": "at most 366 days before to"}
        )
    if step_s is None:
        return next((s for s in _NICE_S if span_s / s <= _USUAL_STEPS), 2 * _NICE_S[-1])
    if span_s / step_s > MOST_STEPS:
        raise Invalid(
            "invalid_request",
            "That are too many steps.",
            {"stepS": f"at least {-(-int(span_s) // MOST_STEPS)} for this time"},
        )
    return step_s


def _too_much() -> Invalid:
    return Invalid(
        "too_much",
        "These are too many meter values for one picture.",
        {"from": "take a shorter time: the site has many stations"},
    )


def _lines(
    stations: Sequence[SiteStation],
    by_station: dict[int, list[int | None]],
    step_s: int,
    top: int,
) -> list[StationPower]:
    lines = [
        StationPower(
            identity=station.identity,
            name=station.name,
            power_w=values,
            energy_wh=sum(value or 0 for value in values) * step_s // 3600,
        )
        for station in stations
        if (values := by_station.get(station.key)) is not None
    ]
    lines.sort(key=lambda line: -line.energy_wh)
    rest = lines[top:]
    if not rest:
        return lines
    summed = [
        None if all(value is None for value in values) else sum(value or 0 for value in values)
        for values in zip(*(line.power_w for line in rest), strict=True)
    ]
    energy_wh = sum(line.energy_wh for line in rest)
    others = StationPower(identity=None, name=None, power_w=summed, energy_wh=energy_wh)
    return [*lines[:top], others]
