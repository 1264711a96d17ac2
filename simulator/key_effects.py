"""What ChangeConfiguration does beyond keeping a value.

Most keys are read by who uses them, at the moment of use. Here stand those with a rule of their own
(SecurityProfile) and those whose change has to be told to somebody.
"""

from typing import TYPE_CHECKING

from simulator.configuration import ChangeStatus

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


def change(station: "ChargePointSimulator", name: str, value: str) -> ChangeStatus:
    """Carry out ChangeConfiguration and return its status; ``follow`` comes after the answer."""
    if name.lower() == "securityprofile":
        status = station.security.judge_profile(value)
        if status != "RebootRequired":
            return status
    return station.configuration.change(name, value)


async def follow(station: "ChargePointSimulator", name: str, value: str) -> None:
    """Act on a change that was accepted, once the answer has left."""
    if _apply(station, name, value):
        await station.link.reconnect()


def reboot(station: "ChargePointSimulator") -> None:
    """Have the changes act that waited for a reboot; the connection is made anew anyway."""
    for name, value in station.configuration.take_waiting().items():
        if name != "securityprofile":
            station.configuration.override(name, value)
        _apply(station, name, value)


def _apply(station: "ChargePointSimulator", name: str, value: str) -> bool:
    """Tell who has to know of a change; return whether it takes a new connection."""
    match name.lower():
        case "heartbeatinterval":
            station.link.boot.interval_changed()
        case "lightintensity":
            station.emit("light", percent=int(value))
        case "authorizationkey":
            station.security.change_key(value)
            return True
        case "securityprofile":
            return station.security.raise_profile(value)
        case "websocketpinginterval":
            return True
        case _:
            station.wake_all()
    return False
