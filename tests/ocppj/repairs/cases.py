"""One example of each repair: what a station sends, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.ocppj.repairs import catalogue as names

T = "2026-03-01T12:00:00Z"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class FrameCase:
    """A frame with the id `"1"`.

    Attributes:
        before: Frames that come first.
        fact: What the last fact must look like.
        needed: Whether the frame is refused without the repair.
    """

    raw: str
    before: tuple[str, ...] = ()
    fact: Callable[[Any], bool] = lambda fact: True
    needed: bool = True


@dataclass(frozen=True, kw_only=True)
class RequestCase:
    """A request for a socket; `None` leaves a header out."""

    path: str = "/ocpp/CP1"
    version: str = "HTTP/1.1"
    headers: dict[str, str | None] = field(default_factory=dict)


Case = FrameCase | RequestCase


def call(action: str, payload: Any) -> str:
    return json.dumps([2, "1", action, payload])


def status(**changes: Any) -> str:
    return call("StatusNotification", {**STATUS, **changes})


def stop(**changes: Any) -> str:
    return call("StopTransaction", {**STOP, **changes})


def start(**changes: Any) -> str:
    return call("StartTransaction", {**START, **changes})


def values(**sample: Any) -> str:
    element = {"timestamp": T, "sampledValue": [{"value": "5", **sample}]}
    return call("MeterValues", {"connectorId": 1, "meterValue": [element]})


STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
STOP = {"transactionId": 7, "meterStop": 20, "timestamp": T}
START = {"connectorId": 1, "idTag": "A", "meterStart": 10, "timestamp": T}
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}
STARTED = call("StartTransaction", START)


def _arrived(fact: Any, name: str) -> bool:
    return abs(getattr(fact, name) - fact.received_at) < timedelta(seconds=1)


CASES: dict[str, Case] = {
    # -- handshake
    names.MISSING_SUBPROTOCOL: RequestCase(headers={"Sec-WebSocket-Protocol": None}),
    names.SUBPROTOCOL_CASE: RequestCase(headers={"Sec-WebSocket-Protocol": "OCPP1.6"}),
    names.UPGRADE_HEADERS: RequestCase(headers={"Connection": None, "Upgrade": None}),
    names.WEBSOCKET_VERSION: RequestCase(headers={"Sec-WebSocket-Version": None}),
    names.HTTP_VERSION: RequestCase(version="HTTP/1.0"),
    names.PATH_AFTER_IDENTITY: RequestCase(path="/ocpp/CP1/ocpp1.6/"),
    names.USER_NAME_SPELLING: RequestCase(
        path="/ocpp/SAFE", headers={"Authorization": "Basic c2FmZTpzZXNhbWU="}
    ),
    names.REQUEST_SYNTAX: RequestCase(path="/ocpp/CP1 "),
    names.IDENTITY_PADDING: RequestCase(path="/ocpp/CP1%20"),
    names.KEY_CHARSET: RequestCase(
        path="/ocpp/SESAM", headers={"Authorization": "Basic U0VTQU069mZmbmU="}
    ),
    names.KEY_PADDING: RequestCase(
        path="/ocpp/SAFE", headers={"Authorization": "Basic U0FGRTpzZXNhbWUA"}
    ),
    names.USER_NAME: RequestCase(
        path="/ocpp/SAFE", headers={"Authorization": "Basic b3BlbjpzZXNhbWU="}
    ),
    # -- frame
    names.MESSAGE_ID_REUSED: FrameCase(
        before=(STARTED,), raw=stop(), fact=lambda f: f.meter_stop_wh == 20
    ),
    names.MESSAGE_TYPE_TEXT: FrameCase(raw='["2","1","Authorize",{"idTag":"A"}]'),
    names.FRAME_WRAPPED: FrameCase(raw='[[2,"1","Authorize",{"idTag":"A"}]]'),
    names.MESSAGE_ID_NUMBER: FrameCase(raw='[2,1,"Authorize",{"idTag":"A"}]'),
    names.PAYLOAD_MISSING: FrameCase(raw='[2,"1","Heartbeat"]'),
    names.PAYLOAD_EMPTY_LIST: FrameCase(raw='[2,"1","Heartbeat",[]]'),
    names.PAYLOAD_TEXT: FrameCase(
        raw='[2,"1","Authorize","{\\"idTag\\":\\"A\\"}"]', fact=lambda f: f.id_tag == "A"
    ),
    # -- JSON text
    names.JSON_COMMA: FrameCase(
        raw='[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"'
        + T
        + '","sampledValue":[,{"value":"7"}]}]}]',
        fact=lambda f: f.readings[0].energy_wh == 7,
    ),
    names.JSON_MISSING_VALUE: FrameCase(
        raw='[2,"1","StopTransaction",{"transactionId":,"meterStop":20,"timestamp":"' + T + '"}]',
        fact=lambda f: (f.transaction_id, f.meter_stop_wh) == (-1, 20),
    ),
    names.JSON_UNCLOSED: FrameCase(raw='[2,"1","Heartbeat",{'),
    names.JSON_QUOTES: FrameCase(
        raw="[2,'1','Authorize',{'idTag':'A'}]", fact=lambda f: f.id_tag == "A"
    ),
    names.JSON_INNER_QUOTES: FrameCase(
        raw='[2,"1","DataTransfer",{"vendorId":"v","data":"a "b" c"}]'
    ),
    names.JSON_BARE_WORD: FrameCase(
        raw='[2,"1","Authorize",{idTag:"A"}]', fact=lambda f: f.id_tag == "A"
    ),
    names.JSON_LITERAL: FrameCase(
        raw='[2,"1","MeterValues",{"connectorId":1,"transactionId":None,"meterValue":'
        '[{"timestamp":"' + T + '","sampledValue":[{"value":NaN},{"value":"7"}]}]}]',
        fact=lambda f: f.readings[0].rest == [{"value": "NaN"}] and f.readings[0].energy_wh == 7,
    ),
    names.JSON_NUMBER: FrameCase(
        raw='[2,"1","StopTransaction",{"transactionId":007,"meterStop":+20,"timestamp":"'
        + T
        + '"}]',
        fact=lambda f: (f.transaction_id, f.meter_stop_wh) == (7, 20),
    ),
    names.JSON_CONTROL_CHARACTER: FrameCase(
        raw='[2,"1","Authorize",{"idTag":"\x10A\x00\x0e"}]', fact=lambda f: f.id_tag == "\x10A\x0e"
    ),
    names.JSON_ESCAPE: FrameCase(
        raw='[2,"1","Authorize",{"idTag":"\\A\\ud800"}]', fact=lambda f: f.id_tag == "\\A\ufffd"
    ),
    names.JSON_AROUND: FrameCase(raw='\ufeff[2,"1","Heartbeat",{}]\x00\x00'),
    # -- payload
    names.FIELD_SPELLING: FrameCase(
        raw=call("StatusNotification", {"ConnectorID": 1, "error_code": "NoError", "Status": "x"}),
        fact=lambda f: (f.connector_id, f.error_code) == (1, "NoError"),
    ),
    names.UNKNOWN_FIELD: FrameCase(raw=status(evse=1), fact=lambda f: f.status == "Available"),
    names.MISSING_FIELD: FrameCase(
        raw=call("StartTransaction", {"connectorId": 1, "timestamp": T}),
        fact=lambda f: (f.id_tag, f.meter_start_wh, f.doubts) == ("", -1, ("meterSuspect",)),
    ),
    names.NULL_FIELD: FrameCase(raw=status(info=None), fact=lambda f: f.info is None),
    names.FIELD_DROPPED: FrameCase(
        raw=start(reservationId="none"), fact=lambda f: f.reservation_id is None
    ),
    names.TEXT_CUT: FrameCase(raw=status(info="x" * 60), fact=lambda f: f.info == "x" * 50),
    names.TEXT_FROM_VALUE: FrameCase(raw=start(idTag=1234), fact=lambda f: f.id_tag == "1234"),
    names.NUMBER_FROM_TEXT: FrameCase(
        raw=start(meterStart=" 1.5 kWh "), fact=lambda f: f.meter_start_wh == 1500
    ),
    names.NUMBER_ROUNDED: FrameCase(
        raw=start(meterStart=12.6), fact=lambda f: f.meter_start_wh == 13
    ),
    names.NUMBER_CAPPED: FrameCase(
        raw=start(meterStart=2**64 - 1), fact=lambda f: f.meter_start_wh == 2**63 - 1
    ),
    names.LIST_OR_SINGLE: FrameCase(
        raw=call(
            "MeterValues",
            {"connectorId": 1, "meterValue": {"timestamp": T, "sampledValue": {"value": "7"}}},
        ),
        fact=lambda f: f.readings[0].energy_wh == 7,
    ),
    names.NESTING: FrameCase(
        raw=call(
            "MeterValues",
            {"connectorId": 1, "timestamp": T, "sampledValue": [{"value": "7"}]},
        ),
        fact=lambda f: (f.readings[0].energy_wh, f.readings[0].measured_at) == (7, NOON),
        needed=False,  # then there is nothing measured
    ),
    names.CHOICE_SPELLING: FrameCase(
        raw=status(status="occupied", errorCode="no_error"),
        fact=lambda f: (f.status, f.error_code) == ("Preparing", "NoError"),
    ),
    names.CHOICE_OTHER: FrameCase(
        raw=status(errorCode="Smoke"), fact=lambda f: f.error_code == "OtherError"
    ),
    names.CHOICE_KEPT: FrameCase(
        raw=values(context="Whenever"),
        fact=lambda f: (f.readings[0].context, f.readings[0].energy_wh) == ("Whenever", 5),
    ),
    names.MEASURAND_WITH_PHASE: FrameCase(
        raw=values(measurand="Current.Import.L2", unit="A"),
        fact=lambda f: f.readings[0].current_ma == [None, 5000, None],
        needed=False,  # then it is kept, and interpreted where values are
    ),
    names.TAG_CONTROL_CHARACTERS: FrameCase(
        raw=start(idTag="\x10\x0e12345678901234567890"),
        fact=lambda f: f.id_tag == "12345678901234567890",
        needed=False,  # then it is cut
    ),
    names.ESCAPED_NUL: FrameCase(
        raw=start(idTag="A\0\0"),
        fact=lambda f: f.id_tag == "A",
    ),
    names.NOTHING_MEASURED: FrameCase(
        raw=call("MeterValues", {"connectorId": 1, "meterValue": []})
    ),
    names.HERTZ_IN_STOP_TRANSACTION: FrameCase(
        raw=stop(
            transactionData=[
                {
                    "timestamp": T,
                    "sampledValue": [{"value": "50", "measurand": "Frequency", "unit": "Hertz"}],
                }
            ]
        )
    ),
    # -- time
    names.TIME_WITHOUT_ZONE: FrameCase(
        raw=start(timestamp="2026-03-01T12:00:00"),
        fact=lambda f: f.started_at == NOON,
        needed=False,  # R29: taken from everybody
    ),
    names.TIME_FORM: FrameCase(
        raw=start(timestamp="2026-03-01 13:00+01"), fact=lambda f: f.started_at == NOON
    ),
    names.TIME_MISSING: FrameCase(
        raw=start(timestamp=""),
        fact=lambda f: _arrived(f, "started_at") and f.doubts == ("timeSuspect",),
    ),
    names.TIME_UNREADABLE: FrameCase(
        raw=start(timestamp="0000-00-00T00:00:00Z"),
        fact=lambda f: _arrived(f, "started_at") and f.doubts == ("timeSuspect",),
    ),
}
OF_ANSWERS = frozenset({names.BOOLEAN_FROM_VALUE, names.ANSWER_SHAPE, names.ANSWER_ID})
"""Repairs that only answers to our calls can need; tested there."""

OF_SOCKETS = frozenset({names.COMPRESSED_FRAMES, names.PINGS_UNANSWERED})
"""Repairs below the texts; tested in files of their own."""
