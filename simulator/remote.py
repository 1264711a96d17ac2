"""Remote starts and stops, carried out after their answers have left (OCPP 1.6 5.11, 5.12)."""

from typing import TYPE_CHECKING

from simulator.schedule import ChargingProfile
from simulator.transactions import Transaction

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession


def accepts_start(
    station: "ChargePointSimulator", session: "ConnectorSession", id_tag: str
) -> bool:
    """Return whether a remote start with this tag can be carried out now."""
    return session.connector.transaction is None and station.reader.may_let_in(session, id_tag)


def choose_connector(
    station: "ChargePointSimulator", connector_id: int | None, id_tag: str
) -> "ConnectorSession | None":
    """Return the connector for a remote start; without a wish one with a cable goes first."""
    if connector_id is not None:
        wanted = station.sessions.get(connector_id)
        fits = wanted is not None and accepts_start(station, wanted, id_tag)
        return wanted if fits else None
    free = [one for one in station.sessions.values() if accepts_start(station, one, id_tag)]
    free.sort(key=lambda one: one.connector.vehicle is None)
    return free[0] if free else None


async def start_remotely(
    station: "ChargePointSimulator",
    session: "ConnectorSession",
    id_tag: str,
    profile: ChargingProfile | None,
) -> None:
    """Carry out an accepted remote start; authorizes first if it is configured so."""
    asks = station.configuration.flag("AuthorizeRemoteTxRequests")
    if asks and not await station.reader.authorize(id_tag):
        return
    # The tag's group, which a reservation may be for, is known only now.
    if accepts_start(station, session, id_tag) and station.reader.lets_in(session, id_tag):
        session.grant(id_tag, profile)


async def stop_remotely(station: "ChargePointSimulator", transaction: Transaction) -> None:
    """Carry out an accepted remote stop, if the transaction still runs."""
    session = station.sessions[transaction.connector_id]
    if session.connector.transaction is transaction:
        session.end_transaction("Remote")


async def end_transaction(session: "ConnectorSession", reason: str) -> None:
    """End what runs on a connector, if anything."""
    session.end_transaction(reason)


async def unlock(session: "ConnectorSession") -> None:
    """Let the cable go; ends what runs on the connector."""
    session.unlock()
