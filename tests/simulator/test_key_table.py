"""All 52 standard keys: access, values that are taken and refused, over the wire; and their effect.

The last column names the test that shows the effect, wherever it stands.
"""

import re
from pathlib import Path

import pytest

KEY = "ab" * 16
RECONNECTS = {"AuthorizationKey", "WebSocketPingInterval"}
MANY = ",".join(["Voltage"] * 10)

# name: access, first value, taken, refused, the test of its effect
TABLE: dict[str, tuple[str, str | None, list[str], list[str], str]] = {
    "AllowOfflineTxForUnknownId": (
        "RW", "false", ["true", "FALSE"], ["1", "", "yes"], "test_unknown_tags_offline"),
    "AuthorizationCacheEnabled": (
        "RW", "true", ["false"], ["0"], "test_without_a_cache_nothing_is_remembered"),
    "AuthorizeRemoteTxRequests": (
        "RW", "true", ["false"], ["-"], "test_remote_start_without_authorize_waits_for_the_cable"),
    "BlinkRepeat": ("RW", "3", ["0", "10"], ["-1", "x"], "test_lamps"),
    "ClockAlignedDataInterval": (
        "RW", "0", ["900"], ["-900", "15m"], "test_clock_aligned_values_without_a_transaction"),
    "ConnectionTimeOut": ("RW", "60", ["120"], ["-1"], "test_a_tag_without_cable_times_out"),
    "ConnectorPhaseRotation": (
        "RW", "0.RST,1.RST", ["0.RTS", "1.NotApplicable", ""],
        ["0.ABC", "2.RST", "0.RST,0.RTS", "RST"],
        "test_it_tells_what_all_connectors_take_together"),
    "ConnectorPhaseRotationMaxLength": ("R", "2", [], ["3"], "test_rotations_are_counted"),
    "GetConfigurationMaxKeys": ("R", "50", [], ["60"], "test_more_keys_than_allowed_at_once"),
    "HeartbeatInterval": ("RW", "300", ["60", "0"], ["-1"], "test_configuration_over_the_wire"),
    "LightIntensity": ("RW", "100", ["0", "50"], ["101", "-1"], "test_lamps"),
    "LocalAuthorizeOffline": ("RW", "true", ["false"], ["2"], "test_known_tags_offline"),
    "LocalPreAuthorize": ("RW", "false", ["true"], ["on"], "test_known_tags_need_no_authorize"),
    "MaxEnergyOnInvalidId": ("RW", "0", ["500"], ["0.5"], "test_max_energy_on_invalid_id"),
    "MessageTimeout": ("RW", "30", ["5"], ["0", "-5"], "test_message_timeout"),
    "MeterValuesAlignedData": (
        "RW", "Energy.Active.Import.Register", ["Voltage.L1,SoC", ""], ["RPM", MANY],
        "test_lists_choose_what_is_measured"),
    "MeterValuesAlignedDataMaxLength": ("R", "9", [], ["10"], "test_lists_have_a_longest"),
    "MeterValuesSampledData": (
        "RW", None, ["Power.Active.Import", "Current.Import.L2"], ["Voltage.L4", MANY],
        "test_lists_choose_what_is_measured"),
    "MeterValuesSampledDataMaxLength": ("R", "9", [], ["10"], "test_lists_have_a_longest"),
    "MeterValueSampleInterval": (
        "RW", "0", ["60"], ["-1", "INVALID"],
        "test_changed_sample_interval_acts_on_the_running_transaction"),
    "MinimumStatusDuration": (
        "RW", "0", ["5"], ["-1"], "test_minimum_status_duration_swallows_what_does_not_last"),
    "NumberOfConnectors": ("R", "1", [], ["2"], "test_boots_then_reports_all_connectors_and_beats"),
    "ResetRetries": ("RW", "1", ["3"], ["-1"], "test_reset_retries"),
    "StopTransactionMaxMeterValues": ("R", "500", [], ["1"], "test_transaction_data_has_a_longest"),
    "StopTransactionOnEVSideDisconnect": (
        "RW", "true", ["false"], ["maybe"],
        "test_pulled_cable_may_leave_the_transaction_running"),
    "StopTransactionOnInvalidId": (
        "RW", "true", ["false"], ["no"], "test_tag_refused_at_the_start_gets_no_energy"),
    "StopTxnAlignedData": (
        "RW", "", ["Voltage"], ["RPM", MANY], "test_transaction_data_holds_begin_samples_and_end"),
    "StopTxnAlignedDataMaxLength": ("R", "9", [], ["10"], "test_lists_have_a_longest"),
    "StopTxnSampledData": (
        "RW", "", ["Voltage,SoC"], ["Power", MANY],
        "test_transaction_data_holds_begin_samples_and_end"),
    "StopTxnSampledDataMaxLength": ("R", "9", [], ["10"], "test_lists_have_a_longest"),
    "SupportedFeatureProfiles": (
        "R", "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,"
        "RemoteTrigger", [], ["Core"], "test_calls_of_profiles_that_are_not_supported"),
    "SupportedFeatureProfilesMaxLength": ("R", "6", [], ["7"], "test_six_profiles"),
    "TransactionMessageAttempts": (
        "RW", "3", ["5"], ["-3"], "test_the_number_of_attempts_is_configured"),
    "TransactionMessageRetryInterval": (
        "RW", "0", ["10"], ["-1"], "test_retries_wait_the_interval_times_the_earlier_tries"),
    "UnlockConnectorOnEVSideDisconnect": (
        "RW", "true", ["false"], ["-"], "test_tc_005_2_the_cable_stays_locked"),
    "WebSocketPingInterval": ("RW", "60", ["0", "30"], ["-1"], "test_ping_interval"),
    "LocalAuthListEnabled": ("RW", "true", ["false"], ["x"], "test_lists_can_be_switched_off"),
    "LocalAuthListMaxLength": ("R", "1000", [], ["2"], "test_lists_of_tags_have_a_longest"),
    "SendLocalListMaxLength": ("R", "100", [], ["2"], "test_lists_of_tags_have_a_longest"),
    "ReserveConnectorZeroSupported": (
        "R", "true", [], ["false"], "test_reservation_of_connector_zero_can_be_unsupported"),
    "ChargeProfileMaxStackLevel": ("R", "10", [], ["9"], "test_bounds_of_profiles"),
    "ChargingScheduleAllowedChargingRateUnit": (
        "R", "Current,Power", [], ["Current"], "test_bounds_of_profiles"),
    "ChargingScheduleMaxPeriods": ("R", "24", [], ["9"], "test_bounds_of_profiles"),
    "ConnectorSwitch3to1PhaseSupported": (
        "R", "true", [], ["false"], "test_one_phase_needs_a_switch"),
    "MaxChargingProfilesInstalled": ("R", "20", [], ["9"], "test_bounds_of_profiles"),
    "SupportedFileTransferProtocols": (
        "R", "FTP,FTPS,HTTP,HTTPS", [], ["HTTP"], "test_protocols_that_are_not_spoken"),
    "AuthorizationKey": (
        "W", None, [KEY, KEY.upper() + "00000000"], ["0102", KEY + "0", "x" * 32],
        "test_new_authorization_key_is_used_at_once"),
    "AdditionalRootCertificateCheck": (
        "R", "false", [], ["true"], "test_the_old_root_serves_until_the_new_one_has_worked"),
    "CertificateSignedMaxChainSize": (
        "R", "10000", [], ["1"], "test_a_chain_longer_than_allowed_is_rejected"),
    "CertificateStoreMaxLength": ("R", "5", [], ["1"], "test_roots_over_the_wire"),
    "CpoName": ("RW", "", ["Power Ltd", ""], ["x" * 65], "test_upgrade_from_nothing_to_mutual_tls"),
    "SecurityProfile": (
        "RW", "0", ["0"], ["1", "4", "-1", "x"], "test_upgrade_from_nothing_to_mutual_tls"),
}  # fmt: skip


