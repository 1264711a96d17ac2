"""Learning an id tag: the next one that is presented somewhere and that nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from csms.clock import Clock
from csms.domain.ids import ChargePointKey, Identity, id_tag_key
from csms.domain.messages import LoggedFrame
from csms.errors import Conflict, NotFound
from csms.services.message_tail import Follow
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag

_PRESENTING = frozenset({"Authorize", "StartTransaction"})
_CALL = 2
_MOST_WAITING = 20  # operators who learn at once
_MOST_PRESENTED = 100
_LONGEST_TAG = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A tag that was presented.

    Attributes:
        connector_id: None: before a connector was chosen.
    """

    id_tag: str
    identity: Identity | None
    connector_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What has come of waiting.

    Attributes:
        found: The unknown tag; None: none came in time.
        known: Tags that came meanwhile and that we have.
    """

    found: Presented | None
    known: tuple[IdTag, ...]


class TagLearning:
    """Waits for tags.

    Args:
        follow: The message log as it is stored; None in a system without charge points.
    """

    def __init__(self, follow: Follow | None, units: UnitsOfWork, clock: Clock) -> None:
        self._follow = follow
        self._units = units
        self._clock = clock
        self._waiting = 0

    async def learn(self, identity: str | None, wait_s: float) -> Learned:
        """Wait for the next tag that is presented and not known, for `wait_s` seconds.

        Args:
            identity: At this station only; None: anywhere.
            wait_s: How long.

        Raises:
            NotFound: There is no such station.
            Conflict: `too_many_learn`.
        """
        if self._waiting >= _MOST_WAITING:
            raise Conflict("too_many_learn", "Others are learning tags; try again soon.")
        station = None if identity is None else await self._station(identity)
        presented: asyncio.Queue[LoggedFrame] = asyncio.Queue(_MOST_PRESENTED)

        def receive(frames: Sequence[LoggedFrame]) -> None:
            for frame in frames:
                if _presents(frame) and station in (None, frame.charge_point):
                    if presented.full():  # a crowd: the newest are waited for
                        presented.get_nowait()
                    presented.put_nowait(frame)

        if self._follow is None:
            return Learned(found=None, known=())
        self._waiting += 1
        stop = self._follow(receive)
        try:
            return await self._first_unknown(presented, wait_s)
        finally:
            stop()
            self._waiting -= 1

    async def _first_unknown(self, presented: asyncio.Queue[LoggedFrame], wait_s: float) -> Learned:
        known: dict[str, IdTag] = {}
        deadline = self._clock.monotonic() + wait_s
        while (left := deadline - self._clock.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    frame = await presented.get()
            except TimeoutError:
                break
            content = _content(frame)
            tag = content.get("idTag")
            if not isinstance(tag, str) or not 0 < len(tag) <= _LONGEST_TAG:
                continue
            async with self._units() as unit:
                row = await unit.id_tags.get(tag)
                if row is None:
                    return Learned(
                        found=await _presented(unit, frame, tag, content),
                        known=tuple(known.values()),
                    )
            known[id_tag_key(tag)] = row
        return Learned(found=None, known=tuple(known.values()))

    async def _station(self, identity: str) -> ChargePointKey:
        async with self._units() as unit:
            keys = await unit.charge_points.keys_of([identity])
        if identity not in keys:
            raise NotFound("station_not_found", "There is no such station.")
        return keys[identity]


def _presents(frame: LoggedFrame) -> bool:
    return frame.action in _PRESENTING and frame.direction == "in" and frame.type == _CALL


def _content(frame: LoggedFrame) -> Mapping[str, object]:
    """Return the payload of a call; {} when it cannot be read."""
    try:
        content = orjson.loads(frame.repaired or frame.raw)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(content, list) and len(content) > 3:
        content = content[3]
    return content if isinstance(content, dict) else {}


async def _presented(
    unit: UnitOfWork, frame: LoggedFrame, tag: str, content: Mapping[str, object]
) -> Presented:
    connector = content.get("connectorId")
    names = await unit.live.identities([frame.charge_point])
    return Presented(
        id_tag=tag,
        identity=names.get(frame.charge_point),
        connector_id=connector if isinstance(connector, int) else None,
        at=frame.at,
    )
