"""Local authorization lists as desired state (N10, N15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain import local_list
from csms.domain.events import StationChanged, StationConnected
from csms.domain.ids import ChargePointKey, Identity, id_tag_key
from csms.domain.local_list import LARGEST_VERSION, Entry, LocalList
from csms.errors import CallFailed, Invalid, Refusal
from csms.services.audit import AuditTrail
from csms.services.call_effects import Ended, Sending
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station
from csms.services.station_state import existing_station

_log = structlog.get_logger(__name__)

_POLL_S = 20.0
_PAUSE_S = 1.0
_ACTOR = "system"
_MOST_A_MESSAGE = "sendlocallistmaxlength"
_MOST_IN_ALL = "localauthlistmaxlength"


class LocalListService:
    """Shows lists and takes what is desired."""

    def __init__(self, units: UnitsOfWork, bus: Bus, audit: AuditTrail) -> None:
        self._units = units
        self._bus = bus
        self._audit = audit

    async def get(self, identity: str) -> LocalList:
        """Return what is known of a station's list. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.local_lists.get(station.key)

    async def desire(self, actor: str, identity: str, entries: Sequence[Entry]) -> LocalList:
        """Make these the desired entries, under a new version, and return what is known.

        Raises:
            NotFound: No such station.
            Invalid: An id tag twice, or more than the station can hold.
        """
        keys = {id_tag_key(entry["idTag"]) for entry in entries}
        if len(keys) != len(entries):
            raise Invalid("invalid_request", "An id tag is there more than once.")
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            limits = await _limits(unit, station.key)
            most = limits.get(_MOST_IN_ALL)
            if most is not None and len(entries) > most:
                raise Invalid("list_too_long", f"The station holds at most {most} entries.")
            known = await unit.local_lists.get(station.key, lock=True)
            version = local_list.next_version(known, len(entries), limits.get(_MOST_A_MESSAGE))
            if version > LARGEST_VERSION:
                raise Invalid("list_version_exhausted", "There is no higher version of this list.")
            known = replace(
                known, desired_version=version, desired=tuple(entries), refused_status=None
            )
            await unit.local_lists.put(station.key, known, at_once=True)
            details = {"version": version, "entries": len(entries)}
            await self._audit.note(unit, actor, "local list", "station", station.identity, details)
        self._bus.publish(StationChanged(station.key))
        return known


class LocalListEffect:
    """Follows SendLocalList and GetLocalListVersion, whoever sends them."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Nothing is known before the answer."""

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Note what the station has now."""
        if end.response is None or end.call.action not in {"SendLocalList", "GetLocalListVersion"}:
            return
        before = await unit.local_lists.get(station.key, lock=True)
        if end.call.action == "GetLocalListVersion":
            after = _told(before, end.response["listVersion"])
        else:
            after = _sent(before, end)
        if after != before:
            await unit.local_lists.put(station.key, after)


class LocalListReconciler:
    """Sends desired lists to connected stations that are not quiet.

    Concurrency: one task a node runs `run`; each node cares for its own connections.
    """

    def __init__(
        self, units: UnitsOfWork, commands: CommandService, bus: Bus, clock: Clock, *, node: str
    ) -> None:
        self._units = units
        self._commands = commands
        self._clock = clock
        self._node = node
        self._hint = Hint()
        bus.subscribe(StationConnected, lambda _: self._hint.give())
        bus.subscribe(StationChanged, lambda _: self._hint.give())

    async def run(self) -> None:
        """Reconcile, for ever."""
        while True:
            async with self._units() as unit:
                wanted = await unit.local_lists.wanted(self._node, self._clock.now())
            for charge_point, identity in wanted:
                await self._send(charge_point, identity)
            await self._clock.sleep(_PAUSE_S)
            await self._hint.taken(_POLL_S)

    async def _send(self, charge_point: ChargePointKey, identity: Identity) -> None:
        """Send what is missing; a Differential that fails is followed by the Full list."""
        async with self._units() as unit:
            await unit.local_lists.tried(charge_point, self._clock.now())
        try:
            fell_back = False
            while (step := await self._send_next(charge_point, identity)) is not None:
                before, after = step
                if after.force_full and not before.force_full:
                    if fell_back:
                        break  # its Differentials never work: again in a minute
                    fell_back = True
        except CallFailed as error:
            _log.info("local list waits", station=identity, why=error.code)
        except Refusal as error:  # deleted or rejected meanwhile
            _log.info("local list is not told", station=identity, why=error.code)

    async def _send_next(
        self, charge_point: ChargePointKey, identity: Identity
    ) -> tuple[LocalList, LocalList] | None:
        """Send one message; returns what was known before and after, None when nothing changed."""
        async with self._units() as unit:
            known = await unit.local_lists.get(charge_point)
            most = (await _limits(unit, charge_point)).get(_MOST_A_MESSAGE)
        messages = local_list.messages(known, most)
        if not messages or known.refused_status is not None:
            return None
        await self._commands.send(_ACTOR, identity, "SendLocalList", messages[0])
        async with self._units() as unit:
            after = await unit.local_lists.get(charge_point)
        return None if after == known else (known, after)


def _told(before: LocalList, version: int) -> LocalList:
    if before.installed_version == version or abs(version) >= 2**63:
        return before
    entries: tuple[Entry, ...] | None = () if version == 0 else None
    return replace(before, installed_version=version, installed=entries)


def _sent(before: LocalList, end: Ended) -> LocalList:
    payload = end.call.payload
    version = payload["listVersion"]
    if abs(version) >= 2**63:
        return before
    if end.outcome == "accepted":
        return replace(
            before,
            installed_version=version,
            installed=local_list.applied(before.installed, payload),
            force_full=False,
            refused_status=None if version == before.desired_version else before.refused_status,
        )
    if end.status == "NotSupported":
        return replace(before, refused_status=end.status)
    if payload["updateType"] == "Differential":
        return replace(before, force_full=True)
    ours = local_list.covers(before, payload)
    return replace(before, refused_status=end.status) if ours else before


async def _limits(unit: UnitOfWork, charge_point: ChargePointKey) -> dict[str, int]:
    """Return the station's limits, as far as its configuration was read."""
    found = {}
    for each in await unit.configurations.of(charge_point):
        if each.key.lower() in {_MOST_A_MESSAGE, _MOST_IN_ALL} and each.value is not None:
            text = each.value.strip()
            if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0:
                found[each.key.lower()] = int(text)
    return found
