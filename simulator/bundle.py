r"""Message-log bundles: what a central system exported of one charge point's frames.

JSON Lines. The first line is a header::

    {"format": "csms-message-bundle", "version": 1, "stationId": "CP1", "from": null,
     "to": "2026-03-02T12:00:00.000Z", "boot": {"chargePointVendor": "V", ...}, ...}

then one line a frame, the oldest first, ``in`` is from the charge point::

    {"at": "2026-03-02T11:58:01.123Z", "direction": "in", "type": "call", "action": "Heartbeat",
     "messageId": "7", "raw": "[2,\"7\",\"Heartbeat\",{}]", ...}

and last a footer ``{"end": true, "messages": 1}``, without which it was cut off. Unknown fields are
passed over. Nothing is played here, see :mod:`simulator.replay`.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from simulator.clock import parse_iso
from simulator.errors import BundleError

FORMAT = "csms-message-bundle"
VERSION = 1

Kind = Literal["call", "callResult", "callError"]
KINDS: dict[object, Kind] = {
    "call": "call",
    "callResult": "callResult",
    "callError": "callError",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of the log.

    Attributes:
        line: its line in the bundle, from 1.
        is_from_station: its direction.
        kind: None for what the central system could not make out.
        raw: the text as it went over the wire, but for masked secrets.
        content: the text decoded; None when it is not JSON (some charge points' frames are not).
    """

    line: int
    at: datetime
    is_from_station: bool
    kind: Kind | None
    action: str | None
    message_id: str | None
    raw: str
    content: Any

    @property
    def payload(self) -> Any:
        """Payload of a call or a result, code of a CALLERROR; None when it cannot be read."""
        place = {"call": 3, "callResult": 2, "callError": 2}.get(self.kind or "", 99)
        if isinstance(self.content, list) and len(self.content) > place:
            return self.content[place]
        return None


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """A call and what it was answered; ``answer`` None: nothing within the bundle."""

    call: Frame
    answer: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One charge point's log, taken apart.

    Attributes:
        exchanges: what the charge point sent on its own, in order: its calls, and frames that
            cannot be read.
        asked: the central system's calls, in order.
        is_whole: whether the footer was there and its count is right.
    """

    station_id: str
    exchanges: Sequence[Exchange] = ()
    asked: Sequence[Exchange] = ()
    frames: int = 0
    is_whole: bool = True


@dataclass(slots=True)
class _Pairing:
    """Calls that wait for their answers, by message id; ids may be used again."""

    exchanges: list[Exchange] = field(default_factory=list)
    open: dict[str | None, deque[Exchange]] = field(default_factory=dict)

    def call(self, frame: Frame) -> None:
        exchange = Exchange(call=frame)
        self.exchanges.append(exchange)
        if frame.kind == "call":
            self.open.setdefault(frame.message_id, deque()).append(exchange)

    def answer(self, frame: Frame) -> None:
        waiting = self.open.get(frame.message_id)
        if waiting:
            waiting.popleft().answer = frame
            if not waiting:
                del self.open[frame.message_id]


class RecordedAnswers:
    """What the charge point answered to the central system's calls, each given out once.

    Args:
        bundle: where they stand.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._waiting: dict[str, list[Exchange]] = {}
        self._last: dict[str, Frame] = {}
        for exchange in bundle.asked:
            self._waiting.setdefault(exchange.call.action or "", []).append(exchange)

    def take(self, action: str, payload: Any) -> Frame | None:
        """Return the answer to a call: of the same payload before any other, the oldest first.

        When all are used up the last one is given again. None: nothing like it was ever answered.
        """
        waiting = self._waiting.get(action, [])
        same = [one for one in waiting if one.call.payload == payload]
        answered = [one for one in same + waiting if one.answer is not None]
        if not answered:
            return self._last.get(action)
        waiting.remove(answered[0])
        if answered[0].answer is not None:
            self._last[action] = answered[0].answer
        return answered[0].answer

    def unused(self) -> Counter[str]:
        """Return how many recorded calls have not come, by action."""
        return Counter({action: len(left) for action, left in self._waiting.items() if left})


def read_bundle(path: Path) -> Bundle:
    """Return the bundle in a file.

    Raises:
        BundleError: it cannot be read or is no bundle; the text names the line.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return parse_bundle(lines)
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, BundleError) as error:
        raise BundleError(f"{path}: {error}") from error


def parse_bundle(lines: Iterable[str]) -> Bundle:
    """Return the bundle that these lines make.

    Raises:
        BundleError: they make none; the text names the line.
    """
    numbered = enumerate(lines, 1)
    header = _header(next(numbered, (1, ""))[1])
    from_station, to_station = _Pairing(), _Pairing()
    frames, is_whole = 0, False
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            if not line.endswith("\n"):
                break  # cut off in the middle of a line
            msg = f"line {number}: not JSON: {error}"
            raise BundleError(msg) from error
        if isinstance(item, dict) and item.get("end") is True:
            is_whole = item.get("messages") == frames
            break
        frame = _frame(number, item)
        frames += 1
        if frame.kind in ("callResult", "callError"):
            (to_station if frame.is_from_station else from_station).answer(frame)
        else:
            (from_station if frame.is_from_station else to_station).call(frame)
    return Bundle(
        station_id=header["stationId"],
        exchanges=from_station.exchanges,
        asked=[one for one in to_station.exchanges if one.call.kind == "call"],
        frames=frames,
        is_whole=is_whole,
    )


def _header(line: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError as error:
        msg = f"line 1: not JSON: {error}"
        raise BundleError(msg) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        msg = f"line 1: no header with format {FORMAT!r}"
        raise BundleError(msg)
    if header.get("version") != VERSION:
        msg = f"line 1: version {header.get('version')!r}, this simulator plays {VERSION}"
        raise BundleError(msg)
    if not isinstance(header.get("stationId"), str) or not header["stationId"]:
        msg = "line 1: no stationId"
        raise BundleError(msg)
    return header


def _frame(number: int, item: Any) -> Frame:
    try:
        raw = item["raw"]
        frame = Frame(
            line=number,
            at=parse_iso(item["at"]),
            is_from_station={"in": True, "out": False}[item["direction"]],
            kind=KINDS.get(item.get("type")),
            action=item.get("action"),
            message_id=item.get("messageId"),
            raw=raw,
            content=_decoded(raw),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"line {number}: no frame: {type(error).__name__} {error}"
        raise BundleError(msg) from error
    return frame


def _decoded(raw: object) -> Any:
    if not isinstance(raw, str):
        msg = "raw is not a text"
        raise TypeError(msg)
    try:
        return json.loads(raw)
    except ValueError:
        return None
