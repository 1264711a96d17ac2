"""Configuration as desired state: what operators want is told to stations that are not quiet."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.configuration import OWN_PROCEDURE, ConfigurationKey, KeyReading
from csms.domain.events import StationChanged, StationConnected
from csms.domain.masking import is_secret, without_credentials
from csms.errors import CallFailed, Invalid, Refusal
from csms.services.audit import AuditTrail
from csms.services.call_effects import Ended, Sending
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.state import WantedKey
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station
from csms.services.station_state import existing_station

_log = structlog.get_logger(__name__)

_POLL_S = 20.0
_PAUSE_S = 1.0
_ACTOR = "system"
_MEASURANDS = frozenset(
    {
        "metervaluesaligneddata",
        "metervaluessampleddata",
        "stoptxnaligneddata",
        "stoptxnsampleddata",
    }
)
"""Lists that some stations refuse as a whole for one measurand that they do not have."""
_MOST_MEASURANDS = 22


class ConfigurationService:
    """Shows and takes what is desired."""

    def __init__(self, units: UnitsOfWork, bus: Bus, audit: AuditTrail) -> None:
        self._units = units
        self._bus = bus
        self._audit = audit

    async def of(self, identity: str) -> Sequence[ConfigurationKey]:
        """Return all known keys of a station, by name. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.configurations.of(station.key)

    async def desire(
        self, actor: str, identity: str, key: str, desired: str | None
    ) -> ConfigurationKey | None:
        """Note what is desired (None: nothing) and return the key, if anything is known of it.

        Raises:
            NotFound: No such station.
            Invalid: The key has a procedure of its own, or holds a secret.
        """
        # what is read is kept masked: the two would never be equal
        masked = desired is not None and without_credentials(desired) != desired
        if key.lower() in OWN_PROCEDURE or is_secret(key) or masked:
            raise Invalid(
                "own_procedure", f"{key[:50]} is not kept as desired state: send it as a call."
            )
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            before = _of_key(await unit.configurations.of(station.key), key)
            await unit.configurations.desire(station.key, key, desired)
            details = {
                "key": key,
                "desired": desired,
                "before": {"desired": None if before is None else before.desired},
            }
            await self._audit.note(unit, actor, "configure", "station", station.identity, details)
            found = await unit.configurations.of(station.key)
        self._bus.publish(StationChanged(station.key))
        return _of_key(found, key)


def _of_key(found: Sequence[ConfigurationKey], key: str) -> ConfigurationKey | None:
    return next((each for each in found if each.key.lower() == key.lower()), None)


class ConfigurationEffect:
    """Keeps what GetConfiguration and ChangeConfiguration teach; see `services.call_effects`."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Nothing is known before the answer."""

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Keep the answer; secrets are dropped (N08)."""
        if end.response is None:
            return
        if end.call.action == "GetConfiguration":
            await unit.configurations.read(
                station.key,
                [
                    KeyReading(
                        key=_text(item["key"]),
                        value=_value(item["key"], item.get("value")),
                        readonly=item["readonly"],
                    )
                    for item in end.response.get("configurationKey") or ()
                ],
                [_text(key) for key in end.response.get("unknownKey") or ()],
                end.at,
            )
        elif end.call.action == "ChangeConfiguration" and end.status is not None:
            key, value = end.call.payload["key"], end.call.payload["value"]
            await unit.configurations.changed(
                station.key, _text(key), _value(key, value), _text(value), end.status, end.at
            )


class ConfigurationReconciler:
    """Tells connected stations what is desired of them.

    A value that is refused is not told again until it changes; what got no answer, at most once a
    minute. What needs a reboot is read back after it. Of a list of measurands that is refused
    (EVBox, ABB, Etrel) the station is told what it takes of it; the rest stays shown as refused.

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
                wanted = await unit.configurations.wanted(self._node, self._clock.now())
            offline = set()
            for each in wanted:
                if each.charge_point not in offline and not await self._tell(each):
                    offline.add(each.charge_point)  # its other keys wait too
            await self._clock.sleep(_PAUSE_S)
            await self._hint.taken(_POLL_S)

    async def _tell(self, wanted: WantedKey) -> bool:
        """Send one key; returns whether the station answers."""
        async with self._units() as unit:
            await unit.configurations.tried(wanted.charge_point, wanted.key, self._clock.now())
        action = "GetConfiguration" if wanted.verify else "ChangeConfiguration"
        payload: dict[str, object] = (
            {"key": [wanted.key]} if wanted.verify else {"key": wanted.key, "value": wanted.desired}
        )
        try:
            call = await self._commands.send(_ACTOR, wanted.identity, action, payload)
            if call.status == "Rejected" and wanted.key.lower() in _MEASURANDS:
                await self._tell_piecewise(wanted)
        except CallFailed as error:
            _log.info("configuration waits", station=wanted.identity, why=error.code)
            return False
        except Refusal as error:  # deleted or rejected meanwhile
            _log.info("configuration is not told", station=wanted.identity, why=error.code)
        return True

    async def _tell_piecewise(self, wanted: WantedKey) -> None:
        """Find out which measurands of a refused list the station takes, and leave it with those.

        Raises:
            CallFailed: It did not answer; the whole list is told again later.
        """
        names = [name for part in wanted.desired.split(",") if (name := part.strip())]
        if len(names) < 2:
            return

        async def takes(value: str) -> bool:
            payload = {"key": wanted.key, "value": value}
            call = await self._commands.send(
                _ACTOR, wanted.identity, "ChangeConfiguration", payload
            )
            return call.outcome == "accepted"

        try:
            taken = [name for name in names[:_MOST_MEASURANDS] if await takes(name)]
            _log.info(
                "measurands were told one by one",
                station=wanted.identity,
                key=wanted.key,
                refused=[name for name in names if name not in taken],
            )
            # together they may still be too many: then the first ones
            while taken and not await takes(",".join(taken)):
                taken.pop()
        except CallFailed:
            async with self._units() as unit:  # what it has now may be one of them alone
                await unit.configurations.desire(wanted.charge_point, wanted.key, wanted.desired)
                await unit.configurations.tried(wanted.charge_point, wanted.key, self._clock.now())
            raise


def _text(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _value(key: str, value: str | None) -> str | None:
    return None if value is None or is_secret(key) else _text(without_credentials(value))
