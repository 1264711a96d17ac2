"""OCPP conversations as scripts, played over a real socket.

A script is a list of lines: `sends(...)` is what the charge point says, `gets(...)` what it must
then hear. A mismatch prints the difference between the script and what happened.
"""

from __future__ import annotations

import asyncio
import difflib
import json
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

_PATIENCE_S = 30.0


class Any_:
    """Equals anything; stands in scripts for what the central system chooses."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "ANY"


ANY = Any_()


@dataclass(frozen=True)
class Line:
    direction: str  # ">": charge point to central system, "<": back
    frame: Any

    def __str__(self) -> str:
        return f"{self.direction} {self.frame!r}"


@dataclass(frozen=True)
class Closed:
    """The central system closes the connection with this code."""

    code: int


def sends(*frame: Any) -> Line:
    """The charge point sends a frame; a single text is sent as it is."""
    return Line(">", frame[0] if len(frame) == 1 else list(frame))


def gets(*frame: Any) -> Line:
    """The charge point gets a frame; a single `Closed` is the end of the connection."""
    return Line("<", frame[0] if len(frame) == 1 else list(frame))


class ChargePoint:
    """A charge point that says exactly what it is told to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = 0

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def get(self) -> Any:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return json.loads(await self.socket.recv())
        except ConnectionClosed:
            return Closed(self.socket.close_code or 0)

    async def call(self, action: str, payload: Any) -> Any:
        """Send a call with a fresh id and return the frame that answers it."""
        self._ids += 1
        await self.send([2, f"m{self._ids}", action, payload])
        answer = await self.get()
        assert isinstance(answer, Closed) or answer[1] == f"m{self._ids}", answer
        return answer

    async def play(self, *script: Line) -> None:
        """Play a script and compare."""
        happened = []
        for line in script:
            if line.direction == ">":
                await self.send(line.frame)
                happened.append(line)
                continue
            try:
                happened.append(Line("<", await self.get()))
            except TimeoutError:
                happened.append(Line("<", f"nothing within {_PATIENCE_S} s"))
            if happened[-1].frame != line.frame:
                break
        if [line.frame for line in happened] != [line.frame for line in script]:
            raise AssertionError(
                "\n".join(
                    difflib.unified_diff(
                        [str(line) for line in script],
                        [str(line) for line in happened],
                        "script",
                        "happened",
                        lineterm="",
                        n=50,
                    )
                )
            )

    async def close(self) -> None:
        await self.socket.close()


async def plug_in(
    port: int, path: str = "/ocpp/CP1", *, subprotocols: Any = ("ocpp1.6",), **more: Any
) -> ChargePoint:
    scheme = "wss" if "ssl" in more else "ws"
    socket = await connect(
        f"{scheme}://127.0.0.1:{port}{path}",
        subprotocols=subprotocols,
        compression=None,
        proxy=None,
        **more,
    )
    return ChargePoint(socket)
