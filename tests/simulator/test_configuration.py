"""Configuration keys and their access rules (OCPP 1.6 5.3, 5.8, 9)."""

import pytest

from simulator.configuration import Configuration
from simulator.keys import standard_keys

REQUIRED_CORE = [
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "SupportedFeatureProfiles",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
]
REQUIRED_PROFILES = [
    "LocalAuthListEnabled",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
]
READ_ONLY = [
    "GetConfigurationMaxKeys",
    "NumberOfConnectors",
    "SupportedFeatureProfiles",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
]


@pytest.fixture
def configuration() -> Configuration:
    keys = standard_keys(
        connectors=2, meter_interval_s=10, sampled="Voltage,SoC", switches_phases=True
    )
    return Configuration(keys)


def test_all_required_keys_are_listed_with_their_access(configuration):
    known, unknown = configuration.read(None)
    listed = {entry["key"]: entry for entry in known}
    assert unknown == []
    assert set(REQUIRED_CORE + REQUIRED_PROFILES) <= set(listed)
    assert all(listed[name]["readonly"] for name in READ_ONLY)
    assert not listed["HeartbeatInterval"]["readonly"]
    assert all(isinstance(entry["value"], str) for entry in known)
    assert listed["NumberOfConnectors"]["value"] == "2"


def test_secrets_are_never_read(configuration):
    key = "00" * 16
    assert configuration.change("AuthorizationKey", key) == "Accepted"
    assert all(entry["key"] != "AuthorizationKey" for entry in configuration.read(None)[0])
    (entry,), _ = configuration.read(["AuthorizationKey"])
    assert "value" not in entry


def test_names_compare_without_case_and_unknown_ones_are_told(configuration):
    known, unknown = configuration.read(["heartbeatinterval", "Nonsense"])
    assert ([entry["key"] for entry in known], unknown) == (["HeartbeatInterval"], ["Nonsense"])


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "60", "Accepted"),
        ("metervaluesampleinterval", "0", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValueSampleInterval", "INVALID", "Rejected"),
        ("MeterValueSampleInterval", "٣", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("LocalPreAuthorize", "1", "Rejected"),
        ("MeterValuesSampledData", "Voltage,Power.Active.Import", "Accepted"),
        ("MeterValuesSampledData", "", "Accepted"),
        ("MeterValuesSampledData", "RPM", "Rejected"),
        ("ConnectorPhaseRotation", "0.RST,1.RTS", "Accepted"),
        ("ConnectorPhaseRotation", "0.ABC", "Rejected"),
        ("LightIntensity", "101", "Rejected"),
        ("NumberOfConnectors", "3", "Rejected"),
        ("AuthorizationKey", "0102", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ],
)
def test_changes_follow_access_and_type(configuration, key, value, status):
    (before,), _ = configuration.read([key]) if status != "NotSupported" else ([None], [])
    assert configuration.change(key, value) == status
    if status == "Accepted":
        assert configuration.text(key) == value
    elif before is not None:
        assert configuration.read([key])[0] == [before]


def test_overrides_must_be_known_keys():
    keys = standard_keys(connectors=1, meter_interval_s=1, sampled="", switches_phases=False)
    with pytest.raises(ValueError, match="Nonsense"):
        Configuration(keys, {"Nonsense": "1"})
