"""What the demo shows at one moment: plain data, in W and Wh, ready to be drawn or summed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Answered(StrEnum):
    """What became of a call in the list of messages."""

    OPEN = "open"
    WELL = "well"
    BADLY = "badly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where to find the system; `driver`: the page of one of its connectors."""

    ocpp: str
    cockpit: str
    driver: str
    api: str
    docs: str
    sign_in: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPicture:
    """A circuit of a site: what its cars draw and what it lets through, W."""

    id: str
    power_w: int
    limit_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryPicture:
    """All batteries of a site together; power is positive while discharging."""

    energy_wh: int
    capacity_wh: int
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePicture:
    """A site.

    Attributes:
        cars_w: Measured by the charge points, newest readings.
        grid_w: What the grid connection carries: the cars' power less the batteries'.
        connectors: How many vehicles can charge at once.
    """

    id: str
    name: str
    limit_w: int
    cars_w: int
    grid_w: int
    sessions: int
    connectors: int
    circuits: tuple[CircuitPicture, ...] = ()
    battery: BatteryPicture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPicture:
    """A running session.

    Attributes:
        power_w: None until the first reading.
        limit_a: Newest acknowledged limit a phase; None for DC and before the first.
        limit_w: The same in W.
        reason: Why it gets what it gets; empty before the first decision.
    """

    site_id: str
    station: str
    connector_id: int
    id_tag: str
    status: str
    power_w: int | None
    limit_a: Decimal | None
    limit_w: int | None
    energy_wh: int
    soc_percent: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePicture:
    """A call in either direction with what was answered.

    Attributes:
        to_station: Whether it is ours.
        text: What it says, in a few words.
        answer: In a few words; empty when the answer says nothing.
    """

    at: datetime
    to_station: bool
    station: str
    action: str
    text: str
    answer: str = ""
    answered: Answered = Answered.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Numbers over everything.

    Attributes:
        energy_today_wh: Of sessions that ended today and of those that run.
        finished_today: Sessions that ended today.
        limits: SetChargingProfile calls that charge points have accepted since the start.
    """

    online: int
    stations: int
    sessions: int
    cars_w: int
    energy_today_wh: int
    finished_today: int
    messages_per_s: float
    limits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything at one moment.

    Attributes:
        uptime_s: Since the demo began to play.
        messages: The newest last.
        notices: What the operator should know, a sentence each.
    """

    addresses: Addresses
    version: str
    uptime_s: int
    sites: tuple[SitePicture, ...]
    sessions: tuple[SessionPicture, ...]
    messages: tuple[MessagePicture, ...]
    totals: Totals
    notices: tuple[str, ...] = ()
