"""What one step of a site's control loop looks at: the site, its chargers, sessions and limits.

Data only; `csms.domain.site_control` decides over it. A charge point has two kinds of limits: the
*floor* (a TxDefaultProfile on connector 0) and a TxProfile for each running transaction (where it
takes none: a TxDefaultProfile on the connector), some also a static *cap* (a
ChargePointMaxProfile); what is known of one of them is a `LimitRow`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from csms.domain.battery import BatteryId
from csms.domain.charging_profiles import CLOCK_SKEW, ProfilePurpose
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_dialect import PLAIN, LimitDialect
from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow
from csms.domain.obedience import Reading
from csms.domain.phases import PhaseRotation
from csms.domain.power_tree import LoadId
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.rotation import Turn
from csms.domain.site_rules import DEFAULT_RULES, MeterReading, OutsideLimit, SiteRules
from csms.domain.sites import Charger, ChargerId, Site


class RowKey(NamedTuple):
    """Names one row of the ledger: a profile of a connector (0: of the charge point)."""

    key: ChargePointKey
    connector_id: int
    purpose: ProfilePurpose


class Request(NamedTuple):
    """Names one sending of a limit; without a transaction it is one for the charge point."""

    key: ChargePointKey
    connector_id: int
    purpose: ProfilePurpose
    transaction_id: TransactionId | None
    version: int

    @property
    def row(self) -> RowKey:
        """The row that it belongs to."""
        return RowKey(self.key, self.connector_id, self.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerState:
    """A charger of the site and its charge point.

    Attributes:
        key: None when another system controls it.
        reachable: Connected and accepted, so that limits can be sent.
        settling: Has just connected and is told nothing yet; it will be in a moment.
        known: Has ever been connected; before that it is a plan and draws nothing.
        occupied: Connectors without a transaction that we know of, whose car may draw all the same.
        floor: Of its TxDefaultProfile on connector 0.
        defaults: Of the TxDefaultProfiles of single connectors, where some were told.
        cap: Of its ChargePointMaxProfile.
        dialect: How it wants its limits told.
        reads_back: May be asked which limit holds.
        told_rotation: How it says itself that its phases are wired, where the site shares phases.
    """

    charger: Charger
    key: ChargePointKey | None
    reachable: bool = True
    settling: bool = False
    known: bool = True
    occupied: int = 0
    floor: LimitRow = NOTHING_KNOWN
    defaults: Mapping[int, LimitRow] = field(default_factory=dict)
    cap: LimitRow = NOTHING_KNOWN
    dialect: LimitDialect = PLAIN
    reads_back: bool = False
    told_rotation: PhaseRotation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waking:
    """Where a car stands that was paused while it charged; see `csms.domain.waking`.

    Attributes:
        paused: It still is.
        since: Since when it is paused, may charge again, or was last tried to be woken; None: it
            is awake.
        tried: What was tried: 1 its full share, 2 a new transaction too.
    """

    paused: bool
    since: datetime | None
    tried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """A running transaction on a charge point of the site.

    Attributes:
        measured_at: When we heard of `measured_w`.
        limit: Of its connector; another transaction's when that was there before and this one has
            none yet.
        appetite: Of the limit's transaction.
        clock_off_s: How far the charge point's clock was from ours in its newest message about the
            session, positive where it is ahead; None: nobody knows.
        drawn: The charger's phases that the car was seen to draw on, as bits; None: not seen yet,
            or the site does not share phases.
        by_default: Its limits are told by the TxDefaultProfile of its connector, and `limit` is
            that one's.
        beside: Then what may hold of its TxProfile, which was refused or not answered.
        waking: Where it stands after a pause, until the decision before.
        charged_wh: What its meter has counted since it began; None: it does not tell that.
    """

    transaction_id: TransactionId
    charger_id: ChargerId
    connector_id: int
    measured_w: int | None
    limit: LimitRow
    measured_at: datetime | None = None
    appetite: Appetite = HUNGRY
    clock_off_s: float | None = None
    drawn: int | None = None
    by_default: bool = False
    beside: LimitRow = NOTHING_KNOWN
    waking: Waking | None = None
    charged_wh: int | None = None

    @property
    def purpose(self) -> ProfilePurpose:
        """The profile that tells its limits."""
        return ProfilePurpose.TX_DEFAULT if self.by_default else ProfilePurpose.TX

    @property
    def clock_is_wrong(self) -> bool:
        """Whether a time that we name may be another time to the charge point."""
        return self.clock_off_s is not None and abs(self.clock_off_s) > CLOCK_SKEW.total_seconds()

    def in_use(self, charger: Charger) -> int:
        """Return how many of its charger's phases the car is known to use; all while not known."""
        if self.drawn is None:
            return charger.phases
        return (self.drawn & charger.conductors).bit_count() or charger.phases

    def told_w(self, charger: Charger) -> int | None:
        """Return the limit, told for all phases of the charger, that what it draws would need."""
        if self.measured_w is None:
            return None
        return -(-self.measured_w * charger.phases // self.in_use(charger))

    def reading(self, charger: Charger) -> Reading | None:
        """Return the newest word of its meter, as the limit that it would need."""
        needed = self.told_w(charger)
        if needed is None or self.measured_at is None:
            return None
        return Reading(power_w=needed, at=self.measured_at)

    @property
    def own_limit(self) -> LimitRow:
        """What is known of this transaction's own limit."""
        is_own = self.by_default or self.limit.transaction_id == self.transaction_id
        return self.limit if is_own else NOTHING_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedLoadState:
    """A load on a charger that another system controls."""

    id: int
    charger_id: ChargerId
    connector_id: int
    vehicle_max_w: int
    measured_w: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRow:
    """A battery's state when its flow was last set."""

    energy_mwh: int
    flow_w: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSnapshot:
    """All that one step looks at, read in one transaction.

    Attributes:
        turns: Where the loads stood in the rotation after the decision before.
    """

    site: Site
    chargers: tuple[ChargerState, ...]
    sessions: tuple[SessionState, ...]
    managed: tuple[ManagedLoadState, ...] = ()
    batteries: Mapping[BatteryId, BatteryRow] = field(default_factory=dict)
    version: int = 0
    rules: SiteRules = DEFAULT_RULES
    meter: MeterReading | None = None
    outside: tuple[OutsideLimit, ...] = ()
    turns: Mapping[LoadId, Turn] = field(default_factory=dict)

    def rows(self, of: Collection[ChargerId] | None = None) -> dict[RowKey, LimitRow]:
        """Return rows of the ledger that belong to the site, by their names.

        Args:
            of: The chargers that are meant; None: all.
        """
        found = {}
        keys: dict[ChargerId, ChargePointKey] = {}
        for state in self.chargers:
            key = state.key
            if key is None or (of is not None and state.charger.id not in of):
                continue
            keys[state.charger.id] = key
            found[RowKey(key, 0, ProfilePurpose.TX_DEFAULT)] = state.floor
            found[RowKey(key, 0, ProfilePurpose.CHARGE_POINT_MAX)] = state.cap
            for number, row in state.defaults.items():
                found[RowKey(key, number, ProfilePurpose.TX_DEFAULT)] = row
        for session in self.sessions:
            held = keys.get(session.charger_id)
            if held is not None:
                found[RowKey(held, session.connector_id, session.purpose)] = session.limit
                if session.by_default:
                    found[RowKey(held, session.connector_id, ProfilePurpose.TX)] = session.beside
        return found

    def apart(self, other: SiteSnapshot) -> set[ChargerId]:
        """Return the chargers whose rows may be others in a snapshot that was made of this one."""
        if self is other:
            return set()
        states = zip(self.chargers, other.chargers, strict=True)
        sessions = zip(self.sessions, other.sessions, strict=True)
        found = {
            old.charger.id
            for old, new in states
            if old is not new
            and (
                old.floor is not new.floor
                or old.cap is not new.cap
                or old.defaults is not new.defaults
            )
        }
        return found | {
            old.charger_id
            for old, new in sessions
            if old is not new
            and (old.limit is not new.limit or old.by_default is not new.by_default)
        }

    def open_requests(self) -> Iterator[Request]:
        """Yield the requests that are stored as open."""
        waiting = {
            state.charger.id
            for state in self.chargers
            if state.floor.in_flight_version is not None
            or state.cap.in_flight_version is not None
            or any(row.in_flight_version is not None for row in state.defaults.values())
        }
        for session in self.sessions:
            if session.limit.in_flight_version is not None or session.by_default:
                waiting.add(session.charger_id)
        if not waiting:
            return
        live = {session.transaction_id for session in self.sessions}
        for place, row in self.rows(waiting).items():
            if row.in_flight_version is None:
                continue
            if row.transaction_id is None or row.transaction_id in live:
                yield Request(*place, row.transaction_id, row.in_flight_version)

    def with_rows(self, rows: Mapping[RowKey, LimitRow]) -> SiteSnapshot:
        """Return the snapshot with some rows replaced."""
        if not rows:
            return self
        touched = {place.key for place in rows}
        keys = {state.charger.id: state.key for state in self.chargers if state.key in touched}

        def of_charger(state: ChargerState) -> ChargerState:
            if state.key is None or state.key not in touched:
                return state
            floor = rows.get(RowKey(state.key, 0, ProfilePurpose.TX_DEFAULT))
            cap = rows.get(RowKey(state.key, 0, ProfilePurpose.CHARGE_POINT_MAX))
            return replace(
                state,
                floor=floor or state.floor,
                cap=cap or state.cap,
                defaults={
                    number: rows.get(RowKey(state.key, number, ProfilePurpose.TX_DEFAULT)) or row
                    for number, row in state.defaults.items()
                },
            )

        def of_session(session: SessionState) -> SessionState:
            key = keys.get(session.charger_id)
            if key is None:
                return session
            row = rows.get(RowKey(key, session.connector_id, session.purpose))
            if session.by_default:
                beside = rows.get(RowKey(key, session.connector_id, ProfilePurpose.TX))
                session = replace(session, beside=beside or session.beside)
            return session if row is None else replace(session, limit=row)

        return replace(
            self,
            chargers=tuple(of_charger(state) for state in self.chargers),
            sessions=tuple(of_session(session) for session in self.sessions),
        )
