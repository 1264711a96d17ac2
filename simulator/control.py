"""The control panel: charge points steered and watched over HTTP, and the page that does it.

Resources under ``/api``; each change answers the charge point as it is afterwards. ``/api/live`` is
a stream of server-sent events: ``stations`` with all that is shown on connect, and then each
second those that changed. A fleet is shown ``MAX_SHOWN`` charge points at a time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from aiohttp import web
from ocpp.v16 import enums

from simulator.charge_point import ChargePointSimulator
from simulator.clock import Clock
from simulator.connector import Connector
from simulator.errors import CallFailed, OddityError
from simulator.oddities.catalogue import ALL, find
from simulator.reboots import reset
from simulator.vehicle import Vehicle
from simulator.web import Problem, read_object

MAX_SHOWN = 100
TICK_S = 1.0
ERROR_CODES = tuple(code.value for code in enums.ChargePointErrorCode)

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
            web.post("/api/stations/{identity}/oddities", self._do(_oddity, None)),
            web.post("/api/stations/{identity}/network", self._do(_network, {"online"})),
            web.post("/api/stations/{identity}/reset", self._do(_reset, {"type"})),
            web.post(
                f"{on_connector}/plug",
                self._do(_plug, {"batteryKwh", "socPercent", "targetSocPercent", "maxKw"}),
            ),
            web.post(f"{on_connector}/unplug", self._do(_unplug, set())),
            web.post(f"{on_connector}/tag", self._do(_tag, {"idTag"})),
            web.post(f"{on_connector}/soc", self._do(_soc, {"socPercent"})),
            web.post(f"{on_connector}/error", self._do(_error, {"errorCode"})),
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
        "url": station.settings.endpoint,
        "online": state.is_connected,
        "registration": state.registration,
        "network": station.link.may_connect,
        "oddities": station.temper.names,
        "waitingMessages": state.waiting_messages,
        "connectors": [_connector(session.connector) for session in station.sessions.values()],
    }


def _connector(connector: Connector) -> dict[str, Any]:
    transaction, vehicle = connector.transaction, connector.vehicle
    flow = connector.flow
    return {
        "connectorId": connector.connector_id,
        "status": connector.status,
        "errorCode": connector.error_code,
        "powerW": flow.power_w,
        "currentA": flow.current_a,
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


# The actions


def _number(
    body: dict[str, Any], name: str, default: float | None, low: float, high: float
) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Problem(400, f"bad_{name}", f"{name} is a number from {low:g} to {high:g}")
    return float(value)


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Problem(400, f"bad_{name}", f"{name} is a text of 1 to {longest} signs")
    return value


async def _network(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    if not isinstance(body.get("online"), bool):
        raise Problem(400, "bad_online", "online is true or false")
    if body["online"]:
        station.go_online()
    else:
        station.go_offline()


async def _oddity(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    on = body.pop("on", True)
    body.pop("connector", None)
    if not isinstance(on, bool):
        raise Problem(400, "bad_on", "on is true or false")
    try:
        if on:
            station.temper.switch_on(body)
        else:
            station.temper.switch_off(find(str(body.get("name")))[0].name)
    except OddityError as error:
        raise Problem(400, "unknown_oddity", str(error)) from error


async def _reset(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    kind = body.get("type", "Hard")
    if kind not in ("Hard", "Soft"):
        raise Problem(400, "bad_type", "type is Hard or Soft")
    station.spawn(lambda: reset(station, hard=kind == "Hard"))


async def _plug(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    battery_wh = round(1000 * _number(body, "batteryKwh", 60, 0.1, 2000))
    soc = _number(body, "socPercent", 20, 0, 100)
    target = _number(body, "targetSocPercent", 100, 0, 100)
    max_w = round(1000 * _number(body, "maxKw", 100, 0.01, 2000))
    vehicle = Vehicle(
        battery_wh=battery_wh,
        stored_wh=battery_wh * soc / 100,
        target_soc=target,
        battery_max_w=max_w,
    )
    try:
        station.plug(body["connector"], vehicle)
    except ValueError as error:
        raise Problem(409, "taken", str(error)) from error


async def _unplug(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    if station.unplug(body["connector"]) is None:
        raise Problem(409, "no_vehicle", "no vehicle is plugged in there")


async def _tag(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    id_tag = _text(body, "idTag", 255)
    try:
        let = await station.present_tag(body["connector"], id_tag)
    except CallFailed as error:
        raise Problem(502, "no_answer", str(error)) from error
    if not let:
        raise Problem(409, "refused", "the tag was not let do what it asked for")


async def _soc(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    soc = _number(body, "socPercent", None, 0, 100)
    session = station.sessions[body["connector"]]
    vehicle = session.connector.vehicle
    if vehicle is None:
        raise Problem(409, "no_vehicle", "no vehicle is plugged in there")
    session.refresh()
    stored = vehicle.battery_wh * soc / 100
    session.connector.vehicle = replace(vehicle, stored_wh=stored)
    session.refresh()


async def _error(station: ChargePointSimulator, body: dict[str, Any]) -> None:
    code = body.get("errorCode")
    if code not in ERROR_CODES:
        raise Problem(400, "bad_errorCode", f"errorCode is one of {', '.join(ERROR_CODES)}")
    station.set_error(body["connector"], code)
