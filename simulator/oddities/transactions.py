"""Quirks of transactions and id tags."""

import json
from collections.abc import Callable

from simulator.clock import iso
from simulator.events import Event
from simulator.oddities.model import Frame, Oddity, Payload, Played, Wire

LARGEST_ID = 2**63 - 1


def _id_in(action: str, change: Callable[[int], int]) -> Callable[[Played, Frame], None]:
    """Return what changes the transaction id in one kind of message."""

    def apply(played: Played, frame: Frame) -> None:
        del played
        if frame.action == action and "transactionId" in frame.payload:
            frame.payload["transactionId"] = change(frame.payload["transactionId"])

    return apply


def _other_ids(played: Played, frame: Frame) -> None:
    del played
    if frame.action in ("StopTransaction", "MeterValues") and "transactionId" in frame.payload:
        frame.payload["transactionId"] += 100_000


def _id_per_connector(played: Played, frame: Frame) -> None:
    if frame.action == "MeterValues" and "transactionId" in frame.payload:
        frame.payload["transactionId"] = 1
    elif frame.action == "StopTransaction":
        played.memory["stops"] = played.memory.get("stops", 0) + 1
        frame.payload["transactionId"] = 1


def _no_wish_no_start(played: Played, action: str, payload: Payload) -> Payload | None:
    del played
    missing = action == "RemoteStartTransaction" and "connectorId" not in payload
    return {"status": "Rejected"} if missing else None


