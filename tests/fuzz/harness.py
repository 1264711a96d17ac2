"""Real sessions over sockets that are none: texts in, answers out, in one event loop, fast.

What must hold whatever comes: each call that can be read is answered with its id, never with
InternalError; facts fit the database and are the sender's own; the log takes every frame; the
connection serves on or is closed with a code of ours; the neighbour notices nothing; nothing takes
long.
"""

from __future__ import annotations

import asyncio
import atexit
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosedOK
from websockets.frames import Close

from csms.clock import SystemClock
from csms.ocppj.handlers import Handlers
from csms.ocppj.repairs.catalogue import CATALOGUE
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.repairs.tolerance import Repairs
from csms.ocppj.schemas import Schemas
from csms.ocppj.serving import Station
from csms.ocppj.session import Services, Session
from tests.ocppj.standins import StandInConnections, StandInIntake, record
from tests.ocppj.test_handlers_fuzz import fits

SCHEMAS = Schemas()
ALL_REPAIRS = Repairs(SCHEMAS, Switches(on=CATALOGUE))
MOST_CALLS = 1_000
MOST_CALLS_A_CHARACTER = 40
"""Bounds of the work for one input, counted in calls of functions, because time is no property of a
program: it is linear in the length. Mending takes up to 16 calls a character."""

_TURNS = 200
_CODES = (1003, 1007, 1008, 1009)


class Line:
    """A socket in memory."""

    waiting = 0

    def __init__(self) -> None:
        self.out: list[str] = []
        self.code: int | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_text: Callable[[str], None] | None = None
        self._queued: asyncio.Queue[str] | None = None

    def take_texts(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text

    def use_recv(self) -> None:
        self._queued = self._queued or asyncio.Queue()

    def let_go(self) -> None:
        self._on_text = None

    def write_now(self, text: str) -> bool:
        text.encode()  # as the real one does
        self.out.append(text)
        return True

    def feed(self, text: str) -> None:
        if self.code is not None:
            return
        if self._queued is not None:
            self._queued.put_nowait(text)
        elif self._on_text is not None:
            self._on_text(text)

    async def recv(self) -> str:
        while self._queued is None or self._queued.empty():
            if self._closed.done():
                raise ConnectionClosedOK(Close(1000, ""), None)
            await asyncio.sleep(0)
        return self._queued.get_nowait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.code = self.code or code
        if not self._closed.done():
            self._closed.set_result(None)


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions, of Python and of C, are called while `work` is done."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


async def _ended(_: Session) -> None:
    return


async def _settled(lines: Sequence[Line], count: Callable[[], int]) -> None:
    """Let the loop turn until nothing more is written."""
    quiet = 0
    before = -1
    for _ in range(_TURNS):
        await asyncio.sleep(0)
        now = count() + sum(len(line.out) for line in lines)
        quiet = quiet + 1 if now == before else 0
        before = now
        if quiet > 3:
            return


async def _play(texts: Sequence[str], *, strict: bool) -> None:
    intake = StandInIntake()
    clock = SystemClock()
    services = Services(
        handlers=Handlers(intake, SCHEMAS, clock, intake, ALL_REPAIRS),
        schemas=SCHEMAS,
        intake=intake,
        connections=StandInConnections(),
        clock=clock,
    )
    odd, well = Line(), Line()
    sessions = [
        Session(odd, Station(record(1, strict=strict)), 1, services),
        Session(well, Station(record(2, "CP2")), 1, services),
    ]
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(session.run(_ended)) for session in sessions]
        await asyncio.sleep(0)
        blocking: list[str] = []
        for text in texts:
            calls = calls_of(lambda text=text: odd.feed(text))
            if calls > MOST_CALLS + MOST_CALLS_A_CHARACTER * len(text):
                blocking.append(f"{calls} calls for {len(text)} characters, {text[:80]!r}")
            await _settled((odd, well), lambda: len(intake.facts))
        mine = len(intake.facts)
        assert not runs[0].done() or odd.code is not None, "the connection's task has ended"
        assert not runs[1].done(), "the neighbour's task has ended"
        well.feed('[2,"well","Heartbeat",{}]')
        odd.feed('[2,"still there","Heartbeat",{}]')
        await _settled((odd, well), lambda: len(intake.facts))
        assert [orjson.loads(text)[:2] for text in well.out] == [[3, "well"]]
        answers = [orjson.loads(text) for text in odd.out]
        if odd.code is None:
            assert [answer[:2] for answer in answers][-1] == [3, "still there"], answers[-1]
        else:
            assert odd.code in _CODES
        _check_answers(answers)
        assert not blocking, blocking[0]
        for fact in intake.facts[:mine]:
            assert fact.charge_point == 1
            assert fits(fact), fact
        for frame in intake.frames:
            assert "\0" not in frame.raw + (frame.repaired or "") + (frame.message_id or "")
        for line in (odd, well):
            await line.close(1001)
        for session in sessions:
            await session.close(1001, "")


def _check_answers(answers: Sequence[Any]) -> None:
    for answer in answers:
        assert answer[0] in (3, 4), answer
        assert isinstance(answer[1], str)
        if answer[0] == 4:
            assert len(answer) == 5
            assert answer[2] != "InternalError", answer


_RUNNER = asyncio.Runner()  # one loop for all: making one takes longer than a session's whole life
atexit.register(_RUNNER.close)


def play(texts: Sequence[str], *, strict: bool = False) -> None:
    """Feed texts to a session, one after the other, and check what must hold; see the module."""
    try:
        _RUNNER.run(_play(texts, strict=strict))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # so that a report names it


def as_text(data: bytes) -> str | None:
    """Return what the WebSocket layer would hand over; broken UTF-8 never comes this far."""
    with suppress(UnicodeDecodeError):
        return data.decode()
    return None
