"""ChangeAvailability, and the state of connector 0, the whole charge point (OCPP 1.6 4.9, 5.2).

Connector 0 is Available, Unavailable or Faulted, and nothing else. It is Unavailable once the
charge point was made so and the last transaction has ended.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.statuses import Notice

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


@dataclass(slots=True, kw_only=True)
class Whole:
    """The facts of a charge point as a whole.

    Attributes:
        error_code: a failure that lets it serve no more, or ``NoError``.
        warning: a code that is told although it goes on serving.
    """

    operative: bool = True
    error_code: str = "NoError"
    warning: str = "NoError"


def note(station: "ChargePointSimulator") -> None:
    """Note the state of connector 0."""
    whole = station.whole
    status = "Available"
    if whole.error_code != "NoError":
        status = "Faulted"
    elif not whole.operative and not station.is_busy:
        status = "Unavailable"
    code = whole.error_code if status == "Faulted" else whole.warning
    now = station.clock.now()
    station.statuses.note(Notice(connector_id=0, status=status, error_code=code, at=now))


def change(station: "ChargePointSimulator", connector_id: int, *, operative: bool) -> str:
    """Carry out ChangeAvailability and return its status; connector 0 stands for all."""
    if connector_id == 0:
        station.whole.operative = operative
        found = {session.set_operative(operative) for session in station.sessions.values()}
        note(station)
        return "Scheduled" if "Scheduled" in found else "Accepted"
    session = station.sessions.get(connector_id)
    return session.set_operative(operative) if session is not None else "Rejected"


def warn(station: "ChargePointSimulator", code: str) -> None:
    """Tell a code with connector 0, or that it no longer holds with ``NoError``."""
    station.whole.warning = code
    note(station)
