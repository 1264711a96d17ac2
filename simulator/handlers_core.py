"""Answers to the Core and LocalAuthListManagement calls of the central system (OCPP 1.6 5)."""

from functools import partial
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call_result, enums

from simulator import availability, key_effects
from simulator.reboots import reset
from simulator.remote import choose_connector, start_remotely, stop_remotely, unlock
from simulator.rpc import RpcSession, handles, too_many
from simulator.schedule import ProfileError, parse_profile

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class CoreHandlers(RpcSession):
    """Core profile and local list."""

    station: "ChargePointSimulator"

    @handles("RemoteStartTransaction")
    def on_remote_start(
        self,
        id_tag: str,
        connector_id: int | None = None,
        charging_profile: dict[str, Any] | None = None,
    ) -> call_result.RemoteStartTransaction:
        """Accept when a connector is free for the tag; authorization and start follow."""
        station = self.station
        profile = None
        try:
            if charging_profile is not None:
                profile = parse_profile(charging_profile)
        except ProfileError:
            return call_result.RemoteStartTransaction(status=enums.RemoteStartStopStatus.rejected)
        session = choose_connector(station, connector_id, id_tag)
        is_tx_profile = profile is None or (
            profile.purpose == "TxProfile" and profile.transaction_id is None
        )
        if session is None or not is_tx_profile or not station.link.is_registered:
            return call_result.RemoteStartTransaction(status=enums.RemoteStartStopStatus.rejected)
        self.follow_up(lambda: start_remotely(station, session, id_tag, profile))
        return call_result.RemoteStartTransaction(status=enums.RemoteStartStopStatus.accepted)

    @handles("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int) -> call_result.RemoteStopTransaction:
        """Accept when the transaction runs here; it is stopped after the answer."""
        for session in self.station.sessions.values():
            transaction = session.connector.transaction
            if transaction is not None and transaction.transaction_id == transaction_id:
                if not self.station.link.is_registered:
                    break
                self.follow_up(partial(stop_remotely, self.station, transaction))
                return call_result.RemoteStopTransaction(
                    status=enums.RemoteStartStopStatus.accepted
                )
        return call_result.RemoteStopTransaction(status=enums.RemoteStartStopStatus.rejected)

    @handles("Reset")
    def on_reset(self, type: str) -> call_result.Reset:  # noqa: A002  # the field's name on the wire
        """Accept; the reset follows the answer."""
        self.follow_up(lambda: reset(self.station, hard=type == "Hard"))
        return call_result.Reset(status=enums.ResetStatus.accepted)

    @handles("UnlockConnector")
    def on_unlock(self, connector_id: int) -> call_result.UnlockConnector:
        """Unlock; a running transaction is stopped after the answer."""
        statuses = enums.UnlockStatus
        session = self.station.sessions.get(connector_id)
        if session is None or self.station.settings.fixed_cable:
            return call_result.UnlockConnector(status=statuses.not_supported)
        if self.station.temper.has("lock-fails"):
            return call_result.UnlockConnector(status=statuses.unlock_failed)
        self.follow_up(lambda: unlock(session))
        return call_result.UnlockConnector(status=statuses.unlocked)

    @handles("ChangeAvailability")
    def on_change_availability(
        self,
        connector_id: int,
        type: str,  # noqa: A002  # the field's name on the wire
    ) -> call_result.ChangeAvailability:
        """Change one connector, with 0 all; Scheduled while a transaction runs."""
        return call_result.ChangeAvailability(
            status=enums.AvailabilityStatus(
                availability.change(self.station, connector_id, operative=type == "Operative")
            )
        )

    @handles("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None) -> call_result.GetConfiguration:
        """Return the wanted keys, or all.

        Raises:
            OCPPError: OccurenceConstraintViolation, more are wanted than GetConfigurationMaxKeys.
        """
        most = self.station.configuration.integer("GetConfigurationMaxKeys")
        if key and len(key) > most:
            raise too_many(f"at most {most} keys at once")
        known, unknown = self.station.configuration.read(key)
        return call_result.GetConfiguration(
            configuration_key=known, unknown_key=unknown if unknown else None
        )

    @handles("ChangeConfiguration")
    def on_change_configuration(self, key: str, value: str) -> call_result.ChangeConfiguration:
        """Change a key; what depends on it is told after the answer."""
        status = key_effects.change(self.station, key, value)
        if status == "Accepted":
            self.follow_up(lambda: key_effects.follow(self.station, key, value))
        return call_result.ChangeConfiguration(status=enums.ConfigurationStatus(status))

    @handles("ClearCache")
    def on_clear_cache(self) -> call_result.ClearCache:
        """Forget cached tags; without a cache there is nothing to clear (errata 3.23)."""
        if not self.station.configuration.flag("AuthorizationCacheEnabled"):
            return call_result.ClearCache(status=enums.ClearCacheStatus.rejected)
        self.station.tags.clear_cache()
        return call_result.ClearCache(status=enums.ClearCacheStatus.accepted)

    @handles("DataTransfer")
    def on_data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> call_result.DataTransfer:
        """Know the own vendor alone, and no message of it."""
        del message_id, data
        statuses = enums.DataTransferStatus
        is_ours = vendor_id == self.station.settings.vendor
        return call_result.DataTransfer(
            status=statuses.unknown_message_id if is_ours else statuses.unknown_vendor_id
        )

    @handles("GetLocalListVersion")
    def on_get_local_list_version(self) -> call_result.GetLocalListVersion:
        """Return the list's version, 0 for an empty one, -1 when lists are switched off."""
        version = self.station.tags.list_version if self._has_list else -1
        return call_result.GetLocalListVersion(list_version=version)

    @handles("SendLocalList")
    def on_send_local_list(
        self,
        list_version: int,
        update_type: str,
        local_authorization_list: list[dict[str, Any]] | None = None,
    ) -> call_result.SendLocalList:
        """Store the list."""
        if not self._has_list:
            return call_result.SendLocalList(status=enums.UpdateStatus.not_supported)
        entries = local_authorization_list or []
        if len(entries) > self.station.configuration.integer("SendLocalListMaxLength"):
            return call_result.SendLocalList(status=enums.UpdateStatus.failed)
        status = self.station.tags.update_list(list_version, update_type, entries)
        if status == "Accepted":
            availability.warn(self.station, "NoError")
        return call_result.SendLocalList(status=enums.UpdateStatus(status))

    @property
    def _has_list(self) -> bool:
        configuration = self.station.configuration
        profiles = configuration.items("SupportedFeatureProfiles")
        return configuration.flag("LocalAuthListEnabled") and "LocalAuthListManagement" in profiles
