"""The names of all repairs, with what each does and who needs it.

The only list: the switches, the counters, the message log and `docs/repairs.md` use its names. A
repair that goes against a rule which holds for all stations is off until an operator wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["handshake", "frame", "json", "payload", "time"]

# -- handshake
MISSING_SUBPROTOCOL = "missing_subprotocol"
SUBPROTOCOL_CASE = "subprotocol_case"
UPGRADE_HEADERS = "upgrade_headers"
WEBSOCKET_VERSION = "websocket_version"
HTTP_VERSION = "http_version"
REQUEST_SYNTAX = "request_syntax"
PATH_AFTER_IDENTITY = "path_after_identity"
IDENTITY_PADDING = "identity_padding"
PINGS_UNANSWERED = "pings_unanswered"
KEY_PADDING = "key_padding"
KEY_CHARSET = "key_charset"
USER_NAME_SPELLING = "user_name_spelling"
USER_NAME = "user_name"

# -- frame
MESSAGE_ID_REUSED = "message_id_reused"
MESSAGE_TYPE_TEXT = "message_type_text"
COMPRESSED_FRAMES = "compressed_frames"
FRAME_WRAPPED = "frame_wrapped"
ANSWER_SHAPE = "answer_shape"
ANSWER_ID = "answer_id"
MESSAGE_ID_NUMBER = "message_id_number"
PAYLOAD_MISSING = "payload_missing"
PAYLOAD_EMPTY_LIST = "payload_empty_list"
PAYLOAD_TEXT = "payload_text"

# -- JSON text
JSON_COMMA = "json_comma"
JSON_MISSING_VALUE = "json_missing_value"
JSON_UNCLOSED = "json_unclosed"
JSON_QUOTES = "json_quotes"
JSON_INNER_QUOTES = "json_inner_quotes"
JSON_BARE_WORD = "json_bare_word"
JSON_LITERAL = "json_literal"
JSON_NUMBER = "json_number"
JSON_CONTROL_CHARACTER = "json_control_character"
JSON_ESCAPE = "json_escape"
JSON_AROUND = "json_around"

# -- payload
FIELD_SPELLING = "field_spelling"
UNKNOWN_FIELD = "unknown_field"
MISSING_FIELD = "missing_field"
NULL_FIELD = "null_field"
FIELD_DROPPED = "field_dropped"
TEXT_CUT = "text_cut"
TEXT_FROM_VALUE = "text_from_value"
NUMBER_FROM_TEXT = "number_from_text"
NUMBER_ROUNDED = "number_rounded"
NUMBER_CAPPED = "number_capped"
BOOLEAN_FROM_VALUE = "boolean_from_value"
LIST_OR_SINGLE = "list_or_single"
NESTING = "nesting"
CHOICE_SPELLING = "choice_spelling"
CHOICE_OTHER = "choice_other"
CHOICE_KEPT = "choice_kept"
MEASURAND_WITH_PHASE = "measurand_with_phase"
TAG_CONTROL_CHARACTERS = "tag_control_characters"
ESCAPED_NUL = "escaped_nul"
NOTHING_MEASURED = "nothing_measured"
HERTZ_IN_STOP_TRANSACTION = "hertz_in_stop_transaction"

# -- time
TIME_WITHOUT_ZONE = "time_without_zone"
TIME_FORM = "time_form"
TIME_MISSING = "time_missing"
TIME_UNREADABLE = "time_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One named rule.

    Attributes:
        text: What is done, in a sentence.
        seen: On whose stations, or in which firmware, as far as known.
        on: Whether it is done unless a setting says otherwise.
    """

    name: str
    family: Family
    text: str
    seen: str = ""
    on: bool = True


