"""`Idempotency-Key`: the same request again gets the same answer and does nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b

import structlog
from aiohttp import web

from csms.api import problems
from csms.errors import Conflict, DatabaseAway, Invalid
from csms.services.ports.store import UnitsOfWork

_log = structlog.get_logger(__name__)

_LONGEST_KEY = 255


class Idempotency:
    """Keeps answers under their keys, per actor."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def once(
        self,
        request: web.Request,
        raw: bytes,
        actor: str,
        key: str,
        act: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Return the stored answer, or act and store the answer.

        An error that is not an answer (the database is away) gives the key back. A process that
        dies while it acts leaves the key taken: nobody knows whether it has acted.
        """
        if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
            wrong = {"Idempotency-Key": f"must have 1 to {_LONGEST_KEY} printable characters"}
            return problems.response(Invalid("invalid_request", "The key is not usable.", wrong))
        digest = blake2b(f"{request.method} {request.raw_path}\n".encode() + raw).digest()
        async with self._units() as unit:
            stored = await unit.idempotency_keys.claim(actor, key, digest)
        if stored is not None:
            if stored.request_digest != digest:
                return problems.response(
                    Invalid("idempotency_key_reused", "This key was used for another request.")
                )
            if stored.status is None or stored.body is None:
                return problems.response(
                    Conflict("request_in_progress", "The first request is still at work.")
                )
            return _answer(stored.status, stored.body)
        try:
            answer = await act()
        except Exception:
            async with self._units() as unit:
                await unit.idempotency_keys.release(actor, key)
            raise
        if isinstance(answer, web.Response):
            try:
                async with self._units() as unit:
                    await unit.idempotency_keys.finish(actor, key, answer.status, answer.text or "")
            except DatabaseAway:  # what was done counts; the key stays taken
                _log.warning("answer to an idempotency key could not be stored", actor=actor)
        return answer


def _answer(status: int, body: str) -> web.Response:
    content_type = "application/json" if status < 400 else problems.CONTENT_TYPE
    return web.Response(
        text=body,
        status=status,
        content_type=content_type,
        headers={"Idempotency-Replayed": "true"},
    )
