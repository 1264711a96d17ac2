"""The 26 calls of a central system in an operator's words: for lists and above forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntry:
    """A call.

    Attributes:
        profile: Feature profile of OCPP 1.6, or `Security` for those of the security whitepaper.
        title: What a button says.
        about: One sentence: what it does.
        disrupts: Whether it may end a session or take the station out of service.
    """

    profile: str
    title: str
    about: str
    disrupts: bool = False


def _entry(profile: str, title: str, about: str, *, disrupts: bool = False) -> CallEntry:
    return CallEntry(profile=profile, title=title, about=about, disrupts=disrupts)


CALLS: Final[Mapping[str, CallEntry]] = {
    "CancelReservation": _entry(
        "Reservation", "Cancel reservation", "Frees a connector that is kept for somebody."
    ),
    "CertificateSigned": _entry(
        "Security", "Hand over a signed certificate", "Gives the station its new certificate."
    ),
    "ChangeAvailability": _entry(
        "Core",
        "Change availability",
        "Takes a connector, or with 0 the whole station, out of service or back into it.",
        disrupts=True,
    ),
    "ChangeConfiguration": _entry(
        "Core", "Change a configuration key", "Sets one key to a new value, once."
    ),
    "ClearCache": _entry(
        "Core", "Clear the authorization cache", "Lets the station forget which tags it has seen."
    ),
    "ClearChargingProfile": _entry(
        "SmartCharging",
        "Clear charging profiles",
        "Removes limits; those of a site are set again by themselves.",
    ),
    "DataTransfer": _entry(
        "Core", "Send a vendor's message", "Sends data that only a vendor knows."
    ),
    "DeleteCertificate": _entry(
        "Security", "Delete a certificate", "Removes a root certificate from the station."
    ),
    "ExtendedTriggerMessage": _entry(
        "Security", "Ask for a message", "Lets the station send a message now; knows more of them."
    ),
    "GetCompositeSchedule": _entry(
        "SmartCharging", "Ask for the schedule", "Asks which limits the station will keep."
    ),
    "GetConfiguration": _entry("Core", "Read the configuration", "Asks for keys and their values."),
    "GetDiagnostics": _entry(
        "FirmwareManagement", "Fetch diagnostics", "Lets the station send its diagnostics file."
    ),
    "GetInstalledCertificateIds": _entry(
        "Security", "List certificates", "Asks which root certificates the station has."
    ),
    "GetLocalListVersion": _entry(
        "LocalAuthListManagement",
        "Ask for the list's version",
        "Asks which version of the local list the station has.",
    ),
    "GetLog": _entry("Security", "Fetch a log", "Lets the station send its log file."),
    "InstallCertificate": _entry(
        "Security", "Install a root certificate", "Lets the station trust a certificate authority."
    ),
    "RemoteStartTransaction": _entry(
        "Core", "Start a session", "Starts charging as if this tag had been presented."
    ),
    "RemoteStopTransaction": _entry(
        "Core", "Stop a session", "Ends a running session.", disrupts=True
    ),
    "ReserveNow": _entry(
        "Reservation", "Reserve a connector", "Keeps a connector for one tag until a time."
    ),
    "Reset": _entry(
        "Core", "Restart the station", "Soft ends sessions properly, Hard does not.", disrupts=True
    ),
    "SendLocalList": _entry(
        "LocalAuthListManagement",
        "Send a local list",
        "Tells the station whom to let in while it is offline.",
    ),
    "SetChargingProfile": _entry(
        "SmartCharging", "Set a charging profile", "Limits a connector's power over time."
    ),
    "SignedUpdateFirmware": _entry(
        "Security", "Update the firmware, signed", "Installs a signed image.", disrupts=True
    ),
    "TriggerMessage": _entry(
        "RemoteTrigger", "Ask for a message", "Lets the station send a message now."
    ),
    "UnlockConnector": _entry(
        "Core",
        "Unlock a connector",
        "Frees a cable; ends the session if there is one.",
        disrupts=True,
    ),
    "UpdateFirmware": _entry(
        "FirmwareManagement", "Update the firmware", "Installs an image.", disrupts=True
    ),
}
