"""One simulated charge point: its parts, its life, and what a test or a fleet does with it.

Use it as an async context manager, or await ``run`` in a task of your own::

    async with ChargePointSimulator(StationSettings(identity="CP1", url=url)) as station:
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from ocpp.v16 import call

from simulator.authorization import KnownTags
from simulator.clock import Clock, RealClock, ShiftedClock, iso
from simulator.configuration import Configuration, standard_keys
from simulator.connector import Connector
from simulator.errors import CallFailed
from simulator.events import Event, EventHook
from simulator.faults import DisorderedQueue, FaultyNetwork
from simulator.ledger import Ledger
from simulator.link import Link
from simulator.meter import Meter
from simulator.oddities.temper import Temper
from simulator.profiles import ProfileStore
from simulator.reader import Reader
from simulator.rpc import FollowUp
from simulator.session import ConnectorSession
from simulator.settings import ConnectorState, StationSettings, StationState
from simulator.statuses import Notice, StatusBoard
from simulator.thermal import Thermal
from simulator.transactions import Message, Outcome, TransactionQueue
from simulator.vehicle import Vehicle

DRAIN_S = 10.0
"""How long a stopping charge point waits for its last messages to be acknowledged."""


class ChargePointSimulator:
    """A charge point with its connectors.

    Args:
        settings: what it is like.
        clock: its time (the machine's by default).
        ledger: where its transactions are recorded (its own by default).
        on_event: told everything that happens, synchronously.
    """

    def __init__(
        self,
        settings: StationSettings,
        *,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
        on_event: EventHook | None = None,
    ) -> None:
        self.settings = settings
        self.identity = settings.identity
        seed = settings.seed if settings.seed is not None else settings.identity
        self.temper = Temper(self, seed)
        self.clock: Clock = ShiftedClock(clock or RealClock(), self.temper.shift)
        self.ledger = ledger if ledger is not None else Ledger()
        self.password = settings.password.encode() if settings.password is not None else None
        self.firmware_version = settings.firmware_version
        self.firmware_status = "Idle"
        self.diagnostics_status = "Idle"
        self._on_event = on_event
        keys = standard_keys(
            connectors=settings.connectors,
            meter_interval_s=settings.meter_interval_s,
            sampled=settings.sampled,
            switches_phases=settings.supply.current_type == "AC" and settings.supply.phases == 3,
        )
        self.configuration = Configuration(keys, settings.configuration)
        self.tags = KnownTags(max_entries=self.configuration.integer("LocalAuthListMaxLength"))
        self.profiles = ProfileStore(
            connectors=settings.connectors,
            max_stack_level=self.configuration.integer("ChargeProfileMaxStackLevel"),
            max_periods=self.configuration.integer("ChargingScheduleMaxPeriods"),
            max_profiles=self.configuration.integer("MaxChargingProfilesInstalled"),
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
        self.operative = True
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
        self._changed = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._patience_s = DRAIN_S
        self._tasks: asyncio.TaskGroup | None = None
        self._own: set[asyncio.Task[None]] = set()
        self._scope: asyncio.TaskGroup | None = None
        for spec in settings.oddities:
            self.temper.switch_on(spec)

    # Life

    async def run(self) -> None:
        """Live until ``stop`` is called; then unplug all vehicles and leave in order.

        Cancellation: leaves at once, without a word; what was not acknowledged stays so in the
        ledger.
        """
        self._note_station()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self.temper.come_alive(self._spawn)
            self._spawn(self.link.run(), "link")
            for number, session in self.sessions.items():
                self._spawn(session.run(), f"connector {number}")
            await self.clock.wait(self._stop_asked, None)
            await self._leave()
            for task in list(self._own):
                task.cancel()
        self._tasks = None

    async def _leave(self) -> None:
        for session in self.sessions.values():
            session.unplug()
        try:
            async with asyncio.timeout(self._patience_s):
                while len(self.queue) or not self.statuses.is_idle:
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

    async def present_tag(self, connector_id: int, id_tag: str) -> bool:
        """Hold a tag to the reader of a connector; tell whether it was let do what it asked for."""
        return await self.reader.present(self.sessions[connector_id], id_tag)

    def set_error(self, connector_id: int, error_code: str) -> None:
        """Put a connector into Faulted with this error code, or back with ``NoError``."""
        self.sessions[connector_id].set_error(error_code)

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
    def state(self) -> StationState:
        """A snapshot, with the physics settled up to now."""
        for session in self.sessions.values():
            session.connector.advance(self.clock.monotonic())
        return StationState(
            identity=self.identity,
            is_connected=self.link.is_connected,
            is_registered=self.link.is_registered,
            registration=self.link.registration,
            connectors={
                number: _connector_state(session.connector)
                for number, session in self.sessions.items()
            },
            waiting_messages=len(self.queue),
        )

    async def wait_for(
        self, predicate: Callable[[StationState], bool], timeout_s: float = 10.0
    ) -> StationState:
        """Return the first snapshot that satisfies ``predicate``; looks after each event.

        Raises:
            TimeoutError: none did within ``timeout_s`` seconds of the machine; the text shows the
                last one.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not predicate(state := self.state):
                    self._changed.clear()
                    await self.clock.wait(self._changed, 0.1)
        except TimeoutError as error:
            msg = f"not reached within {timeout_s} s: {self.state}"
            raise TimeoutError(msg) from error
        return state

    async def until_registered(self) -> None:
        """Wait until the central system has accepted the charge point."""
        while not self.link.is_registered:
            self._changed.clear()
            await self.clock.wait(self._changed, None)

    async def until_told(self, patience_s: float) -> None:
        """Wait until all transaction messages are acknowledged, at most ``patience_s``."""
        deadline = self.clock.monotonic() + patience_s
        while len(self.queue) and self.clock.monotonic() < deadline:
            self._changed.clear()
            await self.clock.wait(self._changed, 0.2)

    def wake_watchers(self) -> None:
        """Have those who wait for a state look again."""
        self._changed.set()

    def log_text(self) -> str:
        """Return what a log of this charge point holds: its state and its configuration."""
        known, _ = self.configuration.read(None)
        lines = [f"{iso(self.clock.now())} {self.state}"]
        lines += [f"{entry['key']}={entry.get('value', '')}" for entry in known]
        return "\n".join(lines) + "\n"

    def emit(self, name: str, **data: object) -> None:
        """Tell watchers that something happened."""
        self._changed.set()
        if self._on_event is None and not self.temper:
            return
        event = Event(name=name, charge_point=self.identity, at=self.clock.now(), data=data)
        self.temper.on_event(event)
        if self._on_event is not None:
            self._on_event(event)

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
        for session in self.sessions.values():
            session.wake()

    def _on_attempt(self, message: Message, outcome: Outcome) -> None:
        transaction = message.transaction
        self.emit(outcome, action=message.action, connectorId=transaction.connector_id)
        if isinstance(message.payload, call.StartTransaction):
            self.sessions[transaction.connector_id].on_start_attempted(transaction)

    # What the central system asks for

    def change_availability(self, connector_id: int, *, operative: bool) -> str:
        """Carry out ChangeAvailability and return its status; connector 0 stands for all."""
        if connector_id == 0:
            self.operative = operative
            found = {session.set_operative(operative) for session in self.sessions.values()}
            self._note_station()
            return "Scheduled" if "Scheduled" in found else "Accepted"
        session = self.sessions.get(connector_id)
        return session.set_operative(operative) if session is not None else "Rejected"

    def _note_station(self) -> None:
        status = "Available" if self.operative else "Unavailable"
        now = self.clock.now()
        self.statuses.note(Notice(connector_id=0, status=status, error_code="NoError", at=now))

    async def on_configuration_changed(self, key: str) -> None:
        """Act on a changed key where reading it later is not enough."""
        match key.lower():
            case "heartbeatinterval":
                self.link.heartbeat_interval_changed()
            case "authorizationkey":
                self.password = bytes.fromhex(self.configuration.text(key))
                await self.link.reconnect()
            case "websocketpinginterval":
                await self.link.reconnect()
            case _:
                self.wake_all()


def _connector_state(connector: Connector) -> ConnectorState:
    transaction = connector.transaction
    return ConnectorState(
        connector_id=connector.connector_id,
        status=connector.status,
        flow=connector.flow,
        limit=connector.limit.value if connector.limit is not None else None,
        offer=connector.offer,
        register_wh=connector.meter.register_wh,
        transaction_id=transaction.transaction_id if transaction is not None else None,
        id_tag=transaction.id_tag if transaction is not None else None,
        soc=connector.vehicle.soc if connector.vehicle is not None else None,
        has_vehicle=connector.vehicle is not None,
    )
