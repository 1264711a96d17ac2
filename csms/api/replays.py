"""A station's stretch of messages, played back against this system by the simulator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import Field

from csms.api.fields import In, JsonObject, Query, Text, When
from csms.api.message_bundles import bundle_bytes
from csms.api.problems import TooLarge
from csms.api.routes import Route
from csms.api.simulator import content_of, known_simulator
from csms.services.access import Principal, Role
from csms.services.message_bundles import MessageBundles
from csms.services.ports.simulator import Simulator
from csms.services.replays import ReplayIdentities

MOST_BYTES = 12_000_000
"""The simulator takes a little more."""


class ReplayIn(In):
    """What is played, and how.

    `identity`: under which; without it `REPLAY-` and the station's, made if need be. `takeOver`:
    another station of that identity may be played, even while it is connected. `speed`: how many
    times faster than it was, 0: without waits. `moveTimes`: timestamps are moved, the first to now.
    """

    station_id: Text
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    identity: Text | None = None
    take_over: bool = False
    speed: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    move_times: bool = True


class ReplaysQuery(Query):
    """How many; there are no more than the simulator remembers."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Replays:
    """The operations; replays are shown as the simulator shows them."""

    def __init__(
        self,
        simulator: Simulator | None,
        bundles: MessageBundles,
        settle_log: Callable[[], Awaitable[None]],
        identities: ReplayIdentities,
    ) -> None:
        self._simulator = simulator
        self._bundles = bundles
        self._settle_log = settle_log
        self._identities = identities

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        every = "/api/simulator/replays"
        one = f"{every}/{{replay_id}}"
        away = {
            404: "`no_simulator`: none is named in the settings; or there is no such thing.",
            503: "`simulator_away`, or too many are played.",
        }

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method, path=path, handler=handler, role=role, tag="simulator", **more
            )

        return [
            route(
                "POST",
                every,
                self.begin_replay,
                status=202,
                refusals=away
                | {
                    409: "`station_connected`, `station_exists`: say `takeOver`; `playing`.",
                    413: "`bundle_too_large`: choose a shorter stretch.",
                },
            ),
            route("GET", every, self.list_replays, refusals=away),
            route("GET", one, self.get_replay, refusals=away),
            route("POST", f"{one}/stop", self.stop_replay, refusals=away),
        ]

    async def begin_replay(self, body: ReplayIn, principal: Principal) -> JsonObject:
        """Let the simulator send what a station has sent, and tell how our answers differ.

        What is played is stored as of any station, under the identity that it is played as.
        """
        simulator = known_simulator(self._simulator)
        await self._settle_log()
        bundle = await self._bundles.open(body.station_id, since=body.from_, until=body.to)
        content = await bundle_bytes(self._bundles, bundle, most=MOST_BYTES)
        if content is None:
            raise TooLarge(
                "bundle_too_large",
                f"These messages are more than {MOST_BYTES // 1_000_000} MB: choose a shorter time"
                " (`python -m simulator replay` plays exports of any length).",
            )
        identity = await self._identities.take(
            principal.name, bundle.station, body.identity, take_over=body.take_over
        )
        return await content_of(
            simulator.replay(identity, content, speed=body.speed, moves_times=body.move_times)
        )

    async def list_replays(self, query: ReplaysQuery) -> JsonObject:
        """Return the last replays, the newest first, without their differences: `{items}`."""
        found = await self._passed("GET", ())
        return {"items": list(found.get("items", ()))[: query.limit], "nextCursor": None}

    async def get_replay(self, replay_id: str) -> JsonObject:
        """Return a replay: how far it is, and what differed from the recording."""
        return await self._passed("GET", (replay_id,))

    async def stop_replay(self, replay_id: str) -> JsonObject:
        """End a replay after its present message; answers it."""
        return await self._passed("POST", (replay_id, "stop"))

    async def _passed(self, method: str, path: tuple[str, ...]) -> JsonObject:
        simulator = known_simulator(self._simulator)
        return await content_of(simulator.ask(method, ("api", "replays", *path)))
