"""The 52 standard configuration keys: access, default, and the test that a new value must pass.

Tables and small predicates only (OCPP 1.6 9, security whitepaper 7). The values of one charge point
stand in :mod:`simulator.configuration`, what a change sets off in :mod:`simulator.key_effects`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Access = Literal["R", "RW", "W"]

MEASURANDS = frozenset(
    {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Current.Import",
        "Voltage",
        "SoC",
        "Current.Offered",
        "Power.Offered",
        "Frequency",
        "Temperature",
    }
)
"""Measurands that the simulator can send."""

PHASES = ("L1", "L2", "L3")
PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
ROTATIONS = frozenset({"NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"})
MAX_CPO_NAME = 64
"""Longest organisation name of a certificate (X.520)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key's name, access, first value and the test that a new value must pass.

    Attributes:
        most: the key that says how many items a list may have.
    """

    name: str
    access: Access
    value: str
    accepts: Callable[[str], bool] = lambda _: True
    most: str | None = None


def is_count(text: str) -> bool:
    """Whether ``text`` is a whole number of at least 0, as OCPP writes it."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def is_positive(text: str) -> bool:
    """Whether ``text`` is a whole number of at least 1."""
    return is_count(text) and int(text) > 0


def is_bool(text: str) -> bool:
    """Whether ``text`` is ``true`` or ``false``."""
    return text.lower() in ("true", "false")


def is_percent(text: str) -> bool:
    """Whether ``text`` is a whole number from 0 to 100."""
    return is_count(text) and int(text) <= 100


def is_security_profile(text: str) -> bool:
    """Whether ``text`` names a security profile (0: none)."""
    return text in ("0", "1", "2", "3")


def split_measurand(item: str) -> tuple[str, str | None]:
    """Return the measurand and the phase, None for all, that an item of a list names.

    >>> split_measurand("Voltage.L1"), split_measurand("SoC")
    (('Voltage', 'L1'), ('SoC', None))
    """
    name, _, phase = item.rpartition(".")
    return (name, phase) if phase in PHASES else (item, None)


def is_measurand_list(text: str) -> bool:
    """Whether every item of a comma separated list is a measurand the simulator has."""
    return all(split_measurand(item)[0] in MEASURANDS for item in split_list(text))


def is_rotation_list(text: str, connectors: int) -> bool:
    """Whether ``text`` is a list such as ``0.RST,1.RTS``, each connector at most once."""
    parts = [item.partition(".") for item in split_list(text)]
    numbers = [int(number) for number, _, _ in parts if is_count(number)]
    return (
        len(set(numbers)) == len(parts)
        and all(number <= connectors for number in numbers)
        and all(rotation in ROTATIONS for _, _, rotation in parts)
    )


def is_authorization_key(text: str) -> bool:
    """Whether ``text`` is the hex form of 16 to 20 bytes (security whitepaper A00.FR.205)."""
    try:
        return 16 <= len(bytes.fromhex(text)) <= 20 and len(text) == 2 * len(bytes.fromhex(text))
    except ValueError:
        return False


