"""Plays a message-log bundle back against any central system.

What the charge point sent goes out again with its old relative timing, call by call: like the real
one it waits for an answer before its next call. Transaction ids that the other central system gives
take the place of the recorded ones. What that central system asks is answered as recorded; it may
ask other things, at other times, so its calls are matched by action and payload, not by place.
"""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from simulator.answers import Difference, ReplayReport, compare
from simulator.bundle import Bundle, Exchange, Frame, RecordedAnswers
from simulator.clock import Clock, iso, parse_iso
from simulator.link import Link
from simulator.refusals import reason

SENDINGS = 3
"""How often a call is sent when the connection is lost before its answer."""

CONNECTS = 5
RECONNECT_S = 0.5

_TRANSACTION_ID = re.compile(r'("transactionId"\s*:\s*)(\d{1,18})')


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """How a bundle is played.

    Attributes:
        url: the central system's endpoint; the identity is appended.
        identity: in place of the recorded one.
        password: Basic authentication, with the identity as user.
        speed: how many times faster than it was; 0: without waits.
        shifts_times: timestamps are moved so that the first frame is now; else they stay.
        boots_anew: a BootNotification comes over a new connection, as after a reboot.
        timeout_s: how long an answer may take.
        linger_s: how long the central system may still ask after the last answer.
        ignored: places of answers that may differ, ``Action.path``.
    """

    url: str
    identity: str | None = None
    password: str | None = None
    speed: float = 1.0
    shifts_times: bool = False
    boots_anew: bool = True
    timeout_s: float = 30.0
    linger_s: float = 1.0
    ignored: Collection[str] = ()
    tls: ssl.SSLContext | None = None


