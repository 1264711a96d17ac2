"""Which known word a station has meant: fields and values of enumerations, however spelled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache

_SHORTEST_GUESS = 5
_LIKENESS = 0.88
_LONGEST = 80
_NOT_WORD = re.compile(r"[^a-z0-9%]+")


def fold(text: str) -> str:
    """Return what two spellings of one word have in common.

    >>> fold("Energy.Active-Import_register") == fold("energyActiveImportRegister")
    True
    """
    return _NOT_WORD.sub("", text[:_LONGEST].lower())


def known_as(
    text: str, words: tuple[str, ...], others: Mapping[str, tuple[str, ...]]
) -> str | None:
    """Return the word of `words` that a text means by its letters or as another name, or None.

    Args:
        text: As the station spells it.
        words: What it may mean.
        others: Folded other names -> what they stand for; the first that is in `words` counts.
    """
    folded, by_fold = fold(text), _by_fold(words)
    if folded in by_fold:
        return by_fold[folded]
    for word in others.get(folded, ()):
        if word in words:
            return word
    return None


def resembling(text: str, words: tuple[str, ...]) -> str | None:
    """Return the word that a text is most like, if it is very much; costs tens of microseconds.

    >>> resembling("conectorId", ("connectorId", "idTag")), resembling("L1-L4", ("L1-L2",))
    ('connectorId', None)
    """
    folded, by_fold = fold(text), _by_fold(words)
    if len(folded) < _SHORTEST_GUESS:
        return None
    near = difflib.get_close_matches(folded, by_fold, n=1, cutoff=_LIKENESS)
    return by_fold[near[0]] if near else None


@lru_cache(maxsize=512)
def _by_fold(words: tuple[str, ...]) -> Mapping[str, str]:
    return {fold(word): word for word in words}


OTHER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "connector": ("connectorId",),
    "connectorno": ("connectorId",),
    "connectornumber": ("connectorId",),
    "connectorstate": ("status",),
    "connectorstatus": ("status",),
    "data": ("transactionData",),
    "error": ("errorCode",),
    "evseid": ("connectorId",),
    "firmware": ("firmwareVersion",),
    "fwversion": ("firmwareVersion",),
    "identifier": ("idTag",),
    "idtoken": ("idTag",),
    "manufacturer": ("chargePointVendor",),
    "meterstartvalue": ("meterStart",),
    "meterstopvalue": ("meterStop",),
    "meterend": ("meterStop",),
    "metervalues": ("meterValue",),
    "model": ("chargePointModel",),
    "name": ("key",),
    "result": ("status",),
    "rfid": ("idTag",),
    "rfidtag": ("idTag",),
    "serial": ("chargePointSerialNumber",),
    "serialnumber": ("chargePointSerialNumber",),
    "state": ("status",),
    "stoppedreason": ("reason",),
    "stopreason": ("reason",),
    "tag": ("idTag",),
    "tagid": ("idTag",),
    "time": ("timestamp",),
    "txid": ("transactionId",),
    "values": ("meterValue", "sampledValue", "transactionData"),
    "vendor": ("chargePointVendor", "vendorId"),
    "vendorname": ("chargePointVendor",),
    "version": ("listVersion", "firmwareVersion"),
}

OTHER_VALUES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "chargingRateUnit": {
        "amp": ("A",),
        "ampere": ("A",),
        "amperes": ("A",),
        "amps": ("A",),
        "watt": ("W",),
        "watts": ("W",),
    },
    "errorCode": {
        "": ("NoError",),
        "0": ("NoError",),
        "error": ("OtherError",),
        "mode3error": ("EVCommunicationError",),
        "none": ("NoError",),
        "noerr": ("NoError",),
        "ok": ("NoError",),
        "overtemperature": ("HighTemperature",),
        "overcurrent": ("OverCurrentFailure",),
        "groundfault": ("GroundFailure",),
        "powermeterfault": ("PowerMeterFailure",),
    },
    "measurand": {
        "current": ("Current.Import",),
        "energy": ("Energy.Active.Import.Register",),
        "energyactive": ("Energy.Active.Import.Register",),
        "energyactiveimport": ("Energy.Active.Import.Register",),
        "energyimport": ("Energy.Active.Import.Register",),
        "importregister": ("Energy.Active.Import.Register",),
        "power": ("Power.Active.Import",),
        "poweractive": ("Power.Active.Import",),
        "powerimport": ("Power.Active.Import",),
        "stateofcharge": ("SoC",),
    },
    "phase": {"1": ("L1",), "2": ("L2",), "3": ("L3",), "a": ("L1",), "b": ("L2",), "c": ("L3",)},
    "context": {
        "begin": ("Transaction.Begin",),
        "end": ("Transaction.End",),
        "periodic": ("Sample.Periodic",),
        "sample": ("Sample.Periodic",),
        "clock": ("Sample.Clock",),
        "triggered": ("Trigger",),
    },
    "reason": {
        "deauth": ("DeAuthorized",),
        "disconnected": ("EVDisconnected",),
        "emergency": ("EmergencyStop",),
        "remotestop": ("Remote",),
        "stoppedbyuser": ("Local",),
        "unplugged": ("EVDisconnected",),
        "user": ("Local",),
    },
    "status": {
        "accept": ("Accepted",),
        "accepted": ("Unlocked",),
        "applied": ("Accepted",),
        "busy": ("Charging",),
        "connected": ("Preparing",),
        "done": ("Accepted",),
        "error": ("Faulted", "Rejected"),
        "fail": ("Failed", "Rejected"),
        "failed": ("Rejected",),
        "failure": ("Failed", "Rejected"),
        "false": ("Rejected",),
        "fault": ("Faulted",),
        "finished": ("Finishing",),
        "free": ("Available",),
        "idle": ("Idle", "Available"),
        "inoperative": ("Unavailable",),
        "needreboot": ("RebootRequired",),
        "notavailable": ("Unavailable",),
        "notimplemented": ("NotSupported",),
        "notsupported": ("NotImplemented",),
        "occupied": ("Preparing",),  # OCPP 1.5
        "ok": ("Accepted",),
        "outofservice": ("Unavailable",),
        "plugged": ("Preparing",),
        "readonly": ("Rejected",),
        "reboot": ("RebootRequired",),
        "rebootneeded": ("RebootRequired",),
        "reject": ("Rejected",),
        "rejected": ("UnlockFailed",),
        "reserved": ("Accepted",),
        "success": ("Accepted",),
        "successful": ("Accepted",),
        "suspended": ("SuspendedEV",),
        "true": ("Accepted",),
        "unknownkey": ("NotSupported",),
        "unsupported": ("NotSupported", "NotImplemented"),
        "uploadfailed": ("UploadFailure", "UploadFailed"),
        "uploadfailure": ("UploadFailed", "UploadFailure"),
        "waiting": ("Preparing",),
    },
    "unit": {
        "%": ("Percent",),
        "amp": ("A",),
        "ampere": ("A",),
        "amperes": ("A",),
        "amps": ("A",),
        "c": ("Celsius",),
        "degc": ("Celsius",),
        "f": ("Fahrenheit",),
        "hz": ("Hertz",),
        "kilowatt": ("kW",),
        "kilowatthour": ("kWh",),
        "kilowatthours": ("kWh",),
        "pct": ("Percent",),
        "volt": ("V",),
        "volts": ("V",),
        "watt": ("W",),
        "watthour": ("Wh",),
        "watthours": ("Wh",),
        "watts": ("W",),
    },
}

FALLBACKS: Mapping[str, str] = {"errorCode": "OtherError", "reason": "Other"}
"""What an unknown value of a field becomes."""

GUESSED = frozenset({"errorCode", "measurand", "context", "reason", "status", "location", "format"})
"""Fields whose values are long enough for a likeness to mean something."""

KEPT = frozenset({"status", "measurand", "unit", "context", "phase", "location", "format"})
"""Fields whose unknown values are kept as text; nothing is decided by them."""
