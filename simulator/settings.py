"""The settings of one simulated charge point."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from simulator.faults import NetworkFaults
from simulator.supply import Supply

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
        budget_w: power in W that all connectors share (None: no such bound).
        ambient_c: temperature of the surroundings in degrees Celsius.
        address: the whole URL to connect to, in place of ``url`` and the identity.
        secure_url: the endpoint on the profiles 2 and 3 (None: ``url`` with ``wss``).
        tls: for ``wss://``; None trusts what the system trusts.
        security_profile: SecurityProfile at first (None: by the URL, the password and the
            certificate).
        profile_attempts: connections that fail on a new profile before it falls back.
        identity_files: its own certificate chain and private key, two PEM files.
        key_kind: of the key pairs that it makes for signing requests.
        central_roots: CentralSystemRootCertificates installed at first, PEM.
        makers: ManufacturerRootCertificates installed at first, PEM.
        security_events: whether all security events are told (None: on profiles 2 and 3).
        signed_firmware_only: UpdateFirmware is answered with NotSupported (L01.FR.20).
        sets_clock: whether the central system's time is taken over.
        reboot_keys: configuration keys whose changes wait for a reboot.
        backup_s: how long it can go on telling when its power fails.
        main_meter: whether connector 0 has a meter (None: where there are several connectors).
        fixed_cable: the cable belongs to the charge point: nothing to unlock.
        ramp_s: seconds in which an offer moves from one limit to the next (0: at once).
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
    charge_box_serial_number: str | None = None
    firmware_version: str = "1.0.0"
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
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
    secure_url: str | None = None
    tls: ssl.SSLContext | None = None
    security_profile: Literal[0, 1, 2, 3] | None = None
    profile_attempts: int = 3
    identity_files: tuple[Path, Path] | None = None
    key_kind: Literal["EC", "RSA"] = "EC"
    central_roots: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    security_events: bool | None = None
    signed_firmware_only: bool = False
    sets_clock: bool = True
    reboot_keys: tuple[str, ...] = ()
    backup_s: float = 0.0
    main_meter: bool | None = None
    fixed_cable: bool = False
    ramp_s: float = 0.0

    @property
    def endpoint(self) -> str:
        """The URL that the charge point connects to."""
        return self.address or f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"

    @property
    def first_profile(self) -> int:
        """SecurityProfile before anybody has changed it."""
        if self.security_profile is not None:
            return self.security_profile
        if self.identity_files is not None:
            return 3
        if self.password is None:
            return 0
        return 2 if self.endpoint.startswith("wss:") else 1