def _no_begin(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StopTransaction" and frame.payload.get("transactionData"):
        data = frame.payload["transactionData"]
        kept = [
            value
            for value in data
            if all(one.get("context") != "Transaction.Begin" for one in value["sampledValue"])
        ]
        frame.payload["transactionData"] = kept


def _preparing_ends(played: Played, event: Event) -> None:
    if event.name != "status" or event.data["status"] != "Preparing":
        return
    session = played.station.sessions[int(str(event.data["connectorId"]))]

    async def give_up() -> None:
        await played.station.clock.sleep(played.parameters["afterS"])
        connector = session.connector
        if connector.vehicle is not None and connector.transaction is None:
            connector.grant, connector.finished = None, True
            session.refresh()

    played.station.spawn(give_up)


def _no_profile_at_start(played: Played, action: str, payload: Payload) -> Payload | None:
    del played
    if action == "RemoteStartTransaction" and "chargingProfile" in payload:
        return {"status": "Rejected"}
    return None


def _session_energy(*actions: str) -> Callable[[Played, Frame], None]:
    """Return what tells energy since the session's start in these messages."""

    def apply(played: Played, frame: Frame) -> None:
        message = played.station.queue.delivering
        if frame.action not in actions or message is None or message.action != frame.action:
            return
        start = message.transaction.meter_start_wh
        for name in ("meterStart", "meterStop"):
            if name in frame.payload:
                frame.payload[name] -= start
        for one in frame.energies():
            one["value"] = str(int(one["value"]) - start)

    return apply


def _creeping_register(played: Played, event: Event) -> None:
    if event.name == "started":
        # What crept in since the stop was shown in StartTransaction; it is taken back now.
        connector = played.station.sessions[int(str(event.data["connectorId"]))].connector
        connector.meter.start_wh -= played.memory.pop(str(connector.connector_id), 0)
    elif event.name == "stopped":
        connector = played.station.sessions[int(str(event.data["connectorId"]))].connector
        crept = int(played.parameters["wh"])
        connector.meter.start_wh += crept
        played.memory[str(connector.connector_id)] = crept


def _stop_reading(offset_wh: int) -> Callable[[Played, Frame], None]:
    """Return what has meterStop be meterStart and ``offset_wh``."""

    def apply(played: Played, frame: Frame) -> None:
        message = played.station.queue.delivering
        if frame.action == "StopTransaction" and message is not None:
            frame.payload["meterStop"] = message.transaction.meter_start_wh + offset_wh

    return apply


def _fractional(played: Played, frame: Frame) -> None:
    del played
    for name in ("meterStart", "meterStop"):
        if isinstance(frame.payload, dict) and name in frame.payload:
            frame.payload[name] += 0.25


def _faulty_finishing(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StatusNotification" and frame.payload["status"] == "Finishing":
        frame.payload["errorCode"] = "OtherError"


def _history(played: Played, text: str) -> list[Wire]:
    message = json.loads(text)
    if message[0] != 2 or message[2] not in ("BootNotification", "StatusNotification"):
        return [text]
    if played.memory.get("connection") == played.station.link.connections:
        return [text]
    played.memory["connection"] = played.station.link.connections
    now = played.station.clock.now()
    register = played.station.sessions[1].connector.meter.register_wh
    value = {"value": str(register), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    past = [{"timestamp": iso(now), "sampledValue": [value]}]
    flood = [
        json.dumps([2, f"old-{number}", "MeterValues", {"connectorId": 1, "meterValue": past}])
        for number in range(int(played.parameters["messages"]))
    ]
    return [text, *flood]


def _tag(change: Callable[[str], str]) -> Callable[[Played, Frame], None]:
    """Return what changes the id tag wherever a message has one."""

    def apply(played: Played, frame: Frame) -> None:
        del played
        if isinstance(frame.payload, dict) and "idTag" in frame.payload:
            frame.payload["idTag"] = change(frame.payload["idTag"])

    return apply


def _only_hex(played: Played, action: str, payload: Payload) -> Payload | None:
    del played
    if action != "RemoteStartTransaction":
        return None
    digits = set(str(payload.get("idTag", "")).lower())
    return None if digits <= set("0123456789abcdef") else {"status": "Rejected"}


def _unplug_first(played: Played, action: str, payload: Payload) -> Payload | None:
    if action != "RemoteStartTransaction":
        return None
    wanted = payload.get("connectorId")
    finished = any(
        session.connector.finished
        for number, session in played.station.sessions.items()
        if wanted in (None, number)
    )
    return {"status": "Rejected"} if finished else None


TRANSACTIONS = (
    Oddity(
        name="stop-with-id-0",
        family="transactions",
        does="transactionId 0 in StopTransaction",
        who="Delta, Tkt EV",
        source="OEM OCPPService.ts:1779; mikuso/ocpp-rpc#82",
        call=_id_in("StopTransaction", lambda _: 0),
    ),
    Oddity(
        name="values-with-id-0",
        family="transactions",
        does="transactionId 0 in MeterValues while a transaction runs",
        who="unnamed",
        source="OEM OCPPValidator.ts",
        call=_id_in("MeterValues", lambda _: 0),
    ),
    Oddity(
        name="huge-transaction-id",
        family="transactions",
        does="transactionId 2^63-1 in MeterValues",
        who="Alfen",
        source="ocpp-go#188, mobility#617, lbbrhzn#45, steve#740",
        call=_id_in("MeterValues", lambda _: LARGEST_ID),
    ),
    Oddity(
        name="other-transaction-ids",
        family="transactions",
        does="other transaction ids than the central system gave",
        who="Simpson & Partners, Etrel",
        source="lbbrhzn#1749,#1000",
        call=_other_ids,
    ),
    Oddity(
        name="colliding-transaction-ids",
        family="transactions",
        does="transaction id 1 on every connector",
        who="Phoenix CHARX",
        source="ConnectorIO PR161",
        call=_id_per_connector,
    ),
    Oddity(
        name="remote-start-needs-connector",
        family="transactions",
        does="RemoteStartTransaction without connectorId is refused",
        who="Phoenix CHARX",
        source="ConnectorIO PR332",
        request=_no_wish_no_start,
    ),
    Oddity(
        name="charges-after-refusal",
        family="transactions",
        does="charges although StartTransaction was answered with a refusal",
        who="Hager",
        source="OCPP.Core#55",
        trait=True,
    ),
    Oddity(
        name="no-begin-reading",
        family="transactions",
        does="no reading with Transaction.Begin",
        who="Delta",
        source="OEM",
        configuration={"StopTxnSampledData": "Energy.Active.Import.Register"},
        call=_no_begin,
    ),
    Oddity(
        name="preparing-gives-up",
        family="transactions",
        does="Preparing becomes Finishing when the remote start is late",
        who="EN+",
        source="evcc#15752",
        parameters={"afterS": 60},
        event=_preparing_ends,
    ),
    Oddity(
        name="no-profile-at-remote-start",
        family="transactions",
        does="a RemoteStartTransaction with a charging profile is refused",
        who="go-e",
        source="go-e API#243",
        request=_no_profile_at_start,
    ),
    Oddity(
        name="register-from-zero",
        family="transactions",
        does="every session's register begins at 0",
        who="ABB, Vestel, Grizzl-E, OpenOCPP stations",
        source="HA user-guide.md, JOCA#331",
        call=_session_energy("StartTransaction", "MeterValues", "StopTransaction"),
    ),
    Oddity(
        name="session-energy-in-values",
        family="transactions",
        does="a lifetime register in Start- and StopTransaction, the session's in MeterValues",
        who="Grizzl-E",
        source="lbbrhzn#2093/PR2115",
        call=_session_energy("MeterValues"),
    ),
    Oddity(
        name="creeping-register",
        family="transactions",
        does="the register rises between stop and start and falls back after the start",
        who="Wallbox Copper SB",
        source="lbbrhzn#1069,#1031",
        parameters={"wh": 3},
        event=_creeping_register,
    ),
    Oddity(
        name="stops-below-start",
        family="transactions",
        does="meterStop is meterStart - 1 Wh",
        who="Huawei",
        source="lbbrhzn#1810",
        call=_stop_reading(-1),
    ),
    Oddity(
        name="stops-at-start",
        family="transactions",
        does="the same value at start and stop",
        who="Fronius Wattpilot",
        source="steve#1264",
        call=_stop_reading(0),
    ),
    Oddity(
        name="available-before-stop",
        family="transactions",
        does="Available is told before StopTransaction",
        who="ev-server notes",
        source="OEM OCPPService",
        trait=True,
    ),
    Oddity(
        name="finishing-with-error",
        family="transactions",
        does="Finishing with an error code",
        who="Ocular/BS, ABB",
        source="lbbrhzn#2030",
        call=_faulty_finishing,
    ),
    Oddity(
        name="history-flood",
        family="transactions",
        does="floods stored readings on each connect, without waiting for answers",
        who="Alfen",
        source="lbbrhzn#361",
        parameters={"messages": 50},
        text=_history,
    ),
    Oddity(
        name="tag-with-controls",
        family="transactions",
        does="id tags come with control characters, 22 signs long",
        who="Ocular/BS",
        source="lbbrhzn#2030",
        call=_tag(lambda tag: f"\x10\x0e{tag}".ljust(22, "0")[:22]),
    ),
    Oddity(
        name="long-tag",
        family="transactions",
        does="id tags of 21 signs",
        who="Sigenergy",
        source="lbbrhzn#1803",
        call=_tag(lambda tag: tag.ljust(21, "0")[:21]),
    ),
    Oddity(
        name="only-hex-tags",
        family="transactions",
        does="remote starts with tags that are not hexadecimal are refused",
        who="Alfen",
        source="lbbrhzn#514",
        request=_only_hex,
    ),
    Oddity(
        name="tag-with-semicolon",
        family="transactions",
        does="id tags with ';' from payment terminals",
        who="unnamed",
        source="OEM",
        call=_tag(lambda tag: f"{tag[:15]};1"),
    ),
    Oddity(
        name="free-charging-tag",
        family="transactions",
        does='every id tag is "#FreeCharging"',
        who="Webasto Next",
        source="steve commit",
        call=_tag(lambda _: "#FreeCharging"),
    ),
    Oddity(
        name="unplug-before-restart",
        family="transactions",
        does="after a stop a new start is refused until the cable was pulled",
        who="ZJ Beny",
        source="evcc PR12861",
        request=_unplug_first,
    ),
    Oddity(
        name="fractional-register",
        family="transactions",
        does="meterStart and meterStop with decimals",
        who="some simulators",
        source="shiv3 PR83",
        call=_fractional,
    ),
)
