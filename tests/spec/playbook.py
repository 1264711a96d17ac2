"""Playbooks: what a charge point and an operator do, and what each must then get.

A playbook is a list of steps that a `Stage` performs with a real socket and the real operator API.
Each step has lines; when what happens is not what the script says, both are printed as a diff.
Payloads in both directions are also checked against the schemas of the `ocpp` package, and nothing
may arrive that the script does not name.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote

from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallResult, get_validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.app.bench import System
from tests.spec.values import ANY, NOW, Has, Slot, filled, fits
from tests.waiting import wait_until

PATIENCE_S = 20.0


# -- lines and steps


@dataclass(frozen=True)
class Line:
    """One line of a script: who says or sees what."""

    who: str
    what: str
    content: Any = None

    def fits(self, other: Line) -> bool:
        return (self.who, self.what) == (other.who, other.what) and fits(
            self.content, other.content
        )

    def __str__(self) -> str:
        return f"{self.who:8} {self.what} {self.content!r}"


class Step(Protocol):
    """A part of a playbook."""

    def script(self) -> list[Line]:
        """Return what shall happen."""

    async def perform(self, stage: Stage) -> list[Line]:
        """Do it and return what has happened."""


@dataclass
class Says(Step):
    """The charge point sends a call and gets its confirmation.

    Attributes:
        odd: The call breaks its schema, as it is meant to.
    """

    action: str
    payload: dict[str, Any]
    confirmation: Any
    odd: bool = False

    def script(self) -> list[Line]:
        return [
            Line("station", self.action, self.payload),
            Line("station", "gets the confirmation", self.confirmation),
        ]

    async def perform(self, stage: Stage) -> list[Line]:
        payload = filled(self.payload)
        if not self.odd:
            problem = schema_problem(Call(unique_id="x", action=self.action, payload=payload))
            assert problem is None, f"the script itself breaks a schema: {problem}"
        frame = await stage.exchange(self.action, payload)
        return [Line("station", self.action, payload), answer_line(self.action, frame)]


@dataclass
class Asks(Step):
    """The operator sends a call by the API; the station gets just that and replies.

    Attributes:
        typed: What the operator gives, where that is not what the station shall get.
    """

    action: str
    payload: dict[str, Any]
    reply: Any = field(default_factory=lambda: {"status": "Accepted"})
    outcome: str = "accepted"
    more: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, Any] | None = None

    def script(self) -> list[Line]:
        status = self.reply.get("status") if isinstance(self.reply, dict) else None
        return [
            Line("station", f"gets {self.action}", json.dumps(filled(self.payload))),
            Line("station", "replies", self.reply),
            Line(
                "operator",
                "sees the outcome",
                Has(outcome=self.outcome, status=status, **self.more),
            ),
        ]

    async def perform(self, stage: Stage) -> list[Line]:
        payload = filled(self.payload)
        async with asyncio.TaskGroup() as tasks:
            typed = payload if self.typed is None else self.typed
            asked = tasks.create_task(stage.ask_call(self.action, typed))
            frame, raw = await stage.receive()
            happened = [call_line(frame, raw)]
            if not isinstance(frame, list) or frame[0] != 2:
                if asked.done():
                    happened.append(Line("operator", "sees", asked.result()))
                asked.cancel()
                return happened
            if isinstance(self.reply, dict):
                await stage.send([3, frame[1], self.reply])
            else:
                await stage.send([4, frame[1], self.reply, "", {}])
            happened.append(Line("station", "replies", self.reply))
        _, answer = asked.result()
        return [*happened, Line("operator", "sees the outcome", answer)]


@dataclass
class Sees(Step):
    """The operator sees something in the API, sooner or later."""

    path: str
    content: Any
    pick: Callable[[Any], Any] = lambda answer: answer

    def script(self) -> list[Line]:
        return [Line("operator", f"sees {self.path}", self.content)]

    async def perform(self, stage: Stage) -> list[Line]:
        path = self.path.format(id=quote(stage.identity, safe=""), **stage.names())
        seen: Any = None

        async def there() -> bool:
            nonlocal seen
            status, answer = await stage.ask("GET", path)
            assert status == 200, (status, answer)
            seen = self.pick(answer)
            return fits(self.content, seen)

        try:
            await wait_until(there, PATIENCE_S)
        except AssertionError as error:
            if "not within" not in str(error):
                raise
        return [Line("operator", f"sees {self.path}", seen)]


@dataclass
class Does(Step):
    """The operator asks for something else than a call."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any = ANY

    def script(self) -> list[Line]:
        return [Line("operator", f"{self.method} {self.path}", [self.status, self.answer])]

    async def perform(self, stage: Stage) -> list[Line]:
        path = self.path.format(id=quote(stage.identity, safe=""), **stage.names())
        status, answer = await stage.ask(self.method, path, filled(self.body))
        return [Line("operator", f"{self.method} {self.path}", [status, answer])]


@dataclass
class PowerCycles(Step):
    """The socket drops without a word; then the charge point connects anew."""

    def script(self) -> list[Line]:
        return [Line("station", "connects anew")]

    async def perform(self, stage: Stage) -> list[Line]:
        stage.socket.transport.abort()
        await stage.plug_in()
        return self.script()


def call_line(frame: Any, raw: str) -> Line:
    """Return the line of a frame that should be a call; its payload as it stands on the wire."""
    if not isinstance(frame, list) or frame[0] != 2:
        return Line("station", "gets", frame)
    _, _, action, payload = frame
    problem = schema_problem(Call(unique_id="x", action=action, payload=payload))
    if problem is not None:
        return Line("station", f"gets {action}, which breaks its schema", problem)
    compact = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    assert compact in raw, f"not compact, or not in the order it was given: {raw}"
    return Line("station", f"gets {action}", json.dumps(payload))


