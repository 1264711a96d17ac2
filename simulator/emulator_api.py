"""The emulator over HTTP: ``GET /``, ``POST /plug``, ``GET /plug``, ``DELETE /plug/{identity}``."""

from typing import Any

from aiohttp import web

from simulator.emulator import Emulator, Plugged
from simulator.errors import PlugError
from simulator.web import Problem, read_object

WELCOME = "Welcome to Charging Emulator"


def emulator_routes(emulator: Emulator) -> list[web.RouteDef]:
    """Return the emulator's routes."""

    async def welcome(request: web.Request) -> web.Response:
        del request
        return web.Response(text=WELCOME)

    async def plug(request: web.Request) -> web.Response:
        body = await read_object(request, known={"wssUrl", "chargePoint"})
        url, charge_point = body.get("wssUrl"), body.get("chargePoint")
        if not isinstance(url, str):
            raise Problem(400, "bad_url", "wssUrl is missing or not a text")
        if charge_point is not None and not isinstance(charge_point, str):
            raise Problem(400, "bad_charge_point", "chargePoint is not a text")
        try:
            plugged = await emulator.plug(url, charge_point)
        except PlugError as error:
            raise Problem(error.status, error.code, str(error)) from error
        return web.json_response(_shown(plugged), status=201)

    async def plugged_ones(request: web.Request) -> web.Response:
        del request
        return web.json_response({"items": [_shown(plugged) for plugged in emulator.plugged]})

    async def unplug(request: web.Request) -> web.Response:
        plugged = emulator.find(request.match_info["identity"])
        if plugged is None:
            raise Problem(404, "not_plugged", "no charge point of that name is plugged in")
        emulator.remove(plugged)
        return web.Response(status=204)

    return [
        web.get("/", welcome),
        web.post("/plug", plug),
        web.get("/plug", plugged_ones),
        web.delete("/plug/{identity}", unplug),
    ]


def _shown(plugged: Plugged) -> dict[str, Any]:
    station = plugged.station
    connector = station.state.connectors[1]
    return {
        "chargePoint": station.identity,
        "url": station.settings.endpoint,
        "connectorId": 1,
        "status": connector.status,
        "transactionId": connector.transaction_id,
        "powerW": connector.power_w,
        "registerWh": connector.register_wh,
    }
