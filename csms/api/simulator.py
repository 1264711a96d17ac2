"""The simulator, for the cockpit's page: its charge points, watched and steered."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api.fields import In, JsonObject, Out, Query, Text
from csms.api.problems import Unavailable
from csms.api.routes import Route
from csms.errors import NotFound, Refusal
from csms.services.access import Role
from csms.services.ports.simulator import Simulator, SimulatorAnswer, SimulatorAway

_StationAction = Literal["network", "reset", "tag", "error", "tamper", "oddities"]
_ConnectorAction = Literal["plug", "unplug", "tag", "soc", "error"]


class SimulatorOut(Out):
    """Whether there is a simulator and what it can do.

    `configured`: whether a simulator was named in the settings; `makesStations`: whether it makes
    charge points up on request; `detail`: why it cannot be used now.
    """

    configured: bool
    reachable: bool
    makes_stations: bool
    detail: str | None = None


class SimulatorQuery(Query):
    """A page of a hundred charge points whose identity contains `q`, from number `offset` on."""

    q: Annotated[str, Field(max_length=255)] = ""
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class PlugIn(In):
    """The identity of a charge point that shall be there, with a vehicle plugged in."""

    charge_point: Text


class SimulatorApi:
    """The operations; objects of the simulator are passed on as they are.

    Args:
        simulator: None: there is none.
    """

    def __init__(self, simulator: Simulator | None) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        station = "/api/simulator/stations/{identity}"
        away = {
            404: "`no_simulator`: none is named in the settings; or there is no such thing.",
            503: "`simulator_away`.",
        }

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=Role.VIEWER if method == "GET" else Role.OPERATOR,
                tag="simulator",
                **more,
            )

        return [
            route("GET", "/api/simulator", self.about),
            route("GET", "/api/simulator/stations", self.stations, refusals=away),
            route("GET", station, self.station, refusals=away),
            route("GET", "/api/simulator/oddities", self.oddities, refusals=away),
            route("POST", "/api/simulator/plug", self.plug, status=201, refusals=away),
            route("POST", station + "/{action}", self.act, refusals=away),
            route(
                "POST",
                station + "/connectors/{connector}/{action}",
                self.act_on_connector,
                refusals=away,
            ),
        ]

    async def about(self) -> SimulatorOut:
        """Return whether there is a simulator and what it can do."""
        if self._simulator is None:
            return SimulatorOut(configured=False, reachable=False, makes_stations=False)
        try:
            answer = await self._simulator.ask("GET", ("plug",))
        except SimulatorAway as error:
            return SimulatorOut(
                configured=True, reachable=False, makes_stations=False, detail=str(error)
            )
        made = answer.status == HTTPStatus.OK
        return SimulatorOut(configured=True, reachable=True, makes_stations=made)

    async def stations(self, query: SimulatorQuery) -> JsonObject:
        """Return simulated charge points: `{items, total, offset}`, powers in W."""
        asked = {"q": query.q, "offset": str(query.offset)}
        return await self._passed("GET", ("api", "stations"), query=asked)

    async def station(self, identity: str) -> JsonObject:
        """Return one simulated charge point."""
        return await self._passed("GET", ("api", "stations", identity))

    async def oddities(self) -> JsonObject:
        """Return the quirks and faults that can be switched on: `{items}`."""
        return await self._passed("GET", ("api", "oddities"))

    async def plug(self, body: PlugIn) -> JsonObject:
        """Plug a vehicle in at a charge point that is made up if need be and connects to us."""
        return await content_of(known_simulator(self._simulator).plug(body.charge_point))

    async def act(self, identity: str, action: _StationAction, body: JsonObject) -> JsonObject:
        """Do something to a charge point; answers it as it is afterwards."""
        return await self._passed("POST", ("api", "stations", identity, action), body=body)

    async def act_on_connector(
        self,
        identity: str,
        connector: Annotated[int, Field(ge=1, le=1000)],
        action: _ConnectorAction,
        body: JsonObject,
    ) -> JsonObject:
        """Do something to a connector; answers its charge point as it is afterwards."""
        path = ("api", "stations", identity, "connectors", str(connector), action)
        return await self._passed("POST", path, body=body)

    async def _passed(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> JsonObject:
        return await content_of(
            known_simulator(self._simulator).ask(method, path, query=query, body=body)
        )


def known_simulator(simulator: Simulator | None) -> Simulator:
    """Return the simulator. Raises NotFound `no_simulator` where the settings name none."""
    if simulator is None:
        raise NotFound("no_simulator", "No simulator is named in CSMS_SIMULATOR_URL.")
    return simulator


async def content_of(asking: Awaitable[SimulatorAnswer]) -> JsonObject:
    """Return what the simulator answers, or raise its refusal with its own code and words."""
    try:
        answer = await asking
    except SimulatorAway as error:
        raise Unavailable("simulator_away", f"The simulator: {error}.") from error
    content = answer.body
    if answer.status < HTTPStatus.BAD_REQUEST and isinstance(content, dict):
        return content
    if answer.status == HTTPStatus.NOT_FOUND and not isinstance(content, dict):
        raise NotFound("not_found", "The simulator knows no such thing.")
    told = content if isinstance(content, dict) else {}
    refusal = Refusal(
        str(told.get("code", "simulator_error")),
        str(told.get("detail", f"The simulator answers with status {answer.status}.")),
    )
    # 2xx without an object, 401, 3xx and its own 5xx mean nothing to a caller of ours
    passed = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    refusal.status = answer.status if passed and answer.status != HTTPStatus.UNAUTHORIZED else 502
    raise refusal
