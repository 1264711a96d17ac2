"""The fleet file: which charge points there are and which vehicles come to them.

JSON::

    {
      "seed": 1,
      "groups": [
        {
          "identities": ["GARAGE-01", "GARAGE-02"],       either this list ...
          "prefix": "SIM-", "count": 10,                  ... or SIM-000001 to SIM-000010
          "currentType": "AC",                            AC or DC
          "phases": 3, "voltageV": 230, "maxKw": 22,      rating of each connector
          "connectors": 1,
          "budgetW": null,                                what all connectors share, in W
          "sagV": 0, "cableMohm": 0,                      voltage lost at the rating, ohms of a wire
          "efficiencyPercent": 100, "standbyW": 0,        of the charger, for each connector
          "ambientC": 20,                                 temperature of the surroundings
          "idTags": ["SIM-TAG-0001"],                     drivers pick one at random
          "meterIntervalS": 10,
          "password": null,                               Basic authentication
          "securityProfile": null,                        0 to 3 (null: by URL, password, files)
          "secureUrl": null,                              endpoint of profiles 2, 3 (null: as wss)
          "certificatesDir": null,                        own certificates: IDENTITY.pem, .key
          "centralRoots": ["root.pem"],                   installed at first, PEM files
          "makerRoots": [],                               the same for firmware
          "securityEvents": null,                         told? (null: on profiles 2 and 3)
          "mainMeter": null,                              of connector 0 (null: where several are)
          "fixedCable": false,                            no socket, nothing to unlock
          "rampS": 0,                                     seconds from one limit to the next
          "quirks": ["values-of-connector-0"],            by name, see docs/simulator.md
          "faults": [{"name": "latency", "ms": 500}],     the same, with parameters
          "configuration": {"HeartbeatInterval": "60"},   configuration keys, as texts
          "vehicles": {
            "arrivalsPerHour": 12,                        for each free connector
            "atStart": 0.7,                               share of connectors with a vehicle at once
            "stayMinutes": [5, 20],
            "batteryKwh": [40, 60, 80],                   one of these at random, as below
            "onboardA": [16, 32],
            "onboardPhases": [1, 3],
            "dcMaxKw": [50, 100, 150],
            "packVoltageV": 365,                          of the batteries at half charge
            "socPercent": [10, 60],                       state of charge on arrival, from..to
            "targetSocPercent": [80, 100],                where the vehicle stops, from..to
            "minimumA": 6,                                current below which they do not charge
            "batteryC": null,                             battery temperature on arrival, from..to
            "kinds": ["e-bike", "scooter"],               small vehicles, simulator/kinds.py; sizes
                                                          and chargers are theirs then
            "faults": ["hot-pack"], "faultShare": 0.1,    what may be wrong, and with how many
            "leaveWhenFull": false                        or only at their departure
          }
        }
      ]
    }

Everything but ``groups`` and the identities has a default. An unknown field is a fault. All faults
of a file are told together, each with its place.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulator.certificates import CertificateError, read_chain
from simulator.configuration import Configuration
from simulator.errors import FleetError
from simulator.keys import standard_keys
from simulator.kinds import KindName, VehicleFault
from simulator.oddities.catalogue import find
from simulator.own_certificate import load_identity
from simulator.supply import Supply

Spec = str | dict[str, Any]
DEFAULT_TAG = "SIM-TAG-0001"

Span = Annotated[list[float], Field(min_length=2, max_length=2)]
Positive = Annotated[float, Field(gt=0)]
Choices = Annotated[list[Positive], Field(min_length=1)]
IdTag = Annotated[str, Field(min_length=1, max_length=20)]
Identity = Annotated[str, Field(min_length=1, max_length=255)]


class _Described(BaseModel):
    """Refuses unknown fields; names are camelCase on the outside as they are written here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class VehicleMix(_Described):
    """Who comes, when, and with what."""

    arrivalsPerHour: Annotated[float, Field(ge=0)] = 12.0
    atStart: Annotated[float, Field(ge=0, le=1)] = 0.7
    stayMinutes: Span = [5.0, 20.0]
    batteryKwh: Choices = [40.0, 60.0, 80.0]
    onboardA: Choices = [16.0, 16.0, 32.0]
    onboardPhases: Annotated[list[Literal[1, 2, 3]], Field(min_length=1)] = [1, 3, 3]
    dcMaxKw: Choices = [50.0, 100.0, 150.0]
    packVoltageV: Annotated[int, Field(ge=12, le=1000)] = 365
    socPercent: Span = [10.0, 60.0]
    targetSocPercent: Span = [80.0, 100.0]
    minimumA: Annotated[float, Field(ge=0, le=80)] = 6.0
    batteryC: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    kinds: list[KindName] = []
    faults: list[VehicleFault] = []
    faultShare: Annotated[float, Field(ge=0, le=1)] = 0.1
    leaveWhenFull: bool = False

    @model_validator(mode="after")
    def _check_spans(self) -> "VehicleMix":
        for name in ("stayMinutes", "socPercent", "targetSocPercent"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                msg = f"{name}: from..to must rise and not be negative"
                raise ValueError(msg)
        if self.socPercent[1] > 100 or self.targetSocPercent[1] > 100:
            msg = "a state of charge is at most 100 percent"
            raise ValueError(msg)
        if self.batteryC is not None and not -40 <= self.batteryC[0] <= self.batteryC[1] <= 80:
            msg = "batteryC: from..to must rise, within -40 and 80"
            raise ValueError(msg)
        return self


class Group(_Described):
    """Charge points of one kind."""

    identities: list[Identity] | None = None
    prefix: str | None = None
    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    currentType: Literal["AC", "DC"] = "AC"
    phases: Literal[1, 3] = 3
    voltageV: Annotated[int, Field(ge=12, le=1000)] | None = None
    maxKw: Annotated[float, Field(gt=0, le=1000)] | None = None
    connectors: Annotated[int, Field(ge=1, le=64)] = 1
    budgetW: Annotated[int, Field(gt=0)] | None = None
    sagV: Annotated[float, Field(ge=0, le=40)] = 0.0
    cableMohm: Annotated[float, Field(ge=0, le=1000)] = 0.0
    efficiencyPercent: Annotated[float, Field(ge=50, le=100)] = 100.0
    standbyW: Annotated[int, Field(ge=0, le=1000)] = 0
    ambientC: Annotated[float, Field(ge=-40, le=60)] = 20.0
    idTags: Annotated[list[IdTag], Field(min_length=1)] = [DEFAULT_TAG]
    meterIntervalS: Annotated[int, Field(ge=0)] = 10
    password: str | None = None
    securityProfile: Literal[0, 1, 2, 3] | None = None
    secureUrl: str | None = None
    certificatesDir: Path | None = None
    centralRoots: list[Path] = []
    makerRoots: list[Path] = []
    securityEvents: bool | None = None
    mainMeter: bool | None = None
    fixedCable: bool = False
    rampS: Annotated[float, Field(ge=0, le=3600)] = 0.0
    configuration: Mapping[str, str] = {}
    quirks: list[Spec] = []
    faults: list[Spec] = []
    vehicles: VehicleMix = VehicleMix()

    @model_validator(mode="after")
    def _check_names(self) -> "Group":
        by_list, by_count = self.identities is not None, self.count is not None
        if by_list == by_count or (by_list and self.prefix is not None):
            msg = "name the charge points by identities, or by prefix and count"
            raise ValueError(msg)
        for kind, specs in (("quirk", self.quirks), ("fault", self.faults)):
            for spec in specs:
                oddity, _ = find(spec)
                if oddity.is_fault != (kind == "fault"):
                    msg = f"{oddity.name} is not a {kind}"
                    raise ValueError(msg)
        # Said here so that a wrong key is a fault of the file and not of the thousandth station.
        keys = standard_keys(
            connectors=self.connectors, meter_interval_s=0, sampled="", switches_phases=False
        )
        Configuration(keys, self.configuration)
        return self

    @model_validator(mode="after")
    def _check_files(self) -> "Group":
        for path in (*self.centralRoots, *self.makerRoots):
            _read_certificate(path)
        if self.certificatesDir is not None:
            for name in self.names:
                try:
                    load_identity(*self.identity_files(name))
                except (OSError, CertificateError) as error:
                    msg = f"certificatesDir: {error}"
                    raise ValueError(msg) from error
        elif self.securityProfile == 3:
            msg = "profile 3 needs a certificatesDir"
            raise ValueError(msg)
        return self

    def identity_files(self, name: str) -> tuple[Path, Path]:
        """Return where a charge point's certificate and key are.

        Raises:
            ValueError: the group has no folder of certificates.
        """
        if self.certificatesDir is None:
            msg = "there is no certificatesDir"
            raise ValueError(msg)
        stem = quote(name, safe="")
        return self.certificatesDir / f"{stem}.pem", self.certificatesDir / f"{stem}.key"

    @property
    def central_roots(self) -> tuple[str, ...]:
        """The PEM texts of the central system's roots."""
        return tuple(_read_certificate(path) for path in self.centralRoots)

    @property
    def makers(self) -> tuple[str, ...]:
        """The PEM texts of the manufacturers' roots."""
        return tuple(_read_certificate(path) for path in self.makerRoots)

    @property
    def oddities(self) -> tuple[Spec, ...]:
        """Quirks and faults together."""
        return (*self.quirks, *self.faults)

    @property
    def names(self) -> list[str]:
        """The identities, in order."""
        if self.identities is not None:
            return list(self.identities)
        return [f"{self.prefix or 'SIM-'}{number:06}" for number in range(1, (self.count or 0) + 1)]

    @property
    def supply(self) -> Supply:
        """The rating of each connector; by default 32 A a phase for AC, 150 kW for DC."""
        if self.currentType == "DC":
            volts, phases = self.voltageV or 400, 1
            watts = round((self.maxKw or 150) * 1000)
        else:
            volts, phases = self.voltageV or 230, self.phases
            watts = round(self.maxKw * 1000) if self.maxKw is not None else 32 * volts * phases
        return Supply(
            current_type=self.currentType,
            phases=phases,
            voltage_v=volts,
            max_w=watts,
            sag_v=self.sagV,
            cable_mohm=self.cableMohm,
            efficiency=self.efficiencyPercent / 100,
            standby_w=self.standbyW,
        )


def _read_certificate(path: Path) -> str:
    try:
        text = path.read_text("ascii", errors="replace")
        read_chain(text)
    except (OSError, CertificateError) as error:
        msg = f"{path}: {error}"
        raise ValueError(msg) from error
    return text


class FleetPlan(_Described):
    """A whole fleet."""

    groups: Annotated[list[Group], Field(min_length=1)]
    seed: int = 1

    @model_validator(mode="after")
    def _check_identities(self) -> "FleetPlan":
        names = Counter(name for group in self.groups for name in group.names)
        twice = sorted(name for name, count in names.items() if count > 1)
        if twice:
            msg = f"identities are used twice: {', '.join(twice[:5])}"
            raise ValueError(msg)
        return self


def parse_fleet(data: Any) -> FleetPlan:
    """Return the fleet that ``data`` (decoded JSON) describes.

    Raises:
        FleetError: with one text a fault.
    """
    try:
        return FleetPlan.model_validate(data)
    except ValidationError as error:
        raise FleetError(faults_of(error)) from error


def faults_of(error: ValidationError) -> list[str]:
    """Return one text a fault, each with its place."""
    return [
        f"{_place(item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    ]


def load_fleet(path: Path) -> FleetPlan:
    """Return the fleet that a file describes.

    Raises:
        FleetError: the file cannot be read, is not JSON, or describes no fleet.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FleetError([f"{path}: {error.strerror}"]) from error
    except ValueError as error:
        raise FleetError([f"{path}: not JSON: {error}"]) from error
    return parse_fleet(data)


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "fleet"
