"""The settings of one simulated charge point, and the snapshot of its state that watchers get."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from simulator.faults import NetworkFaults
from simulator.supply import Supply
from simulator.vehicle import Draw

SAMPLED = (
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC,Current.Offered"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """What makes one charge point differ from another.

    Attributes:
        identity: the OCPP identity, appended to ``url`` percent-encoded.
        url: the central system's endpoint, ``ws://`` or ``wss://``.
        oddities: quirks and faults by name; an object with ``name`` sets parameters too.
        budget_w: power in W that all connectors share, in equal parts (None: no such bound).
        ambient_c: temperature of the surroundings in degrees Celsius.
        address: the whole URL to connect to, in place of ``url`` and the identity.
        tls: for ``wss://``; None trusts what the system trusts.
        connectors: number of connectors, 1 or more.
        supply: rating of each connector.
        password: Basic authentication password (None: no authentication).
        meter_start_wh: what each register shows at first.
        meter_interval_s: MeterValueSampleInterval, 0 switches samples off.
        speed: how many times faster than the clock the vehicles' batteries fill.
        response_timeout_s: how long a call waits for its answer.
        reconnect_min_s: first wait after a lost connection, before jitter.
        reconnect_max_s: longest such wait.
        reboot_s: how long a reset keeps the charge point away.
        step_s: length of each step of firmware updates and uploads.
        configuration: configuration keys that differ from the defaults.
        seed: of the charge point's jitter (None: from the identity).
        faults: what its network does to it (None: nothing).
    """

    identity: str
    url: str
    connectors: int = 1
    supply: Supply = field(default_factory=Supply)
    password: str | None = None
    vendor: str = "OpenSimulator"
    model: str = "SIM-AC"
    serial_number: str | None = None
    firmware_version: str = "1.0.0"
    meter_start_wh: int = 0
    meter_interval_s: int = 60
    sampled: str = SAMPLED
    speed: float = 1.0
    response_timeout_s: float = 30.0
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 60.0
    reboot_s: float = 1.0
    step_s: float = 1.0
    configuration: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    faults: NetworkFaults | None = None
    oddities: tuple[str | Mapping[str, Any], ...] = ()
    budget_w: int | None = None
    ambient_c: float = 20.0
    address: str | None = None
    tls: ssl.SSLContext | None = None

    @property
    def endpoint(self) -> str:
        """The URL that the charge point connects to."""
        return self.address or f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorState:
    """A connector at a moment: ``limit`` in the supply's unit (A or W), None without a profile."""

    connector_id: int
    status: str
    flow: Draw
    limit: float | None
    offer: float
    register_wh: int
    transaction_id: int | None
    id_tag: str | None
    soc: float | None
    has_vehicle: bool

    @property
    def power_w(self) -> int:
        """Power that flows, W."""
        return self.flow.power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class StationState:
    """A charge point at a moment: connectors by number, and messages that wait for an answer."""

    identity: str
    is_connected: bool
    is_registered: bool
    registration: str | None
    connectors: Mapping[int, ConnectorState]
    waiting_messages: int
