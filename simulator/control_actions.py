"""What the control panel does to a charge point: one function a resource.

Each gets the charge point and the request's body, with ``connector`` where the path names one, and
raises ``Problem`` for what cannot be.
"""

from dataclasses import replace
from typing import Any

from ocpp.v16 import enums

from simulator import reboots
from simulator.charge_point import ChargePointSimulator
from simulator.errors import CallFailed, OddityError
from simulator.oddities.catalogue import find
from simulator.vehicle import Vehicle
from simulator.web import Problem

ERROR_CODES = tuple(code.value for code in enums.ChargePointErrorCode)


def _number(
    body: dict[str, Any], name: str, default: float | None, low: float, high: float
) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Problem(400, f"bad_{name}", f"{name} is a number from {low:g} to {high:g}")
    return float(value)


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Problem(400, f"bad_{name}", f"{name} is a text of 1 to {longest} signs")
    return value


async def network(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Pull the network cable, or put it back."""
    if not isinstance(body.get("online"), bool):
        raise Problem(400, "bad_online", "online is true or false")
    if body["online"]:
        station.go_online()
    else:
        station.go_offline()


async def oddity(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Switch a quirk or fault on or off."""
    on = body.pop("on", True)
    body.pop("connector", None)
    if not isinstance(on, bool):
        raise Problem(400, "bad_on", "on is true or false")
    try:
        if on:
            station.temper.switch_on(body)
        else:
            station.temper.switch_off(find(str(body.get("name")))[0].name)
    except OddityError as error:
        raise Problem(400, "unknown_oddity", str(error)) from error


async def reset(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Reset the charge point, or have its power fail."""
    kind = body.get("type", "Hard")
    match kind:
        case "Hard" | "Soft":
            station.spawn(lambda: reboots.reset(station, hard=kind == "Hard"))
        case "PowerLoss":
            station.spawn(lambda: reboots.lose_power(station))
        case _:
            raise Problem(400, "bad_type", "type is Hard, Soft or PowerLoss")


async def plug(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Put a vehicle in."""
    battery_wh = round(1000 * _number(body, "batteryKwh", 60, 0.1, 2000))
    soc = _number(body, "socPercent", 20, 0, 100)
    target = _number(body, "targetSocPercent", 100, 0, 100)
    max_w = round(1000 * _number(body, "maxKw", 100, 0.01, 2000))
    vehicle = Vehicle(
        battery_wh=battery_wh,
        stored_wh=battery_wh * soc / 100,
        target_soc=target,
        battery_max_w=max_w,
    )
    try:
        station.plug(body["connector"], vehicle)
    except ValueError as error:
        raise Problem(409, "taken", str(error)) from error


async def unplug(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Pull the cable."""
    if station.unplug(body["connector"]) is None:
        raise Problem(409, "no_vehicle", "no vehicle is plugged in there")


async def tag(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Hold a tag to a connector's reader, or to the one of all connectors."""
    id_tag = _text(body, "idTag", 255)
    try:
        let = await station.present_tag(body.get("connector"), id_tag)
    except CallFailed as error:
        raise Problem(502, "no_answer", str(error)) from error
    if not let:
        raise Problem(409, "refused", "the tag was not let do what it asked for")


async def soc(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Set the vehicle's state of charge."""
    soc = _number(body, "socPercent", None, 0, 100)
    session = station.sessions[body["connector"]]
    vehicle = session.connector.vehicle
    if vehicle is None:
        raise Problem(409, "no_vehicle", "no vehicle is plugged in there")
    session.refresh()
    stored = vehicle.battery_wh * soc / 100
    session.connector.vehicle = replace(vehicle, stored_wh=stored)
    session.refresh()


async def error(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Have a connector, or the whole charge point, fail or recover."""
    code = body.get("errorCode")
    if code not in ERROR_CODES:
        raise Problem(400, "bad_errorCode", f"errorCode is one of {', '.join(ERROR_CODES)}")
    station.set_error(body.get("connector", 0), code)


async def tamper(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    """Open the housing, which is a security event."""
    del body
    station.tamper()
