"""Answers to SmartCharging, Reservation and RemoteTrigger calls (OCPP 1.6 5)."""

from typing import TYPE_CHECKING, Any

from ocpp.v16 import call_result, enums

from simulator.clock import iso
from simulator.connector import Reservation
from simulator.reservations import cancel, reserve
from simulator.rpc import RpcSession, handles, moment
from simulator.schedule import Period, ProfileError, parse_profile
from simulator.supply import RateUnit
from simulator.triggers import triggered

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class ChargingHandlers(RpcSession):
    """Charging profiles, reservations and triggers."""

    station: "ChargePointSimulator"

    @handles("SetChargingProfile")
    def on_set_charging_profile(
        self, connector_id: int, cs_charging_profiles: dict[str, Any]
    ) -> call_result.SetChargingProfile:
        """Install the profile; the vehicle gets the new limit at once."""
        station = self.station
        session = station.sessions.get(connector_id)
        running = session.running if session is not None else None
        try:
            profile = parse_profile(cs_charging_profiles)
            station.profiles.install(connector_id, profile, station.clock.now(), running)
        except ProfileError as error:
            station.emit("profile_refused", connectorId=connector_id, why=str(error))
            return call_result.SetChargingProfile(status=enums.ChargingProfileStatus.rejected)
        station.refresh_all()
        return call_result.SetChargingProfile(status=enums.ChargingProfileStatus.accepted)

    @handles("ClearChargingProfile")
    def on_clear_charging_profile(
        self,
        id: int | None = None,  # noqa: A002  # the field's name on the wire
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> call_result.ClearChargingProfile:
        """Remove the profiles that match."""
        removed = self.station.profiles.clear(
            profile_id=id,
            connector_id=connector_id,
            purpose=charging_profile_purpose,
            stack_level=stack_level,
        )
        self.station.refresh_all()
        found = enums.ClearChargingProfileStatus
        return call_result.ClearChargingProfile(status=found.accepted if removed else found.unknown)

    @handles("GetCompositeSchedule")
    def on_get_composite_schedule(
        self, connector_id: int, duration: int, charging_rate_unit: RateUnit | None = None
    ) -> call_result.GetCompositeSchedule:
        """Return the limits from now on; for connector 0 what all connectors may take together."""
        station = self.station
        session = station.sessions.get(connector_id)
        if duration <= 0 or (session is None and connector_id != 0):
            return call_result.GetCompositeSchedule(
                status=enums.GetCompositeScheduleStatus.rejected
            )
        supply = station.settings.supply if session is None else session.connector.supply
        unit = charging_rate_unit or supply.native_unit
        now = station.clock.now().replace(microsecond=0)
        running = {number: one.running for number, one in station.sessions.items()}
        if session is None:
            periods = station.profiles.whole_composite(
                now, duration, supply, running, unit, budget_w=station.settings.budget_w
            )
        else:
            periods = station.profiles.composite(
                connector_id, now, duration, supply, running[connector_id], unit
            )
        return call_result.GetCompositeSchedule(
            status=enums.GetCompositeScheduleStatus.accepted,
            connector_id=connector_id,
            schedule_start=iso(now),
            charging_schedule={
                "duration": duration,
                "start_schedule": iso(now),
                "charging_rate_unit": unit,
                "charging_schedule_period": [_wire_period(period) for period in periods],
            },
        )

    @handles("ReserveNow")
    def on_reserve_now(
        self,
        connector_id: int,
        expiry_date: str,
        id_tag: str,
        reservation_id: int,
        parent_id_tag: str | None = None,
    ) -> call_result.ReserveNow:
        """Reserve a connector; 0 lets the charge point choose a free one."""
        reservation = Reservation(
            reservation_id=reservation_id,
            id_tag=id_tag,
            parent_id_tag=parent_id_tag,
            expires_at=moment(expiry_date),
            of_any=connector_id == 0,
        )
        return call_result.ReserveNow(
            status=enums.ReservationStatus(reserve(self.station, connector_id, reservation))
        )

    @handles("CancelReservation")
    def on_cancel_reservation(self, reservation_id: int) -> call_result.CancelReservation:
        """Free the connector of that reservation."""
        found = cancel(self.station, reservation_id)
        statuses = enums.CancelReservationStatus
        status = statuses.accepted if found else statuses.rejected
        return call_result.CancelReservation(status=status)

    @handles("TriggerMessage")
    def on_trigger_message(
        self, requested_message: str, connector_id: int | None = None
    ) -> call_result.TriggerMessage:
        """Send the wanted message after the answer."""
        statuses = enums.TriggerMessageStatus
        if connector_id is not None and connector_id not in self.station.sessions:
            return call_result.TriggerMessage(status=statuses.rejected)
        work = triggered(self.station, requested_message, connector_id, extended=False)
        if work is None:
            return call_result.TriggerMessage(status=statuses.not_implemented)
        self.follow_up(work)
        return call_result.TriggerMessage(status=statuses.accepted)


def _wire_period(period: Period) -> dict[str, Any]:
    entry: dict[str, Any] = {"start_period": period.start_s, "limit": period.limit}
    if period.phases is not None:
        entry["number_phases"] = period.phases
    return entry
