"""One simulated charge point: its parts, its life, and what a test or a fleet does with it.

Use it as an async context manager, or await ``run`` in a task of your own::

    async with ChargePointSimulator(StationSettings(identity="CP1", url=url)) as station:
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
"""

import asyncio
import random
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from ocpp.v16 import call

from simulator import availability
from simulator.authorization import KnownTags
from simulator.availability import Whole
from simulator.clock import Clock, RealClock, SettableClock, ShiftedClock
from simulator.configuration import Configuration
from simulator.connector import Connector
from simulator.errors import CallFailed
from simulator.events import EventHook
from simulator.faults import DisorderedQueue, FaultyNetwork
from simulator.firmware import Firmware
from simulator.flash import Memory
from simulator.keeping import Keeper
from simulator.keys import standard_keys
from simulator.ledger import Ledger
from simulator.link import Link
from simulator.main_meter import MainMeter
from simulator.meter import Meter
from simulator.oddities.temper import Temper
from simulator.profiles import ProfileStore
from simulator.reader import Reader
from simulator.rpc import FollowUp
from simulator.security import TLS_PROFILES, Security
from simulator.security_log import SecurityLog
from simulator.session import ConnectorSession
from simulator.settings import StationSettings
from simulator.statuses import StatusBoard
from simulator.thermal import Thermal
from simulator.transactions import Message, Outcome, TransactionQueue
from simulator.uploads import Uploads
from simulator.vehicle import Vehicle
from simulator.watching import Watched

DRAIN_S = 10.0
"""How long a stopping charge point waits for its last messages to be acknowledged."""