class Replay:
    """A bundle being played.

    Args:
        bundle: what is played.
        plan: how.
        clock: paces it.
    """

    def __init__(self, bundle: Bundle, plan: ReplayPlan, clock: Clock) -> None:
        self._bundle = bundle
        self._plan = plan
        self._clock = clock
        identity = plan.identity or bundle.station_id
        url = f"{plan.url.rstrip('/')}/{quote(identity, safe='')}"
        self.report = ReplayReport(station_id=identity, url=url)
        self.total = len(bundle.exchanges)
        self._answers = RecordedAnswers(bundle)
        self._open: dict[str, asyncio.Future[list[Any] | None]] = {}
        self._websocket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()
        self._stop_asked = asyncio.Event()
        self._began_at: datetime | None = None

    def describe(self) -> str:
        """Return where the replay stands, in words."""
        report = self.report
        return f"{report.sent} of {self.total} frames, {len(report.differences)} differences"

    def stop(self) -> None:
        """Ask ``run`` to end after the present frame."""
        self._stop_asked.set()

    async def run(self) -> ReplayReport:
        """Play all and return what came of it.

        Cancellation: closes the connection.
        """
        began = self._clock.monotonic()
        self._began_at = self._clock.now()
        async with asyncio.TaskGroup() as self._tasks:
            await self._play_all(began)
        self.report.never_called = self._answers.unused()
        self.report.seconds = self._clock.monotonic() - began
        return self.report

    async def _play_all(self, began: float) -> None:
        try:
            for number, exchange in enumerate(self._bundle.exchanges):
                if await self._clock.wait(self._stop_asked, self._wait_s(began, exchange.call)):
                    self.report.broken_off = f"stopped before line {exchange.call.line}"
                    break
                if number and self._plan.boots_anew and exchange.call.action == "BootNotification":
                    await self._leave()
                await self._play(exchange)
            else:
                await self._clock.wait(self._stop_asked, self._plan.linger_s)
        except (OSError, InvalidHandshake, InvalidURI) as error:
            why = reason(error, self.report.url)
            self.report.broken_off = f"cannot connect to {self.report.url}: {why}"
        finally:
            await self._leave()

    def _wait_s(self, began: float, frame: Frame) -> float:
        if self._plan.speed <= 0:
            return 0.0
        passed = (frame.at - self._bundle.exchanges[0].call.at).total_seconds() / self._plan.speed
        return max(0.0, began + passed - self._clock.monotonic())

    # The charge point's frames

    async def _play(self, exchange: Exchange) -> None:
        """Send one frame, wait for its answer, and compare that."""
        frame = exchange.call
        self.report.sent += 1
        if frame.kind is None or frame.message_id is None:
            # Nobody can answer what cannot be read; a central system may hang up on it.
            with contextlib.suppress(ConnectionClosed):
                await (await self._connected()).send(frame.raw)
            return
        got = await self._ask(frame.message_id, self._text(frame))
        action = frame.action or ""
        if got is not None:
            self.report.answered += 1
            self._learn_id(exchange, got)
        recorded = exchange.answer.content if exchange.answer is not None else None
        if isinstance(recorded, list) and got is not None:
            self.report.differences += compare(
                frame.line, action, recorded, got, self._plan.ignored
            )
        elif (exchange.answer is None) != (got is None):
            self.report.differences.append(
                Difference(
                    line=frame.line,
                    action=action,
                    place=action,
                    why="missing" if got is None else "unrecorded",
                    recorded=recorded,
                    got=got,
                )
            )

    async def _ask(self, message_id: str, text: str) -> list[Any] | None:
        """Send a call, again when the connection is lost; return its answer or None."""
        for _ in range(SENDINGS):
            websocket = await self._connected()
            answer: asyncio.Future[list[Any] | None]
            answer = asyncio.get_running_loop().create_future()
            self._open[message_id] = answer
            try:
                await websocket.send(text)
                async with asyncio.timeout(self._plan.timeout_s):
                    got = await answer
            except ConnectionClosed:
                continue
            except TimeoutError:
                return None
            finally:
                self._open.pop(message_id, None)
            if got is not None:
                return got
        return None

    def _text(self, frame: Frame) -> str:
        """Return the frame as it is sent: byte for byte, but for ids and times that must change."""
        if not isinstance(frame.payload, dict):
            return _TRANSACTION_ID.sub(self._mapped, frame.raw)  # odd JSON, known to some
        payload = with_ids(frame.payload, self.report.transactions)
        if self._plan.shifts_times:
            payload = self._shifted(payload)
        if payload == frame.payload:
            return frame.raw
        return _dumped([*frame.content[:3], payload, *frame.content[4:]])

    def _mapped(self, found: re.Match[str]) -> str:
        known = self.report.transactions.get(int(found[2]))
        return found[0] if known is None else f"{found[1]}{known}"

    def _shifted(self, value: Any) -> Any:
        """Return ``value`` with its timestamps moved; what is no time stays."""
        if isinstance(value, list):
            return [self._shifted(one) for one in value]
        if not isinstance(value, dict):
            return value
        moved = {key: self._shifted(one) for key, one in value.items()}
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            passed = parse_iso(moved["timestamp"]) - self._bundle.exchanges[0].call.at
            speed = self._plan.speed if self._plan.speed > 0 else 1.0
            began = self._began_at or self._clock.now()
            moved["timestamp"] = iso(began + passed / speed)
        return moved

    def _learn_id(self, exchange: Exchange, got: list[Any]) -> None:
        """Note which id the other central system gives to a recorded transaction."""
        if exchange.call.action != "StartTransaction" or exchange.answer is None:
            return
        was, now = exchange.answer.payload, got[2] if len(got) > 2 else None
        if isinstance(was, dict) and isinstance(now, dict):
            recorded, given = was.get("transactionId"), now.get("transactionId")
            if isinstance(recorded, int) and isinstance(given, int):
                self.report.transactions[recorded] = given

    # The connection

    async def _connected(self) -> ClientConnection:
        """Return the open connection, or a new one.

        Raises:
            OSError, InvalidHandshake, InvalidURI: several attempts have failed.
        """
        if self._websocket is not None and self._websocket.close_code is None:
            return self._websocket
        await self._leave()
        websocket = await self._connect()
        self.report.connections += 1
        self._websocket = websocket
        self._reader = self._tasks.create_task(self._read(websocket), name="replay reader")
        return websocket

    async def _connect(self) -> ClientConnection:
        for attempt in range(1, CONNECTS):
            with contextlib.suppress(OSError, InvalidHandshake):
                return await connect(self.report.url, **self._options())
            await self._clock.sleep(RECONNECT_S * attempt)
        return await connect(self.report.url, **self._options())

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "subprotocols": [Subprotocol("ocpp1.6")],
            "compression": None,
            "max_size": None,
            "proxy": None,
            "open_timeout": self._plan.timeout_s,
        }
        if self.report.url.startswith("wss:"):
            options["ssl"] = self._plan.tls or True
        if self._plan.password is not None:
            options["additional_headers"] = {
                "Authorization": Link.basic(self.report.station_id, self._plan.password.encode())
            }
        return options

    async def _leave(self) -> None:
        websocket, self._websocket = self._websocket, None
        reader, self._reader = self._reader, None
        if websocket is not None:
            await websocket.close()
        if reader is not None:
            await reader

    async def _read(self, websocket: ClientConnection) -> None:
        try:
            async for text in websocket:
                await self._take(websocket, text)
        except ConnectionClosed:
            pass
        finally:
            for answer in self._open.values():
                if not answer.done():
                    answer.set_result(None)

    async def _take(self, websocket: ClientConnection, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        match frame:
            case [3 | 4, message_id, *_]:
                waiting = self._open.get(str(message_id))
                if waiting is not None and not waiting.done():
                    waiting.set_result(frame)
            case [2, message_id, str(action), payload, *_]:
                self.report.called[action] += 1
                back = {given: was for was, given in self.report.transactions.items()}
                answer = self._answers.take(action, with_ids(payload, back))
                if answer is None:
                    self.report.unexpected[action] += 1
                    text = _dumped([4, message_id, "NotImplemented", "not in the recording", {}])
                else:
                    text = _answer_text(answer, message_id, self.report.transactions)
                await websocket.send(text)
            case _:
                pass


def with_ids(value: Any, ids: Mapping[int, int]) -> Any:
    """Return ``value`` with the transaction ids in it replaced, wherever they stand.

    >>> with_ids({"transactionId": 5, "meterStop": 5}, {5: 9})
    {'transactionId': 9, 'meterStop': 5}
    """
    if isinstance(value, list):
        return [with_ids(one, ids) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {key: with_ids(one, ids) for key, one in value.items()}
    known = changed.get("transactionId")
    if isinstance(known, int) and known in ids:
        changed["transactionId"] = ids[known]
    return changed


def _answer_text(answer: Frame, message_id: Any, ids: Mapping[int, int]) -> str:
    """Return a recorded answer as the answer to another call."""
    if not isinstance(answer.content, list) or answer.message_id is None:
        return answer.raw.replace(answer.message_id or "", str(message_id), 1)
    head, _, *rest = answer.content
    return _dumped([head, message_id, *with_ids(rest, ids)])


def _dumped(frame: list[Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
