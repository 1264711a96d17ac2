"""Bundles written by hand, for the tests of reading and replaying them."""

import json
from datetime import timedelta
from typing import Any

from simulator.clock import iso
from tests.simulator.physics import NOW

TYPES = {2: "call", 3: "callResult", 4: "callError"}


class Recording:
    """A log that grows by a second a frame."""

    def __init__(self, station: str = "CP1", every_s: float = 1.0) -> None:
        self._station, self._every_s = station, every_s
        self._lines: list[dict[str, Any]] = []
        self._actions: dict[str, str] = {}

    def frame(self, direction: str, frame: list[Any] | str) -> "Recording":
        """Add a frame; a text is one that the central system could not read."""
        is_text = isinstance(frame, str)
        if not is_text and frame[0] == 2:
            self._actions[frame[1]] = frame[2]
        self._lines.append(
            {
                "at": iso(NOW + timedelta(seconds=len(self._lines) * self._every_s)),
                "direction": direction,
                "type": None if is_text else TYPES[frame[0]],
                "action": None if is_text else self._actions.get(frame[1]),
                "messageId": None if is_text else frame[1],
                "raw": frame if is_text else json.dumps(frame),
                "latencyMs": None,
            }
        )
        return self

    def asks(self, number: str, action: str, payload: Any, answer: Any) -> "Recording":
        """Add a call of the charge point and the result it got."""
        return self.frame("in", [2, number, action, payload]).frame("out", [3, number, answer])

    def asked(self, number: str, action: str, payload: Any, answer: Any) -> "Recording":
        """Add a call of the central system and the result it got."""
        return self.frame("out", [2, number, action, payload]).frame("in", [3, number, answer])

    def lines(self, *, footer: bool = True, **header: Any) -> list[str]:
        """Return the bundle."""
        first = {"format": "csms-message-bundle", "version": 1, "stationId": self._station}
        items = [first | header, *self._lines]
        if footer:
            items.append({"end": True, "messages": len(self._lines)})
        return [json.dumps(item) + "\n" for item in items]


BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
BOOTED = {"status": "Accepted", "currentTime": "2020-01-01T00:00:00Z", "interval": 300}
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


def start(meter_wh: int = 0, tag: str = "T1") -> dict[str, Any]:
    """Payload of a StartTransaction."""
    return {"connectorId": 1, "idTag": tag, "meterStart": meter_wh, "timestamp": iso(NOW)}


def stop(transaction_id: int, meter_wh: int) -> dict[str, Any]:
    """Payload of a StopTransaction."""
    return {"transactionId": transaction_id, "meterStop": meter_wh, "timestamp": iso(NOW)}
