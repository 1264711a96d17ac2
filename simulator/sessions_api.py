"""Reads sessions of a central system through its operator API, page by page."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

import aiohttp

from simulator.books import Entry, StoredSession, session_of
from simulator.clock import iso
from simulator.errors import VerifyError
from simulator.refusals import api_reason, api_refusal

PAGE = 1000
ASKED_ONE_BY_ONE = 20
"""Up to so many charge points are asked for by name; for more of them all sessions are read."""

TIMEOUT_S = 60.0


class SessionsApi:
    """The sessions behind ``/api/sessions``.

    Args:
        http: carries the token.
        base_url: the API's root, such as ``http://127.0.0.1:8080``.
    """

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self.read = 0

    async def sessions_of(self, entries: Sequence[Entry]) -> list[StoredSession]:
        """Return the sessions of a ledger's charge points since its first transaction.

        Raises:
            VerifyError: the API is not there, refuses, or answers something else.
        """
        stations = sorted({entry.charge_point for entry in entries})
        known = [one.transaction_id for one in entries if one.transaction_id is not None]
        filters: list[dict[str, str]] = [{}]
        if len(stations) <= ASKED_ONE_BY_ONE:
            filters = [{"stationId": station} for station in stations]
        if not known and entries:
            since = iso(min(entry.started_at for entry in entries))
            filters = [one | {"from": since} for one in filters]
        found: list[StoredSession] = []
        for wanted in filters:
            async for items in self._pages("/api/sessions", wanted):
                page = [session_of(item) for item in items]
                self.read += len(page)
                # Newest first: below the ledger's first id there is nothing of it.
                found += [one for one in page if not known or one.transaction_id >= min(known)]
                if known and page[-1].transaction_id < min(known):
                    break
        return found

    async def count_meter_values(self, transaction_id: int) -> int:
        """Return how many meter values are stored for a session.

        Raises:
            VerifyError: the API is not there, refuses, or answers something else.
        """
        path = f"/api/sessions/{quote(str(transaction_id))}/meter-values"
        return sum([len(items) async for items in self._pages(path, {})])

    async def _pages(self, path: str, filters: dict[str, str]) -> AsyncIterator[list[Any]]:
        """Yield pages that are not empty."""
        cursor: str | None = None
        while True:
            query = filters | {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            answer = await self._get(path, query)
            try:
                items, cursor = list(answer["items"]), answer["nextCursor"]
            except (KeyError, TypeError) as error:
                msg = f"GET {path} does not answer a list with items and nextCursor"
                raise VerifyError(msg) from error
            if items:
                yield items
            if cursor is None:
                return

    async def _get(self, path: str, query: dict[str, str]) -> Any:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._http.get(
                self._base_url + path, params=query, timeout=timeout
            ) as answer:
                if answer.status != 200:
                    refusal = api_refusal(answer.status, await answer.text())
                    raise VerifyError(f"GET {path} answered {refusal}")
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = api_reason(error, self._base_url)
            raise VerifyError(f"cannot read {self._base_url}{path}: {why}") from error
