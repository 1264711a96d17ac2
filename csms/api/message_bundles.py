"""The export of a station's message log: JSON Lines, streamed.

The first line is a header, the last one a footer with the count, so that a reader can tell a whole
bundle from one that was cut off. Lines between are frames, the oldest first, spelled as in
`/messages` but for the payload, which stands in `raw` already.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
import structlog
from aiohttp import web
from pydantic import Field

from csms.api.fields import Query, When, precise_time
from csms.api.routes import Route
from csms.errors import DatabaseAway
from csms.services.access import Role
from csms.services.message_bundles import Bundle, MessageBundles
from csms.services.messages import type_name
from csms.services.records import MessageRecord

FORMAT = "csms-message-bundle"
VERSION = 1

_log = structlog.get_logger(__name__)
_SEND_S = 60.0  # a reader who takes nothing for so long has gone
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]")


class BundleQuery(Query):
    """A span of time; `from` is in, `to` is out."""

    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


class MessageExport:
    """The operation."""

    def __init__(self, bundles: MessageBundles, settle_log: Callable[[], Awaitable[None]]) -> None:
        self._bundles = bundles
        self._settle_log = settle_log
        self._open: set[asyncio.Transport] = set()

    async def close(self, app: web.Application) -> None:
        """Cut off all exports under way: nobody waits for a slow reader at the server's stop."""
        del app
        for transport in self._open:
            transport.abort()

    def routes(self) -> list[Route]:
        """Return the operation."""
        return [
            Route(
                method="GET",
                path="/api/stations/{station_id}/messages/export",
                handler=self.export_messages,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: "There is no such station."},
            )
        ]

    async def export_messages(
        self, station_id: str, query: BundleQuery, request: web.Request
    ) -> web.StreamResponse:
        """Return the message log of a station as JSON Lines, the oldest frame first.

        The first line tells format, station and its boot facts, the last one how many frames there
        are. Secrets are masked. `python -m simulator replay` plays it back.
        """
        await self._settle_log()
        bundle = await self._bundles.open(station_id, since=query.from_, until=query.to)
        name = _NOT_IN_FILE_NAMES.sub("_", station_id)
        answer = web.StreamResponse(
            headers={
                "Content-Type": "application/jsonl; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}-messages.jsonl"',
            }
        )
        await answer.prepare(request)
        transport = request.transport
        if transport is None:
            return answer  # the reader has gone already
        self._open.add(transport)
        try:
            await self._write(answer, bundle)
        except (DatabaseAway, TimeoutError) as error:
            # The status is long gone: without its footer, and cut, the bundle is seen to be short.
            _log.warning("export of the message log was cut off", error=repr(error))
            transport.abort()
        except ConnectionError:
            pass  # nobody reads any more
        finally:
            self._open.discard(transport)
        return answer

    async def _write(self, answer: web.StreamResponse, bundle: Bundle) -> None:
        await answer.write(_line(header(bundle)))
        count = 0
        async for page in self._bundles.pages(bundle):
            count += len(page)
            async with asyncio.timeout(_SEND_S):
                await answer.write(b"".join(_line(frame(record)) for record in page))
        await answer.write(_line({"end": True, "messages": count}))
        await answer.write_eof()


async def bundle_bytes(bundles: MessageBundles, bundle: Bundle, *, most: int) -> bytes | None:
    """Return a whole bundle as its export would be; None where it has more than `most` bytes.

    Raises:
        DatabaseAway: It went away in the middle.
    """
    content = bytearray(_line(header(bundle)))
    count = 0
    async for page in bundles.pages(bundle):
        count += len(page)
        for record in page:
            content += _line(frame(record))
        if len(content) > most:
            return None
    return bytes(content + _line({"end": True, "messages": count}))


def header(bundle: Bundle) -> dict[str, Any]:
    """Return the first line."""
    station = bundle.station
    boot = {
        "chargePointVendor": station.vendor,
        "chargePointModel": station.model,
        "chargePointSerialNumber": station.charge_point_serial_number,
        "chargeBoxSerialNumber": station.charge_box_serial_number,
        "firmwareVersion": station.firmware_version,
        "iccid": station.iccid,
        "imsi": station.imsi,
        "meterType": station.meter_type,
        "meterSerialNumber": station.meter_serial_number,
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "stationId": station.identity,
        "from": _time(bundle.since),
        "to": _time(bundle.until),
        "exportedAt": _time(bundle.exported_at),
        "boot": {name: value for name, value in boot.items() if value is not None},
        "bootedAt": _time(station.booted_at),
        "connectors": station.connector_count or len(station.connectors) or None,
        "securityProfile": station.security_profile,
        "strict": station.strict,
    }


def frame(record: MessageRecord) -> dict[str, Any]:
    """Return the line of a frame."""
    return {
        "at": _time(record.at),
        "direction": record.direction,
        "type": type_name(record),
        "action": record.action,
        "messageId": record.message_id,
        "raw": record.raw,
        "repairs": list(record.repairs),
        "latencyMs": record.latency_ms,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else precise_time(at)


def _line(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content) + b"\n"
