"""The simulator over HTTP: one fixed address, bounded in time, size and number.

Whatever a caller asks for stays below that address: segments of paths are encoded, redirects are
not followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from yarl import URL

from csms.services.ports.simulator import SimulatorAnswer, SimulatorAway

_AT_ONCE = 16
_MOST_BYTES = 4_000_000
_CONNECT_S = 5.0
_ANSWER_S = 30.0
"""The simulator itself gives up plugging a vehicle in after 20 s."""

_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  compared, not bound


class HttpSimulator:
    """The simulator's control address.

    Args:
        url: Its root, ``http://HOST:PORT``.
        ocpp_host: Where charge points reach us; a wildcard: by the address of this machine that
            the way to the simulator begins at.
        ocpp_port: Gives the port; it is not known before the system listens.
    """

    def __init__(self, url: str, *, ocpp_host: str, ocpp_port: Callable[[], int]) -> None:
        self._url = url.rstrip("/")
        self._ocpp_host = ocpp_host
        self._ocpp_port = ocpp_port
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    async def ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> SimulatorAnswer:
        """Pass one request on.

        Raises:
            SimulatorAway: There is no answer that could be passed back.
        """
        content = None if body is None else orjson.dumps(body)
        return await self._ask(method, path, query, content, "application/json")

    async def plug(self, identity: str) -> SimulatorAnswer:
        """Have it connect a charge point of this identity to us, with a vehicle plugged in.

        Raises:
            SimulatorAway: There is no answer that could be passed back.
        """
        body = {"wssUrl": await self._endpoint(), "chargePoint": identity}
        return await self.ask("POST", ("plug",), body=body)

    async def replay(
        self, identity: str, bundle: bytes, *, speed: float, moves_times: bool
    ) -> SimulatorAnswer:
        """Have it play a bundle against us as a charge point of this identity; see the port.

        Raises:
            SimulatorAway: There is no answer that could be passed back.
        """
        query = {
            "url": await self._endpoint(),
            "identity": identity,
            "speed": f"{speed:g}",
            "moveTimes": "true" if moves_times else "false",
        }
        return await self._ask("POST", ("api", "replays"), query, bundle, "application/jsonl")

    async def _endpoint(self) -> str:
        """Return where charge points reach us."""
        host = self._ocpp_host
        if host in _WILDCARDS:
            host = await self._own_address()
        host = f"[{host}]" if ":" in host else host
        return f"ws://{host}:{self._ocpp_port()}/ocpp"

    async def close(self) -> None:
        """End what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        content: bytes | None,
        kind: str,
    ) -> SimulatorAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=_ANSWER_S, sock_connect=_CONNECT_S),
            )
        # "." and ".." stay what they are when encoded, and would leave the fixed address
        if any(part in ("", ".", "..") for part in path):
            return SimulatorAnswer(status=404, body=None)
        tail = "/".join(quote(part, safe="") for part in path)
        address = URL(f"{self._url}/{tail}", encoded=True)
        try:
            async with self._session.request(
                method,
                address,
                params=query,
                data=content,
                headers={} if content is None else {"Content-Type": kind},
                allow_redirects=False,
            ) as answer:
                raw = await answer.content.read(_MOST_BYTES + 1)
                while not answer.content.at_eof() and len(raw) <= _MOST_BYTES:
                    raw += await answer.content.read(_MOST_BYTES + 1 - len(raw))
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _away(error) from error
        if len(raw) > _MOST_BYTES:
            raise SimulatorAway("its answer is too large")
        try:
            told = orjson.loads(raw) if raw else None
        except ValueError as error:
            raise SimulatorAway("what answers there is no simulator") from error
        return SimulatorAnswer(status=status, body=told)

    async def _own_address(self) -> str:
        """Return which of this machine's addresses looks to the simulator; it answers there."""
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except (OSError, TimeoutError) as error:
            raise _away(error) from error
        host = str(writer.get_extra_info("sockname")[0])
        writer.transport.abort()
        return host


def _away(error: Exception) -> SimulatorAway:
    return SimulatorAway(f"it cannot be reached: {str(error) or type(error).__name__}")
