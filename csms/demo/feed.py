"""The newest OCPP messages in a few words each: a call and its answer become one line."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from csms.demo.picture import Answered, MessagePicture
from csms.services.messages import logged_message
from csms.services.records import MessageRecord

_KEPT = 200
_RATE_OVER = timedelta(seconds=10)
_LIMIT = "SetChargingProfile"
_UNIT = 1000

Payload = Mapping[str, Any]


class Feed:
    """Takes frames in and keeps the newest lines.

    Args:
        zone: In which the times are told; None is the machine's.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._lines: OrderedDict[tuple[str, str], MessagePicture] = OrderedDict()
        self._times: deque[datetime] = deque()
        self.limits = 0

    def take(self, frames: Iterable[tuple[str, MessageRecord]]) -> None:
        """Take in frames with the identities of their charge points, in order."""
        for station, record in frames:
            self._times.append(record.at)
            message = logged_message(record)
            key = (station, record.message_id or "")
            if message.type == "call":
                self._lines[key] = MessagePicture(
                    at=record.at.astimezone(self._zone),
                    to_station=record.direction == "out",
                    station=station,
                    action=record.action or "?",
                    text=_told(_CALLS, record.action, message.payload),
                )
            elif key in self._lines:
                line = self._lines[key]
                good = message.type == "callResult"
                answer = (
                    _told(_ANSWERS, record.action, message.payload, _status)
                    if good
                    else f"{_field(message.payload, 'errorCode') or 'error'}"
                )
                good = good and answer.split(" ")[0] not in _REFUSALS
                self._lines[key] = replace(
                    line, answer=answer, answered=Answered.WELL if good else Answered.BADLY
                )
                if line.to_station and line.action == _LIMIT and answer == "Accepted":
                    self.limits += 1
        while len(self._lines) > _KEPT:
            self._lines.popitem(last=False)

    def newest(self) -> tuple[MessagePicture, ...]:
        """Return the lines, the newest last."""
        return tuple(self._lines.values())

    def per_second(self, now: datetime) -> float:
        """Return how many frames a second have come and gone lately."""
        while self._times and self._times[0] < now - _RATE_OVER:
            self._times.popleft()
        return len(self._times) / _RATE_OVER.total_seconds()


_REFUSALS = frozenset({"Rejected", "Invalid", "Blocked", "Expired", "NotSupported", "ConcurrentTx"})

Teller = Callable[[Payload], str]


def _told(
    tellers: Mapping[str, Teller],
    action: str | None,
    payload: Any,
    otherwise: Teller = lambda _: "",
) -> str:
    """Return a payload in words; one of an odd shape has none, for the log holds all that came."""
    if not isinstance(payload, Mapping):
        return ""
    try:
        return tellers.get(action or "", otherwise)(payload)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return ""


def _boot(payload: Payload) -> str:
    return f"{payload['chargePointVendor']} {payload['chargePointModel']}"


def _connector_status(payload: Payload) -> str:
    error = payload.get("errorCode", "NoError")
    return f"#{payload['connectorId']} {payload['status']}" + (
        "" if error == "NoError" else f" ({error})"
    )


def _start(payload: Payload) -> str:
    return f"#{payload['connectorId']} {payload['idTag']}"


def _stop(payload: Payload) -> str:
    return f"session {payload['transactionId']} {payload.get('reason', 'Local')}"


def _meter_values(payload: Payload) -> str:
    """Return power, register and state of charge; a charger that tells none has no words."""
    words = [f"#{payload['connectorId']}"]
    shown = {
        "Power.Active.Import": ("kW", _UNIT, 1),
        "Energy.Active.Import.Register": ("kWh", _UNIT, 2),
        "SoC": ("%", 1, 0),
    }
    sampled = {
        value.get("measurand", "Energy.Active.Import.Register"): value
        for meter_value in payload["meterValue"]
        for value in meter_value["sampledValue"]
        if "phase" not in value
    }
    for measurand, (unit, size, digits) in shown.items():
        value = sampled.get(measurand)
        if value is not None:
            in_thousands = str(value.get("unit", "")).startswith("k")
            number = float(value["value"]) / (1 if in_thousands else size)
            words.append(f"{number:.{digits}f} {unit}")
    return " ".join(words)


def _charging_profile(payload: Payload) -> str:
    profile = payload["csChargingProfiles"]
    schedule = profile["chargingSchedule"]
    limit = float(schedule["chargingSchedulePeriod"][0]["limit"])
    text = f"{limit / _UNIT:g} kW" if schedule["chargingRateUnit"] == "W" else f"{limit:g} A"
    if profile["chargingProfilePurpose"] == "TxProfile":
        return f"#{payload['connectorId']} {text}"
    return f"{text} until a session has its own limit"


def _tag_status(payload: Payload) -> str:
    status = str(payload["idTagInfo"]["status"])
    session = payload.get("transactionId")
    return status if session is None else f"{status} session {session}"


def _status(payload: Payload) -> str:
    return str(payload.get("status", ""))


def _stop_answer(payload: Payload) -> str:
    return _tag_status(payload) if "idTagInfo" in payload else ""


def _field(payload: Any, name: str) -> Any:
    return payload.get(name) if isinstance(payload, Mapping) else None


_CALLS: Mapping[str, Teller] = {
    "Authorize": lambda payload: str(payload["idTag"]),
    "BootNotification": _boot,
    "MeterValues": _meter_values,
    "RemoteStartTransaction": lambda payload: str(payload["idTag"]),
    "RemoteStopTransaction": lambda payload: f"session {payload['transactionId']}",
    "SetChargingProfile": _charging_profile,
    "StartTransaction": _start,
    "StatusNotification": _connector_status,
    "StopTransaction": _stop,
}
_ANSWERS: Mapping[str, Teller] = {
    "Authorize": _tag_status,
    "StartTransaction": _tag_status,
    "StopTransaction": _stop_answer,
}
