"""The configuration keys of a charge point with their access rules (OCPP 1.6 9).

Values are texts, as on the wire; typed readers stand beside. Key names compare without case. The
store decides whether a change is allowed; who uses a key reads it when needed, so a change acts at
once.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Access = Literal["R", "RW", "W"]
ChangeStatus = Literal["Accepted", "Rejected", "RebootRequired", "NotSupported"]

MEASURANDS = frozenset(
    {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Current.Import",
        "Voltage",
        "SoC",
        "Current.Offered",
        "Power.Offered",
    }
)
"""Measurands that the simulator can send."""

PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
ROTATIONS = frozenset({"NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key's name, access, first value and the test that a new value must pass."""

    name: str
    access: Access
    value: str
    accepts: Callable[[str], bool] = lambda _: True


def is_count(text: str) -> bool:
    """Whether ``text`` is a whole number of at least 0, as OCPP writes it."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def is_bool(text: str) -> bool:
    """Whether ``text`` is ``true`` or ``false``."""
    return text.lower() in ("true", "false")


def is_measurand_list(text: str) -> bool:
    """Whether every item of a comma separated list is a measurand the simulator has."""
    return all(item in MEASURANDS for item in split_list(text))


def is_rotation_list(text: str) -> bool:
    """Whether ``text`` is a list such as ``0.RST,1.RTS``."""
    parts = [item.partition(".") for item in split_list(text)]
    return all(is_count(number) and rotation in ROTATIONS for number, _, rotation in parts)


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
    *, connectors: int, meter_interval_s: int, sampled: str, switches_phases: bool
) -> tuple[Key, ...]:
    """Return the standard keys with the simulator's defaults."""
    count, flag, listed = is_count, is_bool, is_measurand_list
    energy = "Energy.Active.Import.Register"
    rotation = ",".join(f"{number}.RST" for number in range(connectors + 1))
    writable = [
        ("AllowOfflineTxForUnknownId", "false", flag),
        ("AuthorizationCacheEnabled", "true", flag),
        ("AuthorizeRemoteTxRequests", "true", flag),
        ("BlinkRepeat", "3", count),
        ("ClockAlignedDataInterval", "0", count),
        ("ConnectionTimeOut", "60", count),
        ("ConnectorPhaseRotation", rotation, is_rotation_list),
        ("CpoName", "", lambda _: True),
        ("HeartbeatInterval", "300", count),
        ("LightIntensity", "100", lambda text: is_count(text) and int(text) <= 100),
        ("LocalAuthListEnabled", "true", flag),
        ("LocalAuthorizeOffline", "true", flag),
        ("LocalPreAuthorize", "false", flag),
        ("MaxEnergyOnInvalidId", "0", count),
        ("MessageTimeout", "30", lambda text: is_count(text) and int(text) > 0),
        ("MeterValueSampleInterval", str(meter_interval_s), count),
        ("MeterValuesAlignedData", energy, listed),
        ("MeterValuesSampledData", sampled, listed),
        ("MinimumStatusDuration", "0", count),
        ("ResetRetries", "1", count),
        ("StopTransactionOnEVSideDisconnect", "true", flag),
        ("StopTransactionOnInvalidId", "true", flag),
        ("StopTxnAlignedData", "", listed),
        ("StopTxnSampledData", "", listed),
        ("TransactionMessageAttempts", "3", count),
        ("TransactionMessageRetryInterval", "60", count),
        ("UnlockConnectorOnEVSideDisconnect", "true", flag),
        ("WebSocketPingInterval", "60", count),
    ]
    fixed = [
        ("ChargeProfileMaxStackLevel", "10"),
        ("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
        ("ChargingScheduleMaxPeriods", "24"),
        ("ConnectorPhaseRotationMaxLength", str(connectors + 1)),
        ("ConnectorSwitch3to1PhaseSupported", str(switches_phases).lower()),
        ("GetConfigurationMaxKeys", "100"),
        ("LocalAuthListMaxLength", "1000"),
        ("MaxChargingProfilesInstalled", "20"),
        ("MeterValuesAlignedDataMaxLength", str(len(MEASURANDS))),
        ("MeterValuesSampledDataMaxLength", str(len(MEASURANDS))),
        ("NumberOfConnectors", str(connectors)),
        ("AdditionalRootCertificateCheck", "false"),
        ("CertificateSignedMaxChainSize", "10000"),
        ("CertificateStoreMaxLength", "0"),
        ("ReserveConnectorZeroSupported", "true"),
        ("StopTransactionMaxMeterValues", "500"),
        ("SupportedFeatureProfilesMaxLength", "6"),
        ("SecurityProfile", "0"),
        ("SendLocalListMaxLength", "100"),
        ("StopTxnAlignedDataMaxLength", str(len(MEASURANDS))),
        ("StopTxnSampledDataMaxLength", str(len(MEASURANDS))),
        ("SupportedFeatureProfiles", PROFILES),
        ("SupportedFileTransferProtocols", "FTP,FTPS,HTTP,HTTPS"),
    ]
    keys = [
        Key(name=name, access="RW", value=value, accepts=test) for name, value, test in writable
    ]
    keys += [Key(name=name, access="R", value=value) for name, value in fixed]
    keys.append(Key(name="AuthorizationKey", access="W", value="", accepts=is_authorization_key))
    return tuple(sorted(keys, key=lambda key: key.name))


@functools.cache
def _by_name(keys: tuple[Key, ...]) -> Mapping[str, Key]:
    """The table of keys, one for all charge points of a kind."""
    return {key.name.lower(): key for key in keys}


class Configuration:
    """The keys of one charge point and their present values.

    Only values that differ from the defaults are stored; the table of keys is shared.

    Args:
        keys: the keys there are, with their defaults.
        overrides: first values that differ, of keys of any access.

    Raises:
        ValueError: an override names no key, or its value does not pass the key's test.
    """

    def __init__(self, keys: tuple[Key, ...], overrides: Mapping[str, str] | None = None) -> None:
        self._keys = _by_name(keys)
        self._values: dict[str, str] = {}
        for name, value in (overrides or {}).items():
            key = self._keys.get(name.lower())
            if key is None or not key.accepts(value):
                fault = "unknown configuration key" if key is None else "bad value for"
                msg = f"{fault} {name}"
                raise ValueError(msg)
            self._values[name.lower()] = value

    def text(self, name: str) -> str:
        """Return a key's value.

        Raises:
            KeyError: there is no such key.
        """
        return self._values.get(name.lower(), self._keys[name.lower()].value)

    def integer(self, name: str) -> int:
        """Return a key's value as a whole number."""
        return int(self.text(name))

    def flag(self, name: str) -> bool:
        """Return a key's value as a truth value."""
        return self.text(name).lower() == "true"

    def items(self, name: str) -> list[str]:
        """Return a key's comma separated items."""
        return split_list(self.text(name))

    def override(self, name: str, value: str) -> None:
        """Set a value from inside, access and tests aside (HeartbeatInterval at boot)."""
        self._values[self._keys[name.lower()].name.lower()] = value

    def change(self, name: str, value: str) -> ChangeStatus:
        """Carry out ChangeConfiguration; return its status. Only Accepted changes the value."""
        key = self._keys.get(name.lower())
        if key is None:
            return "NotSupported"
        if key.access == "R" or not key.accepts(value):
            return "Rejected"
        self._values[name.lower()] = value
        return "Accepted"

    def read(self, names: list[str] | None) -> tuple[list[dict[str, object]], list[str]]:
        """Return GetConfiguration's known keys and the unknown names; no names ask for all.

        A write-only key is left out of the whole list, and has no value when it is asked for by
        name.
        """
        if not names:
            listed = [key for key in self._keys.values() if key.access != "W"]
            return [self._entry(key) for key in listed], []
        known = [
            self._entry(self._keys[name.lower()]) for name in names if name.lower() in self._keys
        ]
        return known, [name for name in names if name.lower() not in self._keys]

    def _entry(self, key: Key) -> dict[str, object]:
        entry: dict[str, object] = {"key": key.name, "readonly": key.access == "R"}
        if key.access != "W":
            entry["value"] = self.text(key.name)
        return entry