class ChargePointSimulator(Watched):
    """A charge point with its connectors.

    Args:
        settings: what it is like.
        clock: its time (the machine's by default).
        ledger: where its transactions are recorded (its own by default).
        on_event: told everything that happens, synchronously.
        memory: what it keeps without power (None: nothing); its life begins with a boot from there.
    """

    def __init__(
        self,
        settings: StationSettings,
        *,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
        on_event: EventHook | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.settings = settings
        self.identity = settings.identity
        seed = settings.seed if settings.seed is not None else settings.identity
        self.temper = Temper(self, seed)
        self.own_clock = SettableClock(clock or RealClock())
        self.clock: Clock = ShiftedClock(self.own_clock, self.temper.shift)
        self.ledger = ledger if ledger is not None else Ledger()
        super().__init__(on_event)
        keys = standard_keys(
            connectors=settings.connectors,
            meter_interval_s=settings.meter_interval_s,
            sampled=settings.sampled,
            switches_phases=settings.supply.current_type == "AC" and settings.supply.phases == 3,
            has_fixed_cable=settings.fixed_cable,
        )
        self.configuration = Configuration(keys, settings.configuration, settings.reboot_keys)
        self.security_log = SecurityLog(self.clock, tells_all=self._tells_all_events)
        self.security = Security(
            settings, self.configuration, self.security_log, self.clock, self.emit
        )
        self.firmware = Firmware(self)
        self.uploads = Uploads(self)
        self.tags = KnownTags(max_entries=self.configuration.integer("LocalAuthListMaxLength"))
        self.profiles = ProfileStore(
            connectors=settings.connectors,
            max_stack_level=self.configuration.integer("ChargeProfileMaxStackLevel"),
            max_periods=self.configuration.integer("ChargingScheduleMaxPeriods"),
            max_profiles=self.configuration.integer("MaxChargingProfilesInstalled"),
            units=self.configuration.items("ChargingScheduleAllowedChargingRateUnit"),
            switches_phases=self.configuration.flag("ConnectorSwitch3to1PhaseSupported"),
        )
        # Chance in a simulation, not a secret.
        self._chance = random.Random(f"{seed} faults")  # noqa: S311
        disorder = None
        if settings.faults is not None:
            disorder = DisorderedQueue(settings.faults, self._chance)
        self.queue = TransactionQueue(self.configuration, self.clock, self._on_attempt, disorder)
        self.statuses = StatusBoard(self.clock)
        self.reader = Reader(self)
        self.link = Link(self, random.Random(seed))  # noqa: S311  # jitter, not a secret
        self.whole = Whole()
        self.main_meter = MainMeter(self)
        self.sessions: dict[int, ConnectorSession] = {
            number: ConnectorSession(
                self,
                Connector(
                    connector_id=number,
                    supply=settings.supply,
                    meter=Meter(start_wh=settings.meter_start_wh),
                    speed=settings.speed,
                    thermal=Thermal(ambient_c=settings.ambient_c, celsius=settings.ambient_c),
                ),
            )
            for number in range(1, settings.connectors + 1)
        }
        self._stop_asked = asyncio.Event()
        self._patience_s = DRAIN_S
        self._tasks: asyncio.TaskGroup | None = None
        self._own: set[asyncio.Task[None]] = set()
        self._scope: asyncio.TaskGroup | None = None
        for spec in settings.oddities:
            self.temper.switch_on(spec)
        self._keeper = Keeper(self, memory)

    # Life

    async def run(self) -> None:
        """Live until ``stop`` is called; then unplug all vehicles and leave in order.

        Cancellation: leaves at once, without a word; what was not acknowledged stays so in the
        ledger.

        Raises:
            StateError: what it keeps cannot be read or written (in a group).
        """
        if self._keeper.come_up():
            self.emit("rebooting")
        availability.note(self)
        self.security_log.record("StartupOfTheDevice")
        self.keep()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self.temper.come_alive(self._spawn)
            self._spawn(self.link.run(), "link")
            if self.main_meter.is_there:
                self._spawn(self.main_meter.run(), "main meter")
            self.spawn(self.firmware.resume)
            for number, session in self.sessions.items():
                self._spawn(session.run(), f"connector {number}")
            await self.clock.wait(self._stop_asked, None)
            await self._leave()
            for task in list(self._own):
                task.cancel()
        self._tasks = None
        self.keep()

    async def _leave(self) -> None:
        for session in self.sessions.values():
            session.unplug()
        try:
            async with asyncio.timeout(self._patience_s):
                while len(self.queue) or (self.link.is_registered and not self.statuses.is_idle):
                    self._changed.clear()
                    await self.clock.wait(self._changed, 0.2)
        except TimeoutError:
            self.emit("left_behind", messages=len(self.queue))
        await self.link.leave()

    def stop(self, *, patience_s: float = DRAIN_S) -> None:
        """Ask ``run`` to end in order, waiting at most ``patience_s`` for acknowledgements."""
        self._patience_s = min(self._patience_s, patience_s)
        self._stop_asked.set()

    async def __aenter__(self) -> Self:
        self._scope = asyncio.TaskGroup()
        await self._scope.__aenter__()
        self._scope.create_task(self.run(), name=self.identity)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failed = error is not None
        self.stop(patience_s=0 if failed else DRAIN_S)
        if self._scope is None:
            return
        if failed and not isinstance(error, asyncio.CancelledError):
            # The body's own error passes as it is, not inside a group.
            kind = error = trace = None
        await self._scope.__aexit__(kind, error, trace)

    def _tells_all_events(self) -> bool:
        wanted = self.settings.security_events
        return self.security.profile in TLS_PROFILES if wanted is None else wanted

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None] | None:
        if self._tasks is None:
            work.close()
            return None
        task = self._tasks.create_task(work, name=f"{self.identity} {name}")
        self._own.add(task)
        task.add_done_callback(self._own.discard)
        return task

    def spawn(self, work: FollowUp) -> None:
        """Start work of the charge point's own; it gives up when a call fails."""

        async def guarded() -> None:
            try:
                await work()
            except CallFailed as error:
                self.emit("gave_up", error=str(error))

        self._spawn(guarded(), "follow-up")

    def keep(self) -> None:
        """Have all that is to outlive a power cut written, before anybody is told of it.

        Raises:
            StateError: it cannot be written.
        """
        self._keeper.keep()

    def tell(self, payload: Any) -> None:
        """Send a call whose answer means nothing, if registered."""

        async def send() -> None:
            await self.link.call(payload)

        if self.link.is_registered:
            self.spawn(send)

    def new_network(self) -> FaultyNetwork | None:
        """Return what the next connection leads through, or None for a network without faults."""
        if self.settings.faults is None:
            return None
        return FaultyNetwork(self.settings.faults, self._chance, self.clock, self.spawn)

    # What people, vehicles and networks do

    def plug(self, connector_id: int, vehicle: Vehicle) -> None:
        """Plug ``vehicle`` in; ValueError when the connector is taken."""
        self.sessions[connector_id].plug(vehicle)

    def unplug(self, connector_id: int) -> Vehicle | None:
        """Pull the cable and return the vehicle as it leaves."""
        return self.sessions[connector_id].unplug()

    async def present_tag(self, connector_id: int | None, id_tag: str) -> bool:
        """Hold a tag to a reader and tell whether it was let do what it asked for.

        Args:
            connector_id: whose reader it is; None: the one of all connectors.
            id_tag: what it reads.
        """
        if connector_id is None:
            return await self.reader.present_anywhere(id_tag)
        return await self.reader.present(self.sessions[connector_id], id_tag)

    def set_error(self, connector_id: int, error_code: str) -> None:
        """Put a connector into Faulted with this error code, or back with ``NoError``; 0: all."""
        if connector_id == 0:
            self.whole.error_code = error_code
            availability.note(self)
        for number, session in self.sessions.items():
            if connector_id in (0, number):
                session.set_error(error_code)

    def tamper(self) -> None:
        """Open the housing, which the charge point notices."""
        self.security_log.record("TamperDetectionActivated", "housing opened")

    def end_all(self, reason: str) -> None:
        """End all transactions."""
        for session in self.sessions.values():
            session.end_transaction(reason)

    def drop_connection(self) -> None:
        """Cut the connection without a close frame; the charge point comes back by itself."""
        self.link.drop()

    def go_offline(self) -> None:
        """Cut the connection until ``go_online``; charging goes on, messages are queued."""
        self.link.go_offline()

    def go_online(self) -> None:
        """Let the charge point connect again."""
        self.link.go_online()

    # Watching

    @property
    def is_busy(self) -> bool:
        """Whether a transaction runs."""
        return any(session.connector.transaction for session in self.sessions.values())

    @property
    def response_timeout_s(self) -> float:
        """How long a call waits for its answer: MessageTimeout, once somebody has set it."""
        if self.configuration.is_default("MessageTimeout"):
            return self.settings.response_timeout_s
        return float(self.configuration.integer("MessageTimeout"))

    # What the parts tell each other

    def on_link_changed(self) -> None:
        """Look at all connectors again: being online or not changes what they may do."""
        self._changed.set()
        self.refresh_all()

    def refresh_all(self) -> None:
        """Settle all connectors now: limits or the whole charge point's state have changed."""
        for session in self.sessions.values():
            session.refresh()

    def wake_all(self) -> None:
        """Have all connectors look again in their own tasks: who shares a limit has changed."""
        self.main_meter.wake()
        for session in self.sessions.values():
            session.wake()

    def _on_attempt(self, message: Message, outcome: Outcome) -> None:
        transaction = message.transaction
        self.emit(outcome, action=message.action, connectorId=transaction.connector_id)
        id_tag = (
            message.payload.id_tag if not isinstance(message.payload, call.MeterValues) else None
        )
        if message.info is not None and id_tag is not None:
            self.reader.learn(id_tag, message.info)
        if isinstance(message.payload, call.StartTransaction):
            self.sessions[transaction.connector_id].on_start_attempted(transaction)
