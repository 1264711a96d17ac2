"""Drives one connector: cable, tags, transactions, samples and the state that is reported.

Everything that happens to a connector is a synchronous change of its model followed by ``refresh``,
which settles physics, starts what is due and notes the state; one task a connector calls it when
time is due. Only Authorize waits for the network, in whoever presents the tag. So a connector needs
no lock.
"""

import asyncio
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator import availability
from simulator.connector import MAX_STEP_MS, Connector, Grant, Reservation
from simulator.limits import Ramp, apportion, own_limit
from simulator.profiles import Limit, Running
from simulator.reservations import take as take_reservation
from simulator.sampling import Sampler
from simulator.schedule import ChargingProfile, ProfileError
from simulator.statuses import Notice
from simulator.transactions import Message, Transaction
from simulator.vehicle import Vehicle

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

LONGEST_SLEEP_S = 3_600.0

VIA: Mapping[tuple[str, str], str] = {
    ("Preparing", "Reserved"): "Available",
    ("Preparing", "Unavailable"): "Available",
    ("Finishing", "Charging"): "Preparing",
    ("Finishing", "SuspendedEV"): "Preparing",
    ("Finishing", "SuspendedEVSE"): "Preparing",
}
"""Changes that the table of 4.9 does not have, and the state between the two."""


