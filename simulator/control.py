"""The control panel: charge points steered and watched over HTTP, and the page that does it.

Resources under ``/api``; each change answers the charge point as it is afterwards. ``/api/live`` is
a stream of server-sent events: ``stations`` with all that is shown on connect, and then each
second those that changed. A fleet is shown ``MAX_SHOWN`` charge points at a time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from typing import Any

from aiohttp import web

from simulator import control_actions as actions
from simulator.charge_point import ChargePointSimulator
from simulator.clock import Clock
from simulator.connector import Connector
from simulator.oddities.catalogue import ALL
from simulator.physics import grid_w
from simulator.web import Problem, read_object

MAX_SHOWN = 100
TICK_S = 1.0

Stations = Callable[[], Sequence[ChargePointSimulator]]
Action = Callable[[ChargePointSimulator, dict[str, Any]], Awaitable[None]]


class Panel:
    """The routes over whatever charge points there are at the moment.

    Args:
        stations: gives them.
        clock: paces the stream.
    """

    def __init__(self, stations: Stations, clock: Clock) -> None:
        self._stations = stations
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return the panel's routes."""
        on_connector = "/api/stations/{identity}/connectors/{connector}"
        return [
            web.get("/ui", _file("panel.html", "text/html")),
            web.get("/ui/panel.js", _file("panel.js", "text/javascript")),
            web.get("/ui/panel.css", _file("panel.css", "text/css")),
            web.get("/api/stations", self._list),
            web.get("/api/stations/{identity}", self._one),
            web.get("/api/live", self._live),
            web.get("/api/oddities", _oddities),
            web.post("/api/stations/{identity}/oddities", self._do(actions.oddity, None)),
            web.post("/api/stations/{identity}/network", self._do(actions.network, {"online"})),
            web.post("/api/stations/{identity}/reset", self._do(actions.reset, {"type"})),
            web.post("/api/stations/{identity}/tag", self._do(actions.tag, {"idTag"})),
            web.post("/api/stations/{identity}/error", self._do(actions.error, {"errorCode"})),
            web.post("/api/stations/{identity}/tamper", self._do(actions.tamper, set())),
            web.post(
                f"{on_connector}/plug",
                self._do(actions.plug, {"batteryKwh", "socPercent", "targetSocPercent", "maxKw"}),
            ),
            web.post(f"{on_connector}/unplug", self._do(actions.unplug, set())),
            web.post(f"{on_connector}/tag", self._do(actions.tag, {"idTag"})),
            web.post(f"{on_connector}/soc", self._do(actions.soc, {"socPercent"})),
            web.post(f"{on_connector}/error", self._do(actions.error, {"errorCode"})),
        ]

    def _find(self, request: web.Request) -> ChargePointSimulator:
        identity = request.match_info["identity"]
        for station in self._stations():
            if station.identity == identity:
                return station
        raise Problem(404, "unknown_station", f"there is no charge point {identity!r}")

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self._page(request))

    def _page(self, request: web.Request) -> dict[str, Any]:
        try:
            offset = max(0, int(request.query.get("offset", "0")))
        except ValueError as error:
            raise Problem(400, "bad_offset", "offset is not a number") from error
        wanted = request.query.get("q", "").lower()
        found = [one for one in self._stations() if wanted in one.identity.lower()]
        items = [shown(station) for station in found[offset : offset + MAX_SHOWN]]
        return {"items": items, "total": len(found), "offset": offset}

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response(shown(self._find(request)))

    def _do(
        self, action: Action, known: set[str] | None
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the handler that carries out ``action`` and answers the charge point."""

        async def handle(request: web.Request) -> web.Response:
            station = self._find(request)
            body = await read_object(request, known=known)
            if "connector" in request.match_info:
                number = request.match_info["connector"]
                if not number.isascii() or not number.isdigit():
                    raise Problem(404, "unknown_connector", f"there is no connector {number!r}")
                body["connector"] = int(number)
                if body["connector"] not in station.sessions:
                    raise Problem(404, "unknown_connector", f"there is no connector {number}")
            await action(station, body)
            return web.json_response(shown(station))

        return handle

    async def _live(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        first = self._page(request)
        await stream.prepare(request)
        told: dict[str, dict[str, Any]] | None = None
        try:
            while True:
                page = first if told is None else self._page(request)
                now = {item["identity"]: item for item in page["items"]}
                same_ones = told is not None and list(told) == list(now)
                known = told or {}
                event = "changes" if same_ones else "stations"
                if same_ones:
                    page["items"] = [item for name, item in now.items() if known.get(name) != item]
                if page["items"] or not same_ones:
                    await stream.write(f"event: {event}\ndata: {json.dumps(page)}\n\n".encode())
                told = now
                await self._clock.sleep(TICK_S)
        except (ConnectionResetError, asyncio.CancelledError):
            # The reader has left, or the server stops; neither is an error.
            return stream


def shown(station: ChargePointSimulator) -> dict[str, Any]:
    """Return a charge point as the API shows it; powers in W, limits in A or W as ``unit`` says."""
    state = station.state
    return {
        "identity": station.identity,
        "url": station.security.url,
        "securityProfile": station.security.profile,
        "firmwareVersion": station.firmware.version,
        "online": state.is_connected,
        "registration": state.registration,
        "network": station.link.may_connect,
        "oddities": station.temper.names,
        "waitingMessages": state.waiting_messages,
        "connectors": [_connector(session.connector) for session in station.sessions.values()],
    }


def _connector(connector: Connector) -> dict[str, Any]:
    transaction, vehicle = connector.transaction, connector.vehicle
    flow, battery_c = connector.flow, vehicle.battery_c if vehicle is not None else None
    return {
        "connectorId": connector.connector_id,
        "status": connector.status,
        "errorCode": connector.error_code,
        "powerW": flow.power_w,
        "currentA": flow.current_a,
        "voltageV": flow.voltage_v,
        "gridW": round(grid_w(flow, connector.supply)),
        "phases": flow.phases,
        "limit": connector.limit.value if connector.limit is not None else None,
        "offer": connector.offer,
        "unit": connector.supply.native_unit,
        "maxW": connector.supply.max_w,
        "ratingA": connector.supply.max_a,
        "temperatureC": round(connector.thermal.celsius, 1),
        "registerWh": connector.meter.register_wh,
        "transactionId": transaction.transaction_id if transaction is not None else None,
        "idTag": transaction.id_tag if transaction is not None else None,
        "socPercent": round(vehicle.soc, 1) if vehicle is not None else None,
        "batteryC": round(battery_c, 1) if battery_c is not None else None,
        "vehicle": vehicle is not None,
    }


def _file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def send(request: web.Request) -> web.Response:
        del request
        text = resources.files("simulator.ui").joinpath(name).read_text(encoding="utf-8")
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
        return web.Response(
            text=text,
            content_type=kind,
            charset="utf-8",
            headers={"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"},
        )

    return send


async def _oddities(request: web.Request) -> web.Response:
    del request
    items = [
        {
            "name": one.name,
            "family": one.family,
            "does": one.does,
            "who": one.who,
            "source": one.source,
            "parameters": dict(one.parameters),
        }
        for one in ALL
    ]
    return web.json_response({"items": items})
