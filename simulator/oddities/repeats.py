"""Quirks of messages that come twice, too late, or out of turn."""

import json
from typing import Any

from simulator.events import Event
from simulator.oddities.model import Frame, Oddity, Payload, Played, Wire


def _twice(action: str) -> Any:
    """Return what sends each call of ``action`` a second time, under another message id."""

    def apply(played: Played, text: str) -> list[Wire]:
        del played
        message = json.loads(text)
        if message[0] != 2 or message[2] != action:
            return [text]
        again = [2, f"{message[1][:29]}-again", *message[2:]]
        return [text, json.dumps(again, separators=(",", ":"))]

    return apply


def _available_while_plugged(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StatusNotification" and frame.payload["status"] == "Finishing":
        frame.payload["status"] = "Available"


def _available_between(played: Played, text: str) -> list[Wire]:
    del played
    message = json.loads(text)
    if message[0] != 2 or message[2] != "StatusNotification" or not message[3]["connectorId"]:
        return [text]
    if message[3]["status"] != "Unavailable":
        return [text]
    before = [2, f"{message[1][:28]}-before", message[2], message[3] | {"status": "Available"}]
    return [json.dumps(before, separators=(",", ":")), text]


def _odd_stop_fields(played: Played, frame: Frame) -> None:
    if frame.action == "StopTransaction":
        message = played.station.queue.delivering
        number = message.transaction.connector_id if message is not None else 1
        frame.payload["connectorId"] = number
        frame.payload["disconnectReason"] = frame.payload.pop("reason", "EVDisconnected")


def _register_is_lost(played: Played, event: Event) -> None:
    if event.name == "rebooting":
        played.memory["lost"] = True
    elif event.name == "registered" and played.memory.pop("lost", False):
        # Whatever ended with the reboot has been read off before.
        for session in played.station.sessions.values():
            session.settle()
            session.connector.meter.start_wh -= session.connector.meter.register_wh


def _counts_triggers(played: Played, action: str, payload: Payload) -> Payload | None:
    del payload
    if action != "TriggerMessage":
        return None
    now = played.station.clock.monotonic()
    recent = [at for at in played.memory.get("at", []) if now - at < played.parameters["withinS"]]
    played.memory["at"] = [*recent, now]
    return None


def _is_blocked(played: Played) -> bool:
    return len(played.memory.get("at", [])) > played.parameters["count"]


def _unblocked(played: Played, event: Event) -> None:
    if event.name == "disconnected":
        played.memory.clear()


REPEATS = (
    Oddity(
        name="start-twice",
        family="transactions",
        does="each StartTransaction comes twice, under two message ids",
        who="MicroOcpp family",
        source="MicroOcpp#237",
        text=_twice("StartTransaction"),
    ),
    Oddity(
        name="stop-twice",
        family="transactions",
        does="each StopTransaction comes twice, under two message ids",
        who="stations on lines that drop",
        source="core PR880",
        text=_twice("StopTransaction"),
    ),
    Oddity(
        name="odd-stop-fields",
        family="transactions",
        does="StopTransaction with connectorId, and disconnectReason in place of reason",
        who="chargestation-one",
        source="chargestation-one#61",
        call=_odd_stop_fields,
    ),
    Oddity(
        name="available-while-plugged",
        family="transactions",
        does="Available after a stop although the cable is still in",
        who="libocpp stations",
        source="libocpp#813",
        call=_available_while_plugged,
    ),
    Oddity(
        name="available-before-unavailable",
        family="transactions",
        does="Available just before each Unavailable",
        who="libocpp stations",
        source="libocpp#809",
        text=_available_between,
    ),
    Oddity(
        name="register-lost-at-boot",
        family="transactions",
        does="the register begins at 0 again after each boot",
        who="OpenOCPP stations",
        source="JOCA#331",
        event=_register_is_lost,
    ),
    Oddity(
        name="blocked-by-triggers",
        family="handshake",
        does="falls silent when it is triggered too often, until the connection is lost",
        who="Mennekes 4You",
        source="evcc#32236",
        parameters={"count": 3, "withinS": 60},
        request=_counts_triggers,
        loses=_is_blocked,
        event=_unblocked,
    ),
    Oddity(
        name="ignores-boot-interval",
        family="handshake",
        does="keeps its own HeartbeatInterval whatever BootNotification is answered",
        who="unnamed",
        source="OEM PR1938",
        trait=True,
    ),
)
