"""Quirks of framing and JSON."""

import json
import re
from typing import Any

from simulator.oddities.model import Compressed, Frame, Oddity, Payload, Played, Wire


def _cut_configuration(played: Played, text: str) -> list[Wire]:
    del played
    start, found, _ = text.partition('"configurationKey":[')
    return [f"{start}{found}]"] if found else [text]


def _leading_comma(played: Played, text: str) -> list[Wire]:
    del played
    return [text.replace('"sampledValue":[', '"sampledValue":[,')]


def _no_transaction_id(played: Played, text: str) -> list[Wire]:
    del played
    return [re.sub(r'"transactionId":-?\d+', '"transactionId":', text)]


def _transaction_id_first(played: Played, frame: Frame) -> None:
    del played
    if isinstance(frame.payload, dict) and "transactionId" in frame.payload:
        frame.payload = {"transactionId": frame.payload.pop("transactionId"), **frame.payload}


def _restarting_ids(played: Played, frame: Frame) -> None:
    if frame.action == "BootNotification":
        played.memory["next"] = 1_000_000
    frame.message_id = str(played.memory.get("next", 1_000_000))
    played.memory["next"] = int(frame.message_id) + 1


def _same_boot_id(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "BootNotification":
        frame.message_id = "1000001"


def _serial_as_id(played: Played, frame: Frame) -> None:
    frame.message_id = played.station.settings.serial_number or played.station.identity[:36]


def _null_payload(played: Played, frame: Frame) -> None:
    del played
    if frame.payload == {}:
        frame.payload = None


def _empty_frames(played: Played, text: str) -> list[Wire]:
    del played
    return ["", text]


def _numbers(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        one["value"] = float(one["value"])


def _bare_configuration(played: Played, action: str, payload: Payload) -> None:
    del played
    for entry in _entries(action, payload):
        text = str(entry.get("value", ""))
        if text.isdigit():
            entry["value"] = int(text)
        elif text in ("true", "false"):
            entry["value"] = text == "true"


def _quoted_measurands(played: Played, action: str, payload: Payload) -> None:
    del played
    for entry in _entries(action, payload):
        if entry["key"].startswith("MeterValues") and entry.get("value"):
            entry["value"] = f'"{entry["value"]}"'


def _entries(action: str, payload: Payload) -> list[dict[str, Any]]:
    return payload.get("configurationKey") or [] if action == "GetConfiguration" else []


def _compressed(played: Played, text: str) -> list[Wire]:
    del played
    return [Compressed(text)]


def _texts_for_details(played: Played, text: str) -> list[Wire]:
    del played
    if not text.startswith("[4,"):
        return [text]
    message = json.loads(text)
    return [json.dumps([*message[:3], "", ""], separators=(",", ":"))]


def _short_errors(played: Played, text: str) -> list[Wire]:
    del played
    if not text.startswith("[4,"):
        return [text]
    return [json.dumps(json.loads(text)[:4], separators=(",", ":"))]


def _padded(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        one["value"] = f" {one['value']} "


FRAMING = (
    Oddity(
        name="truncated-json",
        family="framing",
        does="the answer to GetConfiguration ends in the middle of its JSON",
        who="Grizzl-E",
        source="lbbrhzn#176,#442,#899,#1619",
        text=_cut_configuration,
    ),
    Oddity(
        name="leading-comma",
        family="framing",
        does="a comma before the first item of sampledValue",
        who="ZJ Beny",
        source="lbbrhzn#1078",
        text=_leading_comma,
    ),
    Oddity(
        name="empty-transaction-id",
        family="framing",
        does='"transactionId":, without a value',
        who="AEFA",
        source="lbbrhzn#2032",
        call=_transaction_id_first,
        text=_no_transaction_id,
    ),
    Oddity(
        name="restarting-message-ids",
        family="framing",
        does="message ids count from 1000000 again at every boot",
        who="MicroOcpp family",
        source="MicroOcpp#311,#363",
        call=_restarting_ids,
    ),
    Oddity(
        name="same-boot-message-id",
        family="framing",
        does="every BootNotification has the message id 1000001",
        who="Metron ME3",
        source="OCPP.Core#31",
        call=_same_boot_id,
    ),
    Oddity(
        name="serial-as-message-id",
        family="framing",
        does="every call has the serial number as message id",
        who="Grizzl-E",
        source="lbbrhzn#176",
        call=_serial_as_id,
    ),
    Oddity(
        name="null-payload",
        family="framing",
        does="null in place of an empty payload",
        who="various",
        source="steve#1109",
        call=_null_payload,
    ),
    Oddity(
        name="empty-frames",
        family="framing",
        does="an empty text frame before each message",
        who="various",
        source="steve#66",
        text=_empty_frames,
    ),
    Oddity(
        name="numbers-for-strings",
        family="framing",
        does="numbers where meter values are texts",
        who="Scame, OpenEVSE, Grizzl-E",
        source="mobility PR582, lbbrhzn#210",
        call=_numbers,
    ),
    Oddity(
        name="bare-configuration-values",
        family="framing",
        does="numbers and booleans where configuration values are texts",
        who="Scame, Grizzl-E",
        source="mobility PR582, lbbrhzn#210",
        answer=_bare_configuration,
    ),
    Oddity(
        name="quoted-measurands",
        family="framing",
        does="quotes inside the list of measurands",
        who="Mennekes",
        source="evcc#16255",
        answer=_quoted_measurands,
    ),
    Oddity(
        name="unasked-compression",
        family="framing",
        does="compressed frames although no compression was negotiated",
        who="unknown",
        source="OCPP.Core#45",
        text=_compressed,
    ),
    Oddity(
        name="padded-numbers",
        family="framing",
        does="meter values padded with spaces",
        who="Enercab",
        source="evcc#13990",
        call=_padded,
    ),
    Oddity(
        name="text-error-details",
        family="framing",
        does="CALLERRORs with an empty text where the details are",
        who="Simpson & Partners",
        source="lbbrhzn#1911",
        text=_texts_for_details,
    ),
    Oddity(
        name="short-call-errors",
        family="framing",
        does="CALLERRORs of four elements, without details",
        who="Grizzl-E",
        source="lbbrhzn, threads on Grizzl-E",
        text=_short_errors,
    ),
)