def test_there_are_52():
    assert len(TABLE) == 52


@pytest.mark.parametrize("name", TABLE)
async def test_access_and_values(central, make, name):
    access, first, taken, refused, _ = TABLE[name]

    async def read() -> dict:
        answer = await central.call("CP1", "GetConfiguration", key=[name.lower()])
        (entry,) = answer["configurationKey"]
        return entry

    async def change(value: str) -> str:
        before = central.connections
        answer = await central.call("CP1", "ChangeConfiguration", key=name.upper(), value=value)
        if answer["status"] == "Accepted" and name in RECONNECTS:
            await central.until(lambda: central.connections > before)
            await station.until_registered()
        return answer["status"]

    async with make() as station:
        await station.until_registered()
        entry = await read()
        assert entry["key"] == name
        assert entry["readonly"] is (access == "R")
        if access == "W":
            assert "value" not in entry
        elif first is not None:
            assert entry["value"] == first
        for value in refused:
            assert await change(value) == "Rejected", value
        if access != "W" and first is not None:
            assert (await read())["value"] == first, "a refused value changes nothing"
        for value in taken:
            assert await change(value) == "Accepted", value
            if access != "W":
                assert (await read())["value"] == value
        station.stop(patience_s=0)


def test_each_key_has_a_test_of_its_effect():
    sources = "".join(one.read_text() for one in Path(__file__).parent.glob("test_*.py"))
    tests = set(re.findall(r"def (test_\w+)", sources))
    assert {row[4] for row in TABLE.values()} - tests == set()
