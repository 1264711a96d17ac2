"""What a driver may do at a connector's page, and what the page says. Pure.

A stranger sees whether a connector can be used, never who uses it. What was asked for is shown as
pending until the charge point has really done it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

START_WAIT = timedelta(minutes=3)
"""How long a start may take: the charge point waits for the cable for a minute or two."""

CLAIM = timedelta(seconds=90)
"""How long a start under way keeps a connector from other drivers."""

STOP_WAIT = timedelta(seconds=60)
"""After that a stop that was accepted has visibly not worked, and may be asked for again."""

LINK_WITHIN = timedelta(minutes=15)
"""A transaction that begins later than this is not what a start has led to."""

SHOWN_AFTER_STOP = timedelta(hours=12)
"""How long the driver who started a session finds its end on the connector's page."""


class Access(StrEnum):
    """What the operator allows at a connector's page.

    OFF: there is no page. ID_TAG: drivers start with the code of an id tag of their own. OPEN:
    anybody may start, with an id tag made for them, or with their own.
    """

    OFF = "off"
    ID_TAG = "idTag"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """What was said for one station or site; None: nothing.

    Attributes:
        plug_first: Whether the cable has to be in before a start.
    """

    access: Access | None = None
    plug_first: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRules:
    """What holds at a station."""

    access: Access
    plug_first: bool = False


def resolve(station: PageRules, site: PageRules, default: Access) -> EffectiveRules:
    """Return what holds: the station's word, else its site's, else the system's.

    >>> resolve(PageRules(), PageRules(access=Access.OPEN), Access.OFF).access
    <Access.OPEN: 'open'>
    """
    access = station.access if station.access is not None else site.access
    plug_first = station.plug_first if station.plug_first is not None else site.plug_first
    return EffectiveRules(access=default if access is None else access, plug_first=bool(plug_first))


class ConnectorState(StrEnum):
    """A connector as somebody sees it who stands before it."""

    FREE = "free"
    PLUGGED = "plugged"
    FINISHING = "finishing"
    IN_USE = "inUse"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFacts:
    """What is known of a connector and of its station.

    Attributes:
        status: Last StatusNotification of the connector, None: there was none.
        station_status: The same of connector 0, the station as a whole.
        busy: A transaction runs on it.
        reserved: Somebody holds a reservation for it.
        claimed: Somebody else's start is under way.
    """

    online: bool
    accepted: bool
    status: str | None
    station_status: str | None
    busy: bool
    reserved: bool
    claimed: bool


_IN_USE = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
_BY_STATUS = {
    "Available": ConnectorState.FREE,
    "Preparing": ConnectorState.PLUGGED,
    "Finishing": ConnectorState.FINISHING,
}

STARTABLE = frozenset(
    {
        ConnectorState.FREE,
        ConnectorState.PLUGGED,
        ConnectorState.FINISHING,
        ConnectorState.UNKNOWN,
    }
)


def connector_state(facts: ConnectorFacts) -> ConnectorState:
    """Return the connector's state; what keeps everybody from charging comes first."""
    statuses = (facts.station_status, facts.status)
    if not facts.online:
        return ConnectorState.OFFLINE
    if "Faulted" in statuses:
        return ConnectorState.FAULTED
    if not facts.accepted or "Unavailable" in statuses:
        return ConnectorState.UNAVAILABLE
    if facts.busy or facts.claimed or facts.status in _IN_USE:
        return ConnectorState.IN_USE
    if facts.reserved or facts.status == "Reserved":
        return ConnectorState.RESERVED
    return _BY_STATUS.get(facts.status or "", ConnectorState.UNKNOWN)


class Obstacle(StrEnum):
    """Why a start is not tried; the value is the code that the page gets."""

    NOT_OFFERED = "not_offered"
    IN_USE = "in_use"
    RESERVED = "reserved"
    NOT_PLUGGED_IN = "not_plugged_in"
    OUT_OF_ORDER = "out_of_order"
    TAG_NEEDED = "tag_needed"


def obstacle(rules: EffectiveRules, state: ConnectorState, *, with_tag: bool) -> Obstacle | None:
    """Return what keeps a driver from starting; None: nothing that is known here.

    A reserved connector may be started with an id tag: it may be the one it is reserved for.
    """
    if rules.access is Access.OFF:
        return Obstacle.NOT_OFFERED
    if state is ConnectorState.IN_USE:
        return Obstacle.IN_USE
    if state is ConnectorState.RESERVED:
        return None if with_tag else Obstacle.RESERVED
    if state not in STARTABLE:
        return Obstacle.OUT_OF_ORDER
    if rules.plug_first and state is ConnectorState.FREE:
        return Obstacle.NOT_PLUGGED_IN
    if rules.access is Access.ID_TAG and not with_tag:
        return Obstacle.TAG_NEEDED
    return None


class Phase(StrEnum):
    """How far a driver's start has come."""

    STARTING = "starting"
    FAILED = "failed"
    CHARGING = "charging"
    STOPPING = "stopping"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFacts:
    """What is known of a start.

    Attributes:
        outcome: Of the call: None while it is open, ``accepted``, or what went wrong.
        running: Whether its session runs; None: no session has begun.
        stop_outcome: Of the newest stop, as `outcome`.
    """

    asked_at: datetime
    outcome: str | None
    running: bool | None
    stop_asked_at: datetime | None = None
    stop_outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a start has come, and what went wrong with it or with its stop."""

    phase: Phase
    problem: str | None = None


def standing(facts: StartFacts, now: datetime) -> Standing:
    """Return how far a start has come.

    Problems: ``rejected``, ``offline``, ``noAnswer`` (the call), ``noStart`` (accepted, and no
    session came of it); of a stop ``stopRejected``, ``stopOffline``, ``stopNoAnswer`` and
    ``notStopped``.
    """
    if facts.running is None:
        if facts.outcome not in (None, "accepted"):
            return Standing(phase=Phase.FAILED, problem=facts.outcome)
        if now - facts.asked_at > START_WAIT:
            return Standing(phase=Phase.FAILED, problem="noStart")
        return Standing(phase=Phase.STARTING)
    if not facts.running:
        return Standing(phase=Phase.DONE)
    if facts.stop_asked_at is None:
        return Standing(phase=Phase.CHARGING)
    if facts.stop_outcome not in (None, "accepted"):
        word = str(facts.stop_outcome)
        return Standing(phase=Phase.CHARGING, problem=f"stop{word[:1].upper()}{word[1:]}")
    if now - facts.stop_asked_at > STOP_WAIT:
        return Standing(phase=Phase.CHARGING, problem="notStopped")
    return Standing(phase=Phase.STOPPING)