def split_list(text: str) -> list[str]:
    """Return the items of a comma separated list, without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


@functools.cache
def standard_keys(
    *,
    connectors: int,
    meter_interval_s: int,
    sampled: str,
    switches_phases: bool,
    has_fixed_cable: bool = False,
) -> tuple[Key, ...]:
    """Return the standard keys with the simulator's defaults.

    Args:
        connectors: how many there are.
        meter_interval_s: MeterValueSampleInterval.
        sampled: MeterValuesSampledData.
        switches_phases: whether a connector of three phases can do with one.
        has_fixed_cable: nothing can be unlocked then (errata 3.83).
    """
    rotation = ",".join(f"{number}.RST" for number in range(connectors + 1))
    energy = "Energy.Active.Import.Register"
    counts = {
        "BlinkRepeat": "3",
        "ClockAlignedDataInterval": "0",
        "ConnectionTimeOut": "60",
        "HeartbeatInterval": "300",
        "MaxEnergyOnInvalidId": "0",
        "MeterValueSampleInterval": str(meter_interval_s),
        "MinimumStatusDuration": "0",
        "ResetRetries": "1",
        "TransactionMessageAttempts": "3",
        "TransactionMessageRetryInterval": "60",
        "WebSocketPingInterval": "60",
    }
    flags = {
        "AllowOfflineTxForUnknownId": "false",
        "AuthorizationCacheEnabled": "true",
        "AuthorizeRemoteTxRequests": "true",
        "LocalAuthListEnabled": "true",
        "LocalAuthorizeOffline": "true",
        "LocalPreAuthorize": "false",
        "StopTransactionOnEVSideDisconnect": "true",
        "StopTransactionOnInvalidId": "true",
    }
    lists = {
        "MeterValuesAlignedData": energy,
        "MeterValuesSampledData": sampled,
        "StopTxnAlignedData": "",
        "StopTxnSampledData": "",
    }
    fixed = {
        "AdditionalRootCertificateCheck": ("false", is_bool),
        "CertificateSignedMaxChainSize": ("10000", is_count),
        "CertificateStoreMaxLength": ("5", is_count),
        "ChargeProfileMaxStackLevel": ("10", is_count),
        "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", _is_unit_list),
        "ChargingScheduleMaxPeriods": ("24", is_count),
        "ConnectorPhaseRotationMaxLength": (str(connectors + 1), is_count),
        "ConnectorSwitch3to1PhaseSupported": (str(switches_phases).lower(), is_bool),
        "GetConfigurationMaxKeys": ("50", is_count),
        "LocalAuthListMaxLength": ("1000", is_count),
        "MaxChargingProfilesInstalled": ("20", is_count),
        "NumberOfConnectors": (str(connectors), is_count),
        "ReserveConnectorZeroSupported": ("true", is_bool),
        "SendLocalListMaxLength": ("100", is_count),
        "StopTransactionMaxMeterValues": ("500", is_count),
        "SupportedFeatureProfiles": (PROFILES, _is_profile_list),
        "SupportedFeatureProfilesMaxLength": ("6", is_count),
        "SupportedFileTransferProtocols": ("FTP,FTPS,HTTP,HTTPS", _is_protocol_list),
        **{f"{name}MaxLength": (str(len(MEASURANDS)), is_count) for name in lists},
    }

    def fits(text: str) -> bool:
        return is_rotation_list(text, connectors)

    def is_name(text: str) -> bool:
        return len(text) <= MAX_CPO_NAME

    keys = [Key(name=name, access="RW", value=at, accepts=is_count) for name, at in counts.items()]
    keys += [Key(name=name, access="RW", value=at, accepts=is_bool) for name, at in flags.items()]
    keys += [
        Key(name=name, access="RW", value=at, accepts=is_measurand_list, most=f"{name}MaxLength")
        for name, at in lists.items()
    ]
    keys += [
        Key(name=name, access="R", value=at, accepts=test) for name, (at, test) in fixed.items()
    ]
    keys += [
        Key(name="AuthorizationKey", access="W", value="", accepts=is_authorization_key),
        Key(
            name="ConnectorPhaseRotation",
            access="RW",
            value=rotation,
            accepts=fits,
            most="ConnectorPhaseRotationMaxLength",
        ),
        Key(name="CpoName", access="RW", value="", accepts=is_name),
        Key(name="LightIntensity", access="RW", value="100", accepts=is_percent),
        Key(name="MessageTimeout", access="RW", value="30", accepts=is_positive),
        Key(name="SecurityProfile", access="RW", value="0", accepts=is_security_profile),
        Key(
            name="UnlockConnectorOnEVSideDisconnect",
            access="R" if has_fixed_cable else "RW",
            value=str(not has_fixed_cable).lower(),
            accepts=is_bool,
        ),
    ]
    return tuple(sorted(keys, key=lambda key: key.name))


def _is_unit_list(text: str) -> bool:
    return set(split_list(text)) <= {"Current", "Power", "A", "W"} and bool(split_list(text))


def _is_profile_list(text: str) -> bool:
    return set(split_list(text)) <= set(split_list(PROFILES)) and "Core" in split_list(text)


def _is_protocol_list(text: str) -> bool:
    return set(split_list(text)) <= {"FTP", "FTPS", "HTTP", "HTTPS", "SFTP"}