def answer_line(action: str, frame: Any) -> Line:
    """Return the line of a frame that should be a confirmation."""
    if not isinstance(frame, list) or frame[0] != 3:
        return Line("station", "gets", frame)
    problem = schema_problem(CallResult(unique_id="x", payload=frame[2], action=action))
    if problem is not None:
        return Line("station", "gets a confirmation that breaks its schema", problem)
    return Line("station", "gets the confirmation", frame[2])


def schema_problem(message: Call | CallResult) -> str | None:
    """Return what breaks the schema, by the `ocpp` package's copy of it."""
    try:
        # with decimals, as the package itself does where tenths are checked: it keeps one validator
        # a message for the whole process, whoever asked for it first
        validator = get_validator(message.message_type_id, message.action, "1.6", Decimal)
    except (OCPPError, OSError) as error:
        return str(error)
    payload = json.loads(json.dumps(message.payload), parse_float=Decimal)
    error = next(validator.iter_errors(payload), None)
    return None if error is None else str(error.message)


# -- the stage


class Stage:
    """A charge point, its socket, and an operator who looks at the same system."""

    def __init__(
        self,
        system: System,
        identity: str,
        *,
        url: str | None = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.system, self.identity = system, identity
        self.url = url or system.ocpp_url
        self.headers = headers or {}
        self.tls = tls
        self.socket: ClientConnection
        self.slots: list[Slot] = []
        self.said: list[str] = []
        self.heard: list[str] = []
        self._number = 0

    async def plug_in(self) -> None:
        """Open a connection, in place of the present one if any."""
        self.socket = await connect(
            f"{self.url}/{quote(self.identity, safe='')}",
            subprotocols=["ocpp1.6"],  # type: ignore[list-item]
            additional_headers=self.headers,
            compression=None,
            proxy=None,
            **({} if self.tls is None else {"ssl": self.tls}),
        )

    async def close(self) -> None:
        await self.socket.close()

    def slot(self, slot: Slot) -> Slot:
        """Let paths of this stage name a slot."""
        self.slots.append(slot)
        return slot

    def names(self) -> dict[str, Any]:
        return {slot.name: slot.value for slot in self.slots}

    async def send(self, frame: Any) -> None:
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        self.said.append(text)
        await self.socket.send(text)

    async def receive(self) -> tuple[Any, str]:
        """Return the next frame, read and raw; words where there is none."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                raw = str(await self.socket.recv())
        except TimeoutError:
            return f"nothing within {PATIENCE_S:g} s", ""
        except ConnectionClosed:
            return f"the end of the connection, {self.socket.close_code}", ""
        self.heard.append(raw)
        return json.loads(raw), raw

    async def exchange(self, action: str, payload: Any) -> Any:
        """Send a call and return the frame that comes next."""
        self._number += 1
        number = f"{self.identity}-{self._number}"[-36:]
        await self.send([2, number, action, payload])
        frame, _ = await self.receive()
        if isinstance(frame, list) and frame[0] == 3:
            assert frame[1] == number
        return frame

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the operator API; returns status and content."""
        url = f"http://127.0.0.1:{self.system.running.http_port}{path}"
        async with self.system.client.request(method, url, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def check_the_log(self) -> None:
        """Compare the system's log of messages with what this station has said and heard."""
        logged: dict[str, list[str]] = {"in": [], "out": []}
        path = f"/api/stations/{quote(self.identity, safe='')}/messages?limit=1000"
        status, page = await self.ask("GET", path)
        assert status == 200, page
        assert page["nextCursor"] is None, "too long to compare"
        for frame in reversed(page["items"]):
            logged[frame["direction"]].append(frame["raw"])
        heard = logged["out"][: len(self.heard)]
        assert list(map(without_key, logged["in"])) == list(map(without_key, self.said))
        assert list(map(without_key, heard)) == list(map(without_key, self.heard))

    async def ask_call(self, action: str, payload: Any) -> tuple[int, Any]:
        return await self.ask(
            "POST", f"/api/stations/{quote(self.identity, safe='')}/calls/{action}", payload
        )

    async def play(self, *steps: Step | list[Step]) -> None:
        """Perform a playbook; raises AssertionError with both scripts where they differ."""
        script, happened = await self.perform(*steps)
        # an answer comes after whatever was on its way before it
        extra = await self.exchange("Heartbeat", {})
        if not fits([3, ANY, {"currentTime": NOW}], extra):
            happened.append(Line("station", "gets, unasked,", extra))
            raise AssertionError(difference(script, happened))

    async def perform(self, *steps: Step | list[Step]) -> tuple[list[Line], list[Line]]:
        """Perform a part of a playbook; returns what should happen and what has."""
        script: list[Line] = []
        happened: list[Line] = []
        for step in steps:
            for each in step if isinstance(step, list) else [step]:
                script += each.script()
                happened += await each.perform(self)
                if not same(script, happened):
                    raise AssertionError(difference(script, happened))
        return script, happened


def without_key(text: str) -> str:
    """Return a frame that speaks of an AuthorizationKey without what the log must not show."""
    return text[:40] if "AuthorizationKey" in text else text


def same(script: list[Line], happened: list[Line]) -> bool:
    return len(script) == len(happened) and all(
        expected.fits(actual) for expected, actual in zip(script, happened, strict=True)
    )


def difference(script: list[Line], happened: list[Line]) -> str:
    """Return both scripts as a diff; lines that fit look alike."""
    seen = [
        script[place] if place < len(script) and script[place].fits(line) else line
        for place, line in enumerate(happened)
    ]
    return "\n".join(
        difflib.unified_diff(
            [str(line) for line in script],
            [str(line) for line in seen],
            "script",
            "happened",
            lineterm="",
            n=100,
        )
    )
