"""Quirks of smart charging."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator.clock import parse_iso
from simulator.connector import Connector
from simulator.events import Event
from simulator.oddities.model import Bend, Oddity, Payload, Played
from simulator.remote import end_transaction

REJECTED: Payload = {"status": "Rejected"}
ACCEPTED: Payload = {"status": "Accepted"}
STEPS_A = (0, 6, 8, 10, 13, 16)

Request = Callable[[Played, str, Payload], Payload | None]
Profile = dict[str, Any]


def _profile(test: Callable[[Played, Profile], bool], answer: Payload = REJECTED) -> Request:
    """Return a hook that answers SetChargingProfile so when the profile passes ``test``."""

    def hook(played: Played, action: str, payload: Payload) -> Payload | None:
        if action != "SetChargingProfile":
            return None
        return dict(answer) if test(played, payload["csChargingProfiles"]) else None

    return hook


def _limits(profile: Profile) -> list[float]:
    schedule = profile["chargingSchedule"]
    return [float(period["limit"]) for period in schedule["chargingSchedulePeriod"]]


def _too_high_level(played: Played, profile: Profile) -> bool:
    del played
    return int(profile["stackLevel"]) > 0


def _starts_too_late(played: Played, profile: Profile) -> bool:
    start = profile["chargingSchedule"].get("startSchedule")
    return start is not None and parse_iso(start) > played.station.clock.now() - timedelta(
        minutes=1
    )


def _is_suspended(played: Played, profile: Profile) -> bool:
    sessions = played.station.sessions.values()
    suspended = any(one.connector.status.startswith("Suspended") for one in sessions)
    return suspended and profile["chargingProfilePurpose"] == "TxProfile"


def _too_soon(played: Played, profile: Profile) -> bool:
    del profile
    now = played.station.clock.monotonic()
    last = played.memory.get("at")
    if last is not None and now - last < played.parameters["apartS"]:
        return True
    played.memory["at"] = now
    return False


def _composite(played: Played, action: str, payload: Payload) -> Payload | None:
    del played, payload
    return {"status": "Rejected"} if action == "GetCompositeSchedule" else None


def _forgets_when(*names: str) -> Callable[[Played, Event], None]:
    """Return a hook that drops all profiles at these events."""

    def hook(played: Played, event: Event) -> None:
        if event.name in names and len(played.station.profiles):
            played.station.profiles.clear()
            played.station.wake_all()

    return hook


def _zero_is_stop(played: Played, event: Event) -> None:
    if event.name != "limit" or event.data["offer"] != 0:
        return
    session = played.station.sessions[int(str(event.data["connectorId"]))]
    if session.connector.transaction is not None:
        played.station.spawn(lambda: end_transaction(session, "Other"))


def rating(connector: Connector) -> float:
    """Return what a connector could give at most, in its own unit."""
    supply = connector.supply
    return supply.max_a if supply.native_unit == "A" else float(supply.max_w)


def _full_after_zero(played: Played) -> Bend:
    del played
    was_zero: dict[int, bool] = {}

    def bend(connector: Connector, offer: float) -> float:
        number = connector.connector_id
        if offer == 0:
            was_zero[number] = True
        return rating(connector) if was_zero.get(number) and offer > 0 else offer

    return bend


def _zero_stays(played: Played) -> Bend:
    def bend(connector: Connector, offer: float) -> float:
        zeros: set[int] = played.memory.setdefault("zeros", set())
        if connector.transaction is not None and offer == 0:
            zeros.add(connector.connector_id)
        return 0.0 if connector.connector_id in zeros else offer

    return bend


def _new_limit_ends_zero(played: Played, action: str, payload: Payload) -> Payload | None:
    if action == "SetChargingProfile" and max(_limits(payload["csChargingProfiles"])) > 0:
        played.memory.get("zeros", set()).clear()
    return None


def _stays_offline(played: Played) -> Bend:
    last: dict[int, float] = {}

    def bend(connector: Connector, offer: float) -> float:
        if played.station.link.is_connected:
            last[connector.connector_id] = offer
        return last.get(connector.connector_id, offer)

    return bend


def _steps(played: Played) -> Bend:
    del played

    def bend(connector: Connector, offer: float) -> float:
        if connector.supply.native_unit != "A":
            return offer
        return float(max(step for step in STEPS_A if step <= offer))

    return bend


def _suspends_first(played: Played) -> Bend:
    def bend(connector: Connector, offer: float) -> float:
        transaction = connector.transaction
        if transaction is None:
            return offer
        age = (played.station.clock.now() - transaction.started_at).total_seconds()
        return 0.0 if age < played.parameters["forS"] else offer

    return bend


async def _look_often(played: Played) -> None:
    while True:
        await played.station.clock.sleep(0.5)
        played.station.wake_all()


CHARGING = (
    Oddity(
        name="relative-only",
        family="smart charging",
        does="profileKind must be Relative",
        who="Wallbox",
        source="evcc#25042",
        request=_profile(lambda _, profile: profile["chargingProfileKind"] != "Relative"),
    ),
    Oddity(
        name="boasts-stack-levels",
        family="smart charging",
        does="advertises maximum stack level 999, and refuses levels above 0",
        who="Schneider",
        source="lbbrhzn#877",
        configuration={"ChargeProfileMaxStackLevel": "999"},
        request=_profile(_too_high_level),
    ),
    Oddity(
        name="no-station-profile",
        family="smart charging",
        does="ChargePointMaxProfile is refused",
        who="EVBox",
        source="lbbrhzn#221",
        request=_profile(
            lambda _, profile: profile["chargingProfilePurpose"] == "ChargePointMaxProfile"
        ),
    ),
    Oddity(
        name="no-session-profile",
        family="smart charging",
        does="TxProfile is refused",
        who="several",
        source="lbbrhzn/ocpp ocppv16.py: falls back to TxDefaultProfile",
        request=_profile(lambda _, profile: profile["chargingProfilePurpose"] == "TxProfile"),
    ),
    Oddity(
        name="accepts-without-effect",
        family="smart charging",
        does="accepts profiles and does nothing with them",
        who="go-e",
        source="go-e API#105,#249",
        request=_profile(lambda *_: True, ACCEPTED),
    ),
    Oddity(
        name="full-power-after-zero",
        family="smart charging",
        does="full power once a limit of 0 is lifted, whatever the limit",
        who="go-e",
        source="go-e API#155",
        bend=_full_after_zero,
    ),
    Oddity(
        name="forgets-on-disconnect",
        family="smart charging",
        does="drops all profiles the moment the network fails: full power",
        who="go-e fw 56.2",
        source="go-e API#217",
        event=_forgets_when("disconnected"),
    ),
    Oddity(
        name="forgets-on-reboot",
        family="smart charging",
        does="drops all profiles at a reboot",
        who="Grizzl-E fw 5",
        source="HA user-guide.md",
        event=_forgets_when("rebooting"),
    ),
    Oddity(
        name="no-composite-schedule",
        family="smart charging",
        does="GetCompositeSchedule is refused",
        who="Delta AC Mini",
        source="steve#44",
        request=_composite,
    ),
    Oddity(
        name="zero-stops",
        family="smart charging",
        does="a limit of 0 ends the transaction",
        who="Huawei SCharger",
        source="evcc PR29274/#29272",
        event=_zero_is_stop,
    ),
    Oddity(
        name="absolute-needs-start",
        family="smart charging",
        does="an Absolute profile without startSchedule is refused",
        who="libocpp stations",
        source="libocpp PR114, core PR785",
        request=_profile(
            lambda _, profile: (
                profile["chargingProfileKind"] == "Absolute"
                and "startSchedule" not in profile["chargingSchedule"]
            )
        ),
    ),
    Oddity(
        name="drops-while-suspended",
        family="smart charging",
        does="a TxProfile that comes while suspended is accepted and dropped",
        who="Delta Gen4 / BMW",
        source="bmw-wallbox-ha PR20",
        request=_profile(_is_suspended, ACCEPTED),
    ),
    Oddity(
        name="watts-only",
        family="smart charging",
        does="profiles in A are refused",
        who="Huawei",
        source="evcc template forcepowerctrl",
        configuration={"ChargingScheduleAllowedChargingRateUnit": "Power"},
        request=_profile(lambda _, profile: profile["chargingSchedule"]["chargingRateUnit"] == "A"),
    ),
    Oddity(
        name="zero-outlives-session",
        family="smart charging",
        does="a limit of 0 A holds for later sessions until a higher one comes",
        who="Huawei, KEBA",
        source="traktore PR977, OEM",
        request=_new_limit_ends_zero,
        bend=_zero_stays,
    ),
    Oddity(
        name="start-must-be-past",
        family="smart charging",
        does="startSchedule has to be a minute in the past",
        who="several",
        source="evcc#16430",
        request=_profile(_starts_too_late),
    ),
    Oddity(
        name="certain-amps-only",
        family="smart charging",
        does="offers 6, 8, 10, 13 or 16 A, rounded down",
        who="NEcharge",
        source="evcc template",
        bend=_steps,
    ),
    Oddity(
        name="suspends-first",
        family="smart charging",
        does="SuspendedEVSE for minutes at the start of a session",
        who="Easee",
        source="evcc PR29861",
        parameters={"forS": 180},
        run=_look_often,
        bend=_suspends_first,
    ),
    Oddity(
        name="ignores-quick-commands",
        family="smart charging",
        does="profiles that come less than 30 s after the last are accepted and dropped",
        who="Easee",
        source="evcc PR29861",
        parameters={"apartS": 30},
        request=_profile(_too_soon, ACCEPTED),
    ),
    Oddity(
        name="needs-remote-start",
        family="smart charging",
        does="never starts by a tag at its own reader",
        who="Autel, Easee, Wallbox fw5",
        source="evcc templates",
        trait=True,
    ),
    Oddity(
        name="refuses-below-6-amps",
        family="smart charging",
        does="limits above 0 and below 6 A are refused",
        who="all",
        source="hass-evse-load-balancer PR89, evcc",
        request=_profile(
            lambda _, profile: (
                profile["chargingSchedule"]["chargingRateUnit"] == "A"
                and any(0 < limit < 6 for limit in _limits(profile))
            )
        ),
    ),
    Oddity(
        name="last-limit-stays-offline",
        family="smart charging",
        does="the last limit holds for ever while offline, whatever the schedule says",
        who="libocpp",
        source="libocpp#781",
        bend=_stays_offline,
    ),
)
