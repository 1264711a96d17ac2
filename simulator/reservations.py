"""Reservations over the connectors of a charge point (OCPP 1.6 5.2, 5.13).

A reservation lies on a connector. One of connector 0 lies on any free one, and is used up wherever
its tag starts.
"""

from typing import TYPE_CHECKING

from simulator.connector import Reservation

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession

REFUSALS = {"Faulted": "Faulted", "Unavailable": "Unavailable"}


def reserve(station: "ChargePointSimulator", connector_id: int, reservation: Reservation) -> str:
    """Carry out ReserveNow and return its status; the same id replaces a reservation.

    A refusal leaves the one that was to be replaced in place.
    """
    if connector_id and connector_id not in station.sessions:
        return "Rejected"
    if connector_id == 0 and not station.configuration.flag("ReserveConnectorZeroSupported"):
        return "Rejected"
    if reservation.expires_at <= station.clock.now():
        return "Rejected"
    wanted = [station.sessions[connector_id]] if connector_id else list(station.sessions.values())
    old = _holder(station, reservation.reservation_id)
    statuses: list[str] = []
    for session in wanted:
        status = session.connector.status
        if status == "Available" or (session is old and status == "Reserved"):
            if old is not None and old is not session:
                old.reserve(None)
            session.reserve(reservation)
            return "Accepted"
        statuses.append(status)
    return REFUSALS.get(statuses[0], "Occupied")


def cancel(station: "ChargePointSimulator", reservation_id: int) -> bool:
    """Free the connector of a reservation and tell whether there was one of this id."""
    session = _holder(station, reservation_id)
    if session is None:
        return False
    session.reserve(None)
    return True


def take(
    station: "ChargePointSimulator", session: "ConnectorSession", id_tag: str
) -> Reservation | None:
    """Return, and use up, the reservation that a start of ``id_tag`` on a connector meets."""
    reservation = session.connector.reservation
    if reservation is not None:
        session.connector.reservation = None
        return reservation
    for other in station.sessions.values():
        held = other.connector.reservation
        if held is not None and held.of_any and held.id_tag.lower() == id_tag.lower():
            other.connector.reservation = None
            station.wake_all()
            return held
    return None


def _holder(station: "ChargePointSimulator", reservation_id: int) -> "ConnectorSession | None":
    for session in station.sessions.values():
        held = session.connector.reservation
        if held is not None and held.reservation_id == reservation_id:
            return session
    return None