def _repairs() -> Iterable[Repair]:
    def repair(name: str, text: str, seen: str = "", *, on: bool = True) -> Repair:
        return Repair(name=name, family=family, text=text, seen=seen, on=on)

    family: Family = "handshake"
    yield repair(
        MISSING_SUBPROTOCOL,
        "A request without `Sec-WebSocket-Protocol` is taken for OCPP 1.6.",
        "many small firmwares",
    )
    yield repair(
        SUBPROTOCOL_CASE,
        "The subprotocol in another spelling, `OCPP1.6`, `ocpp1.6j`, `ocpp1.6.0`, or in a list"
        " without commas is taken and sent back so.",
    )
    yield repair(
        UPGRADE_HEADERS,
        "Missing or odd `Connection: Upgrade` and `Upgrade: websocket` headers are added where a"
        " `Sec-WebSocket-Key` is there.",
        "Cahors, unnamed",
    )
    yield repair(
        WEBSOCKET_VERSION,
        "A missing `Sec-WebSocket-Version`, or one among several, is taken as 13.",
    )
    yield repair(HTTP_VERSION, "A request that calls itself HTTP/1.0 is served as HTTP/1.1.")
    yield repair(
        REQUEST_SYNTAX,
        "Blanks in and behind the path of a request or before a colon, letters in it that should be"
        " percent-encoded, lines that end without CR, `get` and `http/1.1` are read.",
        "addresses typed by hand",
    )
    yield repair(
        PATH_AFTER_IDENTITY,
        "Segments behind the identity that name the protocol or a number (`/ocpp/CP1/1.6`) are left"
        " out when the last one names no station.",
        "SETEC has them before the identity",
    )
    yield repair(
        IDENTITY_PADDING,
        "Blanks, quotes and brackets round an identity, and a fragment behind it, are left out when"
        " it names no station with them.",
        "addresses typed by hand",
    )
    yield repair(
        PINGS_UNANSWERED,
        "A station that has spoken in two connections but answered no ping is not pinged any more;"
        " TCP probes its socket.",
        "seen with several, see mobilityhouse/ocpp 338",
    )
    yield repair(
        USER_NAME_SPELLING,
        "The user name may spell the identity in other letters, percent-encoded, or with blanks.",
    )
    yield repair(
        KEY_PADDING,
        "NULs and line ends behind the key are left out.",
        "firmware in C",
    )
    yield repair(
        KEY_CHARSET,
        "A key that is no UTF-8 is read as Latin-1: letters such as `ö` in one typed by hand.",
    )
    yield repair(
        USER_NAME,
        "Any user name will do when the password is the station's (against H08).",
        "simulators, unnamed",
        on=False,
    )

    family = "frame"
    yield repair(
        MESSAGE_ID_REUSED,
        "A call whose message id was used before, for another call or for one that asks for the"
        " present state, is served as a new one.",
        "Grizzl-E (serial number as id), Metron ME3, MicroOcpp",
    )
    yield repair(
        COMPRESSED_FRAMES, "Frames that are compressed though it was not agreed are inflated."
    )
    yield repair(MESSAGE_TYPE_TEXT, 'The message type may be a text or a float: `"2"`, `2.0`.')
    yield repair(
        FRAME_WRAPPED,
        "A frame inside a list of its own, inside a text, or as an object with named elements.",
    )
    yield repair(
        ANSWER_SHAPE,
        "An answer to us without payload, with an empty list or JSON in a text for it, with the"
        " action before it, or with elements behind it.",
    )
    yield repair(
        ANSWER_ID,
        "An answer whose id is that of our open call in other letters, without hyphens, cut (8"
        " characters are the least) or between blanks or braces.",
    )
    yield repair(
        MESSAGE_ID_NUMBER,
        "A number as message id is taken, and sent back as a text (against R03).",
        on=False,
    )
    yield repair(
        PAYLOAD_MISSING,
        "A call without its fourth element has an empty payload (against R10).",
        on=False,
    )
    yield repair(
        PAYLOAD_EMPTY_LIST,
        "An empty list as payload is an empty object (against R10).",
        "firmware in PHP and Lua",
        on=False,
    )
    yield repair(
        PAYLOAD_TEXT,
        "A payload that is a text with JSON inside is unpacked (against R10).",
        on=False,
    )

    family = "json"
    yield repair(
        JSON_COMMA, "Commas that are missing, doubled, first or last are put right.", "ZJ Beny"
    )
    yield repair(
        JSON_MISSING_VALUE, 'A field without a value, `"transactionId":,`, is null.', "AEFA"
    )
    yield repair(
        JSON_UNCLOSED,
        "Brackets that were not closed, or not opened before the frame, are put there; a value that"
        " the end cuts is left out.",
        "Grizzl-E",
    )
    yield repair(JSON_QUOTES, "Texts in single quotes are texts.")
    yield repair(JSON_INNER_QUOTES, "Quotes inside a text are part of it.", "Mennekes")
    yield repair(JSON_BARE_WORD, "Names and texts without quotes are taken.")
    yield repair(
        JSON_LITERAL,
        "`True`, `None`, `undefined` and the like mean what they say; NaN and Infinity are texts.",
    )
    yield repair(JSON_NUMBER, "Numbers such as `007`, `+1`, `.5` and `5.` are numbers.", "Enercab")
    yield repair(
        JSON_CONTROL_CHARACTER, "Control characters inside a text are kept, but NUL is left out."
    )
    yield repair(
        JSON_ESCAPE,
        "Escapes that JSON does not know are taken as they stand; halves of a pair of"
        " surrogates become U+FFFD.",
    )
    yield repair(
        JSON_AROUND,
        "A byte order mark, NULs and other bytes before and behind the frame are left out.",
        "firmware in C",
    )

    family = "payload"
    yield repair(
        FIELD_SPELLING, "Field names in other letters, misspelled or by a usual other name."
    )
    yield repair(UNKNOWN_FIELD, "Fields that the message does not have are left out.")
    yield repair(
        MISSING_FIELD,
        "A required field that is missing gets a harmless default; what it touches has a finding.",
        "Huawei (vendor), AEFA (transactionId)",
    )
    yield repair(NULL_FIELD, "A field that is null is absent.", "various")
    yield repair(
        FIELD_DROPPED,
        "An optional field whose value makes no sense is left out, as is an element"
        " of a list that makes none.",
    )
    yield repair(
        TEXT_CUT, "A text that is too long is cut.", "Schneider EVlink (serial), Grizzl-E (model)"
    )
    yield repair(
        TEXT_FROM_VALUE,
        "A number, a boolean or a structure where a text must be becomes a text.",
        "Scame, OpenEVSE, Grizzl-E",
    )
    yield repair(
        NUMBER_FROM_TEXT,
        "A text where a number must be is read as one, blanks and unit apart.",
        "Enercab",
    )
    yield repair(
        NUMBER_ROUNDED, "A fraction where a whole number must be is rounded.", "simulators"
    )
    yield repair(
        NUMBER_CAPPED,
        "A transaction id or a meter of more than 63 bits is the largest that fits: no id, or odd.",
        "-1 without its sign; Alfen fills all 63",
    )
    yield repair(BOOLEAN_FROM_VALUE, '`"true"`, 1 and the like where a boolean must be.')
    yield repair(LIST_OR_SINGLE, "One thing where a list must be, or a list of one for one thing.")
    yield repair(
        NESTING, "Readings that stand one level too high are put where they belong.", "OCPP 1.5"
    )
    yield repair(
        CHOICE_SPELLING,
        "A value of an enumeration in other letters, misspelled or by a usual other name.",
        "Charge Amps Halo (Hz), evcc (W)",
    )
    yield repair(
        CHOICE_OTHER,
        "An unknown error code is OtherError, an unknown reason is Other.",
        "Legrand GreenUp",
    )
    yield repair(
        CHOICE_KEPT,
        "An unknown status, measurand, unit, context, phase or location is kept as it is.",
        "Alfen (context), Request.Energy",
    )
    yield repair(
        MEASURAND_WITH_PHASE, "A phase at the end of a measurand is taken for the phase.", "Alfen"
    )
    yield repair(
        TAG_CONTROL_CHARACTERS,
        "Control characters and blanks round an id tag that is too long are left out.",
        "Ocular/BS",
    )
    yield repair(
        ESCAPED_NUL,
        "Escaped characters NUL behind a text are left out; elsewhere they are refused (R30).",
        "firmware in C",
    )
    yield repair(
        NOTHING_MEASURED, "MeterValues without a value are answered; there is nothing to store."
    )
    yield repair(
        HERTZ_IN_STOP_TRANSACTION,
        "The unit Hertz in a StopTransaction, whose schema has forgotten it.",
    )

    family = "time"
    yield repair(TIME_WITHOUT_ZONE, "A time without zone is taken as UTC.")
    yield repair(
        TIME_FORM,
        "A time with a blank for the T, without seconds, in other orders, in words or as seconds"
        " since 1970.",
    )
    yield repair(TIME_MISSING, "An empty or missing time is the time of arrival, with a finding.")
    yield repair(
        TIME_UNREADABLE,
        "A time that nobody can read is the time of arrival, with a finding (against R29).",
        on=False,
    )


CATALOGUE: Mapping[str, Repair] = {repair.name: repair for repair in _repairs()}
