"""Frames to begin with: one of each kind, valid and broken as known charge points break them."""

from __future__ import annotations

import json

from tests.ocppj.repairs.cases import CASES, FrameCase
from tests.ocppj.test_handlers_fuzz import VALID

FRAMES = (
    *(json.dumps([2, "1", action, payload]) for action, payload in VALID.items()),
    *(case.raw for case in CASES.values() if isinstance(case, FrameCase)),
    '[3,"u",{"status":"Accepted"}]',
    '[3,"u",{"configurationKey":[]',
    '[4,"u","GenericError","",{}]',
    '[4,"u","GenericError"]',
    '[2,"1","Reset",{"type":"Hard"}]',
    '[2,"\\ud800","Heartbeat",{}]',
    '[2,"1","Heartbeat",{"a":1e400}]',
    "[" * 300,
    "",
)
WORDS = (
    *("[", "]", "{", "}", ",", ":", '"', "'", "\\", "\\u0000", "\\ud800", "null", "true", "NaN"),
    *('[2,"1",', '[3,"', '[4,"', "1e999", "-1", "9223372036854775807", "18446744073709551616"),
    *VALID,
    *sorted({name for payload in VALID.values() for name in payload}),
    *("sampledValue", "measurand", "unit", "phase", "context", "kWh", "Current.Import.L1"),
    *("1970-01-01T00:00:00Z", "2026-03-01T12:00:00", "0000-00-00T00:00:00Z"),
)
