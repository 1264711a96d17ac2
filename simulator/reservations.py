"""ReserveNow and CancelReservation over the connectors of a charge point (OCPP 1.6 5.2, 5.13)."""

from typing import TYPE_CHECKING

from simulator.connector import Reservation

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

REFUSALS = {"Faulted": "Faulted", "Unavailable": "Unavailable"}


def reserve(station: "ChargePointSimulator", connector_id: int, reservation: Reservation) -> str:
    """Carry out ReserveNow and return its status; the same id replaces a reservation."""
    for session in station.sessions.values():
        held = session.connector.reservation
        if held is not None and held.reservation_id == reservation.reservation_id:
            session.reserve(None)
    if connector_id and connector_id not in station.sessions:
        return "Rejected"
    if connector_id == 0 and not station.configuration.flag("ReserveConnectorZeroSupported"):
        return "Rejected"
    if reservation.expires_at <= station.clock.now():
        return "Rejected"
    wanted = [station.sessions[connector_id]] if connector_id else list(station.sessions.values())
    statuses: list[str] = []
    for session in wanted:
        if session.connector.status == "Available":
            session.reserve(reservation)
            return "Accepted"
        statuses.append(session.connector.status)
    return REFUSALS.get(statuses[0], "Occupied")


def cancel(station: "ChargePointSimulator", reservation_id: int) -> bool:
    """Free the connector of a reservation and tell whether there was one of this id."""
    for session in station.sessions.values():
        reservation = session.connector.reservation
        if reservation is not None and reservation.reservation_id == reservation_id:
            session.reserve(None)
            return True
    return False
