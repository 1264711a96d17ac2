"""Quirks of clocks."""

from datetime import UTC, datetime, timedelta

from simulator.oddities.model import Oddity, Played

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _unset(played: Played, now: datetime) -> timedelta:
    if played.station.link.registration is not None:
        # BootNotification.conf has set the clock.
        return timedelta()
    if "since" not in played.memory:
        played.memory["since"] = now
    shift: timedelta = EPOCH - played.memory["since"]
    return shift


def _never_set(played: Played, now: datetime) -> timedelta:
    if "since" not in played.memory:
        played.memory["since"] = now
    shift: timedelta = EPOCH - played.memory["since"]
    return shift


CLOCKS = (
    Oddity(
        name="clock-1970",
        family="clock",
        does="timestamps from 1970 until BootNotification was answered",
        who="MicroOcpp before time set",
        source="MicroOcpp#311/PR354",
        clock=_unset,
    ),
    Oddity(
        name="clock-never-set",
        family="clock",
        does="timestamps from 1970 for ever",
        who="chargers without a clock",
        source="MicroOcpp#311",
        clock=_never_set,
    ),
    Oddity(
        name="clock-late",
        family="clock",
        does="timestamps minutes late",
        who="Hager",
        source="OCPP.Core#55",
        parameters={"seconds": 240},
        clock=lambda played, now: -timedelta(seconds=played.parameters["seconds"]),
    ),
    Oddity(
        name="local-time-as-utc",
        family="clock",
        does="local time marked Z",
        who="Chago",
        source="steve#136",
        parameters={"hours": 2},
        clock=lambda played, now: timedelta(hours=played.parameters["hours"]),
    ),
)
