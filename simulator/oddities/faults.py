"""Faults of networks and hardware: how things break, with numbers that can be set.

Network faults act on frames and connections of this charge point, not on the machine's network.
Where they come at random, the source of chance is seeded.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from simulator.connector import Connector
from simulator.oddities.charging import rating
from simulator.oddities.model import Bend, Oddity, Played
from simulator.reboots import lose_power


def _latency(played: Played) -> float:
    parameters = played.parameters
    jitter = played.chance.uniform(0, parameters["jitterMs"])
    return (parameters["ms"] + jitter) / 1000


def _loss(played: Played) -> bool:
    return played.chance.random() < played.parameters["share"]


async def _half_open(played: Played) -> None:
    station, parameters = played.station, played.parameters
    while True:
        await station.clock.sleep(parameters["afterS"])
        station.link.fall_silent()
        await station.clock.sleep(parameters["forS"])
        station.drop_connection()


async def _flapping(played: Played) -> None:
    station, parameters = played.station, played.parameters
    while True:
        await station.clock.sleep(played.chance.uniform(0.5, 1.5) * parameters["upS"])
        station.go_offline()
        await station.clock.sleep(played.chance.uniform(0.5, 1.5) * parameters["downS"])
        station.go_online()


async def _storm(played: Played) -> None:
    station, parameters = played.station, played.parameters
    station.link.is_impatient = True
    try:
        for _ in range(int(parameters["count"])):
            await station.until_registered()
            station.link.needs_boot = parameters["boots"] > 0
            station.drop_connection()
            await station.clock.sleep(parameters["pauseS"])
    finally:
        station.link.is_impatient = False


async def _cable_out(played: Played) -> None:
    station, parameters = played.station, played.parameters
    while True:
        await station.clock.sleep(parameters["afterS"])
        station.go_offline()
        await station.clock.sleep(parameters["forS"])
        station.go_online()


def _back_online(played: Played) -> None:
    played.station.go_online()


async def _reboots(played: Played) -> None:
    station = played.station
    while True:
        await station.clock.sleep(played.chance.uniform(0.5, 1.5) * played.parameters["everyS"])
        await lose_power(station)


def _skew(played: Played, now: datetime) -> timedelta:
    since = played.memory.setdefault("since", now)
    drift = (now - since) * (played.parameters["driftPpm"] / 1_000_000)
    sign = -1 if played.parameters["late"] > 0 else 1
    skewed: timedelta = sign * (timedelta(seconds=played.parameters["seconds"]) + drift)
    return skewed


def _ignoring(played: Played) -> Bend:
    del played
    return lambda connector, offer: rating(connector)


def _overdrawing(played: Played) -> None:
    def set_factor(connector: Connector) -> None:
        connector.overdraw = played.parameters["factor"]

    _on_connectors(played, set_factor)


def _drawing_right(played: Played) -> None:
    def set_factor(connector: Connector) -> None:
        connector.overdraw = 1.0

    _on_connectors(played, set_factor)


def _sticking(played: Played) -> None:
    def stick(connector: Connector) -> None:
        connector.is_stuck = True

    _on_connectors(played, stick)


def _coming_loose(played: Played) -> None:
    def loosen(connector: Connector) -> None:
        connector.is_stuck = False

    _on_connectors(played, loosen)


def _on_connectors(played: Played, change: Callable[[Connector], None]) -> None:
    for session in played.station.sessions.values():
        session.settle()
        change(session.connector)
    played.station.wake_all()


def _heating(played: Played) -> None:
    def heat(connector: Connector) -> None:
        connector.thermal.ambient_c = played.parameters["celsius"]
        connector.thermal.celsius = played.parameters["celsius"]

    _on_connectors(played, heat)


def _cooling(played: Played) -> None:
    def cool(connector: Connector) -> None:
        connector.thermal.ambient_c = played.station.settings.ambient_c
        connector.thermal.celsius = played.station.settings.ambient_c

    _on_connectors(played, cool)


async def _cable_pulled(played: Played) -> None:
    station = played.station
    while True:
        await station.clock.sleep(played.chance.uniform(0.5, 1.5) * played.parameters["everyS"])
        for number, session in station.sessions.items():
            if session.connector.transaction is not None:
                station.unplug(number)


async def _failing(played: Played) -> None:
    station, parameters = played.station, played.parameters
    while True:
        await station.clock.sleep(played.chance.uniform(0.5, 1.5) * parameters["everyS"])
        number = played.chance.choice(list(station.sessions))
        station.set_error(number, played.chance.choice(ERRORS))
        await station.clock.sleep(parameters["forS"])
        station.set_error(number, "NoError")


ERRORS = ("GroundFailure", "OverCurrentFailure", "PowerMeterFailure", "ConnectorLockFailure")


def _unlocking(played: Played) -> None:
    for session in played.station.sessions.values():
        if session.connector.error_code == "ConnectorLockFailure":
            session.set_error("NoError")


FAULTS = (
    Oddity(
        name="latency",
        family="network fault",
        does="every frame is late, either way",
        parameters={"ms": 300, "jitterMs": 200},
        delay=_latency,
    ),
    Oddity(
        name="loss",
        family="network fault",
        does="frames vanish, either way; a call is then given up after its time-out",
        parameters={"share": 0.05},
        loses=_loss,
    ),
    Oddity(
        name="half-open",
        family="network fault",
        does="the connection looks open, but nothing passes",
        parameters={"afterS": 60, "forS": 120},
        run=_half_open,
    ),
    Oddity(
        name="flapping",
        family="network fault",
        does="the network comes and goes",
        parameters={"upS": 20, "downS": 5},
        run=_flapping,
        end=_back_online,
    ),
    Oddity(
        name="reconnect-storm",
        family="network fault",
        does="reconnects at once and without back-off, again and again",
        parameters={"count": 50, "pauseS": 0.05, "boots": 1},
        run=_storm,
    ),
    Oddity(
        name="network-cable-pulled",
        family="network fault",
        does="offline for a while, again and again; charging goes on",
        parameters={"afterS": 30, "forS": 120},
        run=_cable_out,
        end=_back_online,
    ),
    Oddity(
        name="reboots",
        family="hardware fault",
        does="loses power now and then; transactions end with PowerLoss",
        parameters={"everyS": 300},
        run=_reboots,
        end=_back_online,
    ),
    Oddity(
        name="clock-skew",
        family="hardware fault",
        does="a clock that is wrong and drifts",
        parameters={"seconds": 30, "driftPpm": 100, "late": 0},
        clock=_skew,
    ),
    Oddity(
        name="ignores-limits",
        family="hardware fault",
        does="offers its rating whatever the profiles say",
        bend=_ignoring,
    ),
    Oddity(
        name="overdraws",
        family="hardware fault",
        does="vehicles draw more than they are offered",
        parameters={"factor": 1.25},
        start=_overdrawing,
        end=_drawing_right,
    ),
    Oddity(
        name="stuck-relay",
        family="hardware fault",
        does="the contactor stays closed: power flows without a transaction and at a limit of 0",
        start=_sticking,
        end=_coming_loose,
    ),
    Oddity(
        name="over-temperature",
        family="hardware fault",
        does="the charger's surroundings are hot: it derates, then fails with HighTemperature",
        parameters={"celsius": 95},
        start=_heating,
        end=_cooling,
    ),
    Oddity(
        name="cable-pulled",
        family="hardware fault",
        does="the charging cable is pulled in the middle of sessions",
        parameters={"everyS": 120},
        run=_cable_pulled,
    ),
    Oddity(
        name="lock-fails",
        family="hardware fault",
        does="the cable lock fails: no start (ConnectorLockFailure), no unlocking (UnlockFailed)",
        end=_unlocking,
        trait=True,
    ),
    Oddity(
        name="reset-fails",
        family="hardware fault",
        does="resets fail so many times; after ResetRetries more tries it tells ResetFailure",
        parameters={"times": 1},
        trait=True,
    ),
    Oddity(
        name="firmware-fails",
        family="hardware fault",
        does="firmware is fetched, but its installation fails",
        trait=True,
    ),
    Oddity(
        name="revoked-signer",
        family="hardware fault",
        does="the signing certificate of firmware counts as revoked (RevokedCertificate)",
        trait=True,
    ),
    Oddity(
        name="failing-connectors",
        family="hardware fault",
        does="connectors fail with error codes and recover",
        parameters={"everyS": 300, "forS": 60},
        run=_failing,
    ),
)
