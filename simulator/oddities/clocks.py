"""Quirks of clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulator.clock import parse_iso
from simulator.oddities.model import Frame, Oddity, Played

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


def _each_time(change: Callable[[str], str]) -> Callable[[Played, Frame], None]:
    """Return what writes every timestamp of a message in another way."""

    def apply(played: Played, frame: Frame) -> None:
        del played
        if isinstance(frame.payload, dict):
            for place in (frame.payload, *frame.values()):
                if "timestamp" in place:
                    place["timestamp"] = change(place["timestamp"])

    return apply


def _two_hours_on(text: str) -> str:
    return (parse_iso(text) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")


def _year_one(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StatusNotification":
        frame.payload["timestamp"] = "0001-01-01T00:00:00Z"


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
    Oddity(
        name="local-time-without-offset",
        family="clock",
        does="local time, two hours ahead, and neither Z nor an offset",
        who="Growatt THOR",
        source="evcc#10399",
        call=_each_time(_two_hours_on),
    ),
    Oddity(
        name="short-offset",
        family="clock",
        does="offsets of hours only, +02",
        who="Monta emulator",
        source="monta-app/ocpp-emulator#5",
        call=_each_time(lambda text: f"{_two_hours_on(text)}+02"),
    ),
    Oddity(
        name="year-1",
        family="clock",
        does="0001-01-01T00:00:00Z in StatusNotification",
        who="ocpp-go stations",
        source="ocpp-go#20",
        call=_year_one,
    ),
    Oddity(
        name="plain-dates-only",
        family="clock",
        does="reads times as YYYY-MM-DDTHH:MM:SSZ only; with others its clock is not set",
        who="unnamed",
        source="lbbrhzn#512, mikuso/ocpp-rpc#42",
        trait=True,
    ),
)