class ConnectorSession:
    """One connector of a charge point, driven.

    Args:
        station: the charge point it belongs to.
        connector: its model.

    Attributes:
        own_limit: what its own profiles allow, as far as the ramp has got; what it shares with the
            other connectors bounds it beside that.
    """

    def __init__(self, station: "ChargePointSimulator", connector: Connector) -> None:
        self._station = station
        self.connector = connector
        self._wake = asyncio.Event()
        self._start_message: Message | None = None
        self.sampler = Sampler(station, connector)
        self._ramp = Ramp(station.settings.ramp_s)
        self.own_limit: Limit | None = None
        self._passing: asyncio.Event | None = None
        self._offer: float | None = None
        self._scheduled_inoperative = False
        self._overheated = False
        self._allowed_until_wh: int | None = None
        self._unstable: tuple[str, float] | None = None
        self._noted = ""

    @property
    def becomes_inoperative(self) -> bool:
        """Whether the connector is to be Unavailable once its transaction has ended."""
        return self._scheduled_inoperative

    @property
    def running(self) -> Running | None:
        """The transaction as charging profiles see it."""
        transaction = self.connector.transaction
        if transaction is None:
            return None
        return Running(transaction_id=transaction.transaction_id, since=transaction.started_at)

    # What people and vehicles do

    def plug(self, vehicle: Vehicle) -> None:
        """Put the cable into ``vehicle``.

        Raises:
            ValueError: a vehicle is plugged in already.
        """
        connector = self.connector
        if connector.vehicle is not None:
            msg = f"connector {connector.connector_id} is taken"
            raise ValueError(msg)
        self._advance()
        connector.vehicle = vehicle
        connector.finished = connector.is_locked = False
        if connector.transaction is None and connector.grant is None:
            id_tag = self._station.reader.claim(self)
            if id_tag is not None:
                connector.grant = Grant(id_tag=id_tag)
        self.refresh()

    def unplug(self) -> Vehicle | None:
        """Pull the cable out of the vehicle and return it; ends the transaction if so configured.

        The cable stays locked in its socket, and the connector Finishing, where
        UnlockConnectorOnEVSideDisconnect is false.
        """
        connector, configuration = self.connector, self._station.configuration
        self._advance()
        vehicle, connector.vehicle = connector.vehicle, None
        self._advance()
        if connector.transaction is not None:
            if connector.energised:
                self._note_in_passing(connector.status)
            if configuration.flag("StopTransactionOnEVSideDisconnect"):
                connector.finished = True
                self._end("EVDisconnected", None)
                if connector.error_code == "NoError":
                    self._note("Finishing")
                connector.is_locked = not self._station.settings.fixed_cable and (
                    not configuration.flag("UnlockConnectorOnEVSideDisconnect")
                )
        connector.finished = False
        if connector.grant is not None and connector.transaction is None:
            connector.grant = None
        self.refresh()
        return vehicle

    def unlock(self) -> None:
        """Let the cable go, which ends what runs here."""
        self.connector.is_locked = False
        if not self.end_transaction("UnlockCommand"):
            self.refresh()

    def grant(self, id_tag: str, profile: ChargingProfile | None = None) -> None:
        """Let ``id_tag`` charge: at once with a cable in, else within ConnectionTimeOut."""
        until = None
        if self.connector.vehicle is None:
            patience = self._station.configuration.integer("ConnectionTimeOut")
            until = self._station.clock.monotonic() + patience
        self.connector.grant = Grant(id_tag=id_tag, until=until, profile=profile)
        self.refresh()

    # Transactions

    def _begin(self, grant: Grant) -> None:
        connector, station = self.connector, self._station
        if station.temper.has("lock-fails"):
            connector.grant = None
            connector.error_code = "ConnectorLockFailure"
            return
        reservation = take_reservation(station, self, grant.id_tag)
        transaction = Transaction(
            charge_point=station.identity,
            connector_id=connector.connector_id,
            id_tag=grant.id_tag,
            started_at=station.clock.now(),
            meter_start_wh=connector.meter.register_wh,
            reservation_id=reservation.reservation_id if reservation else None,
        )
        connector.grant = None
        connector.transaction = transaction
        connector.finished = False
        connector.energised = False
        self._allowed_until_wh = None
        self.sampler.begin(transaction.started_at)
        station.ledger.open(transaction)
        self._start_message = self.sampler.last_message = station.queue.put_start(transaction)
        if grant.profile is not None:
            try:
                station.profiles.install(
                    connector.connector_id, grant.profile, transaction.started_at, self.running
                )
            except ProfileError:
                station.emit("profile_refused", connectorId=connector.connector_id)
        station.wake_all()
        station.emit("started", connectorId=connector.connector_id, idTag=grant.id_tag)

    def on_start_attempted(self, transaction: Transaction) -> None:
        """Act on what the central system said, or failed to say, about a transaction's start."""
        refused = transaction.id_tag_status not in (None, "Accepted")
        if refused and self._station.temper.has("charges-after-refusal"):
            transaction.id_tag_status, refused = "Accepted", False
        if self.connector.transaction is transaction and refused:
            self._advance()
            allowance = self._station.configuration.integer("MaxEnergyOnInvalidId")
            self._allowed_until_wh = transaction.meter_start_wh + allowance
            self.connector.energised = self.connector.meter.register_wh < self._allowed_until_wh
            if self._station.configuration.flag("StopTransactionOnInvalidId"):
                self._end("DeAuthorized", None)
        self.refresh()

    def end_transaction(self, reason: str, id_tag: str | None = None) -> bool:
        """Stop the running transaction, the vehicle may stay; tell whether there was one."""
        self._advance()
        if self.connector.transaction is None:
            return False
        self._end(reason, id_tag)
        self.refresh()
        return True

    def _end(self, reason: str, id_tag: str | None) -> None:
        connector, station = self.connector, self._station
        transaction = connector.transaction
        if transaction is None:
            return
        transaction.stopped_at = station.clock.now()
        transaction.meter_stop_wh = connector.meter.register_wh
        transaction.reason = reason
        data = self.sampler.end(transaction.stopped_at)
        if reason == "UnlockCommand" and connector.error_code == "NoError":
            self._note_in_passing("Finishing")
        connector.transaction = None
        connector.energised = False
        if station.temper.has("available-before-stop"):
            self._note("Available")
        connector.finished = connector.finished or connector.vehicle is not None
        self._start_message = None
        station.profiles.end_transaction(connector.connector_id)
        behind, self._passing = self._passing, None
        self.sampler.last_message = station.queue.put_stop(
            transaction, id_tag=id_tag, data=data, behind=behind
        )
        if self._scheduled_inoperative:
            self._scheduled_inoperative = False
            connector.operative = False
        availability.note(station)
        station.wake_all()
        station.emit("stopped", connectorId=connector.connector_id, reason=reason)

    # Availability and reservations

    def set_operative(self, operative: bool) -> str:
        """Carry out ChangeAvailability for this connector; return its status."""
        self._scheduled_inoperative = False
        if not operative and self.connector.transaction is not None:
            self._scheduled_inoperative = True
            return "Scheduled"
        self.connector.operative = operative
        if not operative:
            self.connector.reservation = self.connector.grant = None
        self.refresh()
        return "Accepted"

    def reserve(self, reservation: Reservation | None) -> None:
        """Reserve the connector, or free it."""
        self.connector.reservation = reservation
        self.refresh()

    def set_error(self, error_code: str) -> None:
        """Put the connector into Faulted with an OCPP error code, or back with ``NoError``."""
        self._advance()
        self.connector.error_code = error_code
        if error_code != "NoError":
            self.connector.reservation = None
        self.refresh()

    async def send_triggered_sample(self) -> None:
        """Send the present readings because the central system asked for them.

        Raises:
            CallFailed: without a transaction they are sent now or never.
        """
        self._advance()
        await self.sampler.send_triggered()

    # Time

    async def run(self) -> None:
        """Refresh the connector whenever something is due, until cancelled."""
        while True:
            self.refresh()
            self._wake.clear()
            await self._station.clock.wait(self._wake, self._seconds_until_due())

    def wake(self) -> None:
        """Have the connector look again at what is due."""
        self._wake.set()

    def settle(self) -> None:
        """Let power flow up to now, before something about it changes."""
        self._advance()

    def _advance(self) -> None:
        self.connector.advance(self._station.clock.monotonic())

    def refresh(self) -> None:
        """Settle physics up to now, do what is due, and note the state."""
        connector, station = self.connector, self._station
        self._advance()
        now, moment = station.clock.now(), station.clock.monotonic()
        if connector.reservation is not None and connector.reservation.expires_at <= now:
            connector.reservation = None
        grant = connector.grant
        if grant is not None and connector.transaction is None:
            usable = connector.operative and connector.error_code == "NoError"
            if connector.vehicle is not None and usable:
                self._begin(grant)
            elif grant.until is not None and grant.until <= moment:
                connector.grant = None
        self._protect_from_heat()
        if self._allowed_until_wh is not None:
            left = connector.meter.register_wh < self._allowed_until_wh
            connector.energised = connector.energised and left
        self._energise()
        self.own_limit = self._ramp.towards(own_limit(station, self), connector, moment)
        apportion(station)
        connector.advance(moment)
        self.sampler.take_due(now, moment)
        if self._is_stable(connector.status, moment):
            between = VIA.get((self._noted, connector.status))
            if between is not None:
                self._note(between)
            self._note(connector.status)
        if self._offer != connector.offer:
            self._offer = connector.offer
            station.emit("limit", connectorId=connector.connector_id, offer=connector.offer)
        station.keep()
        self._wake.set()

    def _protect_from_heat(self) -> None:
        """Fail with HighTemperature while it is too hot, and recover from that alone."""
        connector = self.connector
        connector.thermal.pass_time(0.0, 1.0, 0.0)
        if connector.thermal.has_tripped and connector.error_code == "NoError":
            connector.error_code = "HighTemperature"
        elif not connector.thermal.has_tripped and self._overheated:
            connector.error_code = "NoError"
        self._overheated = connector.error_code == "HighTemperature"

    def _energise(self) -> None:
        """Close the contactor once the central system has spoken, or cannot (no answer)."""
        transaction = self.connector.transaction
        if transaction is None or self.connector.energised or self._start_message is None:
            return
        if transaction.id_tag_status not in (None, "Accepted"):
            return
        if self._start_message.attempted.is_set() or not self._station.link.is_registered:
            self.connector.energised = True

    def _seconds_until_due(self) -> float:
        connector, station = self.connector, self._station
        now, moment = station.clock.now(), station.clock.monotonic()
        due = [LONGEST_SLEEP_S, connector.seconds_until_change()]
        if connector.grant is not None and connector.grant.until is not None:
            due.append(connector.grant.until - moment)
        if connector.reservation is not None:
            due.append((connector.reservation.expires_at - now).total_seconds())
        due.append(self.sampler.seconds_until_due(now, moment))
        due.append(self._ramp.seconds_until_due(moment))
        if connector.transaction is not None and len(station.profiles):
            horizon = now + timedelta(seconds=LONGEST_SLEEP_S)
            change = station.profiles.next_change(now, horizon, self.running)
            due.append((change - now).total_seconds() if change else math.inf)
        least = station.configuration.integer("MinimumStatusDuration")
        if least > 0 and self._unstable is not None:
            stable_in = self._unstable[1] + least - moment
            due.append(stable_in if stable_in > 0 else math.inf)
        if connector.thermal.has_tripped:
            due.append(MAX_STEP_MS / 1000)
        return max(0.001, min(due))

    def _is_stable(self, status: str, moment: float) -> bool:
        """Whether a state has held for MinimumStatusDuration."""
        least = self._station.configuration.integer("MinimumStatusDuration")
        if least <= 0:
            return True
        if self._unstable is None or self._unstable[0] != status:
            self._unstable = (status, moment)
        return moment - self._unstable[1] >= least

    def _note_in_passing(self, status: str) -> None:
        """Note a state that does not last, unless states have to last to be told."""
        if self._station.configuration.integer("MinimumStatusDuration") <= 0:
            self._passing = self._note(status)

    def _note(self, status: str) -> asyncio.Event | None:
        """Note a state; return what is set once it was told, None when it is not new."""
        connector, station = self.connector, self._station
        notice = Notice(
            connector_id=connector.connector_id,
            status=status,
            error_code=connector.error_code,
            at=station.clock.now(),
            after=self.sampler.last_message,
        )
        self._noted = status
        if not station.statuses.note(notice):
            return None
        station.emit("status", connectorId=connector.connector_id, status=status)
        return notice.told
